//! A Kubernetes of its own on loopback: etcd, kube-apiserver and kube-controller-manager, with an authority, users and
//! the name under which the API server finds the webhook. There are no nodes, so Pods stay Pending.

mod authority;
mod program;
mod tools;
mod user;

use std::ffi::OsString;
use std::net::TcpListener;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{LazyLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Instant;

use meshgate::config::{NAMESPACE, SERVICE};
use serde_json::json;

use authority::Authority;
pub(crate) use program::{Program, wait_until};
use tools::Tools;
pub(crate) use user::{Answer, RUNTIME, User};

/// What makes Pods of workloads, cleans up after them, and makes service accounts.
const CONTROLLERS: &str = "deployment-controller,replicaset-controller,replicationcontroller-controller,\
    statefulset-controller,daemonset-controller,job-controller,cronjob-controller,namespace-controller,\
    garbage-collector-controller,serviceaccount-controller,serviceaccount-token-controller,\
    root-ca-certificate-publisher-controller";

pub(crate) struct Environment {
    pub(crate) directory: PathBuf,
    pub(crate) authority: Authority,
    /// Of the group `system:masters`, whom nothing but admission refuses.
    pub(crate) admin: User,
    /// A cluster-admin by RBAC, of the group `developers`.
    pub(crate) alice: User,
    server: String,
    tools: Tools,
    pub(crate) etcd: Program,
    pub(crate) api_server: Program,
    _controllers: Program,
}

static SHARED: LazyLock<Option<Environment>> = LazyLock::new(|| Tools::find().map(|_| Environment::start()));

/// Many tests at once, or one that disturbs what they live by.
static TURNS: RwLock<()> = RwLock::new(());

/// The environment, for as long as a test has it.
pub(crate) struct Turn<G> {
    environment: Of,
    _turn: G,
}

enum Of {
    All(&'static Environment),
    OneTest(Box<Environment>),
}

impl<G> Deref for Turn<G> {
    type Target = Environment;

    fn deref(&self) -> &Environment {
        match &self.environment {
            Of::All(environment) => environment,
            Of::OneTest(environment) => environment,
        }
    }
}

impl Environment {
    /// The one of this process, started by whoever asks first, with others beside. None where there are no programs.
    pub(crate) fn shared() -> Option<Turn<RwLockReadGuard<'static, ()>>> {
        let turn = TURNS.read().unwrap_or_else(PoisonError::into_inner);
        SHARED.as_ref().map(|environment| Turn { environment: Of::All(environment), _turn: turn })
    }

    /// The same with nobody beside.
    pub(crate) fn alone() -> Option<Turn<RwLockWriteGuard<'static, ()>>> {
        let turn = TURNS.write().unwrap_or_else(PoisonError::into_inner);
        SHARED.as_ref().map(|environment| Turn { environment: Of::All(environment), _turn: turn })
    }

    /// Nobody beside, for who brings an environment of his own.
    pub(crate) fn turn() -> Option<RwLockWriteGuard<'static, ()>> {
        Tools::find().map(|_| TURNS.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// One of a test's own, in which nothing is prepared: for what is about a whole cluster.
    pub(crate) fn fresh() -> Option<Turn<RwLockReadGuard<'static, ()>>> {
        let turn = TURNS.read().unwrap_or_else(PoisonError::into_inner);
        let own = Tools::find().map(|_| Box::new(Self::bare()));
        own.map(|environment| Turn { environment: Of::OneTest(environment), _turn: turn })
    }

    fn start() -> Self {
        let this = Self::bare();
        this.prepare();
        this
    }

    /// One with nothing in it but users.
    pub(crate) fn bare() -> Self {
        let tools = &Tools::find().unwrap();
        let start = Instant::now();
        let directory = tempfile::Builder::new().prefix("meshgate-e2e.").tempdir().unwrap().keep();
        program::remove_at_end(&directory);
        let authority = write_keys(&directory);
        let (etcd, address) = start_etcd(tools, &directory);
        let (api_server, server) = start_api_server(tools, &directory, &address);
        let user =
            |name: &str, group: Option<&str>| user(tools, &directory, &authority, &server, name, group);
        let admin = user("admin", Some("system:masters"));
        let alice = user("alice", Some("developers"));
        api_server.wait_for(|| is_ready(&admin));
        user("system:kube-controller-manager", None);
        let controllers = start_controllers(tools, &directory);
        let default = "/api/v1/namespaces/default/serviceaccounts/default";
        controllers.wait_for(|| (admin.get(default).status == 200).then_some(()));
        let this = Self {
            directory,
            authority,
            admin,
            alice,
            server,
            tools: tools.clone(),
            etcd,
            api_server,
            _controllers: controllers,
        };
        this.bind("developers", "cluster-admin", "Group", "developers");
        println!("kube-apiserver and its controllers: ready in {:.1} s", start.elapsed().as_secs_f32());
        this
    }

    /// What a test finds: the way to the webhook. The Service is a name for loopback, so that the API
    /// server connects as it does in a cluster: HTTP/1.1, and the Service's name for TLS (cluster.md, section 11).
    fn prepare(&self) {
        self.namespace(NAMESPACE, &json!({}));
        let service = json!({
            "apiVersion": "v1", "kind": "Service", "metadata": { "name": SERVICE },
            "spec": { "type": "ExternalName", "externalName": "localhost" },
        });
        self.made(&format!("/api/v1/namespaces/{NAMESPACE}/services"), &service);
    }

    /// Binds a ClusterRole to a subject of a kind.
    pub(crate) fn bind(&self, name: &str, role: &str, kind: &str, subject: &str) {
        let group = "rbac.authorization.k8s.io";
        let binding = json!({
            "apiVersion": format!("{group}/v1"), "kind": "ClusterRoleBinding", "metadata": { "name": name },
            "subjects": [{ "apiGroup": group, "kind": kind, "name": subject }],
            "roleRef": { "apiGroup": group, "kind": "ClusterRole", "name": role },
        });
        self.made(&format!("/apis/{group}/v1/clusterrolebindings"), &binding);
    }

    /// A user with a certificate.
    pub(crate) fn user(&self, name: &str, group: Option<&str>) -> User {
        user(&self.tools, &self.directory, &self.authority, &self.server, name, group)
    }

    /// A new namespace in which Pods can be made.
    pub(crate) fn namespace(&self, name: &str, labels: &serde_json::Value) {
        let metadata = json!({ "name": name, "labels": labels });
        let object = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": metadata });
        self.made("/api/v1/namespaces", &object);
        let account = format!("/api/v1/namespaces/{name}/serviceaccounts/default");
        wait_until("a service account", || (self.admin.get(&account).status == 200).then_some(()));
    }

    /// Ends the API server and starts it again.
    pub(crate) fn restart_api_server(&self) {
        self.api_server.kill();
        self.api_server.start_again();
        self.api_server.wait_for(|| is_ready(&self.admin));
    }

    /// Makes an object as administrator.
    pub(crate) fn made(&self, path: &str, object: &serde_json::Value) -> serde_json::Value {
        let answer = self.admin.create(path, object);
        assert_eq!(answer.status, 201, "{path}: {}", answer.body);
        answer.body
    }

    /// A new directory below that of the environment.
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        let path = self.directory.join(name);
        std::fs::create_dir(&path).unwrap();
        path
    }
}

