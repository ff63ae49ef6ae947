//! What is right, and what is wrong in one thing, check by check.

use meshgate::image::{Digest, Evidence};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use super::{Bench, Row, row, statements};
use crate::sigstore::{
    self as kit, Authority, Kit, Leaf, Log, SIGNED, Said, Timestamps, Vouched, digest, statement,
};

pub(super) const ENTRY: &str = "/verificationMaterial/tlogEntries/0";

pub(super) fn of(bench: &Bench) -> [(&'static str, Vec<Row>); 9] {
    [
        ("digest of the payload", payloads(bench)),
        ("log entry and artifact", entries(bench)),
        ("inclusion in the log", inclusion(bench)),
        ("chain at signing time", chains(bench)),
        ("issuer and subject", identities(bench)),
        ("validity of keys", keys(bench)),
        ("type of the statement", statements::types(bench)),
        ("signature of the attestation", statements::signatures(bench)),
        ("what can't be read", statements::unreadable(bench)),
    ]
}

pub(super) fn signed() -> Vec<u8> {
    statement(&digest(), SIGNED, json!({}))
}

pub(super) fn attested() -> Vec<u8> {
    statement(&digest(), "t", json!({ "a": 1 }))
}

pub(super) fn with(bundle: &Value, pointer: &str, value: Value) -> Evidence {
    let mut changed = bundle.clone();
    *changed.pointer_mut(pointer).unwrap() = value;
    kit::bundle_evidence(&changed)
}

impl Bench {
    pub(super) fn by(&self, leaf: &Leaf, payload: &[u8]) -> Value {
        kit::keyless_bundle(&self.kit, leaf, payload)
    }

    pub(super) fn keyless(&self, payload: &[u8]) -> Evidence {
        kit::bundle_evidence(&self.by(&self.leaf, payload))
    }

    pub(super) fn alone(&self, payload: &[u8]) -> Evidence {
        kit::bundle_evidence(&kit::key_bundle(&self.key, payload, None))
    }

    /// cosign's older form of a signature, with what the log is told of it.
    pub(super) fn legacy(&self, payload: &[u8], logged: &[u8], verifier: &str) -> Evidence {
        let signature = self.leaf.key.sign(payload).unwrap();
        let entry = self.kit.log.hashedrekord(logged, signature.as_bytes(), verifier);
        let layer = kit::signed_layer(signature.as_bytes());
        kit::signature_evidence(payload, kit::with_material(layer, Some(&self.leaf.pem()), &entry))
    }
}

fn payloads(bench: &Bench) -> Vec<Row> {
    let (other, pem) = (Digest::of(b"another image"), bench.leaf.pem());
    let (own, others) = (kit::simple_signing(&digest()), kit::simple_signing(&other));
    let text = String::from_utf8(signed()).unwrap();
    let sha512 = text.replace("sha256", "sha512").into_bytes();
    let upper = text.replace(&digest().hex(), &digest().hex().to_uppercase()).into_bytes();
    let nobody =
        json!({ "_type": "https://in-toto.io/Statement/v1", "subject": [], "predicateType": SIGNED });
    vec![
        row("a bundle of this image", "exact", "counts", bench.keyless(&signed())),
        row("a `.sig` of this image", "exact", "counts", bench.legacy(&own, &own, &pem)),
        row(
            "a bundle of another image",
            "exact",
            "binding",
            bench.keyless(&statement(&other, SIGNED, json!({}))),
        ),
        row(
            "the same by a key without a log",
            "alone",
            "binding",
            bench.alone(&statement(&other, SIGNED, json!({}))),
        ),
        row("a `.sig` of another image", "exact", "binding", bench.legacy(&others, &others, &pem)),
        row("a statement about nothing", "exact", "malformed", bench.keyless(nobody.to_string().as_bytes())),
        row("its digest under another algorithm", "alone", "binding", bench.alone(&sha512)),
        row("its digest in capitals", "alone", "binding", bench.alone(&upper)),
    ]
}

fn entries(bench: &Bench) -> Vec<Row> {
    let (good, again) = (bench.by(&bench.leaf, &signed()), bench.by(&bench.leaf, &signed()));
    let other = bench.by(&bench.leaf, &attested());
    let (own, pem) = (kit::simple_signing(&digest()), bench.leaf.pem());
    let (others, another) = (kit::pem_of(&kit::key()), bench.kit.authority.leaf());
    let logged = kit::key_bundle(&bench.key, &signed(), Some(&bench.kit.log));
    let of = |bundle: &Value| bundle.pointer(ENTRY).unwrap().clone();
    vec![
        row("the entry of this signature", "exact", "counts", kit::bundle_evidence(&good)),
        row("the same by a key", "keyed", "counts", kit::bundle_evidence(&logged)),
        row("an entry of another signature", "exact", "log-mismatch", with(&good, ENTRY, of(&again))),
        row("an entry of another payload", "exact", "log-mismatch", with(&good, ENTRY, of(&other))),
        row("a certificate's entry beside a key", "keyed", "log-mismatch", with(&logged, ENTRY, of(&good))),
        row("`.sig`: the entry of this signature", "exact", "counts", bench.legacy(&own, &own, &pem)),
        row("`.sig`: an entry of another payload", "exact", "binding", bench.legacy(&own, b"other", &pem)),
        row("`.sig`: an entry with a key instead", "exact", "malformed", bench.legacy(&own, &own, &others)),
        row(
            "`.sig`: an entry with another certificate",
            "exact",
            "log-mismatch",
            bench.legacy(&own, &own, &another.pem()),
        ),
    ]
}

fn inclusion(bench: &Bench) -> Vec<Row> {
    let good = bench.by(&bench.leaf, &signed());
    let again = bench.by(&bench.leaf, &attested());
    let signature = good["dsseEnvelope"]["signatures"][0]["sig"].as_str().unwrap();
    let strange = Log::new().dsse(&signed(), signature.as_bytes(), &bench.leaf.pem());
    let entry = |pointer: &str, value: Value| with(&good, &format!("{ENTRY}{pointer}"), value);
    let of = |pointer: &str| again.pointer(&format!("{ENTRY}{pointer}")).unwrap().clone();
    let own = kit::simple_signing(&digest());
    let signature = bench.leaf.key.sign(&own).unwrap();
    let unlogged = kit::signed_layer(signature.as_bytes());
    let mut bare = unlogged.clone();
    bare.insert("dev.sigstore.cosign/certificate".to_owned(), bench.leaf.pem());
    let tiles = kit::stamped_bundle(&bench.kit, Ok(&bench.leaf), &signed(), Vouched::Tiles);
    let checkpoint = "/inclusionProof/checkpoint/envelope";
    vec![
        row("proof, checkpoint and promise", "exact", "counts", kit::bundle_evidence(&good)),
        row("Rekor v2: proof and checkpoint", "exact", "counts", kit::bundle_evidence(&tiles)),
        row("no entry", "exact", "log", with(&good, "/verificationMaterial/tlogEntries", json!([]))),
        row("an entry of a log that nobody trusts", "exact", "log", entry("", strange)),
        row(
            "a hash of the path is another",
            "exact",
            "log",
            entry("/inclusionProof/hashes/0", json!(kit::b64([7; 32]))),
        ),
        row(
            "the tree of another entry",
            "exact",
            "log",
            entry("/inclusionProof/rootHash", of("/inclusionProof/rootHash")),
        ),
        row("the checkpoint of another tree", "exact", "log", entry(checkpoint, of(checkpoint))),
        row("no checkpoint", "exact", "log", entry(checkpoint, json!(""))),
        row(
            "the promise of another entry",
            "exact",
            "log",
            entry("/inclusionPromise", of("/inclusionPromise")),
        ),
        row(
            "Rekor v2: a hash of the path is another",
            "exact",
            "log",
            with(&tiles, &format!("{ENTRY}/inclusionProof/hashes/0"), json!(kit::b64([7; 32]))),
        ),
        row("`.sig` without an entry", "exact", "log", kit::signature_evidence(&own, bare)),
        row("a key without an entry, where one has to be", "keyed", "log", bench.alone(&signed())),
    ]
}

/// A bundle that has a timestamp and no log, by a leaf.
fn stamped(kit: &Kit, leaf: &Leaf) -> Evidence {
    kit::bundle_evidence(&kit::stamped_bundle(kit, Ok(leaf), &signed(), Vouched::Timestamp))
}

/// A bundle whose entry the log took at some minute from now.
fn at(bench: &Bench, leaf: &Leaf, minutes: i64) -> Evidence {
    let good = bench.by(leaf, &signed());
    let body = good.pointer(&format!("{ENTRY}/canonicalizedBody")).unwrap().as_str().unwrap();
    let body = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, body).unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap();
    with(
        &good,
        ENTRY,
        bench.kit.log.entry("dsse", &body, OffsetDateTime::now_utc() + Duration::minutes(minutes)),
    )
}

