//! From what lies somewhere to the entry that policies see.

use std::collections::{BTreeMap, BTreeSet};
use std::future::ready;
use std::sync::{Arc, Mutex};

use meshgate::context::{ContextSource, Fact, FactKey, ImageKey, Puller};
use meshgate::image::{
    Answer, Asked, Authorities, CredentialSet, Digest, Evidence, EvidenceSource, Gathered, Gatherer, Lacking,
    Limits, Looked, PullSecrets, Reject, Remembered, Repository, Resolved, SignatureVerifier, SourceError,
    Trust, Verified, Wanted,
};
use meshgate::kubernetes::image_reference::ImageReference;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::compiled::trust;
use crate::sigstore::{self as kit, Kit, SIGNED, digest, statement};

/// A place with evidence, which says what it was asked.
#[derive(Default)]
pub(crate) struct Shelf {
    pub(crate) evidence: Vec<Evidence>,
    pub(crate) fails: Option<SourceError>,
    pub(crate) unread: Vec<SourceError>,
    pub(crate) asked: Mutex<Vec<String>>,
    /// Where credentials were shown, and how many.
    pub(crate) shown: Mutex<Vec<(String, usize)>>,
}

impl EvidenceSource for Shelf {
    fn resolve<'a>(
        &'a self,
        image: &'a ImageReference,
        _: &'a CredentialSet,
        _: Instant,
    ) -> Answer<'a, Resolved> {
        self.asked.lock().unwrap().push(format!("resolve {image}"));
        let resolved = match image.registry() {
            "away.example" => Err(SourceError::Unavailable),
            "denied.example" => Err(SourceError::Denied),
            "private.example" => Err(SourceError::Unauthorized),
            _ => Ok(Resolved {
                digest: digest(),
                media_type: "application/vnd.oci.image.index.v1+json".to_owned(),
            }),
        };
        Box::pin(ready(resolved))
    }

    fn evidence<'a>(
        &'a self,
        at: &'a Repository,
        digest: &'a Digest,
        want: &'a Wanted,
        who: &'a CredentialSet,
        _: Instant,
    ) -> Answer<'a, Gathered> {
        let (registry, name, prefix) = (at.registry(), at.name(), &want.tag_prefix);
        self.shown.lock().unwrap().push((registry.to_owned(), who.len()));
        self.asked.lock().unwrap().push(format!("evidence {registry}/{name} {prefix} {digest}"));
        let gathered = Gathered { evidence: self.evidence.clone(), unread: self.unread.clone(), stale: None };
        Box::pin(ready(self.fails.clone().map_or(Ok(gathered), Err)))
    }

    fn user<'a>(
        &'a self,
        _: &'a Repository,
        _: &'a Digest,
        _: &'a CredentialSet,
        _: Instant,
    ) -> Answer<'a, Option<String>> {
        Box::pin(ready(Err(SourceError::NotFound)))
    }
}

fn verifier() -> Arc<Remembered> {
    Remembered::sigstore(Limits::default(), 1 << 20)
}

/// Asks about an image.
pub(crate) fn gatherer(text: &str, files: &[(&str, &str)], shelf: Arc<Shelf>, types: &[&str]) -> Gatherer {
    let authorities = Arc::new(Authorities::compile(&trust(text, files).unwrap()).unwrap());
    let types: BTreeSet<String> = types.iter().map(|one| (*one).to_owned()).collect();
    let asked = Asked { predicate_types: types, ..Asked::default() };
    Gatherer::new(authorities, shelf, verifier(), asked, Limits::default())
}

fn fact(gatherer: &Gatherer, key: FactKey) -> Fact {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(gatherer.fetch(&key))
}

fn key(text: &str) -> ImageKey {
    ImageKey { text: text.to_owned(), puller: Puller::default() }
}

pub(crate) fn entry(gatherer: &Gatherer, text: &str) -> Value {
    fact(gatherer, FactKey::Signatures(key(text))).known().unwrap()
}

