//! What differs from one installation to another, as it stands in the objects: a value, or, in the chart, the expression
//! of a template that gives it.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Policies, Settings, policies, rights};
use crate::config::PullFrom;
use crate::registration::Lists;

/// The places of the objects that are filled.
pub(super) struct Slots {
    pub(super) image: Value,
    pub(super) replicas: Value,
    pub(super) resources: Value,
    /// By which port the API server reaches the webhook.
    pub(super) service_port: Value,
    pub(super) lists: Lists,
    /// The text of `meshgate.yaml`.
    pub(super) configuration: Value,
    /// What changes with it: it is read once, at the start of a Pod.
    pub(super) fingerprint: Value,
    /// Rules of the ClusterRole beside meshgate's own.
    pub(super) rules: Vec<Value>,
    /// Whether the pull secrets of Pods are read.
    pub(super) pulls: When,
    /// Roles in other namespaces, and who has them.
    pub(super) roles: Vec<Value>,
    pub(super) policies: PoliciesSlot,
    /// Whether there is a directory in which the last good policies are kept: where they come from a repository.
    pub(super) state: When,
    /// Whether names of servers are looked up: of a repository, or of registries.
    pub(super) names: When,
}

/// Where something is there.
pub(super) enum When {
    /// Nowhere.
    Never,
    /// Everywhere.
    Always,
    /// In a template: where this condition holds.
    If(&'static str),
}

/// How the Pods come to the policies that the configuration does not name.
pub(super) enum PoliciesSlot {
    /// They do not.
    None,
    /// By a flag alone.
    Flag(String),
    /// A flag and a volume.
    Volume(VolumeSlot),
}

pub(super) struct VolumeSlot {
    /// The name of the ConfigMap.
    pub(super) name: Value,
    /// Which key is which file.
    pub(super) items: Value,
    /// What the ConfigMap holds, where it is part of the installation.
    pub(super) data: Option<Value>,
    /// In a template: where it depends on a value whether there is a volume.
    pub(super) only_if: Option<&'static str>,
}

impl Slots {
    pub(super) fn of(settings: &Settings) -> Self {
        let configuration = &settings.configuration.configuration;
        let has_source = configuration.source.is_some();
        Self {
            image: settings.image.as_str().into(),
            replicas: settings.replicas.into(),
            resources: resources(),
            service_port: configuration.service_port.into(),
            lists: Lists::of(configuration),
            configuration: settings.configuration.text.as_str().into(),
            fingerprint: fingerprint(&settings.configuration.members).into(),
            rules: rights::of_facts(&settings.facts),
            pulls: When::so(configuration.images.pull_secrets == PullFrom::Pod),
            roles: rights::elsewhere(&settings.facts),
            state: When::so(has_source),
            names: When::so(has_source || !configuration.images.registries.is_empty()),
            policies: match &settings.policies {
                Policies::Configured => PoliciesSlot::None,
                Policies::Embedded(name) => PoliciesSlot::Flag(name.clone()),
                Policies::Packed(packed) => PoliciesSlot::Volume(VolumeSlot {
                    name: policies::CONFIG_MAP.into(),
                    items: packed.items(),
                    data: Some(packed.data()),
                    only_if: None,
                }),
            },
        }
    }
}

impl VolumeSlot {
    /// An element of a list that is there where the volume is.
    pub(super) fn element(&self, element: Value) -> Vec<Value> {
        element_if(self.only_if, element)
    }
}

impl When {
    fn so(is_so: bool) -> Self {
        if is_so { Self::Always } else { Self::Never }
    }

    /// An element of a list that is there then.
    pub(super) fn element(&self, element: Value) -> Vec<Value> {
        match self {
            Self::Never => Vec::new(),
            Self::Always => vec![element],
            Self::If(condition) => element_if(Some(condition), element),
        }
    }
}

fn element_if(condition: Option<&str>, element: Value) -> Vec<Value> {
    match condition {
        None => vec![element],
        Some(condition) => vec![condition.into(), element, END.into()],
    }
}

/// Ends what `{{- if }}` and `{{- range }}` begin.
pub(super) const END: &str = "{{- end }}";

/// cluster.md, section 7. No limit of CPU: it would slow every write to the cluster down where there is CPU to spare.
pub(super) fn resources() -> Value {
    json!({ "requests": { "cpu": "200m", "memory": "256Mi" }, "limits": { "memory": "1Gi" } })
}

fn fingerprint(members: &Value) -> String {
    let digest = Sha256::digest(members.to_string());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
