//! What was rendered is known in the calls that follow by its proof, whatever became of the mesh, and by nothing less.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use meshgate::admission::{Operation, Request};
use meshgate::context::{Fact, FactKey, Facts, Now, ProofKeys};
use meshgate::engine::Bundle;
use meshgate::mesh::proof;
use meshgate::review::{Decision, Mesh, NoMesh, Phase, Progress, review_in};
use serde_json::{Value, json};

use crate::injections::{MESH, app, follow, judging, sidecar};
use crate::world::{POD, create, facts, request, shown};

fn keys(secret: u8) -> Arc<ProofKeys> {
    Arc::new(ProofKeys::default().rotated(Now::parse("2026-01-31T12:00:00Z").unwrap(), [secret; 32]))
}

fn decided(mesh: &dyn Mesh, bundle: &Bundle, facts: &Facts, request: &Request, phase: Phase) -> Decision {
    match review_in(mesh, bundle, facts, request, phase) {
        Progress::Done(decision) => *decision,
        Progress::Need(keys) => panic!("asks for {keys:?}"),
    }
}

fn with(secret: u8) -> Facts {
    let mut facts = facts(json!({})).proving_with(keys(secret));
    let key = FactKey::Namespace("other".to_owned());
    let namespace = json!({ "name": "other", "labels": {}, "annotations": {} });
    facts.extend(BTreeSet::from([key.clone()]), BTreeMap::from([(key, Fact::Known(namespace))]));
    facts
}

/// A Pod after `/mutate`.
fn injected(bundle: &Bundle) -> Value {
    let decision = decided(&MESH, bundle, &with(1), &create(app()), Phase::Mutate);
    assert_eq!(shown(&decision.findings), Vec::<String>::new());
    let object = decision.object.unwrap();
    let mut patched = app();
    decision.patch.apply(&mut patched).unwrap();
    assert_eq!(patched, object, "the proof goes with the patch");
    assert!(object["metadata"]["annotations"][proof::ANNOTATION].is_string(), "{object}");
    object
}

/// The containers that a policy of Pod Security is asked about, where the mesh is not there any more.
fn judged(secret: u8, request: &Request) -> Vec<String> {
    let policies = judging("pod_security").compiled();
    let decision = decided(&NoMesh, &policies, &with(secret), request, Phase::Validate);
    decision.findings.iter().map(|finding| finding.message.clone()).collect()
}

#[test]
fn what_was_rendered_is_known_though_the_mesh_is_another_by_now() {
    let object = injected(&follow().compiled());
    assert_eq!(judged(1, &create(object.clone())), ["app"]);
    let mut labelled = object.clone();
    labelled["metadata"]["labels"] = json!({ "a": "b" });
    let update = |sub| request(POD, sub, Operation::Update, Some(labelled.clone()), Some(object.clone()));
    for sub_resource in [None, Some("ephemeralcontainers")] {
        assert_eq!(judged(1, &update(sub_resource)), ["app"], "{sub_resource:?}");
    }
    let delete = request(POD, None, Operation::Delete, None, Some(object.clone()));
    assert_eq!(judged(1, &delete), ["app"]);
    let template =
        json!({ "metadata": object["metadata"], "spec": { "template": { "spec": object["spec"] } } });
    let workload = ("apps", "v1", "Deployment", "deployments");
    let workload = request(workload, None, Operation::Create, Some(template), None);
    assert_eq!(judged(1, &workload), ["app", "proxy"], "only a Pod is proven");
}

#[test]
fn one_byte_another_key_or_namespace_and_nothing_is_known() {
    let object = injected(&follow().compiled());
    assert_eq!(judged(2, &create(object.clone())), ["app", "proxy"]);
    let mut changed = object.clone();
    changed["spec"]["initContainers"][0]["image"] = json!("mesh.example/proxy:2");
    assert_eq!(judged(1, &create(changed)), ["app", "proxy"]);
    assert_eq!(judged(1, &in_namespace("shop", &object)), ["app"]);
    assert_eq!(judged(1, &in_namespace("other", &object)), ["app", "proxy"]);
}

/// The creation of a Pod, as an API server sends it.
fn in_namespace(namespace: &str, object: &Value) -> Request {
    let request = json!({
        "uid": "7", "kind": { "group": "", "version": "v1", "kind": "Pod" },
        "resource": { "group": "", "version": "v1", "resource": "pods" },
        "operation": "CREATE", "namespace": namespace, "name": "web", "userInfo": {}, "object": object,
    });
    let review =
        json!({ "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request });
    meshgate::admission::decode(review.to_string().as_bytes()).unwrap()
}

#[test]
fn what_is_proven_is_not_injected_again_and_without_keys_nothing_is_proven() {
    let bundle = follow().compiled();
    let object = injected(&bundle);
    let again = decided(&MESH, &bundle, &with(1), &create(object), Phase::Mutate);
    assert_eq!((shown(&again.findings), again.patch.len()), (vec![], 0));
    let without = decided(&MESH, &bundle, &facts(json!({})), &create(app()), Phase::Mutate).object.unwrap();
    assert_eq!(without["metadata"]["annotations"][proof::ANNOTATION], Value::Null);
    assert_eq!(without["spec"]["initContainers"], json!([sidecar()]));
}
