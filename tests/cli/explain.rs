//! `explain`: who was asked and why not, which rule said what, what was known.

use serde_json::{Value, json};

use crate::program::{Run, folder, meshgate, run};

const SHOP: &str = "docs/examples/shop.yaml";

#[test]
fn an_object_is_explained_from_match_to_rule() {
    let ran = meshgate(&["explain", SHOP, "--mode", "deny", "--now", "2026-01-31T12:00:00Z"]);
    insta::assert_snapshot!("shop_explained", ran.out);
    assert_eq!((ran.code, ran.err.as_str()), (1, ""));
}

const POLICY: &str = r#"# METADATA
# title: t
# description: d
# custom:
#   context: [namespace]
#   match:
#     rules:
#       - {apiGroups: [""], apiVersions: [v1], resources: [pods]}
package policies.workloads.named

deny contains "every Pod"

deny contains {"msg": msg, "field": "metadata.name"} if {
	input.request.object.metadata.name == "bad"
	input.context.namespace.name == "shop"
	msg := "bad in shop"
}

warn contains "never" if {
	input.request.object.metadata.name == "good"
	input.context.namespace.name == "nowhere"
}

patch := [{"op": "add", "path": "/metadata/labels", "value": {"a": "b"}}] if not input.request.object.metadata.labels
"#;

fn binding(name: &str, rest: &str) -> String {
    format!(
        "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {{name: {name}}}\nspec: {{policy: \
         workloads/named, {rest}}}\n---\n"
    )
}

/// Explains one Pod as JSON, with that policy bound so.
fn explained(bindings: &str, pod: &str, flags: &[&str]) -> (Run, Value) {
    let folder =
        folder(&[("p/workloads/named/named.rego", POLICY), ("p/b.yaml", bindings), ("pod.yaml", pod)]);
    let ran = run(folder.path(), &[&["explain", "-p", "p", "-o", "json", "pod.yaml"], flags].concat(), "");
    let json =
        serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}{}", ran.out, ran.err));
    (ran, json)
}

const BAD: &str =
    "apiVersion: v1\nkind: Pod\nmetadata: {name: bad, namespace: shop}\nspec: {containers: []}\n";
const GOOD: &str =
    "apiVersion: v1\nkind: Pod\nmetadata: {name: good, labels: {c: d}}\nspec: {containers: []}\n";

/// The review of one phase.
fn review<'a>(explained: &'a Value, phase: &str) -> &'a Value {
    let reviews = explained["documents"][0]["reviews"].as_array().unwrap();
    reviews.iter().find(|review| review["phase"] == phase).unwrap()
}

#[test]
fn each_rule_has_its_line_and_what_it_said() {
    let (ran, found) = explained(&binding("one", "enforcement: deny"), BAD, &[]);
    assert_eq!((ran.code, &found["kind"]), (1, &json!("Explanation")));
    let file = "p/workloads/named/named.rego";
    let rule =
        |entry_point: &str, line: u32| json!({ "entryPoint": entry_point, "file": file, "line": line });
    let with = |mut rule: Value, name: &str, value: Value| {
        rule[name] = value;
        rule
    };
    let bad = json!({ "msg": "bad in shop", "field": "metadata.name" });
    let expected = json!([
        with(with(rule("deny", 11), "says", json!(["every Pod"])), "reached", json!(11)),
        with(with(rule("deny", 13), "says", json!([bad])), "reached", json!(16)),
        with(with(rule("warn", 19), "says", json!([])), "reached", json!(20)),
    ]);
    assert_eq!(review(&found, "validate")["bindings"][0]["rules"], expected);
    let patch = json!([{ "op": "add", "path": "/metadata/labels", "value": { "a": "b" } }]);
    let mutated = review(&found, "mutate");
    assert_eq!((&mutated["bindings"][0]["rules"][0]["says"], &mutated["patch"]), (&patch, &patch));
    let namespace =
        json!({ "name": "shop", "labels": { "kubernetes.io/metadata.name": "shop" }, "annotations": {} });
    assert_eq!(mutated["facts"], json!({ "namespace": namespace }));
}

