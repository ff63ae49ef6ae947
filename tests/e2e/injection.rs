//! Sidecars beside the real API server: of a mesh whose configuration lies in the cluster, put into the Pods of a Deployment,
//! and beside a stand-in for the mesh's own webhook. The configuration is that of Istio's own cases.

use std::path::Path;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use meshgate::config::{NAMESPACE, SERVICE};
use meshgate::policy::Tree;
use meshgate::yaml;
use serde_json::{Value, json};

use crate::balancer::Balancer;
use crate::environment::{Environment, Program, wait_until};
use crate::installation::Installed;
use crate::istio::{config_maps, corpus};
use crate::webhook::{Replica, Webhook, policies};

const BUNDLE: &str = "apiVersion: meshgate.io/v1alpha1\nkind: Bundle\nmetadata: {name: e2e}\nspec: {includes: [injection, pod_security]}\n";

const MERGE: &str = "application/merge-patch+json";

fn tree(mesh: &str) -> Tree {
    let bound = [
        ("injection/follow_mesh", "{}"),
        ("injection/verify_injected", "{}"),
        ("pod_security/standard", "{level: restricted}"),
    ];
    let bindings = bound.map(|(policy, parameters)| {
        format!(
            "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {{name: {}}}\nspec: {{policy: {policy}, enforcement: deny, parameters: {parameters}}}\n",
            policy.replace(['/', '_'], "-")
        )
    });
    let settings = format!(
        "apiVersion: meshgate.io/v1alpha1\nkind: MeshSettings\nmetadata: {{name: m}}\nspec:\n  meshes:\n  - mesh: istio\n    revisions:\n    - revision: default\n      namespace: {mesh}\n      webhooks: [{{name: namespace.sidecar-injector.istio.io, namespaceSelector: {{matchLabels: {{istio-injection: enabled}}}}}}]\n"
    );
    policies(&[
        ("bundle.yaml", BUNDLE),
        ("bindings.yaml", &bindings.join("---\n")),
        ("meshes.yaml", &settings),
    ])
}

/// The namespace of a mesh with its ConfigMaps, and the rights that `meshgate install` gives for them.
fn installed(environment: &Environment, root: &Path, mesh: &str, folder: &Path, tree: &Tree) {
    environment.namespace(mesh, &json!({}));
    for map in config_maps(root, true, mesh) {
        environment.made(&format!("/api/v1/namespaces/{mesh}/configmaps"), &map);
    }
    crate::webhook::write_tree(folder, tree);
    let output = Command::new(env!("CARGO_BIN_EXE_meshgate")).arg("install").arg("-p").arg(folder).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rbac = "/apis/rbac.authorization.k8s.io/v1";
    for object in yaml::read(&output.stdout).into_iter().map(|one| one.unwrap().value) {
        let (kind, is_there) = (object["kind"].as_str().unwrap(), object["metadata"]["namespace"] == *mesh);
        match kind {
            "Role" => {
                drop(is_there.then(|| environment.made(&format!("{rbac}/namespaces/{mesh}/roles"), &object)))
            }
            "RoleBinding" if is_there => {
                let name = format!("system:serviceaccount:{NAMESPACE}:{SERVICE}");
                let mut object = object;
                object["subjects"] =
                    json!([{ "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name }]);
                drop(environment.made(&format!("{rbac}/namespaces/{mesh}/rolebindings"), &object));
            }
            "ClusterRole" => {
                let mut object = object;
                object["metadata"] = json!({ "name": mesh });
                environment.made(&format!("{rbac}/clusterroles"), &object);
                let name = format!("system:serviceaccount:{NAMESPACE}:{SERVICE}");
                environment.bind(mesh, mesh, "User", &name);
            }
            _ => {}
        }
    }
}

/// A Pod's spec that `restricted` lets in.
fn spec() -> Value {
    json!({
        "securityContext": { "runAsNonRoot": true, "seccompProfile": { "type": "RuntimeDefault" } },
        "containers": [{
            "name": "web", "image": "registry.example/web:1",
            "securityContext": { "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"] } },
        }],
    })
}

fn pod(name: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name }, "spec": spec() })
}

fn names(pod: &Value) -> Vec<&str> {
    let lists = ["initContainers", "containers"].into_iter().filter_map(|list| pod["spec"][list].as_array());
    lists.flatten().map(|one| one["name"].as_str().unwrap()).collect()
}

fn image(pod: &Value) -> &str {
    pod["spec"]["initContainers"][1]["image"].as_str().unwrap_or_default()
}