fn chains(bench: &Bench) -> Vec<Row> {
    let leaf = |said: Said| bench.kit.authority.leaf_that(&said);
    let of = |said: Said| kit::bundle_evidence(&bench.by(&leaf(said), &signed()));
    let begins = |minutes| Said { begins: Duration::minutes(minutes), ..Said::default() };
    let purpose = rcgen::ExtendedKeyUsagePurpose::ServerAuth;
    let strange = kit::bundle_evidence(&bench.by(&Kit::new().authority.leaf(), &signed()));
    let expired = Kit { authority: Authority::new().below(Duration::days(-1)), ..Kit::new() };
    let root = |bundle: Evidence, rule, what| Row {
        root: Some(expired.full_root("2020-01-01T00:00:00Z")),
        ..row(what, rule, "certificate", bundle)
    };
    let under = expired.authority.leaf();
    let window = |end: &str, expected| {
        let mut root = bench.root();
        root["certificateAuthorities"][0]["validFor"]["end"] = json!(end);
        let what = "an authority that is trusted until then";
        Row { root: Some(root), ..row(what, "exact", expected, bench.keyless(&signed())) }
    };
    vec![
        row("a certificate of its ten minutes", "exact", "counts", bench.keyless(&signed())),
        row("by a timestamp, without a log", "stamped", "counts", stamped(&bench.kit, &bench.leaf)),
        row("over by now, and not when it signed", "exact", "counts", at(bench, &leaf(begins(-60)), -55)),
        row("of an authority that nobody trusts", "exact", "certificate", strange),
        row("over before it signed", "exact", "certificate", of(begins(-60))),
        row("not begun when it signed", "exact", "certificate", of(begins(5))),
        row("the log took it after the end", "exact", "certificate", at(bench, &leaf(begins(-60)), -45)),
        row("the log took it before the beginning", "exact", "certificate", at(bench, &bench.leaf, -30)),
        row("the log's time is yet to come", "exact", "log", at(bench, &bench.leaf, 60)),
        row("for another purpose", "exact", "certificate", of(Said { purpose, ..Said::default() })),
        row("in no log of certificates", "exact", "sct", of(Said { is_logged: false, ..Said::default() })),
        root(
            kit::bundle_evidence(&kit::keyless_bundle(&expired, &under, &signed())),
            "exact",
            "an intermediate that is over",
        ),
        root(stamped(&expired, &under), "stamped", "the same without a log"),
        window("2099-01-01T00:00:00Z", "counts"),
        window("2021-01-01T00:00:00Z", "certificate"),
    ]
}

