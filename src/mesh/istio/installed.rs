//! All revisions of Istio in a cluster, and what is known around them, as the one mesh that `review` asks.

mod objects;
mod powers;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::config::Installation;
use super::inject::{Injected, inject};
use super::pod;
use super::propose::{Webhook, asked, native_sidecars, path_parameters, required};
use super::target::{Target, Workload};
use crate::admission::{Operation, Request};
use crate::mesh::{Injector, Mesh, Proposal, RenderedContainer, Rendering};
use crate::policy::MeshMode;

/// Containers of another mesh's sidecar.
const OF_LINKERD: [&str; 2] = ["linkerd-proxy", "linkerd-init"];

/// The labels that decide which webhook is called.
const READ: [&str; 3] = ["istio-injection", "istio.io/rev", "sidecar.istio.io/inject"];

/// The revisions of Istio that are installed.
#[derive(Debug, Default)]
pub struct Istio {
    revisions: Vec<Revision>,
    namespaces: BTreeMap<String, Namespace>,
    /// The webhooks of Istio's own that the API server calls, where it is a cluster that is told of: there each request
    /// says what its namespace is like.
    live: Option<Vec<Webhook>>,
    /// The version of each node's kubelet.
    kubelets: BTreeMap<String, String>,
    /// The oldest first.
    proxy_configs: Vec<Value>,
    /// Whether somebody asks for injections, as with `istioctl kube-inject`.
    by_hand: bool,
}

#[derive(Debug)]
struct Revision {
    installation: Installation,
    /// In the order in which the API server would call them.
    webhooks: Vec<Webhook>,
    /// Who injects.
    mode: MeshMode,
}

#[derive(Clone, Debug, Default)]
struct Namespace {
    labels: Option<Map<String, Value>>,
    annotations: Option<Map<String, Value>>,
}

/// The namespace of a Pod; nothing may be known of it but the name.
struct Around<'a> {
    name: &'a str,
    known: Option<Cow<'a, Namespace>>,
}

/// Which revision would inject, by which row, and called by which path.
struct Chosen<'a> {
    revision: &'a Revision,
    rule: &'static str,
    path: &'a str,
}

impl Istio {
    /// Whether there is no revision.
    pub fn is_empty(&self) -> bool {
        self.revisions.is_empty()
    }

    /// The same, asked by somebody for their own manifests, as `istioctl kube-inject` is: where no webhook is told of, only
    /// the network of the node and the Pod's own word keep a sidecar out.
    pub fn by_hand(mut self) -> Self {
        self.by_hand = true;
        self
    }

