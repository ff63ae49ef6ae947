//! What no policy is asked about though its match means it, by the namespace; and the leader's probe.

use std::collections::{BTreeMap, BTreeSet};

use meshgate::admission::{Answer, GroupVersionKind, GroupVersionResource, Operation, Request, RequestParts};
use meshgate::context::{Fact, FactKey, Facts, Now, Subjects};
use meshgate::engine::{Bundle, compile};
use meshgate::policy::{Draft, Tree};
use meshgate::review::{Decision, Phase, Progress, probe, review};
use serde_json::{Value, json};

/// Denies and changes all Pods, ConfigMaps and Namespaces.
fn bundle(enforcement: &str) -> Bundle {
    policies(enforcement, "deny contains \"no\"")
}

/// The same where another entry point finds fault.
fn policies(enforcement: &str, finds: &str) -> Bundle {
    let mut tree = Tree::default();
    let rules = "[{apiGroups: [\"\"], apiVersions: [v1], resources: [pods, configmaps, namespaces]}]";
    let policy = |entry: &str, name: &str| {
        format!(
            "# METADATA\n# title: t\n# description: d\n# custom:\n#   match: {{rules: {rules}}}\npackage policies.x.{name}\n\n{entry}\n"
        )
    };
    tree.insert("x/no/no.rego", policy(finds, "no"));
    let patch = "patch := [{\"op\": \"add\", \"path\": \"/metadata/generateName\", \"value\": \"x\"}]";
    tree.insert("x/set/set.rego", policy(patch, "set"));
    tree.insert(
        "b.yaml",
        format!(
            "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {{name: b}}\nspec: {{policy: \"*\", enforcement: {enforcement}}}\n"
        ),
    );
    compile(Draft::read(&tree, &Tree::default())).unwrap_or_else(|faults| panic!("{faults}"))
}

fn request(kind: &str, resource: &str, namespace: &str, object: Value) -> RequestParts {
    RequestParts {
        uid: "7".to_owned(),
        kind: GroupVersionKind::new("", "v1", kind),
        resource: GroupVersionResource::new("", "v1", resource),
        sub_resource: None,
        name: object["metadata"]["name"].as_str().unwrap().to_owned(),
        namespace: Some(namespace.to_owned()),
        operation: Operation::Create,
        user_info: json!({ "username": "alice", "groups": ["system:masters"] }),
        object: Some(object),
        old_object: None,
        dry_run: false,
    }
}

fn pod(namespace: &str) -> Request {
    let object = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "a" } });
    Request::new(request("Pod", "pods", namespace, object))
}

fn decided(bundle: &Bundle, request: &Request, phase: Phase, labels: &Value) -> Decision {
    let excluded = BTreeSet::from(["calico".to_owned()]);
    let subjects = Subjects::default().excluding(&excluded);
    let mut facts = Facts::at(Now::parse("2026-01-31T12:00:00Z").unwrap()).guarded_by(subjects.into());
    let name = request.namespace().unwrap();
    let key = FactKey::Namespace(name.to_owned());
    let fact = Fact::Known(json!({ "name": name, "labels": labels, "annotations": {} }));
    facts.extend(BTreeSet::from([key.clone()]), BTreeMap::from([(key, fact)]));
    match review(bundle, &facts, request, phase) {
        Progress::Done(decision) => *decision,
        Progress::Need(keys) => panic!("{keys:?}"),
    }
}

/// Whether it is changed, and whether it is found fault with.
fn touched(bundle: &Bundle, request: &Request, labels: &Value) -> (bool, bool) {
    let mutated = decided(bundle, request, Phase::Mutate, labels);
    let judged = decided(bundle, request, Phase::Validate, labels);
    (!mutated.patch.is_empty(), !judged.findings.is_empty())
}

#[test]
fn what_the_registration_leaves_out_is_left_alone_whichever_entry_brings_it() {
    let (none, exempt) = (json!({}), json!({ "meshgate.io/exempt": "true" }));
    let nearly = json!({ "meshgate.io/exempt": "yes" });
    for enforcement in ["deny", "warn"] {
        let bundle = bundle(enforcement);
        let of_pod = |namespace: &str, labels: &Value| touched(&bundle, &pod(namespace), labels);
        for (namespace, labels, expected) in [
            ("shop", &none, (true, true)),
            ("shop", &nearly, (true, true)),
            ("shop", &exempt, (false, false)),
            ("kube-system", &none, (false, false)),
            ("calico", &none, (false, false)),
            // Judged by an entry of its own, exempt or not, and never changed.
            ("meshgate-system", &none, (false, true)),
            ("meshgate-system", &exempt, (false, true)),
        ] {
            assert_eq!(of_pod(namespace, labels), expected, "{namespace} {labels} {enforcement}");
        }
        let of_namespace = |name: &str, labels: &Value| {
            let metadata = json!({ "name": name, "labels": labels });
            let object = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": metadata });
            touched(&bundle, &Request::new(request("Namespace", "namespaces", name, object)), labels)
        };
        for (name, labels, expected) in [
            ("shop", &none, (true, true)),
            ("shop", &exempt, (false, false)),
            ("kube-system", &none, (false, false)),
            ("meshgate-system", &none, (false, false)),
        ] {
            assert_eq!(of_namespace(name, labels), expected, "Namespace {name} {labels} {enforcement}");
        }
    }
}

/// What meshgate would refuse in its own namespace is what brings it back, or takes it away.
#[test]
fn nothing_is_refused_where_meshgate_runs() {
    let none = json!({});
    for entry in ["deny contains \"no\"", "deny contains {\"msg\": 1}"] {
        let bundle = policies("deny", entry);
        for (namespace, is_allowed) in [("shop", false), ("meshgate-system", true)] {
            let decision = decided(&bundle, &pod(namespace), Phase::Validate, &none);
            assert_eq!(decision.allowed(), is_allowed, "{namespace}: {:?}", decision.findings);
            assert_eq!(decision.findings.len(), 1, "it is told: {:?}", decision.findings);
        }
    }
}

#[test]
fn the_probe_is_answered_by_its_nonce_and_by_no_policy() {
    let bundle = bundle("deny");
    let nonce = "0123456789abcdef";
    let map = |name: &str, nonce: Value| json!({ "metadata": { "name": name }, "data": { "nonce": nonce } });
    let parts = || RequestParts {
        dry_run: true,
        ..request("ConfigMap", "configmaps", "meshgate-system", map(probe::NAME, json!(nonce)))
    };
    for phase in probe::PHASES {
        let answer = decided(&bundle, &Request::new(parts()), phase, &json!({})).answer();
        let Answer::Allowed { patch: None, warnings, .. } = answer else { panic!("{answer:?}") };
        assert_eq!(warnings, [probe::answer(phase, nonce)]);
    }
    let others = [
        RequestParts { dry_run: false, ..parts() },
        RequestParts { object: Some(map(probe::NAME, json!("<b>"))), ..parts() },
        RequestParts { object: Some(map(probe::NAME, json!("a".repeat(65)))), ..parts() },
        RequestParts { name: "other".to_owned(), ..parts() },
        RequestParts { namespace: Some("shop".to_owned()), ..parts() },
        RequestParts { operation: Operation::Update, old_object: parts().object, ..parts() },
    ];
    for (number, other) in others.into_iter().enumerate() {
        let decision = decided(&bundle, &Request::new(other), Phase::Validate, &json!({}));
        let warned = decision.findings.iter().any(|finding| finding.message.contains("meshgate answers"));
        assert!(!warned, "{number}: {:?}", decision.findings);
    }
}
