//! The fact `images` in a review: what is asked for, when, and what each policy sees of it.

use std::collections::BTreeSet;
use std::sync::Arc;

use meshgate::admission::{GroupVersionKind, GroupVersionResource, Operation, Request, RequestParts};
use meshgate::context::{ContextSource, Fact, FactKey, Facts, Now};
use meshgate::engine::{Bundle, compile};
use meshgate::image::Gatherer;
use meshgate::policy::{Draft, Tree};
use meshgate::review::{Decision, NoMesh, Phase, Progress, Rounds, complete};
use meshgate::source;
use serde_json::{Value, json};

use crate::compiled::HEAD;
use crate::facts::{Shelf, gatherer};
use crate::sigstore::{self as kit, SIGNED, digest, statement};

const TRUST: &str = "authorities:\n  vendor: {key: {files: [k.pub], transparencyLog: none}}\n  other: {static: pass}\nrules: [{name: all, images: ['registry.example/**'], require: {of: [vendor]}, enforcement: deny}]\n";

/// Facts of images, and of a namespace.
pub(crate) struct World(pub(crate) Gatherer);

impl ContextSource for World {
    fn fetch<'a>(&'a self, key: &'a FactKey) -> std::pin::Pin<Box<dyn Future<Output = Fact> + Send + 'a>> {
        match key {
            FactKey::Namespace(name) => {
                let namespace = json!({ "name": name, "labels": {}, "annotations": {} });
                Box::pin(std::future::ready(Fact::Known(namespace)))
            }
            key => self.0.fetch(key),
        }
    }
}

/// A policy of the tree that sees some facts.
pub(crate) fn policy(name: &str, context: &str, body: &str) -> (String, String) {
    let rules = "rules: [{apiGroups: [\"\"], apiVersions: [v1], resources: [pods]}]";
    let text = format!(
        "# METADATA\n# title: t\n# description: d\n# custom:\n#   context: {context}\n#   match:\n#     {rules}\npackage policies.images.{name}\n\n{body}\n"
    );
    (format!("images/{name}/{name}.rego"), text)
}

pub(crate) fn bound(policy: &str) -> (String, String) {
    let text = format!(
        "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {{name: {}}}\nspec: {{policy: {policy}, enforcement: deny}}\n",
        policy.replace(['/', '_'], "-")
    );
    (format!("{}.yaml", policy.replace('/', "-")), text)
}

fn bundle(files: &[(String, String)], pem: &str) -> Bundle {
    bundle_of(TRUST, files, pem)
}

/// A bundle that trusts as a text says.
pub(crate) fn bundle_of(trust: &str, files: &[(String, String)], pem: &str) -> Bundle {
    let mut tree = Tree::default();
    tree.insert("trust.yaml", format!("{HEAD}{trust}").into_bytes());
    if !pem.is_empty() {
        tree.insert("k.pub", pem.as_bytes());
    }
    let includes = "apiVersion: meshgate.io/v1alpha1\nkind: Bundle\nmetadata: {name: b}\nspec: {includes: [defaults, images, injection], defaultMode: deny}\n";
    tree.insert("bundle.yaml", includes.as_bytes());
    files.iter().for_each(|(path, text)| tree.insert(path.as_str(), text.as_bytes()));
    compile(Draft::read(&tree, &source::catalogue())).unwrap_or_else(|faults| panic!("{faults}"))
}

pub(crate) fn pod(images: &[&str]) -> Value {
    let container = |(index, image): (usize, &&str)| json!({ "name": format!("c{index}"), "image": image });
    let containers: Vec<Value> = images.iter().enumerate().map(container).collect();
    json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "web", "namespace": "shop" }, "spec": { "containers": containers } })
}

pub(crate) fn request(operation: Operation, object: Value, old_object: Option<Value>) -> Request {
    Request::new(RequestParts {
        uid: "7".to_owned(),
        kind: GroupVersionKind::new("", "v1", "Pod"),
        resource: GroupVersionResource::new("", "v1", "pods"),
        sub_resource: None,
        name: "web".to_owned(),
        namespace: Some("shop".to_owned()),
        operation,
        user_info: json!({ "username": "ann" }),
        object: Some(object),
        old_object,
        dry_run: false,
    })
}

pub(crate) fn now() -> Facts {
    Facts::at(Now::parse("2026-01-31T12:00:00Z").unwrap())
}

/// What is decided, and what the shelf was asked.
fn decided(
    bundle: &Bundle,
    shelf: Shelf,
    pem: &str,
    request: &Request,
    phase: Phase,
) -> (Decision, Vec<String>) {
    let shelf = Arc::new(shelf);
    let world = World(gatherer(TRUST, &[("k.pub", pem)], Arc::clone(&shelf), &[]));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let decision = runtime.block_on(complete(bundle, &world, now(), request, phase));
    let asked = shelf.asked.lock().unwrap().clone();
    (decision, asked)
}

fn messages(decision: &Decision) -> Vec<String> {
    decision.findings.iter().map(|one| format!("{:?} {}", one.action, one.message)).collect()
}

fn signed(key: &sigstore_crypto::KeyPair) -> Shelf {
    let bundle = kit::key_bundle(key, &statement(&digest(), SIGNED, json!({})), None);
    Shelf { evidence: vec![kit::bundle_evidence(&bundle)], ..Shelf::default() }
}

