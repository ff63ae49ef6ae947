//! What is logged and recorded names requests and says nothing of objects (R42).

use std::io;
use std::path::Path;
use std::sync::Mutex;

use meshgate::context::{ContextSource, Others, World};
use meshgate::engine::Bundle;
use meshgate::metrics::Metrics;
use meshgate::policy::Tree;
use meshgate::record::Decisions;
use serde_json::{Value, json};

use crate::bundle;
use crate::client::{good_spec, review};
use crate::server::{Options, Server};
use crate::source::Namespaces;

static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Writer;

impl io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A policy whose message quotes what it finds.
fn quoting() -> Bundle {
    let mut tree = Tree::default();
    let rules = "rules: [{apiGroups: [\"\"], apiVersions: [v1], resources: [pods]}]";
    let body = "deny contains {\"msg\": sprintf(\"%s is wrong\", [value]), \"field\": \"spec.containers[0].env[0]\"} if some value in [input.request.object.spec.containers[0].env[0].value]";
    let head = "# METADATA\n# title: t\n# description: d\n# custom:\n";
    tree.insert("x/a/a.rego", format!("{head}#   match: {{{rules}}}\npackage policies.x.a\n\n{body}\n"));
    tree.insert("b.yaml", "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {name: b}\nspec: {policy: x/a, enforcement: deny}\n");
    bundle::compiled(&tree)
}

/// A server with a decision log in `file`, and its metrics.
fn server(file: &Path, messages: bool) -> Server {
    recording(file, messages, Namespaces)
}

fn recording(file: &Path, messages: bool, source: impl ContextSource + 'static) -> Server {
    let metrics = Metrics::new();
    let decisions = Some(Decisions::open(file, messages, "web-1".to_owned(), metrics.clone()).unwrap());
    Server::with(Some(quoting()), source, Options { decisions, metrics, ..Options::default() })
}

