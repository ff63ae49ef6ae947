//! Bindings that are asked together: each as if it were alone, whatever the others do.

use std::collections::{BTreeMap, BTreeSet};

use meshgate::admission::{Request, decode};
use meshgate::context::{Fact, FactKey, Facts, Now};
use meshgate::engine::{Bundle, compile};
use meshgate::policy::{Draft, Tree};
use meshgate::review::{Decision, Finding, Phase, Progress, review};
use serde_json::json;

fn policy(tree: &mut Tree, name: &str, custom: &str, body: &str) {
    let text = format!(
        "# METADATA\n# title: t\n# description: d\n# custom:\n{custom}#   match:\n#     rules: [{{apiGroups: [\"\"], apiVersions: [v1], resources: [pods]}}]\npackage policies.a.{name}\n\n{body}\n"
    );
    tree.insert(format!("a/{name}/{name}.rego"), text);
}

fn bind(tree: &mut Tree, name: &str, policy: &str, rest: &str) {
    let text = format!(
        "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {{name: {name}}}\nspec: {{policy: a/{policy}, enforcement: deny{rest}}}\n"
    );
    tree.insert(format!("{name}-{policy}.yaml"), text);
}

fn compiled(tree: &Tree) -> Bundle {
    compile(Draft::read(tree, &Tree::default())).unwrap_or_else(|faults| panic!("{faults}"))
}

fn pod() -> Request {
    request_of("a")
}

/// The creation of a Pod of that name.
pub(crate) fn request_of(name: &str) -> Request {
    let object = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name, "namespace": "shop" }, "spec": {} });
    let review = json!({ "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "1", "operation": "CREATE", "namespace": "shop", "name": name,
        "kind": { "group": "", "version": "v1", "kind": "Pod" },
        "resource": { "group": "", "version": "v1", "resource": "pods" }, "object": object
    } });
    decode(review.to_string().as_bytes()).unwrap()
}

fn decided(bundle: &Bundle, phase: Phase) -> Decision {
    let mut facts = Facts::at(Now::parse("2026-01-31T12:00:00Z").unwrap());
    let key = FactKey::Namespace("shop".to_owned());
    let fact = Fact::Unknown("the cluster does not answer".to_owned());
    facts.extend(BTreeSet::from([key.clone()]), BTreeMap::from([(key, fact)]));
    match review(bundle, &facts, &pod(), phase) {
        Progress::Done(decision) => *decision,
        Progress::Need(keys) => panic!("{keys:?}"),
    }
}

/// Binding, policy, whether an error, and message.
fn shown(findings: &[Finding]) -> BTreeSet<(String, String, bool, String)> {
    let one = |f: &Finding| (f.binding.clone(), f.policy.to_string(), f.is_error, f.message.clone());
    findings.iter().map(one).collect()
}

const LEAST: &str =
    "#   parameters: {type: object, required: [least], properties: {least: {type: integer}}}\n";

fn healthy(tree: &mut Tree, count: usize) {
    for number in 0..count {
        policy(
            tree,
            &format!("healthy{number}"),
            "",
            &format!("deny contains \"no {number}\" if input.request.name == \"a\""),
        );
        bind(tree, "b", &format!("healthy{number}"), "");
    }
}

#[test]
fn a_policy_that_is_bound_twice_has_each_bindings_parameters() {
    let mut tree = Tree::default();
    let body = "deny contains sprintf(\"below %d\", [input.parameters.least]) if _low\n\n_low if 5 < input.parameters.least";
    policy(&mut tree, "least", LEAST, body);
    for (name, least) in [("one", 3), ("two", 7), ("three", 9)] {
        bind(&mut tree, name, "least", &format!(", parameters: {{least: {least}}}"));
    }
    let findings = shown(&decided(&compiled(&tree), Phase::Validate).findings);
    let expected = [("two", "below 7"), ("three", "below 9")];
    let expected =
        expected.map(|(name, text)| (name.to_owned(), "a/least".to_owned(), false, text.to_owned()));
    assert_eq!(findings, BTreeSet::from(expected));
}

#[test]
fn a_namespace_that_can_not_be_learnt_lets_nobody_off() {
    for spec in
        ["enforcement: namespace", "enforcement: deny, match: {namespaceSelector: {matchLabels: {a: b}}}"]
    {
        let mut tree = Tree::default();
        // Its rules find nothing: what denies is that nobody knows whether they are asked.
        policy(&mut tree, "quiet", "", "deny contains \"never\" if input.request.name == \"b\"");
        let binding = format!(
            "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {{name: one}}\nspec: {{policy: a/quiet, {spec}}}\n"
        );
        tree.insert("one.yaml".to_owned(), binding);
        let decision = decided(&compiled(&tree), Phase::Validate);
        let text = "the fact `namespace` is missing: the cluster does not answer";
        let expected = ("one".to_owned(), "a/quiet".to_owned(), true, text.to_owned());
        assert_eq!(shown(&decision.findings), BTreeSet::from([expected]), "{spec}");
        assert!(!decision.allowed(), "{spec}");
    }
}