fn identities(bench: &Bench) -> Vec<Row> {
    let of = |said: Said| kit::bundle_evidence(&bench.by(&bench.kit.authority.leaf_that(&said), &signed()));
    let issuer = |issuer| of(Said { issuer, ..Said::default() });
    let subject = |text| of(Said { subject: text, ..Said::default() });
    let before = "https://evil.example/https://ci.example/acme/app/release@main";
    let after = "https://ci.example/acme/app/release@main.evil.example";
    let line = "https://ci.example/acme/app/release@mai";
    vec![
        row("who is named", "exact", "counts", bench.keyless(&signed())),
        row(
            "who is named by a pattern",
            "pattern",
            "counts",
            subject(Some("https://ci.example/acme/web/release@main")),
        ),
        row("another issuer", "exact", "identity", issuer(Some("https://other.example"))),
        row("an issuer with one more letter", "exact", "identity", issuer(Some("https://issuer.example/"))),
        row(
            "an issuer that only contains the pattern",
            "pattern",
            "identity",
            issuer(Some("https://issuer.example.evil")),
        ),
        row("no issuer", "exact", "identity", issuer(None)),
        row(
            "another subject",
            "exact",
            "identity",
            subject(Some("https://ci.example/acme/web/release@main")),
        ),
        row("a subject that begins like it", "exact", "identity", subject(Some(line))),
        row("text before the pattern", "pattern", "identity", subject(Some(before))),
        row("text after the pattern", "pattern", "identity", subject(Some(after))),
        row("an address instead", "exact", "identity", subject(Some("release@ci.example"))),
        row("no subject", "exact", "identity", subject(None)),
        row("no subject, by a pattern", "pattern", "identity", subject(None)),
    ]
}

