//! `meshgate bundle diff`: each row of what is compared, weakened one way and strengthened the other.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use tempfile::TempDir;

use crate::program::{Run, folder, run};

const POLICY: &str = r#"# METADATA
# title: t
# description: d
# custom:
#   context: [containers]
#   match:
#     rules:
#       - {apiGroups: [""], apiVersions: [v1], resources: [pods, services]}
#   parameters:
#     type: object
#     properties:
#       least: {type: integer, x-meshgate-stricter: higher, default: 1}
#       most: {type: string, x-meshgate-stricter: lower, default: 1Gi}
#       from: {type: array, items: {type: string}, x-meshgate-stricter: fewer, default: [a, b]}
#       never: {type: array, items: {type: string}, x-meshgate-stricter: more, default: [a, b]}
#       word: {type: string, default: x}
package policies.own.named

deny contains "no name" if input.request.object.metadata.name in {"bad"}
"#;

const EXAMPLE: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: NAME, namespace: shop}\nspec: {containers: [{name: a, image: b}]}\n";

const BINDING: &str = "apiVersion: meshgate.io/v1alpha1
kind: PolicyBinding
metadata: {name: named}
spec:
  policy: own/named
  enforcement: warn
  templates: warn
  match: {namespaceSelector: {matchLabels: {a: b}}}
  parameters: {least: 2}
";

const EXCEPTION: &str = "apiVersion: meshgate.io/v1alpha1
kind: PolicyException
metadata: {name: old}
spec:
  policy: own/named
  match: {namespace: shop, labels: {a: b}}
  owner: o
  reason: r
  expires: 2099-06-01T00:00:00Z
";

const BUNDLE: &str = "apiVersion: meshgate.io/v1alpha1
kind: Bundle
metadata: {name: b}
spec:
  defaultMode: warn
  includes: [images]
  tenants: [{path: teams/shop, namespaces: [shop], ceiling: warn, mayExcept: [own/named]}]
";

const TRUST: &str = "apiVersion: meshgate.io/v1alpha1
kind: ImageTrust
authorities:
  one: {key: {files: [keys/a.pub], transparencyLog: none}}
