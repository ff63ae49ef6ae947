//! The table of guarded fields: where each is, and what powers a value gives. A value raises another if it gives a power
//! that the other does not. The levels are those of k8s.io/pod-security-admission; what a Pod has when it says
//! nothing is what the container runtime gives it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Guarded, shown};
use crate::policy::GuardedField;

/// What a value gives, in words that only the guard reads.
pub(super) type Powers = BTreeSet<String>;

/// Among powers: any profile at all is no more than this.
const ANY: &str = "any profile";

/// Among powers: the files of an image can be changed. Of a container that is new it is nothing that the others lost.
const WRITABLE: &str = "a writable image";

/// What container runtimes leave a container that drops nothing (containerd, pkg/oci; the list that Pod Security's
/// baseline calls default, and NET_RAW).
const DEFAULT_CAPABILITIES: [&str; 14] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "NET_RAW",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// Types of SELinux that are no more than what containers have.
const SELINUX_TYPES: [&str; 5] =
    ["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"];

/// Volumes that restricted Pods may have.
const PLAIN_VOLUMES: [&str; 8] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
];

/// A row: the field, the pointer to it, whether a container has the Pod's where it has none, and what its value gives.
pub(super) struct Row {
    pub(super) field: GuardedField,
    pointer: &'static str,
    inherited: bool,
    powers: fn(Option<&Value>) -> Powers,
}

const fn row(field: GuardedField, pointer: &'static str, powers: fn(Option<&Value>) -> Powers) -> Row {
    Row { field, pointer, inherited: false, powers }
}

const fn inherited(field: GuardedField, pointer: &'static str, powers: fn(Option<&Value>) -> Powers) -> Row {
    Row { field, pointer, inherited: true, powers }
}

/// Those of each container.
pub(super) const OF_CONTAINERS: [Row; 15] = [
    row(GuardedField::Containers, "/name", present),
    row(GuardedField::Images, "/image", present),
    row(GuardedField::Privileged, "/securityContext/privileged", unless_false),
    row(GuardedField::Capabilities, "/securityContext/capabilities", capabilities),
    row(GuardedField::AllowPrivilegeEscalation, "/securityContext/allowPrivilegeEscalation", escalation),
    row(GuardedField::ProcMount, "/securityContext/procMount", proc_mount),
    row(GuardedField::ReadOnlyRootFilesystem, "/securityContext/readOnlyRootFilesystem", writable),
    row(GuardedField::HostPort, "/ports", host_ports),
    row(GuardedField::HostProbes, "", host_probes),
    inherited(GuardedField::RunAsNonRoot, "/securityContext/runAsNonRoot", unless_true),
    inherited(GuardedField::RunAsUser, "/securityContext/runAsUser", user),
    inherited(GuardedField::SeccompProfile, "/securityContext/seccompProfile", seccomp),
    inherited(GuardedField::AppArmorProfile, "/securityContext/appArmorProfile", app_armor),
    inherited(GuardedField::SeLinuxOptions, "/securityContext/seLinuxOptions", se_linux),
    inherited(GuardedField::HostProcess, "/securityContext/windowsOptions/hostProcess", unless_false),
];

/// Those of the Pod itself.
pub(super) const OF_PODS: [Row; 9] = [
    inherited(GuardedField::HostNetwork, "/hostNetwork", unless_false),
    inherited(GuardedField::HostPid, "/hostPID", unless_false),
    inherited(GuardedField::HostIpc, "/hostIPC", unless_false),
    inherited(GuardedField::HostUsers, "/hostUsers", host_users),
    inherited(GuardedField::ServiceAccountName, "/serviceAccountName", account),
    inherited(GuardedField::AutomountServiceAccountToken, "/automountServiceAccountToken", token),
    inherited(GuardedField::RuntimeClassName, "/runtimeClassName", runtime_class),
    inherited(GuardedField::ShareProcessNamespace, "/shareProcessNamespace", unless_false),
    inherited(GuardedField::Sysctls, "/securityContext/sysctls", elements),
];

/// Those of each volume.
pub(super) const OF_VOLUMES: [Row; 3] = [
    row(GuardedField::Volumes, "", volume),
    row(GuardedField::Images, "/image/reference", present),
    row(GuardedField::AutomountServiceAccountToken, "/projected", projected_token),
];

