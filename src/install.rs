//! The objects of an installation, from one source for `meshgate install` and for the chart. Pure.
//!
//! Called by `cli`. Not among them: the webhook configurations and the certificates. meshgate writes those itself once
//! it can answer, so that nothing that outlives it, or comes before it, closes the cluster (R57).

mod chart;
mod configuration;
mod deployment;
mod namespace;
mod objects;
mod policies;
mod removal;
mod rights;
mod slots;
mod volumes;

use std::collections::BTreeSet;

use serde_json::Value;

pub use chart::{ChartFile, chart};
pub use configuration::{ConfigurationText, Misplaced};
pub use policies::{Packed, PackingError};

use crate::context::ReadRule;
use crate::registration::{MUTATING, VALIDATING, admission_policies};
use crate::yaml;
use slots::Slots;

/// How meshgate is to be installed.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The container image.
    pub image: String,
    /// How many Pods.
    pub replicas: u32,
    /// `meshgate.yaml`.
    pub configuration: ConfigurationText,
    /// The policies that the configuration does not name.
    pub policies: Policies,
    /// What facts that the policies declare are read from.
    pub facts: BTreeSet<ReadRule>,
}

/// Where the policies of an installation are.
#[derive(Clone, Debug)]
pub enum Policies {
    /// As the configuration says.
    Configured,
    /// In the binary, under this name.
    Embedded(String),
    /// In a ConfigMap.
    Packed(Packed),
}

/// The image of this version.
pub const IMAGE: &str = concat!("ghcr.io/meshgate/meshgate:", env!("CARGO_PKG_VERSION"));

/// How many Pods by default: one may be drained and one may fail (cluster.md, section 7).
pub const REPLICAS: u32 = 3;

impl Default for Settings {
    fn default() -> Self {
        Self {
            image: IMAGE.to_owned(),
            replicas: REPLICAS,
            configuration: ConfigurationText::default(),
            policies: Policies::Configured,
            facts: BTreeSet::new(),
        }
    }
}

/// The objects, in the order in which they are to be applied. The admission policies are the last: who may not write in
/// the namespace of meshgate is refused before or after, not in the middle.
pub fn manifests(settings: &Settings) -> Vec<Value> {
    objects(&Slots::of(settings))
}

/// What meshgate itself registers, by name.
pub fn registered() -> Vec<Value> {
    let version = "admissionregistration.k8s.io/v1";
    [("MutatingWebhookConfiguration", MUTATING), ("ValidatingWebhookConfiguration", VALIDATING)]
        .map(|(kind, name)| objects::cluster_wide(version, kind, name, []))
        .to_vec()
}

/// The objects to delete, in that order, so that nothing is left: what is in the namespace goes with it, but the Deployment
/// before anything that its Pods need.
pub fn removed() -> Vec<Value> {
    let is_namespaced = |object: &Value| object.pointer("/metadata/namespace").is_some();
    let is_deployment = |object: &Value| object.get("kind").is_some_and(|kind| kind == "Deployment");
    let all = manifests(&Settings::default()).into_iter().rev();
    all.filter(|object| !is_namespaced(object) || is_deployment(object)).collect()
}

/// The objects as YAML documents. Equal settings give equal bytes.
pub fn text(objects: &[Value]) -> String {
    objects.iter().map(yaml::write).collect::<Vec<String>>().join("---\n")
}

fn objects(slots: &Slots) -> Vec<Value> {
    let mut all = namespace::objects(slots);
    all.extend(rights::objects(slots));
    all.extend(configuration::objects(slots));
    all.extend(deployment::objects(slots));
    all.extend(admission_policies(&slots.lists));
    all
}
