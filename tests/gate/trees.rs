//! Trees of one policy: what the contract refuses, and what the lints find and leave alone.

use meshgate::context::Now;
use meshgate::engine::{self, Linted};
use meshgate::policy::{Fault, Tree};

/// The package and the METADATA of the policy, with what a case adds to `custom`.
const METADATA: &str = "\
# METADATA
# title: A
# description: B
# custom:
#   context: [containers, pod]
#   parameters:
#     type: object
#     additionalProperties: false
#     properties:
#       registries: {type: array, default: []}
#       limits: {type: object, additionalProperties: false, properties: {cpu: {type: string}}}
#   match:
#     rules:
#       - apiGroups: [apps]
#         apiVersions: [v1]
#         resources: [deployments]
package policies.a.b

";

const BINDING: &str = "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {name: b}\nspec: {policy: a/b, enforcement: deny}\n";

const LIBRARY: &str = "\
package lib.containers

of(control) := [container | some container in input.context.containers; not _exempt(control, container)]

_exempt(control, container) if container.name in object.get(input.exempt, control, [])

default title(_) := \"?\"

of_namespace := input.context.namespace
";

/// A policy with all that belongs to it.
fn tree(policy: &str, test: &str) -> Tree {
    let mut tree = Tree::default();
    tree.insert("bindings.yaml", BINDING);
    tree.insert("lib/containers/containers.rego", LIBRARY);
    tree.insert("a/b/b.rego", policy);
    tree.insert("a/b/b_test.rego", test);
    tree.insert("a/b/examples/allowed-x.yaml", "");
    tree.insert("a/b/examples/denied-x.yaml", "");
    tree
}

const TEST: &str = "package policies.a.b_test\n\ntest_a if true\n";

/// A policy with this body, and all that belongs to it.
pub(crate) fn of_policy(body: &str) -> Tree {
    tree(&format!("{METADATA}{body}\n"), TEST)
}

fn lint(tree: &Tree) -> Linted {
    engine::lint(tree, &Tree::default(), Now::parse("2026-01-31T12:00:00Z").unwrap())
}

fn shown(faults: &[Fault]) -> Vec<String> {
    faults
        .iter()
        .map(|fault| format!("{} {}:{}", fault.code.unwrap_or_default(), fault.line, fault.column))
        .collect()
}

/// What was found, if it is not what was expected.
fn differs(text: &str, found: &[Fault], expected: &[&str]) -> Option<String> {
    (shown(found) != expected).then(|| format!("{text}\n  expected {expected:?}, found {found:#?}\n"))
}

/// The lines of a policy begin after the METADATA: at 19.
fn policy(body: &str) -> Linted {
    lint(&of_policy(body.trim_end()))
}

