//! A vector for each check, each refused for its reason, and accepted without the one thing that is wrong with it.

use std::sync::Arc;

use meshgate::image::{Annotations, Digest, Evidence, SignatureVerifier, Sigstore, Trust, Window};
use meshgate::policy::image_trust::HashAlgorithm;
use rcgen::ExtendedKeyUsagePurpose;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use crate::sigstore::{self as kit, Kit, Log, SIGNED, Said, digest, other_log, statement};

/// The class of the refusal; `accepted` where there is none.
fn class(evidence: &Evidence, trust: &Arc<Trust>) -> String {
    let verified = Sigstore::default().verify(evidence, trust, &digest());
    verified.map_or_else(|why| why.class.to_string(), |_| "accepted".to_owned())
}

pub(crate) fn of_bundle(bundle: &Value, trust: &Arc<Trust>) -> String {
    class(&kit::bundle_evidence(bundle), trust)
}

fn payload() -> Vec<u8> {
    statement(&digest(), SIGNED, json!({}))
}

fn with(bundle: &Value, pointer: &str, value: Value) -> Value {
    let mut changed = bundle.clone();
    *changed.pointer_mut(pointer).unwrap() = value;
    changed
}

const ENTRY: &str = "/verificationMaterial/tlogEntries/0";

#[test]
fn certificates() {
    let kit = Kit::new();
    let of = |said: Said| kit::keyless_bundle(&kit, &kit.authority.leaf_that(&said), &payload());
    let rows = [
        (of(Said::default()), "accepted"),
        (kit::keyless_bundle(&kit, &Kit::new().authority.leaf(), &payload()), "certificate"),
        (of(Said { begins: Duration::minutes(-60), ..Said::default() }), "certificate"),
        (of(Said { begins: Duration::minutes(5), ..Said::default() }), "certificate"),
        (of(Said { purpose: ExtendedKeyUsagePurpose::ServerAuth, ..Said::default() }), "certificate"),
        (of(Said { is_logged: false, ..Said::default() }), "sct"),
    ];
    for (index, (bundle, expected)) in rows.iter().enumerate() {
        assert_eq!(of_bundle(bundle, &kit.trust()), *expected, "row {index}");
    }
    let root = with(&kit.root(), "/ctlogs/0", other_log());
    assert_eq!(of_bundle(&rows[0].0, &kit::certificates_of(&root)), "sct");
}

#[test]
fn logs() {
    let kit = Kit::new();
    let (leaf, trust) = (kit.authority.leaf(), kit.trust());
    let good = kit::keyless_bundle(&kit, &leaf, &payload());
    let another = kit::keyless_bundle(&kit, &leaf, &payload());
    let other = statement(&digest(), "https://other.example", json!({}));
    let other = kit::keyless_bundle(&kit, &leaf, &other);
    let entry = |pointer: &str, value: Value| with(&good, &format!("{ENTRY}{pointer}"), value);
    let strange = Log::new().dsse(&payload(), b"s", &leaf.pem());
    let mut without = good.clone();
    without["verificationMaterial"]["tlogEntries"] = json!([]);
    let root = |bundle: &Value| bundle.pointer(&format!("{ENTRY}/inclusionProof/rootHash")).unwrap().clone();
    let checkpoint = strange["inclusionProof"]["checkpoint"]["envelope"].clone();
    let rows = [
        (good.clone(), "accepted"),
        // An authentic entry that is about another signature, or another payload.
        (entry("", another.pointer(ENTRY).unwrap().clone()), "log-mismatch"),
        (entry("", other.pointer(ENTRY).unwrap().clone()), "log-mismatch"),
        (entry("", strange.clone()), "log"),
        (without, "log"),
        (entry("/inclusionProof/rootHash", root(&another)), "log"),
        (entry("/inclusionProof/hashes/0", json!(kit::b64([7; 32]))), "log"),
        (entry("/inclusionProof/checkpoint/envelope", checkpoint), "log"),
        (entry("/inclusionProof/checkpoint/envelope", json!("")), "log"),
        (entry("/inclusionPromise/signedEntryTimestamp", json!(kit::b64([1; 70]))), "log"),
        (entry("/integratedTime", json!("1")), "log"),
        (entry("/inclusionProof/treeSize", json!("1")), "log"),
        (entry("/canonicalizedBody", json!(kit::b64(b"{}"))), "log"),
        (entry("/kindVersion/version", json!("0.0.9")), "malformed"),
        (
            with(&good, "/verificationMaterial/tlogEntries", json!(vec![good.pointer(ENTRY).unwrap(); 5])),
            "limit",
        ),
    ];
    let found: Vec<String> = rows.iter().map(|(bundle, _)| of_bundle(bundle, &trust)).collect();
    assert_eq!(found, rows.each_ref().map(|(_, expected)| *expected));
}

