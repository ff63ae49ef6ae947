//! A Pod on its way through a server: it gets its sidecar, is judged with it, and every change on the way is seen. The mesh
//! is configured as Istio's own cases are, where they are at hand.

use std::path::Path;

use meshgate::patch::Patch;
use serde_json::{Value, json};

use crate::istio::{config_maps, corpus};
use crate::process::Process;

const BUNDLE: &str = "apiVersion: meshgate.io/v1alpha1\nkind: Bundle\nmetadata: {name: b}\nspec: {includes: [images, injection, pod_security]}\n";

/// What is bound, and with which parameters.
const BOUND: [(&str, &str); 5] = [
    ("injection/follow_mesh", "{}"),
    ("injection/verify_injected", "{}"),
    ("injection/pod_security_level", "{}"),
    ("pod_security/standard", "{level: restricted}"),
    ("images/digest_required", "{}"),
];

fn settings(mode: &str) -> String {
    format!(
        "apiVersion: meshgate.io/v1alpha1\nkind: MeshSettings\nmetadata: {{name: m}}\nspec:\n  meshes:\n  - mesh: istio\n    revisions:\n    - revision: default\n      mode: {mode}\n      namespace: istio-system\n      webhooks: [{{name: namespace.sidecar-injector.istio.io, namespaceSelector: {{matchLabels: {{istio-injection: enabled}}}}}}]\n"
    )
}

/// A server beside that mesh.
struct Server {
    process: Process,
    _folder: tempfile::TempDir,
}

impl Server {
    fn start(root: &Path, has_cni: bool, mode: &str, more: &[Value]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("p/bundle.yaml", BUNDLE);
        write("p/meshes.yaml", &settings(mode));
        let bindings = BOUND.map(|(policy, parameters)| {
            format!(
                "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {{name: {}}}\nspec: {{policy: {policy}, enforcement: deny, parameters: {parameters}}}\n",
                policy.replace(['/', '_'], "-")
            )
        });
        write("p/bindings.yaml", &bindings.join("---\n"));
        let labels =
            json!({ "istio-injection": "enabled", "pod-security.kubernetes.io/enforce": "restricted" });
        let namespace = |name: &str, labels: &Value| json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name, "labels": labels } });
        let mut facts = config_maps(root, has_cni, "istio-system");
        facts.extend([namespace("shop", &labels), namespace("plain", &json!({}))]);
        facts.extend(more.iter().cloned());
        for (number, fact) in facts.iter().enumerate() {
            write(&format!("f/{number}.json"), &fact.to_string());
        }
        let at = |name: &str| folder.path().join(name).display().to_string();
        let process = Process::start(&["--plain", "--policies", &at("p"), "--facts", &at("f")]);
        Self { process, _folder: folder }
    }

    fn ask(&mut self, path: &str, namespace: &str, pod: &Value) -> Value {
        let request = json!({
            "uid": "1", "kind": { "group": "", "version": "v1", "kind": "Pod" },
            "resource": { "group": "", "version": "v1", "resource": "pods" },
            "operation": "CREATE", "namespace": namespace, "name": "web", "userInfo": { "username": "alice" },
            "object": pod,
        });
        let review =
            json!({ "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request });
        let answer = self.process.client.review(path, &review);
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        let review: Value = serde_json::from_slice(&answer.body).unwrap();
        review["response"].clone()
    }

    /// The Pod as it is after `/mutate`.
    fn mutated(&mut self, namespace: &str, pod: &Value) -> Value {
        let answer = self.ask("/mutate", namespace, pod);
        assert_eq!(answer["allowed"], true, "{answer}");
        let Some(patch) = answer["patch"].as_str() else { return pod.clone() };
        let patch = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, patch).unwrap();
        let mut pod = pod.clone();
        Patch::from_value(&serde_json::from_slice(&patch).unwrap()).unwrap().apply(&mut pod).unwrap();
        pod
    }

    /// What `/validate` says against a Pod; nothing where it lets it in.
    fn refusal(&mut self, namespace: &str, pod: &Value) -> String {
        let answer = self.ask("/validate", namespace, pod);
        let message = answer["status"]["message"].as_str().unwrap_or_default();
        assert_eq!(answer["allowed"] == true, message.is_empty(), "{answer}");
        // The last line names the policies.
        message.rsplit_once("\npolicies: ").map_or(message, |(said, _)| said).to_owned()
    }
}

/// A Pod that `restricted` lets in, with a pinned image.
fn pod() -> Value {
    let digest = "a".repeat(64);
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "web", "namespace": "shop" },
        "spec": { "containers": [{
            "name": "web", "image": format!("ghcr.io/example/web:1@sha256:{digest}"),
            "securityContext": {
                "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"] },
                "runAsNonRoot": true, "seccompProfile": { "type": "RuntimeDefault" },
            },
        }] },
    })
}

fn names(pod: &Value) -> Vec<&str> {
    let lists = ["initContainers", "containers"].into_iter().filter_map(|list| pod["spec"][list].as_array());
    lists.flatten().map(|one| one["name"].as_str().unwrap()).collect()
}

