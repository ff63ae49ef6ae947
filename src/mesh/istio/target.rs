//! The Pod that an injection is for, and what is known about it.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value as Json};

use super::pod;
use super::version::Version;

/// The user and group of the proxy where nothing else is said.
const PROXY_USER: i64 = 1337;

/// The Pod, and what is around it.
#[derive(Clone, Debug)]
pub struct Target<'a> {
    /// The Pod; `apiVersion` and `kind` may be missing.
    pub pod: &'a Json,
    /// Its namespace.
    pub namespace: &'a str,
    /// The annotations of the namespace, where they are known.
    pub namespace_annotations: Option<&'a Map<String, Json>>,
    /// The workload whose template the Pod is; None for a Pod, whose owner is read from itself.
    pub workload: Option<Workload>,
    /// The parameters of the webhook's path ([`path_parameters`](super::propose::path_parameters)).
    pub path_parameters: &'a BTreeMap<String, String>,
    /// Whether nodes run sidecars as init containers ([`native_sidecars`](super::propose::native_sidecars)).
    pub native_sidecars: bool,
    /// The ProxyConfig resources (networking.istio.io) of the root namespace and of the Pod's, the oldest first.
    pub proxy_configs: &'a [Json],
    /// Whether somebody asks for the injection, as with `istioctl kube-inject`, and not a webhook. Then the annotation
    /// `proxy.istio.io/config` counts as the mesh's own configuration in everything that is done after the template.
    pub by_hand: bool,
}

/// What owns a Pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    /// As in `apps/v1`.
    pub api_version: String,
    /// As in `Deployment`.
    pub kind: String,
    /// Its name.
    pub name: String,
}

#[expect(clippy::unwrap_used, reason = "a test compiles it")]
static CRON_JOB: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^(.+)-\d{8,10}$").unwrap());

impl Target<'_> {
    /// The workload that the Pod belongs to, as Istio guesses it (pkg/kube/util.go).
    pub(super) fn owner(&self, version: Version) -> Workload {
        if let Some(workload) = &self.workload {
            return workload.clone();
        }
        let metadata = |name: &str| self.pod.get("metadata").and_then(|metadata| metadata.get(name));
        let text = |value: Option<&Json>| value.and_then(Json::as_str).unwrap_or_default().to_owned();
        let pod =
            Workload { api_version: "v1".to_owned(), kind: "Pod".to_owned(), name: text(metadata("name")) };
        if text(metadata("generateName")).is_empty() {
            return pod;
        }
        let owners = metadata("ownerReferences").and_then(Json::as_array).into_iter().flatten();
        let mut owners = owners.filter(|owner| owner.get("controller") == Some(&Json::Bool(true)));
        let Some(owner) = owners.next() else { return pod };
        let mut found = Workload {
            api_version: text(owner.get("apiVersion")),
            kind: text(owner.get("kind")),
            name: text(owner.get("name")),
        };
        let without = |name: &str, label: &str| {
            let hash = pod::text(self.pod, "labels", label).filter(|hash| !hash.is_empty())?;
            let rest = name.strip_suffix(hash)?;
            Some(rest.strip_suffix('-').unwrap_or(name).to_owned())
        };
        if found.kind == "ReplicaSet" {
            if let Some(name) = without(&found.name, "pod-template-hash") {
                (found.name, found.kind) = (name, "Deployment".to_owned());
            } else if let Some(name) =
                without(&found.name, "rollouts-pod-template-hash").filter(|_| version.since(22))
            {
                (found.name, found.kind) = (name, "Rollout".to_owned());
                "v1alpha1".clone_into(&mut found.api_version);
            }
        } else if let ("ReplicationController", Some(name)) = (
            found.kind.as_str(),
            pod::text(self.pod, "labels", "deploymentconfig").filter(|name| !name.is_empty()),
        ) {
            (found.name, found.kind) = (name.to_owned(), "DeploymentConfig".to_owned());
        } else if let ("Job", Some(parts)) = (found.kind.as_str(), CRON_JOB.captures(&found.name.clone())) {
            found.name = parts.get(1).map(|name| name.as_str().to_owned()).unwrap_or_default();
            let api_version = if version.since(22) { "batch/v1" } else { "batch/v1beta1" };
            (found.kind, found.api_version) = ("CronJob".to_owned(), api_version.to_owned());
        }
        if found.name.is_empty() {
            found.name = pod.name;
        }
        found
    }

    /// User and group of the proxy: on OpenShift the last ones of the namespace's ranges.
    pub(super) fn proxy_ids(&self, is_openshift: bool) -> (i64, i64) {
        let range = |name: &str| {
            let text = self.namespace_annotations?.get(&format!("openshift.io/sa.scc.{name}"))?.as_str()?;
            end(text.split(',').next()?)
        };
        if !is_openshift {
            return (PROXY_USER, PROXY_USER);
        }
        let user = range("uid-range");
        let group = range("supplemental-groups").or(user);
        (user.unwrap_or(PROXY_USER), group.unwrap_or(PROXY_USER))
    }

    /// Whether the namespace is one of OpenShift, which alone writes such annotations.
    pub(super) fn is_openshift(&self) -> bool {
        self.namespace_annotations.is_some_and(|all| all.contains_key("openshift.io/sa.scc.uid-range"))
    }
}

