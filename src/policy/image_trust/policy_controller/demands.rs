//! What of an authority is demanded, of which objects, and what all of it together has to meet.

use super::super::{Attested, Check, Demand, ResourceMatch};
use super::Reading;
use super::written::{self, Policy};
use crate::kubernetes::label_selector::LabelSelector;

/// cosign's short names of predicate types.
///
/// Source: cosign, pkg/cosign/attestation and pkg/types (`PredicateTypeMap`).
const SHORT: [(&str, &str); 9] = [
    ("custom", "https://cosign.sigstore.dev/attestation/v1"),
    ("cyclonedx", "https://cyclonedx.org/bom"),
    ("link", "https://in-toto.io/Link/v1"),
    ("openvex", "https://openvex.dev/ns"),
    ("slsaprovenance", "https://slsa.dev/provenance/v0.2"),
    ("slsaprovenance02", "https://slsa.dev/provenance/v0.2"),
    ("slsaprovenance1", "https://slsa.dev/provenance/v1"),
    ("spdx", "https://spdx.dev/Document"),
    ("spdxjson", "https://spdx.dev/Document"),
];
const VULN: (&str, &str) = ("vuln", "https://cosign.sigstore.dev/attestation/vuln/v1");

/// The resources with Pods that policy-controller knows.
const RESOURCES: [&str; 7] =
    ["cronjobs", "daemonsets", "deployments", "jobs", "pods", "replicasets", "statefulsets"];

impl Reading<'_> {
    /// A signature, or for each attestation a statement of its type that its policy takes.
    pub(super) fn demand(&mut self, written: &written::Authority, name: &str, at: &str) -> Demand {
        if written.attestations.is_empty() {
            return Demand::Signed(name.to_owned());
        }
        let mut checks = Vec::new();
        for (index, attestation) in written.attestations.iter().enumerate() {
            let at = format!("{at}/attestations/{index}");
            if attestation.name.is_empty() {
                self.fault(&format!("{at}/name"), "empty; give it one");
            }
            if attestation.predicate_type.is_empty() {
                self.fault(&format!("{at}/predicateType"), "empty; name the type of the statement");
            }
            let kind = attestation.predicate_type.as_str();
            let long = SHORT.iter().chain([&VULN]).find(|(short, _)| *short == kind).map(|(_, long)| *long);
            let policy = attestation.policy.as_ref();
            let rego = policy.and_then(|policy| self.rego(policy, &format!("{at}/policy"), false));
            let predicate_type = long.unwrap_or(kind).to_owned();
            checks.push(Check { name: attestation.name.clone(), predicate_type, rego });
        }
        let mut attested: Vec<String> = checks.iter().map(|check| check.predicate_type.clone()).collect();
        attested.sort();
        attested.dedup();
        Demand::Attested(Attested { authority: name.to_owned(), attested, checks })
    }

    /// The policy that all authorities together have to meet.
    pub(super) fn of_all(&mut self, policy: Option<&Policy>) -> Option<String> {
        policy.and_then(|policy| self.rego(policy, "/policy", true))
    }

    fn rego(&mut self, policy: &Policy, at: &str, is_of_all: bool) -> Option<String> {
        let asks = [
            ("fetchConfigFile", policy.fetch_config_file),
            ("includeSpec", policy.include_spec),
            ("includeObjectMeta", policy.include_object_meta),
            ("includeTypeMeta", policy.include_type_meta),
        ];
        for (name, _) in asks.into_iter().filter(|(_, asks)| *asks == Some(true)) {
            let message = if is_of_all {
                "such a policy sees signatures and attestations alone; judge the object in a policy of its own"
            } else {
                "an attestation's policy sees its statement alone; remove it"
            };
            self.fault(&format!("{at}/{name}"), message);
        }
        let elsewhere =
            [("remote", policy.remote.is_some()), ("configMapRef", policy.config_map_ref.is_some())];
        let mut is_elsewhere = false;
        for (name, _) in elsewhere.into_iter().filter(|(_, is_there)| *is_there) {
            is_elsewhere = true;
            self.fault(&format!("{at}/{name}"), "policies are read from the tree alone; write it as `data`");
        }
        if policy.kind != "rego" {
            let message = format!("`{}`; write the policy in rego", policy.kind);
            self.fault(&format!("{at}/type"), message);
        } else if policy.data.is_empty() && !is_elsewhere {
            self.fault(&format!("{at}/data"), "empty; write the module");
        }
        Some(policy.data.clone())
    }

    pub(super) fn matches(&mut self, written: &[written::Match]) -> Vec<ResourceMatch> {
        let mut all = Vec::new();
        for (index, one) in written.iter().enumerate() {
            let at = format!("/match/{index}");
            if !RESOURCES.contains(&one.resource.as_str()) {
                let message = format!("`{}`; there are {}", one.resource, RESOURCES.join(", "));
                self.fault(&format!("{at}/resource"), message);
            }
            let selector = one.selector.as_ref().map(LabelSelector::from_value);
            let labels = match selector.unwrap_or_else(|| Ok(LabelSelector::default())) {
                Ok(labels) => labels,
                Err(why) => {
                    self.fault(&format!("{at}/selector"), why);
                    continue;
                }
            };
            let (group, version, resource) = (one.group.clone(), one.version.clone(), one.resource.clone());
            all.push(ResourceMatch { group, version, resource, labels });
        }
        all
    }
}
