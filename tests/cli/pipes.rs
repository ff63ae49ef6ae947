//! What renderers pipe in, and facts that nobody gives.

use serde_json::{Value, json};

use crate::program::{meshgate, run, with_input};

const RENDERED: &str = "\
---
# Source: shop/templates/web.yaml
apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  containers:
  - name: web
    image: nginx
---
# Source: shop/charts/db/templates/db.yaml
apiVersion: v1
kind: Pod
metadata: {name: db}
spec: {containers: [{name: db, image: postgres}]}
---
apiVersion: v1
kind: Pod
metadata: {name: other}
spec: {containers: [{name: other, image: other}]}
---
# Source: shop/templates/broken.yaml
kind: 'Pod
";

/// `file:line` of each finding about images, and of each document.
fn places(report: &str) -> (Vec<String>, Vec<String>) {
    let report: Value = serde_json::from_str(report).unwrap();
    let place = |one: &Value| format!("{}:{}", one["file"].as_str().unwrap(), one["line"]);
    let all = |list: &str| report[list].as_array().unwrap().clone();
    let latest = all("findings").into_iter().filter(|finding| finding["policy"] == "images/no_latest");
    (latest.map(|one| place(&one)).collect(), all("documents").iter().map(place).collect())
}

#[test]
fn what_helm_has_rendered_is_found_in_its_templates() {
    let ran = with_input(&["check", "-", "-o", "json"], RENDERED);
    let (findings, documents) = places(&ran.out);
    assert_eq!(findings, ["shop/templates/web.yaml:8", "shop/charts/db/templates/db.yaml:4", "-:21"]);
    assert_eq!(
        documents,
        [
            "shop/templates/web.yaml:1",
            "shop/charts/db/templates/db.yaml:1",
            "-:18",
            "shop/templates/broken.yaml:2"
        ]
    );
    // The excerpt is of what was piped in.
    let text = with_input(&["check", "-"], RENDERED).out;
    let excerpt = " --> shop/templates/web.yaml:8:5: Pod/default/web\n  |\n8 |     image: nginx\n  |     ^^^^^^^^^^^^\n";
    assert!(text.contains(excerpt), "{text}");
    // A file has a name and lines of its own.
    let folder = crate::program::folder(&[("rendered.yaml", RENDERED)]);
    let (findings, _) = places(&run(folder.path(), &["check", "rendered.yaml", "-o", "json"], "").out);
    assert_eq!(findings, ["rendered.yaml:10", "rendered.yaml:16", "rendered.yaml:21"]);
}

#[test]
fn a_namespace_that_nobody_gives_is_assumed_an_error_or_left_out() {
    let shop = "docs/examples/shop.yaml";
    let assumed = meshgate(&["check", shop, "--missing-facts", "assume"]);
    assert!(assumed.code == 0 && assumed.out.contains("taken as freshly made: shop"), "{}", assumed.out);
    let error = meshgate(&["check", shop, "--missing-facts", "error"]);
    assert_eq!(error.code, 3, "{}", error.out);
    assert!(error.out.contains("nothing is known of the namespace `shop`"), "{}", error.out);
    for format in ["text", "table", "json", "yaml", "sarif", "junit", "github", "markdown"] {
        let skipped = meshgate(&["check", shop, "--missing-facts", "skip", "-o", format]);
        assert_eq!(skipped.code, 0, "{format}: {}", skipped.out);
        let counted = ["not judged, because a fact is missing: ", "\"notJudged\": ", "notJudged: "];
        let is_counted = counted.iter().any(|word| {
            skipped
                .out
                .split(word)
                .nth(1)
                .is_some_and(|rest| rest.starts_with(|c: char| ('1'..='9').contains(&c)))
        });
        let is_listed = skipped.out.contains("nothing is known of the namespace `shop`");
        let (sarif_or_junit, table) = (["sarif", "junit"].contains(&format), format == "table");
        assert!(is_counted || sarif_or_junit, "{format}: {}", skipped.out);
        assert!(is_listed || table, "{format}: {}", skipped.out);
    }
}

#[test]
fn a_broken_object_is_no_missing_fact() {
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: a, securityContext: {privileged: 1}}]}\n";
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: default}\n---\n";
    let ran =
        with_input(&["check", "-", "--missing-facts", "skip", "-o", "json"], &format!("{namespace}{pod}"));
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        (ran.code, &report["summary"]["notJudged"], &report["summary"]["errors"]),
        (3, &json!(0), &json!(1))
    );
}