    /// The revision that the API server would ask about a Pod; the only one where it has no webhook, or nothing is known
    /// of the namespace. None: none would be asked.
    fn chosen(&self, pod: &Value, around: &Around<'_>) -> Option<Chosen<'_>> {
        let is_told = around.known.is_some() && self.revisions.iter().any(|one| !one.webhooks.is_empty());
        if !is_told && self.live.is_none() {
            let default = self.revisions.iter().find(|one| one.installation.revision() == "default");
            let revision = default.or(self.revisions.first())?;
            return Some(Chosen { revision, rule: "", path: "" });
        }
        let labels = around.labels();
        self.revisions.iter().find_map(|revision| {
            let webhook = revision.webhooks.iter().find(|webhook| webhook.matches(labels, pod))?;
            Some(Chosen { revision, rule: webhook.rule(), path: &webhook.path })
        })
    }

    /// What is known of a namespace; `told`: by the request.
    fn around<'a>(&'a self, name: &'a str, told: Option<&Value>) -> Around<'a> {
        let known = match told {
            Some(told) => Some(Cow::Owned(Namespace::read(|member| told.get(member)))),
            None => self.namespaces.get(name).map(Cow::Borrowed),
        };
        Around { name, known }
    }

    /// Who injects into a Pod that a revision is chosen for.
    fn injector(&self, revision: &Revision, pod: &Value, around: &Around<'_>) -> Injector {
        match (&self.live, revision.mode) {
            (Some(_), MeshMode::Verify) => Injector::Mesh,
            (Some(live), MeshMode::Render) => {
                let beside = live.iter().find(|webhook| webhook.matches(around.labels(), pod));
                beside.map_or(Injector::Meshgate, |webhook| Injector::Webhook(webhook.name.clone()))
            }
            _ => Injector::Meshgate,
        }
    }

    /// What is done with a Pod of a namespace, and why.
    fn proposal(&self, pod: &Value, around: &Around<'_>) -> Proposal {
        let of_pod = READ.iter().filter_map(|name| Some((*name, pod::text(pod, "labels", name)?)));
        let mut reasons: Vec<String> = of_pod.map(|(name, text)| format!("label {name}={text}")).collect();
        for name in READ {
            let text = around.labels().and_then(|labels| labels.get(name)?.as_str());
            reasons.extend(text.map(|text| format!("namespace label {name}={text}")));
        }
        let mut proposal = Proposal {
            mesh: "istio".to_owned(),
            revision: None,
            inject: false,
            rule: String::new(),
            reasons,
            injector: Injector::Meshgate,
        };
        let Some(chosen) = self.chosen(pod, around) else {
            proposal.reasons.push("no webhook of Istio matches the Pod and its namespace".to_owned());
            return proposal;
        };
        let installation = &chosen.revision.installation;
        proposal.revision = Some(installation.revision().to_owned());
        let verdict = match self.by_hand && chosen.rule.is_empty() {
            true => asked(installation, pod, around.name),
            false => required(installation, pod, around.name),
        };
        proposal.inject = verdict.inject;
        // A webhook asks istiod, which may still say no.
        let by_webhook = verdict.inject && !chosen.rule.is_empty();
        proposal.rule = if by_webhook { chosen.rule } else { verdict.rule }.to_owned();
        proposal.reasons.push(verdict.reason);
        proposal.reasons.extend(powers::used(pod).into_iter().map(|power| format!("uses {power}")));
        if chosen.revision.mode == MeshMode::Off {
            proposal.inject = false;
            proposal.reasons.push("mode off".to_owned());
        }
        proposal.injector = self.injector(chosen.revision, pod, around);
        match &proposal.injector {
            Injector::Meshgate => {}
            Injector::Mesh => proposal.reasons.push("mode verify".to_owned()),
            Injector::Webhook(name) => {
                proposal.reasons.push(format!("mode verify: the webhook {name} injects, too"));
            }
        }
        let all = ["containers", "initContainers"].into_iter().flat_map(|list| pod::containers(pod, list));
        if all.into_iter().any(|container| OF_LINKERD.contains(&pod::name(container))) {
            proposal.inject = false;
            proposal.reasons.push("both-meshes: it has a sidecar of Linkerd".to_owned());
        }
        proposal
    }

    /// Injects into a Pod, or the template of one. `workload`: what has the template; None for a Pod.
    ///
    /// # Errors
    /// Why nothing can be injected.
    pub fn inject(
        &self,
        pod: &Value,
        namespace: &str,
        workload: Option<Workload>,
    ) -> Result<Injected, String> {
        self.inject_in(pod, &self.around(namespace, None), workload)
    }

    /// Why a Pod is left alone whoever asks for its sidecar, where somebody does ([`by_hand`](Self::by_hand)). A CronJob says
    /// so where `istioctl kube-inject` reads it: in the template of its Jobs.
    pub fn keeps_out(&self, pod: &Value, namespace: &str) -> Option<String> {
        let chosen = self.chosen(pod, &self.around(namespace, None)).filter(|_| self.by_hand)?;
        let verdict = asked(&chosen.revision.installation, pod, namespace);
        (!verdict.inject).then_some(verdict.reason)
    }

    fn inject_in(
        &self,
        pod: &Value,
        around: &Around<'_>,
        workload: Option<Workload>,
    ) -> Result<Injected, String> {
        let chosen = self.chosen(pod, around).ok_or("no webhook of Istio matches")?;
        let installation = &chosen.revision.installation;
        let parameters = path_parameters(chosen.path);
        let told = installation.environment("ENABLE_NATIVE_SIDECARS");
        let own =
            pod.pointer("/spec/nodeName").and_then(Value::as_str).and_then(|node| self.kubelets.get(node));
        let kubelets: Vec<&str> = self.kubelets.values().map(String::as_str).collect();
        let target = Target {
            pod,
            namespace: around.name,
            namespace_annotations: around.known.as_ref().and_then(|known| known.annotations.as_ref()),
            workload,
            path_parameters: &parameters,
            native_sidecars: native_sidecars(told, own.map(String::as_str), &kubelets),
            proxy_configs: &self.proxy_configs,
            by_hand: self.by_hand,
        };
        inject(installation, &target)
    }

    /// What a request is about, where that is a Pod that is made, or, where `changed`, one that is changed.
    fn pod<'r>(&self, request: &'r Request, changed: bool) -> Option<(&'r Value, &'r str)> {
        let is_asked = match (request.operation(), request.sub_resource()) {
            (Operation::Create, None) => true,
            (Operation::Update, None | Some("ephemeralcontainers")) => changed,
            _ => false,
        };
        let is_pod =
            (request.resource().group.as_str(), request.resource().resource.as_str()) == ("", "pods");
        if self.is_empty() || !is_asked || !is_pod {
            return None;
        }
        Some((request.object()?, request.namespace()?))
    }
}