const TRUST: &str = "trustRoots: {kit: {file: r.json}}\nauthorities:\n  vendor: {key: {files: [k.pub], transparencyLog: none}}\n  release: {keyless: {trustRoot: kit, identities: [{issuer: 'https://issuer.example', subjectRegExp: 'https://ci\\.example/acme/.*'}]}}\n  nobody: {keyless: {trustRoot: kit, identities: [{issuer: 'https://issuer.example', subject: 'https://ci.example/acme'}]}}\n  ours: {static: pass}\nrules: [{name: all, images: ['registry.example/**'], require: {of: [vendor, {authority: release, attested: [t]}]}, enforcement: deny}]\n";

/// One signature by key, an attestation by certificate, and the signature once more.
fn shelf(kit: &Kit, key: &sigstore_crypto::KeyPair) -> Shelf {
    let signed = kit::key_bundle(key, &statement(&digest(), SIGNED, json!({})), None);
    let attested =
        kit::keyless_bundle(kit, &kit.authority.leaf(), &statement(&digest(), "t", json!({ "a": 1 })));
    let evidence = [&signed, &attested, &signed].map(kit::bundle_evidence);
    Shelf { evidence: evidence.into(), ..Shelf::default() }
}

/// The members of an entry, but for those that only the object says.
const MEMBERS: [&str; 13] = [
    "attestations",
    "authorities",
    "complete",
    "config",
    "digest",
    "errors",
    "mediaType",
    "pinnedReference",
    "reference",
    "rejected",
    "rules",
    "signatures",
    "status",
];

#[test]
fn an_entry_has_every_key_and_is_the_same_in_any_order() {
    let (kit, signer) = (Kit::new(), kit::key());
    let (root, pem) = (kit.root().to_string(), kit::pem_of(&signer));
    let files = [("r.json", root.as_str()), ("k.pub", pem.as_str())];
    let shelf = shelf(&kit, &signer);
    let mut backwards = Shelf { evidence: shelf.evidence.clone(), ..Shelf::default() };
    backwards.evidence.reverse();
    let asked = gatherer(TRUST, &files, Arc::new(shelf), &["t"]);
    let seen = entry(&asked, "registry.example/app:1");
    assert_eq!(entry(&gatherer(TRUST, &files, Arc::new(backwards), &["t"]), "registry.example/app:1"), seen);
    let members: Vec<&str> = seen.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, MEMBERS);
    let none = json!({ "signed": false, "attested": [], "static": null });
    let authorities = json!({
        "vendor": { "signed": true, "attested": [], "static": null },
        "release": { "signed": false, "attested": ["t"], "static": null },
        "nobody": none,
        "ours": { "signed": false, "attested": [], "static": "pass" },
    });
    assert_eq!(
        (&seen["status"], &seen["complete"], &seen["authorities"]),
        (&json!("ok"), &json!(true), &authorities)
    );
    assert_eq!(seen["pinnedReference"], format!("registry.example/app:1@{}", digest()));
    assert_eq!(seen["rules"][0]["of"][1], json!({ "authority": "release", "attested": ["t"] }));
    let (signatures, attestations) =
        (seen["signatures"].as_array().unwrap(), seen["attestations"].as_array().unwrap());
    assert_eq!((signatures.len(), attestations.len()), (1, 1), "what is there twice counts once");
    assert_eq!(attestations[0]["predicate"], json!({ "a": 1 }));
    assert_eq!(attestations[0]["issuer"], kit::ISSUER);
    let reasons: BTreeMap<(&str, &str), usize> =
        seen["rejected"].as_array().unwrap().iter().fold(BTreeMap::new(), |mut all, one| {
            *all.entry((one["authority"].as_str().unwrap(), one["reason"].as_str().unwrap())).or_default() +=
                1;
            all
        });
    let expected = BTreeMap::from([
        (("nobody", "identity"), 1),
        (("nobody", "kind"), 1),
        (("release", "kind"), 1),
        (("vendor", "kind"), 1),
    ]);
    assert_eq!(reasons, expected);
}

