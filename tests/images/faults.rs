//! What goes wrong at a registry, or with what lies there, asked through the server: closed, in time, and the answer names
//! the image and the cause. One request for each fault, and one table of what is said.

mod away;
mod memory;
mod rows;

use std::fs;
use std::time::{Duration, Instant};

use meshgate::image::Digest;
use serde_json::json;

use crate::compiled::HEAD;
use crate::sigstore::{self as kit, Kit};
use crate::wired::{Place, Serving, pod};

use rows::{At, Row};

/// How long the API server would wait.
const PATIENCE: Duration = Duration::from_secs(5);

/// Who signs, in all rows.
struct Signers {
    key: sigstore_crypto::KeyPair,
    kit: Kit,
}

impl Signers {
    fn new() -> Self {
        Self { key: kit::key(), kit: Kit::new() }
    }

    /// Whom the policies trust: a key; who has a certificate; the same by a trust root whose authority is over.
    fn trust(&self, rows: &[Row]) -> Vec<(&'static str, String)> {
        let mut over = self.kit.root();
        over["certificateAuthorities"][0]["validFor"]["end"] = json!("2021-01-01T00:00:00Z");
        let identities = format!("identities: [{{issuer: '{}', subject: '{}'}}]", kit::ISSUER, kit::SUBJECT);
        let mut text = format!(
            "{HEAD}trustRoots: {{kit: {{file: kit.json}}, over: {{file: over.json}}}}\nauthorities:\n  vendor: {{key: {{files: [k.pub], transparencyLog: none}}}}\n  ci: {{keyless: {{trustRoot: kit, {identities}}}}}\n  past: {{keyless: {{trustRoot: over, {identities}}}}}\nrules:\n"
        );
        for authority in ["vendor", "ci", "past"] {
            let hosts = rows.iter().filter(|row| row.authority == authority);
            let images: Vec<String> = hosts.map(|row| format!("'{}/**'", row.registry)).collect();
            let images = images.join(", ");
            text.push_str(&format!("- {{name: by {authority}, images: [{images}], require: {{of: [{authority}]}}, enforcement: deny}}\n"));
        }
        vec![
            ("p/trust.yaml", text),
            ("p/kit.json", self.kit.root().to_string()),
            ("p/over.json", over.to_string()),
        ]
    }
}

/// The answer to one Pod in words: its code, and its message without what differs from run to run.
async fn said(serving: &Serving, row: &Row) -> String {
    let seconds = PATIENCE.as_secs();
    let path = match row.at {
        At::Digest => format!("/validate?timeout={seconds}s"),
        At::Tag => format!("/mutate?timeout={seconds}s"),
    };
    let (image, start) = (row.image(), Instant::now());
    let (code, message) = serving.judged_at(&path, "shop", &pod(&image)).await;
    let (took, asked) = (start.elapsed(), row.asked());
    assert!(code != 200 && message.contains(&image), "{}: {code} {message}", row.what);
    assert!(took < PATIENCE, "{}: {took:?}", row.what);
    assert!(asked <= 12, "{}: {asked} requests", row.what);
    worded(row.what, row.at, code, &message, (&row.registry, &row.digest))
}

/// The same without what differs from run to run.
fn worded(what: &str, at: At, code: u64, message: &str, (registry, digest): (&str, &Digest)) -> String {
    // Behind it stand the policies in force, whose digest is another one each time.
    let message = message.lines().next().unwrap_or_default();
    let text = message.replace(&digest.to_string(), "DIGEST").replace(registry, "REGISTRY");
    let at = if at == At::Tag { "its tag" } else { "its digest" };
    format!("{what}, by {at}\n  {code} {text}\n").replace(" \n", "\n")
}

#[tokio::test]
async fn each_fault_is_a_denial_in_time_that_names_image_and_cause() {
    let (signers, folder) = (Signers::new(), tempfile::tempdir().unwrap());
    let rows = rows::of_all(&signers, folder.path());
    let good = rows::plain("nothing", At::Digest, &signers, |_, _| false);
    let image = good.image();
    let place = Place::of(good.server.unwrap(), &signers.key, good.digest, folder);
    let entries: Vec<String> = rows.iter().map(Row::entry).collect();
    let own = format!("{{host: '{}', plaintext: true}}", place.registry.address);
    let configuration = format!(
        "apiVersion: meshgate.io/v1alpha1\nkind: Configuration\nimages: {{registries: [{own}, {}]}}\n",
        entries.join(", ")
    );
    let mut files = signers.trust(&rows);
    let more = format!(
        "- {{name: own, images: ['{}/**'], require: {{of: [vendor]}}, enforcement: deny}}\n",
        place.registry.address
    );
    files[0].1.push_str(&more);
    files.push(("meshgate.yaml", configuration));
    files.iter().for_each(|(name, text)| fs::write(place.folder.path().join(name), text).unwrap());
    let serving = Serving::start(&place, &["--config", "meshgate.yaml"]);
    // What has no fault is let in.
    assert_eq!(serving.asked(&image).await, (200, String::new()));
    let mut table = String::new();
    for row in &rows {
        table.push_str(&said(&serving, row).await);
        row.shown_nothing();
    }
    table.push_str(&away::said().await);
    insta::assert_snapshot!("faults", table);
}
