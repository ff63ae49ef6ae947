//! What policies cost together: 24 bindings of 21 policies (those of by_hand.rs three times, under other names) on a Pod of
//! 9 KB with five containers, asked one program each and together; with 200 beside them that are about something else; with
//! one beside them that errs on every request, before and after it was put apart; and 441, to load and to ask. Beside them
//! the same checks by hand, and by OPA.
//!
//! `MESHGATE_REFERENCE_TOOLS=$(tests/reference/build.sh --dir) cargo bench --bench engine`; what is measured, and what came
//! of it, is in docs/benchmarks.md.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "without its Pod and its policies there is nothing to measure"
)]

#[path = "review/by_hand.rs"]
#[expect(dead_code, reason = "the other benchmark compares the mutation as well")]
mod by_hand;
#[path = "engine/opa.rs"]
mod opa;

use std::collections::{BTreeMap, BTreeSet};

use criterion::Criterion;
use meshgate::admission::{Request, decode};
use meshgate::context::{Fact, FactKey, Facts, Now};
use meshgate::engine::{Bundle, compile};
use meshgate::policy::{Draft, Tree};
use meshgate::review::{Decision, Phase, Progress, review};
use opa::Opa;
use serde_json::{Value, json};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const POD: &[u8] = include_bytes!("../tests/fixtures/admission-review/pod.json");

/// The policies and their bindings `copies` times, the first time under their own names.
fn copies(copies: usize) -> Tree {
    let starter = by_hand::policies();
    let mut tree = starter.clone();
    for copy in 1..copies {
        for (path, content) in starter.iter() {
            let text = String::from_utf8_lossy(content);
            match path.split('/').collect::<Vec<_>>().as_slice() {
                ["bindings.yaml"] => {
                    let text: Vec<String> =
                        text.lines().map(|line| renamed(line, "  policy: ", copy)).collect();
                    tree.insert(format!("bindings_{copy}.yaml"), text.join("\n"));
                }
                [category, policy, file] if *category != "lib" && *file == format!("{policy}.rego") => {
                    let name = format!("{policy}_{copy}");
                    let text: Vec<String> =
                        text.lines().map(|line| renamed(line, "package ", copy)).collect();
                    tree.insert(format!("{category}/{name}/{name}.rego"), text.join("\n"));
                }
                _ => {}
            }
        }
    }
    tree
}

fn renamed(line: &str, prefix: &str, copy: usize) -> String {
    if line.starts_with(prefix) { format!("{line}_{copy}") } else { line.to_owned() }
}

/// The tree with `count` policies more that are about Services.
fn with_others(mut tree: Tree, count: usize) -> Tree {
    for number in 0..count {
        let text = format!(
            "# METADATA\n# title: t\n# description: d\n# custom:\n#   match:\n#     rules: [{{apiGroups: [\"\"], apiVersions: [v1], resources: [services]}}]\npackage policies.workloads.other{number}\n\ndeny contains \"no\" if input.request.object.spec.type == \"NodePort\"\n"
        );
        tree.insert(format!("workloads/other{number}/other{number}.rego"), text);
        let binding = format!(
            "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {{name: b}}\nspec: {{policy: workloads/other{number}, enforcement: deny}}\n"
        );
        tree.insert(format!("other{number}.yaml"), binding);
    }
    tree
}

/// The tree with a policy more that errs on every request, in one program with others because it is about the same.
fn with_one_in_error(mut tree: Tree) -> Tree {
    let (_, like) = tree.iter().find(|(path, _)| path.ends_with("/no_latest.rego")).expect("a policy");
    let head = String::from_utf8_lossy(like);
    let (metadata, _) = head.split_once("package ").expect("a package");
    let text = format!(
        "{metadata}package policies.workloads.wrong\n\ndeny contains \"no\" if to_number(input.request.uid) > 0\n"
    );
    tree.insert("workloads/wrong/wrong.rego", text);
    let binding = "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {name: b}\nspec: {policy: workloads/wrong, enforcement: deny}\n";
    tree.insert("wrong.yaml", binding);
    tree
}

