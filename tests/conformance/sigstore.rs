//! Signed images against `sigstore` of the conformance data: Sigstore's own suite of bundles, bundles of public projects,
//! cosign's layout before bundles, and the globs of policy-controller. Each refusal is for the stated reason.

use std::{fs, path::Path, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use meshgate::context::Now;
use meshgate::image::{
    Annotations, Artifact, CertificateTrust, Checked, Class, Digest, Evidence, Identity, KeyTrust, Kind,
    ManagedKey, Origin, Reject, Repository, SignatureVerifier, Signer, Sigstore, Trust, TrustRoot, Window,
    check, check_payload,
};
use meshgate::kubernetes::image_reference::ImageReference;
use meshgate::policy::image_trust::{HashAlgorithm, Identity as Written, ImageGlob};
use serde_json::Value;

use crate::{Tally, corpus};

/// A row of `cases.json`.
struct Case<'a> {
    directory: &'a Path,
    row: &'a Value,
}

impl Case<'_> {
    fn text(&self, pointer: &str) -> Option<&str> {
        self.row.pointer(pointer).and_then(Value::as_str)
    }

    fn file(&self, pointer: &str) -> Option<Vec<u8>> {
        let path = self.directory.join(self.text(pointer)?);
        Some(fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    }

    /// The SHA-256 that the row names; none where it names another.
    fn digest(&self) -> Option<Digest> {
        self.text("/digest").and_then(|text| text.parse().ok())
    }

    fn sha512(&self) -> Option<[u8; 64]> {
        let digits = self.text("/digest")?.strip_prefix("sha512:")?;
        let bytes = digits.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
        let bytes: Vec<u8> = bytes.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect();
        Some(bytes.try_into().unwrap())
    }

    fn trust(&self) -> Result<Trust, Reject> {
        let root = TrustRoot::parse(&self.file("/trustedRoot").unwrap());
        let root = Arc::new(root.map_err(|why| Reject::new(Class::TrustRoot, why))?);
        let (log, sct) = (self.text("/log") != Some("ignored"), self.text("/sct") != Some("ignored"));
        let timestamp = self.text("/timestamp") == Some("required");
        let Some(pem) = self.file("/signer/key") else {
            return Ok(Trust::Certificate(CertificateTrust { root, sct, log, timestamp }));
        };
        let moment = |name: &str| self.text(name).map(|text| Now::parse(text).unwrap().moment());
        let window = Window { start: moment("/signer/validFor/start"), end: moment("/signer/validFor/end") };
        let pem = String::from_utf8(pem).unwrap();
        let keys = vec![ManagedKey::parse(&pem, HashAlgorithm::Sha256, window).unwrap()];
        Ok(Trust::Key(KeyTrust { keys, log, timestamp, root: Some(root) }))
    }

    fn identity(&self, signer: &Signer) -> Result<(), Reject> {
        let Signer::Certificate(certificate) = signer else { return Ok(()) };
        let member = |name: &str| self.text(&format!("/signer/{name}")).map(str::to_owned);
        let written = Written {
            issuer: member("issuer"),
            issuer_reg_exp: member("issuerRegExp"),
            subject: member("subject"),
            subject_reg_exp: member("subjectRegExp"),
        };
        let is_meant = Identity::parse(&written).unwrap().matches(certificate);
        is_meant.then_some(()).ok_or_else(|| Reject::new(Class::Identity, "another"))
    }

    /// The class of the refusal, or that it is accepted.
    fn verdict(&self, checked: impl Fn(&Trust) -> Result<Checked, Reject>) -> String {
        let verified = self.trust().and_then(|trust| self.identity(checked(&trust)?.signer()));
        verified.map_or_else(|why| why.class.to_string(), |()| "accept".to_owned())
    }

    fn expected(&self) -> String {
        self.text("/reason").unwrap_or("accept").to_owned()
    }

    fn evidence(&self) -> Evidence {
        let image = ImageReference::parse("registry.example/app").unwrap();
        let json = self.file("/bundle").unwrap();
        let layer = Digest::of(&json);
        Evidence::bundle(Origin { repository: Repository::of(&image), manifest: layer, layer }, json.into())
    }

    fn yields(&self) -> String {
        let said = |trust: &Arc<Trust>| {
            let verified = Sigstore::default().verify(&self.evidence(), trust, &self.digest().unwrap());
            Ok(match verified?.kind() {
                Kind::Signature { .. } => "signature https://sigstore.dev/cosign/sign/v1".to_owned(),
                Kind::Attestation { predicate_type, .. } => format!("attestation {predicate_type}"),
            })
        };
        self.trust().and_then(|trust| said(&Arc::new(trust))).unwrap_or_else(|why: Reject| why.to_string())
    }
}

