//! How often images are read and verified, whoever asks and however many.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use meshgate::admission::Operation;
use meshgate::context::{ContextSource, FactKey, ImageKey, Puller};
use meshgate::image::{
    Asked, Authorities, Cached, Digest, Evidence, Gatherer, Limits, Reject, Remembered, SignatureVerifier,
    Sigstore, Trust, Verified,
};
use meshgate::review::{Phase, complete};
use serde_json::{Value, json};

use crate::compiled::trust;
use crate::facts::Shelf;
use crate::kit::{Holds, INDEX, Said, index, paths, registries, registry};
use crate::reviewed::{World, bound, bundle_of, now, pod, request};
use crate::server::Server;
use crate::sigstore::{self as kit, SIGNED, statement};

/// Counts what it verifies, and takes its time.
#[derive(Default)]
struct Counting(AtomicUsize);

impl Counting {
    fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl SignatureVerifier for Counting {
    fn verify(&self, evidence: &Evidence, trust: &Arc<Trust>, digest: &Digest) -> Result<Verified, Reject> {
        self.0.fetch_add(1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(50));
        Sigstore::default().verify(evidence, trust, digest)
    }
}

/// A registry with a signed image, and the text of an `ImageTrust` that trusts the key.
fn place(key: &sigstore_crypto::KeyPair) -> (Server, Digest, String) {
    let holds = Holds::default();
    let image = holds.image();
    let bundle = kit::key_bundle(key, &statement(&image, SIGNED, json!({})), None).to_string();
    let entry = holds.referrer(&image, &bundle, Some(SIGNED));
    let said = Said::of(200, &[("content-type", INDEX)], index(&[entry]));
    holds.put(format!("/v2/app/referrers/{image}"), said);
    let server = holds.serve();
    let host = server.address;
    let text = format!(
        "authorities:\n  vendor: {{key: {{files: [k.pub], transparencyLog: none}}}}\n  other: {{key: {{files: [k.pub], transparencyLog: none}}, formats: [bundle]}}\nrules: [{{name: all, images: ['{host}/**'], require: {{of: [vendor, other]}}, enforcement: deny}}]\n"
    );
    (server, image, text)
}

fn gatherer(text: &str, pem: &str, server: &Server, verifier: &Arc<Remembered>) -> Gatherer {
    let authorities = Authorities::compile(&trust(text, &[("k.pub", pem)]).unwrap()).unwrap();
    let source = Arc::new(Cached::new(Arc::new(registries(&[registry(server)])), 1 << 20));
    Gatherer::new(Arc::new(authorities), source, Arc::clone(verifier), Asked::default(), Limits::default())
}

#[tokio::test(flavor = "multi_thread")]
async fn many_pods_of_a_digest_cause_one_reading_and_one_verification() {
    let key = kit::key();
    let (server, image, text) = place(&key);
    let pem = kit::pem_of(&key);
    let policies = ["images/require_signature", "images/require_sbom", "images/attestation_age"];
    let bundle = bundle_of(&text, &policies.map(bound), &pem);
    let counting = Arc::new(Counting::default());
    let verifier = Arc::new(Remembered::new(Arc::clone(&counting) as Arc<dyn SignatureVerifier>, 1 << 20));
    let world = World(gatherer(&text, &pem, &server, &verifier));
    let create = |index: usize| {
        let mut object = pod(&[&format!("{}/app:v{index}@{image}", server.address)]);
        object["metadata"]["name"] = json!(format!("web-{index}"));
        request(Operation::Create, object, None)
    };
    let requests: Vec<_> = (0..51).map(create).collect();
    let reviews = requests.iter().map(|one| complete(&bundle, &world, now(), one, Phase::Validate));
    let denied = |findings: &[meshgate::review::Finding]| -> Vec<String> {
        findings.iter().map(|one| one.policy.to_string()).collect()
    };
    for decision in join_all(reviews).await {
        // Signed it is; nobody attested anything.
        assert_eq!(denied(&decision.findings), ["images/attestation_age", "images/require_sbom"]);
    }
    let mut asked = paths(&server.asked());
    asked.sort();
    let count = asked.len();
    asked.dedup();
    assert_eq!((asked.len(), counting.count()), (count, 1), "{asked:?}");
    // Two tags of cosign's, the list, the manifest, the bundle.
    assert_eq!(count, 5, "{asked:?}");
}

async fn signed(gatherer: &Gatherer, text: &str) -> Value {
    let key = ImageKey { text: text.to_owned(), puller: Puller::default() };
    gatherer.fetch(&FactKey::Signatures(key)).await.known().unwrap()["authorities"]["vendor"]["signed"]
        .clone()
}

#[tokio::test]
async fn another_trust_is_asked_anew_and_the_same_is_not() {
    let (key, other) = (kit::key(), kit::key());
    let (server, image, text) = place(&key);
    let counting = Arc::new(Counting::default());
    let verifier = Arc::new(Remembered::new(Arc::clone(&counting) as Arc<dyn SignatureVerifier>, 1 << 20));
    let name = format!("{}/app@{image}", server.address);
    let (own, others) = (kit::pem_of(&key), kit::pem_of(&other));
    // A bundle after another: what they agree on is known; whom one trusts is nothing to the other.
    let rows = [(&own, true, 1), (&own, true, 1), (&others, false, 2), (&own, true, 2), (&others, false, 2)];
    for (pem, is_signed, verified) in rows {
        let seen = signed(&gatherer(&text, pem, &server, &verifier), &name).await;
        assert_eq!((seen, counting.count()), (json!(is_signed), verified));
    }
    // Where nothing may be kept, nothing is.
    let forgetful = Arc::new(Remembered::new(Arc::clone(&counting) as Arc<dyn SignatureVerifier>, 0));
    for verified in [3, 4] {
        assert_eq!(signed(&gatherer(&text, &own, &server, &forgetful), &name).await, json!(true));
        assert_eq!(counting.count(), verified);
    }
}

/// Keys, what has to vouch for them and since when, and the bytes of the trust root are parts of the key; names and tags of
/// images, names of authorities and who may sign are none.
#[tokio::test]
async fn every_part_of_what_is_verified_by_is_asked_anew_and_nothing_else_is() {
    let (kit, key) = (kit::Kit::new(), kit::key());
    let payload = statement(&kit::digest(), SIGNED, json!({}));
    let keyed = kit::key_bundle(&key, &payload, Some(&kit.log));
    let (root, other) = (kit.root().to_string(), format!("{}\n", kit.root()));
    let (pem, of_other) = (kit::pem_of(&key), kit::pem_of(&kit::key()));
    let files = [("k.pub", pem.as_str()), ("o.pub", &of_other), ("r.json", &root), ("s.json", &other)];
    let counting = Arc::new(Counting::default());
    let verifier = Arc::new(Remembered::new(Arc::clone(&counting) as Arc<dyn SignatureVerifier>, 1 << 20));
    let ask = async |name: &str, authority: &str, image: &str| {
        let text = format!(
            "trustRoots: {{r: {{file: r.json}}, s: {{file: s.json}}}}\nauthorities: {{{name}: {authority}}}\n"
        );
        let authorities = Authorities::compile(&trust(&text, &files).unwrap()).unwrap();
        let evidence = vec![kit::bundle_evidence(&keyed)];
        let shelf = Arc::new(Shelf { evidence, ..Shelf::default() });
        let (asked, limits) = (Asked::default(), Limits::default());
        let gatherer = Gatherer::new(Arc::new(authorities), shelf, Arc::clone(&verifier), asked, limits);
        let before = counting.count();
        let until = tokio::time::Instant::now() + Duration::from_secs(20);
        let entry = gatherer.entry(image, &meshgate::image::CredentialSet::none(), until).await.unwrap();
        (entry["authorities"][name]["signed"] == true, counting.count() - before)
    };
    let key = |members: &str| format!("{{key: {{{members}}}}}");
    let keyless = |members: &str| {
        format!("{{keyless: {{trustRoot: r, identities: [{{issuer: i, subject: s}}], {members}}}}}")
    };
    let image = "registry.example/app:1";
    for (authority, is_signed) in [
        (key("files: [k.pub], transparencyLog: none"), true),
        (key("files: [o.pub], transparencyLog: none"), false),
        (key("files: [o.pub, k.pub], transparencyLog: none"), true),
        (key("files: [k.pub], transparencyLog: required, trustRoot: r"), true),
        (key("files: [k.pub], transparencyLog: required, trustRoot: s"), true),
        (
            key(
                "files: [k.pub], transparencyLog: required, trustRoot: r, validFor: {start: '2020-01-01T00:00:00Z'}",
            ),
            true,
        ),
        (
            key(
                "files: [k.pub], transparencyLog: required, trustRoot: r, validFor: {end: '2020-01-01T00:00:00Z'}",
            ),
            false,
        ),
        (keyless(""), false),
        (keyless("sct: none"), false),
        (keyless("").replace("trustRoot: r", "trustRoot: s"), false),
    ] {
        assert_eq!(ask("a", &authority, image).await, (is_signed, 1), "{authority}");
        for (name, image) in [("a", image), ("b", image), ("a", "registry.example/other/app:2")] {
            assert_eq!(ask(name, &authority, image).await, (is_signed, 0), "{authority} {name} {image}");
        }
        let another = format!("registry.example/app@{}", Digest::of(b"another image"));
        assert_eq!(ask("a", &authority, &another).await, (false, 1), "{authority}: of another image");
    }
    let others = keyless("").replace("issuer: i", "issuer: other");
    assert_eq!(ask("a", &others, image).await, (false, 0), "who may sign is asked of what was verified");
}

#[tokio::test]
async fn who_gives_up_leaves_the_verification_to_who_comes_next() {
    let key = kit::key();
    let (server, image, text) = place(&key);
    let counting = Arc::new(Counting::default());
    let verifier = Arc::new(Remembered::new(Arc::clone(&counting) as Arc<dyn SignatureVerifier>, 1 << 20));
    let asked = gatherer(&text, &kit::pem_of(&key), &server, &verifier);
    let name = format!("{}/app@{image}", server.address);
    let mut codes = Vec::new();
    for milliseconds in [0, 20, 2000] {
        let until = tokio::time::Instant::now() + Duration::from_millis(milliseconds);
        let entry = asked.entry(&name, &meshgate::image::CredentialSet::none(), until).await.unwrap();
        codes.push((entry["status"].clone(), entry["errors"][0]["code"].clone()));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(codes[0], (json!("error"), json!("deadline")));
    assert_eq!(codes[2], (json!("ok"), Value::Null));
    assert_eq!(counting.count(), 1, "{codes:?}");
}
