//! Bundles, right and spoiled.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use meshgate::image::Digest;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use super::Case;
use crate::sigstore::{self as kit, Authority, Kit, Log, SIGNED, Said, Timestamps, Vouched, statement};

const ENTRY: &str = "/verificationMaterial/tlogEntries/0";
const STAMP: &str = "/verificationMaterial/timestampVerificationData/rfc3161Timestamps";
const SINCE: &str = "2020-01-01T00:00:00Z";

type Make = Box<dyn Fn(&Digest) -> Value>;

fn payload(digest: &Digest) -> Vec<u8> {
    statement(digest, SIGNED, json!({}))
}

fn with(mut bundle: Value, pointer: &str, value: Value) -> Value {
    *bundle.pointer_mut(pointer).unwrap() = value;
    bundle
}

/// A case of a bundle with this content about the image.
fn case(what: &'static str, root: Value, make: impl Fn(&Digest) -> Value + 'static) -> Case {
    Case::of(what, root, move |place, image, digest| place.bundle(image, &make(digest), SIGNED))
}

pub(super) fn of(kit: &'static Kit) -> Vec<Case> {
    let mut all = right(kit);
    all.extend(identities(kit));
    all.extend(certificates(kit));
    all.extend(logs(kit));
    all.extend(contents(kit));
    all.extend(stamps(kit));
    all
}

/// A bundle that is right.
fn good(kit: &'static Kit) -> impl Fn(&Digest) -> Value + Copy + 'static {
    |digest| kit::keyless_bundle(kit, &kit.authority.leaf(), &payload(digest))
}

fn right(kit: &'static Kit) -> Vec<Case> {
    let of = |vouched| {
        move |digest: &Digest| kit::stamped_bundle(kit, Ok(&kit.authority.leaf()), &payload(digest), vouched)
    };
    let below: &'static Kit =
        Box::leak(Box::new(Kit { authority: Authority::new().below(Duration::days(9)), ..Kit::new() }));
    vec![
        case("Rekor v1", kit.root(), good(kit)).good(),
        case("Rekor v1 and a timestamp", kit.full_root(SINCE), of(Vouched::Both)).good(),
        case("Rekor v2 and a timestamp", kit.full_root(SINCE), of(Vouched::Tiles)).good(),
        case("a timestamp and no log", kit.full_root(SINCE), of(Vouched::Timestamp)).stamped().good(),
        case("an intermediate", below.root(), good(below)).good(),
    ]
}

fn identities(kit: &'static Kit) -> Vec<Case> {
    let of = |said: Said| {
        move |digest: &Digest| kit::keyless_bundle(kit, &kit.authority.leaf_that(&said), &payload(digest))
    };
    let said = |issuer, subject| Said { issuer, subject, ..Said::default() };
    let (issuer, subject) = super::NAMED;
    let root = || kit.root();
    vec![
        case("another issuer is asked for", root(), good(kit)).by("https://other.example", subject),
        case("another subject is asked for", root(), good(kit))
            .by(issuer, "https://ci.example/acme/web/release@main"),
        case("a part of the subject is asked for", root(), good(kit))
            .by(issuer, "https://ci.example/acme/app/release"),
        case("no issuer", root(), of(said(None, Some(subject)))),
        case("no subject", root(), of(said(Some(issuer), None))),
        case("an address", root(), of(said(Some(issuer), Some("a@ci.example"))))
            .by(issuer, "a@ci.example")
            .good(),
    ]
}

fn certificates(kit: &'static Kit) -> Vec<Case> {
    let of = |said: Said| {
        move |digest: &Digest| kit::keyless_bundle(kit, &kit.authority.leaf_that(&said), &payload(digest))
    };
    let begins = |minutes| Said { begins: Duration::minutes(minutes), ..Said::default() };
    let purpose = rcgen::ExtendedKeyUsagePurpose::ServerAuth;
    let over: &'static Kit =
        Box::leak(Box::new(Kit { authority: Authority::new().below(Duration::days(-1)), ..Kit::new() }));
    let mut other_log = kit.root();
    other_log["ctlogs"] = json!([kit::other_log()]);
    let mut ended = kit.root();
    ended["certificateAuthorities"][0]["validFor"]["end"] = json!("2021-01-01T00:00:00Z");
    let stamped = |digest: &Digest| {
        kit::stamped_bundle(over, Ok(&over.authority.leaf()), &payload(digest), Vouched::Timestamp)
    };
    vec![
        case("of an authority that nobody trusts", super::of_another_authority(kit), good(kit)),
        case("of an authority that was trusted until 2021", ended, good(kit)),
        case("an intermediate that is over", over.root(), good(over)),
        case("the same without a log", over.full_root(SINCE), stamped).stamped(),
        case("a certificate that was over", kit.root(), of(begins(-60))),
        case("a certificate that had not begun", kit.root(), of(begins(5))),
        case("a certificate for another purpose", kit.root(), of(Said { purpose, ..Said::default() })),
        case("in no log of certificates", kit.root(), of(Said { is_logged: false, ..Said::default() })),
        case("in a log of certificates that nobody trusts", other_log, good(kit)),
    ]
}

fn logs(kit: &'static Kit) -> Vec<Case> {
    let good = good(kit);
    let entry = |pointer: &'static str, value: Value| {
        move |digest: &Digest| with(good(digest), &format!("{ENTRY}{pointer}"), value.clone())
    };
    let late = move |digest: &Digest| {
        let bundle = good(digest);
        let body = bundle.pointer(&format!("{ENTRY}/canonicalizedBody")).unwrap().as_str().unwrap();
        let body: Value = serde_json::from_slice(&STANDARD.decode(body).unwrap()).unwrap();
        let at = OffsetDateTime::now_utc() - Duration::minutes(30);
        with(bundle, ENTRY, kit.log.entry("dsse", &body, at))
    };
    let another = move |digest: &Digest| {
        let entry = good(digest).pointer(ENTRY).unwrap().clone();
        with(good(digest), ENTRY, entry)
    };
    let mut other = kit.root();
    other["tlogs"] = json!([Log::new().trusted()]);
    let mut ended = kit.root();
    ended["tlogs"][0]["publicKey"]["validFor"]["end"] = json!("2021-01-01T00:00:00Z");
    let root = || kit.root();
    let (promise, path) = ("/inclusionPromise/signedEntryTimestamp", "/inclusionProof/hashes/0");
    let none = move |digest: &Digest| with(good(digest), "/verificationMaterial/tlogEntries", json!([]));
    vec![
        case("no entry of a log", root(), none),
        case("a log that nobody trusts", other, good),
        case("a log whose key counted until 2021", ended, good),
        case("an entry before the certificate", root(), late),
        case("an entry of another signature", root(), another),
        case("a path that leads elsewhere", root(), entry(path, json!(kit::b64([7; 32])))),
        case("a promise that nobody signed", root(), entry(promise, json!(kit::b64([1; 70])))),
        case("no checkpoint", root(), entry("/inclusionProof/checkpoint/envelope", json!(""))),
    ]
}

