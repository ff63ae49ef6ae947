//! From `ImageTrust` as it is written to authorities that can be asked. What can't be used is refused here, at load, and
//! never at a request.

mod imported;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::authority::{Authorities, Authority, Basis, Rule, takes};
use super::evidence::Repository;
use super::identity::Identity;
use super::trust::{CertificateTrust, KeyTrust, ManagedKey, Trust, TrustRoot, Window};
use crate::context::Now;
use crate::kubernetes::image_reference::ImageReference;
use crate::policy::image_trust::{
    Authority as Written, Demand, Format, HashAlgorithm, ImageGlob, ImageTrust, Key, Keyless, Need, Source,
    TrustRule,
};
use crate::policy::{Fault, Faults};

impl Authorities {
    /// Compiles what a tree says.
    ///
    /// # Errors
    /// Every key, root and identity that can't be used, with its file.
    pub fn compile(trust: &ImageTrust) -> Result<Self, Faults> {
        let file = trust.file.clone();
        let mut compiler = Compiler { trust, file, roots: BTreeMap::new(), faults: Vec::new() };
        for name in trust.trust_roots.keys() {
            compiler.root(name, &format!("trustRoots.{name}"));
        }
        let authorities = trust.authorities.iter();
        let compiled: Vec<_> = authorities.map(|(name, written)| compiler.authority(name, written)).collect();
        let by_name: BTreeMap<String, Authority> =
            compiled.into_iter().flatten().map(|one| (one.name.clone(), one)).collect();
        let rules = trust.rules.iter().filter_map(|rule| compiler.rule(rule, &by_name)).collect();
        let compliance = compiler.compliance();
        Faults::or(compiler.faults, Self { by_name, rules, compliance })
    }
}

struct Compiler<'a> {
    trust: &'a ImageTrust,
    /// The file that is spoken of.
    file: String,
    roots: BTreeMap<String, Option<Arc<TrustRoot>>>,
    faults: Vec<Fault>,
}

