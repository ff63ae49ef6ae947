//! `Bundle.spec.podTemplates`: where kinds that are not Kubernetes' own keep the template of their Pods.

use serde::Deserialize;

use super::fault::Fault;
use super::written::Written;
use crate::kubernetes::kinds;
use crate::kubernetes::pod_template::PodTemplates;

/// One kind. What is not written is empty, and refused as such.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct PodTemplateFields {
    group: String,
    kind: String,
    resource: String,
    path: String,
}

impl PodTemplateFields {
    /// The group and the resource.
    pub(super) fn resource(&self) -> (String, String) {
        (self.group.clone(), self.resource.clone())
    }
}

/// Reads the list.
pub(super) fn read(fields: &[PodTemplateFields], written: &Written, faults: &mut Vec<Fault>) -> PodTemplates {
    let mut templates = PodTemplates::default();
    for (index, one) in fields.iter().enumerate() {
        if let Err((member, message)) = add(&mut templates, one) {
            let at = format!("/spec/podTemplates/{index}/{member}");
            faults.push(written.fault(&at, format!("spec.podTemplates[{index}].{member}: {message}")));
        }
    }
    templates
}

/// Adds a kind, or says which member is wrong, and why.
fn add(templates: &mut PodTemplates, fields: &PodTemplateFields) -> Result<(), (&'static str, String)> {
    let PodTemplateFields { group, kind, resource, path } = fields;
    if kinds::is_built_in(group, kind) {
        let why =
            format!("`{kind}` is Kubernetes' own, so where it keeps its Pod is known; remove the entry");
        return Err(("kind", why));
    }
    // What an API server demands of a CustomResourceDefinition (pkg/apis/apiextensions/validation): a domain, with at
    // least one dot; a kind that in lower case is a DNS label (RFC 1035).
    if !is_domain(group) {
        let why = format!(
            "`{group}` is no group of a CustomResourceDefinition; write it without a version, as `argoproj.io`"
        );
        return Err(("group", why));
    }
    if !is_kind(kind) {
        return Err(("kind", format!("`{kind}` is no kind; write it as manifests do, as `Rollout`")));
    }
    if !is_label(resource) {
        let why = format!("`{resource}` is no resource; write the kind's name in the API, as `rollouts`");
        return Err(("resource", why));
    }
    if templates.has(group, kind) {
        return Err(("kind", format!("a second path of `{kind}`; a kind keeps its Pod in one place")));
    }
    templates.add(group, kind, path).map_err(|why| ("path", why))
}

fn is_domain(group: &str) -> bool {
    group.contains('.') && group.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !label.is_empty() && label.bytes().all(inner) && !label.starts_with('-') && !label.ends_with('-')
}

fn is_kind(kind: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    kind.starts_with(|first: char| first.is_ascii_alphabetic())
        && kind.bytes().all(inner)
        && !kind.ends_with('-')
}