#[test]
fn what_is_allowed_is_explained_as_well() {
    let (ran, found) = explained(&binding("one", "enforcement: warn"), GOOD, &[]);
    assert_eq!((ran.code, &found["documents"][0]["status"]), (0, &json!("warned")));
    let mutated = review(&found, "mutate");
    assert_eq!(
        mutated["bindings"][0]["rules"],
        json!([{ "entryPoint": "patch", "file": "p/workloads/named/named.rego", "line": 24, "reached": 24 }])
    );
    assert_eq!(mutated["patch"], json!([]));
    let warn = &review(&found, "validate")["bindings"][0]["rules"][2];
    assert_eq!((&warn["says"], &warn["reached"]), (&json!([]), &json!(21)));
}

#[test]
fn who_is_not_asked_says_why() {
    let rule = |rest: &str| {
        format!("match: {{rules: [{{apiGroups: [\"\"], apiVersions: [v1], resources: [pods], {rest}}}]}}")
    };
    let selector = |name: &str| format!("match: {{{name}: {{matchLabels: {{team: a}}}}}}");
    let bindings = [
        ("a-operation", format!("enforcement: deny, {}", rule("operations: [UPDATE]"))),
        ("b-scope", format!("enforcement: deny, {}", rule("scope: Cluster"))),
        ("c-object", format!("enforcement: deny, {}", selector("objectSelector"))),
        ("d-namespace", format!("enforcement: deny, {}", selector("namespaceSelector"))),
        ("e-mode", "enforcement: namespace".to_owned()),
        ("f-audit", "enforcement: audit".to_owned()),
    ];
    let tree: String = bindings.iter().map(|(name, rest)| binding(name, rest)).collect();
    let (_, found) = explained(&tree, BAD, &["--mode", "off"]);
    let whys = |phase: &str| -> Vec<String> {
        let bindings = review(&found, phase)["bindings"].as_array().unwrap();
        let line = |one: &Value| format!("{}: {}", one["binding"], one.get("why").unwrap_or(&one["action"]));
        bindings.iter().map(|one| line(one).replace('"', "")).collect()
    };
    let mut expected = vec![
        "a-operation: no rule of the binding's match names this operation",
        "b-scope: no rule of the binding's match names this scope",
        "c-object: the objectSelector of the binding's match does not select its labels",
        "d-namespace: the namespaceSelector of the binding's match does not select its namespace",
        "e-mode: the mode of its namespace is off",
        "f-audit: audit",
    ];
    assert_eq!(whys("validate"), expected);
    expected[5] = "f-audit: the binding only records, so it changes nothing";
    assert_eq!(whys("mutate"), expected);
}

#[test]
fn the_same_is_explained_in_the_same_words_and_decided_as_by_check() {
    let both = [meshgate(&["explain", SHOP, "-o", "json"]), meshgate(&["explain", SHOP, "-o", "json"])];
    assert_eq!(both[0].out, both[1].out);
    let check: Value = serde_json::from_str(&meshgate(&["check", SHOP, "-o", "json"]).out).unwrap();
    let explained: Value = serde_json::from_str(&both[0].out).unwrap();
    let without = |document: &Value| {
        let mut document = document.clone();
        document.as_object_mut().unwrap().remove("reviews");
        document
    };
    let documents: Vec<Value> = explained["documents"].as_array().unwrap().iter().map(without).collect();
    assert_eq!((&Value::from(documents), &explained["revision"]), (&check["documents"], &check["revision"]));
}

const PRIVILEGED: &str = "\
apiVersion: v1
kind: Pod
metadata: {name: node, namespace: shop}
spec:
  containers:
  - {name: agent, image: registry.example/agent:1, securityContext: {privileged: true}}
  - {name: app, image: registry.example/app:1, securityContext: {privileged: true}}
";

