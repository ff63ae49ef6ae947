//! An installation that registers itself: three replicas with the rights of the chart, behind a balancer. What they write
//! first, what becomes of it when others change it, certificates that are renewed, and the end.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use http::Method;
use meshgate::config::{Configuration, NAMESPACE, SERVICE};
use meshgate::engine;
use meshgate::policy::Draft;
use meshgate::registration::{self, CaBundle, Coverage, Wanted};
use meshgate::source;
use serde_json::{Value, json};

use crate::balancer::Balancer;
use crate::environment::{Environment, Program, User, wait_until};
use crate::load;
use crate::webhook::{Replica, pod, starter};

const MERGE: &str = "application/merge-patch+json";
const MUTATING: &str =
    "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/meshgate-mutating";
const VALIDATING: &str =
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/meshgate-validating";
const SECRET: &str = "/api/v1/namespaces/meshgate-system/secrets/meshgate-certificates";
const STATE: &str = "/api/v1/namespaces/meshgate-system/configmaps/meshgate-state";
const LEASE: &str = "/apis/coordination.k8s.io/v1/namespaces/meshgate-system/leases/meshgate-leader";
const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/meshgate-system/deployments/meshgate";
const CLUSTER_ROLE: &str = "/apis/rbac.authorization.k8s.io/v1/clusterroles/meshgate";

/// How much shorter all waits are than in an installation: a minute is 1.2 s.
const PACE: &str = "0.02";

struct Installed<'a> {
    environment: &'a Environment,
    balancer: Balancer,
    replicas: Vec<(String, Program)>,
    /// How many there ever were: each has a name of its own.
    born: usize,
    file: PathBuf,
    /// The service account of the chart.
    user: User,
}

impl<'a> Installed<'a> {
    /// What the chart makes, and `count` processes in the place of its Pods.
    fn start(environment: &'a Environment, count: usize) -> Self {
        environment.namespace("shop", &json!({ "meshgate.io/mode": "deny" }));
        let balancer = Balancer::start(Vec::new());
        let file = environment.folder("registration").join("meshgate.yaml");
        let text = format!(
            "apiVersion: meshgate.io/v1alpha1\nkind: Configuration\nregistration: {{servicePort: {}}}\n",
            balancer.port
        );
        std::fs::write(&file, text).unwrap();
        let account = format!("system:serviceaccount:{NAMESPACE}:{SERVICE}");
        let user = environment.user(&account, None);
        let mut this = Self { environment, balancer, replicas: Vec::new(), born: 0, file, user };
        this.install("--apply");
        for _ in 0..count {
            this.start_replica();
        }
        this.wait_for_registration();
        this
    }

