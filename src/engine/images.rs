//! What a bundle says and asks of images.

use std::collections::BTreeSet;

use serde_json::Value;

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

    /// The predicate types that policies in force see the bodies of, that their bindings name in parameters for it, and
    /// that the rules of the `ImageTrust` demand.
    pub fn predicate_types(&self) -> BTreeSet<String> {
        let declared = self.bound.iter().flat_map(|bound| {
            let facts = bound.policy.metadata.context.iter().map(|fact| &fact.images);
            facts.flat_map(|images| {
                let named = images.types_in.iter().filter_map(|name| bound.binding.parameters.get(name));
                images.predicates.iter().cloned().chain(named.flat_map(named_in))
            })
        });
        let rules = self.image_trust.iter().flat_map(|trust| &trust.rules);
        let demanded = rules.flat_map(|rule| &rule.require.of).filter_map(|demand| match demand {
            Demand::Signed(_) => None,
            Demand::Attested(attested) => Some(attested.attested.iter().cloned()),
        });
        declared.chain(demanded.flatten()).collect()
    }

    /// The authorities that policies in force see, beside those that the rules demand of an image; None: all.
    pub fn image_authorities(&self) -> Option<BTreeSet<String>> {
        let declared = self.bound.iter().flat_map(|bound| &bound.policy.metadata.context);
        let images = declared.filter(|fact| fact.name == FactName::Images);
        let names: Option<Vec<_>> = images.map(|fact| fact.images.authorities.clone()).collect();
        names.map(|all| all.into_iter().flatten().collect())
    }

    /// Whether a policy in force sees of images' own configurations who they run as.
    pub fn image_configs(&self) -> bool {
        let mut declared = self.bound.iter().flat_map(|bound| &bound.policy.metadata.context);
        declared.any(|fact| fact.images.config)
    }
}

/// What a policy declares of images that it would never see.
pub(super) fn misdeclared(policy: &Policy, trust: Option<&ImageTrust>) -> Vec<Fault> {
    [unknown(policy, trust), without_types(policy)].concat()
}

/// The items of an array, or the keys of an object.
fn named_in(parameter: &Value) -> Vec<String> {
    match parameter {
        Value::Array(items) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Value::Object(members) => members.keys().cloned().collect(),
        _ => Vec::new(),
    }
}

/// Parameters of which a policy declares that predicate types are in them, and that are none: what they should name would
/// never be read.
fn without_types(policy: &Policy) -> Vec<Fault> {
    let schema = policy.metadata.parameters.schema();
    let named = policy.metadata.context.iter().flat_map(|fact| &fact.images.types_in);
    let is_list = |name: &&String| {
        let kind = schema.get("properties").and_then(|all| all.get(*name)).and_then(|one| one.get("type"));
        matches!(kind.and_then(Value::as_str), Some("array" | "object"))
    };
    let fault = |name: &String| {
        let message = "no parameter of the type `array` or `object`; give the policy one, or remove it";
        let place = "METADATA: context.images.typesIn";
        Fault::of_file(&policy.module.path, format!("{place}: `{name}`: {message}"))
    };
    named.filter(|name| !is_list(name)).map(fault).collect()
}

/// Authorities that a policy declares and nobody describes: it would never see anything of them.
fn unknown(policy: &Policy, trust: Option<&ImageTrust>) -> Vec<Fault> {
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
