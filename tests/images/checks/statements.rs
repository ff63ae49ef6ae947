//! The rows of what is in an envelope: its type, its own signature, and that it can be read.

use meshgate::image::Annotations;
use serde_json::json;

use super::rows::{ENTRY, attested, signed, with};
use super::{Bench, Row, row};
use crate::sigstore::{self as kit, digest, statement};

pub(super) fn types(bench: &Bench) -> Vec<Row> {
    let of = |kind: &str| bench.keyless(&statement(&digest(), kind, json!({})));
    let own = kit::simple_signing(&digest());
    vec![
        row("a statement of the type", "attested by exact", "counts", bench.keyless(&attested())),
        row("a signature, where one is demanded", "exact", "counts", bench.keyless(&signed())),
        row("of another type", "attested by exact", "nothing", of("u")),
        row("of a type that begins like it", "attested by exact", "nothing", of("tt")),
        row("of the type in capitals", "attested by exact", "nothing", of("T")),
        row("a signature instead of the statement", "attested by exact", "nothing", bench.keyless(&signed())),
        row(
            "a `.sig` instead of the statement",
            "attested by exact",
            "nothing",
            bench.legacy(&own, &own, &bench.leaf.pem()),
        ),
        row("a statement instead of a signature", "exact", "nothing", bench.keyless(&attested())),
        row("the same by a key", "alone", "nothing", bench.alone(&attested())),
        row("without a type", "attested by exact", "malformed", of("")),
    ]
}

pub(super) fn signatures(bench: &Bench) -> Vec<Row> {
    let (good, keyed) = (bench.by(&bench.leaf, &attested()), kit::key_bundle(&bench.key, &attested(), None));
    let (other, all) = (statement(&digest(), "t", json!({ "a": 2 })), "/dsseEnvelope/signatures");
    let one = good.pointer("/dsseEnvelope/signatures/0").unwrap();
    let legacy = |payload: &[u8], signature: &str| {
        let mut envelope = kit::envelope(payload, b"");
        envelope["signatures"][0]["sig"] = json!(signature);
        kit::attestation_evidence(&envelope, Annotations::new())
    };
    let signature = keyed["dsseEnvelope"]["signatures"][0]["sig"].as_str().unwrap();
    let strange = kit::b64(kit::key().sign(&kit::pae(&attested())).unwrap().as_bytes());
    let bare = kit::b64(bench.key.sign(&attested()).unwrap().as_bytes());
    let (exact, alone) = ("attested by exact", "attested by alone");
    vec![
        row("its own signature, by a certificate", exact, "counts", kit::bundle_evidence(&good)),
        row("its own signature, by a key", alone, "counts", kit::bundle_evidence(&keyed)),
        row("`.att`: its own signature", alone, "counts", legacy(&attested(), signature)),
        row(
            "another predicate under it",
            exact,
            "signature",
            with(&good, "/dsseEnvelope/payload", json!(kit::b64(&other))),
        ),
        row(
            "the same by a key",
            alone,
            "signature",
            with(&keyed, "/dsseEnvelope/payload", json!(kit::b64(&other))),
        ),
        row("`.att`: another predicate under it", alone, "signature", legacy(&other, signature)),
        row("`.att`: the signature of another key", alone, "signature", legacy(&attested(), &strange)),
        row("`.att`: over the payload without its type", alone, "signature", legacy(&attested(), &bare)),
        row(
            "another signature",
            exact,
            "signature",
            with(&good, &format!("{all}/0/sig"), json!(kit::b64([3; 70]))),
        ),
        row("no signature", exact, "malformed", with(&good, all, json!([]))),
        row("an empty signature", alone, "signature", with(&keyed, &format!("{all}/0/sig"), json!(""))),
        row("two signatures", exact, "malformed", with(&good, all, json!([one, one]))),
    ]
}

pub(super) fn unreadable(bench: &Bench) -> Vec<Row> {
    let good = bench.by(&bench.leaf, &signed());
    let bytes = good.to_string();
    let raw = |text: String| kit::raw_bundle(text.into_bytes());
    let text = String::from_utf8(signed()).unwrap();
    let of = |text: String| bench.alone(text.as_bytes());
    let twice = text.replacen('{', "{\"_type\":\"x\",", 1);
    let certificate = "/verificationMaterial/certificate/rawBytes";
    vec![
        row("a bundle that can be read", "exact", "counts", raw(bytes.clone())),
        row(
            "a bundle that ends too early",
            "exact",
            "malformed",
            raw(bytes.chars().take(bytes.len() / 2).collect()),
        ),
        row("no JSON", "exact", "malformed", raw("x".to_owned())),
        row("nothing", "exact", "malformed", raw(String::new())),
        row(
            "another version of bundles",
            "exact",
            "malformed",
            with(&good, "/mediaType", json!("application/vnd.dev.sigstore.bundle.v9+json")),
        ),
        row(
            "a certificate that is none",
            "exact",
            "malformed",
            with(&good, certificate, json!(kit::b64(b"x"))),
        ),
        row("an entry that is none", "exact", "malformed", with(&good, ENTRY, json!({}))),
        row(
            "a payload of another type",
            "exact",
            "unsupported",
            with(&good, "/dsseEnvelope/payloadType", json!("text/plain")),
        ),
        row(
            "a payload that is no base64",
            "exact",
            "malformed",
            with(&good, "/dsseEnvelope/payload", json!("?")),
        ),
        row("a signed text that is no statement", "alone", "malformed", of("hello".to_owned())),
        row(
            "a statement of another version",
            "alone",
            "unsupported",
            of(text.replace("Statement/v1", "Statement/v9")),
        ),
        row("a statement with one key twice", "alone", "malformed", of(twice)),
        row("a statement with more behind it", "alone", "malformed", of(format!("{text} x"))),
    ]
}
