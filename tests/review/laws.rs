//! Laws of mutation, on trees of policies and on Pods that are put together at random.

use std::sync::LazyLock;

use meshgate::admission::{Operation, Request, respond};
use meshgate::context::Facts;
use meshgate::engine::{Bundle, compile};
use meshgate::policy::{Draft, Tree};
use meshgate::review::{Decision, Phase, Progress, review_in};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::injections::MESH;
use crate::world::{POD, Policies, create, facts, pod, request, sets};

/// Policies that agree, that depend on each other, that fight, that fail, that raise powers; a name and a body each.
fn pool() -> Vec<(&'static str, Vec<&'static str>, String)> {
    let ignore = "failurePolicy: Ignore";
    let labels = "input.request.object.metadata.labels";
    let add = |path: &str, value: &str, when: &str| {
        format!("patch := [{{\"op\": \"add\", \"path\": \"{path}\", \"value\": {value}}}] if {{ {when} }}")
    };
    vec![
        ("sets_a", vec![], sets("/metadata/labels/a", &json!("1"))),
        ("after_a", vec!["order: -1"], add("/metadata/labels/b", "\"2\"", &format!("{labels}.a; not {labels}.b"))),
        ("drops_c", vec!["order: 2"], sets("/metadata/labels/c", &Value::Null)),
        ("with_c", vec![], add("/metadata/labels/d", "\"4\"", &format!("{labels}.c; not {labels}.d"))),
        ("left", vec![ignore], sets("/metadata/labels/side", &json!("left"))),
        ("right", vec![], sets("/metadata/labels/side", &json!("right"))),
        ("counts", vec![ignore], add("/metadata/labels/n", &format!("sprintf(\"%d\", [count({labels}) + 1])"), &format!("{labels}.c"))),
        ("divides", vec![ignore], add("/spec/priority", "10 / input.request.object.spec.divisor", "not input.request.object.spec.priority")),
        ("divisor", vec!["order: 3"], add("/spec/divisor", "5", "input.request.object.spec.divisor == 0")),
        ("strict", vec![], add("/spec/hostname", "\"h\"", "1 / input.request.object.spec.divisor > 0; not input.request.object.spec.hostname")),
        ("prepends", vec!["mayChange: [containers, images, capabilities, allowPrivilegeEscalation, runAsNonRoot, runAsUser, seccompProfile]"],
            add("/spec/containers/0", "{\"name\": \"first\", \"image\": \"f:1\"}", "not \"first\" in {c.name | some c in input.request.object.spec.containers}")),
        ("privileged", vec![], sets("/spec/hostNetwork", &json!(true))),
        ("follow", vec!["context: [mesh.proposal]"], "inject := input.context.mesh.proposal".to_owned()),
        ("each", vec![ignore], "patch := [{\"op\": \"add\", \"path\": sprintf(\"/spec/%s/%d/tty\", [list, i]), \"value\": false} |\n\tsome list in [\"containers\", \"initContainers\"]\n\tsome i, container in object.get(input.request.object.spec, list, [])\n\tnot \"tty\" in object.keys(container)\n]".to_owned()),
    ]
}

fn tree(chosen: u32) -> Tree {
    let mut policies = Policies::default().with("always", &[], &sets("/metadata/labels/always", &json!("1")));
    for (index, (name, custom, body)) in pool().into_iter().enumerate() {
        if chosen & (1 << index) != 0 {
            policies = policies.with(name, &custom, &body);
        }
    }
    policies.0
}

/// A tree twice: as it is, and with the files of its bindings in the other order, under other names. Chosen so that each two policies meet, and all.
static BUNDLES: LazyLock<Vec<(Bundle, Bundle)>> = LazyLock::new(|| {
    let count = u32::try_from(pool().len()).unwrap();
    let fights = (1 << 4) | (1 << 5);
    let all = (1_u32 << count) - 1;
    let pairs = (0..count).flat_map(|one| (0..one).map(move |other| (1 << one) | (1 << other)));
    let wholes = [0, all, all & !fights, all & !(fights | (1 << 11) | (1 << 9) | (1 << 6))];
    pairs
        .chain(wholes)
        .map(|chosen| {
            let tree = tree(chosen);
            let files: Vec<(&str, &[u8])> = tree.iter().collect();
            let mut turned = Tree::default();
            for (index, (path, content)) in files.into_iter().rev().enumerate() {
                let is_binding = path.ends_with(".yaml");
                turned.insert(if is_binding { format!("{index:03}.yaml") } else { path.to_owned() }, content);
            }
            let compiled = |tree: &Tree| {
                compile(Draft::read(tree, &Tree::default())).unwrap_or_else(|faults| panic!("{faults}"))
            };
            let (one, mut other) = (compiled(&tree), compiled(&turned));
            // Another revision, for there are other files; all else is to be the same.
            other.revision = one.revision.clone();
            (one, other)
        })
        .collect()
});

