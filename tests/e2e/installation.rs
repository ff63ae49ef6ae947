//! An installation in a cluster of its own: made by `meshgate install`, three replicas as processes beside it, and a
//! balancer in place of its Service. All who use it take turns.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::thread::sleep;
use std::time::Duration;

use meshgate::config::{NAMESPACE, SERVICE};
use meshgate::policy::Tree;
use serde_json::json;

use crate::balancer::Balancer;
use crate::environment::{Environment, Program, User, wait_until};
use crate::webhook::{Replica, strict, write_tree};

/// The waits of an installation (a minute here, six there) are this many times as long. What remains is more than an API
/// server needs to learn of a change.
pub(crate) const PACE: &str = "0.005";

/// The user that replicas are to the API server.
pub(crate) fn account() -> String {
    format!("system:serviceaccount:{NAMESPACE}:{SERVICE}")
}

/// The program that is tested.
pub(crate) fn current() -> PathBuf {
    env!("CARGO_BIN_EXE_meshgate").into()
}

/// Another version of it, where one is named: upgrades begin with it, and it takes over again.
pub(crate) fn previous() -> Option<PathBuf> {
    std::env::var_os("MESHGATE_PREVIOUS_BINARY").map(PathBuf::from)
}

pub(crate) struct Installed {
    pub(crate) environment: Environment,
    folder: PathBuf,
    pub(crate) balancer: Balancer,
    replicas: Vec<Replica>,
    /// Who they are to the API server, and to which one.
    account: User,
    pace: &'static str,
    /// Whether nobody can use it any more.
    pub(crate) is_gone: bool,
}

static INSTALLED: Mutex<Option<Installed>> = Mutex::new(None);

impl Installed {
    /// Where Pods are judged.
    pub(crate) const NAMESPACE: &str = "shop";

    /// Runs a test with the installation, nobody beside. One that a test has left broken is made anew.
    pub(crate) fn with(test: impl FnOnce(&mut Self)) {
        let Some(turn) = Environment::turn() else { return };
        let mut place = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
        let mut installed = place.take().unwrap_or_else(Self::start);
        test(&mut installed);
        *place = Some(installed).filter(|installed| !installed.is_gone);
        drop(turn);
    }

    fn start() -> Self {
        let environment = Environment::bare();
        let account = environment.user(&account(), None);
        Self::of_ones_own(environment, Balancer::start(Vec::new()), account, ("", PACE))
    }