    /// `meshgate install`; the Service becomes a name for loopback.
    fn install(&self, what: &str) {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_meshgate"));
        command.args(["install", what, "--kubeconfig"]).arg(&self.environment.admin.kubeconfig);
        if what == "--apply" {
            command.arg("--config").arg(&self.file);
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        if what == "--apply" {
            let services = format!("/api/v1/namespaces/{NAMESPACE}/services");
            self.environment.admin.delete(&format!("{services}/{SERVICE}"));
            let service = json!({
                "apiVersion": "v1", "kind": "Service", "metadata": { "name": SERVICE },
                "spec": { "type": "ExternalName", "externalName": "localhost" },
            });
            self.environment.made(&services, &service);
        }
    }

    fn start_replica(&mut self) {
        let folder = self.file.parent().unwrap();
        let name = format!("replica-{}", self.born);
        self.born += 1;
        let file = |path: &PathBuf| path.clone().into_os_string();
        let command = vec![
            "env".into(),
            format!("MESHGATE_PACE={PACE}").into(),
            format!("HOSTNAME={name}").into(),
            env!("CARGO_BIN_EXE_meshgate").into(),
            "serve".into(),
            "--listen".into(),
            "127.0.0.1:0".into(),
            "--listen-admin".into(),
            "127.0.0.1:0".into(),
            "--config".into(),
            file(&self.file),
            "--kubeconfig".into(),
            file(&self.user.kubeconfig),
        ];
        let replica = Program::start(folder, &name, command);
        self.replicas.push((name, replica));
        self.direct(|_| true);
    }

    /// Lets connections go to those replicas, by their numbers.
    fn direct(&self, to: impl Fn(usize) -> bool) {
        let of = |(_, (_, replica)): (usize, &(String, Program))| {
            replica.wait_for(|| Replica::address(&replica.said()))
        };
        let replicas = self.replicas.iter().enumerate().filter(|(number, _)| to(*number));
        self.balancer.set(replicas.map(of).collect());
    }

    fn wait_for_registration(&self) {
        wait_until("a registration", || {
            (self.entries(MUTATING) == 3 && self.entries(VALIDATING) == 3).then_some(())
        });
        // In force a moment after it is shown.
        wait_until("a denial", || self.is_privileged_refused().then_some(()));
    }

    fn get(&self, path: &str) -> Value {
        self.environment.admin.get(path).body
    }

    fn patch(&self, path: &str, patch: &Value) {
        let answer = self.environment.admin.request(&Method::PATCH, path, MERGE, patch);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    }

    fn entries(&self, path: &str) -> usize {
        self.get(path)["webhooks"].as_array().map_or(0, Vec::len)
    }

    fn is_privileged_refused(&self) -> bool {
        let pod = pod("privileged", &json!({ "privileged": true }));
        let answer = self.environment.admin.create("/api/v1/namespaces/shop/pods?dryRun=All", &pod);
        answer.status == 403 && answer.message().contains("securityContext.privileged=true")
    }

    fn phase(&self) -> String {
        self.get(SECRET)["metadata"]["annotations"]["meshgate.io/phase"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// The number of the replica that leads.
    fn leader(&self) -> usize {
        wait_until("a leader", || {
            let holder = self.get(LEASE)["spec"]["holderIdentity"].as_str()?.to_owned();
            self.replicas.iter().position(|(name, _)| holder.starts_with(&format!("{name}-")))
        })
    }

    /// Wants a new certificate, and waits until nothing of the renewal is left to do.
    fn renew(&self) {
        let before = self.get(SECRET)["data"]["current.crt"].clone();
        self.want_renewal();
        wait_until("a renewal", || {
            let is_new = self.get(SECRET)["data"]["current.crt"] != before;
            (is_new && self.phase() == "stable").then_some(())
        });
    }

    fn want_renewal(&self) {
        let annotation = json!({ "meshgate.io/renew-after": "2020-01-01T00:00:00Z" });
        self.patch(SECRET, &json!({ "metadata": { "annotations": annotation } }));
    }
}

/// What a live configuration trusts; it must be something.
fn ca_bundle(configuration: &Value) -> CaBundle {
    CaBundle::decode(configuration["webhooks"][0]["clientConfig"]["caBundle"].as_str().unwrap()).unwrap()
}

#[test]
fn a_registration_is_written_and_repaired() {
    let Some(environment) = Environment::fresh() else { return };
    let installed = Installed::start(&environment, 3);
    let said: String = installed.replicas.iter().map(|(_, replica)| replica.said()).collect();
    assert!(!said.contains("is repaired"), "what was written at first is nobody else's change:\n{said}");

    let live = [installed.get(MUTATING), installed.get(VALIDATING)];
    let bundle =
        engine::compile(Draft::read(&starter(), &source::catalogue())).unwrap_or_else(|f| panic!("{f}"));
    let configuration = Configuration { service_port: installed.balancer.port, ..Configuration::default() };
    let (needs, ca_bundle) = (Coverage::of(&bundle), ca_bundle(&live[0]));
    // The chart's admission policy is in place.
    let wanted = Wanted {
        needs: Some(&needs),
        configuration: &configuration,
        ca_bundle: &ca_bundle,
        guard_stands: true,
    };
    for (desired, live) in registration::desired(&wanted).iter().zip(&live) {
        assert_eq!(desired["webhooks"], live["webhooks"], "all that is defaulted is written");
        assert_eq!(live["metadata"]["ownerReferences"][0]["kind"], "ClusterRole");
    }

    let emptied = |path: &str| {
        let mut webhooks = installed.get(path)["webhooks"].clone();
        webhooks[0]["clientConfig"]["caBundle"] = json!("");
        json!({ "webhooks": webhooks })
    };
    let foreign = |path: &str| {
        let mut webhooks = installed.get(path)["webhooks"].clone();
        let mut entry = webhooks[1].clone();
        entry["name"] = json!("other.example.com");
        webhooks.as_array_mut().unwrap().insert(0, entry);
        json!({ "webhooks": webhooks })
    };
    let mut gaps = 0;
    for path in [MUTATING, VALIDATING] {
        let before = installed.get(path)["webhooks"].clone();
        for change in [None, Some(emptied(path)), Some(foreign(path)), Some(json!({ "webhooks": [] }))] {
            match &change {
                None => assert_eq!(environment.admin.delete(path).status, 200),
                Some(change) => installed.patch(path, change),
            }
            let start = Instant::now();
            wait_until("a repair", || (installed.get(path)["webhooks"] == before).then_some(()));
            let took = start.elapsed();
            assert!(took < Duration::from_secs(2), "{path}: {took:?}");
            println!("repaired after {} ms: {path}", took.as_millis());
            gaps += 1;
            // Not so many that repairs become rare.
            std::thread::sleep(Duration::from_millis(1_100));
        }
    }
    let kept: Vec<Value> =
        serde_json::from_str(installed.get(STATE)["data"]["gaps"].as_str().unwrap()).unwrap();
    assert_eq!(kept.len(), gaps, "{kept:?}");
    wait_until("a denial", || installed.is_privileged_refused().then_some(()));
}

#[test]
fn certificates_are_renewed_under_load_also_when_leaders_die() {
    let Some(environment) = Environment::fresh() else { return };
    let mut installed = Installed::start(&environment, 3);
    let rotations = 2;
    let path = "/api/v1/namespaces/shop/pods?dryRun=All".to_owned();
    let tally = load::under_load(&environment.admin, &path, load::by_the_starter_profile, || {
        for _ in 0..rotations {
            installed.renew();
        }
    });
    tally.assert_clean(&format!("{rotations} renewals of the certificate"));

    // The leader dies between two steps, after each of them; another goes on. Who dies gets no connections.
    for phase in ["prepared", "switched"] {
        let before = installed.get(SECRET)["data"]["current.crt"].clone();
        let leader = installed.leader();
        installed.direct(|number| number != leader);
        // Connections that the API server has there end with it: what is in flight then is not counted.
        installed.want_renewal();
        wait_until("a phase", || (installed.phase() == phase).then_some(()));
        installed.replicas[leader].1.kill();
        let tally = load::under_load(&environment.admin, &path, load::by_the_starter_profile, || {
            wait_until("another leader's renewal", || {
                let is_new = installed.get(SECRET)["data"]["current.crt"] != before;
                (is_new && installed.phase() == "stable").then_some(())
            });
        });
        println!("leader killed at {phase}: {tally}");
        assert_eq!((tally.wrongly_allowed, tally.wrongly_denied), (0, 0), "{tally:?}");
        installed.start_replica();
        installed.replicas.swap_remove(leader);
        installed.direct(|_| true);
    }
    assert_eq!(ca_bundle(&installed.get(MUTATING)).as_pem().matches("BEGIN").count(), 1);
}

/// After each of three ways nothing is left that asks anybody, and nobody writes it again.
#[test]
fn nothing_is_left_after_the_end() {
    let Some(environment) = Environment::fresh() else { return };
    let admin = &environment.admin;
    let mut installed = Installed::start(&environment, 2);
    let gone = |what: &str| {
        let start = Instant::now();
        let is_gone = |path: &str| admin.get(path).status == 404;
        wait_until(what, || (is_gone(MUTATING) && is_gone(VALIDATING)).then_some(()));
        let pod = pod("after", &json!({ "privileged": true }));
        wait_until("a Pod", || {
            (admin.create("/api/v1/namespaces/shop/pods", &pod).status == 201).then_some(())
        });
        println!("{what}: a Pod is made after {} ms", start.elapsed().as_millis());
        assert!(start.elapsed() < Duration::from_secs(10));
        admin.delete("/api/v1/namespaces/shop/pods/after");
    };

    // Both are collected with their owner; a leader that runs on writes them again, so there is none.
    installed.replicas.iter().for_each(|(_, replica)| replica.kill());
    assert_eq!(admin.delete(CLUSTER_ROLE).status, 200);
    gone("collected with the ClusterRole");

    // A replica whose Deployment is gone takes them along; one whose Deployment is scaled to nothing does not.
    installed.install("--apply");
    installed.replicas.clear();
    installed.start_replica();
    installed.wait_for_registration();
    installed.patch(DEPLOYMENT, &json!({ "spec": { "replicas": 0 } }));
    installed.replicas[0].1.signal("TERM");
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!((installed.entries(MUTATING), installed.entries(VALIDATING)), (3, 3));
    installed.replicas.clear();
    installed.start_replica();
    installed.wait_for_registration();
    assert_eq!(admin.delete(DEPLOYMENT).status, 200);
    installed.replicas[0].1.signal("TERM");
    gone("removed by the last replica");

    // What is said to be removed is not written again by who still leads.
    installed.install("--apply");
    installed.replicas.clear();
    installed.start_replica();
    installed.wait_for_registration();
    installed.install("--remove=registration");
    gone("removed by hand");
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!((installed.entries(MUTATING), installed.entries(VALIDATING)), (0, 0));
    installed.install("--apply");
    installed.wait_for_registration();
}