fn is_ready(user: &User) -> Option<()> {
    let answer = RUNTIME.block_on(user.ask(http::Method::GET, "/readyz", "", None)).ok()?;
    (answer.status == 200).then_some(())
}

fn user(
    tools: &Tools,
    directory: &Path,
    authority: &Authority,
    server: &str,
    name: &str,
    group: Option<&str>,
) -> User {
    let kubeconfig = directory.join(format!("{}.kubeconfig", name.replace(':', "-")));
    user::write_kubeconfig(&kubeconfig, server, &authority.pem, &authority.user(name, group));
    User::new(kubeconfig, tools.path("kubectl"))
}

fn write_keys(directory: &Path) -> Authority {
    let authority = Authority::new("e2e");
    let write = |name: &str, text: &str| std::fs::write(directory.join(name), text).unwrap();
    write("ca.crt", &authority.pem);
    let server = authority.server(&["127.0.0.1", "localhost", "kubernetes.default.svc"]);
    write("apiserver.crt", &server.certificate);
    write("apiserver.key", &server.key);
    let tokens = rcgen::KeyPair::generate().unwrap();
    write("tokens.key", &tokens.serialize_pem());
    write("tokens.pub", &tokens.public_key_pem());
    authority
}

fn start_etcd(tools: &Tools, directory: &Path) -> (Program, String) {
    let [client, peer] = [0; 2].map(|_| format!("http://127.0.0.1:{}", free_port()));
    let mut command = vec![tools.path("etcd").into_os_string()];
    let data = directory.join("etcd").display().to_string();
    let initial = format!("e2e={peer}");
    // Nothing of it is to outlive us, so nothing has to reach the disk; one member need not wait for votes.
    for (flag, value) in [
        ("name", "e2e"),
        ("data-dir", &data),
        ("unsafe-no-fsync", "true"),
        ("listen-client-urls", &client),
        ("advertise-client-urls", &client),
        ("listen-peer-urls", &peer),
        ("initial-advertise-peer-urls", &peer),
        ("initial-cluster", &initial),
        ("heartbeat-interval", "20"),
        ("election-timeout", "200"),
        ("log-level", "warn"),
    ] {
        command.push(format!("--{flag}={value}").into());
    }
    (Program::start(directory, "etcd", command), client)
}