impl Namespace {
    /// Of labels and annotations, by their names.
    fn read<'a>(member: impl Fn(&str) -> Option<&'a Value>) -> Self {
        let map = |name: &str| member(name)?.as_object().cloned();
        Self { labels: map("labels"), annotations: map("annotations") }
    }
}

impl Around<'_> {
    fn labels(&self) -> Option<&Map<String, Value>> {
        self.known.as_ref().and_then(|known| known.labels.as_ref())
    }
}

impl Mesh for Istio {
    fn reads_namespace(&self, request: &Request) -> bool {
        self.live.is_some() && self.pod(request, true).is_some()
    }

    fn propose(&self, request: &Request, namespace: Option<&Value>) -> Result<Option<Proposal>, String> {
        let Some((pod, name)) = self.pod(request, false) else { return Ok(None) };
        let around = self.around(name, namespace);
        if pod::annotation(pod, pod::STATUS).is_some() {
            let before = super::uninject::uninject(pod)?;
            return Ok(Some(self.proposal(&before, &around)));
        }
        Ok(Some(self.proposal(pod, &around)))
    }

    fn render(
        &self,
        _: &Proposal,
        request: &Request,
        namespace: Option<&Value>,
    ) -> Result<Rendering, String> {
        let (pod, name) = self.pod(request, false).ok_or("it is no Pod that is made")?;
        if pod::annotation(pod, pod::STATUS).is_some() {
            return Err(format!(
                "it has the annotation {} without the containers that Istio would have injected; remove the annotation",
                pod::STATUS
            ));
        }
        let injected = self.inject_in(pod, &self.around(name, namespace), None)?;
        let containers = rendered(&injected, powers::used(pod).is_empty());
        Ok(Rendering { object: injected.pod, containers })
    }

    fn rendered(&self, request: &Request, namespace: Option<&Value>) -> Vec<RenderedContainer> {
        let Some((pod, name)) = self.pod(request, true) else { return Vec::new() };
        if pod::annotation(pod, pod::STATUS).is_none() {
            return Vec::new();
        }
        let Ok(before) = super::uninject::uninject(pod) else { return Vec::new() };
        let around = self.around(name, namespace);
        if !self.proposal(&before, &around).inject {
            return Vec::new();
        }
        let is_plain = powers::used(&before).is_empty();
        self.inject_in(&before, &around, None)
            .map(|injected| rendered(&injected, is_plain))
            .unwrap_or_default()
    }
}

/// The containers that the templates put into a Pod, as they are in it.
fn rendered(injected: &Injected, plain: bool) -> Vec<RenderedContainer> {
    let find = |(_, name): &(String, String)| {
        ["containers", "initContainers"].into_iter().find_map(|list| {
            let container = pod::find(&injected.pod, list, name)?.clone();
            Some(RenderedContainer { list: list.to_owned(), container, plain })
        })
    };
    injected.containers.iter().filter_map(find).collect()
}
