//! Signatures in cosign's older form, right and spoiled.

use meshgate::image::{Annotations, Digest};
use serde_json::{Value, json};
use time::Duration;

use super::Case;
use crate::sigstore::{self as kit, Kit, Leaf, Log, Said, simple_signing};

const REKOR: &str = "dev.sigstore.cosign/bundle";
const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";

/// A payload, and what stands beside it.
type Layer = (Vec<u8>, Annotations);

fn case(what: &'static str, root: Value, make: impl Fn(&Digest) -> Layer + 'static) -> Case {
    let put = move |place: &crate::pushed::Pushed<'_>, image: &Value, digest: &Digest| {
        let (payload, annotations) = make(digest);
        place.signature(image, &payload, &annotations);
    };
    Case::of(what, root, put).legacy()
}

/// A layer by a leaf, with what a log is told.
fn layer(log: &Log, leaf: &Leaf, payload: Vec<u8>, logged: &[u8]) -> Layer {
    let signature = leaf.key.sign(&payload).unwrap();
    let entry = log.hashedrekord(logged, signature.as_bytes(), &leaf.pem());
    let annotations = kit::with_material(kit::signed_layer(signature.as_bytes()), Some(&leaf.pem()), &entry);
    (payload, annotations)
}

pub(super) fn of(kit: &'static Kit) -> Vec<Case> {
    let good = |digest: &Digest| {
        let payload = simple_signing(digest);
        layer(&kit.log, &kit.authority.leaf(), payload.clone(), &payload)
    };
    let of = |said: Said| {
        move |digest: &Digest| {
            let payload = simple_signing(digest);
            layer(&kit.log, &kit.authority.leaf_that(&said), payload.clone(), &payload)
        }
    };
    let without = |name: &'static str| {
        move |digest: &Digest| {
            let (payload, mut annotations) = good(digest);
            annotations.remove(name);
            (payload, annotations)
        }
    };
    let swapped = |other: &'static str| {
        move |digest: &Digest| {
            let ((_, mut annotations), (payload, own)) = (good(digest), good(digest));
            annotations.insert(other.to_owned(), own[other].clone());
            (payload, annotations)
        }
    };
    let mut other = kit.root();
    other["tlogs"] = json!([Log::new().trusted()]);
    let (root, begins) =
        (|| kit.root(), |minutes| Said { begins: Duration::minutes(minutes), ..Said::default() });
    let (issuer, subject) = super::NAMED;
    vec![
        case("Rekor v1", root(), good).good(),
        case("another issuer is asked for", root(), good).by("https://other.example", subject),
        case("another subject is asked for", root(), good)
            .by(issuer, "https://ci.example/acme/web/release@main"),
        case("of an authority that nobody trusts", super::of_another_authority(kit), good),
        case("a certificate that was over", root(), of(begins(-60))),
        case("in no log of certificates", root(), of(Said { is_logged: false, ..Said::default() })),
        case("a log that nobody trusts", other, good),
        case("no entry of a log", root(), without(REKOR)),
        case("no certificate", root(), without(CERTIFICATE)),
        case("an entry of another signature", root(), swapped(REKOR)),
        case("another certificate", root(), swapped(CERTIFICATE)),
        case("about another image", root(), move |_| good(&Digest::of(b"another image"))),
        case("an altered payload", root(), move |digest| (simple_signing(digest), good(&Digest::of(b"x")).1)),
        case("an entry of another payload", root(), move |digest| {
            layer(&kit.log, &kit.authority.leaf(), simple_signing(digest), b"another")
        }),
    ]
}
