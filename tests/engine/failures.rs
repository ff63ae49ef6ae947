//! Error injection: policies that fail in every way that a policy can, together and apart, with facts that can be had and
//! facts that can't. Each denies where it does not fail, so an allow beside a failure is one that a healthy run would not
//! have given (R09). Panics and workers that are stuck are tested where there are workers, in `src/webhook/workers.rs`.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use meshgate::admission::Request;
use meshgate::context::{Fact, FactKey, Facts, Now};
use meshgate::engine::{Bundle, compile};
use meshgate::policy::{Draft, Tree};
use meshgate::review::{Decision, NoMesh, Phase, Progress, Rounds};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use crate::bindings::request_of;

/// A way to fail where the object is called `a`; where it is called `bb` nothing fails.
#[derive(Clone, Copy, Debug)]
struct Way {
    body: &'static str,
    /// What it declares.
    context: &'static str,
    /// Whether it fails at all.
    fails: bool,
    /// Whether it denies where nothing fails.
    denies: bool,
    /// Whether it also denies where it fails.
    keeps: bool,
}

const HEALTHY: Way = Way { body: "", context: "", fails: false, denies: true, keeps: false };
const FAILING: Way = Way { fails: true, ..HEALTHY };

const JUDGING: [Way; 13] = [
    Way { body: "deny contains \"no\" if input.request.name == \"c\"", denies: false, ..HEALTHY },
    Way { body: "deny contains \"no\" if input.request.name", ..HEALTHY },
    // Not learnt with some facts, whatever the object is called.
    Way {
        body: "deny contains \"no\" if input.context.namespace.name == \"shop\"",
        context: "#   context: [namespace]\n",
        ..HEALTHY
    },
    // The policy errs: by a builtin, by a conflict, by a function whose other body has a value.
    Way { body: "deny contains \"no\" if 1 / (count(input.request.name) - 1) == 1", ..FAILING },
    Way {
        body: "deny contains \"no\" if _x == 1\n\n_x := 1 if input.request.name\n\n_x := 2 if input.request.name == \"a\"",
        ..FAILING
    },
    Way {
        body: "deny contains \"no\" if _f(input.request.name) == 1\n\n_f(_) := 1\n\n_f(name) := 1 if {\n\tname == \"a\"\n\tcount(numbers.range(1, 200000000)) > 0\n}",
        ..FAILING
    },
    // The budget of builtins, which no body and no `not` can turn into something else.
    Way {
        body: "deny contains \"no\" if not _small\n\n_small if {\n\tinput.request.name == \"a\"\n\tcount(numbers.range(1, 200000000)) > 0\n}",
        ..FAILING
    },
    // Shapes that the contract does not know, alone and beside a denial.
    Way {
        body: "deny contains {\"message\": \"no\"} if input.request.name == \"a\"\n\ndeny contains \"no\" if input.request.name == \"bb\"",
        ..FAILING
    },
    Way {
        body: "deny contains 5 if input.request.name == \"a\"\n\ndeny contains \"no\" if input.request.name",
        keeps: true,
        ..FAILING
    },
    Way {
        body: "warn contains 5 if input.request.name == \"a\"\n\ndeny contains \"no\" if input.request.name == \"bb\"",
        ..FAILING
    },
    Way {
        body: "annotations := {\"a/b\": \"c\"} if input.request.name == \"a\"\n\ndeny contains \"no\" if input.request.name == \"bb\"",
        ..FAILING
    },
    // Too much: a text, and the whole, of which each part is twice the one before.
    Way {
        body: "deny contains sprintf(\"%0*d\", [20000, 1]) if input.request.name == \"a\"\n\ndeny contains \"no\" if input.request.name == \"bb\"",
        ..FAILING
    },
    Way {
        body: "deny contains {\"msg\": \"no\", \"details\": {\"x\": _e}} if input.request.name == \"a\"\n\ndeny contains \"no\" if input.request.name == \"bb\"\n\n_e := [_d | some _ in numbers.range(1, 300)]\n\n_d := [_c | some _ in numbers.range(1, 300)]\n\n_c := [input.request.uid | some _ in numbers.range(1, 300)]",
        ..FAILING
    },
];

