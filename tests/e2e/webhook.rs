//! meshgate as an installation runs it, and what makes the API server call it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use meshgate::config::{Configuration, NAMESPACE, SERVICE};
use meshgate::policy::{Draft, Tree};
use meshgate::registration::{self, CaBundle, Coverage, Wanted};
use meshgate::{engine, source};
use serde_json::{Value, json};

use crate::balancer::Balancer;
use crate::environment::{Environment, Program};

const CONFIGURATIONS: &str = "/apis/admissionregistration.k8s.io/v1";

/// meshgate with policies of a test, called for what is in one namespace.
pub(crate) struct Webhook<'a> {
    environment: &'a Environment,
    pub(crate) namespace: String,
    pub(crate) folder: PathBuf,
    pub(crate) replicas: Vec<Replica>,
    pub(crate) balancer: Balancer,
}

/// A process of meshgate.
pub(crate) struct Replica {
    pub(crate) program: Program,
    pub(crate) address: SocketAddr,
}

impl<'a> Webhook<'a> {
    /// Makes the namespace, starts meshgate with these policies and waits until the API server asks it.
    pub(crate) fn start(environment: &'a Environment, namespace: &str, labels: &Value, tree: &Tree) -> Self {
        Self::configured(environment, namespace, labels, tree, None)
    }

    /// The same with a configuration.
    pub(crate) fn configured(
        environment: &'a Environment,
        namespace: &str,
        labels: &Value,
        tree: &Tree,
        configuration: Option<&str>,
    ) -> Self {
        let folder = environment.folder(namespace);
        if let Some(text) = configuration {
            std::fs::write(folder.join("meshgate.yaml"), text).unwrap();
        }
        environment.namespace(namespace, labels);
        write_tree(&folder.join("policies"), tree);
        let pair = environment.authority.server(&[&format!("{SERVICE}.{NAMESPACE}.svc")]);
        std::fs::write(folder.join("tls.crt"), pair.certificate).unwrap();
        std::fs::write(folder.join("tls.key"), pair.key).unwrap();
        let replica = Replica::start(environment, &folder, "meshgate");
        let balancer = Balancer::start(vec![replica.address]);
        let namespace = namespace.to_owned();
        let this = Self { environment, namespace, folder, replicas: vec![replica], balancer };
        this.register(tree);
        this
    }

    /// A replica to which no connections go yet.
    pub(crate) fn replica(&self, name: &str) -> Replica {
        Replica::start(self.environment, &self.folder, name)
    }

    /// Adds replicas, to which connections go as well.
    pub(crate) fn start_replicas(&mut self, count: usize) {
        for _ in 0..count {
            let name = format!("meshgate-{}", self.replicas.len());
            self.replicas.push(self.replica(&name));
        }
        self.balancer.set(self.replicas.iter().map(|replica| replica.address).collect());
    }

    /// Writes both configurations and waits until each is in force.
    fn register(&self, tree: &Tree) {
        let [mutating, validating] = self.configurations(tree);
        for (kind, phase, configuration) in
            [("mutating", "Mutate", mutating), ("validating", "Validate", validating)]
        {
            self.environment.made(&format!("{CONFIGURATIONS}/{kind}webhookconfigurations"), &configuration);
            // Without policies that change anything nothing but Namespaces is sent to `/mutate`.
            if !configuration["webhooks"][0]["rules"].to_string().contains("pods") {
                continue;
            }
            let asked = format!("\"phase\":\"{phase}\"");
            let probe = pod("probe", &json!({}));
            let program = &self.replicas[0].program;
            program.wait_for(|| {
                self.environment.admin.create(&self.path("pods?dryRun=All"), &probe);
                program.said().contains(&asked).then_some(())
            });
        }
    }

    /// What meshgate would register for the policies, but for what is of this namespace alone: other tests have
    /// installations of their own.
    fn configurations(&self, tree: &Tree) -> [Value; 2] {
        let bundle = engine::compile(Draft::read(tree, &source::catalogue()));
        let needs = Coverage::of(&bundle.unwrap_or_else(|faults| panic!("{faults}")));
        let configuration = Configuration { service_port: self.balancer.port, ..Configuration::default() };
        let ca_bundle = CaBundle::read([self.environment.authority.pem.as_str()]).unwrap();
        let wanted = Wanted {
            needs: Some(&needs),
            configuration: &configuration,
            ca_bundle: &ca_bundle,
            guard_stands: false,
        };
        registration::desired(&wanted).map(|mut configuration| {
            configuration["metadata"]["name"] = json!(format!("meshgate-{}", self.namespace));
            let entries = configuration["webhooks"].as_array_mut().unwrap();
            entries.retain(|entry| entry["name"] != "own.meshgate.io");
            for entry in entries {
                let namespace = &self.namespace;
                let expression = format!(
                    "has(request.namespace) && request.namespace == '{namespace}' || has(request.name) && request.name == '{namespace}'"
                );
                let here = json!({ "name": "here", "expression": expression });
                entry["matchConditions"].as_array_mut().unwrap().push(here);
            }
            configuration
        })
    }