#[test]
fn an_outage_makes_nobody_signed_nor_unsigned() {
    let (kit, signer) = (Kit::new(), kit::key());
    let (root, pem) = (kit.root().to_string(), kit::pem_of(&signer));
    let files = [("r.json", root.as_str()), ("k.pub", pem.as_str())];
    let full = || shelf(&kit, &signer);
    let rows = [
        ("away.example/a:1", full(), "error", "unavailable"),
        ("denied.example/a:1", full(), "denied", "denied"),
        ("private.example/a:1", full(), "error", "not-found"),
        ("NOT AN IMAGE", full(), "error", "corrupt"),
        (
            "registry.example/a:1",
            Shelf { unread: vec![SourceError::Limit("evidence")], ..full() },
            "error",
            "limit",
        ),
        ("registry.example/a:1", Shelf { fails: Some(SourceError::Deadline), ..full() }, "error", "deadline"),
        // A source that has nothing says so; an error is none of that.
        (
            "registry.example/a:1",
            Shelf { fails: Some(SourceError::NotFound), ..full() },
            "error",
            "not-found",
        ),
    ];
    for (text, shelf, status, code) in rows {
        let seen = entry(&gatherer(TRUST, &files, Arc::new(shelf), &["t"]), text);
        assert_eq!((&seen["status"], &seen["complete"]), (&json!(status), &json!(false)), "{text}");
        assert_eq!(seen["errors"][0]["code"], code, "{text}");
        assert_eq!((&seen["signatures"], &seen["attestations"]), (&json!([]), &json!([])), "{text}");
        assert_eq!(seen["authorities"]["vendor"], json!({ "signed": false, "attested": [], "static": null }));
    }
    let nothing = entry(&gatherer(TRUST, &files, Arc::new(Shelf::default()), &["t"]), "registry.example/a:1");
    assert_eq!(
        (&nothing["status"], &nothing["signatures"]),
        (&json!("ok"), &json!([])),
        "nothing is there, and all was read"
    );
}

#[test]
fn a_digest_is_not_asked_for_and_each_place_once() {
    let pem = kit::pem_of(&kit::key());
    let text = "authorities:\n  a: {key: {files: [k.pub], transparencyLog: none}}\n  b: {key: {files: [k.pub], transparencyLog: none}}\n  c: {key: {files: [k.pub], transparencyLog: none}, source: {oci: other.example/sigs, tagPrefix: v-}}\n";
    let shelf = Arc::new(Shelf::default());
    let asked = gatherer(text, &[("k.pub", pem.as_str())], Arc::clone(&shelf), &[]);
    drop(entry(&asked, &format!("registry.example/app:1@{}", digest())));
    let beside = format!("evidence registry.example/app  {}", digest());
    let elsewhere = format!("evidence other.example/sigs v- {}", digest());
    assert_eq!(*shelf.asked.lock().unwrap(), [beside, elsewhere]);
    let known = fact(&asked, FactKey::Image(key("registry.example/app:1"))).known();
    assert_eq!(known, Ok(json!({ "digest": digest().to_string() })));
    assert!(fact(&asked, FactKey::Image(key("away.example/app:1"))).known().is_err());
}

/// One Secret, of every namespace, with a credential for every registry; or none that can be read.
struct Secrets(Result<CredentialSet, Lacking>);

impl PullSecrets for Secrets {
    fn secret<'a>(&'a self, _: &'a str, _: &'a str) -> Looked<'a, CredentialSet> {
        Box::pin(ready(self.0.clone()))
    }

    fn account<'a>(&'a self, _: &'a str, _: &'a str) -> Looked<'a, Vec<String>> {
        Box::pin(ready(Ok(vec!["s".to_owned()])))
    }
}