#[test]
fn a_pod_is_let_in_where_its_image_is_signed() {
    let key = kit::key();
    let pem = kit::pem_of(&key);
    let bundle = bundle(&[bound("images/require_signature")], &pem);
    let create = |image: &str| request(Operation::Create, pod(&[image]), None);
    let judged = |shelf: Shelf, image: &str| decided(&bundle, shelf, &pem, &create(image), Phase::Validate).0;
    let pinned = format!("registry.example/app:1@{}", digest());
    assert_eq!(messages(&judged(signed(&key), &pinned)), Vec::<String>::new());
    let tag = judged(signed(&key), "registry.example/app:1");
    assert!(!tag.allowed() && messages(&tag)[0].contains("it has no digest"), "{:?}", tag.findings);
    let unsigned = judged(Shelf::default(), &pinned);
    assert!(
        !unsigned.allowed() && messages(&unsigned)[0].contains("has not what the signature of \"vendor\"")
    );
    let away = judged(signed(&key), "away.example/app:1");
    assert!(!away.allowed() && messages(&away)[0].contains("is meant by no rule"), "{:?}", away.findings);
    let stranger = judged(signed(&kit::key()), &pinned);
    assert!(!stranger.allowed(), "somebody else signed it");
}

#[test]
fn tags_are_resolved_once_and_digests_not_at_all() {
    let key = kit::key();
    let pem = kit::pem_of(&key);
    let bundle = bundle(&[bound("images/require_signature")], &pem);
    let pinned = format!("registry.example/app:1@{}", digest());
    let object = pod(&["registry.example/app:1", "registry.example/app:1", &pinned]);
    let (decision, asked) =
        decided(&bundle, signed(&key), &pem, &request(Operation::Create, object, None), Phase::Validate);
    assert!(
        messages(&decision).iter().all(|one| one.contains("it has no digest")),
        "{:?}",
        decision.findings
    );
    assert_eq!(decision.findings.len(), 2, "one of each tag");
    assert_eq!(asked.iter().filter(|one| one.starts_with("resolve")).count(), 1, "{asked:?}");
}

#[test]
fn what_an_update_leaves_as_it_was_is_not_asked_for() {
    let key = kit::key();
    let pem = kit::pem_of(&key);
    let bundle = bundle(&[bound("images/require_signature")], &pem);
    let update = |new: &[&str], old: &[&str]| request(Operation::Update, pod(new), Some(pod(old)));
    let mut same = pod(&["registry.example/a:1"]);
    same["metadata"]["labels"] = json!({ "a": "b" });
    let same = request(Operation::Update, same, Some(pod(&["registry.example/a:1"])));
    let (decision, asked) = decided(&bundle, Shelf::default(), &pem, &same, Phase::Validate);
    assert_eq!((decision.allowed(), asked), (true, vec![]));
    // Another container has it now.
    let moved = update(&["registry.example/a:1", "registry.example/a:1"], &["registry.example/a:1"]);
    let (decision, asked) = decided(&bundle, Shelf::default(), &pem, &moved, Phase::Validate);
    assert_eq!((decision.allowed(), asked.len()), (false, 2), "{asked:?}");
}

#[test]
fn a_policy_sees_what_it_declares() {
    let key = kit::key();
    let pem = kit::pem_of(&key);
    let body = |what: &str| {
        format!("deny contains {{\"msg\": json.marshal({what})}} if some _, entry in input.context.images")
    };
    let one = policy("one", "{images: {authorities: [vendor]}}", &body("object.keys(entry.authorities)"));
    let all = policy(
        "all",
        "{images: {rejected: true}}",
        &body(
            "[object.keys(entry.authorities), count(entry.rejected), entry.fields, entry.pinned, entry.unchanged]",
        ),
    );
    let bundle = bundle(&[one, all, bound("images/one"), bound("images/all")], &pem);
    let create = request(Operation::Create, pod(&["registry.example/app:1"]), None);
    let stranger = signed(&kit::key());
    let (decision, _) = decided(&bundle, stranger, &pem, &create, Phase::Validate);
    let seen = "Deny [[\"other\",\"vendor\"],1,[\"spec.containers[0].image\"],false,false]";
    let expected = ["Deny [\"vendor\"]", seen];
    let mut found = messages(&decision);
    found.sort();
    assert_eq!(found, expected);
    // Who did not say that it asks itself has an error where something could not be read.
    let away = request(Operation::Create, pod(&["away.example/app:1"]), None);
    let (decision, _) = decided(&bundle, Shelf::default(), &pem, &away, Phase::Validate);
    assert!(decision.findings.iter().all(|one| one.is_error && one.lacks_fact == Some("images")));
    assert_eq!(decision.findings.len(), 2);
}

#[test]
fn no_more_images_than_the_limit_are_asked_about() {
    let pem = kit::pem_of(&kit::key());
    let bundle = bundle(&[bound("images/require_signature")], &pem);
    let names: Vec<String> = (0..130).map(|index| format!("registry.example/a{index:03}:1")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let create = request(Operation::Create, pod(&names), None);
    let namespace = FactKey::Namespace("shop".to_owned());
    let known = Fact::Known(json!({ "name": "shop", "labels": {}, "annotations": {} }));
    let mut rounds = Rounds::new(now());
    rounds.learn([namespace.clone()].into(), [(namespace, known)].into());
    let Progress::Need(keys) = rounds.review(&NoMesh, &bundle, &create, Phase::Validate) else {
        panic!("nothing is asked")
    };
    let images: BTreeSet<&FactKey> =
        keys.iter().filter(|key| matches!(key, FactKey::Signatures(_))).collect();
    assert_eq!(images.len(), 128);
    let (decision, _) = decided(&bundle, Shelf::default(), &pem, &create, Phase::Validate);
    assert!(
        messages(&decision).iter().any(|one| one.contains("more than 128 images")),
        "{:?}",
        decision.findings.last()
    );
}