/// What the API server reads in the place of `serviceAccountName` where that says nothing (pkg/apis/core/v1,
/// Convert_v1_PodSpec_To_core_PodSpec).
const OLD_ACCOUNT: &str = "/serviceAccount";

impl Row {
    /// The field of a container, or of a Pod (then `container` is null), which stand at `path`.
    pub(super) fn of(&self, spec: &Value, container: &Value, path: &str) -> Guarded {
        let pointer = self.pointer_in(spec);
        let own = container.pointer(pointer).filter(|value| !value.is_null());
        let of_pod = || spec.pointer(pointer).filter(|value| self.inherited && !value.is_null());
        let value = own.or_else(of_pod);
        let powers = (self.powers)(value);
        let shown = match (pointer, value) {
            // The container or volume as a whole says too much.
            ("", _) if powers.is_empty() => shown(None),
            ("", _) => powers.iter().map(String::as_str).collect::<Vec<_>>().join(", "),
            (_, value) => shown(value),
        };
        Guarded { path: format!("{path}{}", pointer.replace('/', ".")), shown, powers }
    }

    fn pointer_in(&self, spec: &Value) -> &'static str {
        let names = |pointer: &str| {
            spec.pointer(pointer).and_then(Value::as_str).is_some_and(|name| !name.is_empty())
        };
        let is_old =
            self.field == GuardedField::ServiceAccountName && !names(self.pointer) && names(OLD_ACCOUNT);
        if is_old { OLD_ACCOUNT } else { self.pointer }
    }
}

/// The powers of `now` that go beyond `then`.
pub(super) fn beyond(now: &Powers, then: Option<&Powers>) -> BTreeSet<String> {
    let Some(then) = then else { return now.iter().filter(|power| *power != WRITABLE).cloned().collect() };
    // Of a profile it is not known what it allows; who had none, or could have had any, had more.
    let is_profile = |power: &&String| power.starts_with("Localhost") && then.contains(ANY);
    now.difference(then).filter(|power| !is_profile(power)).cloned().collect()
}

fn one(power: impl Into<String>) -> Powers {
    Powers::from([power.into()])
}

fn present(value: Option<&Value>) -> Powers {
    value.map(Value::to_string).into_iter().collect()
}

fn elements(value: Option<&Value>) -> Powers {
    list(value).iter().map(Value::to_string).collect()
}

fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn unless_false(value: Option<&Value>) -> Powers {
    value.filter(|value| **value != Value::Bool(false)).map(Value::to_string).into_iter().collect()
}

fn unless_true(value: Option<&Value>) -> Powers {
    if value == Some(&Value::Bool(true)) { Powers::new() } else { one("root") }
}

fn writable(value: Option<&Value>) -> Powers {
    if value == Some(&Value::Bool(true)) { Powers::new() } else { one(WRITABLE) }
}

/// A class may be a sandbox, or leave one: of none it is known which.
fn runtime_class(value: Option<&Value>) -> Powers {
    one(value.and_then(Value::as_str).filter(|name| !name.is_empty()).unwrap_or_default())
}

fn escalation(value: Option<&Value>) -> Powers {
    if value == Some(&Value::Bool(false)) { Powers::new() } else { one("more privileges than its parent") }
}

fn host_users(value: Option<&Value>) -> Powers {
    if value == Some(&Value::Bool(false)) { Powers::new() } else { one("the node's users") }
}

/// The user of an image may be root.
fn user(value: Option<&Value>) -> Powers {
    match value.map(Value::as_i64) {
        None => one("the image's user"),
        Some(Some(0)) | Some(None) => Powers::from(["the image's user".to_owned(), "root".to_owned()]),
        Some(Some(_)) => Powers::new(),
    }
}

fn account(value: Option<&Value>) -> Powers {
    one(value.and_then(Value::as_str).filter(|name| !name.is_empty()).unwrap_or("default"))
}

/// What says nothing follows the service account, which may say no.
fn token(value: Option<&Value>) -> Powers {
    match value {
        Some(Value::Bool(false)) => Powers::new(),
        None => one("the account's wish"),
        Some(_) => Powers::from(["the account's wish".to_owned(), "the token".to_owned()]),
    }
}

fn projected_token(value: Option<&Value>) -> Powers {
    let sources = list(value.and_then(|value| value.get("sources"))).iter();
    sources.filter_map(|source| source.get("serviceAccountToken")).map(Value::to_string).collect()
}

