//! Findings of reviews at their places in files.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::check::Check;
use super::manifests::Manifest;
use crate::admission::Request;
use crate::engine::{Bundle, Observed};
use crate::kubernetes::field_path;
use crate::policy::{Metadata, Policy};
use crate::report::{
    AboutPolicy, Cause, DocumentResult, DocumentStatus, Effect, ObjectName, ReportedException,
    ReportedFinding,
};
use crate::review::{Action, Finding};

/// A text that is longer is no value to recognise.
const OBSERVED_BYTES: usize = 256;

/// What findings are reported with.
pub(super) struct Reporter<'a> {
    pub(super) check: &'a Check<'a>,
    pub(super) manifest: &'a Manifest,
    pub(super) name: &'a ObjectName,
}

impl Reporter<'_> {
    /// A finding at its place in the file. `template`: where the object keeps the Pod that the finding is about; `object`:
    /// what was judged, that Pod or the object itself.
    pub(super) fn reported(
        &self,
        finding: &Finding,
        object: Option<&Value>,
        template: Option<&str>,
    ) -> ReportedFinding {
        let Self { manifest, name, .. } = self;
        let prefix = template.unwrap_or_default();
        let pointer = format!("{prefix}{}", finding.pointer.as_deref().unwrap_or_default());
        let position = manifest.position(&pointer);
        let path = field_path::of_pointer(prefix);
        let field =
            finding.field.as_ref().map(|f| if path.is_empty() { f.clone() } else { format!("{path}.{f}") });
        let effect = match (finding.is_error, finding.action) {
            _ if self.check.left_out.has(finding) => Effect::Skipped,
            (true, _) => Effect::Error,
            (false, Action::Deny) => Effect::Deny,
            (false, Action::Warn) => Effect::Warn,
            (false, Action::Audit) => Effect::Audit,
            (false, Action::Excused) => Effect::Excused,
        };
        ReportedFinding {
            effect,
            document: 0,
            its_pods: template.is_some(),
            policy: finding.policy.to_string(),
            binding: finding.binding.clone(),
            severity: finding.severity,
            message: finding.message.clone(),
            object: (*name).clone(),
            container: finding.container.clone(),
            field,
            file: manifest.file.clone(),
            line: position.line,
            column: position.column,
            observed: observed(finding, object),
            is_untold: finding.observed == Observed::Untold,
            required: finding.required.clone(),
            remedy: finding.remedy.clone(),
            cause: self.cause(finding),
            suspended: finding.suspended,
            exception: finding.excuse.as_ref().map(|excuse| ReportedException {
                name: excuse.exception.clone(),
                expires: excuse.until.clone(),
                control: excuse.control.clone(),
            }),
        }
    }

    /// None where no policy's rule has said it.
    fn cause(&self, finding: &Finding) -> Option<Cause> {
        let is_its = |bound: &&crate::engine::Bound| {
            bound.policy.id == finding.policy && bound.binding.name == finding.binding
        };
        let bound = self.check.bundle.bound.iter().find(is_its)?;
        let is_said_by_a_rule =
            !finding.is_error && finding.excuse.as_ref().is_none_or(|one| one.control.is_none());
        let line = is_said_by_a_rule.then(|| bound.rule_of(&finding.message)).flatten();
        Some(Cause { file: bound.policy.module.path.clone(), line })
    }
}

fn observed(finding: &Finding, object: Option<&Value>) -> Option<Value> {
    let object = object.filter(|object| object.get("kind").and_then(Value::as_str) != Some("Secret"))?;
    match &finding.observed {
        Observed::Said(said) => return Some(Value::from(said.as_str())),
        Observed::Untold => return None,
        Observed::Field => {}
    }
    let value = object.pointer(finding.pointer.as_deref()?)?;
    match value {
        Value::Bool(_) | Value::Number(_) => Some(value.clone()),
        Value::String(text) if text.len() <= OBSERVED_BYTES => Some(value.clone()),
        _ => None,
    }
}

/// Adds what the Pods were told. What the template was told already is shown once, in the template's words and with the
/// stronger effect.
pub(super) fn merge(findings: &mut Vec<ReportedFinding>, its_pods: impl Iterator<Item = ReportedFinding>) {
    let same = |a: &ReportedFinding, b: &ReportedFinding| {
        (&a.policy, &a.binding, &a.message, &a.field) == (&b.policy, &b.binding, &b.message, &b.field)
    };
    for finding in its_pods {
        match findings.iter_mut().find(|own| same(own, &finding)) {
            Some(own) if finding.effect < own.effect => (own.effect, own.its_pods) = (finding.effect, true),
            Some(_) => {}
            None => findings.push(finding),
        }
    }
}

/// What the policies with findings say of themselves.
pub(super) fn about(bundle: &Bundle, findings: &[ReportedFinding]) -> BTreeMap<String, AboutPolicy> {
    let with_findings: BTreeSet<&str> = findings.iter().map(|finding| finding.policy.as_str()).collect();
    let policies = bundle.policies.values().filter(|one| with_findings.contains(one.id.as_str()));
    let about = |policy: &Policy| {
        let Metadata { title, description, severity, docs, .. } = policy.metadata.clone();
        (policy.id.to_string(), AboutPolicy { title, description, severity, docs })
    };
    policies.map(|policy| about(policy)).collect()
}

pub(super) fn status(findings: &[ReportedFinding]) -> DocumentStatus {
    let any = |effect: Effect| findings.iter().any(|finding| finding.effect == effect);
    if any(Effect::Error) {
        DocumentStatus::Error
    } else if any(Effect::Deny) {
        DocumentStatus::Denied
    } else if any(Effect::Warn) {
        DocumentStatus::Warned
    } else {
        DocumentStatus::Passed
    }
}

pub(super) fn name(manifest: &Manifest, request: &Request) -> ObjectName {
    let name = manifest.metadata("name");
    let is_namespace = request.kind().kind == "Namespace" && request.kind().group.is_empty();
    let namespace = request.namespace().filter(|_| !is_namespace).unwrap_or_default();
    ObjectName {
        api_version: manifest.text("apiVersion").to_owned(),
        kind: manifest.text("kind").to_owned(),
        namespace: namespace.to_owned(),
        name: if name.is_empty() { manifest.metadata("generateName") } else { name }.to_owned(),
    }
}

pub(super) fn panicked(manifest: &Manifest) -> DocumentResult {
    let reason =
        "meshgate failed on this document; nothing is known of it. Please report it with the manifest"
            .to_owned();
    DocumentResult { status: DocumentStatus::Error, ..*manifest.reject(reason) }
}
