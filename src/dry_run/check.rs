//! A run: every manifest through both phases, its Pods likewise, and the report of it all.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use serde_json::Value;

use super::manifests::{Manifest, Manifests};
use super::pods;
use super::requests::{NOBODY, Requests};
use crate::admission::Request;
use crate::context::{Facts, Now, Subjects, World};
use crate::engine::Bundle;
use crate::kubernetes::field_path;
use crate::patch::Patch;
use crate::policy::{EXEMPT_LABEL, MODE_LABEL, Metadata, Policy, SUSPEND_ANNOTATION};
use crate::report::{
    AboutPolicy, Assumptions, DocumentResult, DocumentStatus, Effect, Explained, ExplainedReview, ObjectName,
    Report, ReportedException, ReportedFinding,
};
use crate::review::{Action, Decision, Finding, Phase, complete, explained};

/// What a run needs beside manifests.
pub struct Check<'a> {
    /// The policies.
    pub bundle: &'a Bundle,
    /// What `--facts` gave: its CustomResourceDefinitions name resources.
    pub facts: &'a Manifests,
    /// What is known of the world before the manifests are applied.
    pub world: World,
    /// The moment that policies see.
    pub now: Now,
    /// The flag `-n`.
    pub namespace: Option<String>,
    /// Who sends the manifests (authentication.k8s.io/v1 UserInfo); None: nobody in particular, who may change what is
    /// guarded, because whoever applies the manifests is not known.
    pub user: Option<Value>,
    /// Who may change what is guarded.
    pub subjects: Subjects,
    /// Whether decisions are explained, which takes longer.
    pub explains: bool,
}

/// What came out.
pub struct Outcome {
    /// The report.
    pub report: Report,
    /// The objects, as they would be stored.
    pub reviewed: Vec<Reviewed>,
    /// How each document was decided, where that was asked for.
    pub explained: Vec<Explained>,
}

/// An object after mutation.
pub struct Reviewed {
    /// The file it comes from.
    pub file: String,
    /// Its first line there.
    pub line: usize,
    /// What it is.
    pub name: ObjectName,
    /// Whether it would be let in.
    pub allowed: bool,
    /// What policies changed, against the object as it was sent.
    pub patch: Patch,
    /// The object with the patch.
    pub object: Value,
}

/// All that came out of one manifest.
struct Judged {
    document: DocumentResult,
    findings: Vec<ReportedFinding>,
    reviewed: Reviewed,
    explained: Vec<ExplainedReview>,
}

/// What both phases said of one request.
struct Reviews {
    findings: Vec<Finding>,
    patch: Patch,
    request: Request,
    explained: Vec<ExplainedReview>,
}

