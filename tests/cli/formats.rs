//! The formats of a report, each read by its own schema or by a parser of its own.

use std::collections::BTreeSet;

use roxmltree::{Document, Node};
use serde_json::{Value, json};

use crate::everything::{CHECK, everything};
use crate::program::{Run, meshgate, run, with_input};

fn check(more: &[&str]) -> Run {
    run(everything().path(), &[&CHECK[..], more].concat(), "")
}

fn report() -> Value {
    let ran = check(&["--format", "json"]);
    assert_eq!(ran.code, 3, "{}", ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

/// The published schema, and the names of all members in it.
fn schema() -> (Value, BTreeSet<String>) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/report.schema.json");
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut names = BTreeSet::new();
    members(&schema, &mut names);
    (schema, names)
}

fn members(schema: &Value, names: &mut BTreeSet<String>) {
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        names.extend(properties.keys().cloned());
    }
    match schema {
        Value::Object(all) => all.values().for_each(|one| members(one, names)),
        Value::Array(all) => all.iter().for_each(|one| members(one, names)),
        _ => {}
    }
}

fn keys(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(all) => all.iter().for_each(|(name, one)| {
            names.insert(name.clone());
            keys(one, names);
        }),
        Value::Array(all) => all.iter().for_each(|one| keys(one, names)),
        _ => {}
    }
}

#[test]
fn the_published_schema_is_that_of_the_report_no_more_and_no_less() {
    let (schema, named) = schema();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let mut found = BTreeSet::new();
    let shop = meshgate(&["check", "docs/examples/shop.yaml", "--format", "json"]);
    for report in [report(), serde_json::from_str(&shop.out).unwrap()] {
        let faults: Vec<String> = validator
            .iter_errors(&report)
            .map(|fault| format!("{}: {fault}", fault.instance_path()))
            .collect();
        assert_eq!(faults, Vec::<String>::new());
        keys(&report, &mut found);
    }
    assert_eq!(found, named);
    let mut other = report();
    other["findings"][0]["more"] = json!(1);
    assert!(!validator.is_valid(&other), "a member more");
}

#[test]
fn every_status_and_effect_is_met() {
    let report = report();
    let all = |list: &str, member: &str| -> BTreeSet<String> {
        let of = |one: &Value| one[member].as_str().unwrap().to_owned();
        report[list].as_array().unwrap().iter().map(of).collect()
    };
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(
        all("documents", "status"),
        set(&["passed", "denied", "warned", "error", "skipped", "invalid"])
    );
    assert_eq!(all("findings", "effect"), set(&["deny", "warn", "audit", "excused", "error"]));
}

#[test]
fn yaml_is_the_same_as_json() {
    let ran = check(&["-o", "yaml"]);
    let documents = meshgate::yaml::read(ran.out.as_bytes());
    let [Ok(document)] = documents.as_slice() else { panic!("{documents:?}") };
    assert_eq!(document.value, report());
}

#[test]
fn sarif_is_read_by_its_types_and_says_the_same() {
    let ran = check(&["-o", "sarif"]);
    // Made from the schema of OASIS: they refuse what it does not know, and what lacks a member.
    let sarif: serde_sarif::sarif::Sarif = serde_json::from_str(&ran.out).unwrap();
    let log: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(serde_json::to_value(&sarif).unwrap(), log);
    let [run] = sarif.runs.as_slice() else { panic!("one run") };
    let rules = run.tool.driver.rules.as_ref().unwrap();
    let report = report();
    let findings = report["findings"].as_array().unwrap();
    let results = run.results.as_ref().unwrap();
    assert_eq!(results.len(), findings.len());
    for (result, finding) in results.iter().zip(findings) {
        let rule = &rules[usize::try_from(result.rule_index.unwrap()).unwrap()];
        assert_eq!((Some(&rule.id), json!(rule.id)), (result.rule_id.as_ref(), finding["policy"].clone()));
        let region = result.locations.as_ref().unwrap()[0]
            .physical_location
            .as_ref()
            .unwrap()
            .region
            .as_ref()
            .unwrap();
        assert_eq!(
            (json!(region.start_line), json!(region.start_column)),
            (finding["line"].clone(), finding["column"].clone())
        );
        let message = finding["message"].as_str().unwrap();
        assert!(result.message.text.as_ref().unwrap().contains(message), "{result:?}");
        assert_eq!(result.suppressions.is_some(), finding["effect"] == "excused");
    }
    insta::assert_snapshot!("everything_sarif", without_version(&log));
}

/// A log without what changes with each release and each bundle.
fn without_version(log: &Value) -> String {
    let mut log = log.clone();
    log["runs"][0]["tool"]["driver"]["version"] = json!("…");
    log["runs"][0]["properties"]["revision"] = json!("policies@…");
    serde_json::to_string_pretty(&log).unwrap()
}