fn decided(bundle: &Bundle, request: &Request) -> Decision {
    let facts: Facts = facts(json!({}));
    match review_in(&MESH, bundle, &facts, request, Phase::Mutate) {
        Progress::Done(decision) => *decision,
        Progress::Need(keys) => panic!("asks for {keys:?}"),
    }
}

fn pods() -> impl Strategy<Value = Value> {
    let label = |name: &'static str, values: Vec<&'static str>| {
        prop::option::of((Just(name), prop::sample::select(values)))
    };
    let labels = [
        label("a", vec!["1", "2"]),
        label("b", vec!["2"]),
        label("c", vec!["3"]),
        label("side", vec!["left", "right", "up"]),
    ];
    let container = (prop::sample::select(vec!["app", "first", "proxy"]), prop::option::of(any::<bool>()));
    let containers = prop::collection::vec(container, 0..3);
    (labels, prop::option::of(0..3_i64), containers).prop_map(|(labels, divisor, containers)| {
        let labels: serde_json::Map<String, Value> =
            labels.into_iter().flatten().map(|(name, value)| (name.to_owned(), json!(value))).collect();
        let container = |(name, tty): (&str, Option<bool>)| match tty {
            Some(tty) => json!({ "name": name, "image": "a:1", "tty": tty }),
            None => json!({ "name": name, "image": "a:1" }),
        };
        let containers: Vec<Value> = containers.into_iter().map(container).collect();
        let mut spec = json!({ "containers": containers });
        if let Some(divisor) = divisor {
            spec["divisor"] = json!(divisor);
        }
        pod(json!({ "labels": labels }), spec)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// What was mutated is not mutated again (R45); the patch leads from what came to the result; a denial has none.
    #[test]
    fn a_second_mutation_changes_nothing(tree in 0..BUNDLES.len(), pod in pods()) {
        let (bundle, _) = &BUNDLES[tree];
        let first = decided(bundle, &create(pod.clone()));
        let mut patched = pod.clone();
        first.patch.apply(&mut patched).unwrap();
        prop_assert_eq!(first.object.as_ref(), Some(&patched));
        prop_assert!(first.allowed() || first.patch.is_empty());
        let second = decided(bundle, &create(patched.clone()));
        prop_assert_eq!(second.patch.to_value(), json!([]), "{:?}", first.findings);
        prop_assert_eq!(second.object.as_ref(), Some(&patched));
        prop_assert_eq!(second.allowed(), first.allowed(), "{:?}", second.findings);
    }

    /// The same bytes, whoever answers, in whatever order its files lay (R46).
    #[test]
    fn mutation_is_the_same_on_every_replica(tree in 0..BUNDLES.len(), pod in pods(), updates in any::<bool>()) {
        let (one, other) = &BUNDLES[tree];
        let mut old = pod.clone();
        old["metadata"]["labels"]["old"] = json!("1");
        let request = if updates { request(POD, None, Operation::Update, Some(pod), Some(old)) } else { create(pod) };
        let answer = |bundle: &Bundle| respond("7", &decided(bundle, &request).answer()).to_string();
        let first = answer(one);
        prop_assert_eq!(&first, &answer(one));
        prop_assert_eq!(first, answer(other));
    }

    /// No update of a Pod is refused for a patch: what changes are labels, here, and images.
    #[test]
    fn an_update_is_patched_only_where_it_may_be(tree in 0..BUNDLES.len(), pod in pods()) {
        let (bundle, _) = &BUNDLES[tree];
        let mut old = pod.clone();
        old["metadata"]["labels"]["old"] = json!("1");
        let decision = decided(bundle, &request(POD, None, Operation::Update, Some(pod), Some(old)));
        for path in decision.patch.paths() {
            prop_assert!(path.starts_with("/metadata/labels"), "{}", path);
        }
    }
}