impl Check<'_> {
    /// Reviews all manifests.
    pub async fn run(&self, manifests: &Manifests) -> Outcome {
        let objects: Vec<Value> = self
            .facts
            .objects()
            .chain(manifests.objects())
            .map(|manifest| Value::Object(manifest.object.clone()))
            .collect();
        let mut requests = self.requests(&objects);
        // The manifests are about to be applied over what is there. One that can't be sent says nothing; it is reported
        // where it is judged.
        let mut world = self.world.clone();
        for manifest in manifests.objects() {
            requests.describe(std::iter::once(manifest), &mut world).unwrap_or_default();
        }
        let (mut documents, mut findings, mut reviewed) = (Vec::new(), Vec::new(), Vec::new());
        let mut explained: Vec<Vec<ExplainedReview>> = Vec::new();
        let mut assumed = BTreeSet::new();
        for entry in &manifests.entries {
            let request = entry.as_ref().map_err(Clone::clone).and_then(|m| Ok((m, requests.create(m)?)));
            match request {
                Err(rejected) => {
                    documents.push(*rejected);
                    explained.push(Vec::new());
                }
                Ok((manifest, request)) => {
                    assumed.extend(request.namespace().filter(|name| world.assumes(name)).map(str::to_owned));
                    let judged =
                        AssertUnwindSafe(self.judge(manifest, request, &mut world)).catch_unwind().await;
                    match judged {
                        Ok(Judged { document, findings: found, reviewed: object, explained: reviews }) => {
                            let index = documents.len();
                            documents.push(document);
                            findings.extend(
                                found.into_iter().map(|one| ReportedFinding { document: index, ..one }),
                            );
                            reviewed.push(object);
                            explained.push(reviews);
                        }
                        Err(_) => {
                            documents.push(panicked(manifest));
                            explained.push(Vec::new());
                        }
                    }
                }
            }
        }
        let assumed = Assumptions {
            namespaces: assumed.into_iter().collect(),
            resources: requests.guessed(),
            modes: manifests.objects().flat_map(modes).collect(),
        };
        let policies = self.about(&findings);
        let explained = documents
            .iter()
            .zip(explained)
            .filter(|_| self.explains)
            .map(|(document, reviews)| Explained { document: document.clone(), reviews })
            .collect();
        Outcome {
            report: Report::new(self.bundle.revision.to_string(), documents, findings, policies, assumed),
            reviewed,
            explained,
        }
    }

    /// What the policies with findings say of themselves.
    fn about(&self, findings: &[ReportedFinding]) -> BTreeMap<String, AboutPolicy> {
        let with_findings: BTreeSet<&str> = findings.iter().map(|finding| finding.policy.as_str()).collect();
        let policies = self.bundle.policies.values().filter(|one| with_findings.contains(one.id.as_str()));
        let about = |policy: &Policy| {
            let Metadata { title, description, severity, docs, .. } = policy.metadata.clone();
            (policy.id.to_string(), AboutPolicy { title, description, severity, docs })
        };
        policies.map(|policy| about(policy)).collect()
    }

    async fn judge(&self, manifest: &Manifest, request: Request, world: &mut World) -> Judged {
        let name = name(manifest, &request);
        let mut own = self.review(request, world).await;
        let mut findings: Vec<_> = own.findings.iter().map(|f| reported(manifest, &name, f, None)).collect();
        if let Some(derived) = pods::derive(&self.bundle.settings.pod_templates, &own.request, world) {
            let its_pods = self.review(derived.request, world).await;
            let of_pods = its_pods.explained.into_iter();
            own.explained.extend(of_pods.map(|review| ExplainedReview { its_pods: true, ..review }));
            let its_pods =
                its_pods.findings.iter().map(|f| reported(manifest, &name, f, Some(derived.template)));
            merge(&mut findings, its_pods);
        }
        findings.sort_by(|a, b| {
            (a.effect, a.line, a.column, &a.policy).cmp(&(b.effect, b.line, b.column, &b.policy))
        });
        let status = status(&findings);
        let allowed = own.findings.iter().all(|finding| finding.action != Action::Deny);
        let document = DocumentResult {
            file: manifest.file.clone(),
            line: manifest.line(),
            object: name.clone(),
            status,
            reason: None,
            mutated: !own.patch.is_empty(),
        };
        let object = own.request.object().cloned().unwrap_or_default();
        let (file, line) = (manifest.file.clone(), manifest.line());
        let reviewed = Reviewed { file, line, name, allowed, patch: own.patch, object };
        Judged { document, findings, reviewed, explained: own.explained }
    }

    fn requests(&self, objects: &[Value]) -> Requests {
        Requests::new(objects.iter(), self.bundle, self.namespace.clone()).sent_by(self.user.clone())
    }

    /// What is known before anything is asked.
    fn facts_known(&self) -> Facts {
        let subjects = self.subjects.clone();
        let subjects = if self.user.is_none() { subjects.with_user(NOBODY) } else { subjects };
        Facts::at(self.now).guarded_by(Arc::new(subjects))
    }

    /// Both phases, one after the other, as the API server would ask: no validation of what mutation refused.
    async fn review(&self, request: Request, world: &World) -> Reviews {
        let mut explained = Vec::new();
        let mutated = self.phase(&request, world, Phase::Mutate, &mut explained).await;
        let request =
            mutated.object.clone().map_or_else(|| request.clone(), |object| request.with_object(object));
        let mut findings = mutated.findings.clone();
        if mutated.allowed() {
            findings.extend(self.phase(&request, world, Phase::Validate, &mut explained).await.findings);
        }
        Reviews { findings, patch: mutated.patch, request, explained }
    }

    async fn phase(
        &self,
        request: &Request,
        world: &World,
        phase: Phase,
        all: &mut Vec<ExplainedReview>,
    ) -> Decision {
        let facts = self.facts_known();
        if !self.explains {
            return complete(self.bundle, world, facts, request, phase).await;
        }
        let decision = explained(self.bundle, world, facts, request, phase).await;
        let (request, patch) = (request.clone(), decision.patch.clone());
        let trace = decision.trace.clone().unwrap_or_default();
        all.push(ExplainedReview { its_pods: false, phase, request, trace, patch });
        decision
    }
}