#[test]
fn an_entry_after_the_certificate_ended_is_refused() {
    let kit = Kit::new();
    let leaf = kit.authority.leaf();
    let mut bundle = kit::keyless_bundle(&kit, &leaf, &payload());
    let body = bundle.pointer(&format!("{ENTRY}/canonicalizedBody")).unwrap().as_str().unwrap().to_owned();
    let body = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, body).unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap();
    let moment = |minutes: i64| OffsetDateTime::now_utc() + Duration::minutes(minutes);
    for (minutes, expected) in [(-1, "accepted"), (-6, "certificate"), (6, "log"), (1, "log")] {
        bundle["verificationMaterial"]["tlogEntries"][0] = kit.log.entry("dsse", &body, moment(minutes));
        assert_eq!(of_bundle(&bundle, &kit.trust()), expected, "{minutes}");
    }
}

#[test]
fn signatures_and_kinds() {
    let kit = Kit::new();
    let (leaf, key) = (kit.authority.leaf(), kit::key());
    let good = kit::keyless_bundle(&kit, &leaf, &payload());
    let other = statement(&Digest::of(b"another image"), SIGNED, json!({}));
    let trust = kit.trust();
    let keyed = kit::key_bundle(&key, &payload(), Some(&kit.log));
    let by_key = kit::logged_key(&key, &kit.root(), Window::default());
    let rows = [
        (&good, &trust, "accepted"),
        (&with(&good, "/dsseEnvelope/payload", json!(kit::b64(&other))), &trust, "signature"),
        (&with(&good, "/dsseEnvelope/signatures/0/sig", json!(kit::b64([3; 70]))), &trust, "signature"),
        (&with(&good, "/dsseEnvelope/payloadType", json!("text/plain")), &trust, "unsupported"),
        (&with(&good, "/mediaType", json!("application/json")), &trust, "malformed"),
        (&keyed, &by_key, "accepted"),
        (&keyed, &trust, "kind"),
        (&good, &by_key, "kind"),
        (&good, &kit::key_trust(&key, HashAlgorithm::Sha256), "kind"),
        (&keyed, &kit::logged_key(&kit::key(), &kit.root(), Window::default()), "signature"),
        (&keyed, &kit::key_trust(&kit::key(), HashAlgorithm::Sha256), "signature"),
        (&kit::key_bundle(&key, &payload(), None), &by_key, "log"),
        (&kit::keyless_bundle(&kit, &leaf, &other), &trust, "binding"),
        (&kit::key_bundle(&key, &other, None), &kit::key_trust(&key, HashAlgorithm::Sha256), "binding"),
    ];
    for (index, (bundle, trust, expected)) in rows.into_iter().enumerate() {
        assert_eq!(of_bundle(bundle, trust), expected, "row {index}");
    }
}

#[test]
fn a_key_counts_within_its_window_alone() {
    let (kit, key) = (Kit::new(), kit::key());
    let bundle = kit::key_bundle(&key, &payload(), Some(&kit.log));
    let moment = |days: i64| Some(OffsetDateTime::now_utc() + Duration::days(days));
    for (start, end, expected) in [
        (moment(-1), moment(1), "accepted"),
        (None, moment(1), "accepted"),
        (moment(1), None, "time"),
        (None, moment(-1), "time"),
    ] {
        let trust = kit::logged_key(&key, &kit.root(), Window { start, end });
        assert_eq!(of_bundle(&bundle, &trust), expected, "{start:?} {end:?}");
    }
}