#[test]
fn an_authoritys_own_place_is_not_read_as_the_author_of_a_pod_likes() {
    let pem = kit::pem_of(&kit::key());
    let text = "authorities:\n  a: {key: {files: [k.pub], transparencyLog: none}}\n  b: {key: {files: [k.pub], transparencyLog: none}, source: {oci: other.example/sigs}}\n";
    let image = format!("registry.example/app:1@{}", digest());
    let asked_by = |secrets: Result<CredentialSet, Lacking>| {
        let shelf = Arc::new(Shelf::default());
        let asked = gatherer(text, &[("k.pub", pem.as_str())], Arc::clone(&shelf), &[]);
        let asked = asked.pulling(Some(Arc::new(Secrets(secrets))));
        let of_pod =
            ImageKey { puller: Puller { namespace: "shop".to_owned(), ..Puller::default() }, ..key(&image) };
        let entry = fact(&asked, FactKey::Signatures(of_pod)).known().unwrap();
        let shown = shelf.shown.lock().unwrap().clone();
        (shown, entry["errors"].as_array().unwrap().len())
    };
    let own = CredentialSet::of_docker_config(br#"{"auths": {"*.example": {"auth": "YTpi"}}}"#).unwrap();
    let both = |count| vec![("registry.example".to_owned(), count), ("other.example".to_owned(), 0)];
    assert_eq!(asked_by(Ok(own)), (both(1), 0));
    // Nor is nothing an error there for want of a Secret that is not shown there.
    assert_eq!(asked_by(Err(Lacking::Unreadable)), (both(0), 1));
}

#[test]
fn no_rule_that_blocks_is_escaped_by_a_digest() {
    let text = "authorities:\n  never: {static: {fail: old}}\n  ours: {static: pass}\nrules:\n- {name: blocked, images: ['registry.example/app:1'], require: {of: [never]}, enforcement: deny}\n- {name: both, images: ['registry.example/app:1'], require: {atLeast: 2, of: [never, ours]}, enforcement: deny}\n- {name: open, images: ['registry.example/app:1'], require: {of: [never, ours]}, enforcement: deny}\n";
    let asked = gatherer(text, &[], Arc::new(Shelf::default()), &[]);
    let names = |image: &str| -> Vec<String> {
        let seen = entry(&asked, image);
        seen["rules"]
            .as_array()
            .unwrap()
            .iter()
            .map(|rule| rule["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names("registry.example/app:1"), ["blocked", "both", "open"]);
    assert_eq!(names(&format!("registry.example/app:1@{}", digest())), ["blocked", "both"]);
}

/// Those who start before any registry does are let in by rules that ask nobody.
#[test]
fn nobody_is_asked_of_whom_nothing_is_demanded() {
    let pem = kit::pem_of(&kit::key());
    let text = "authorities:\n  ours: {static: pass}\n  a: {key: {files: [k.pub], transparencyLog: none}}\n  b: {key: {files: [k.pub], transparencyLog: none}, source: {oci: other.example/sigs}}\nrules:\n- {name: own, images: ['away.example/own**'], require: {of: [ours]}, enforcement: deny}\n- {name: all, images: ['registry.example/**'], require: {of: [a]}, enforcement: deny}\n";
    let authorities = Arc::new(Authorities::compile(&trust(text, &[("k.pub", &pem)]).unwrap()).unwrap());
    let asked = |names: &[&str], image: &str| {
        let (shelf, verifier) = (Arc::new(Shelf::default()), verifier());
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let asked = Asked { authorities: Some(names), ..Asked::default() };
        let authorities = Arc::clone(&authorities);
        let source = Arc::clone(&shelf);
        let seen = entry(&Gatherer::new(authorities, source, verifier, asked, Limits::default()), image);
        (seen, shelf.asked.lock().unwrap().clone())
    };
    let (seen, calls) = asked(&[], "away.example/own:1");
    assert_eq!((&seen["status"], &seen["digest"], calls), (&json!("ok"), &Value::Null, vec![]));
    assert_eq!(seen["authorities"]["ours"]["static"], "pass");
    let pinned = format!("registry.example/app@{}", digest());
    let beside = format!("evidence registry.example/app  {}", digest());
    assert_eq!(asked(&[], &pinned).1, std::slice::from_ref(&beside));
    let elsewhere = format!("evidence other.example/sigs  {}", digest());
    assert_eq!(asked(&["b"], &pinned).1, [beside, elsewhere]);
    assert_eq!(asked(&[], "NOT AN IMAGE").0["status"], "error");
}

/// Whether each rule holds, and whether of anything.
fn held(text: &str, files: &[(&str, &str)], shelf: Shelf, image: &str) -> Vec<(bool, bool)> {
    let seen = entry(&gatherer(text, files, Arc::new(shelf), &["t", "u"]), image);
    let rules = seen["rules"].as_array().unwrap().iter();
    rules.map(|rule| (rule["holds"] == true, rule["holdsOfAny"] == true)).collect()
}

#[test]
fn an_entry_says_which_rules_hold() {
    let (signer, other) = (kit::key(), kit::key());
    let (own, others) = (kit::pem_of(&signer), kit::pem_of(&other));
    let files = [("k.pub", own.as_str()), ("o.pub", others.as_str())];
    let rule = |at_least: usize, of: &str| {
        format!(
            "{{name: '{at_least} {of}', images: ['registry.example/**'], require: {{atLeast: {at_least}, of: [{of}]}}, enforcement: deny}}"
        )
    };
    let rules = [
        rule(1, "a"),
        rule(1, "b"),
        rule(1, "a, b"),
        rule(2, "a, b"),
        rule(2, "a, pass"),
        rule(1, "pass"),
        rule(1, "fail"),
        rule(1, "{authority: a, attested: [t]}"),
        rule(1, "{authority: a, attested: [t, u]}"),
        rule(1, "{authority: pass, attested: [t]}"),
        rule(1, "{authority: b, attested: [t]}"),
    ];
    let text = format!(
        "authorities:\n  a: {{key: {{files: [k.pub], transparencyLog: none}}}}\n  b: {{key: {{files: [o.pub], transparencyLog: none}}}}\n  pass: {{static: pass}}\n  fail: {{static: {{fail: old}}}}\nrules:\n- {}\n",
        rules.join("\n- ")
    );
    let piece = |kind: &str| {
        kit::bundle_evidence(&kit::key_bundle(&signer, &statement(&digest(), kind, json!({})), None))
    };
    let of = |evidence: Vec<Evidence>, image: &str| {
        held(&text, &files, Shelf { evidence, ..Shelf::default() }, image)
    };
    let image = "registry.example/app:1";
    let (yes, no, any) = ((true, false), (false, false), (true, true));
    let signed = [yes, no, yes, no, yes, any, no, no, no, no, no];
    assert_eq!(of(vec![piece(SIGNED)], image), signed);
    // An attestation is no signature, and not the other one.
    assert_eq!(of(vec![piece("t")], image), [no, no, no, no, no, any, no, yes, no, no, no]);
    assert_eq!(of(vec![piece("t"), piece("u")], image)[7..], [yes, yes, no, no]);
    assert_eq!(of(vec![], image), [no, no, no, no, no, any, no, no, no, no, no]);
    let away =
        Shelf { fails: Some(SourceError::Unavailable), evidence: vec![piece(SIGNED)], ..Shelf::default() };
    assert_eq!(held(&text, &files, away, image), [no; 11], "where it is not known nothing holds");
}

/// Where it was called, and a fault of it.
struct Faulty(Mutex<Vec<std::thread::ThreadId>>);

impl SignatureVerifier for Faulty {
    fn verify(&self, _: &Evidence, _: &Arc<Trust>, _: &Digest) -> Result<Verified, Reject> {
        self.0.lock().unwrap().push(std::thread::current().id());
        panic!("a fault of the verifier")
    }
}

#[test]
fn verification_keeps_nobody_waiting_and_its_faults_are_errors_of_the_fact() {
    let signer = kit::key();
    let pem = kit::pem_of(&signer);
    let text = "authorities: {vendor: {key: {files: [k.pub], transparencyLog: none}}}\n";
    let authorities = Arc::new(Authorities::compile(&trust(text, &[("k.pub", &pem)]).unwrap()).unwrap());
    let bundle = kit::key_bundle(&signer, &statement(&digest(), SIGNED, json!({})), None);
    let shelf = Shelf { evidence: vec![kit::bundle_evidence(&bundle)], ..Shelf::default() };
    let faulty = Arc::new(Faulty(Mutex::default()));
    let verifier = Arc::new(Remembered::new(Arc::clone(&faulty) as Arc<dyn SignatureVerifier>, 0));
    let asked = Gatherer::new(authorities, Arc::new(shelf), verifier, Asked::default(), Limits::default());
    let known = fact(&asked, FactKey::Signatures(key("registry.example/app:1"))).known();
    assert_eq!(known, Err("verification failed; it is a fault of this program".to_owned()));
    let threads = faulty.0.lock().unwrap().clone();
    assert!(threads.len() == 1 && threads[0] != std::thread::current().id());
}
