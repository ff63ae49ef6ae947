//! The error ladder (docs/architecture.md, "When something fails"): each row with all that the API server is told.

use std::thread::{sleep, spawn};
use std::time::Duration;

use meshgate::context::ContextSource;
use meshgate::engine::Bundle;
use meshgate::policy::Tree;
use meshgate::webhook::Limits;
use serde_json::{Value, json};

use crate::bundle;
use crate::client::{good_spec, review};
use crate::server::Server;
use crate::source::{Namespaces, Panicking, Silent, Unknowing};

/// One policy `test/one`, and how it is bound.
fn policy(custom: &str, enforcement: &str, body: &str) -> Bundle {
    let rules = "rules: [{apiGroups: [\"\"], apiVersions: [v1], resources: [pods]}]";
    let text = format!(
        "# METADATA\n# title: t\n# description: d\n# custom:\n#   match: {{{rules}}}\n{custom}package policies.test.one\n\n{body}\n"
    );
    let binding = format!(
        "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {{name: b}}\nspec: {{policy: test/one, enforcement: {enforcement}}}\n"
    );
    let mut tree = Tree::default();
    tree.insert("test/one/one.rego", text);
    tree.insert("b.yaml", binding);
    bundle::compiled(&tree)
}

/// What is not about a policy: the API server's failurePolicy decides, at once or after another try.
#[test]
fn what_never_reaches_a_policy_is_an_http_error() {
    let good = review("7", "shop", &good_spec()).to_string();
    let deep = good.replace(
        "\"containers\"",
        &format!("\"deep\":{}{},\"containers\"", "[".repeat(200), "]".repeat(200)),
    );
    let twice = good.replace("\"uid\"", "\"uid\":\"8\",\"uid\"");
    let rows = [
        ("not an AdmissionReview", "application/json", "{\"kind\":\"Pod\"}".to_owned(), 400),
        ("duplicate keys", "application/json", twice, 400),
        ("too deep", "application/json", deep, 400),
        ("wrong content type", "application/yaml", good, 415),
        ("too large", "application/json", " ".repeat(8 * 1024 * 1024), 413),
    ];
    let server = Server::plain(Limits::default());
    for (row, content_type, body, status) in rows {
        for path in ["/mutate", "/validate"] {
            let response = server.client().post(path, &[("Content-Type", content_type)], body.as_bytes());
            assert_eq!(response.status, status, "{row}: {}", response.text());
            assert!(
                !response.text().is_empty() && !response.text().contains("allowed"),
                "{row}: {}",
                response.text()
            );
        }
    }
}

#[test]
fn who_comes_too_late_is_asked_to_try_again_and_a_panic_spoils_one() {
    let silent = Server::start(bundle::inline(), Silent, Limits::default());
    assert!(
        silent
            .client()
            .review("/validate?timeout=1s", &review("7", "shop", &good_spec()))
            .asks_to_try_again()
    );
    let wait = Duration::from_millis(300);
    let busy = Server::start(bundle::slow(2), Namespaces, Limits { workers: 1, wait, ..Limits::default() });
    let mut first = busy.client();
    let first = spawn(move || first.review("/validate?timeout=10s", &review("1", "shop", &good_spec())));
    sleep(Duration::from_millis(150));
    assert!(
        busy.client().review("/validate?timeout=10s", &review("2", "shop", &good_spec())).asks_to_try_again()
    );
    first.join().unwrap();
    let panicking = Server::start(bundle::inline(), Panicking, Limits::default());
    let spoilt = panicking.client().review("/validate", &review("7", "panic", &good_spec()));
    assert_eq!((spoilt.status, spoilt.text().contains("allowed")), (500, false));
}

/// What went wrong with a policy: a body, what it declares, and what is said of it.
const WRONG: [(&str, &str, &str, &str); 4] = [
    (
        "evaluation error",
        "",
        "deny contains \"no\" if 1 / (count(input.request.namespace) - 4) == 1",
        "[test/one] the policy failed: test/one/one.rego:9: div: divide by zero",
    ),
    (
        "budget",
        "",
        "deny contains \"no\" if {\n\tsome i in numbers.range(1, 10000)\n\tsome j in numbers.range(1, 10000)\n\ti + j < 0\n}",
        "[test/one] the policy failed: it takes longer than it may",
    ),
    (
        "wrong shape",
        "",
        "deny contains 5 if input.request.uid",
        "[test/one] the policy's answer can't be used: an element of `deny` is a number, neither a string nor an object with `msg`",
    ),
    (
        "fact in error",
        "#   context: [namespace]\n",
        "deny contains \"no\" if input.context.namespace.name == \"other\"",
        "[test/one] the fact `namespace` is missing: the cluster does not answer",
    ),
];

/// The `response`, without what names the revision: an annotation, and a denial's last line.
fn response(bundle: Bundle, source: impl ContextSource + 'static, path: &str) -> Value {
    let server = Server::start(bundle, source, Limits::default());
    let answer = server.client().review(path, &review("7", "shop", &good_spec()));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let mut response = answer.json()["response"].clone();
    let annotations = response["auditAnnotations"].as_object_mut().unwrap();
    annotations.retain(|key, _| !key.ends_with("-revision"));
    if let Some(message) = response.pointer_mut("/status/message") {
        let said = message.as_str().unwrap().rsplit_once("\npolicies: ").unwrap().0.to_owned();
        *message = said.into();
    }
    response
}