#[test]
fn the_pods_of_a_deployment_get_their_sidecar() {
    let (Some(root), Some(environment)) = (corpus(), Environment::shared()) else { return };
    let mesh = "injection-mesh";
    let tree = tree(mesh);
    installed(&environment, &root, mesh, &environment.folder("injection-rights"), &tree);
    let webhook = Webhook::start(&environment, "injection", &json!({ "istio-injection": "enabled" }), &tree);
    // The API server's own Pod Security sees the Pod with its sidecar, too.
    let restricted =
        json!({ "metadata": { "labels": { "pod-security.kubernetes.io/enforce": "restricted" } } });
    let namespace = format!("/api/v1/namespaces/{}", webhook.namespace);
    assert_eq!(environment.admin.request(&Method::PATCH, &namespace, MERGE, &restricted).status, 200);
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web" },
        "spec": {
            "replicas": 1, "selector": { "matchLabels": { "app": "web" } },
            "template": { "metadata": { "labels": { "app": "web" } }, "spec": spec() },
        },
    });
    let made = environment.alice.create(&webhook.path("/apis/apps/v1 deployments"), &deployment);
    assert_eq!(made.status, 201, "{}", made.body);
    let pod_of =
        || environment.admin.get(&webhook.path("pods?labelSelector=app=web")).body["items"][0].clone();
    let first = wait_until("a Pod", || Some(pod_of()).filter(Value::is_object));
    assert_eq!(names(&first), ["istio-validation", "istio-proxy", "web"]);
    assert!(first["metadata"]["annotations"]["meshgate.io/proof"].is_string(), "{first}");
    // Another configuration: new Pods have it, and what was rendered before is still known.
    let path = format!("/api/v1/namespaces/{mesh}/configmaps/istio-sidecar-injector");
    let values = environment.admin.get(&path).body["data"]["values"].as_str().unwrap().to_owned();
    let mut values: Value = serde_json::from_str(&values).unwrap();
    values["global"]["tag"] = json!("another");
    let change = json!({ "data": { "values": values.to_string() } });
    assert_eq!(environment.admin.request(&Method::PATCH, &path, MERGE, &change).status, 200);
    let name = first["metadata"]["name"].as_str().unwrap();
    wait_until("the new configuration", || {
        let made = environment.alice.create(&webhook.path("pods?dryRun=All"), &pod("direct"));
        image(&made.body).ends_with(":another").then_some(())
    });
    let label = json!({ "metadata": { "labels": { "more": "a" } } });
    let updated =
        environment.alice.request(&Method::PATCH, &webhook.path(&format!("pods/{name}")), MERGE, &label);
    assert_eq!((updated.status, image(&updated.body)), (200, image(&first)), "{}", updated.body);
    // What claims a sidecar that is not the mesh's gets nowhere.
    let mut forged = pod("forged");
    forged["metadata"]["annotations"] = first["metadata"]["annotations"].clone();
    forged["spec"]["initContainers"] = first["spec"]["initContainers"].clone();
    forged["spec"]["volumes"] = first["spec"]["volumes"].clone();
    forged["spec"]["initContainers"][1]["image"] = json!("registry.example/evil:1");
    let refused = environment.alice.create(&webhook.path("pods?dryRun=All"), &forged);
    assert_eq!(refused.status, 403, "{}", refused.body);
}

/// A stand-in for istiod: meshgate beside files, with a tag of its own.
struct StandIn {
    _program: Program,
    balancer: Balancer,
}

