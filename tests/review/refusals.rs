//! How a denial is told, and what a policy sees of facts that could not be learnt.

use meshgate::admission::respond;
use meshgate::review::Phase;
use serde_json::{Value, json};

use crate::world::{Policies, create, decided, pod, shown};

const INVALID: &str = r#"deny contains {"msg": "no", "field": "spec", "status": {"code": 422, "reason": "Invalid", "details": {"name": "n", "kind": "K"}}} if true"#;

const ERROR: &str = "deny contains 5 if true";

/// The status of an answer to a Pod.
fn status(policies: Policies) -> Value {
    let decision = decided(&policies.compiled(), &create(pod(json!({}), json!({}))), Phase::Validate);
    respond("7", &decision.answer())["response"]["status"].clone()
}

/// A message without its last line, which names the policies.
fn said(status: &Value) -> &str {
    let (said, revision) = status["message"].as_str().unwrap().rsplit_once("\npolicies: ").unwrap();
    assert!(revision.contains('@') && !revision.contains('\n'), "{status}");
    said
}

#[test]
fn a_denial_names_its_policies_once_in_its_last_line() {
    let deny = "deny contains \"no\" if true";
    let of = |policies: Policies| {
        let bundle = policies.compiled();
        let decision = decided(&bundle, &create(pod(json!({}), json!({}))), Phase::Validate);
        let answer = respond("7", &decision.answer());
        let message = answer["response"]["status"]["message"].as_str().unwrap().to_owned();
        message.replace(&bundle.revision.to_string(), "REVISION")
    };
    let both = Policies::default().with("a", &[], deny).with("b", &[], deny);
    assert_eq!(of(both), "[test/a] no\n[test/b] no\npolicies: REVISION");
    let one = Policies::default().with("a", &["message: plain"], deny).with("b", &[], deny);
    assert_eq!(of(one), "no\n[test/b] no\npolicies: REVISION");
    assert_eq!(of(Policies::default().with("a", &["message: plain"], deny)), "no");
    let error = of(Policies::default().with("a", &["message: plain"], ERROR));
    assert!(error.starts_with("[test/a] ") && error.ends_with("\npolicies: REVISION"), "{error}");
}

#[test]
fn a_single_denial_is_told_as_its_policy_says() {
    let cause = json!({ "reason": "FieldValueForbidden", "message": "[test/a] no", "field": "spec" });
    let expected = json!({
        "status": "Failure", "code": 422, "reason": "Invalid", "message": "[test/a] no",
        "details": { "name": "n", "kind": "K", "causes": [cause] },
    });
    let mut found = status(Policies::default().with("a", &[], INVALID));
    found["message"] = said(&found).into();
    assert_eq!(found, expected);
}

#[test]
fn several_denials_have_no_status_in_common() {
    let two = Policies::default().with("a", &[], INVALID).with("b", &[], INVALID);
    let status_of_two = status(two);
    assert_eq!(status_of_two["code"], 403);
    assert_eq!(status_of_two["reason"], "Forbidden");
    assert_eq!(said(&status_of_two), "[test/a] no\n[test/b] no");
    // An error beside it is decided by failurePolicy, and hides nothing.
    let beside = status(Policies::default().with("a", &[], INVALID).with("b", &[], ERROR));
    assert_eq!((&beside["code"], &beside["details"]["name"]), (&json!(403), &Value::Null));
    assert!(beside["message"].as_str().unwrap().starts_with("[test/a] no\n[test/b] "), "{beside}");
}

#[test]
fn a_message_is_told_whole_where_all_of_them_fit() {
    let deny = |length: usize, count: usize| {
        format!(
            "deny contains {{\"msg\": msg, \"key\": sprintf(\"%d\", [i])}} if {{\n\tsome i in numbers.range(1, {count})\n\tmsg := concat(\"\", [\"x\" | some _ in numbers.range(1, {length})])\n}}"
        )
    };
    let message = |length, count| {
        let status = status(Policies::default().with("a", &["message: plain"], &deny(length, count)));
        status["message"].as_str().unwrap().to_owned()
    };
    assert_eq!(message(4_000, 1), "x".repeat(4_000));
    assert_eq!(message(4_000, 4), vec!["x".repeat(4_000); 4].join("\n"));
    let cut = format!("{}…", "x".repeat(1_021));
    assert_eq!(message(4_000, 5), vec![cut; 5].join("\n"));
}

/// What is said where the fact `pod` can't be learnt.
fn without_pod(custom: &[&str], body: &str) -> Vec<String> {
    let policies = Policies::default().with("a", custom, body);
    let wrong = create(pod(json!({}), json!({ "containers": [], "hostPID": "yes" })));
    shown(&decided(&policies.compiled(), &wrong, Phase::Validate).findings)
}

#[test]
fn a_fact_that_can_not_be_learnt_is_seen_by_who_says_so() {
    let body = "deny contains input.context.pod.error if true";
    let seen = without_pod(&["context: [pod]", "errors: [pod]"], body);
    assert_eq!(seen, ["Deny test/a: spec.hostPID is not a boolean"]);
    let error = "Deny error test/a: the fact `pod` is missing: spec.hostPID is not a boolean";
    assert_eq!(without_pod(&["context: [pod]"], body), [error]);
    assert_eq!(without_pod(&["context: [pod, containers]", "errors: [containers]"], body), [error]);
}