#[test]
fn a_policy_in_error_does_what_its_author_and_its_binding_say() {
    for (row, custom, body, message) in WRONG {
        let said = |failure: &str, enforcement: &str| {
            let custom = format!("{custom}#   failurePolicy: {failure}\n");
            response(policy(&custom, enforcement, body), Unknowing, "/validate")
        };
        let status =
            json!({ "status": "Failure", "code": 500, "reason": "InternalError", "message": message });
        let denied = json!({ "uid": "7", "allowed": false, "status": status, "auditAnnotations": { "validate-policies": "deny (error): test/one" } });
        assert_eq!(said("Fail", "deny"), denied, "{row}");
        let warned = json!({ "uid": "7", "allowed": true, "warnings": [message], "auditAnnotations": { "validate-policies": "warn (error): test/one" } });
        assert_eq!(said("Ignore", "deny"), warned, "{row}");
        assert_eq!(said("Fail", "warn"), warned, "{row}");
        let recorded = json!({ "uid": "7", "allowed": true, "auditAnnotations": { "validate-policies": "audit (error): test/one" } });
        assert_eq!(said("Fail", "audit"), recorded, "{row}");
    }
}

#[test]
fn a_mutation_in_error_denies_too_and_one_that_raises_powers_always() {
    let denied = |message: &str| {
        let status =
            json!({ "status": "Failure", "code": 500, "reason": "InternalError", "message": message });
        json!({ "uid": "7", "allowed": false, "status": status, "auditAnnotations": {} })
    };
    let wrong = "patch := [{\"op\": \"remove\", \"path\": \"/spec/nothing\"}]";
    let message = "[test/one] the policy's answer can't be used: `patch`: operation 0 (remove `/spec/nothing`) does not apply: ";
    let answer = response(policy("", "deny", wrong), Namespaces, "/mutate");
    let said = answer["status"]["message"].as_str().unwrap();
    assert!(said.starts_with(message), "{said}");
    assert_eq!(answer, denied(said));
    let warned = response(policy("#   failurePolicy: Ignore\n", "deny", wrong), Namespaces, "/mutate");
    assert_eq!(warned, json!({ "uid": "7", "allowed": true, "warnings": [said], "auditAnnotations": {} }));

    let endless = "patch := [{\"op\": \"add\", \"path\": \"/spec/priority\", \"value\": object.get(input.request.object.spec, \"priority\", 0) + 1}]";
    let message = "[test/one] the mutations do not come to rest: each change makes another one necessary, by test/one (binding b)";
    assert_eq!(response(policy("", "deny", endless), Namespaces, "/mutate"), denied(message));
    let ignored = response(policy("#   failurePolicy: Ignore\n", "deny", endless), Namespaces, "/mutate");
    let warned = json!({ "uid": "7", "allowed": true, "warnings": [message], "auditAnnotations": {} });
    assert_eq!(ignored, warned, "and nothing is changed");

    let raises = "patch := [{\"op\": \"add\", \"path\": \"/spec/hostNetwork\", \"value\": true}] if not input.request.object.spec.hostNetwork";
    let message = "[test/one] its change raises `spec.hostNetwork` from nothing to true, which only a policy may do whose METADATA names `hostNetwork` in `mayChange`";
    for enforcement in ["deny", "warn"] {
        let answer =
            response(policy("#   failurePolicy: Ignore\n", enforcement, raises), Namespaces, "/mutate");
        assert_eq!(answer, denied(message), "{enforcement}");
    }
}

#[test]
fn a_policy_that_denies_says_what_and_where() {
    let body = "deny contains {\"msg\": sprintf(\"bad %s\", [name]), \"field\": \"spec.containers[0].name\"} if {\n\tsome name in [\"b\", \"a\"]\n\tinput.request.object.spec.containers\n}";
    let causes = ["a", "b"].map(|name| {
        json!({ "reason": "FieldValueForbidden", "message": format!("[test/one] bad {name}"), "field": "spec.containers[0].name" })
    });
    let status = json!({
        "status": "Failure", "code": 403, "reason": "Forbidden", "message": "[test/one] bad a\n[test/one] bad b",
        "details": { "causes": causes }
    });
    let denied = json!({ "uid": "7", "allowed": false, "status": status, "auditAnnotations": { "validate-policies": "deny: test/one" } });
    assert_eq!(response(policy("", "deny", body), Namespaces, "/validate"), denied);
    // An error beside a denial is told, and the denial stands for the code.
    let both = format!("{body}\n\nwarn contains 5 if input.request.uid");
    let answer = response(policy("", "deny", &both), Namespaces, "/validate");
    let shown = "[test/one] the policy's answer can't be used: an element of `warn` is a number, neither a string nor an object with `msg`\n[test/one] bad a\n[test/one] bad b";
    let message = answer["status"]["message"].as_str().unwrap();
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!((&answer["status"]["code"], sorted(message)), (&json!(403), sorted(shown)));
}
