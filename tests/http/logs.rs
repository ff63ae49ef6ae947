//! What is logged names requests and says nothing of objects (R42).

use std::io;
use std::sync::Mutex;

use meshgate::webhook::Limits;
use serde_json::json;

use crate::client::{good_spec, review};
use crate::server::Server;

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

#[test]
fn no_part_of_an_object_is_logged() {
    tracing_subscriber::fmt().json().with_max_level(tracing::Level::TRACE).with_writer(|| Writer).init();
    let server = Server::plain(Limits::default());
    let mut good = review("uid-of-the-logs-test", "shop", &good_spec());
    good["request"]["kind"]["kind"] = json!("Secret");
    good["request"]["userInfo"]["username"] = json!("canary-user");
    good["request"]["object"]["data"] = json!({ "password": "canary-data" });
    good["request"]["object"]["metadata"]["annotations"] = json!({ "canary-key": "canary-value" });
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
    let log = String::from_utf8(LOG.lock().unwrap().clone()).unwrap();
    assert!(!log.contains("canary"), "{log}");
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("uid-of-the-logs-test")).collect();
    assert_eq!(lines.len(), 2, "{log}");
    assert!(
        lines.iter().all(|line| line.contains(r#""kind":"Secret""#) && line.contains(r#""allowed":true"#))
    );
    assert!(log.contains(r#""status":400"#) && log.contains(r#""status":415"#));
}