/// The elements below one, which are of these names only and have these attributes.
fn elements<'a>(node: Node<'a, 'a>, names: &[&str], attributes: &[&str]) -> Vec<Node<'a, 'a>> {
    let children: Vec<_> = node.children().filter(Node::is_element).collect();
    for child in &children {
        assert!(names.contains(&child.tag_name().name()), "{child:?}");
        let found: BTreeSet<&str> = child.attributes().map(|one| one.name()).collect();
        assert_eq!(found, attributes.iter().copied().collect(), "{child:?}");
    }
    children
}

/// Of each suite what its cases came to: the name of the element in them. The numbers in attributes have to be right.
fn suites(xml: &str) -> Vec<Vec<String>> {
    let document = Document::parse(xml).unwrap();
    let root = document.root_element();
    assert_eq!((root.tag_name().name(), root.attribute("name")), ("testsuites", Some("meshgate check")));
    let mut all = Vec::new();
    for suite in elements(root, &["testsuite"], &["name", "tests", "failures", "errors", "skipped"]) {
        let cases = elements(suite, &["testcase"], &["name", "classname"]);
        let outcome = |case: &Node<'_, '_>| {
            let verdicts: Vec<&str> =
                case.children().filter(Node::is_element).map(|one| one.tag_name().name()).collect();
            assert!(verdicts.len() < 2 || verdicts.last() == Some(&"system-out"), "{verdicts:?}");
            verdicts.first().copied().unwrap_or("passed").to_owned()
        };
        let outcomes: Vec<String> = cases.iter().map(outcome).collect();
        let count = |name: &str| outcomes.iter().filter(|one| *one == name).count().to_string();
        for (attribute, name) in [("failures", "failure"), ("errors", "error"), ("skipped", "skipped")] {
            assert_eq!(suite.attribute(attribute), Some(count(name).as_str()), "{attribute}");
        }
        assert_eq!(suite.attribute("tests"), Some(outcomes.len().to_string().as_str()));
        all.push(outcomes);
    }
    let sum = |name: &str| all.iter().flatten().filter(|one| *one == name).count().to_string();
    assert_eq!(root.attribute("failures"), Some(sum("failure").as_str()));
    assert_eq!(root.attribute("errors"), Some(sum("error").as_str()));
    all
}

#[test]
fn junit_is_read_by_a_parser_and_its_numbers_are_right() {
    let ran = check(&["-o", "junit"]);
    insta::assert_snapshot!("everything_junit", ran.out);
    let outcomes = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let (warned, rest) = ("system-out", ["error", "passed"]);
    let first = ["passed", "failure", warned, warned, warned].into_iter().chain(rest).collect::<Vec<_>>();
    let found = suites(&ran.out);
    assert_eq!(found[..3], [outcomes(&first), outcomes(&["error"]), outcomes(&["skipped"])]);
    let strict = suites(&check(&["-o", "junit", "--fail-on", "warn"]).out);
    assert_eq!(strict[0][2], "failure");
}

#[test]
fn what_github_and_a_pull_request_are_shown() {
    let github = check(&["-o", "github"]);
    insta::assert_snapshot!("everything_github", github.out);
    // What begins with two colons is a command; none is but ours.
    let commands = github.out.lines().filter(|line| line.trim_start().starts_with("::"));
    for command in commands {
        assert!(
            ["::error file=", "::warning file=", "::notice file="].iter().any(|one| command.starts_with(one))
        );
    }
    assert!(!github.out.contains("##["), "{}", github.out);
    insta::assert_snapshot!("everything_markdown", check(&["-o", "markdown"]).out);
    insta::assert_snapshot!("everything_table", check(&["-o", "table"]).out);
}

#[test]
fn what_is_not_in_this_release_is_refused_by_name() {
    for format in ["tap", "gitlab"] {
        let ran = check(&["-o", format]);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{format}");
        assert!(ran.err.contains(&format!("--format {format}: not in this release")), "{}", ran.err);
    }
    let typo = check(&["-o", "sarf"]);
    assert!(typo.code == 2 && typo.err.contains("a similar value exists: 'sarif'"), "{}", typo.err);
}

#[test]
fn a_warning_fails_a_run_where_that_is_asked_for() {
    for (flags, code) in [(&[][..], 0), (&["--fail-on", "deny"], 0), (&["--fail-on", "warn"], 1)] {
        let ran = meshgate(&[&["check", "docs/examples/shop.yaml"], flags].concat());
        assert_eq!(ran.code, code, "{flags:?}");
    }
}

#[test]
fn no_format_tells_what_a_policy_keeps_to_itself() {
    let manifest = "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: shop}\nspec:\n  containers:\n    - name: a\n      image: i:1\n      env:\n        - name: PASSWORD\n          value: canary-of-a-secret\n";
    let formats = ["text", "table", "json", "yaml", "sarif", "junit", "github", "markdown"];
    for format in formats {
        let ran = with_input(&["check", "-", "-p", "embedded/strict", "-o", format], manifest);
        // A table has no messages.
        let is_told = ran.out.contains("PASSWORD") || format == "table";
        assert!(ran.code == 0 && is_told, "{format}: {}{}", ran.out, ran.err);
        assert!(!ran.out.contains("canary-of-a-secret"), "{format}: {}", ran.out);
    }
}