/// The lines of a decision log, once there are `count`.
fn lines(file: &Path, count: usize) -> Vec<Value> {
    loop {
        let text = std::fs::read_to_string(file).unwrap();
        assert!(!text.contains("canary"), "{text}");
        let lines: Vec<Value> = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        if lines.len() >= count {
            return lines;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

/// A review with something of everything that nobody is to see.
fn canaries(uid: &str) -> Value {
    let mut review = review(uid, "shop", &good_spec());
    let request = &mut review["request"];
    request["userInfo"]["extra"] = json!({ "canary-extra": ["canary-extra"] });
    request["options"] = json!({ "canary-option": "canary-option" });
    let object = &mut request["object"];
    object["data"] = json!({ "password": "canary-data" });
    object["metadata"]["annotations"] = json!({ "canary-key": "canary-value" });
    object["spec"]["containers"][0]["env"] = json!([{ "name": "A", "value": "canary-env" }]);
    request["oldObject"] = json!({ "data": "canary-old" });
    review
}

#[test]
fn no_part_of_an_object_is_logged() {
    tracing_subscriber::fmt().json().with_max_level(tracing::Level::TRACE).with_writer(|| Writer).init();
    let folder = tempfile::tempdir().unwrap();
    let server = server(&folder.path().join("decisions"), true);
    let mut good = canaries("uid-of-the-logs-test");
    good["request"]["userInfo"]["username"] = json!("canary-user");
    let wrong = [
        r#"{"apiVersion":"v1","kind":"canary-kind","data":"canary-data"}"#.to_owned(),
        good.to_string().replace("\"password\"", "\"canary\":1,\"canary\""),
        good.to_string().replace("canary-data\"", "canary-data\\x\""),
        good.to_string().replace("uid-of-the-logs-test", ""),
    ];
    for path in ["/mutate", "/validate"] {
        assert_eq!(server.client().review(path, &good).status, 200);
        for body in &wrong {
            let response =
                server.client().post(path, &[("Content-Type", "application/json")], body.as_bytes());
            assert_eq!(response.status, 400, "{body}: {}", response.text());
        }
        server.client().post(path, &[("Content-Type", "text/canary")], b"canary-text");
    }
    for path in ["/metrics", "/bundle", "/config", "/readyz?verbose"] {
        assert!(!server.admin(path).1.contains("canary"), "{path}");
    }
    let log = String::from_utf8(LOG.lock().unwrap().clone()).unwrap();
    assert!(!log.contains("canary"), "{log}");
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("uid-of-the-logs-test")).collect();
    assert_eq!(lines.len(), 2, "{log}");
    assert!(lines.iter().all(|line| line.contains(r#""kind":"Pod""#)));
    assert!(lines.iter().any(|line| line.contains(r#""allowed":false"#)));
    assert!(log.contains(r#""status":400"#) && log.contains(r#""status":415"#));
}

#[test]
fn a_decision_is_recorded_as_opa_records_them() {
    let folder = tempfile::tempdir().unwrap();
    for messages in [false, true] {
        let file = folder.path().join(messages.to_string());
        let server = server(&file, messages);
        let mut dry_run = canaries("uid-of-a-decision");
        dry_run["request"]["dryRun"] = json!(true);
        dry_run["request"]["name"] = json!("web");
        let response = server.client().review("/validate", &dry_run);
        let message = response.json()["response"]["status"]["message"].clone();
        let expected = format!("[x/a] canary-env is wrong\npolicies: {}", quoting().revision);
        assert_eq!(message, expected, "who asks may see it");

        let mut line = lines(&file, 1).remove(0);
        assert!(line["timestamp"].take().as_str().unwrap().contains('T'));
        assert!(line["requested_by"].take().as_str().unwrap().starts_with("127.0.0.1:"));
        assert!(line["metrics"]["timer_server_handler_ns"].take().is_u64());
        let mut finding = json!({
            "action": "deny", "error": false, "policy": "x/a", "binding": "b",
            "field": "spec.containers[0].env[0]", "container": "app", "excused": null,
            "suspended": false,
        });
        if messages {
            finding["message"] = json!("*** is wrong");
        }
        let resource = json!({ "group": "", "version": "v1", "resource": "pods" });
        let expected = json!({
            "decision_id": "uid-of-a-decision",
            "timestamp": null,
            "labels": { "id": "web-1", "version": env!("CARGO_PKG_VERSION") },
            "bundles": { "meshgate": { "revision": quoting().revision.to_string() } },
            "path": "validate",
            "requested_by": null,
            "input": {
                "operation": "CREATE", "resource": resource, "subResource": null, "namespace": "shop", "name": "web",
                "user": "alice", "groups": ["system:authenticated"], "dryRun": true,
            },
            "result": { "allowed": false, "code": 403, "findings": [finding] },
            "erased": ["/input/object", "/input/oldObject", "/input/options"],
            "metrics": { "timer_server_handler_ns": null },
        });
        assert_eq!(line, expected);
        let counted = "\nmeshgate_decision_log_lines_total{result=\"written\"} 1\n";
        assert!(server.admin("/metrics").1.contains(counted));
    }
}

/// Break-glass leaves a trace of each use: the request that it let through is recorded as such.
#[test]
fn what_a_suspension_lets_through_is_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new(Others::Fresh);
    let annotations = json!({ "meshgate.io/suspend": "2026-01-31T13:00:00Z" });
    let metadata = json!({ "name": "shop", "annotations": annotations });
    world.insert(None, &json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": metadata }));
    let file = folder.path().join("decisions");
    let server = recording(&file, false, world);
    for namespace in ["shop", "pay"] {
        let mut asked = canaries(namespace);
        asked["request"]["namespace"] = json!(namespace);
        server.client().review("/validate", &asked);
    }
    let told = |line: &Value| {
        let (result, input) = (&line["result"], &line["input"]);
        let finding = &result["findings"][0];
        json!([input["namespace"], result["allowed"], finding["action"], finding["suspended"]])
    };
    let lines: Vec<Value> = lines(&file, 2).iter().map(told).collect();
    assert_eq!(lines, [json!(["shop", true, "warn", true]), json!(["pay", false, "deny", false])]);
}
