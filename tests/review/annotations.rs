//! Annotations of several policies in one answer: one value a key, and a bounded number.

use meshgate::review::Phase;

use crate::world::{Policies, create, decided, pod, shown};
use serde_json::json;

fn says(annotations: &str) -> String {
    format!("annotations := {annotations} if input.request.uid")
}

#[test]
fn the_same_key_with_another_value_is_an_error_of_the_later_binding() {
    let policies = Policies::default()
        .with("a", &[], &says("{\"team\": \"shop\", \"tier\": \"web\"}"))
        .with("b", &["failurePolicy: Ignore"], &says("{\"other\": \"x\", \"team\": \"bank\"}"))
        .with("c", &[], &says("{\"team\": \"shop\", \"zone\": \"1\"}"));
    let decision = decided(&policies.compiled(), &create(pod(json!({}), json!({}))), Phase::Validate);
    let error = "Warn error test/b: the policy's answer can't be used: the annotation `team` has another value from an earlier binding";
    assert_eq!(shown(&decision.findings), [error]);
    let expected = json!({ "team": "shop", "tier": "web", "zone": "1" });
    assert_eq!(json!(decision.annotations), expected, "none of what is in error");
}

#[test]
fn more_than_an_answer_carries_are_an_error_of_who_exceeds_it() {
    let policies = Policies::default()
        .with("a", &[], &says("{sprintf(\"a%d\", [i]): \"x\" | some i in numbers.range(1, 5)}"))
        .with("b", &[], &says("{\"b1\": \"x\", \"b2\": \"x\"}"))
        .with("c", &[], &says("{\"c1\": \"x\"}"));
    let decision = decided(&policies.compiled(), &create(pod(json!({}), json!({}))), Phase::Validate);
    let error = "Deny error test/b: the policy's answer can't be used: the policies have more than 6 annotations together";
    assert_eq!(shown(&decision.findings), [error]);
    let keys: Vec<&str> = decision.annotations.keys().map(String::as_str).collect();
    assert_eq!(keys, ["a1", "a2", "a3", "a4", "a5", "c1"]);
}
