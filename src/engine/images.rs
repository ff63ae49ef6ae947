//! What a bundle says and asks of images.

use std::collections::BTreeSet;

use super::bundle::Bundle;
use crate::policy::image_trust::{Demand, ImageTrust};
use crate::policy::{FactName, Fault, Policy};

impl Bundle {
    /// Whether a policy in force looks at images, or pins them.
    pub fn asks_for_images(&self) -> bool {
        let declares =
            |policy: &Policy| policy.metadata.context.iter().any(|fact| fact.name == FactName::Images);
        self.bound.iter().any(|bound| bound.pins() || declares(&bound.policy))
    }

    /// The predicate types that policies in force see the bodies of, and that the rules of the `ImageTrust` demand.
    pub fn predicate_types(&self) -> BTreeSet<String> {
        let declared = self.bound.iter().flat_map(|bound| &bound.policy.metadata.context);
        let declared = declared.flat_map(|fact| fact.images.predicates.iter().cloned());
        let rules = self.image_trust.iter().flat_map(|trust| &trust.rules);
        let demanded = rules.flat_map(|rule| &rule.require.of).filter_map(|demand| match demand {
            Demand::Signed(_) => None,
            Demand::Attested(attested) => Some(attested.attested.iter().cloned()),
        });
        declared.chain(demanded.flatten()).collect()
    }
}

impl Bundle {
    /// The authorities that policies in force see, beside those that the rules demand of an image; None: all.
    pub fn image_authorities(&self) -> Option<BTreeSet<String>> {
        let declared = self.bound.iter().flat_map(|bound| &bound.policy.metadata.context);
        let images = declared.filter(|fact| fact.name == FactName::Images);
        let names: Option<Vec<_>> = images.map(|fact| fact.images.authorities.clone()).collect();
        names.map(|all| all.into_iter().flatten().collect())
    }
}

/// Authorities that a policy declares and nobody describes: it would never see anything of them.
pub(super) fn unknown(policy: &Policy, trust: Option<&ImageTrust>) -> Vec<Fault> {
    let declared = policy.metadata.context.iter().flat_map(|fact| fact.images.authorities.iter().flatten());
    let is_known = |name: &&String| trust.is_some_and(|trust| trust.authorities.contains_key(*name));
    let fault = |name: &String| {
        let known: Vec<&str> =
            trust.into_iter().flat_map(|trust| trust.authorities.keys()).map(String::as_str).collect();
        let remedy = match known.as_slice() {
            [] => "add an ImageTrust with it".to_owned(),
            known => format!("there are {}", known.join(", ")),
        };
        Fault::of_file(
            &policy.module.path,
            format!("METADATA: context.images.authorities: no authority `{name}`; {remedy}"),
        )
    };
    declared.filter(|name| !is_known(name)).map(fault).collect()
}