fn cases(directory: &Path) -> Value {
    serde_json::from_slice(&fs::read(directory.join("cases.json")).unwrap()).unwrap()
}

fn bundles(list: &str, name: &'static str, expected: usize) {
    let Some(directory) = corpus("sigstore") else { return };
    let cases = cases(&directory);
    let mut tally = Tally::new(name);
    for row in cases[list].as_array().unwrap() {
        let case = Case { directory: &directory, row };
        let (bundle, name) = (case.file("/bundle").unwrap(), case.text("/name").unwrap());
        if let Some(bytes) = case.file("/artifact") {
            let verdict = case.verdict(|trust| check(&bundle, trust, Artifact::Bytes(&bytes)));
            tally.compare(format!("{name}, bytes"), verdict, case.expected());
        }
        let artifact = || Digest::of(&case.file("/artifact").unwrap());
        let verdict = case.verdict(|trust| match case.sha512() {
            Some(digest) => check(&bundle, trust, Artifact::Sha512(&digest)),
            None => check(&bundle, trust, Artifact::Digest(&case.digest().unwrap_or_else(artifact))),
        });
        tally.compare(format!("{name}, digest"), verdict, case.expected());
    }
    tally.finish(expected);
}

#[test]
fn the_suite_of_bundles_is_judged_as_stated() {
    // 47, each by bytes and by digest.
    bundles("bundleVerify", "bundles of the suite", 94);
}

#[test]
fn bundles_of_public_projects_are_judged_as_stated() {
    // 35 by digest, two of them also by bytes.
    bundles("bundles", "bundles of public projects", 37);
}

#[test]
fn an_image_gets_the_stated_kind() {
    let Some(directory) = corpus("sigstore") else { return };
    let cases = cases(&directory);
    let mut tally = Tally::new("what bundles say of an image");
    for row in cases["bundles"].as_array().unwrap() {
        let case = Case { directory: &directory, row };
        // An image has a SHA-256.
        if let (Some(kind), Some(_)) = (case.text("/yields/kind"), case.digest()) {
            let expected = format!("{kind} {}", case.text("/yields/predicateType").unwrap());
            tally.compare(case.text("/name").unwrap(), case.yields(), expected);
        }
    }
    tally.finish(6);
}

#[test]
fn the_layout_before_bundles_is_judged_as_stated() {
    let Some(directory) = corpus("sigstore") else { return };
    let cases = cases(&directory);
    let mut tally = Tally::new("layout before bundles");
    for row in cases["legacy"].as_array().unwrap() {
        let case = Case { directory: &directory, row };
        let file: Value = serde_json::from_slice(&case.file("/bundle").unwrap()).unwrap();
        let certificate = STANDARD.decode(file["cert"].as_str().unwrap()).unwrap();
        let annotations = Annotations::from([
            ("dev.cosignproject.cosign/signature".into(), file["base64Signature"].as_str().unwrap().into()),
            ("dev.sigstore.cosign/certificate".into(), String::from_utf8(certificate).unwrap()),
            ("dev.sigstore.cosign/bundle".into(), file["rekorBundle"].to_string()),
        ]);
        let payload = case.file("/payload").unwrap();
        let verdict = case.verdict(|trust| match case.digest() {
            None => check_payload(&payload, &annotations, trust),
            Some(digest) => {
                let origin = case.evidence().origin().clone();
                let evidence =
                    Evidence::legacy_signature(origin, payload.clone().into(), annotations.clone());
                let trust = Arc::new(trust.clone());
                let verified = Sigstore::default().verify(&evidence.unwrap(), &trust, &digest);
                Err(verified.err().unwrap_or_else(|| panic!("a signature of {digest}")))
            }
        });
        tally.compare(case.text("/name").unwrap(), verdict, case.expected());
    }
    tally.finish(3);
}

#[test]
fn globs_mean_what_they_mean_to_policy_controller() {
    let Some(directory) = corpus("sigstore/policy-controller") else { return };
    let rows: Vec<Value> =
        serde_json::from_slice(&fs::read(directory.join("glob_cases.json")).unwrap()).unwrap();
    let mut tally = Tally::new("globs of images");
    for row in rows {
        let (glob, image) = (row["glob"].as_str().unwrap(), row["image"].as_str().unwrap());
        let parsed = ImageGlob::parse(glob);
        let is_error = parsed.is_err() || ImageReference::parse(image).is_err();
        let ours = (is_error, parsed.is_ok_and(|glob| glob.matches(image, false)));
        let theirs = (row["error"] == true, row["match"] == true);
        tally.compare(format!("{glob} {image}"), ours, theirs);
    }
    tally.finish(42);
}
