//! What Istio itself would do with a Pod: the tables of its webhooks, of istiod and of its CNI plugin.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::config::Installation;
use super::pod;
use super::version::Version;
use crate::kubernetes::label_selector::LabelSelector;

/// Namespaces in which nothing is injected.
const EXCLUDED: [&str; 4] = ["kube-system", "kube-public", "kube-node-lease", "local-path-storage"];

/// The minor version of a node from which on it runs sidecars as init containers, for Istio.
const FIRST_NATIVE_MINOR: u64 = 33;

const INJECT: &str = "sidecar.istio.io/inject";

/// What decided, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether a sidecar is injected.
    pub inject: bool,
    /// The row of the table, from `1` to `8`.
    pub rule: &'static str,
    /// What was read.
    pub reason: String,
}

/// Whether istiod, once asked, injects (injectRequired). The first row that fits decides. `namespace`: that of the Pod.
pub fn required(installation: &Installation, pod: &Value, namespace: &str) -> Verdict {
    let Installation { policy, never, always, version, .. } = installation;
    verdict(&Policy { policy, never, always, version: *version }, pod, namespace)
}

/// What of a configuration decides.
struct Policy<'a> {
    policy: &'a str,
    never: &'a [LabelSelector],
    always: &'a [LabelSelector],
    version: Version,
}

fn verdict(told: &Policy<'_>, pod: &Value, namespace: &str) -> Verdict {
    let verdict = |inject, rule, reason: String| Verdict { inject, rule, reason };
    let own = pod.pointer("/metadata/namespace").and_then(Value::as_str).filter(|own| !own.is_empty());
    let namespace = own.unwrap_or(namespace);
    let policy = told.policy;
    if pod.pointer("/spec/hostNetwork") == Some(&Value::Bool(true)) {
        return verdict(false, "1", "spec.hostNetwork: true".to_owned());
    }
    if EXCLUDED.contains(&namespace) {
        return verdict(false, "2", format!("namespace {namespace}"));
    }
    if !matches!(policy, "enabled" | "disabled") {
        return verdict(false, "3", format!("policy {policy:?}"));
    }
    let (kind, wish) = match pod::text(pod, "labels", INJECT) {
        Some(label) => ("label", label),
        None => ("annotation", pod::annotation(pod, INJECT).unwrap_or_default()),
    };
    match (wish.to_ascii_lowercase().as_str(), told.version.reads_booleans_of_yaml()) {
        ("true", _) if wish == "true" => return verdict(true, "4", format!("{kind} {INJECT}=true")),
        ("y" | "yes" | "true" | "on", true) => return verdict(true, "4", format!("{kind} {INJECT}={wish}")),
        ("false", _) if wish == "false" => return verdict(false, "5", format!("{kind} {INJECT}=false")),
        ("", _) | (_, false) => {}
        (_, true) => return verdict(false, "5", format!("{kind} {INJECT}={wish}")),
    }
    let labels = pod.pointer("/metadata/labels").and_then(Value::as_object);
    if told.never.iter().any(|selector| selector.matches(labels)) {
        return verdict(false, "6", "neverInjectSelector".to_owned());
    }
    if told.always.iter().any(|selector| selector.matches(labels)) {
        return verdict(true, "7", "alwaysInjectSelector".to_owned());
    }
    verdict(policy == "enabled", "8", format!("policy {policy}"))
}

/// Whether a sidecar is injected where somebody asks for it, as `istioctl kube-inject` is: as by istiod whose policy is
/// `enabled`, without its selectors.
pub(super) fn asked(installation: &Installation, pod: &Value, namespace: &str) -> Verdict {
    let told = Policy { policy: "enabled", never: &[], always: &[], version: installation.version };
    verdict(&told, pod, namespace)
}

/// A webhook of an injector.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// Its name, as in `rev.namespace.sidecar-injector.istio.io`.
    pub name: String,
    /// The revision that it belongs to.
    pub revision: String,
    /// Over the labels of the namespace.
    pub namespace_selector: LabelSelector,
    /// Over the labels of the Pod.
    pub object_selector: LabelSelector,
    /// The path that it is called under, with parameters.
    pub path: String,
}

impl Webhook {
    /// The webhooks of a MutatingWebhookConfiguration of Istio; none of any other. Such configurations carry the label
    /// `app: sidecar-injector`, and their revision in `istio.io/rev`.
    ///
    /// # Errors
    /// Which webhook has a selector that can't be read.
    pub fn of_configuration(configuration: &Value) -> Result<Vec<Self>, String> {
        if pod::text(configuration, "labels", "app") != Some("sidecar-injector") {
            return Ok(Vec::new());
        }
        let revision = pod::text(configuration, "labels", "istio.io/rev").unwrap_or("default");
        let webhooks = configuration.get("webhooks").and_then(Value::as_array).into_iter().flatten();
        webhooks.map(|webhook| Self::read(webhook, revision)).collect()
    }