    /// The path of a resource of the namespace: `pods/web`, or with the API as `/apis/apps/v1 deployments`.
    pub(crate) fn path(&self, resource: &str) -> String {
        let (api, resource) = resource.split_once(' ').unwrap_or(("/api/v1", resource));
        format!("{api}/namespaces/{}/{resource}", self.namespace)
    }
}

impl Replica {
    /// With the certificate and the policies of the folder.
    pub(crate) fn start(environment: &Environment, folder: &Path, name: &str) -> Self {
        let file = |name: &str| folder.join(name).into_os_string();
        let mut command = vec![env!("CARGO_BIN_EXE_meshgate").into(), "serve".into(), "--plain".into()];
        for (flag, value) in [
            ("--listen", "127.0.0.1:0".into()),
            ("--kubeconfig", reader(environment).into_os_string()),
            ("--tls-cert-file", file("tls.crt")),
            ("--tls-private-key-file", file("tls.key")),
            ("--policies", file("policies")),
        ] {
            command.extend([flag.into(), value]);
        }
        if folder.join("meshgate.yaml").is_file() {
            command.extend(["--config".into(), file("meshgate.yaml")]);
        }
        let program = Program::start(folder, name, command);
        let address = program.wait_for(|| Self::address(&program.said()));
        Self { program, address }
    }

    /// The address in the greeting: the first that is said.
    pub(crate) fn address(said: &str) -> Option<SocketAddr> {
        said.split("https://").nth(1)?.split(',').next()?.parse().ok()
    }
}

impl Drop for Webhook<'_> {
    /// Other tests' requests must not wait for a meshgate that is gone.
    fn drop(&mut self) {
        for kind in ["mutating", "validating"] {
            let path = format!("{CONFIGURATIONS}/{kind}webhookconfigurations/meshgate-{}", self.namespace);
            drop(self.environment.admin.delete(&path));
        }
    }
}

/// A Pod of one container with this `securityContext`.
pub(crate) fn pod(name: &str, context: &Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name },
        "spec": { "containers": [{
            "name": "app", "image": "registry.example/app:1", "securityContext": context,
        }] },
    })
}

/// The policies that are in force where no others are named.
pub(crate) fn starter() -> Tree {
    source::profile("starter").unwrap()
}

/// The same, but that they deny, workloads as well as Pods, whatever a namespace says: then all that is found is in an
/// answer.
pub(crate) fn strict() -> Tree {
    let mut tree = starter();
    let bindings = tree.iter().find(|(path, _)| *path == "bindings.yaml").unwrap().1;
    let bindings = String::from_utf8(bindings.to_vec()).unwrap();
    tree.insert(
        "bindings.yaml",
        bindings.replace("enforcement: namespace", "enforcement: deny\n  templates: deny"),
    );
    tree
}

/// Policies of a test's own.
pub(crate) fn policies(files: &[(&str, &str)]) -> Tree {
    let mut tree = Tree::default();
    files.iter().for_each(|(path, text)| tree.insert(*path, *text));
    tree
}

pub(crate) fn write_tree(directory: &Path, tree: &Tree) {
    for (path, content) in tree.iter() {
        let path = directory.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
}

/// meshgate to the API server: the service account of an installation, which may read namespaces.
fn reader(environment: &Environment) -> PathBuf {
    static READER: OnceLock<PathBuf> = OnceLock::new();
    READER.get_or_init(|| {
        let rbac = "/apis/rbac.authorization.k8s.io/v1";
        let name = format!("system:serviceaccount:{NAMESPACE}:{SERVICE}");
        let role = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": { "name": SERVICE },
            "rules": [{ "apiGroups": [""], "resources": ["namespaces"], "verbs": ["get", "list", "watch"] }],
        });
        environment.made(&format!("{rbac}/clusterroles"), &role);
        environment.bind(SERVICE, SERVICE, "User", &name);
        environment.user(&name, None).kubeconfig
    })
    .clone()
}
