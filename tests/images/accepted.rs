//! Every form that is verified, made by the kit and accepted.

use std::sync::Arc;

use meshgate::image::{
    Annotations, Evidence, KeyTrust, Kind, ManagedKey, SignatureVerifier, Signer, Sigstore, Trust, Window,
};
use meshgate::policy::image_trust::HashAlgorithm;
use rcgen::{KeyPair, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PKCS_RSA_SHA256, RsaKeySize, SigningKey};
use serde_json::json;

use crate::sigstore::{self as kit, Kit, SIGNED, digest, statement};

/// What it says, in a word.
pub(crate) fn said(evidence: &Evidence, trust: &Arc<Trust>) -> String {
    match Sigstore::default().verify(evidence, trust, &digest()) {
        Ok(verified) => match verified.kind() {
            Kind::Signature { .. } => "signature".to_owned(),
            Kind::Attestation { predicate_type, .. } => predicate_type.clone(),
        },
        Err(why) => format!("refused: {why}"),
    }
}

#[test]
fn a_key_signs_without_a_log_in_every_layout() {
    let payload = kit::simple_signing(&digest());
    let key = kit::key();
    let trust = kit::key_trust(&key, HashAlgorithm::Sha256);
    let layer = kit::signed_layer(key.sign(&payload).unwrap().as_bytes());
    assert_eq!(said(&kit::signature_evidence(&payload, layer), &trust), "signature");
    for (kind, expected) in
        [(SIGNED, "signature"), ("https://spdx.dev/Document", "https://spdx.dev/Document")]
    {
        let bundle = kit::key_bundle(&key, &statement(&digest(), kind, json!({})), None);
        assert_eq!(said(&kit::bundle_evidence(&bundle), &trust), expected);
        let envelope = kit::attestation_evidence(&bundle["dsseEnvelope"], Annotations::new());
        assert_eq!(said(&envelope, &trust), expected);
    }
}

#[test]
fn keys_of_other_kinds_sign_with_the_hash_that_is_said() {
    let rsa = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).unwrap();
    let (p384, own) = (&PKCS_ECDSA_P384_SHA384, HashAlgorithm::Sha384);
    for (key, hash, other) in [
        (KeyPair::generate_for(p384).unwrap(), own, Some(HashAlgorithm::Sha256)),
        (rsa, HashAlgorithm::Sha256, Some(HashAlgorithm::Sha512)),
        (KeyPair::generate_for(&PKCS_ED25519).unwrap(), HashAlgorithm::Sha256, None),
    ] {
        let trust = |hash| {
            let keys = vec![ManagedKey::parse(&key.public_key_pem(), hash, Window::default()).unwrap()];
            Arc::new(Trust::Key(KeyTrust { keys, log: false, timestamp: false, root: None }))
        };
        let payload = kit::simple_signing(&digest());
        let layer = kit::signed_layer(&key.sign(&payload).unwrap());
        let evidence = kit::signature_evidence(&payload, layer);
        assert_eq!(said(&evidence, &trust(hash)), "signature");
        assert!(other.is_none_or(|other| said(&evidence, &trust(other)).starts_with("refused: signature")));
    }
}

#[test]
fn a_log_may_vouch_for_a_key() {
    let (kit, key) = (Kit::new(), kit::key());
    let trust = kit::logged_key(&key, &kit.root(), Window::default());
    let bundle = kit::key_bundle(&key, &statement(&digest(), SIGNED, json!({})), Some(&kit.log));
    assert_eq!(said(&kit::bundle_evidence(&bundle), &trust), "signature");
    let payload = kit::simple_signing(&digest());
    let signature = key.sign(&payload).unwrap();
    let entry = kit.log.hashedrekord(&payload, signature.as_bytes(), &kit::pem_of(&key));
    let layer = kit::with_material(kit::signed_layer(signature.as_bytes()), None, &entry);
    assert_eq!(said(&kit::signature_evidence(&payload, layer), &trust), "signature");
}

#[test]
fn a_certificate_signs_in_every_layout() {
    let kit = Kit::new();
    let (leaf, trust) = (kit.authority.leaf(), kit.trust());
    for (kind, expected) in
        [(SIGNED, "signature"), ("https://slsa.dev/provenance/v1", "https://slsa.dev/provenance/v1")]
    {
        let payload = statement(&digest(), kind, json!({}));
        let bundle = kit::keyless_bundle(&kit, &leaf, &payload);
        assert_eq!(said(&kit::bundle_evidence(&bundle), &trust), expected);
        let entry = &bundle["verificationMaterial"]["tlogEntries"][0];
        let layer = kit::with_material(Annotations::new(), Some(&leaf.pem()), entry);
        assert_eq!(said(&kit::attestation_evidence(&bundle["dsseEnvelope"], layer), &trust), expected);
    }
    let payload = kit::simple_signing(&digest());
    let signature = leaf.key.sign(&payload).unwrap();
    let entry = kit.log.hashedrekord(&payload, signature.as_bytes(), &leaf.pem());
    let layer = kit::with_material(kit::signed_layer(signature.as_bytes()), Some(&leaf.pem()), &entry);
    assert_eq!(said(&kit::signature_evidence(&payload, layer), &trust), "signature");
}

#[test]
fn what_is_verified_says_by_whom_and_when() {
    let kit = Kit::new();
    let bundle = kit::keyless_bundle(&kit, &kit.authority.leaf(), &statement(&digest(), SIGNED, json!({})));
    let bytes = bundle.to_string().into_bytes();
    let artifact = digest();
    let checked =
        meshgate::image::check(&bytes, &kit.trust(), meshgate::image::Artifact::Digest(&artifact)).unwrap();
    let Signer::Certificate(certificate) = checked.signer() else { panic!("{checked:?}") };
    assert_eq!(certificate.issuer.as_deref(), Some(kit::ISSUER));
    assert_eq!(certificate.subject.as_deref(), Some(kit::SUBJECT));
    assert_eq!(certificate.claims["sourceRepositoryURI"], "https://ci.example/acme/app");
}