#[test]
fn an_injected_pod_is_let_in_where_restricted_is_enforced_and_no_changed_one_is() {
    let Some(root) = corpus() else { return };
    let mut server = Server::start(&root, true, "render", &[]);
    assert_eq!(server.mutated("plain", &pod()), pod(), "no webhook would be called there");
    let injected = server.mutated("shop", &pod());
    assert_eq!(names(&injected), ["istio-validation", "istio-proxy", "web"]);
    assert_eq!(server.refusal("shop", &injected), "");
    assert_eq!(server.mutated("shop", &injected), injected, "a second time changes nothing");
    let changes = [
        ("/spec/initContainers/1/image", json!("gcr.io/evil/proxyv2:1")),
        ("/spec/initContainers/1/args/0", json!("sidecar")),
        ("/spec/initContainers/0/securityContext/runAsUser", json!(1338)),
    ];
    for (pointer, value) in changes {
        let mut changed = injected.clone();
        let place = changed.pointer_mut(pointer).unwrap();
        let is_new = *place != value;
        *place = if is_new { value } else { json!("sidecar2") };
        let refusal = server.refusal("shop", &changed);
        let path = pointer.rsplit('/').find(|part| part.parse::<usize>().is_err()).unwrap();
        assert!(refusal.contains("[injection/verify_injected] the sidecar is not what istio would inject: spec.initContainers[istio-"), "{refusal}");
        assert!(refusal.contains(path), "{refusal}");
        // It is no longer exempt from what the rest of the Pod is judged by.
        assert!(refusal.contains("seccompProfile (pod or container"), "{refusal}");
    }
    let bare = server.refusal("shop", &pod());
    assert!(bare.contains("the Pod has no sidecar"), "{bare}");
}

#[test]
fn without_cni_the_message_says_how_to_get_there() {
    let Some(root) = corpus() else { return };
    let mut server = Server::start(&root, false, "render", &[]);
    let injected = server.mutated("shop", &pod());
    assert_eq!(names(&injected), ["istio-init", "istio-proxy", "web"]);
    let expected = "[injection/pod_security_level] container \"istio-init\" adds NET_ADMIN, NET_RAW to redirect traffic, and the namespace enforces the level restricted, which lets no such Pod in";
    assert_eq!(server.refusal("shop", &injected), expected);
}

/// What a user merges into the sidecar is judged as any container of his.
#[test]
fn a_sidecar_that_a_user_made_privileged_is_denied() {
    let Some(root) = corpus() else { return };
    let mut server = Server::start(&root, true, "render", &[]);
    let mut own = pod();
    let proxy = json!({ "name": "istio-proxy", "image": "auto", "securityContext": { "privileged": true } });
    own["spec"]["containers"].as_array_mut().unwrap().push(proxy);
    let injected = server.mutated("shop", &own);
    let refusal = server.refusal("shop", &injected);
    assert!(refusal.contains("privileged"), "{refusal}");
    assert!(!refusal.contains("verify_injected"), "it is as the mesh would inject it: {refusal}");
}

fn live_webhook() -> Value {
    json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
        "metadata": { "name": "istio-sidecar-injector", "labels": { "app": "sidecar-injector" } },
        "webhooks": [{
            "name": "namespace.sidecar-injector.istio.io",
            "namespaceSelector": { "matchLabels": { "istio-injection": "enabled" } },
            "clientConfig": { "service": { "name": "istiod", "namespace": "istio-system", "path": "/inject" } },
        }],
    })
}

#[test]
fn a_live_webhook_of_the_mesh_injects_and_is_compared() {
    let Some(root) = corpus() else { return };
    let by_mesh = Server::start(&root, true, "render", &[]).mutated("shop", &pod());
    for (mode, warns) in [("verify", false), ("render", true)] {
        let mut server = Server::start(&root, true, mode, &[live_webhook()]);
        let answer = server.ask("/mutate", "shop", &pod());
        assert_eq!((&answer["allowed"], &answer["patch"]), (&json!(true), &Value::Null), "{answer}");
        let warning = answer["warnings"][0].as_str().unwrap_or_default();
        let expected =
            "[injection/follow_mesh] the webhook namespace.sidecar-injector.istio.io of istio injects, too";
        assert_eq!(warning.starts_with(expected), warns, "{answer}");
        let bare = server.refusal("shop", &pod());
        assert!(
            bare.contains("the sidecar is not what istio would inject: the Pod has no sidecar"),
            "{bare}"
        );
        let mut injected = by_mesh.clone();
        injected["metadata"]["annotations"].as_object_mut().unwrap().remove("meshgate.io/proof");
        assert_eq!(server.mutated("shop", &injected), injected);
        assert_eq!(server.refusal("shop", &injected), "");
        assert_eq!(
            server.refusal("shop", &by_mesh),
            "",
            "a proof of others proves nothing and harms nothing"
        );
        injected["spec"]["initContainers"][1]["image"] = json!("docker.io/istio/proxyv2:old");
        let differs = server.refusal("shop", &injected);
        assert!(differs.contains("spec.initContainers[istio-proxy].image is \"docker.io/istio/proxyv2:old\", the mesh would have"), "{differs}");
    }
}