fn contents(kit: &'static Kit) -> Vec<Case> {
    let good = good(kit);
    let of = |what: &'static str, make: Make| case(what, kit.root(), make);
    let by = |payload: &[u8]| kit::keyless_bundle(kit, &kit.authority.leaf(), payload);
    let altered = move |_: &Digest| kit::b64(payload(&Digest::of(b"another image")));
    vec![
        of("about another image", Box::new(move |_| by(&payload(&Digest::of(b"another image"))))),
        of(
            "a payload under another's signature",
            Box::new(move |digest| {
                with(
                    by(&payload(&Digest::of(b"x"))),
                    "/dsseEnvelope/payload",
                    json!(kit::b64(payload(digest))),
                )
            }),
        ),
        of(
            "an altered payload",
            Box::new(move |digest| with(good(digest), "/dsseEnvelope/payload", json!(altered(digest)))),
        ),
        of(
            "an altered signature",
            Box::new(move |digest| {
                with(good(digest), "/dsseEnvelope/signatures/0/sig", json!(kit::b64([3; 70])))
            }),
        ),
        of("no signature", Box::new(move |digest| with(good(digest), "/dsseEnvelope/signatures", json!([])))),
        of(
            "a payload of another type",
            Box::new(move |digest| with(good(digest), "/dsseEnvelope/payloadType", json!("text/plain"))),
        ),
        of("no bundle", Box::new(|_| json!({ "a": 1 }))),
        of(
            "an attestation alone",
            Box::new(move |digest| by(&statement(digest, "https://slsa.dev/provenance/v1", json!({})))),
        )
        .otherwise("cosign 3 takes an attestation for a signature"),
    ]
}

fn stamps(kit: &'static Kit) -> Vec<Case> {
    let of = |vouched| {
        move |digest: &Digest| kit::stamped_bundle(kit, Ok(&kit.authority.leaf()), &payload(digest), vouched)
    };
    let tiles = of(Vouched::Tiles);
    let token = |authority: &'static Timestamps, over: Option<&'static [u8]>, minutes: i64| {
        move |digest: &Digest| {
            let bundle = tiles(digest);
            let own =
                STANDARD.decode(bundle["dsseEnvelope"]["signatures"][0]["sig"].as_str().unwrap()).unwrap();
            let at = OffsetDateTime::now_utc() + Duration::minutes(minutes);
            let token = authority.over(over.unwrap_or(&own), at);
            with(bundle, &format!("{STAMP}/0/signedTimestamp"), json!(kit::b64(token)))
        }
    };
    let strange: &'static Timestamps = Box::leak(Box::new(Timestamps::new()));
    let root = || kit.full_root(SINCE);
    vec![
        case("Rekor v2 without a timestamp", root(), move |digest| with(tiles(digest), STAMP, json!([]))),
        case("a timestamp of another authority", root(), token(strange, None, -1)),
        case("a timestamp of another signature", root(), token(&kit.timestamps, Some(b"x"), -1)),
        case("a timestamp before the certificate", root(), token(&kit.timestamps, None, -60)),
        case("a timestamp authority that is yet to be trusted", kit.full_root("2099-01-01T00:00:00Z"), tiles),
    ]
}
