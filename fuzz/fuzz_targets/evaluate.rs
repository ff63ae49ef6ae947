//! Any JSON as the object of a request, first as a Pod and then as what it says it is: the embedded policies judge and
//! change it without a panic and within their time, and twice the same. Any JSON as `input` of a rule: the same value as a
//! text and as a tree.

#![no_main]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use meshgate::admission::{decode, respond, strict_json};
use meshgate::context::{Fact, FactKey, Facts, Now};
use meshgate::engine::{Bundle, Document, Program, ProgramSettings, compile};
use meshgate::policy::{Draft, Module};
use meshgate::review::{NoMesh, Phase, Progress, Rounds};
use meshgate::source;
use serde_json::{Value, json};

/// Two evaluations of a second each, on a slow machine and with the fuzzer's counters.
const LONGEST: Duration = Duration::from_secs(20);

/// What policies do to values: each rule is undefined where it can't be done.
const RULES: &str = r#"package p

all contains [path, value] if walk(input, [path, value])
all contains json.marshal(input)
all contains sprintf("%v %s %d", [input, input, input])
all contains object.get(input, ["spec", "containers", 0], null)
all contains sort(input)
all contains {x | some x in input}
all contains {k: v | some k, v in input}
all contains input.spec if not input.spec.x in input.spec.y
all contains true if every x in input { is_string(x) }
all contains less if less := input[_][_] < input[_][_]
"#;

static BUNDLE: LazyLock<Bundle> = LazyLock::new(|| {
    let draft = Draft::read(&source::profile("starter").expect("embedded"), &source::catalogue());
    compile(draft).unwrap_or_else(|faults| panic!("{faults}"))
});

static PROGRAM: LazyLock<Program> = LazyLock::new(|| {
    let module = Module { path: "p.rego".to_owned(), text: RULES.to_owned() };
    Program::load(&[module], &ProgramSettings::default()).unwrap_or_else(|faults| panic!("{faults}"))
});

fuzz_target!(|bytes: &[u8]| {
    let Ok(value) = strict_json(bytes) else { return };
    let started = Instant::now();
    let tree = PROGRAM.evaluate("data.p.all", Some(&value)).ok().flatten();
    let text = PROGRAM.evaluate_text("data.p.all", Some(&Document::from(&value))).ok().flatten();
    if let (Some(tree), Some(text)) = (tree, text) {
        assert_eq!(serde_json::from_str::<Value>(&text).expect("JSON"), tree);
    }
    reviewed(&value, "Pod", "pods");
    let kind = value.get("kind").and_then(Value::as_str).unwrap_or("Pod");
    reviewed(&value, kind, &format!("{}s", kind.to_lowercase()));
    assert!(started.elapsed() < LONGEST, "took {:?}", started.elapsed());
});

fn reviewed(object: &Value, kind: &str, resource: &str) {
    let (group, version) = if kind == "Pod" { ("", "v1") } else { ("apps", "v1") };
    let review = json!({ "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "1", "operation": "CREATE", "namespace": "shop", "name": "a",
        "kind": { "group": group, "version": version, "kind": kind },
        "resource": { "group": group, "version": version, "resource": resource }, "object": object
    } });
    let Ok(request) = decode(review.to_string().as_bytes()) else { return };
    for phase in [Phase::Mutate, Phase::Validate] {
        let answer = || {
            let key = FactKey::Namespace("shop".to_owned());
            let labels = json!({ "meshgate.io/mode": "deny" });
            let fact = Fact::Known(json!({ "name": "shop", "labels": labels, "annotations": {} }));
            let mut facts = Facts::at(Now::parse("2026-01-31T12:00:00Z").expect("a time"));
            facts.extend(BTreeSet::from([key.clone()]), BTreeMap::from([(key, fact)]));
            facts.close();
            match Rounds::new(facts).review(&NoMesh, &BUNDLE, &request, phase) {
                Progress::Done(decision) => respond(request.uid(), &decision.answer()),
                Progress::Need(keys) => panic!("{keys:?}"),
            }
        };
        let first = serde_json::to_string(&answer()).expect("JSON");
        assert_eq!(serde_json::to_string(&answer()).expect("JSON"), first);
    }
}