#[test]
fn a_number_beyond_all_doubles_spoils_a_patch_instead_of_becoming_null() {
    let mut tree = Tree::default();
    let body = "patch := [{\"op\": \"add\", \"path\": \"/spec/priority\", \"value\": 1e308 * 10}]";
    policy(&mut tree, "large", "", body);
    bind(&mut tree, "one", "large", "");
    let decision = decided(&compiled(&tree), Phase::Mutate);
    assert!(decision.patch.is_empty(), "{:?}", decision.patch);
    let text = "the policy's answer can't be used: it has a number that is too large for JSON as the API server reads it";
    let expected = ("one".to_owned(), "a/large".to_owned(), true, text.to_owned());
    assert_eq!(shown(&decision.findings), BTreeSet::from([expected]));
}

/// Policies that go wrong, each in its way; what is found of each.
const WRONG: [(&str, &str, &str); 6] = [
    ("", "deny contains \"no\" if 1 / (count(input.request.name) - 1) == 1", "div"),
    (
        "",
        "deny contains \"no\" if _x == 1\n\n_x := 1 if input.request.name\n\n_x := 2 if input.request.uid",
        "the policy failed",
    ),
    ("", "deny contains {\"message\": \"no\"} if input.request.name", "has the member `message`"),
    ("", "deny contains 5 if input.request.name", "is a number"),
    (
        "#   context: [namespace]\n",
        "deny contains \"no\" if input.context.namespace.name",
        "the fact `namespace` is missing",
    ),
    (
        "",
        "deny contains \"no\" if {\n\tsome i in numbers.range(1, 100000)\n\tsome j in numbers.range(1, 100000)\n\ti + j < 0\n}",
        "it takes longer than it may",
    ),
];

#[test]
fn what_goes_wrong_with_one_is_its_own_error() {
    let mut alone = Tree::default();
    healthy(&mut alone, 30);
    let expected = shown(&decided(&compiled(&alone), Phase::Validate).findings);
    assert_eq!(expected.len(), 30);
    for (custom, body, needle) in WRONG {
        let mut tree = alone.clone();
        policy(&mut tree, "wrong", custom, body);
        bind(&mut tree, "b", "wrong", "");
        let bundle = compiled(&tree);
        let decision = decided(&bundle, Phase::Validate);
        let (wrong, others): (BTreeSet<_>, BTreeSet<_>) =
            shown(&decision.findings).into_iter().partition(|(_, policy, ..)| policy == "a/wrong");
        let lost: Vec<_> = others.symmetric_difference(&expected).collect();
        assert!(lost.is_empty(), "{body}: {lost:?}");
        let [(_, _, true, message)] = Vec::from_iter(&wrong).as_slice() else { panic!("{body}: {wrong:?}") };
        assert!(message.contains(needle), "{body}: {message}");
        assert!(!decision.allowed());

        // In a program of its own nothing is different.
        let place = bundle.bound.iter().find(|one| one.policy.id.as_str() == "a/wrong").unwrap().place();
        let apart = bundle.quarantined(&BTreeSet::from([place])).unwrap();
        assert_eq!(shown(&decided(&apart, Phase::Validate).findings), shown(&decision.findings), "{body}");
    }
}

#[test]
fn what_errs_is_told_from_what_is_only_denied() {
    let mut tree = Tree::default();
    healthy(&mut tree, 2);
    policy(&mut tree, "wrong", "", WRONG[0].1);
    bind(&mut tree, "b", "wrong", "");
    let evaluated = decided(&compiled(&tree), Phase::Validate).evaluated;
    assert_eq!(evaluated, BTreeMap::from([(0, false), (1, false), (2, true)]));
}

#[test]
fn a_policy_can_not_use_another_one() {
    let mut tree = Tree::default();
    healthy(&mut tree, 1);
    policy(&mut tree, "other", "", "deny contains \"no\" if data.policies.a.healthy0.deny");
    bind(&mut tree, "b", "other", "");
    let draft = Draft::read(&tree, &Tree::default());
    let faults = compile(draft).err().unwrap().to_string();
    assert!(faults.contains("a/other/other.rego:9:23: a policy can't use another one"), "{faults}");
}

/// A policy that takes its time is not shortened because a neighbour is in error: what it finds at the end of its loops is
/// there. They are short, so that no machine is too busy for them; that each has all of its time is tested beside the
/// asking (`src/engine/chunk.rs`).
#[test]
fn who_is_slow_is_asked_to_the_end_beside_one_that_errs() {
    let mut tree = Tree::default();
    healthy(&mut tree, 10);
    let slow = "deny contains \"slow\" if count([1 | some i in numbers.range(1, 60); some j in numbers.range(1, 60); i + j > 0]) > 0";
    policy(&mut tree, "slow", "#   failurePolicy: Ignore\n", slow);
    bind(&mut tree, "b", "slow", "");
    let alone = shown(&decided(&compiled(&tree), Phase::Validate).findings);
    assert_eq!(alone.len(), 11, "{alone:?}");
    policy(&mut tree, "wrong", "", WRONG[0].1);
    bind(&mut tree, "b", "wrong", "");
    let beside = shown(&decided(&compiled(&tree), Phase::Validate).findings);
    assert_eq!(beside.difference(&alone).count(), 1);
    assert!(beside.is_superset(&alone));
}

#[test]
fn the_clock_is_the_requests() {
    let mut tree = Tree::default();
    policy(&mut tree, "clock", "#   context: [now]\n", "deny contains sprintf(\"%d\", [time.now_ns()])");
    bind(&mut tree, "b", "clock", "");
    let findings = shown(&decided(&compiled(&tree), Phase::Validate).findings);
    assert_eq!(findings.into_iter().next().unwrap().3, "1769860800000000000");
}