/// A finding at its place in the file. `template`: where the object keeps the Pod that the finding is about.
fn reported(
    manifest: &Manifest,
    object: &ObjectName,
    finding: &Finding,
    template: Option<&str>,
) -> ReportedFinding {
    let prefix = template.unwrap_or_default();
    let pointer = format!("{prefix}{}", finding.pointer.as_deref().unwrap_or_default());
    let position = manifest.position(&pointer);
    let path = field_path::of_pointer(prefix);
    let field =
        finding.field.as_ref().map(|f| if path.is_empty() { f.clone() } else { format!("{path}.{f}") });
    let effect = match (finding.is_error, finding.action) {
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
        object: object.clone(),
        container: finding.container.clone(),
        field,
        file: manifest.file.clone(),
        line: position.line,
        column: position.column,
        remedy: finding.remedy.clone(),
        suspended: finding.suspended,
        exception: finding.excuse.as_ref().map(|excuse| ReportedException {
            name: excuse.exception.clone(),
            expires: excuse.until.clone(),
            control: excuse.control.clone(),
        }),
    }
}

/// Adds what the Pods were told. What the template was told already is shown once, in the template's words and with the
/// stronger effect.
fn merge(findings: &mut Vec<ReportedFinding>, its_pods: impl Iterator<Item = ReportedFinding>) {
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

/// `name: mode`, `name: exempt`, `name: suspended until …`: what a Namespace says of how it is judged. It is believed,
/// because whoever applies it may be allowed to say so, and therefore told.
fn modes(manifest: &Manifest) -> Vec<String> {
    let is_namespace = (manifest.text("apiVersion"), manifest.text("kind")) == ("v1", "Namespace");
    let said = |member: &str, name: &str| {
        let words = manifest.object.get("metadata").and_then(|metadata| metadata.get(member));
        let word = words.and_then(|words| words.get(name)).filter(|_| is_namespace)?;
        Some(word.as_str().unwrap_or_default())
    };
    let mode = said("labels", MODE_LABEL).map(str::to_owned);
    let exempt = said("labels", EXEMPT_LABEL).filter(|word| *word == "true").map(|_| "exempt".to_owned());
    let suspended = said("annotations", SUSPEND_ANNOTATION).map(|until| format!("suspended until {until}"));
    let all = [mode, exempt, suspended].into_iter().flatten();
    all.map(|word| format!("{}: {word}", manifest.metadata("name"))).collect()
}

fn status(findings: &[ReportedFinding]) -> DocumentStatus {
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

fn name(manifest: &Manifest, request: &Request) -> ObjectName {
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

fn panicked(manifest: &Manifest) -> DocumentResult {
    let reason =
        "meshgate failed on this document; nothing is known of it. Please report it with the manifest"
            .to_owned();
    DocumentResult { status: DocumentStatus::Error, ..*manifest.reject(reason) }
}
