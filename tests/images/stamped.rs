//! Timestamps and the log that has no times (Rekor v2): accepted, and refused for each thing that is wrong with one.

use std::sync::Arc;

use meshgate::image::{CertificateTrust, KeyTrust, ManagedKey, Trust, Window};
use meshgate::policy::image_trust::HashAlgorithm;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use crate::refused::of_bundle;
use crate::sigstore::{self as kit, Kit, SIGNED, Timestamps, Vouched, digest, statement};

const SINCE: &str = "2020-01-01T00:00:00Z";
const STAMP: &str = "/verificationMaterial/timestampVerificationData/rfc3161Timestamps";
const ENTRY: &str = "/verificationMaterial/tlogEntries/0";

fn payload() -> Vec<u8> {
    statement(&digest(), SIGNED, json!({}))
}

/// Certificates of a root, with a log or without, and with a timestamp.
fn trust(root: &Value, log: bool) -> Arc<Trust> {
    let root = kit::parsed(root);
    Arc::new(Trust::Certificate(CertificateTrust { root, sct: true, log, timestamp: true }))
}

fn with(bundle: &Value, pointer: &str, value: Value) -> Value {
    let mut changed = bundle.clone();
    *changed.pointer_mut(pointer).unwrap() = value;
    changed
}

#[test]
fn what_is_stamped_is_accepted() {
    let kit = Kit::new();
    let (leaf, key) = (kit.authority.leaf(), kit::key());
    let root = kit.full_root(SINCE);
    let keys = |log: bool| {
        let keys =
            vec![ManagedKey::parse(&kit::pem_of(&key), HashAlgorithm::Sha256, Window::default()).unwrap()];
        Arc::new(Trust::Key(KeyTrust { keys, log, timestamp: true, root: Some(kit::parsed(&root)) }))
    };
    for (vouched, log) in [(Vouched::Both, true), (Vouched::Tiles, true), (Vouched::Timestamp, false)] {
        let keyless = kit::stamped_bundle(&kit, Ok(&leaf), &payload(), vouched);
        assert_eq!(of_bundle(&keyless, &trust(&root, log)), "accepted");
        let keyed = kit::stamped_bundle(&kit, Err(&key), &payload(), vouched);
        assert_eq!(of_bundle(&keyed, &keys(log)), "accepted");
    }
    // Without a log in it a log that is required vouches for nothing.
    let alone = kit::stamped_bundle(&kit, Ok(&leaf), &payload(), Vouched::Timestamp);
    assert_eq!(of_bundle(&alone, &trust(&root, true)), "log");
    let alone = kit::stamped_bundle(&kit, Err(&key), &payload(), Vouched::Timestamp);
    assert_eq!(of_bundle(&alone, &keys(true)), "log");
}

#[test]
fn timestamps() {
    let kit = Kit::new();
    let leaf = kit.authority.leaf();
    let root = kit.full_root(SINCE);
    let good = kit::stamped_bundle(&kit, Ok(&leaf), &payload(), Vouched::Tiles);
    let signature = good["dsseEnvelope"]["signatures"][0]["sig"].as_str().unwrap();
    let signature = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, signature).unwrap();
    let stamp = |authority: &Timestamps, over: &[u8], minutes: i64| {
        let at = OffsetDateTime::now_utc() + Duration::minutes(minutes);
        with(&good, &format!("{STAMP}/0/signedTimestamp"), json!(kit::b64(authority.over(over, at))))
    };
    let mut token = kit.timestamps.over(&signature, OffsetDateTime::now_utc());
    if let Some(last) = token.last_mut() {
        *last ^= 1;
    }
    let rows = [
        (good.clone(), "accepted"),
        (stamp(&kit.timestamps, &signature, -1), "accepted"),
        // Of another signature, of another authority, before and after the certificate, from the future.
        (stamp(&kit.timestamps, b"another signature", -1), "time"),
        (stamp(&Timestamps::new(), &signature, -1), "time"),
        (stamp(&kit.timestamps, &signature, -60), "certificate"),
        (with(&good, &format!("{STAMP}/0/signedTimestamp"), json!(kit::b64(&token))), "time"),
        (with(&good, STAMP, json!([])), "time"),
        (with(&good, STAMP, json!(vec![good.pointer(&format!("{STAMP}/0")).unwrap(); 5])), "limit"),
    ];
    let trust = trust(&root, true);
    let found: Vec<String> = rows.iter().map(|(bundle, _)| of_bundle(bundle, &trust)).collect();
    assert_eq!(found, rows.each_ref().map(|(_, expected)| *expected));
    assert_ne!(of_bundle(&stamp(&kit.timestamps, &signature, 60), &trust), "accepted", "from the future");
    // An authority counts within its window alone.
    let late = kit.full_root("2099-01-01T00:00:00Z");
    assert_eq!(of_bundle(&good, &self::trust(&late, true)), "time");
}

#[test]
fn entries_without_times() {
    let kit = Kit::new();
    let leaf = kit.authority.leaf();
    let root = kit.full_root(SINCE);
    let of = |payload: &[u8]| kit::stamped_bundle(&kit, Ok(&leaf), payload, Vouched::Tiles);
    let good = of(&payload());
    let other = of(&statement(&digest(), "https://other.example", json!({})));
    let entry = |pointer: &str, value: Value| with(&good, &format!("{ENTRY}{pointer}"), value);
    let strange = kit::stamped_bundle(&Kit::new(), Ok(&leaf), &payload(), Vouched::Tiles);
    let rows = [
        (good.clone(), "accepted"),
        // The checkpoint says it, too, and that is what counts.
        (entry("/inclusionProof/rootHash", json!(kit::b64([7; 32]))), "accepted"),
        (entry("/inclusionProof/hashes/0", json!(kit::b64([7; 32]))), "log"),
        (entry("", strange.pointer(ENTRY).unwrap().clone()), "log"),
        (with(&good, "/verificationMaterial/tlogEntries", json!([])), "log"),
    ];
    let trust = trust(&root, true);
    let found: Vec<String> = rows.iter().map(|(bundle, _)| of_bundle(bundle, &trust)).collect();
    assert_eq!(found, rows.each_ref().map(|(_, expected)| *expected));
    // An authentic entry of another signature.
    let copied = of_bundle(&entry("", other.pointer(ENTRY).unwrap().clone()), &trust);
    assert!(matches!(copied.as_str(), "log-mismatch" | "binding"), "{copied}");
}