fn compiled(tree: &Tree) -> Bundle {
    compile(Draft::read(tree, &Tree::default())).unwrap_or_else(|faults| panic!("{faults}"))
}

fn facts() -> Facts {
    let namespace = FactKey::Namespace("shop".to_owned());
    let labels = json!({ "kubernetes.io/metadata.name": "shop", "meshgate.io/mode": "deny" });
    let fact = Fact::Known(json!({ "name": "shop", "labels": labels, "annotations": {} }));
    let mut facts = Facts::at(Now::parse("2026-01-31T12:00:00Z").expect("a time"));
    facts.extend(BTreeSet::from([namespace.clone()]), BTreeMap::from([(namespace, fact)]));
    facts
}

fn decided(bundle: &Bundle, facts: &Facts, request: &Request) -> Decision {
    match review(bundle, facts, request, Phase::Validate) {
        Progress::Done(decision) => *decision,
        Progress::Need(keys) => panic!("facts are missing: {keys:?}"),
    }
}

/// How many findings there are.
fn judged(bundle: &Bundle, facts: &Facts, request: &Request) -> usize {
    decided(bundle, facts, request).findings.len()
}

/// The places of the bindings that erred.
fn in_error(bundle: &Bundle, facts: &Facts, request: &Request) -> BTreeSet<usize> {
    let evaluated = decided(bundle, facts, request).evaluated;
    evaluated.into_iter().filter_map(|(place, is_error)| is_error.then_some(place)).collect()
}

fn main() {
    let value: Value = serde_json::from_slice(POD).expect("the Pod is JSON");
    let (request, facts) = (decode(value.to_string().as_bytes()).expect("a review"), facts());
    let tree = copies(3);
    let together = compiled(&tree);
    let all = (0..together.bound.len()).collect();
    let alone = together.quarantined(&all).expect("the same policies");
    let beside = compiled(&with_others(tree.clone(), 200));
    let spoilt = compiled(&with_one_in_error(tree.clone()));
    let apart = spoilt.quarantined(&in_error(&spoilt, &facts, &request)).expect("the same policies");
    let many = copies(63);
    let loaded = compiled(&many);
    let expected = by_hand::validate(&value).len().saturating_mul(3);
    for bundle in [&together, &alone, &beside] {
        assert_eq!(judged(bundle, &facts, &request), expected);
    }
    for bundle in [&spoilt, &apart] {
        assert_eq!(judged(bundle, &facts, &request), expected.saturating_add(1));
    }
    let asked: Vec<usize> = decided(&together, &facts, &request).evaluated.into_keys().collect();
    let mut opa = Opa::start(&tree, &together, &asked, &request);
    if let Some(opa) = &mut opa {
        assert_eq!(opa.judged(), expected, "OPA finds something else");
    }
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("21 policies");
    group.bench_function("by hand", |b| b.iter(|| [(); 3].map(|()| by_hand::validate(&value).len())));
    group.bench_function("a program each", |b| b.iter(|| judged(&alone, &facts, &request)));
    group.bench_function("together", |b| b.iter(|| judged(&together, &facts, &request)));
    group.bench_function("together, beside 200 about Services", |b| {
        b.iter(|| judged(&beside, &facts, &request))
    });
    group.bench_function("together, beside one that errs", |b| b.iter(|| judged(&spoilt, &facts, &request)));
    group
        .bench_function("together, the one that errs apart", |b| b.iter(|| judged(&apart, &facts, &request)));
    if let Some(opa) = &mut opa {
        group.bench_function("OPA", |b| b.iter_custom(|times| opa.time(times)));
    }
    group.finish();
    let mut group = criterion.benchmark_group("441 policies");
    group.sample_size(10);
    group.bench_function("load", |b| b.iter(|| compiled(&many).bound.len()));
    group.bench_function("together", |b| b.iter(|| judged(&loaded, &facts, &request)));
    group.finish();
    criterion.final_summary();
}