rules:
  - {name: all, images: [ghcr.io/acme/**], require: {of: [one]}, enforcement: deny}
";

fn tree() -> TempDir {
    let example = |name: &str| EXAMPLE.replace("NAME", name);
    folder(&[
        ("old/own/named/named.rego", POLICY),
        ("old/own/named/examples/denied-bad.yaml", &example("bad")),
        ("old/own/named/examples/allowed-good.yaml", &example("good")),
        ("old/bindings.yaml", BINDING),
        ("old/exceptions.yaml", EXCEPTION),
        ("old/bundle.yaml", BUNDLE),
        ("old/trust.yaml", TRUST),
        ("old/keys/a.pub", "x"),
        ("old/teams/shop/README.yaml", "# nothing yet\n"),
    ])
}

/// The same, with `from` replaced in a file of the new one.
fn changed(file: &str, from: &str, to: &str) -> TempDir {
    let folder = tree();
    let copied =
        std::process::Command::new("cp").args(["-r", "old", "new"]).current_dir(folder.path()).status();
    assert!(copied.unwrap().success());
    let path = folder.path().join("new").join(file);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{file}: {from}");
    fs::write(&path, text.replace(from, to)).unwrap();
    folder
}

fn diff(folder: &TempDir, arguments: &[&str]) -> Run {
    run(folder.path(), &[&["bundle", "diff"], arguments].concat(), "")
}

/// Verdict, kind and what of each change.
fn changes(folder: &TempDir, old: &str, new: &str) -> Vec<String> {
    let ran = diff(folder, &[old, new, "-o", "json"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    let text = |change: &Value, member: &str| change[member].as_str().unwrap().to_owned();
    let line = |change: &Value| {
        format!("{} {}: {}", text(change, "verdict"), text(change, "of"), text(change, "what"))
    };
    report["changes"].as_array().unwrap().iter().map(line).collect()
}

/// File, what is replaced, by what, what is weakened; the other way round it is strengthened.
const WEAKENED: [(&str, &str, &str, &str); 19] = [
    ("bindings.yaml", "enforcement: warn", "enforcement: audit", "binding: enforcement: warn → audit"),
    ("bindings.yaml", "templates: warn", "templates: off", "binding: templates: warn → off"),
    ("bindings.yaml", "{a: b}", "{a: b, c: d}", "binding: match: narrower"),
    ("bindings.yaml", "least: 2", "least: 1", "binding: parameters.least: 2 → 1"),
    ("bindings.yaml", "least: 2", "least: 2, most: 2Gi", "binding: parameters.most: \"1Gi\" → \"2Gi\""),
    (
        "bindings.yaml",
        "least: 2",
        "least: 2, from: [a, b, c]",
        "binding: parameters.from: [\"a\",\"b\"] → [\"a\",\"b\",\"c\"]",
    ),
    (
        "bindings.yaml",
        "least: 2",
        "least: 2, never: [a]",
        "binding: parameters.never: [\"a\",\"b\"] → [\"a\"]",
    ),
    ("own/named/named.rego", "resources: [pods, services]", "resources: [pods]", "policy: match: narrower"),
    (
        "own/named/named.rego",
        "#   match:",
        "#   failurePolicy: Ignore\n#   match:",
        "policy: failurePolicy: Fail → Ignore",
    ),
    (
        "own/named/named.rego",
        "{\"bad\"}",
        "{\"worse\"}",
        "policy: Rego: another; of the examples, some are let in that were not",
    ),
    (
        "exceptions.yaml",
        "2099-06",
        "2099-07",
        "exception: expires: 2099-06-01T00:00:00Z → 2099-07-01T00:00:00Z",
    ),
    ("exceptions.yaml", ", labels: {a: b}", "", "exception: match: wider"),
    ("bundle.yaml", "defaultMode: warn", "defaultMode: audit", "bundle: defaultMode: warn → audit"),
    ("bundle.yaml", "namespaces: [shop]", "namespaces: [shop, web]", "tenant: namespaces: web added"),
    ("bundle.yaml", "ceiling: warn", "ceiling: audit", "tenant: ceiling: warn → audit"),
    ("bundle.yaml", "[own/named]", "[own/named, images/*]", "tenant: mayExcept: images/* added"),
    ("bundle.yaml", "ceiling: warn", "ceiling: warn, mayMutate: true", "tenant: mayMutate: false → true"),
    ("bundle.yaml", "ceiling: warn", "ceiling: warn, maxExpiry: 100d", "tenant: maxExpiry: 2160h → 2400h"),
    (
        "trust.yaml",
        "  one:",
        "  two: {key: {files: [keys/a.pub], transparencyLog: none}}\n  one:",
        "image trust: authority: added",
    ),
];

#[test]
fn what_is_weakened_one_way_is_strengthened_the_other() {
    for (file, from, to, what) in WEAKENED {
        let folder = changed(file, from, to);
        let found = changes(&folder, "old", "new");
        assert!(found.contains(&format!("weakened {what}")), "{to}: {found:#?}");
        let others = found.iter().filter(|change| !change.starts_with("weakened ")).count();
        assert_eq!(others, 0, "{found:#?}");
        let back = changes(&folder, "new", "old");
        assert!(back.iter().any(|change| change.starts_with("strengthened ")), "{to}: {back:#?}");
        assert!(back.iter().all(|change| !change.starts_with("weakened ")), "{back:#?}");
    }
}

#[test]
fn what_can_not_be_told_is_unknown() {
    for (file, from, to, what) in [
        (
            "bindings.yaml",
            "enforcement: warn",
            "enforcement: namespace",
            "binding: enforcement: warn → namespace",
        ),
        ("bindings.yaml", "{a: b}", "{a: c}", "binding: match: another, neither wider nor narrower"),
        ("bindings.yaml", "least: 2", "least: 2, word: z", "binding: parameters.word: \"x\" → \"z\""),
        (
            "exceptions.yaml",
            "namespace: shop",
            "namespace: web",
            "exception: match: another, neither wider nor narrower",
        ),
        (
            "own/named/named.rego",
            "\"no name\"",
            "\"none\"",
            "policy: Rego: another; the examples don't tell whether it lets in more or less",
        ),
        (
            "trust.yaml",
            "[keys/a.pub]",
            "[keys/a.pub, keys/a.pub]",
            "image trust: authority: other keys, identities or demands",
        ),
        ("trust.yaml", "enforcement: deny", "enforcement: warn", "image trust: rule: another demand"),
        ("keys/a.pub", "x", "y", "image trust: key or trust root: another content"),
        ("bundle.yaml", "teams/shop", "teams/shop/", ""),
    ] {
        let folder = changed(file, from, to);
        let found = changes(&folder, "old", "new");
        let expected: Vec<String> =
            [what].iter().filter(|what| !what.is_empty()).map(|what| format!("unknown {what}")).collect();
        assert_eq!(found, expected);
    }
}

/// An image can come under another rule, or under none, of which `noMatch` decides.
#[test]
fn a_rule_of_images_weakens_only_where_it_asks_nobody() {
    let folder = changed("trust.yaml", "[ghcr.io/acme/**]", "[ghcr.io/acme/**, quay.io/**]");
    assert_eq!(changes(&folder, "old", "new"), ["unknown image trust: images: quay.io/** added"]);
    assert_eq!(changes(&folder, "new", "old"), ["unknown image trust: images: quay.io/** removed"]);
    let rule = |of: &str| {
        format!("  - {{name: more, images: [quay.io/**], require: {{of: [{of}]}}, enforcement: deny}}\n")
    };
    for (of, verdict) in [("one", "unknown"), ("ours", "weakened")] {
        let named = format!("rules:\n{}", rule(of));
        let folder = changed("trust.yaml", "rules:\n", &format!("  ours: {{static: pass}}\n{named}"));
        let expected = [
            "weakened image trust: authority: added".to_owned(),
            format!("{verdict} image trust: rule: added"),
        ];
        let found = BTreeSet::from_iter(changes(&folder, "old", "new"));
        assert_eq!(found, BTreeSet::from(expected));
        let gone = ["strengthened image trust: authority: removed", "unknown image trust: rule: removed"];
        let gone = gone.map(str::to_owned);
        assert_eq!(BTreeSet::from_iter(changes(&folder, "new", "old")), BTreeSet::from(gone));
    }
}

#[test]
fn an_example_that_comes_with_a_change_does_not_make_it_stricter() {
    let folder = changed("own/named/named.rego", "{\"bad\"}", "{\"bad\", \"new\"}");
    let example = folder.path().join("new/own/named/examples/denied-new.yaml");
    fs::write(example, EXAMPLE.replace("NAME", "new")).unwrap();
    assert_eq!(
        changes(&folder, "old", "new"),
        ["unknown policy: Rego: another; the examples don't tell whether it lets in more or less"]
    );
    let back = ["weakened policy: Rego: another; of the examples, some are let in that were not"];
    assert_eq!(changes(&folder, "new", "old"), back);
}

#[test]
fn layout_comments_and_order_are_no_change() {
    for (file, from, to) in [
        ("own/named/named.rego", "if input", "if\n\t\tinput"),
        ("own/named/named.rego", "# title: t", "# title: other"),
        ("bindings.yaml", "spec:", "# why\nspec:"),
        ("exceptions.yaml", "reason: r", "reason: another"),
    ] {
        let folder = changed(file, from, to);
        assert_eq!(changes(&folder, "old", "new"), Vec::<String>::new(), "{to}");
    }
}

#[test]
fn what_is_gone_or_new_is_named_and_fails_as_asked() {
    let folder = changed("bindings.yaml", "name: named", "name: other");
    fs::write(folder.path().join("new/exceptions.yaml"), "---\n").unwrap();
    let ran = diff(&folder, &["old", "new"]);
    let (first, rest) = ran.out.split_once('\n').unwrap();
    assert!(first.starts_with("old@") && first.contains(" → new@"), "{first}");
    assert_eq!(
        rest,
        "weakened      binding named (own/named)  removed  (bindings.yaml:1)\n\
         strengthened  binding other (own/named)  added  (bindings.yaml:1)\n\
         strengthened  exception old              of own/named: removed  (exceptions.yaml:1)\n\
         1 weakened, 0 unknown, 2 strengthened\n"
    );
    let unknown = changed("bindings.yaml", "{a: b}", "{a: c}");
    let stronger = changed("bindings.yaml", "least: 2", "least: 3");
    let same = changed("bindings.yaml", "least: 2", "least: 2");
    for (folder, codes) in
        [(&folder, [4, 4, 4]), (&unknown, [0, 4, 4]), (&stronger, [0, 0, 4]), (&same, [0, 0, 0])]
    {
        let code = |what: &str| diff(folder, &["old", "new", "--fail-on", what]).code;
        assert_eq!(["weakened", "unknown", "any"].map(code), codes);
        assert_eq!(diff(folder, &["old", "new"]).code, 0);
    }
    fs::write(same.path().join("new/bindings.yaml"), "kind: Nothing\n").unwrap();
    assert_eq!(diff(&same, &["old", "new", "--fail-on", "any"]).code, 2);
}