#[test]
fn payloads_are_read_strictly() {
    let key = kit::key();
    let trust = kit::key_trust(&key, HashAlgorithm::Sha256);
    let hex = digest().hex();
    let of = |text: String| of_bundle(&kit::key_bundle(&key, text.as_bytes(), None), &trust);
    let subject = format!("\"subject\":[{{\"digest\":{{\"sha256\":\"{hex}\"}}}}]");
    let head = "\"_type\":\"https://in-toto.io/Statement/v1\",\"predicateType\":\"t\"";
    let deep = format!("{}1{}", "[".repeat(70), "]".repeat(70));
    let many = vec!["{\"digest\":{\"sha256\":\"00\"}}"; 4097].join(",");
    for (text, expected) in [
        (format!("{{{head},{subject}}}"), "accepted"),
        (format!("{{{head},{subject},\"predicate\":\"a text\"}}"), "accepted"),
        (format!("{{{head},{subject},\"predicate\":{{\"a\":1,\"a\":2}}}}"), "malformed"),
        (format!("{{{head},{subject},{subject}}}"), "malformed"),
        (format!("{{{head},{subject}}} x"), "malformed"),
        (format!("{{{head},{subject},\"predicate\":{deep}}}"), "malformed"),
        (format!("{{{head}}}"), "malformed"),
        (format!("{{{},{subject}}}", head.replace("Statement/v1", "Statement/v9")), "unsupported"),
        (format!("{{{},{subject}}}", head.replace("\"t\"", "\"\"")), "malformed"),
        (format!("{{{head},\"subject\":[]}}"), "binding"),
        (format!("{{{head},\"subject\":[{many}]}}"), "limit"),
        (format!("{{{head},{}}}", subject.replace(&hex, &hex.to_uppercase())), "binding"),
        (format!("{{{head},{}}}", subject.replace("sha256", "sha512")), "binding"),
    ] {
        assert_eq!(of(text.clone()), expected, "{}", text.chars().take(200).collect::<String>());
    }
}

#[test]
fn cosigns_payloads_are_about_the_image_and_nothing_else() {
    let key = kit::key();
    let trust = kit::key_trust(&key, HashAlgorithm::Sha256);
    let good: Value = serde_json::from_slice(&kit::simple_signing(&digest())).unwrap();
    let of = |document: &Value| {
        let payload = document.to_string().into_bytes();
        let layer = kit::signed_layer(key.sign(&payload).unwrap().as_bytes());
        class(&kit::signature_evidence(&payload, layer), &trust)
    };
    let another = json!(Digest::of(b"another image").to_string());
    for (document, expected) in [
        (good.clone(), "accepted"),
        (with(&good, "/optional", Value::Null), "accepted"),
        (with(&good, "/optional", json!("text")), "malformed"),
        (with(&good, "/critical/type", json!("atomic container signature")), "malformed"),
        (with(&good, "/critical/image/docker-manifest-digest", another), "binding"),
        (with(&good, "/critical/image", json!({})), "malformed"),
    ] {
        assert_eq!(of(&document), expected, "{document}");
    }
}

#[test]
fn annotations_that_are_missing_or_repeated_are_malformed() {
    let kit = Kit::new();
    let (leaf, trust) = (kit.authority.leaf(), kit.trust());
    let payload = kit::simple_signing(&digest());
    let signature = leaf.key.sign(&payload).unwrap();
    let entry = kit.log.hashedrekord(&payload, signature.as_bytes(), &leaf.pem());
    let good = kit::with_material(kit::signed_layer(signature.as_bytes()), Some(&leaf.pem()), &entry);
    let changed = |name: &str, value: Option<String>| {
        let mut annotations: Annotations = good.clone();
        annotations.remove(name);
        annotations.extend(value.map(|value| (name.to_owned(), value)));
        class(&kit::signature_evidence(&payload, annotations), &trust)
    };
    let (certificate, rekor) = ("dev.sigstore.cosign/certificate", "dev.sigstore.cosign/bundle");
    let twice = format!("{}{}", leaf.pem(), leaf.pem());
    for (name, value, expected) in [
        ("x", None, "accepted"),
        ("dev.cosignproject.cosign/signature", None, "malformed"),
        ("dev.cosignproject.cosign/signature", Some("?".to_owned()), "malformed"),
        (certificate, None, "kind"),
        (certificate, Some(twice), "malformed"),
        (certificate, Some(String::new()), "malformed"),
        (rekor, None, "log"),
        (rekor, Some("{}".to_owned()), "malformed"),
        (rekor, Some(good[rekor].replacen('{', "{\"Payload\":1,", 1)), "malformed"),
        ("dev.sigstore.cosign/rfc3161timestamp", Some("{}".to_owned()), "malformed"),
    ] {
        assert_eq!(changed(name, value.clone()), expected, "{name} {value:?}");
    }
}

#[test]
fn more_than_is_looked_at_is_refused_before_it_is_read() {
    let trust = kit::key_trust(&kit::key(), HashAlgorithm::Sha256);
    let large = vec![b' '; (1 << 20) + 1];
    assert_eq!(class(&kit::signature_evidence(&large, Annotations::new()), &trust), "limit");
}
