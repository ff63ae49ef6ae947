//! Pods for the differential test: fixtures with changes, and Pods of nothing but changes. A change sets a field that
//! some check reads, mostly to something that people write, at times to something absurd.

use serde_json::{Map, Value, json};

use super::random::Random;

/// What is asked about: a Pod at a level, in a version.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) level: &'static str,
    pub(super) version: String,
    pub(super) pod: Value,
}

/// Texts that have a meaning somewhere, and some that have none.
const WORDS: &[&str] = &[
    "",
    "RuntimeDefault",
    "Localhost",
    "Unconfined",
    "runtimeDefault",
    "Default",
    "Unmasked",
    "ALL",
    "all",
    "NET_BIND_SERVICE",
    "CHOWN",
    "CAP_CHOWN",
    "NET_RAW",
    "SYS_ADMIN",
    "windows",
    "linux",
    "Windows",
    "container_t",
    "container_engine_t",
    "spc_t",
    "kernel.shm_rmid_forced",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_notsent_lowat",
    "net/ipv4/tcp_syncookies",
    "net.ipv4.ip_local_reserved_ports",
    "kernel.msgmax",
    "runtime/default",
    "docker/default",
    "localhost/",
    "localhost/x",
    "unconfined",
    "127.0.0.1",
    "true",
    "0",
    "a\"b",
    "a\\b",
    "\u{0}",
    "\n\t\r\u{7f}",
    "ü\u{ad}\u{200b}\u{202e}\u{2028}\u{feff}",
    "\u{e000}\u{10ffff}\u{1f600}\u{378}\u{fffd}",
    "<&>",
];

const NAMES: &[&str] = &["a", "b", "app", "proxy", "a\"", "ü", "A", "a b"];

const NUMBERS: &[&str] = &[
    "0",
    "1",
    "-1",
    "80",
    "443",
    "10250",
    "2147483647",
    "2147483648",
    "-2147483649",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    "0.5",
    "1.0",
    "1e3",
    "1e300",
];

const SOURCES: &[&str] = &[
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "gitRepo",
    "nfs",
    "iscsi",
    "glusterfs",
    "rbd",
    "flexVolume",
    "cinder",
    "cephfs",
    "flocker",
    "fc",
    "azureFile",
    "vsphereVolume",
    "quobyte",
    "azureDisk",
    "photonPersistentDisk",
    "portworxVolume",
    "scaleIO",
    "storageos",
    "unheardOf",
    "HostPath",
];

/// What a field takes.
#[derive(Clone, Copy)]
enum Kind {
    Bool,
    Number,
    Word,
    Words,
    Empty,
}

use Kind::{Bool, Empty, Number, Word, Words};

/// Fields of a Pod's and of a container's `securityContext` alike.
const SHARED: &[(&[&str], Kind)] = &[
    (&["securityContext"], Empty),
    (&["securityContext", "runAsNonRoot"], Bool),
    (&["securityContext", "runAsUser"], Number),
    (&["securityContext", "seccompProfile"], Empty),
    (&["securityContext", "seccompProfile", "type"], Word),
    (&["securityContext", "appArmorProfile"], Empty),
    (&["securityContext", "appArmorProfile", "type"], Word),
    (&["securityContext", "seLinuxOptions", "type"], Word),
    (&["securityContext", "seLinuxOptions", "user"], Word),
    (&["securityContext", "seLinuxOptions", "role"], Word),
    (&["securityContext", "seLinuxOptions", "level"], Word),
    (&["securityContext", "windowsOptions", "hostProcess"], Bool),
];

const OF_POD: &[(&[&str], Kind)] = &[
    (&["hostNetwork"], Bool),
    (&["hostPID"], Bool),
    (&["hostIPC"], Bool),
    (&["hostUsers"], Bool),
    (&["os", "name"], Word),
    (&["os"], Empty),
];

const OF_CONTAINER: &[(&[&str], Kind)] = &[
    (&["securityContext", "privileged"], Bool),
    (&["securityContext", "allowPrivilegeEscalation"], Bool),
    (&["securityContext", "procMount"], Word),
    (&["securityContext", "capabilities"], Empty),
    (&["securityContext", "capabilities", "add"], Words),
    (&["securityContext", "capabilities", "drop"], Words),
    (&["livenessProbe", "httpGet", "host"], Word),
    (&["readinessProbe", "tcpSocket", "host"], Word),
    (&["startupProbe", "httpGet", "host"], Word),
    (&["livenessProbe", "tcpSocket", "host"], Word),
    (&["livenessProbe", "exec"], Empty),
    (&["lifecycle", "postStart", "httpGet", "host"], Word),
    (&["lifecycle", "preStop", "tcpSocket", "host"], Word),
    (&["lifecycle", "preStop"], Empty),
];

const LISTS: &[&str] = &["initContainers", "containers", "ephemeralContainers"];

const ANNOTATIONS: &[&str] = &[
    "container.apparmor.security.beta.kubernetes.io/a",
    "container.apparmor.security.beta.kubernetes.io/gone",
    "container.apparmor.security.beta.kubernetes.io/",
    "container.apparmor.security.beta.kubernetes.io/a!",
    "seccomp.security.alpha.kubernetes.io/pod",
    "container.seccomp.security.alpha.kubernetes.io/a",
    "container.seccomp.security.alpha.kubernetes.io/app",
    "container.seccomp.security.alpha.kubernetes.io/gone",
    "other",
];