fn keys(bench: &Bench) -> Vec<Row> {
    let logged = kit::bundle_evidence(&kit::key_bundle(&bench.key, &signed(), Some(&bench.kit.log)));
    let other = kit::bundle_evidence(&kit::key_bundle(&kit::key(), &signed(), Some(&bench.kit.log)));
    let bare = kit::bundle_evidence(&kit::key_bundle(&kit::key(), &signed(), None));
    let mut rows = vec![
        row("a key within its window", "keyed", "counts", logged.clone()),
        row("a key after its window", "ended", "time", logged),
        row("another key", "keyed", "signature", other),
        row("another key without a log", "alone", "signature", bare),
        row("a certificate instead of a key", "keyed", "kind", bench.keyless(&signed())),
        row("a key instead of a certificate", "exact", "kind", bench.alone(&signed())),
        row("no timestamp, where one has to be", "stamped", "time", bench.keyless(&signed())),
    ];
    rows.extend(windows(bench));
    rows
}

/// Keys that a trust root names count within their windows.
fn windows(bench: &Bench) -> Vec<Row> {
    let late = Kit { timestamps: Timestamps::below(Duration::days(-1)), ..Kit::new() };
    let over = row(
        "a timestamp authority under a root that is over",
        "stamped",
        "time",
        stamped(&late, &late.authority.leaf()),
    );
    let over = Row { root: Some(late.full_root("2020-01-01T00:00:00Z")), ..over };
    let of = |what, place: &str, end: &str, expected| {
        let mut root = bench.root();
        root.pointer_mut(place).unwrap()["end"] = json!(end);
        let (rule, evidence) = match place.starts_with("/timestamp") {
            true => ("stamped", stamped(&bench.kit, &bench.leaf)),
            false => ("exact", bench.keyless(&signed())),
        };
        Row { root: Some(root), ..row(what, rule, expected, evidence) }
    };
    let (past, future) = ("2021-01-01T00:00:00Z", "2099-01-01T00:00:00Z");
    let (log, certificates) = ("/tlogs/0/publicKey/validFor", "/ctlogs/0/publicKey/validFor");
    let stamps = "/timestampAuthorities/0/validFor";
    vec![
        of("the log's key, within its window", log, future, "counts"),
        of("the log's key, after its window", log, past, "log"),
        of("the key of certificates' log, within its window", certificates, future, "counts"),
        of("the key of certificates' log, after its window", certificates, past, "sct"),
        of("the timestamp authority, within its window", stamps, future, "counts"),
        of("the timestamp authority, after its window", stamps, past, "time"),
        over,
    ]
}
