//! A Kubernetes of its own on loopback: etcd, kube-apiserver and kube-controller-manager, with an authority, users and
//! the name under which the API server finds the webhook. There are no nodes, so Pods stay Pending.

mod authority;
mod processes;
mod program;
mod tools;
mod user;

use std::net::TcpListener;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{LazyLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Instant;

use meshgate::config::{NAMESPACE, SERVICE};
use serde_json::json;

pub(crate) use authority::{Authority, Pair};
pub(crate) use processes::AUDITED;
use processes::{start_api_server, start_controllers, start_etcd};
pub(crate) use program::{Program, wait_until};
use tools::Tools;
pub(crate) use user::{Answer, RUNTIME, User};

/// The name of the first API server.
const API_SERVER: &str = "kube-apiserver";

/// An API server, and where it is.
pub(crate) struct ApiServer {
    pub(crate) program: Program,
    server: String,
}

pub(crate) struct Environment {
    pub(crate) directory: PathBuf,
    pub(crate) authority: Authority,
    /// Of the group `system:masters`, whom nothing but admission refuses.
    pub(crate) admin: User,
    /// A cluster-admin by RBAC, of the group `developers`.
    pub(crate) alice: User,
    tools: Tools,
    pub(crate) etcd: Program,
    /// Where etcd is.
    store: String,
    pub(crate) api_server: ApiServer,
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
        let (etcd, store) = start_etcd(tools, &directory);
        let api_server = start_api_server(tools, &directory, &store, API_SERVER, &[]);
        let user = |name: &str, group| {
            user(tools, (&directory, file_name(name)), &authority, &api_server.server, (name, group))
        };
        let admin = user("admin", Some("system:masters"));
        let alice = user("alice", Some("developers"));
        api_server.program.wait_for(|| is_ready(&admin));
        user("system:kube-controller-manager", None);
        let controllers = start_controllers(tools, &directory);
        let default = "/api/v1/namespaces/default/serviceaccounts/default";
        controllers.wait_for(|| (admin.get(default).status == 200).then_some(()));
        let this = Self {
            directory,
            authority,
            admin,
            alice,
            tools: tools.clone(),
            etcd,
            store,
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
        let place = (&*self.directory, file_name(name));
        user(&self.tools, place, &self.authority, &self.api_server.server, (name, group))
    }

    /// One more API server on the same etcd, with flags of its own, and an administrator who asks it.
    pub(crate) fn api_server_beside(&self, name: &str, flags: &[(&str, &str)]) -> (ApiServer, User) {
        let beside = start_api_server(&self.tools, &self.directory, &self.store, name, flags);
        let admin = self.user_of(&beside, "admin", Some("system:masters"));
        beside.program.wait_for(|| is_ready(&admin));
        (beside, admin)
    }

    /// A user with a certificate, who asks that API server.
    pub(crate) fn user_of(&self, api_server: &ApiServer, name: &str, group: Option<&str>) -> User {
        let port = api_server.server.rsplit(':').next().unwrap();
        let place = (&*self.directory, format!("{port}-{}", file_name(name)));
        user(&self.tools, place, &self.authority, &api_server.server, (name, group))
    }

    /// What the first API server has written to its audit log.
    pub(crate) fn audit_log(&self) -> String {
        std::fs::read_to_string(self.directory.join(format!("{API_SERVER}-audit.log"))).unwrap()
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
        self.api_server.program.kill();
        self.api_server.program.start_again();
        self.api_server.program.wait_for(|| is_ready(&self.admin));
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

fn file_name(user: &str) -> String {
    format!("{}.kubeconfig", user.replace(':', "-"))
}

fn user(
    tools: &Tools,
    (directory, file): (&Path, String),
    authority: &Authority,
    server: &str,
    (name, group): (&str, Option<&str>),
) -> User {
    let kubeconfig = directory.join(file);
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
