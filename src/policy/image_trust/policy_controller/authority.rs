//! An authority: a key, identities of a Fulcio, or an answer.

use super::super::check::of_identity;
use super::super::{Authority, ByUrl, Format, HashAlgorithm, Key, Keyless, Need, Place, Source, Static};
use super::written::{self, Log};
use super::{Reading, named};

/// Who gives out certificates, and where signatures are logged, where nothing is said.
const FULCIO: &str = "https://fulcio.sigstore.dev";
const REKOR: &str = "https://rekor.sigstore.dev";

/// What has to vouch for signatures, and by which root.
struct Vouching {
    log: Need,
    timestamp: Need,
    root: Option<String>,
    /// Where the log is that the root has to have, or by which it is found: where the log names no root itself.
    log_url: Option<String>,
}

impl Reading<'_> {
    pub(super) fn authority(&mut self, written: &written::Authority, at: &str) -> Option<Authority> {
        let forms = [written.key.is_some(), written.keyless.is_some(), written.fixed.is_some()];
        if forms.into_iter().filter(|is_there| *is_there).count() != 1 {
            self.fault(at, "an authority is one of key, keyless and static; write exactly one");
            return None;
        }
        let before = self.faults.len();
        let source = self.source(written, at);
        let formats = match written.signature_format.as_str() {
            "" => [].into(),
            "legacy" => [Format::Legacy].into(),
            "bundle" => [Format::Bundle].into(),
            other => {
                self.fault(&format!("{at}/signatureFormat"), format!("`{other}`; write legacy or bundle"));
                [].into()
            }
        };
        let vouching = self.vouching(written, at);
        let key = written.key.as_ref().and_then(|key| self.key(key, &vouching, &format!("{at}/key")));
        let keyless = written.keyless.as_ref();
        let keyless = keyless.and_then(|keyless| self.keyless(keyless, &vouching, &format!("{at}/keyless")));
        let fixed = written.fixed.as_ref().and_then(|fixed| self.fixed(fixed, written, at));
        let place = Some(Place { file: self.document.file.clone(), field: named(at) });
        let authority = Authority { keyless, key, fixed, formats, source, place };
        Some(authority).filter(|_| self.faults.len() == before)
    }

    fn vouching(&mut self, written: &written::Authority, at: &str) -> Vouching {
        let stamp = written.rfc3161timestamp.as_ref();
        let log = written.ctlog.as_ref();
        let named = |root: &String| Some(root.clone()).filter(|root| !root.is_empty());
        let mut roots: Vec<String> = Vec::new();
        roots.extend(log.and_then(|log| named(&log.trust_root_ref)));
        roots.extend(stamp.and_then(|stamp| named(&stamp.trust_root_ref)));
        roots.extend(written.keyless.as_ref().and_then(|keyless| named(&keyless.trust_root_ref)));
        roots.dedup();
        if roots.len() > 1 {
            let message =
                format!("trust roots {}; an authority has one, so describe them in one", roots.join(", "));
            self.fault(at, message);
        }
        if stamp.is_some_and(|stamp| stamp.trust_root_ref.is_empty()) {
            let field = format!("{at}/rfc3161timestamp/trustRootRef");
            self.fault(&field, "empty; name the TrustRoot of the timestamp authority");
        }
        if let Some(keyless) = &written.keyless {
            self.certificates_are_named(keyless, &roots, at);
        }
        let is_keyless = written.keyless.is_some();
        let required = |is: bool| if is { Need::Required } else { Need::None };
        Vouching {
            log: required(log.is_some() || (is_keyless && stamp.is_none())),
            timestamp: required(stamp.is_some()),
            root: roots.into_iter().next(),
            log_url: log.filter(|log| log.trust_root_ref.is_empty()).map(log_url),
        }
    }

    /// Who is trusted for a log or for timestamps is not thereby trusted to say who somebody is.
    fn certificates_are_named(&mut self, keyless: &written::Keyless, roots: &[String], at: &str) {
        let Some(root) = roots.first().filter(|_| keyless.trust_root_ref.is_empty()) else { return };
        let remedy = format!("write `{root}`, if certificates of its authorities count, too");
        let message =
            format!("absent, while a log or timestamps are of `{root}`, and an authority has one trust root");
        self.fault(&format!("{at}/keyless/trustRootRef"), format!("{message}; {remedy}"));
    }

    fn key(&mut self, key: &written::Key, vouching: &Vouching, at: &str) -> Option<Key> {
        let forms = [!key.data.is_empty(), !key.kms.is_empty(), key.secret_ref.is_some()];
        if forms.into_iter().filter(|is_there| *is_there).count() != 1 {
            self.fault(at, "a key is in data, in kms or in secretRef; write exactly one");
        }
        if !key.kms.is_empty() {
            let remedy = "write what `cosign public-key --key` says of it as `data`";
            self.fault(&format!("{at}/kms"), format!("keys are not fetched; {remedy}"));
        }
        let hash_algorithm = match key.hash_algorithm.to_ascii_lowercase().as_str() {
            "" | "sha256" => HashAlgorithm::Sha256,
            "sha384" => HashAlgorithm::Sha384,
            "sha512" => HashAlgorithm::Sha512,
            _ => {
                let message = format!("`{}`; write sha256, sha384 or sha512", key.hash_algorithm);
                self.fault(&format!("{at}/hashAlgorithm"), message);
                HashAlgorithm::Sha256
            }
        };
        let data = match &key.secret_ref {
            Some(secret) => self.of_secret(secret, &format!("{at}/secretRef"))?,
            None => key.data.clone(),
        };
        Some(Key {
            files: Vec::new(),
            data: Some(data),
            hash_algorithm: Some(hash_algorithm),
            valid_for: None,
            transparency_log: Some(vouching.log),
            timestamp: Some(vouching.timestamp),
            trust_root: vouching.root.clone(),
            by_url: vouching.log_url.clone().map(|log| ByUrl { authority: None, log: Some(log) }),
        })
    }

    fn of_secret(&mut self, secret: &written::SecretRef, at: &str) -> Option<String> {
        if !secret.namespace.is_empty() && secret.namespace != super::roots::NAMESPACE {
            let message =
                format!("`{}`; a key comes from the policies' own place, remove it", secret.namespace);
            self.fault(&format!("{at}/namespace"), message);
            return None;
        }
        if let Some(key) = self.keys.get_mut(&secret.name) {
            key.is_named = true;
            return Some(key.pem.clone());
        }
        let remedy = "add the Secret with the public key to the tree, or write the key as `data`";
        self.fault(&format!("{at}/name"), format!("no Secret `{}`; {remedy}", secret.name));
        None
    }

    fn keyless(&mut self, keyless: &written::Keyless, vouching: &Vouching, at: &str) -> Option<Keyless> {
        if keyless.ca_cert.is_some() {
            let message = "certificates of an authority stand in a trust root; describe it in a TrustRoot";
            self.fault(&format!("{at}/ca-cert"), message);
        }
        if keyless.identities.is_empty() {
            let message = "empty, so no certificate would ever do; name issuer and subject";
            self.fault(&format!("{at}/identities"), message);
        }
        for (index, identity) in keyless.identities.iter().enumerate() {
            let mut found = Vec::new();
            let place = format!("{at}/identities/{index}");
            of_identity(identity, &place, &mut |pointer, message| found.push((pointer, message)));
            found.iter().for_each(|(pointer, message)| self.fault(pointer, message));
        }
        let url = keyless.url.clone().filter(|url| !url.is_empty());
        let log = vouching.log_url.clone();
        let by_url = match &vouching.root {
            Some(_) => ByUrl { authority: url, log },
            None => ByUrl { authority: Some(url.unwrap_or_else(|| FULCIO.to_owned())), log },
        };
        Some(Keyless {
            trust_root: vouching.root.clone().unwrap_or_default(),
            identities: keyless.identities.clone(),
            sct: keyless.insecure_ignore_sct.filter(|ignores| *ignores).map(|_| Need::None),
            transparency_log: Some(vouching.log),
            timestamp: Some(vouching.timestamp),
            by_url: Some(by_url),
        })
    }

    fn fixed(&mut self, fixed: &written::Static, written: &written::Authority, at: &str) -> Option<Static> {
        let others = [
            ("attestations", !written.attestations.is_empty()),
            ("source", !written.source.is_empty()),
            ("ctlog", written.ctlog.is_some()),
            ("rfc3161timestamp", written.rfc3161timestamp.is_some()),
        ];
        for (name, _) in others.into_iter().filter(|(_, is_there)| *is_there) {
            self.fault(&format!("{at}/{name}"), "beside static, which looks at nothing; remove one of them");
        }
        match fixed.action.as_str() {
            "pass" => Some(Static::Pass),
            "fail" if fixed.message.is_empty() => Some(Static::Fail("refused whoever signed it".to_owned())),
            "fail" => Some(Static::Fail(fixed.message.clone())),
            other => {
                self.fault(&format!("{at}/static/action"), format!("`{other}`; write pass or fail"));
                None
            }
        }
    }

    fn source(&mut self, written: &written::Authority, at: &str) -> Option<Source> {
        if written.source.len() > 1 {
            self.fault(&format!("{at}/source"), "more than one; evidence lies in one place, name it");
        }
        let source = written.source.first()?;
        if !source.signature_pull_secrets.is_empty() {
            let remedy = "let `images.registries` of the configuration name the registry's credentials";
            let field = format!("{at}/source/0/signaturePullSecrets");
            self.fault(&field, format!("credentials are not named by policies; {remedy}"));
        }
        if source.oci.is_empty() {
            if source.tag_prefix.is_some() {
                self.fault(&format!("{at}/source/0/oci"), "empty; name the repository of the tags");
            }
            return None;
        }
        Some(Source { oci: source.oci.clone(), tag_prefix: source.tag_prefix.clone() })
    }
}

/// Where a log is.
fn log_url(log: &Log) -> String {
    log.url.clone().filter(|url| !url.is_empty()).unwrap_or_else(|| REKOR.to_owned())
}
