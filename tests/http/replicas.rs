//! Replicas that share the keys of proofs: a sidecar that one rendered is known to another one, whose mesh is configured in
//! another way by now, also while keys are changed.

use std::path::Path;
use std::sync::Arc;

use meshgate::context::{Now, ProofKeys};
use meshgate::engine::Bundle;
use meshgate::mesh::istio::Istio;
use meshgate::mesh::{Mesh, Meshes};
use meshgate::patch::Patch;
use meshgate::policy::{MeshSettings, Tree};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::watch;

use crate::bundle::compiled;
use crate::istio::{config_maps, corpus};
use crate::server::{Options, Server};
use crate::source::Namespaces;

/// The moment at which the servers of these tests are.
const NOW: &str = "2026-01-31T12:00:00Z";

struct Fixed(Arc<dyn Mesh>);

impl Meshes for Fixed {
    fn mesh(&self, _: Option<&MeshSettings>) -> Arc<dyn Mesh> {
        Arc::clone(&self.0)
    }
}

struct Replica {
    server: Server,
    keys: watch::Sender<Arc<ProofKeys>>,
}

fn policies() -> Bundle {
    let bindings = ["follow_mesh", "verify_injected"].map(|policy| {
        format!(
            "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {{name: {}}}\nspec: {{policy: injection/{policy}, enforcement: deny}}\n",
            policy.replace('_', "-")
        )
    });
    let bundle = "apiVersion: meshgate.io/v1alpha1\nkind: Bundle\nmetadata: {name: b}\nspec: {includes: [injection]}\n";
    let mut tree = Tree::default();
    tree.insert("bundle.yaml", bundle);
    tree.insert("bindings.yaml", bindings.join("---\n"));
    compiled(&tree)
}

impl Replica {
    /// `tag`: of the mesh's images, as this replica has seen its configuration.
    fn start(root: &Path, tag: &str, keys: &ProofKeys) -> Self {
        let mut maps = config_maps(root, true, "istio-system");
        let mut values: Value = serde_json::from_str(maps[0]["data"]["values"].as_str().unwrap()).unwrap();
        values["global"]["tag"] = json!(tag);
        maps[0]["data"]["values"] = json!(values.to_string());
        let mesh = Istio::of_objects(&maps, None).unwrap();
        let (keys, receiver) = watch::channel(Arc::new(keys.clone()));
        let options = Options {
            meshes: Some(Arc::new(Fixed(Arc::new(mesh)))),
            proof_keys: Some(receiver),
            ..Options::default()
        };
        Self { server: Server::with(Some(policies()), Namespaces, options), keys }
    }

    /// The Secret as this replica sees it from now on.
    fn sees(&self, keys: &ProofKeys) {
        self.keys.send_replace(Arc::new(ProofKeys::read(&keys.data())));
    }

    fn ask(&self, path: &str, pod: &Value) -> Value {
        let request = json!({
            "uid": "1", "kind": { "group": "", "version": "v1", "kind": "Pod" },
            "resource": { "group": "", "version": "v1", "resource": "pods" },
            "operation": "CREATE", "namespace": "shop", "name": "web", "userInfo": { "username": "alice" },
            "object": pod,
        });
        let review =
            json!({ "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request });
        let answer = self.server.client().review(path, &review);
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        let review: Value = serde_json::from_slice(&answer.body).unwrap();
        review["response"].clone()
    }

    /// A Pod with the sidecar that this replica renders, and the name of the key that proves it.
    fn injected(&self) -> (Value, String) {
        let mut pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "web", "namespace": "shop" },
            "spec": { "containers": [{ "name": "web", "image": "web:1" }] },
        });
        let answer = self.ask("/mutate", &pod);
        let patch = base64::Engine::decode(
            &base64::engine::general_purpose::STANDARD,
            answer["patch"].as_str().unwrap(),
        );
        Patch::from_value(&serde_json::from_slice(&patch.unwrap()).unwrap())
            .unwrap()
            .apply(&mut pod)
            .unwrap();
        let proof = pod["metadata"]["annotations"]["meshgate.io/proof"].as_str().unwrap();
        let proof: Value = serde_json::from_str(proof).unwrap();
        (pod, proof["key"].as_str().unwrap().to_owned())
    }

    /// Whether it lets a Pod in; if not, because the sidecar is not what its own mesh would render.
    fn knows(&self, pod: &Value) -> bool {
        let answer = self.ask("/validate", pod);
        let message = answer["status"]["message"].as_str().unwrap_or_default();
        let is_other = message.contains("the sidecar is not what istio would inject");
        assert_eq!(answer["allowed"] == true, !is_other, "{answer}");
        !is_other
    }
}

/// A key that was made so many seconds ago, beside others.
fn with_key(keys: &ProofKeys, seconds: i64, secret: u8) -> (ProofKeys, String) {
    let made = Now::parse(NOW).unwrap().unix_seconds() - seconds;
    let at = OffsetDateTime::from_unix_timestamp(made).unwrap().format(&Rfc3339).unwrap();
    (keys.rotated(Now::parse(&at).unwrap(), [secret; 32]), made.to_string())
}

#[test]
fn what_one_replica_signs_another_one_knows() {
    let Some(root) = corpus() else { return };
    let (first, first_name) = with_key(&ProofKeys::default(), 1_000, 1);
    let (one, other) = (Replica::start(&root, "one", &first), Replica::start(&root, "other", &first));
    let ((of_one, key), (of_other, _)) = (one.injected(), other.injected());
    assert_eq!(key, first_name);
    assert!(one.knows(&of_other) && other.knows(&of_one) && one.knows(&of_one));
    let mut changed = of_one.clone();
    changed["spec"]["initContainers"][1]["image"] = json!("registry.example/evil:1");
    assert!(!other.knows(&changed));
    let mut bare = of_one.clone();
    bare["metadata"]["annotations"].as_object_mut().unwrap().remove("meshgate.io/proof");
    assert!(one.knows(&bare) && !other.knows(&bare), "without its proof it is known by rendering alone");
    let (strange, _) = with_key(&ProofKeys::default(), 1_000, 9);
    other.sees(&strange);
    assert!(!other.knows(&of_one), "a key of the same name is another key");
}

#[test]
fn while_keys_change_each_replica_knows_what_the_others_sign() {
    let Some(root) = corpus() else { return };
    let (first, first_name) = with_key(&ProofKeys::default(), 1_000, 1);
    let (one, other) = (Replica::start(&root, "one", &first), Replica::start(&root, "other", &first));
    let (before, _) = one.injected();
    // A new key, which `other` has seen already: it does not sign yet.
    let (fresh, _) = with_key(&first, 10, 2);
    other.sees(&fresh);
    let (meanwhile, key) = other.injected();
    assert_eq!(key, first_name);
    assert!(one.knows(&meanwhile) && other.knows(&before));
    // A minute later all have seen it, and one after the other signs with it.
    let (spread, second_name) = with_key(&first, 100, 2);
    one.sees(&spread);
    other.sees(&spread);
    let (after, key) = one.injected();
    assert_eq!(key, second_name);
    assert!(other.knows(&after) && other.knows(&before) && one.knows(&meanwhile));
    // One more: what the first signed is known no longer, what the second did still is.
    let (third, _) = with_key(&spread, 10, 3);
    other.sees(&third);
    assert!(other.knows(&after) && !other.knows(&before));
}
