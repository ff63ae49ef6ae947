//! What a review knows of one request: facts computed from the object, facts gathered, and what is still missing.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::decision::Phase;
use super::excepted::{self, Excepted};
use super::images;
use super::mesh::{self, Recognised};
use super::trace::Trace;
use crate::admission::{Operation, Request};
use crate::context::{
    self, Fact, FactKey, Facts, ImageKey, Listed, Now, OwnerReference, ProofKeys, Subjects,
};
use crate::engine::Bundle;
use crate::kubernetes::containers;
use crate::kubernetes::pod_template::{self, PodTemplates};
use crate::mesh::{Mesh, Proposal, RenderedContainer, Rendering, proof};
use crate::policy::{DeclaredFact, FactName};

/// The facts at hand, and the keys that were asked for and are not there yet.
pub(super) struct Knowledge<'a> {
    facts: &'a Facts,
    bundle: &'a Bundle,
    mesh: &'a dyn Mesh,
    phase: Phase,
    missing: BTreeSet<FactKey>,
    /// What was looked at, where that is to be told.
    trace: Option<Trace>,
}

/// A fact that is computed from an object of a group and kind.
type OfObject = fn(&PodTemplates, &str, &str, &Value) -> Result<Value, String>;

impl<'a> Knowledge<'a> {
    pub(super) fn new(
        facts: &'a Facts,
        bundle: &'a Bundle,
        mesh: &'a dyn Mesh,
        phase: Phase,
        traces: bool,
    ) -> Self {
        let trace = traces.then(Trace::default);
        Self { facts, bundle, mesh, phase, missing: BTreeSet::new(), trace }
    }

    /// What the mesh proposes. None: something was asked for.
    pub(super) fn proposal(&mut self, request: &Request) -> Option<Result<Option<Proposal>, String>> {
        let namespace = self.mesh_namespace(request)?;
        Some(namespace.and_then(|namespace| self.mesh.propose(request, namespace.as_ref())))
    }

    /// The object with the sidecar. None: something was asked for.
    pub(super) fn render(
        &mut self,
        proposal: &Proposal,
        request: &Request,
    ) -> Option<Result<Rendering, String>> {
        let namespace = self.mesh_namespace(request)?;
        Some(namespace.and_then(|namespace| self.mesh.render(proposal, request, namespace.as_ref())))
    }

    /// What the mesh would have put into the object; nothing where that can't be told.
    fn rendered(&mut self, request: &Request) -> Vec<RenderedContainer> {
        match self.mesh_namespace(request) {
            Some(Ok(namespace)) => self.mesh.rendered(request, namespace.as_ref()),
            Some(Err(_)) | None => Vec::new(),
        }
    }

    /// The namespace, where the mesh reads that.
    fn mesh_namespace(&mut self, request: &Request) -> Option<Result<Option<Value>, String>> {
        if !self.mesh.reads_namespace(request) {
            return Some(Ok(None));
        }
        Some(self.namespace(request)?.known().map(Some))
    }

    /// The keys by which what is rendered is proven.
    pub(super) fn proof_keys(&self) -> &ProofKeys {
        self.facts.proof_keys()
    }

    /// The containers of the object that are a mesh's: those that its proof names, else those that are equal to what is
    /// rendered, with the digests of their tags as they are known by now.
    pub(super) fn recognised(&mut self, request: &Request) -> Recognised {
        let Some(object) = object(request) else { return Recognised::default() };
        if is_pod(request)
            && let Some(proven) =
                proof::check(self.proof_keys(), request.namespace().unwrap_or_default(), object)
        {
            return Recognised::proven(&proven);
        }
        let rendered = self.rendered(request);
        mesh::recognise(&rendered, object, |image| self.digest(image, request))
    }

    /// What is wrong with the sidecar of the object: the first difference from what the mesh would have put into it.
    fn difference(&mut self, request: &Request) -> Option<String> {
        if self.recognised(request).is_whole {
            return None;
        }
        let rendered = self.rendered(request);
        mesh::difference(&rendered, object(request)?, |image| self.digest(image, request))
    }

    /// The digest of a tag, as far as it is known by now.
    fn digest(&mut self, image: &str, request: &Request) -> Option<String> {
        match self.image(image, request)? {
            Fact::Known(entry) => entry.get("digest").and_then(Value::as_str).map(str::to_owned),
            Fact::Inventory(_) | Fact::Unknown(_) => None,
        }
    }