/// A policy that denies each privileged container.
const PER_CONTAINER: &str = include_str!("../fixtures/policies/privileged.rego");

/// Explains and checks that Pod beside an exception from the one policy in force.
fn excepted(rest: &str, format: &str) -> [Run; 2] {
    let head = "apiVersion: meshgate.io/v1alpha1\nkind: ";
    let policy = "policy: workloads/privileged";
    let tree = format!(
        "{head}PolicyBinding\nmetadata: {{name: one}}\nspec: {{{policy}, enforcement: deny}}\n---\n\
         {head}PolicyException\nmetadata: {{name: sockets}}\nspec: {{{policy}, owner: o, reason: reads the sockets, \
         expires: 2026-06-30T00:00:00Z{rest}}}\n"
    );
    let folder = folder(&[
        ("p/tree.yaml", &tree),
        ("p/workloads/privileged/privileged.rego", PER_CONTAINER),
        ("pod.yaml", PRIVILEGED),
    ]);
    ["explain", "check"].map(|command| {
        let arguments = [command, "-p", "p", "-o", format, "--now", "2026-01-31T12:00:00Z", "pod.yaml"];
        run(folder.path(), &arguments, "")
    })
}

const CONTAINER: &str = ", containers: [{name: agent, image: registry.example/agent}]";

/// The rules are asked once more with the same containers out of their sight, so they say what `check` finds.
#[test]
fn an_exception_is_explained_with_its_reason_and_its_end() {
    let app = "container \"app\" is privileged: who takes it over has the node";
    let agent = "container \"agent\" is privileged: who takes it over has the node";
    let with = |container: Value| {
        let mut exception =
            json!({ "name": "sockets", "reason": "reads the sockets", "expires": "2026-06-30T00:00:00Z" });
        exception.as_object_mut().unwrap().extend(container.as_object().unwrap().clone());
        json!([exception])
    };
    let unit = json!({ "container": "agent", "control": "workloads/privileged" });
    let taken_out = "container \"agent\" is taken out of the control `workloads/privileged`";
    let table = [
        ("", 0, with(json!({})), vec![agent, app], vec![("excused", agent), ("excused", app)]),
        (CONTAINER, 1, with(unit), vec![app], vec![("deny", app), ("excused", taken_out)]),
        (", match: {namespace: pay}", 1, json!([]), vec![agent, app], vec![("deny", agent), ("deny", app)]),
    ];
    for (rest, code, exceptions, says, findings) in table {
        let [explain, check] = excepted(rest, "json");
        let json =
            |ran: &Run| -> Value { serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}", ran.err)) };
        let (explained, checked) = (json(&explain), json(&check));
        let binding = &review(&explained, "validate")["bindings"][0];
        let mut said: Vec<&str> = binding["rules"][0]["says"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["msg"].as_str().unwrap())
            .collect();
        said.sort_unstable();
        let found = checked["findings"].as_array().unwrap().iter();
        let mut found: Vec<(&str, &str)> =
            found.map(|one| (one["effect"].as_str().unwrap(), one["message"].as_str().unwrap())).collect();
        found.sort_unstable();
        assert_eq!((explain.code, check.code), (code, code), "{rest}");
        assert_eq!((&binding["exceptions"], said, found), (&exceptions, says, findings), "{rest}");
    }
}

#[test]
fn an_exception_is_told_to_people() {
    let lines = |rest: &str| -> Vec<String> {
        let [explain, _] = excepted(rest, "text");
        let about = explain.out.lines().filter(|line| line.trim_start().starts_with("exception "));
        about.map(str::to_owned).collect()
    };
    let whole =
        "      exception sockets excuses all violations, until 2026-06-30T00:00:00Z: reads the sockets";
    let unit = "      exception sockets takes container \"agent\" out of the control `workloads/privileged`, until 2026-06-30T00:00:00Z: reads the sockets";
    assert_eq!([lines(""), lines(CONTAINER)], [[whole], [unit]]);
}
