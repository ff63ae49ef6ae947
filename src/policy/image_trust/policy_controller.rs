//! Policies of Sigstore's policy-controller as rules and authorities of an `ImageTrust`: `ClusterImagePolicy` (v1alpha1,
//! v1beta1) and `TrustRoot`. They mean here what they mean there, or the field that can't is refused; nothing is ignored.
//!
//! Source: policy-controller, pkg/apis/policy/v1beta1 (types, defaults, validation), pkg/webhook/validator.go.

mod authority;
mod demands;
mod roots;
mod written;

use std::collections::BTreeMap;

use super::{ImageTrust, Require, TrustEnforcement, TrustRule, check};
use crate::policy::fault::Fault;
use crate::policy::files::typed_in_part;
use crate::policy::written::{Kind, Written};

use written::Spec;

/// The documents of a tree that are of these kinds, and the Secrets with public keys that they name.
pub(in crate::policy) struct Documents<'a> {
    pub(in crate::policy) policies: Vec<&'a Written>,
    pub(in crate::policy) roots: Vec<&'a Written>,
    pub(in crate::policy) secrets: Vec<&'a Written>,
}

/// Adds what the documents say to what the tree's own `ImageTrust` does.
pub(in crate::policy) fn add(
    documents: &Documents<'_>,
    trust: Option<ImageTrust>,
    faults: &mut Vec<Fault>,
) -> Option<ImageTrust> {
    let first = documents.policies.first().or(documents.roots.first());
    let Some(first) = first else {
        faults.extend(documents.secrets.iter().map(|secret| unused(secret)));
        return trust;
    };
    let mut trust = trust.unwrap_or_else(|| ImageTrust { file: first.file.clone(), ..ImageTrust::default() });
    for root in &documents.roots {
        roots::add(root, &mut trust, faults);
    }
    let mut keys = roots::keys(&documents.secrets, faults);
    for policy in &documents.policies {
        let mut reading = Reading { document: policy, keys: &mut keys, faults: Vec::new() };
        let rule = reading.policy(&mut trust);
        let found = reading.faults;
        match rule {
            Some(rule) if found.is_empty() && trust.rules.iter().all(|known| known.name != rule.name) => {
                trust.rules.push(rule);
            }
            Some(rule) if found.is_empty() => {
                let message = format!("`{}`; a rule has that name already, choose another", rule.name);
                faults.push(policy.fault("/metadata/name", format!("metadata.name: {message}")));
            }
            _ => {}
        }
        faults.extend(found);
    }
    let named: Vec<&str> =
        keys.iter().filter(|(_, key)| key.is_named).map(|(name, _)| name.as_str()).collect();
    let unnamed = documents.secrets.iter().filter(|secret| !named.contains(&secret.name.as_str()));
    faults.extend(unnamed.map(|secret| unused(secret)));
    Some(trust)
}

fn unused(secret: &Written) -> Fault {
    let message = "a Secret that no ClusterImagePolicy names; a tree holds none but those with a public key";
    secret.fault("/kind", message)
}

/// A public key from a Secret.
pub(super) struct PublicKey {
    pem: String,
    is_named: bool,
}

/// One document being read.
struct Reading<'a> {
    document: &'a Written,
    keys: &'a mut BTreeMap<String, PublicKey>,
    faults: Vec<Fault>,
}

impl Reading<'_> {
    /// A fault of what stands at a pointer below `spec`, named as Kubernetes writes paths.
    fn fault(&mut self, pointer: &str, message: impl std::fmt::Display) {
        self.faults.push(fault_at(self.document, pointer, message));
    }

    fn policy(&mut self, trust: &mut ImageTrust) -> Option<TrustRule> {
        let spec: Spec = spec(self.document, &mut self.faults)?;
        let name = &self.document.name;
        if spec.images.is_empty() {
            self.fault("/images", "empty, so no image would be meant; name some");
        }
        for (index, image) in spec.images.iter().enumerate() {
            if let Err(why) = check::of_image(&image.glob) {
                self.fault(&format!("/images/{index}/glob"), why);
            }
        }
        if spec.authorities.is_empty() {
            self.fault("/authorities", "empty, so nothing would be demanded; name authorities");
        }
        let enforcement = match spec.mode.as_str() {
            "" | "enforce" => TrustEnforcement::Deny,
            "warn" => TrustEnforcement::Warn,
            other => {
                self.fault("/mode", format!("`{other}`; write enforce or warn"));
                TrustEnforcement::Deny
            }
        };
        let matches = self.matches(&spec.matches);
        let policy = self.of_all(spec.policy.as_ref());
        let mut of = Vec::new();
        for (index, written) in spec.authorities.iter().enumerate() {
            let at = format!("/authorities/{index}");
            let own =
                if written.name.is_empty() { format!("authority-{index}") } else { written.name.clone() };
            let authority = self.authority(written, &at);
            of.push(self.demand(written, &format!("{name}/{own}"), &at));
            let Some(authority) = authority else { continue };
            if trust.authorities.insert(format!("{name}/{own}"), authority).is_some() {
                self.fault(
                    &format!("{at}/name"),
                    format!("`{own}` a second time; give each a name of its own"),
                );
            }
        }
        let images = spec.images.into_iter().map(|image| image.glob).collect();
        let require = Require { at_least: 1, of };
        Some(TrustRule { name: name.clone(), images, require, enforcement, matches, policy })
    }
}

/// `spec`, typed. None where it is not of its form; why is among the faults.
fn spec<T: serde::de::DeserializeOwned>(document: &Written, faults: &mut Vec<Fault>) -> Option<T> {
    let (read, misfits) = typed_in_part(document.spec_as_written(), "");
    let is_whole = misfits.is_empty();
    for misfit in misfits {
        let message = misfit.message.split_once(": ").map_or(misfit.message.as_str(), |(_, why)| why);
        faults.push(fault_at(document, &misfit.pointer, message));
    }
    read.filter(|_| is_whole)
}

fn fault_at(document: &Written, pointer: &str, message: impl std::fmt::Display) -> Fault {
    document.fault(&format!("/spec{pointer}"), format!("{}: {message}", named(pointer)))
}

/// A pointer below `spec` as Kubernetes writes paths: `spec.authorities[0].key`.
fn named(pointer: &str) -> String {
    let steps = pointer.split('/').skip(1);
    steps.fold("spec".to_owned(), |path, step| {
        if step.bytes().all(|byte| byte.is_ascii_digit()) {
            format!("{path}[{step}]")
        } else {
            format!("{path}.{step}")
        }
    })
}

/// Kinds of these documents, by their API.
pub(in crate::policy) fn kind(api_version: &str, kind: &str) -> Option<Kind> {
    match (api_version, kind) {
        ("policy.sigstore.dev/v1alpha1" | "policy.sigstore.dev/v1beta1", "ClusterImagePolicy") => {
            Some(Kind::ClusterImagePolicy)
        }
        ("policy.sigstore.dev/v1alpha1", "TrustRoot") => Some(Kind::TrustRoot),
        ("v1", "Secret") => Some(Kind::Secret),
        _ => None,
    }
}
