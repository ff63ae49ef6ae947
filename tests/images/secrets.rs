//! Credentials and what registries say are nobody's to read: they stand in no log, metric, message or decision.

use std::fs;

use meshgate::image::Digest;
use serde_json::json;

use crate::kit::{Holds, INDEX, Said, index};
use crate::server::Server;
use crate::sigstore::{self as kit, SIGNED, statement};
use crate::wired::{Place, Serving};

const PASSWORD: &str = "canary-of-the-password";
const BODY: &str = "canary-of-a-registry";

/// A registry that wants to know who asks, and tells more than anybody should repeat.
fn registry(holds: &Holds) -> Server {
    let (holds, expected) = (holds.clone(), format!("Basic {}", kit::b64(format!("robot:{PASSWORD}"))));
    Server::start(move |asked, stream| {
        let path = asked.path();
        if path.ends_with("/v3") || asked.header("authorization") != Some(&expected) {
            let challenge = format!("Basic realm=\"{BODY}\"");
            let headers = [("www-authenticate", challenge.as_str())];
            return Said::of(401, &headers, format!("{{\"errors\": [{{\"message\": \"{BODY}\"}}]}}"))
                .to(stream);
        }
        if path.ends_with("/v2") {
            return Said::of(500, &[], BODY).to(stream);
        }
        holds.said(path).to(stream);
    })
}

#[tokio::test]
async fn secrets_are_in_no_log_metric_message_or_decision() {
    let (holds, key, folder) = (Holds::default(), kit::key(), tempfile::tempdir().unwrap());
    let signed: Digest = holds.image();
    let bundle = kit::key_bundle(&key, &statement(&signed, SIGNED, json!({})), None).to_string();
    let entry = holds.referrer(&signed, &bundle, Some(SIGNED));
    holds.put(
        format!("/v2/app/referrers/{signed}"),
        Said::of(200, &[("content-type", INDEX)], index(&[entry])),
    );
    let place = Place::of(registry(&holds), &key, signed, folder);
    let (host, path) = (place.registry.address, place.folder.path());
    let auth = kit::b64(format!("robot:{PASSWORD}"));
    fs::write(
        path.join("docker.json"),
        json!({ "auths": { host.to_string(): { "auth": auth } } }).to_string(),
    )
    .unwrap();
    fs::write(
        path.join("secret.yaml"),
        format!(
            "apiVersion: meshgate.io/v1alpha1\nkind: Configuration\ndecisionLog: {{file: decisions.log, messages: true}}\nimages: {{registries: [{{host: '{host}', plaintext: true, credentials: {{file: docker.json}}}}]}}\n"
        ),
    )
    .unwrap();
    let serving = Serving::start(&place, &["--config", "secret.yaml"]);
    let mut said = Vec::new();
    for (image, code) in
        [(format!("{}@{signed}", place.image("v1")), 200), (place.image("v2"), 403), (place.image("v3"), 403)]
    {
        let (found, message) = serving.asked(&image).await;
        assert_eq!(found, code, "{message}");
        said.push(message);
    }
    let shown = place.registry.asked();
    assert!(
        shown.iter().any(|asked| asked.header("authorization").is_some()),
        "it was shown to the registry"
    );
    let decisions = fs::read_to_string(path.join("decisions.log")).unwrap();
    assert!(decisions.lines().count() >= 3, "{decisions}");
    let log = serving.logged();
    assert!(log.len() > 1000, "{log}");
    let metrics = serving.metrics().await;
    assert!(metrics.contains("meshgate_image_stale_evidence_total"), "{metrics}");
    for text in [said.join("\n"), decisions, log, metrics] {
        for canary in [PASSWORD, BODY, auth.as_str()] {
            assert!(!text.contains(canary), "{canary} stands in {text}");
        }
    }
}