fn start_api_server(tools: &Tools, directory: &Path, etcd: &str) -> (Program, String) {
    let port = free_port();
    let mut command = vec![tools.path("kube-apiserver").into_os_string()];
    let file = |name: &str| directory.join(name).display().to_string();
    std::fs::write(file("audit.json"), audit_policy().to_string()).unwrap();
    for (flag, value) in [
        ("etcd-servers", etcd),
        ("bind-address", "127.0.0.1"),
        ("secure-port", &port.to_string()),
        ("advertise-address", "127.0.0.1"),
        ("endpoint-reconciler-type", "none"),
        ("tls-cert-file", &file("apiserver.crt")),
        ("tls-private-key-file", &file("apiserver.key")),
        ("client-ca-file", &file("ca.crt")),
        ("anonymous-auth", "false"),
        ("authorization-mode", "RBAC"),
        ("service-account-issuer", "https://e2e.invalid"),
        ("service-account-key-file", &file("tokens.pub")),
        ("service-account-signing-key-file", &file("tokens.key")),
        ("service-cluster-ip-range", "10.96.0.0/24"),
        // A privileged Pod is to be refused by a policy, not by validation.
        ("allow-privileged", "true"),
        ("audit-policy-file", &file("audit.json")),
        ("audit-log-path", &file("audit.log")),
    ] {
        command.push(format!("--{flag}={value}").into());
    }
    let program = Program::start(directory, "kube-apiserver", command);
    (program, format!("https://127.0.0.1:{port}"))
}

/// Of what an installation asks; of reviews of its rights also the content.
fn audit_policy() -> serde_json::Value {
    let users = [format!("system:serviceaccount:{NAMESPACE}:{SERVICE}")];
    let reviews = [json!({ "group": "authorization.k8s.io", "resources": ["selfsubjectaccessreviews"] })];
    json!({
        "apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"],
        "rules": [
            { "level": "Request", "users": users, "resources": reviews },
            { "level": "Metadata", "users": users },
            { "level": "None" },
        ],
    })
}

fn start_controllers(tools: &Tools, directory: &Path) -> Program {
    let file = |name: &str| directory.join(name).display().to_string();
    let kubeconfig = file("system-kube-controller-manager.kubeconfig");
    let mut command: Vec<OsString> = vec![tools.path("kube-controller-manager").into_os_string()];
    for (flag, value) in [
        ("kubeconfig", kubeconfig.as_str()),
        ("authentication-kubeconfig", &kubeconfig),
        ("authorization-kubeconfig", &kubeconfig),
        // Each controller is the service account that reviews show in a real cluster.
        ("use-service-account-credentials", "true"),
        ("service-account-private-key-file", &file("tokens.key")),
        ("root-ca-file", &file("ca.crt")),
        ("leader-elect", "false"),
        ("bind-address", "127.0.0.1"),
        ("secure-port", "0"),
        ("controllers", CONTROLLERS),
    ] {
        command.push(format!("--{flag}={value}").into());
    }
    Program::start(directory, "kube-controller-manager", command)
}

/// A port that nobody listens on, below those that the kernel hands out by itself.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Two runs at once begin at different places.
    let start = u16::try_from(std::process::id() % 11_000).unwrap();
    loop {
        let port = 20_000 + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