impl Compiler<'_> {
    fn fault(&mut self, at: &str, message: impl std::fmt::Display) {
        self.faults.push(Fault::of_file(&self.file, format!("{at}: {message}")));
    }

    /// A root, read once. One of the tree comes before one that is embedded.
    fn root(&mut self, name: &str, at: &str) -> Option<Arc<TrustRoot>> {
        if let Some(known) = self.roots.get(name) {
            return known.clone();
        }
        let own = self.trust.trust_roots.get(name).map(|root| root.file.clone());
        let read = match (&own, TrustRoot::embedded(name)) {
            (Some(file), _) => match self.trust.contents.get(file) {
                Some(content) => TrustRoot::parse(content).map_err(|why| Fault::of_file(file, why)),
                // That the tree has no such file was said already.
                None => return None,
            },
            (None, Some(text)) => {
                TrustRoot::parse(text.as_bytes()).map_err(|why| Fault::of_file(&self.trust.file, why))
            }
            (None, None) => {
                let known: Vec<&str> = self.trust.trust_roots.keys().map(String::as_str).collect();
                let known = [&TrustRoot::EMBEDDED[..], &known].concat().join(", ");
                self.fault(at, format!("no trust root `{name}`; there are {known}"));
                return None;
            }
        };
        let root = read.map_err(|fault| self.faults.push(fault)).ok().map(Arc::new);
        self.roots.insert(name.to_owned(), root.clone());
        root
    }

    fn authority(&mut self, name: &str, written: &Written) -> Option<Authority> {
        let at = match &written.place {
            Some(place) => {
                self.file.clone_from(&place.file);
                place.field.clone()
            }
            None => {
                self.file.clone_from(&self.trust.file);
                format!("authorities.{name}")
            }
        };
        let basis = match written {
            Written { keyless: Some(keyless), .. } => self.keyless(keyless, &format!("{at}.keyless"))?,
            Written { key: Some(key), .. } => self.key(key, &format!("{at}.key"))?,
            Written { fixed: Some(answer), .. } => Basis::Fixed(answer.clone()),
            // That it is none of the three was said already.
            Written { .. } => return None,
        };
        let source = written.source.as_ref().map(|source| self.source(source, &at)).transpose().ok()?;
        let [bundles, legacy] = [Format::Bundle, Format::Legacy].map(|one| takes(&written.formats, one));
        Some(Authority { name: name.to_owned(), basis, bundles, legacy, source })
    }

    fn keyless(&mut self, keyless: &Keyless, at: &str) -> Option<Basis> {
        let root = self.root_of(&keyless.trust_root, keyless.by_url.as_ref(), at)?;
        let parsed: Vec<_> = keyless.identities.iter().map(Identity::parse).collect();
        let mut identities = Vec::new();
        for (index, identity) in parsed.into_iter().enumerate() {
            match identity {
                Ok(identity) => identities.push(identity),
                Err(why) => self.fault(&format!("{at}.identities.{index}"), why),
            }
        }
        let required = |need: Option<Need>, otherwise| need.unwrap_or(otherwise) == Need::Required;
        let trust = CertificateTrust {
            sct: required(keyless.sct, Need::Required),
            log: required(keyless.transparency_log, Need::Required),
            timestamp: required(keyless.timestamp, Need::None),
            root: Arc::clone(&root),
        };
        if !root.has_certificate_authorities() {
            self.fault(at, "the trust root has no certificate authorities; name another");
        }
        self.has(&root, trust.log, trust.timestamp, at);
        Some(Basis::Signatures { trust: Arc::new(Trust::Certificate(trust)), identities })
    }

    /// What is required has to be known to the root: else nothing would ever count.
    fn has(&mut self, root: &TrustRoot, log: bool, timestamp: bool, at: &str) {
        if log && !root.has_logs() {
            self.fault(
                at,
                "the trust root has no transparency logs; write `transparencyLog: none`, or name another",
            );
        }
        if timestamp && !root.has_timestamp_authorities() {
            self.fault(
                at,
                "the trust root has no timestamp authorities; name another, or write `timestamp: none`",
            );
        }
    }

    fn key(&mut self, key: &Key, at: &str) -> Option<Basis> {
        let hash = key.hash_algorithm.unwrap_or(HashAlgorithm::Sha256);
        let moment = |text: &Option<String>| Some(Now::parse(text.as_deref()?).ok()?.moment());
        let window = key.valid_for.as_ref();
        let window = window.map(|one| Window { start: moment(&one.start), end: moment(&one.end) });
        let window = window.unwrap_or_default();
        let required = |need: Option<Need>| need == Some(Need::Required);
        let (log, timestamp) = (required(key.transparency_log), required(key.timestamp));
        if window.is_bounded() && !log && !timestamp {
            let remedy = "require a `timestamp` or the `transparencyLog`, or remove `validFor`";
            self.fault(at, format!("`validFor` is a matter of times, and nothing would prove one; {remedy}"));
        }
        let mut keys = Vec::new();
        for (place, pem) in self.pems(key, at) {
            match ManagedKey::parse(&pem, hash, window) {
                Ok(key) => keys.push(key),
                Err(why) => self.faults.push(Fault::of_file(&place.0, format!("{}{why}", place.1))),
            }
        }
        let root = match (&key.trust_root, &key.by_url) {
            (None, None) => None,
            (name, by_url) => Some(self.root_of(name.as_deref().unwrap_or_default(), by_url.as_ref(), at)?),
        };
        if let Some(root) = &root {
            self.has(root, log, timestamp, at);
        }
        (!keys.is_empty()).then(|| Basis::Signatures {
            trust: Arc::new(Trust::Key(KeyTrust { keys, log, timestamp, root })),
            identities: Vec::new(),
        })
    }

    /// The texts of a key: each with its file, and with what stands before a fault in it.
    fn pems(&mut self, key: &Key, at: &str) -> Vec<((String, String), String)> {
        let mut found = Vec::new();
        for file in &key.files {
            let Some(content) = self.trust.contents.get(file) else { continue };
            match std::str::from_utf8(content) {
                Ok(pem) => found.push(((file.clone(), String::new()), pem.to_owned())),
                Err(_) => self.faults.push(Fault::of_file(file, "no public key in PEM; is it another file?")),
            }
        }
        if let Some(pem) = &key.data {
            found.push(((self.file.clone(), format!("{at}.data: ")), pem.clone()));
        }
        found
    }

    fn source(&mut self, source: &Source, at: &str) -> Result<(Repository, String), ()> {
        let prefix = source.tag_prefix.clone().unwrap_or_default();
        let is_tag = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
        if !prefix.chars().all(is_tag) || prefix.starts_with(['-', '.']) || prefix.len() > 32 {
            self.fault(
                &format!("{at}.source.tagPrefix"),
                "not the beginning of a tag; it has letters, digits, `_`, `-`, `.`",
            );
            return Err(());
        }
        match ImageReference::parse(&source.oci) {
            Ok(image) if image.tag().is_none() && image.digest().is_none() => {
                Ok((Repository::of(&image), prefix))
            }
            Ok(_) => {
                self.fault(
                    &format!("{at}.source.oci"),
                    "a repository is named without tag and digest; remove it",
                );
                Err(())
            }
            Err(why) => {
                self.fault(&format!("{at}.source.oci"), why);
                Err(())
            }
        }
    }

    fn rule(&mut self, rule: &TrustRule, known: &BTreeMap<String, Authority>) -> Option<Rule> {
        self.distinct(rule, known);
        let parsed: Vec<_> = rule.images.iter().map(|image| ImageGlob::parse(image)).collect();
        let globs: Result<Vec<ImageGlob>, String> = parsed.into_iter().collect();
        let globs = globs.map_err(|why| self.fault(&format!("rules.{}", rule.name), why)).ok()?;
        Some(Rule { written: rule.clone(), globs, passes: self.trust.passes(rule) })
    }

    /// Where several are demanded, two names of one signer would let it count twice.
    fn distinct(&mut self, rule: &TrustRule, known: &BTreeMap<String, Authority>) {
        if rule.require.at_least < 2 {
            return;
        }
        let named: BTreeSet<&str> = rule.require.of.iter().map(Demand::authority).collect();
        let named: Vec<&Authority> = named.into_iter().filter_map(|name| known.get(name)).collect();
        for (index, one) in named.iter().enumerate() {
            for other in named.iter().skip(index.saturating_add(1)) {
                if !self.can_be_one(one, other) {
                    continue;
                }
                let (one, other) = (one.name(), other.name());
                let message = format!(
                    "`{one}` and `{other}` can be one signer, who would count twice; name one of them"
                );
                self.fault(&format!("rules.{}.require.of", rule.name), message);
            }
        }
    }

    /// Whether two authorities have a key or an identity in common, as far as that can be seen: patterns that differ can
    /// mean one signer, too.
    fn can_be_one(&self, one: &Authority, other: &Authority) -> bool {
        let identities = |of: &Authority| {
            let written = self.trust.authorities.get(&of.name).and_then(|written| written.keyless.as_ref());
            written.map(|keyless| keyless.identities.clone()).unwrap_or_default()
        };
        match (one.trust().map(|one| &**one), other.trust().map(|other| &**other)) {
            (Some(Trust::Key(one)), Some(Trust::Key(other))) => {
                one.keys.iter().any(|key| other.keys.iter().any(|known| known.id() == key.id()))
            }
            (Some(Trust::Certificate(of_one)), Some(Trust::Certificate(of_other))) => {
                let others = identities(other);
                of_one.root == of_other.root
                    && identities(one).iter().any(|identity| others.contains(identity))
            }
            _ => false,
        }
    }
}