    /// One for a test alone: `account` is whom the replicas are to which API server, `more` is in their `meshgate.yaml`, and
    /// their waits are shortened by `pace`.
    pub(crate) fn of_ones_own(
        environment: Environment,
        balancer: Balancer,
        account: User,
        (more, pace): (&str, &'static str),
    ) -> Self {
        environment.namespace(Self::NAMESPACE, &json!({}));
        let folder = environment.folder("installation");
        write_tree(&folder.join("policies-0"), &strict());
        symlink("policies-0", folder.join("policies")).unwrap();
        let registration = format!(
            "apiVersion: meshgate.io/v1alpha1\nkind: Configuration\nregistration: {{servicePort: {}}}\n",
            balancer.port
        );
        let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
        let has_source = more.contains("source:");
        // What is granted depends on that there is a source, and not on which one.
        let source = "source: {name: platform, git: {url: 'https://git.example.com/p.git', branch: main}}\ntrust: {mode: none}\nstate: /var/lib/meshgate\n";
        write("installed.yaml", &format!("{registration}{}", if has_source { source } else { "" }));
        // Pods listen at the ports of the Service and read the policies at their place; processes beside each other can't.
        let listen = "listen: {webhook: 127.0.0.1:0, admin: 127.0.0.1:0}\n";
        let policies = format!("policies: {}\n", folder.join("policies").display());
        let policies = if has_source { "" } else { &policies };
        let here = format!("{registration}{listen}{policies}{more}");
        write("meshgate.yaml", &here);
        let replicas = Vec::new();
        let mut this = Self { environment, folder, balancer, replicas, account, pace, is_gone: false };
        this.install(&["--apply"]);
        this.replace_service();
        for name in ["one", "two", "three"] {
            this.start_replica(name);
        }
        wait_until("the registration", || this.is_registered().then_some(()));
        this
    }

    /// `meshgate install` as administrator.
    pub(crate) fn install(&self, arguments: &[&str]) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_meshgate"));
        command.arg("install").args(arguments).arg("--kubeconfig").arg(&self.environment.admin.kubeconfig);
        if arguments.contains(&"--apply") {
            let configuration = self.folder.join("installed.yaml");
            if !std::fs::read_to_string(&configuration).unwrap().contains("source:") {
                command.arg("--policies").arg(self.folder.join("policies"));
            }
            command.arg("--config").arg(configuration);
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// A name for loopback stands for the Service: there are no nodes whose kube-proxy would.
    fn replace_service(&self) {
        let services = format!("/api/v1/namespaces/{NAMESPACE}/services");
        assert_eq!(self.environment.admin.delete(&format!("{services}/{SERVICE}")).status, 200);
        let service = json!({
            "apiVersion": "v1", "kind": "Service", "metadata": { "name": SERVICE },
            "spec": { "type": "ExternalName", "externalName": "localhost" },
        });
        self.environment.made(&services, &service);
    }

    /// One more replica, in its Pod's service account; once it is ready, connections go to it as well.
    pub(crate) fn start_replica(&mut self, name: &str) {
        self.start_replica_of(&current(), name);
    }

    /// The same, of that program.
    pub(crate) fn start_replica_of(&mut self, meshgate: &Path, name: &str) {
        let program = self.start_alone_of(meshgate, name);
        let address = program.wait_for(|| Replica::address(&program.said()));
        program.wait_for(|| says(&program.said(), "/readyz").starts_with("HTTP/1.1 200").then_some(()));
        self.replicas.push(Replica { program, address });
        self.balancer.set(self.addresses());
    }

    /// A replica to which no connections go, and that need not be ready.
    pub(crate) fn start_alone(&self, name: &str) -> Program {
        self.start_alone_of(&current(), name)
    }

    fn start_alone_of(&self, meshgate: &Path, name: &str) -> Program {
        // What it keeps on disk is its own.
        let configuration = std::fs::read_to_string(self.folder.join("meshgate.yaml")).unwrap();
        let own = self.folder.join(format!("{name}.yaml"));
        // One looks for what is new; the others are told.
        let interval = if name.starts_with("one") { "20m" } else { "24h" };
        let configuration = configuration.replace("REPLICA", name).replace("INTERVAL", interval);
        std::fs::write(&own, configuration).unwrap();
        let mut command = vec!["env".into(), format!("HOSTNAME={name}").into()];
        command.push(format!("MESHGATE_PACE={}", self.pace).into());
        command.extend([meshgate.into(), "serve".into(), "--config".into()]);
        command.push(own.into());
        command.push("--kubeconfig".into());
        command.push(self.account.kubeconfig.clone().into());
        Program::start(&self.folder, name, command)
    }

    /// Tells the oldest to end, as a kubelet does. It gets new connections until the cluster has learnt of it: EndpointSlices
    /// and kube-proxy follow by and by.
    pub(crate) fn end_oldest(&mut self) -> Program {
        let oldest = self.replicas.remove(0);
        oldest.program.signal("TERM");
        sleep(Duration::from_secs(2));
        self.balancer.set(self.addresses());
        oldest.program
    }

    /// Puts other policies in the place of those that are there, as git-sync does: a link is renamed over another.
    pub(crate) fn replace_policies(&self, number: usize, tree: &Tree) {
        write_tree(&self.folder.join(format!("policies-{number}")), tree);
        let new = self.folder.join("policies-new");
        symlink(format!("policies-{number}"), &new).unwrap();
        std::fs::rename(new, self.folder.join("policies")).unwrap();
    }

    /// Lets connections go to the replicas, or none.
    pub(crate) fn reach(&self, is_reached: bool) {
        self.balancer.set(if is_reached { self.addresses() } else { Vec::new() });
        self.balancer.cut();
    }

    /// What each replica answers at its admin port.
    pub(crate) fn say(&self, path: &str) -> Vec<String> {
        self.replicas.iter().map(|replica| says(&replica.program.said(), path)).collect()
    }

    /// What they have logged.
    pub(crate) fn logged(&self) -> String {
        self.replicas.iter().map(|replica| replica.program.said()).collect()
    }

    fn addresses(&self) -> Vec<SocketAddr> {
        self.replicas.iter().map(|replica| replica.address).collect()
    }

    /// Tells all to end, and ends them when nobody leads any more.
    pub(crate) fn resign_all(&mut self) {
        self.replicas.iter().for_each(|replica| replica.program.signal("TERM"));
        let lease = format!("/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases/{SERVICE}-leader");
        wait_until("nobody leads", || {
            (self.environment.admin.get(&lease).body["spec"]["holderIdentity"] == "").then_some(())
        });
        self.kill_all();
    }

    pub(crate) fn kill_all(&mut self) {
        self.replicas.clear();
        self.balancer.set(Vec::new());
    }

    /// Whether the API server asks about workloads.
    fn is_registered(&self) -> bool {
        ["mutating", "validating"].iter().all(|kind| {
            let path =
                format!("/apis/admissionregistration.k8s.io/v1/{kind}webhookconfigurations/{SERVICE}-{kind}");
            self.environment.admin.get(&path).body["webhooks"][0]["name"] == "workloads.meshgate.io"
        })
    }

    /// Where Pods are made as a dry run.
    pub(crate) fn pods(&self) -> String {
        format!("/api/v1/namespaces/{}/pods?dryRun=All", Self::NAMESPACE)
    }
}

/// What the admin port, which is in the greeting, answers there; nothing where it does not.
pub(crate) fn says(said: &str, path: &str) -> String {
    let place = said.split("http://").nth(1).and_then(|rest| rest.split_whitespace().next());
    let Some(Ok(mut stream)) = place.map(TcpStream::connect) else { return String::new() };
    let mut answer = String::new();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    drop(stream.write_all(request.as_bytes()).and_then(|()| stream.read_to_string(&mut answer)));
    answer
}