/// The end of `start/size` or `start-end`.
fn end(block: &str) -> Option<i64> {
    let block = block.trim();
    if let Some((start, size)) = block.split_once('/') {
        let (start, size): (i64, i64) = (start.parse().ok()?, size.parse().ok()?);
        return start.checked_add(size)?.checked_sub(1);
    }
    let (_, end) = block.split_once('-')?;
    end.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn owner(pod: &Json) -> (String, String, String) {
        let parameters = BTreeMap::new();
        let target = Target {
            pod,
            namespace: "shop",
            namespace_annotations: None,
            workload: None,
            path_parameters: &parameters,
            native_sidecars: true,
            proxy_configs: &[],
            by_hand: false,
        };
        let Workload { api_version, kind, name } = target.owner(Version::default());
        (api_version, kind, name)
    }

    #[test]
    fn the_owner_is_guessed_from_names_and_labels() {
        let pod = |kind: &str, name: &str, labels: Json| {
            json!({ "metadata": { "name": "", "generateName": "web-", "labels": labels, "ownerReferences": [
                { "kind": "Other", "name": "other", "apiVersion": "v2" },
                { "controller": true, "kind": kind, "name": name, "apiVersion": "apps/v1" },
            ] } })
        };
        let rows = [
            (
                pod("ReplicaSet", "web-5f", json!({ "pod-template-hash": "5f" })),
                ("apps/v1", "Deployment", "web"),
            ),
            (
                pod("ReplicaSet", "web-5f", json!({ "pod-template-hash": "6f" })),
                ("apps/v1", "ReplicaSet", "web-5f"),
            ),
            (
                pod("ReplicaSet", "web-5f", json!({ "rollouts-pod-template-hash": "5f" })),
                ("v1alpha1", "Rollout", "web"),
            ),
            (pod("Job", "web-28000000", json!({})), ("batch/v1", "CronJob", "web")),
            (pod("Job", "web-28", json!({})), ("apps/v1", "Job", "web-28")),
            (
                pod("ReplicationController", "web-1", json!({ "deploymentconfig": "web" })),
                ("apps/v1", "DeploymentConfig", "web"),
            ),
            (pod("StatefulSet", "web", json!({})), ("apps/v1", "StatefulSet", "web")),
            (json!({ "metadata": { "name": "solo" } }), ("v1", "Pod", "solo")),
            (json!({ "metadata": { "name": "solo", "generateName": "s-" } }), ("v1", "Pod", "solo")),
        ];
        for (pod, expected) in rows {
            let (api_version, kind, name) = owner(&pod);
            assert_eq!((api_version.as_str(), kind.as_str(), name.as_str()), expected, "{pod}");
        }
    }

    #[test]
    fn a_range_ends_by_its_size_or_its_end() {
        let rows = [("1000620000/10000", Some(1_000_629_999)), ("5-9", Some(9)), ("5", None), ("a/b", None)];
        for (block, expected) in rows {
            assert_eq!(end(block), expected, "{block}");
        }
    }
}