const MUTATING: [Way; 8] = [
    Way {
        body: "patch := [{\"op\": \"add\", \"path\": \"/metadata/labels\", \"value\": {\"a\": \"b\"}}]",
        ..HEALTHY
    },
    Way {
        body: "patch := [{\"op\": \"add\", \"path\": \"/spec/x\", \"value\": 1 / (count(input.request.name) - 1)}]",
        ..FAILING
    },
    Way { body: "patch := {\"op\": \"add\"} if input.request.name == \"a\"", ..FAILING },
    Way {
        body: "patch := [{\"op\": \"put\", \"path\": \"/spec/x\", \"value\": 1}] if input.request.name == \"a\"",
        ..FAILING
    },
    Way {
        body: "patch := [{\"op\": \"add\", \"path\": \"/metadata/name\", \"value\": \"b\"}] if input.request.name == \"a\"",
        ..FAILING
    },
    Way {
        body: "patch := [{\"op\": \"add\", \"path\": \"/spec/y\", \"value\": 1e308 * 10}] if input.request.name == \"a\"",
        ..FAILING
    },
    Way {
        body: "patch := [{\"op\": \"test\", \"path\": \"/kind\", \"value\": \"Pod\"} | some _ in numbers.range(0, 10000)] if input.request.name == \"a\"",
        ..FAILING
    },
    Way {
        body: "patch := [] if {\n\tinput.request.name == \"a\"\n\tcount(numbers.range(1, 200000000)) > 0\n}",
        ..FAILING
    },
];

/// One policy of a bundle.
#[derive(Clone, Debug)]
struct Chosen {
    way: Way,
    enforcement: &'static str,
    ignores: bool,
    /// Whether it is asked in a program of its own.
    apart: bool,
}

fn chosen(ways: &'static [Way]) -> impl Strategy<Value = Vec<Chosen>> {
    let enforcement = select(&["deny", "deny", "namespace", "warn", "audit"][..]);
    let one = (select(ways), enforcement, any::<bool>(), any::<bool>());
    let one = one.prop_map(|(way, enforcement, ignores, apart)| Chosen { way, enforcement, ignores, apart });
    proptest::collection::vec(one, 1..7)
}

fn compiled(policies: &[Chosen]) -> Bundle {
    let mut tree = Tree::default();
    for (number, Chosen { way, enforcement, ignores, .. }) in policies.iter().enumerate() {
        let failure = if *ignores { "#   failurePolicy: Ignore\n" } else { "" };
        let text = format!(
            "# METADATA\n# title: t\n# description: d\n# custom:\n{failure}{}#   match:\n#     rules: [{{apiGroups: [\"\"], apiVersions: [v1], resources: [pods]}}]\npackage policies.a.p{number}\n\n{}\n",
            way.context, way.body
        );
        tree.insert(format!("a/p{number}/p{number}.rego"), text);
        let binding = format!(
            "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {{name: b{number}}}\nspec: {{policy: a/p{number}, enforcement: {enforcement}}}\n"
        );
        tree.insert(format!("b{number}.yaml"), binding);
    }
    compile(Draft::read(&tree, &Tree::default())).unwrap_or_else(|faults| panic!("{faults}"))
}

/// What becomes of the question for the namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum World {
    Answers,
    Fails,
    GivesNoAnswer,
    IsAskedTooOften,
}

fn decided(bundle: &Bundle, world: World, request: &Request, phase: Phase) -> Decision {
    let key = FactKey::Namespace("shop".to_owned());
    let labels = json!({ "meshgate.io/mode": "deny" });
    let known = Fact::Known(json!({ "name": "shop", "labels": labels, "annotations": {} }));
    let mut facts = Facts::at(Now::parse("2026-01-31T12:00:00Z").unwrap());
    match world {
        World::Answers => facts.extend(BTreeSet::from([key.clone()]), BTreeMap::from([(key, known)])),
        World::Fails => {
            let fact = Fact::Unknown("the cluster does not answer".to_owned());
            facts.extend(BTreeSet::from([key.clone()]), BTreeMap::from([(key, fact)]));
        }
        World::GivesNoAnswer => facts.extend(BTreeSet::from([key]), BTreeMap::new()),
        World::IsAskedTooOften => facts.close(),
    }
    match Rounds::new(facts).review(&NoMesh, bundle, request, phase) {
        Progress::Done(decision) => *decision,
        Progress::Need(keys) => panic!("{keys:?}"),
    }
}

