//! What an API server is told about a review that can be answered.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use meshgate::webhook::Limits;
use serde_json::{Value, json};

use crate::bundle;
use crate::client::{Response, good_spec, review};
use crate::server::Server;
use crate::source::{Namespaces, Silent};

/// The `response` of an answer that is one.
fn verdict(response: &Response, uid: &str) -> Value {
    assert_eq!(response.status, 200, "{}", response.text());
    assert_eq!(response.header("content-type"), Some("application/json"));
    let answer = response.json();
    assert_eq!(
        (&answer["apiVersion"], &answer["kind"]),
        (&json!("admission.k8s.io/v1"), &json!("AdmissionReview"))
    );
    assert_eq!(answer["response"]["uid"], uid);
    answer["response"].clone()
}

fn patch(verdict: &Value) -> Value {
    assert_eq!(verdict["patchType"], "JSONPatch", "{verdict}");
    serde_json::from_slice(&STANDARD.decode(verdict["patch"].as_str().unwrap()).unwrap()).unwrap()
}

fn privileged_spec() -> Value {
    json!({ "containers": [{ "name": "app", "image": "registry.example/app:1", "securityContext": { "privileged": true } }] })
}

#[test]
fn validate_denies_with_code_message_and_field() {
    let server = Server::plain(Limits::default());
    let denied = verdict(
        &server.client().review("/validate?timeout=10s", &review("7", "shop", &privileged_spec())),
        "7",
    );
    assert_eq!((&denied["allowed"], &denied["status"]["code"]), (&json!(false), &json!(403)), "{denied}");
    let message = "[workloads/privileged] container app is privileged in shop";
    assert!(denied["status"]["message"].as_str().unwrap().contains(message), "{denied}");
    let cause = &denied["status"]["details"]["causes"][0];
    assert_eq!(cause["field"], "spec.containers[0].securityContext.privileged", "{denied}");
    assert!(denied.get("patch").is_none() && denied.get("patchType").is_none());

    let allowed = verdict(&server.client().review("/validate", &review("8", "shop", &good_spec())), "8");
    assert_eq!(allowed["allowed"], true, "{allowed}");
    assert!(allowed.get("patch").is_none() && allowed.get("status").is_none(), "{allowed}");
}

#[test]
fn mutate_patches_and_leaves_denials_to_validate() {
    let server = Server::plain(Limits::default());
    for spec in [good_spec(), privileged_spec()] {
        let changed =
            verdict(&server.client().review("/mutate?timeout=10s", &review("7", "shop", &spec)), "7");
        assert_eq!(changed["allowed"], true, "{changed}");
        let expected = json!([{ "op": "add", "path": "/metadata/labels", "value": { "seen": "shop" } }]);
        assert_eq!(patch(&changed), expected);
    }
}

#[test]
fn one_connection_carries_many_reviews_and_the_same_one_gets_the_same_answer() {
    let server = Server::plain(Limits::default());
    let mut client = server.client();
    for path in ["/mutate", "/validate"] {
        let answers: Vec<Vec<u8>> =
            (0..3).map(|_| client.review(path, &review("7", "shop", &privileged_spec())).body).collect();
        assert!(answers.windows(2).all(|pair| pair[0] == pair[1]));
    }
}

#[test]
fn numbers_that_no_integer_holds_are_not_touched() {
    // The API server reads them as the nearest double, too (sigs.k8s.io/json), so nothing else is ever stored; a
    // patch does not name them.
    let server = Server::plain(Limits::default());
    let mut spec = good_spec();
    spec["field"] = json!("@");
    for number in
        [&"9".repeat(200), "18446744073709551616", "-9223372036854775809", "1.0", "9007199254740993"]
    {
        let body = review("7", "shop", &spec).to_string().replace("\"@\"", number);
        let response =
            server.client().post("/mutate", &[("Content-Type", "application/json")], body.as_bytes());
        let patch = patch(&verdict(&response, "7"));
        assert_eq!(patch.as_array().unwrap().len(), 1, "{number}: {patch}");
        assert_eq!(patch[0]["path"], "/metadata/labels");
    }
}

#[test]
fn what_no_policy_is_about_needs_no_facts() {
    let server = Server::start(bundle::inline(), Silent, Limits::default());
    let mut other = review("7", "shop", &json!({}));
    other["request"]["resource"] = json!({ "group": "apps", "version": "v1", "resource": "deployments" });
    for path in ["/mutate", "/validate"] {
        let allowed = verdict(&server.client().review(path, &other), "7");
        assert_eq!(allowed["allowed"], true, "{allowed}");
    }
}

#[test]
fn the_embedded_policies_speak_over_https() {
    let bundle = bundle::compiled(&meshgate::source::profile("starter").unwrap());
    let server = Server::start(bundle, Namespaces, Limits::default());
    let judged = verdict(&server.client().review("/validate", &review("7", "shop", &privileged_spec())), "7");
    let shown = judged.to_string();
    assert!(shown.contains("privileged"), "{judged}");
    let changed = verdict(&server.client().review("/mutate", &review("8", "shop", &good_spec())), "8");
    assert_eq!(changed["allowed"], true, "{changed}");
    assert!(patch(&changed).to_string().contains("RuntimeDefault"), "{changed}");
}