    /// Which bytes an image of the object is. None: asked for.
    pub(super) fn image(&mut self, text: &str, request: &Request) -> Option<Fact> {
        let puller = images::puller(&self.bundle.settings.pod_templates, request);
        self.gathered(FactKey::Image(ImageKey { text: text.to_owned(), puller }))
    }

    /// The policies in force.
    pub(super) fn bundle(&self) -> &'a Bundle {
        self.bundle
    }

    /// The keys that were asked for in vain, and what was looked at.
    pub(super) fn into_parts(self) -> (BTreeSet<FactKey>, Option<Trace>) {
        (self.missing, self.trace)
    }

    /// Where to note what is looked at; None where nobody wants to know.
    pub(super) fn trace(&mut self) -> Option<&mut Trace> {
        self.trace.as_mut()
    }

    /// Whether something was asked for in vain: what is decided now will not be used.
    pub(super) fn lacks_something(&self) -> bool {
        !self.missing.is_empty()
    }

    /// When the request was received.
    pub(super) fn now(&self) -> Now {
        self.facts.now()
    }

    /// Who may change what is guarded.
    pub(super) fn subjects(&self) -> &Subjects {
        self.facts.subjects()
    }

    /// The exceptions that cover the object.
    pub(super) fn excepted(&self, request: &Request) -> Vec<Excepted<'a>> {
        excepted::excepted(self.bundle, request, self.facts.now())
    }

    /// All facts of `names` that are at hand for this request.
    pub(super) fn all(
        &mut self,
        declared: &BTreeSet<DeclaredFact>,
        request: &Request,
    ) -> BTreeMap<DeclaredFact, Fact> {
        // What may have to be asked for comes first: where it has, the rest is not made.
        let (made, asked): (Vec<_>, Vec<_>) =
            declared.iter().partition(|one| matches!(one.name, FactName::Containers | FactName::Pod));
        let facts = asked.into_iter().chain(made);
        let facts: BTreeMap<DeclaredFact, Fact> =
            facts.filter_map(|one| Some((one.clone(), self.fact(one, request)?))).collect();
        if let Some(trace) = &mut self.trace {
            for (name, fact) in &facts {
                trace.learn(name, fact);
            }
        }
        facts
    }

    fn fact(&mut self, declared: &DeclaredFact, request: &Request) -> Option<Fact> {
        match declared.name {
            FactName::Autoscalers => self.listed(Listed::Autoscalers, request),
            FactName::DisruptionBudgets => self.listed(Listed::DisruptionBudgets, request),
            FactName::LimitRanges => self.listed(Listed::LimitRanges, request),
            FactName::ResourceQuotas => self.listed(Listed::ResourceQuotas, request),
            FactName::RuntimeClasses => self.gathered(FactKey::RuntimeClasses),
            FactName::ClusterVersion => self.gathered(FactKey::ClusterVersion),
            FactName::Inventory => self.gathered(FactKey::Inventory(declared.kinds.clone())),
            FactName::Now => Some(self.facts.now().fact()),
            FactName::Namespace => self.namespace(request),
            FactName::Owner => self.owner(request),
            FactName::Exceptions => Some(excepted::fact(&self.excepted(request))),
            FactName::Containers => Some(self.containers(request)),
            FactName::MeshProposal => self.proposed(request),
            FactName::Images => images::fact(self, &declared.images, request),
            FactName::Pod => Some(self.of_object(request, pod_template::fact, Value::Null)),
            FactName::Pods => self.pods(request),
        }
    }

    /// Before it is stored, an object has been injected into: what is missing of that is a reason then.
    fn proposed(&mut self, request: &Request) -> Option<Fact> {
        let mut proposal = match self.proposal(request)? {
            Ok(proposal) => proposal,
            Err(why) => return Some(Fact::Unknown(why)),
        };
        if let Some(proposal) = proposal.as_mut().filter(|one| one.inject && self.phase == Phase::Validate) {
            proposal.reasons.extend(self.difference(request).map(|what| format!("differs: {what}")));
        }
        Some(Fact::Known(Proposal::fact(proposal.as_ref())))
    }

    /// The namespace that the object is in; the object itself where it is a Namespace; null for other objects of
    /// the cluster. None: asked for.
    pub(super) fn namespace(&mut self, request: &Request) -> Option<Fact> {
        if is_namespace(request) {
            let metadata =
                object(request).and_then(|object| object.get("metadata")).cloned().unwrap_or_default();
            let member = |name: &str| {
                metadata.get(name).filter(|v| v.is_object()).cloned().unwrap_or_else(|| json!({}))
            };
            let (labels, annotations) = (member("labels"), member("annotations"));
            return Some(Fact::Known(
                json!({ "name": request.name(), "labels": labels, "annotations": annotations }),
            ));
        }
        let Some(name) = request.namespace() else { return Some(Fact::Known(Value::Null)) };
        match self.gathered(FactKey::Namespace(name.to_owned()))? {
            Fact::Known(Value::Null) => Some(Fact::Unknown(format!("there is no namespace `{name}`"))),
            fact => Some(fact),
        }
    }

    /// Objects of the cluster are in no namespace that could have some.
    fn listed(&mut self, listed: Listed, request: &Request) -> Option<Fact> {
        match request.namespace().filter(|name| !name.is_empty()) {
            Some(namespace) => self.gathered(FactKey::Listed(listed, namespace.to_owned())),
            None => Some(Fact::Known(json!([]))),
        }
    }

    /// Only who changes the labels of a Namespace can ask for more than its Pods were judged by.
    fn pods(&mut self, request: &Request) -> Option<Fact> {
        let labels = |object: Option<&Value>| object.and_then(|one| one.pointer("/metadata/labels")).cloned();
        let is_relabelled = is_namespace(request)
            && request.operation() == Operation::Update
            && labels(request.object()) != labels(request.old_object());
        if is_relabelled { self.listed(Listed::Pods, request) } else { Some(Fact::Known(context::pods(&[]))) }
    }

    fn containers(&mut self, request: &Request) -> Fact {
        let recognised = self.recognised(request).names;
        let mut fact = self.of_object(request, containers::fact, json!([]));
        if let Fact::Known(Value::Array(view)) = &mut fact {
            for entry in view {
                let is_rendered =
                    entry.get("name").and_then(Value::as_str).is_some_and(|name| recognised.contains(name));
                if let Some(rendered) = entry.get_mut("rendered") {
                    *rendered = Value::from(is_rendered);
                }
            }
        }
        fact
    }

    fn of_object(&self, request: &Request, fact: OfObject, absent: Value) -> Fact {
        if self.lacks_something() {
            return Fact::Unknown("other facts are asked for first".to_owned());
        }
        let (kind, templates) = (request.kind(), &self.bundle.settings.pod_templates);
        match object(request).map(|object| fact(templates, &kind.group, &kind.kind, object)) {
            None => Fact::Known(absent),
            Some(Ok(value)) => Fact::Known(value),
            Some(Err(why)) => Fact::Unknown(why),
        }
    }

    fn owner(&mut self, request: &Request) -> Option<Fact> {
        match object(request).map_or(Ok(None), OwnerReference::controller_of) {
            Ok(None) => Some(Fact::Known(Value::Null)),
            Ok(Some(controller)) => {
                let namespace = request.namespace().unwrap_or_default().to_owned();
                self.gathered(FactKey::Owner { namespace, controller })
            }
            Err(why) => Some(Fact::Unknown(why)),
        }
    }

    /// What was gathered; None: asked for.
    pub(super) fn gathered(&mut self, key: FactKey) -> Option<Fact> {
        let fact = self.facts.get(&key);
        if fact.is_none() {
            self.missing.insert(key);
        }
        fact
    }
}

/// The object that a request is about: the new one, or on DELETE the old one.
pub(super) fn object(request: &Request) -> Option<&Value> {
    request.object().or_else(|| request.old_object())
}

/// Whether the object is a Pod.
fn is_pod(request: &Request) -> bool {
    let resource = request.resource();
    (resource.group.as_str(), resource.resource.as_str()) == ("", "pods")
}

/// Whether the object is a Namespace whose own labels count: the API server looks at them where a Namespace is made or
/// changed, and asks for the stored ones at its deletion and its subresources (k8s.io/apiserver,
/// pkg/admission/plugin/webhook/predicates/namespace, GetNamespaceLabels).
pub(super) fn is_namespace(request: &Request) -> bool {
    request.is_about_a_namespace()
        && request.sub_resource().is_none()
        && matches!(request.operation(), Operation::Create | Operation::Update)
}
