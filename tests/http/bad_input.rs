//! Whatever is no review gets an HTTP error that says why, and never a verdict.

use meshgate::webhook::Limits;
use serde_json::json;

use crate::client::{good_spec, head, review};
use crate::server::Server;

const JSON: &str = "application/json";
const UNREADABLE: &str = "can't be read as JSON";

/// A review in which a field of the object is `raw`.
fn with_field(raw: &str) -> String {
    let mut spec = good_spec();
    spec["field"] = json!("@");
    review("1", "shop", &spec).to_string().replace("\"@\"", raw)
}

/// A review in which one member of the request is another, or none.
fn with_member(name: &str, value: Option<serde_json::Value>) -> String {
    let mut review = review("1", "shop", &good_spec());
    let request = review["request"].as_object_mut().unwrap();
    match value {
        Some(value) => request.insert(name.to_owned(), value),
        None => request.remove(name),
    };
    review.to_string()
}

fn nested(open: &str, depth: usize, close: &str) -> String {
    with_field(&format!("{}1{}", open.repeat(depth), close.repeat(depth)))
}

/// Body, status, and what the answer says.
fn bodies() -> Vec<(String, u16, &'static str)> {
    let good = review("1", "shop", &good_spec()).to_string();
    let pod = review("1", "shop", &good_spec())["request"]["object"].to_string();
    let cases: Vec<(String, u16, &str)> = vec![
        ("not JSON".into(), 400, UNREADABLE),
        ("apiVersion: admission.k8s.io/v1\nkind: AdmissionReview\n".into(), 400, UNREADABLE),
        (good.get(..good.len() - 1).unwrap().into(), 400, UNREADABLE),
        (format!("{good}{good}"), 400, UNREADABLE),
        (format!("\u{feff}{good}"), 400, UNREADABLE),
        (String::new(), 400, "the body is empty"),
        (" \r\n\t".into(), 400, "the body is empty"),
        ("null".into(), 400, "AdmissionReview"),
        ("[]".into(), 400, "AdmissionReview"),
        ("7".into(), 400, "AdmissionReview"),
        (pod, 400, "kind `Pod`"),
        (good.replace("AdmissionReview", "ConversionReview"), 400, "kind `ConversionReview`"),
        (good.replace("admission.k8s.io/v1", "admission.k8s.io/v1beta1"), 400, "v1beta1"),
        (good.replace("\"request\"", "\"response\""), 400, "`request`"),
        (" ".repeat(8 * 1024 * 1024), 413, "larger than 7340032 bytes"),
        (nested("[", 10_000, "]"), 400, UNREADABLE),
        (nested("{\"a\":", 10_000, "}"), 400, UNREADABLE),
        (nested("[", 1_000_000, "]"), 400, UNREADABLE),
        (format!("{{\"kind\":\"X\",{}", good.get(1..).unwrap()), 400, "duplicate key `kind`"),
        (with_field(r#"{"a":1,"b":2,"a":1}"#), 400, "duplicate key `a`"),
        (with_field(r#"[{"a":{"b":1,"\u0062":2}}]"#), 400, "duplicate key `b`"),
        (with_field(r#""\ud800""#), 400, UNREADABLE),
        (with_field(r#""\udc00""#), 400, UNREADABLE),
        (with_field(r#""\ud800\u0041""#), 400, UNREADABLE),
        (with_field(r#"{"\udfff":1}"#), 400, UNREADABLE),
        (with_member("uid", None), 400, "request.uid"),
        (with_member("uid", Some(json!(""))), 400, "request.uid"),
        (with_member("uid", Some(json!(7))), 400, "request.uid"),
        (with_member("object", Some(json!(null))), 400, "request.object"),
        (with_member("object", None), 400, "request.object"),
        (with_member("object", Some(json!("Pod"))), 400, "request.object"),
        (with_member("operation", Some(json!("UPDATE"))), 400, "request.oldObject"),
        (with_member("operation", Some(json!("DELETE"))), 400, "request.oldObject"),
        (with_member("operation", Some(json!("create"))), 400, "request.operation"),
        (with_member("operation", None), 400, "request.operation"),
        (with_member("kind", None), 400, "request.kind"),
        (with_member("resource", Some(json!("pods"))), 400, "request.resource"),
        (with_field("1e400"), 400, UNREADABLE),
        (with_field("-1e400"), 400, UNREADABLE),
        (with_field("1e9999999999999999999"), 400, UNREADABLE),
        (with_field(&"9".repeat(400)), 400, UNREADABLE),
        (with_field("NaN"), 400, UNREADABLE),
        (with_field("Infinity"), 400, UNREADABLE),
        (with_field("0x10"), 400, UNREADABLE),
        (with_field("01"), 400, UNREADABLE),
        (with_field(r#"{"$serde_json::private::Number":"7"}"#), 400, "$serde_json::private::Number"),
        (with_field(r#"{"$serde_json::private::RawValue":"7"}"#), 400, "$serde_json::private::RawValue"),
        (with_field(r#"{"\u0024serde_json::private::Number":"7"}"#), 400, "$serde_json::private::Number"),
    ];
    cases
}

#[test]
fn bodies_that_are_no_review_are_refused_with_the_reason() {
    let server = Server::plain(Limits::default());
    for (body, status, needle) in bodies() {
        let shown = body.get(..body.len().min(200)).unwrap_or("…").to_owned();
        for path in ["/mutate", "/validate?timeout=10s"] {
            let mut client = server.client();
            let response = client.post(path, &[("Content-Type", JSON)], body.as_bytes());
            assert_eq!(response.status, status, "{shown}: {}", response.text());
            assert!(response.text().contains(needle), "{shown}: {}", response.text());
            assert_no_verdict(&response.text(), &shown);
            if status == 400 {
                let good = client.review(path, &review("1", "shop", &good_spec()));
                assert_eq!(good.status, 200, "the connection is as good as before {shown}");
            }
        }
    }
}

#[test]
fn bytes_that_are_not_utf_8_are_refused() {
    let server = Server::plain(Limits::default());
    let text = with_field("\"@@\"");
    let (before, after) = text.split_once("@@").unwrap();
    let body = [before.as_bytes(), b"\xff\xfe", after.as_bytes()].concat();
    let response = server.client().post("/validate", &[("Content-Type", JSON)], &body);
    assert_eq!((response.status, response.text().contains(UNREADABLE)), (400, true), "{}", response.text());
}

/// Method, path, headers; status, and what the answer says.
type Asked<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], u16, &'a str);

#[test]
fn heads_that_ask_for_something_else_are_refused_with_the_reason() {
    let server = Server::plain(Limits::default());
    let json: &[(&str, &str)] = &[("Content-Type", JSON)];
    let table: &[Asked<'_>] = &[
        ("GET", "/validate", json, 405, "POST"),
        ("PUT", "/mutate", json, 405, "POST"),
        ("DELETE", "/mutate", json, 405, "POST"),
        ("OPTIONS", "/mutate", json, 405, "POST"),
        ("POST", "/", json, 404, "/mutate and /validate"),
        ("GET", "/metrics", json, 404, "/mutate and /validate"),
        ("POST", "/Validate", json, 404, "/mutate and /validate"),
        ("POST", "/validate/", json, 404, "/mutate and /validate"),
        ("POST", "/validate%2f", json, 404, "/mutate and /validate"),
        ("POST", "/../validate", json, 404, "/mutate and /validate"),
        ("POST", "/validate", &[], 415, "application/json"),
        ("POST", "/validate", &[("Content-Type", "")], 415, "application/json"),
        ("POST", "/validate", &[("Content-Type", "text/plain")], 415, "application/json"),
        ("POST", "/validate", &[("Content-Type", "application/yaml")], 415, "application/json"),
        (
            "POST",
            "/mutate",
            &[("Content-Type", "application/x-www-form-urlencoded")],
            415,
            "application/json",
        ),
        ("POST", "/mutate", &[("Content-Type", "application/jsonl")], 415, "application/json"),
    ];
    let body = review("1", "shop", &good_spec()).to_string();
    for (method, path, headers, status, needle) in table {
        let mut client = server.client();
        client.send(&head(method, path, headers, Some(body.len()))).unwrap();
        client.send(body.as_bytes()).unwrap_or_default();
        let response = client.receive().unwrap();
        let asked = format!("{method} {path} {headers:?}");
        assert_eq!(response.status, *status, "{asked}: {}", response.text());
        assert!(response.text().contains(needle), "{asked}: {}", response.text());
        assert_eq!(response.header("allow"), (*status == 405).then_some("POST"), "{asked}");
        assert_no_verdict(&response.text(), &asked);
    }
}

#[test]
fn http_that_is_broken_is_refused() {
    let server = Server::plain(Limits::default());
    let start = "POST /validate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    let table = [
        format!("{start}Transfer-Encoding: chunked\r\n\r\nnonsense\r\n"),
        format!("{start}Content-Length: 1\r\nContent-Length: 2\r\n\r\n{{}}"),
        format!("{start}Content-Length: -1\r\n\r\n"),
        format!("{start}no colon here\r\n\r\n"),
        "nonsense\r\n\r\n".to_owned(),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
    ];
    for text in table {
        let mut client = server.client();
        client.send(text.as_bytes()).unwrap();
        let status = client.receive().map(|response| response.status);
        assert!(matches!(status, Some(400) | None), "{text}: {status:?}");
        assert!(client.ends(), "{text}");
    }
    // A body that ends before its announced end.
    let mut client = server.client();
    client.send(&head("POST", "/validate", &[("Content-Type", JSON)], Some(100))).unwrap();
    client.stream.conn.send_close_notify();
    client.stream.conn.complete_io(&mut client.stream.sock).unwrap_or_default();
    let status = client.receive().map(|response| response.status);
    assert!(matches!(status, Some(400) | None), "{status:?}");
}

fn assert_no_verdict(text: &str, about: &str) {
    assert!(!text.contains("allowed"), "{about}: {text}");
}
