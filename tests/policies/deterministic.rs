//! The same bundle, facts and request give the same bytes, on every replica (R46).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use meshgate::admission::{
    GroupVersionKind, GroupVersionResource, Operation, Request, RequestParts, respond,
};
use meshgate::context::{Fact, FactKey, Facts, Now};
use meshgate::engine::Bundle;
use meshgate::policy::Tree;
use meshgate::review::{Phase, Progress, review};
use meshgate::source;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::bound;

/// The starter profile as several replicas have it, which read its files in another order each.
static REPLICAS: LazyLock<Vec<Bundle>> = LazyLock::new(|| {
    let profile = source::profile("starter").unwrap();
    let files: Vec<(&str, &[u8])> = profile.iter().collect();
    let mut orders = vec![files.clone(), files.iter().rev().copied().collect()];
    let mut turned = files;
    let half = turned.len() / 2;
    turned.rotate_left(half);
    orders.push(turned);
    orders.iter().map(|files| bound::compiled(&tree(files))).collect()
});

fn tree(files: &[(&str, &[u8])]) -> Tree {
    let mut tree = Tree::default();
    files.iter().for_each(|(path, content)| tree.insert(*path, *content));
    tree
}

fn request(operation: Operation, object: Value) -> Request {
    Request::new(RequestParts {
        uid: "7".to_owned(),
        kind: GroupVersionKind::new("", "v1", "Pod"),
        resource: GroupVersionResource::new("", "v1", "pods"),
        sub_resource: None,
        name: "web".to_owned(),
        namespace: Some("shop".to_owned()),
        operation,
        user_info: json!({ "username": "alice" }),
        // Something of it is other than it was; else nobody would be asked.
        old_object: (operation == Operation::Update).then(|| json!({ "kind": "Pod" })),
        object: Some(object),
        dry_run: false,
    })
}

/// What the API server is told in both phases, in a namespace of that mode.
fn answers(bundle: &Bundle, mode: &str, request: &Request) -> String {
    let namespace = json!({ "name": "shop", "labels": { "meshgate.io/mode": mode }, "annotations": {} });
    let key = FactKey::Namespace("shop".to_owned());
    let mut facts = Facts::at(Now::parse("2026-01-31T12:00:00Z").unwrap());
    facts.extend(BTreeSet::from([key.clone()]), BTreeMap::from([(key, Fact::Known(namespace))]));
    let answer = |phase| match review(bundle, &facts, request, phase) {
        Progress::Done(decision) => respond(request.uid(), &decision.answer()).to_string(),
        Progress::Need(keys) => panic!("asks for {keys:?}"),
    };
    [Phase::Mutate, Phase::Validate].map(answer).join("\n")
}

/// A Pod with which nearly every policy has something wrong, with several containers each.
fn faulty() -> Value {
    let container = |name: usize| {
        let image = ["nginx", "evil.example/a:latest", "nginx:"][name % 3];
        json!({ "name": format!("c{name}"), "image": image, "securityContext": { "privileged": true } })
    };
    let containers: Vec<Value> = (0..6).map(container).collect();
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "web", "namespace": "shop" },
        "spec": { "initContainers": containers, "containers": containers, "ephemeralContainers": containers }
    })
}

#[test]
fn the_same_question_has_the_same_answer() {
    for mode in ["audit", "warn", "deny"] {
        for operation in [Operation::Create, Operation::Update] {
            let request = request(operation, faulty());
            let first = answers(&REPLICAS[0], mode, &request);
            assert!(mode != "deny" || first.contains("\"allowed\":false"), "{first}");
            assert!(
                operation == Operation::Update || mode == "audit" || first.contains("\"patch\":"),
                "{first}"
            );
            for bundle in REPLICAS.iter() {
                for _ in 0..20 {
                    assert_eq!(answers(bundle, mode, &request), first);
                }
            }
        }
    }
}

fn images() -> impl Strategy<Value = Value> {
    let digest = "nginx@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let texts = ["nginx", "nginx:latest", "ghcr.io/a/b:1", "evil.example/a", "nginx:", "", digest];
    let mut values: Vec<Value> = texts.map(Value::from).to_vec();
    values.push(Value::Null);
    prop::sample::select(values)
}

/// A subset of these members.
fn members(all: Vec<(&'static str, Vec<Value>)>) -> impl Strategy<Value = Value> {
    let one = |(name, values): (&'static str, Vec<Value>)| {
        prop::option::of((Just(name), prop::sample::select(values)))
    };
    let chosen = all.into_iter().map(one).collect::<Vec<_>>();
    chosen.prop_map(|members| {
        members
            .into_iter()
            .flatten()
            .map(|(name, value)| (name.to_owned(), value))
            .collect::<Map<_, _>>()
            .into()
    })
}

fn containers() -> impl Strategy<Value = Value> {
    let names = prop::sample::select(vec!["a", "b", "ä", "long-name-of-a-container"]);
    let rest = members(vec![
        (
            "securityContext",
            vec![json!({ "privileged": true }), json!({ "privileged": "yes" }), json!({}), Value::Null],
        ),
        (
            "resources",
            vec![json!({ "limits": { "cpu": "1", "memory": "1Gi" } }), json!({ "requests": { "cpu": 0 } })],
        ),
        ("restartPolicy", vec![json!("Always")]),
    ]);
    let container = (names, images(), rest).prop_map(|(name, image, mut container)| {
        container["name"] = json!(name);
        container["image"] = image;
        container
    });
    prop::collection::vec(container, 0..4).prop_map(Value::from)
}

fn pods() -> impl Strategy<Value = Value> {
    let labels = members(vec![
        ("owner", vec![json!("team-shop"), json!("")]),
        ("app.kubernetes.io/name", vec![json!("web"), json!(5)]),
        ("tier", vec![json!("data")]),
    ]);
    let spec = members(vec![
        (
            "securityContext",
            vec![json!({}), json!({ "seccompProfile": { "type": "Unconfined" } }), Value::Null],
        ),
        ("os", vec![json!({ "name": "windows" })]),
        ("resources", vec![json!({ "limits": { "memory": "1Gi" } })]),
    ]);
    (labels, spec, containers(), containers(), containers()).prop_map(
        |(labels, mut spec, init, regular, ephemeral)| {
            spec["initContainers"] = init;
            spec["containers"] = regular;
            spec["ephemeralContainers"] = ephemeral;
            let metadata = json!({ "name": "web", "namespace": "shop", "labels": labels });
            json!({ "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec })
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_pod_has_the_same_answer_on_every_replica(pod in pods(), mode in prop::sample::select(vec!["warn", "deny"])) {
        let request = request(Operation::Create, pod);
        let first = answers(&REPLICAS[0], mode, &request);
        for bundle in REPLICAS.iter() {
            prop_assert_eq!(answers(bundle, mode, &request), first.clone());
        }
    }
}
