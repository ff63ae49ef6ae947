//! meshgate as an installation runs it, and what makes the API server call it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use meshgate::config::{NAMESPACE, SERVICE};
use serde_json::{Value, json};

use crate::environment::{Environment, Program};

/// What the cluster lives by, whom no rule is to reach (docs/operations.md).
const NEVER: &str = "!(request.resource.group in ['coordination.k8s.io','authentication.k8s.io','authorization.k8s.io',\
    'events.k8s.io','certificates.k8s.io','flowcontrol.apiserver.k8s.io','apiregistration.k8s.io'] || \
    (request.resource.group == '' && request.resource.resource in ['events','nodes','bindings','endpoints']) || \
    (has(request.subResource) && request.subResource in ['status','binding','token','finalize']))";

/// Deletions by those who clean up.
const CONTROLLERS: &str = "!(request.operation == 'DELETE' && request.userInfo.username in \
    ['system:serviceaccount:kube-system:generic-garbage-collector',\
    'system:serviceaccount:kube-system:namespace-controller','system:kube-controller-manager'])";

const CONFIGURATIONS: &str = "/apis/admissionregistration.k8s.io/v1";

/// meshgate with policies of a test, called for what is in one namespace.
pub(crate) struct Webhook<'a> {
    environment: &'a Environment,
    pub(crate) namespace: String,
    pub(crate) folder: PathBuf,
    pub(crate) meshgate: Program,
    pub(crate) address: SocketAddr,
}

impl<'a> Webhook<'a> {
    /// Makes the namespace, starts meshgate with `policies` and waits until the API server asks it.
    pub(crate) fn start(
        environment: &'a Environment,
        namespace: &str,
        labels: &Value,
        policies: &[(&str, &str)],
    ) -> Self {
        let folder = environment.folder(namespace);
        environment.namespace(namespace, labels);
        let tree = folder.join("policies");
        write_tree(&tree, policies);
        let policies = if policies.is_empty() { "embedded/starter".into() } else { tree.into_os_string() };
        let pair = environment.authority.server(&[&format!("{SERVICE}.{NAMESPACE}.svc")]);
        std::fs::write(folder.join("tls.crt"), pair.certificate).unwrap();
        std::fs::write(folder.join("tls.key"), pair.key).unwrap();
        let file = |name: &str| folder.join(name).into_os_string();
        let mut command = vec![env!("CARGO_BIN_EXE_meshgate").into(), "serve".into()];
        for (flag, value) in [
            ("--listen", "127.0.0.1:0".into()),
            ("--kubeconfig", reader(environment).into_os_string()),
            ("--tls-cert-file", file("tls.crt")),
            ("--tls-private-key-file", file("tls.key")),
            ("--policies", policies),
        ] {
            command.extend([flag.into(), value]);
        }
        let meshgate = Program::start(&folder, "meshgate", command);
        let address = meshgate.wait_for(|| address(&meshgate.said()));
        let this = Self { environment, namespace: namespace.to_owned(), folder, meshgate, address };
        this.register();
        this
    }

    /// Writes both configurations, each once the other is in force.
    fn register(&self) {
        for (kind, phase, path) in [("mutating", "Mutate", "mutate"), ("validating", "Validate", "validate")]
        {
            let collection = format!("{CONFIGURATIONS}/{kind}webhookconfigurations");
            self.environment.made(&collection, &self.configuration(kind, path));
            let asked = format!("\"phase\":\"{phase}\"");
            let probe = pod("probe", &json!({}));
            self.meshgate.wait_for(|| {
                self.environment.admin.create(&self.path("pods?dryRun=All"), &probe);
                self.meshgate.said().contains(&asked).then_some(())
            });
        }
    }

    fn configuration(&self, kind: &str, path: &str) -> Value {
        let mut webhook = json!({
            "name": "workloads.meshgate.io",
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
            "matchPolicy": "Equivalent",
            "failurePolicy": "Fail",
            "timeoutSeconds": 10,
            "clientConfig": {
                "service": {
                    "namespace": NAMESPACE, "name": SERVICE, "path": format!("/{path}"),
                    "port": self.address.port(),
                },
                "caBundle": STANDARD.encode(&self.environment.authority.pem),
            },
            "rules": [{
                "apiGroups": ["*"], "apiVersions": ["*"], "resources": ["*/*"], "operations": ["*"],
                "scope": "Namespaced",
            }],
            "namespaceSelector": { "matchExpressions": [{
                "key": "kubernetes.io/metadata.name", "operator": "In", "values": [self.namespace],
            }] },
            "matchConditions": [
                { "name": "never", "expression": NEVER },
                { "name": "controllers", "expression": CONTROLLERS },
            ],
        });
        if kind == "mutating" {
            webhook["reinvocationPolicy"] = json!("IfNeeded");
        }
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": if kind == "mutating" { "MutatingWebhookConfiguration" } else { "ValidatingWebhookConfiguration" },
            "metadata": { "name": format!("meshgate-{}", self.namespace) },
            "webhooks": [webhook],
        })
    }

    /// The path of a resource of the namespace: `pods/web`, or with the API as `/apis/apps/v1 deployments`.
    pub(crate) fn path(&self, resource: &str) -> String {
        let (api, resource) = resource.split_once(' ').unwrap_or(("/api/v1", resource));
        format!("{api}/namespaces/{}/{resource}", self.namespace)
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

pub(crate) fn write_tree(tree: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = tree.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

/// The address in the greeting: the first that is said.
fn address(said: &str) -> Option<SocketAddr> {
    said.split("https://").nth(1)?.split(',').next()?.parse().ok()
}

/// meshgate to the API server: the service account of an installation, which may read namespaces.
fn reader(environment: &Environment) -> PathBuf {
    static READER: OnceLock<PathBuf> = OnceLock::new();
    READER.get_or_init(|| {
        let rbac = "/apis/rbac.authorization.k8s.io/v1";
        let name = format!("system:serviceaccount:{NAMESPACE}:{SERVICE}");
        let role = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": { "name": SERVICE },
            "rules": [{ "apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"] }],
        });
        environment.made(&format!("{rbac}/clusterroles"), &role);
        environment.bind(SERVICE, SERVICE, "User", &name);
        environment.user(&name, None).kubeconfig
    })
    .clone()
}