fn proc_mount(value: Option<&Value>) -> Powers {
    present(value.filter(|value| value.as_str() != Some("Default")))
}

fn capabilities(value: Option<&Value>) -> Powers {
    let names = |member: &str| -> Vec<String> {
        let all = list(value.and_then(|value| value.get(member)));
        all.iter().map(|name| name.as_str().map_or_else(|| name.to_string(), str::to_owned)).collect()
    };
    let (added, dropped) = (names("add"), names("drop"));
    let is_dropped = |name: &str| dropped.iter().any(|other| other == "ALL" || other == name);
    // A runtime reads them in any case (containerd, internal/cri/util, InStringSlice), Pod Security as they stand.
    let is_same = |one: &str, name: &str| one.eq_ignore_ascii_case(name);
    let runs_without = |name: &str| dropped.iter().any(|other| is_same(other, "ALL") || is_same(other, name));
    let mut powers: Powers = added.iter().map(|name| format!("added {name}")).collect();
    for name in DEFAULT_CAPABILITIES {
        powers.extend((!is_dropped(name)).then(|| format!("kept {name}")));
        powers.extend((!runs_without(name)).then(|| format!("runs with {name}")));
    }
    if added.iter().any(|name| is_same(name, "ALL")) {
        // What is taken from all of them matters, whichever it is.
        powers.insert(format!("all but {dropped:?}"));
    }
    powers
}

fn seccomp(value: Option<&Value>) -> Powers {
    profile(value, Powers::from([ANY.to_owned()]))
}

/// Without one, a node that has AppArmor uses the runtime's.
fn app_armor(value: Option<&Value>) -> Powers {
    profile(value, Powers::new())
}

fn profile(value: Option<&Value>, none: Powers) -> Powers {
    let Some(value) = value else { return none };
    let text = |member: &str| value.get(member).and_then(Value::as_str).unwrap_or_default();
    match text("type") {
        "RuntimeDefault" => Powers::new(),
        "Localhost" => one(format!("Localhost {}", text("localhostProfile"))),
        other => Powers::from([ANY.to_owned(), other.to_owned()]),
    }
}

fn se_linux(value: Option<&Value>) -> Powers {
    let text =
        |member: &str| value.and_then(|value| value.get(member)).and_then(Value::as_str).unwrap_or_default();
    let named = ["user", "role"].into_iter().filter(|member| !text(member).is_empty());
    let mut powers: Powers = named.map(|member| format!("{member} {}", text(member))).collect();
    powers.extend(
        Some(text("type")).filter(|name| !SELINUX_TYPES.contains(name)).map(|name| format!("type {name}")),
    );
    powers
}

fn host_ports(value: Option<&Value>) -> Powers {
    let of_host = |port: &&Value| {
        port.get("hostPort").is_some_and(|number| !number.is_null() && number.as_i64() != Some(0))
    };
    let text = |port: &Value| {
        let member = |name: &str| port.get(name).map(Value::to_string).unwrap_or_default();
        format!("{} {} {}", member("hostPort"), member("protocol"), member("hostIP"))
    };
    list(value).iter().filter(of_host).map(text).collect()
}

fn host_probes(container: Option<&Value>) -> Powers {
    let places =
        ["livenessProbe", "readinessProbe", "startupProbe", "lifecycle/postStart", "lifecycle/preStop"];
    let hosts = places.into_iter().flat_map(|place| {
        ["httpGet", "tcpSocket"].into_iter().filter_map(move |action| {
            let host = container?.pointer(&format!("/{place}/{action}/host"))?;
            let is_set = !host.is_null() && host.as_str() != Some("");
            is_set.then(|| format!("{}.{action}.host: {host}", place.replace('/', ".")))
        })
    });
    hosts.collect()
}

/// Whose source is none of the plain ones, as a whole; a Secret is plain.
pub(super) fn volume(value: Option<&Value>) -> Powers {
    let members = value.and_then(Value::as_object).into_iter().flatten();
    let is_plain = |name: &str| name == "name" || name == "secret" || PLAIN_VOLUMES.contains(&name);
    let others = members.filter(|(name, source)| !source.is_null() && !is_plain(name));
    others.map(|(name, source)| format!("{name} {source}")).collect()
}