impl StandIn {
    fn start(environment: &Environment, root: &Path, beside: &Webhook<'_>, tag: Option<&str>) -> Self {
        let name = format!("istiod-{}", tag.unwrap_or("same"));
        let folder = environment.folder(&name);
        crate::webhook::write_tree(&folder.join("policies"), &tree("istio-system"));
        std::fs::create_dir_all(folder.join("facts")).unwrap();
        let mut facts = config_maps(root, true, "istio-system");
        if let Some(tag) = tag {
            let values = facts[0]["data"]["values"].as_str().unwrap();
            let mut values: Value = serde_json::from_str(values).unwrap();
            values["global"]["tag"] = json!(tag);
            facts[0]["data"]["values"] = json!(values.to_string());
        }
        let labels = json!({ "istio-injection": "enabled" });
        facts.push(json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": beside.namespace, "labels": labels } }));
        for (number, fact) in facts.iter().enumerate() {
            std::fs::write(folder.join(format!("facts/{number}.json")), fact.to_string()).unwrap();
        }
        let command = vec![
            env!("CARGO_BIN_EXE_meshgate").into(),
            "serve".into(),
            "--plain".into(),
            "--listen".into(),
            "127.0.0.1:0".into(),
            "--tls-cert-file".into(),
            beside.folder.join("tls.crt").into_os_string(),
            "--tls-private-key-file".into(),
            beside.folder.join("tls.key").into_os_string(),
            "--policies".into(),
            folder.join("policies").into_os_string(),
            "--facts".into(),
            folder.join("facts").into_os_string(),
        ];
        let program = Program::start(&folder, &name, command);
        let address = program.wait_for(|| Replica::address(&program.said()));
        Self { _program: program, balancer: Balancer::start(vec![address]) }
    }

    /// Its webhook, as Istio's charts call it.
    fn webhook(&self, environment: &Environment, namespace: &str) -> Value {
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
            "metadata": { "name": format!("istio-sidecar-injector-{namespace}"), "labels": { "app": "sidecar-injector" } },
            "webhooks": [{
                "name": "namespace.sidecar-injector.istio.io", "sideEffects": "None",
                "admissionReviewVersions": ["v1"], "failurePolicy": "Fail",
                "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": namespace } },
                "rules": [{ "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"] }],
                "clientConfig": {
                    "caBundle": STANDARD.encode(&environment.authority.pem),
                    "service": { "name": SERVICE, "namespace": NAMESPACE, "path": "/mutate", "port": self.balancer.port },
                },
            }],
        })
    }
}

#[test]
fn where_the_mesh_injects_too_that_is_said_and_what_it_injects_is_compared() {
    let (Some(root), Some(environment)) = (corpus(), Environment::shared()) else { return };
    let mesh = "injection-beside-mesh";
    let tree = tree(mesh);
    installed(&environment, &root, mesh, &environment.folder("injection-beside-rights"), &tree);
    let labels = json!({ "istio-injection": "enabled" });
    let webhook = Webhook::start(&environment, "injection-beside", &labels, &tree);
    let configurations = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations";
    let create = || environment.alice.create(&webhook.path("pods?dryRun=All"), &pod("web"));
    let same = StandIn::start(&environment, &root, &webhook, None);
    let made = same.webhook(&environment, &webhook.namespace);
    let path = format!("{configurations}/{}", made["metadata"]["name"].as_str().unwrap());
    environment.made(configurations, &made);
    let warning =
        "[injection/follow_mesh] the webhook namespace.sidecar-injector.istio.io of istio injects, too";
    // The API server asks it a moment after its configuration is seen here, which is told with the warning.
    let answer = wait_until("the warning, and the mesh's sidecar", || {
        let answer = create();
        let is_told = answer.warnings.iter().any(|one| one.starts_with(warning));
        (is_told && answer.status == 201).then_some(answer)
    });
    assert_eq!(names(&answer.body), ["istio-validation", "istio-proxy", "web"]);
    let other = StandIn::start(&environment, &root, &webhook, Some("other"));
    let change = other.webhook(&environment, &webhook.namespace);
    assert_eq!(environment.admin.request(&Method::PATCH, &path, MERGE, &change).status, 200);
    let refused = wait_until("the other sidecar", || Some(create()).filter(|answer| answer.status == 403));
    let text = refused.message();
    assert!(text.contains("[injection/verify_injected] the sidecar is not what istio would inject: spec.initContainers[istio-"), "{text}");
    assert!(text.contains(":other\", the mesh would have"), "{text}");
    drop(environment.admin.delete(&path));
}

#[test]
fn all_replicas_share_the_keys_of_proofs() {
    Installed::with(|installed| {
        let path = format!("/api/v1/namespaces/{NAMESPACE}/secrets/meshgate-proof");
        let admin = &installed.environment.admin;
        let keys = || {
            let secret = admin.get(&path).body;
            let data = secret["data"].as_object().cloned().filter(|data| !data.is_empty())?;
            Some(Vec::from_iter(data.into_iter().map(|(id, key)| (id, key.as_str().unwrap().to_owned()))))
        };
        let first = wait_until("a key", keys);
        assert_eq!(first.len(), 1);
        assert_eq!(STANDARD.decode(&first[0].1).unwrap().len(), 32);
        assert_eq!(admin.delete(&path).status, 200);
        let second = wait_until("another key", || keys().filter(|second| *second != first));
        assert_eq!(second.len(), 1);
    });
}