#[test]
fn what_the_contract_refuses() {
    let mut wrong = Vec::new();
    for (body, expected) in [
        ("deny contains \"no\" if data.lib.missing", &["MG101 19:23"][..]),
        ("deny contains \"no\" if data.lib.containers.off(\"a\")", &["MG103 19:23"]),
        ("deny contains \"no\" if data.policies.a.c.deny", &["MG101 19:23"]),
        ("import data.lib.contaners\n\ndeny contains \"no\" if contaners.x", &["MG102 19:8", "MG101 21:23"]),
        ("deny contains \"no\" if input.review.object.x", &["MG120 19:23"]),
        ("deny contains \"no\" if input[x] == 1", &["MG120 19:23"]),
        ("deny contains \"no\" if object.get(input, \"request\", {}).x", &["MG120 19:34"]),
        ("deny contains \"no\" if input.context.namespace.x", &["MG121 19:23"]),
        ("deny contains \"no\" if input.context.images.x", &["MG121 19:23"]),
        ("deny contains \"no\" if input.context.inventory.cluster.v1.Node[_]", &["MG121 19:23"]),
        ("deny contains \"no\" if data.lib.containers.of_namespace.x", &["MG121 19:23"]),
        ("deny contains \"no\" if time.now_ns() > 1", &["MG121 19:23"]),
        ("deny contains \"no\" if input.context[_] == 1", &["MG122 19:23"]),
        ("deny contains \"no\" if count(input.context) > 1", &["MG122 19:29"]),
        ("violation contains \"no\" if true", &["MG123 0:0"]),
        ("deny := \"no\" if true", &["MG124 19:1"]),
        ("deny.x contains \"no\" if true", &["MG124 19:1"]),
        ("deny(x) := x", &["MG124 19:1"]),
        ("patch contains 1 if true", &["MG124 19:1"]),
        ("inject contains {} if true", &["MG124 19:1"]),
        ("deny contains \"no\" if input.parameters.registry", &["MG126 19:23"]),
        ("deny contains \"no\" if input.parameters.limits.memory", &["MG126 19:23"]),
    ] {
        let found = policy(&format!("{body}\n")).faults;
        assert!(found.iter().all(|fault| fault.parts().1.is_some()), "{found:#?}");
        wrong.extend(differs(body, &found, expected));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_the_contract_gives() {
    let mut wrong = Vec::new();
    for body in [
        "import data.lib.containers\n\ndeny contains msg if {\n\tsome c in containers.of(\"a/b\")\n\tmsg := containers.title(c)\n}",
        "import input.request as r\n\ndeny contains \"no\" if r.operation in {\"DELETE\"}",
        "deny contains \"no\" if input.context.pod.path == \"spec\"",
        "deny contains \"no\" if input.parameters.limits.cpu == \"1\"",
        "deny contains \"no\" if { some x in input.parameters.registries; x == 1 }",
        "deny contains \"no\" if input.parameters[_] == 1",
        "deny contains \"no\" if count(input.exempt) > 1",
        "annotations[\"a\"] := \"b\" if input.request.name == \"a\"",
        "default patch := []\n\npatch := [{}] if input.request.name == \"a\"",
        "deny contains \"no\" if data.policies.a.b.helper\n\nhelper if input.request.name == \"a\"",
    ] {
        wrong.extend(differs(body, &policy(&format!("{body}\n")).faults, &[]));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_inventory_is_read_as_it_is_declared() {
    let context = "context: {containers: null, inventory: {kinds: [Namespace, apps/v1/Deployment]}}";
    let mut wrong = Vec::new();
    for (way, expected) in [
        ("cluster.v1.Namespace[_].metadata.name", &[][..]),
        ("namespace[_][_].Deployment[_].metadata.name", &[]),
        ("namespace[x][\"apps/v1\"][_][_].metadata.name", &[]),
        ("cluster[_][_]", &[]),
        ("clusters.v1.Namespace", &["MG121 19:47"]),
        ("cluster.v1.Namespaces[_]", &["MG121 19:58"]),
        ("cluster[_].Pod", &["MG121 19:58"]),
        ("cluster[\"apps/v1\"].Namespace", &["MG121 19:66"]),
        ("namespace.shop[\"apps/v2\"]", &["MG121 19:62"]),
        ("namespace[_][\"apps/v1\"].StatefulSet", &["MG121 19:71"]),
    ] {
        let body = format!("deny contains \"no\" if input.context.inventory.{way} == 1\n");
        let policy = METADATA.replace("context: [containers, pod]", context);
        wrong.extend(differs(way, &lint(&tree(&format!("{policy}{body}"), TEST)).faults, expected));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Code, a policy that it finds with the place, and one that it leaves alone.
const LINTS: &[(&str, &str, &str)] = &[
    (
        "MG201 19:15",
        "deny contains input.request.object.metadata.name if true",
        "deny contains name if name := input.request.object.metadata.name",
    ),
    (
        "MG201 19:23",
        "deny contains {\"msg\": c.name} if some c in input.context.containers",
        "deny contains {\"msg\": name} if {\n\tsome c in input.context.containers\n\tname := c.name\n}",
    ),
    (
        "MG201 19:15",
        "deny contains _name if true\n\n_name := \"a\" if input.request.name == \"a\"",
        "deny contains _name if true\n\ndefault _name := \"b\"\n\n_name := \"a\" if input.request.name == \"a\"",
    ),
    (
        "MG201 19:30",
        "deny contains sprintf(\"%v\", [_f(1)]) if true\n\n_f(x) := x if x > 1",
        "deny contains sprintf(\"%v\", [_f(1)]) if true\n\n_f(x) := x + 1",
    ),
    (
        "MG202 19:38",
        "deny contains \"no\" if not startswith(input.request.object.x, \"a\")",
        "deny contains \"no\" if {\n\tx := object.get(input.request.object, \"x\", \"\")\n\tnot startswith(x, \"a\")\n}",
    ),
    (
        "MG202 19:27",
        "deny contains \"no\" if not input.request.object.metadata.labels.owner",
        "deny contains \"no\" if not _owned\n\n_owned if input.request.object.metadata.labels.owner",
    ),
    (
        "MG203 19:61",
        "deny contains \"no\" if { some c in input.request.object.spec.containers; c.name == \"a\" }",
        "deny contains \"no\" if { some c in input.context.containers; c.name == \"a\" }",
    ),
    (
        "MG203 19:60",
        "deny contains \"no\" if object.get(input.request, [\"object\", \"initContainers\"], []) != []",
        "deny contains \"no\" if object.get(input.request, [\"object\", \"volumes\"], []) != []",
    ),
    (
        "MG204 19:50",
        "deny contains \"no\" if input.request.operation == \"CREATE\"",
        "deny contains \"no\" if input.request.operation in {\"CREATE\", \"UPDATE\"}",
    ),
    (
        "MG205 19:60",
        "deny contains \"no\" if object.get(input.request, [\"object\", \"deletionTimestamp\"], null) == null",
        "deny contains \"no\" if object.get(input.request, [\"object\", \"metadata\"], null) == null",
    ),
    (
        "MG209 19:8",
        "import data.lib.containers\n\ndeny contains \"no\" if input.request.name == \"containers\"",
        "import data.lib.containers\n\ndeny contains \"no\" if containers.of(\"a/b\") == []",
    ),
    (
        "MG210 20:2",
        "deny contains \"no\" if {\n\tx := 1\n}",
        "deny contains \"no\" if {\n\tx := 1\n\tx == input.request.name\n}",
    ),
    (
        "MG210 21:4",
        "deny contains \"no\" if _f(1)\n\n_f(x) if input.request.name == \"a\"",
        "deny contains \"no\" if _f(1)\n\n_f(_) if input.request.name == \"a\"",
    ),
    (
        "MG211 19:23",
        "deny contains \"no\" if _exempt\n\n_exempt if input.request.name == \"a\"",
        "deny contains \"no\" if not _exempt\n\n_exempt if input.request.name == \"a\"",
    ),
    (
        "MG212 19:37",
        "deny contains msg if msg := sprintf(\"%s of %s\", [1])",
        "deny contains msg if msg := sprintf(\"%s of 100%%\", [1])",
    ),
];

#[test]
fn each_lint_finds_one_policy_and_leaves_the_other_alone() {
    let mut wrong = Vec::new();
    for (expected, caught, left) in LINTS {
        for (body, expected) in [(caught, &[*expected][..]), (left, &[])] {
            let Linted { faults, lints } = policy(&format!("{body}\n"));
            assert!(lints.iter().all(|lint| lint.parts().1.is_some()), "{lints:#?}");
            wrong.extend(differs(body, &faults, &[]));
            wrong.extend(differs(body, &lints, expected));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn match_takes_updates_too() {
    let deny = "deny contains \"no\" if input.request.name == \"a\"\n";
    let patch = "patch := [] if input.request.name == \"a\"\n";
    for (resources, operations, rule, expected) in [
        ("deployments", "[CREATE]", deny, 1),
        ("pods", "[CREATE]", deny, 1),
        ("deployments", "[CREATE]", patch, 1),
        ("pods", "[CREATE]", patch, 0),
        ("jobs", "[CREATE]", deny, 0),
        ("deployments", "[CREATE, UPDATE]", deny, 0),
        ("deployments", "[\"*\"]", deny, 0),
        ("deployments", "[DELETE]", deny, 0),
    ] {
        let metadata =
            METADATA.replace("[deployments]", &format!("[{resources}]\n#         operations: {operations}"));
        let metadata = metadata.replace("[apps]", "[\"\", apps, batch]");
        let Linted { faults, lints } = lint(&tree(&format!("{metadata}{rule}"), TEST));
        let codes: Vec<_> = lints.iter().map(|lint| lint.code).collect();
        assert_eq!((faults, codes), (vec![], vec![Some("MG204"); expected]), "{resources} {operations}");
    }
}

#[test]
fn tests_compare_whole_sets() {
    let mut wrong = Vec::new();
    let body = format!("{METADATA}deny contains \"no\" if input.request.name == \"a\"\n");
    for (test, expected) in [
        ("test_a if count(b.deny) == 1 with input as {}", &["MG206 5:11"][..]),
        ("test_a if {\n\tx := b.deny with input as {}\n\tcount(x) == 1\n}", &["MG206 7:2"]),
        ("test_a if b.deny[\"no\"] with input as {}", &["MG206 5:11"]),
        ("test_a if \"no\" in b.deny with input as {}", &["MG206 5:11"]),
        ("test_a if {\n\tsome x in b.deny with input as {}\n\tx == \"no\"\n}", &["MG206 6:12"]),
        ("test_a if not b.deny with input as {}", &["MG206 5:15"]),
        ("test_a if b.deny == set() with input as {}", &[]),
        ("test_a if {\n\tx := b.deny with input as {}\n\tx == {\"no\"}\n}", &[]),
        ("test_a if count(b.patch) == 1 with input as {} with data.policies.a.b.patch as [1]", &[]),
    ] {
        let Linted { faults, lints } =
            lint(&tree(&body, &format!("package policies.a.b_test\n\nimport data.policies.a.b\n\n{test}\n")));
        wrong.extend(differs(test, &faults, &[]));
        wrong.extend(differs(test, &lints, expected));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_lies_beside_a_policy_is_missed() {
    let body = format!("{METADATA}deny contains \"no\" if input.request.name == \"a\"\n");
    let mut bare = Tree::default();
    bare.insert("bindings.yaml", BINDING);
    bare.insert("lib/containers/containers.rego", LIBRARY);
    bare.insert("a/b/b.rego", body.as_str());
    let found: Vec<_> = lint(&bare).lints.iter().filter_map(|lint| lint.code).collect();
    assert_eq!(found, ["MG207", "MG207", "MG208"]);
    bare.insert("a/b/examples/mutated-x.yaml", "");
    bare.insert("a/b/examples/allowed-x.yaml", "");
    bare.insert("a/b/b_test.rego", "package policies.a.b_test\n");
    assert_eq!(lint(&bare).lints, []);
}

#[test]
fn a_tree_that_can_not_be_read_is_judged_as_rego() {
    let mut broken = tree(
        "package policies.a.b\n\ndeny contains x if true\n",
        "package policies.a.b_test\n\ntest_a if y\n",
    );
    broken.insert("c.yaml", "kind: Nope\n");
    let codes: Vec<_> = lint(&broken).faults.iter().map(|fault| (fault.file.clone(), fault.code)).collect();
    let expected = [
        ("a/b/b.rego", None),
        ("a/b/b.rego", Some("MG111")),
        ("a/b/b_test.rego", Some("MG111")),
        ("c.yaml", None),
    ];
    assert_eq!(codes, expected.map(|(file, code)| (file.to_owned(), code)));
}