    /// One webhook of a configuration.
    pub(super) fn read(webhook: &Value, revision: &str) -> Result<Self, String> {
        let name = pod::name(webhook).to_owned();
        let selector = |field: &str| {
            let nothing = Value::Object(Map::new());
            let written = webhook.get(field).filter(|written| !written.is_null()).unwrap_or(&nothing);
            LabelSelector::from_value(written).map_err(|why| format!("webhook {name}: {field}: {why}"))
        };
        let (namespace_selector, object_selector) =
            (selector("namespaceSelector")?, selector("objectSelector")?);
        let client = webhook.get("clientConfig");
        let path = client.and_then(|client| client.pointer("/service/path")?.as_str().map(str::to_owned));
        let url = client.and_then(|client| client.get("url")?.as_str());
        let of_url =
            url.and_then(|url| url.split_once("://")?.1.split_once('/')).map(|(_, path)| format!("/{path}"));
        let path = path.or(of_url).unwrap_or_else(|| "/inject".to_owned());
        Ok(Self { name, revision: revision.to_owned(), namespace_selector, object_selector, path })
    }

    /// Whether the API server would call it for a Pod.
    pub fn matches(&self, namespace_labels: Option<&Map<String, Value>>, pod: &Value) -> bool {
        let labels = pod.pointer("/metadata/labels").and_then(Value::as_object);
        self.namespace_selector.matches(namespace_labels) && self.object_selector.matches(labels)
    }

    /// The row of the table of webhooks that it is, by its name: `W1` to `W5`; `W` for one of another name.
    pub fn rule(&self) -> &'static str {
        let kind = self.name.split(".sidecar-injector").next().unwrap_or_default();
        match kind {
            "rev.namespace" => "W1",
            "rev.object" => "W2",
            "namespace" => "W3",
            "object" => "W4",
            "auto" => "W5",
            _ => "W",
        }
    }
}

/// The environment that the path of a webhook gives to proxies: `/inject/cluster/c1/net/n1`, or
/// `/inject/:ENV:cluster=c1:ENV:net=n1`.
pub fn path_parameters(path: &str) -> BTreeMap<String, String> {
    let path = path.trim_end_matches('/');
    let rest = path.splitn(3, '/').nth(2).unwrap_or_default();
    let mut found = BTreeMap::new();
    let mut set = |name: &str, text: String| {
        let known = match name {
            "cluster" => "ISTIO_META_CLUSTER_ID".to_owned(),
            "net" => "ISTIO_META_NETWORK".to_owned(),
            name => name.to_uppercase(),
        };
        if !name.is_empty() {
            found.insert(known, text);
        }
    };
    if let Some(pairs) = rest.strip_prefix(":ENV:") {
        for (name, text) in pairs.split(":ENV:").filter_map(|pair| pair.split_once('=')) {
            set(name, text.to_owned());
        }
        return found;
    }
    let parts: Vec<&str> = rest.split('/').collect();
    for pair in parts.chunks_exact(2) {
        if let [name, text] = pair {
            set(name, text.replace("--slash--", "/"));
        }
    }
    found
}

/// Whether sidecars are init containers: what istiod is told (`ENABLE_NATIVE_SIDECARS`; `auto` where it is told nothing), and
/// the versions of the kubelets, such as `v1.33.1`. `own`: that of the node that the Pod is bound to, where it is known.
pub fn native_sidecars(told: Option<&str>, own: Option<&str>, kubelets: &[&str]) -> bool {
    let is_able = |version: &str| {
        let minor = version.trim_start_matches('v').split('.').nth(1);
        let digits = minor.map(|minor| minor.trim_end_matches(|one: char| !one.is_ascii_digit()));
        digits.and_then(|digits| digits.parse::<u64>().ok()).is_some_and(|minor| minor >= FIRST_NATIVE_MINOR)
    };
    match told.unwrap_or("auto") {
        "true" => true,
        "auto" => match own {
            Some(own) => is_able(own),
            None => kubelets.iter().all(|version| is_able(version)),
        },
        _ => false,
    }
}

/// Whether Istio's ambient mode captures a Pod, by its default selectors.
pub fn is_ambient(namespace_labels: Option<&Map<String, Value>>, pod: &Value) -> bool {
    const MODE: &str = "istio.io/dataplane-mode";
    if pod.pointer("/spec/hostNetwork") == Some(&Value::Bool(true))
        || pod::annotation(pod, pod::STATUS).is_some()
    {
        return false;
    }
    let of_namespace = namespace_labels.and_then(|labels| labels.get(MODE)?.as_str());
    match pod::text(pod, "labels", MODE) {
        Some("ambient") => true,
        Some("none") => false,
        _ => of_namespace == Some("ambient"),
    }
}