/// Whether a policy is in error, and whether it denies.
fn expected(one: &Chosen, world: World, name: &str) -> (bool, bool) {
    let unknown = world != World::Answers && (one.enforcement == "namespace" || !one.way.context.is_empty());
    let fails = unknown || (one.way.fails && name == "a");
    let denies = match (fails, one.ignores) {
        (false, _) => one.way.denies,
        (true, false) => true,
        (true, true) => !unknown && one.way.keeps,
    };
    (fails, denies && ["deny", "namespace"].contains(&one.enforcement))
}

/// Every request in every world, of a bundle as it is and with some of its policies apart. Gives the number of cases.
fn all_cases(policies: &[Chosen], phase: Phase, look: &dyn Fn(World, &str, &Decision)) -> usize {
    let bundle = compiled(policies);
    let is_apart = |place: &usize| policies[*place].apart;
    let apart = bundle.quarantined(&(0..policies.len()).filter(is_apart).collect()).unwrap();
    let mut cases = 0;
    for world in [World::Answers, World::Fails, World::GivesNoAnswer, World::IsAskedTooOften] {
        for name in ["a", "bb"] {
            let request = request_of(name);
            let together = decided(&bundle, world, &request, phase);
            look(world, name, &together);
            let alone = decided(&apart, world, &request, phase);
            assert_eq!(alone.findings, together.findings, "{world:?} {name}");
            assert_eq!(alone.patch, together.patch, "{world:?} {name}");
            cases += 2;
        }
    }
    cases
}

fn bundles(count: u32) -> TestRunner {
    TestRunner::new(Config { cases: count, failure_persistence: None, ..Config::default() })
}

#[test]
fn a_failure_is_never_an_allow_that_a_healthy_run_would_not_have_given() {
    let (cases, denied) = (Cell::new(0), Cell::new(0));
    let property = |policies: Vec<Chosen>| {
        let more = all_cases(&policies, Phase::Validate, &|world, name, decision| {
            let (fail, deny): (Vec<bool>, Vec<bool>) =
                policies.iter().map(|one| expected(one, world, name)).unzip();
            let why = format!("{world:?} {name} {:#?}", decision.findings);
            assert_eq!(decision.allowed(), !deny.contains(&true), "{why}");
            let errors = decision.findings.iter().filter(|finding| finding.is_error).count();
            assert_eq!(errors, fail.iter().filter(|fails| **fails).count(), "{why}");
            denied.set(denied.get() + usize::from(!decision.allowed()));
        });
        cases.set(cases.get() + more);
        Ok(())
    };
    bundles(64).run(&chosen(&JUDGING), property).unwrap();
    println!("{} cases of judging, {} of each two denied; wrong allows: 0", cases.get(), denied.get());
    assert!(cases.get() >= 1_000 && denied.get() > 100, "{} {}", cases.get(), denied.get());
}

#[test]
fn a_mutation_that_fails_changes_nothing_and_denies_where_it_must() {
    let cases = Cell::new(0);
    let property = |policies: Vec<Chosen>| {
        let more = all_cases(&policies, Phase::Mutate, &|world, name, decision| {
            // A mutation that only records is not asked.
            let asked = policies.iter().filter(|one| one.enforcement != "audit");
            let fail: Vec<bool> = asked
                .map(|one| {
                    let (fails, _) = expected(one, world, name);
                    fails && !one.ignores && one.enforcement != "warn"
                })
                .collect();
            let why = format!("{world:?} {name} {:#?}", decision.findings);
            assert_eq!(decision.allowed(), !fail.contains(&true), "{why}");
            assert!(decision.allowed() || decision.patch.is_empty(), "{why}");
        });
        cases.set(cases.get() + more);
        Ok(())
    };
    bundles(32).run(&chosen(&MUTATING), property).unwrap();
    println!("{} cases of mutating; wrong allows: 0", cases.get());
    assert!(cases.get() >= 500, "{}", cases.get());
}

/// The healthy half of the above is healthy: it would show nothing otherwise.
#[test]
fn nothing_fails_where_the_object_is_called_otherwise() {
    for way in JUDGING {
        let policies = [Chosen { way, enforcement: "deny", ignores: false, apart: false }];
        let of =
            |name: &str| decided(&compiled(&policies), World::Answers, &request_of(name), Phase::Validate);
        let shown = |decision: Decision| {
            let errors = decision.findings.iter().filter(|finding| finding.is_error).count();
            json!([errors, decision.allowed()])
        };
        let expected: Value = json!([[usize::from(way.fails), !(way.fails || way.denies)], [0, !way.denies]]);
        assert_eq!(json!([shown(of("a")), shown(of("bb"))]), expected, "{}", way.body);
    }
}
