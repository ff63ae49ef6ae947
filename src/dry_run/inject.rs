//! Sidecars in manifests: what a mesh proposes for each Pod that they make, narrowed by the policies in a review, and rendered
//! into the manifest, as `istioctl kube-inject` writes it.

use std::sync::Arc;

use serde_json::{Value, json};

use super::manifests::{Manifest, Manifests};
use super::pods;
use super::requests::{NOBODY, Requests};
use crate::admission::Request;
use crate::context::{Beside, Facts, Now, Subjects, World};
use crate::engine::Bundle;
use crate::kubernetes::pod_template::PodTemplates;
use crate::mesh::Mesh;
use crate::mesh::istio::{Istio, Workload};
use crate::report::{DocumentResult, DocumentStatus};
use crate::review::{Action, Decision, LeftOut, Phase, complete_in};

/// What an injection writes down about itself.
const STATUS: &str = "sidecar.istio.io/status";

/// What a run needs beside manifests.
pub struct Inject<'a> {
    /// The policies.
    pub bundle: &'a Bundle,
    /// The mesh.
    pub mesh: &'a Istio,
    /// What `--facts` gave.
    pub facts: &'a Manifests,
    /// What is known of the world before the manifests are applied.
    pub world: World,
    /// The moment that policies see.
    pub now: Now,
    /// The flag `-n`.
    pub namespace: Option<String>,
    /// Which missing facts leave a policy out.
    pub left_out: LeftOut,
    /// Who may change what is guarded.
    pub subjects: Subjects,
}

/// What came out.
#[derive(Debug, Default)]
pub struct Injections {
    /// The documents.
    pub documents: Vec<InjectedDocument>,
    /// What became of each object that has a Pod, and of what can't be read.
    pub notes: Vec<Note>,
}

/// A document, as it came and with sidecars in it.
#[derive(Clone, Debug, PartialEq)]
pub struct InjectedDocument {
    /// The file it comes from.
    pub file: String,
    /// As it came.
    pub before: Value,
    /// With the sidecars.
    pub after: Value,
}

/// What became of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The file it comes from.
    pub file: String,
    /// Its first line there.
    pub line: usize,
    /// As in `Deployment/web`.
    pub name: String,
    /// What became of it.
    pub outcome: InjectOutcome,
}

/// What became of an object's Pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InjectOutcome {
    /// It has the sidecar; of that revision, for that reason.
    Injected(String),
    /// It is as it was, for that reason.
    Skipped(String),
    /// It should have a sidecar, and can't, for that reason.
    Refused(String),
    /// The document can't be read.
    Invalid(String),
}

/// Where an object keeps its Pod.
struct Place {
    metadata: String,
    pod: String,
    is_template: bool,
}