/// The case of that number: the same in each run.
pub(super) fn case(number: u64, fixtures: &[Value]) -> Case {
    let mut random = Random::new(number);
    let level = random.one_of(&["baseline", "restricted", "restricted"]);
    let minor = if random.chance(40) { 37 } else { random.below(40) };
    let version = if random.chance(10) { "latest".to_owned() } else { format!("v1.{minor}") };
    let mut generator = Generator { random };
    let from_fixture = generator.random.chance(50) && !fixtures.is_empty();
    let mut pod = if from_fixture {
        fixtures[generator.random.below(fixtures.len())].clone()
    } else {
        generator.bare()
    };
    let changes = 1 + generator.random.below(if from_fixture { 4 } else { 12 });
    (0..changes).for_each(|_| generator.change(&mut pod));
    Case { level, version, pod }
}

struct Generator {
    random: Random,
}

impl Generator {
    /// A Pod with containers that have names.
    fn bare(&mut self) -> Value {
        let mut spec = Map::new();
        for list in LISTS {
            let count = if *list == "containers" { 1 + self.random.below(2) } else { self.random.below(2) };
            let containers = (0..count).map(|_| json!({ "name": self.random.one_of(NAMES) }));
            spec.insert((*list).to_owned(), containers.collect::<Vec<_>>().into());
        }
        json!({ "apiVersion": "v1", "kind": "Pod", "metadata": {}, "spec": spec })
    }

    fn change(&mut self, pod: &mut Value) {
        match self.random.below(12) {
            0 => {
                let key = self.random.one_of(ANNOTATIONS);
                let value = self.value(Word);
                set(pod, &["metadata", "annotations", key], value);
            }
            1 => {
                let volumes = self.some(3, Self::volume);
                set(pod, &["spec", "volumes"], volumes);
            }
            2 => {
                let sysctls = self.some(3, |it| it.member("name", Word));
                set(pod, &["spec", "securityContext", "sysctls"], sysctls);
            }
            3 | 4 => {
                let fields = if self.random.chance(50) { OF_POD } else { SHARED };
                let (path, value) = self.field(fields);
                let path: Vec<&str> = ["spec"].into_iter().chain(path.iter().copied()).collect();
                set(pod, &path, value);
            }
            5 => self.change_list(pod),
            _ => self.change_container(pod),
        }
    }

    fn change_list(&mut self, pod: &mut Value) {
        let list = self.random.one_of(LISTS);
        let value = if self.random.chance(10) {
            self.absurd()
        } else {
            self.some(3, |it| json!({ "name": it.random.one_of(NAMES) }))
        };
        set(pod, &["spec", list], value);
    }

    fn change_container(&mut self, pod: &mut Value) {
        let list = self.random.one_of(LISTS);
        let Some(containers) = pod["spec"][list].as_array_mut().filter(|list| !list.is_empty()) else {
            return;
        };
        let container = self.random.below(containers.len());
        let container = &mut containers[container];
        match self.random.below(8) {
            0 => {
                let ports = self.some(3, |it| it.member("hostPort", Number));
                set(container, &["ports"], ports);
            }
            1 => {
                let policy = self.random.one_of(&["Always", ""]);
                set(container, &["restartPolicy"], json!(policy));
            }
            which => {
                let (path, value) = self.field(if which < 4 { SHARED } else { OF_CONTAINER });
                set(container, path, value);
            }
        }
    }

    /// A field with a value, or one above it with something absurd.
    fn field(&mut self, fields: &[(&'static [&'static str], Kind)]) -> (&'static [&'static str], Value) {
        let (path, kind) = self.random.one_of(fields);
        if self.random.chance(4) {
            let length = 1 + self.random.below(path.len());
            return (&path[..length], self.absurd());
        }
        (path, self.value(kind))
    }

    fn value(&mut self, kind: Kind) -> Value {
        if self.random.chance(4) {
            return self.absurd();
        }
        match kind {
            Bool => json!(self.random.chance(50)),
            Number => self.number(9),
            Word => json!(self.random.one_of(WORDS)),
            Words => self.some(4, |it| json!(it.random.one_of(WORDS))),
            Empty => json!({}),
        }
    }

    /// One of the first numbers; the last ones are out of bounds.
    fn number(&mut self, first: usize) -> Value {
        serde_json::from_str(NUMBERS[self.random.below(first)]).unwrap()
    }

    fn absurd(&mut self) -> Value {
        match self.random.below(9) {
            0 => Value::Null,
            1 => json!(self.random.one_of(WORDS)),
            2 => self.number(NUMBERS.len()),
            3 => json!(self.random.chance(50)),
            4 => json!([]),
            5 => json!({}),
            6 => json!([null]),
            7 => json!({ (self.random.one_of(WORDS)): null }),
            _ => json!([{ "name": self.random.one_of(WORDS) }]),
        }
    }

    fn some(&mut self, most: usize, mut one: impl FnMut(&mut Self) -> Value) -> Value {
        let count = self.random.below(most + 1);
        let mut item = || if self.random.chance(2) { self.absurd() } else { one(self) };
        (0..count).map(|_| item()).collect::<Vec<_>>().into()
    }

    fn member(&mut self, name: &str, kind: Kind) -> Value {
        if self.random.chance(5) { json!({}) } else { json!({ name: self.value(kind) }) }
    }

    fn volume(&mut self) -> Value {
        let mut volume = self.member("name", Word);
        for _ in 0..self.random.below(3) {
            let value = self.value(Empty);
            volume[self.random.one_of(SOURCES)] = value;
        }
        volume
    }
}

/// Sets the field at a path. What is on the way and no object becomes one.
fn set(value: &mut Value, path: &[&str], new: Value) {
    let Some((name, rest)) = path.split_first() else {
        *value = new;
        return;
    };
    if !value.is_object() {
        *value = json!({});
    }
    set(&mut value[*name], rest, new);
}

#[test]
fn a_number_is_always_the_same_pod() {
    let case = |number| case(number, &[]);
    assert_eq!(case(7).pod, case(7).pod);
    assert_ne!(case(7).pod, case(8).pod);
}