impl Inject<'_> {
    /// Injects into all manifests.
    pub async fn run(&self, manifests: &Manifests) -> Injections {
        let given = self.facts.objects().chain(manifests.objects());
        let requests = Requests::new(given, self.bundle, self.namespace.clone());
        let mut world = self.world.clone();
        for manifest in manifests.objects() {
            requests.describe(std::iter::once(manifest), &mut world).unwrap_or_default();
        }
        let (mut injections, mut last) = (Injections::default(), None);
        for entry in &manifests.entries {
            let manifest = match entry {
                Ok(manifest) => manifest,
                Err(rejected) => {
                    injections.notes.push(invalid(rejected));
                    continue;
                }
            };
            let (document, prefix) = manifest.written();
            // The items of a list stay in it.
            if !last.as_ref().is_some_and(|last| Arc::ptr_eq(last, document)) {
                let (file, before) = (manifest.file.clone(), document.value.clone());
                injections.documents.push(InjectedDocument { file, after: before.clone(), before });
                last = Some(Arc::clone(document));
            }
            let outcome = match requests.create(manifest) {
                Err(rejected) => {
                    injections.notes.push(invalid(&rejected));
                    continue;
                }
                Ok(request) => self.inject(manifest, &request, &world).await,
            };
            let Some((outcome, changed)) = outcome else { continue };
            let written =
                injections.documents.last_mut().and_then(|document| document.after.pointer_mut(prefix));
            if let (Some(written), Some(changed)) = (written, changed) {
                *written = changed;
            }
            injections.notes.push(Note {
                file: manifest.file.clone(),
                line: manifest.line(),
                name: format!("{}/{}", manifest.text("kind"), manifest.metadata("name")),
                outcome,
            });
        }
        injections
    }

    /// What becomes of an object, and the object as it is then, if it changes. None: it has no Pod.
    async fn inject(
        &self,
        manifest: &Manifest,
        request: &Request,
        world: &World,
    ) -> Option<(InjectOutcome, Option<Value>)> {
        let templates = templates(self.bundle);
        let object = Value::Object(manifest.object().clone());
        let kind = request.kind();
        let found = match templates.find(&kind.group, &kind.kind, &object) {
            Ok(found) => found?,
            Err(why) => return Some((InjectOutcome::Refused(why), None)),
        };
        let place = Place::of(&kind.kind, found.pointer, found.is_template);
        let mut beside = Beside::new(world);
        let derived = pods::derive(&templates, request, &mut beside);
        let pod_request = match (derived, place.is_template) {
            (Some(derived), _) => derived.request,
            (None, false) => request.clone(),
            (None, true) => {
                return Some((InjectOutcome::Skipped("no controller makes Pods of it".to_owned()), None));
            }
        };
        let decision = self.review(&pod_request, &beside).await;
        let refusals: Vec<String> = decision
            .findings
            .iter()
            .filter(|finding| !self.left_out.has(finding))
            .filter(|finding| finding.action == Action::Deny || finding.is_error)
            .map(|finding| finding.message.clone())
            .collect();
        if !refusals.is_empty() {
            return Some((InjectOutcome::Refused(refusals.join("; ")), None));
        }
        let Some(name) = decision.annotations.get("mutate-injected") else {
            return Some((InjectOutcome::Skipped(self.reason(&pod_request)), None));
        };
        let annotations = object.pointer(&format!("{}/metadata/annotations", place.metadata));
        if annotations.is_some_and(|all| all.get(STATUS).is_some()) {
            return Some((InjectOutcome::Skipped(format!("it has the annotation {STATUS} already")), None));
        }
        // What is rendered is what was decided on.
        let namespace = pod_request.namespace().unwrap_or_default();
        let pod = place.pod(&object);
        if let Some(why) = self.mesh.keeps_out(&pod, namespace) {
            return Some((InjectOutcome::Skipped(why), None));
        }
        let changed = self.rendered(&object, &place, &pod, namespace);
        Some(match changed {
            Ok(changed) => {
                (InjectOutcome::Injected(format!("{name}, {}", self.reason(&pod_request))), Some(changed))
            }
            Err(why) => (InjectOutcome::Refused(why), None),
        })
    }

    async fn review(&self, request: &Request, world: &Beside<'_>) -> Decision {
        let subjects = self.subjects.clone().with_user(NOBODY);
        let facts = Facts::at(self.now).guarded_by(Arc::new(subjects));
        complete_in(self.mesh, self.bundle, world, facts, request, Phase::Mutate).await
    }

    /// Why a Pod is, or is not, injected.
    fn reason(&self, request: &Request) -> String {
        let annotations = request.object().and_then(|pod| pod.pointer("/metadata/annotations"));
        if annotations.is_some_and(|all| all.get(STATUS).is_some()) {
            return "it has its sidecar already".to_owned();
        }
        match self.mesh.propose(request, None) {
            Ok(Some(proposal)) if proposal.inject => {
                format!("rule {}: {}", proposal.rule, proposal.reasons.join(", "))
            }
            Ok(Some(proposal)) => proposal.reasons.join(", "),
            Ok(None) => "no mesh is concerned".to_owned(),
            Err(why) => why,
        }
    }

    /// The manifest with the sidecar in its template.
    fn rendered(&self, object: &Value, place: &Place, pod: &Value, namespace: &str) -> Result<Value, String> {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
        let workload = place.is_template.then(|| Workload {
            api_version: text(object.get("apiVersion")),
            kind: text(object.get("kind")),
            name: text(object.pointer("/metadata/name")),
        });
        let injected = self.mesh.inject(pod, namespace, workload)?;
        let mut changed = object.clone();
        for (at, name) in [(&place.metadata, "metadata"), (&place.pod, "spec")] {
            let value = injected.pod.get(name).cloned().unwrap_or_default();
            if let Some(members) = changed.pointer_mut(at).and_then(Value::as_object_mut) {
                members.insert(name.to_owned(), value);
            }
        }
        Ok(changed)
    }
}

impl Place {
    /// `kube-inject` writes what a Pod of a CronJob gets as metadata into the template of its Jobs.
    fn of(kind: &str, pointer: &str, is_template: bool) -> Self {
        let metadata = if kind == "CronJob" { pointer.trim_end_matches("/spec/template") } else { pointer };
        Self { metadata: metadata.to_owned(), pod: pointer.to_owned(), is_template }
    }

    /// The Pod as the template of a mesh sees it.
    fn pod(&self, object: &Value) -> Value {
        let member = |place: &str, name: &str| object.pointer(place).and_then(|at| at.get(name)).cloned();
        json!({
            "metadata": member(&self.metadata, "metadata").filter(Value::is_object).unwrap_or_else(|| json!({})),
            "spec": member(&self.pod, "spec"),
        })
    }
}

/// The kinds of the bundle, and OpenShift's DeploymentConfig, which `kube-inject` knows, too.
fn templates(bundle: &Bundle) -> PodTemplates {
    let mut templates = bundle.settings.pod_templates.clone();
    for group in ["", "apps.openshift.io"] {
        if !templates.has(group, "DeploymentConfig") {
            templates.add(group, "DeploymentConfig", "spec.template").unwrap_or_default();
        }
    }
    templates
}

/// A document that is none, where that is a fault.
fn invalid(rejected: &DocumentResult) -> Note {
    let reason = rejected.reason.clone().unwrap_or_default();
    let outcome = match rejected.status {
        DocumentStatus::Invalid => InjectOutcome::Invalid(reason),
        _ => InjectOutcome::Skipped(reason),
    };
    let name = format!("{}/{}", rejected.object.kind, rejected.object.name);
    Note { file: rejected.file.clone(), line: rejected.line, name, outcome }
}
