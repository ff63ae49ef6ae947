//! Kinds and versions of Kubernetes' own groups that no API server serves (any more): named, with what may be meant.

use std::collections::BTreeMap;

use super::manifests::Manifest;
use crate::kubernetes::kinds::{self, NEWEST, Resource};
use crate::policy::nearest;

/// How many places of one kind are named.
const PLACES: usize = 3;

/// What was met.
#[derive(Debug, Default)]
pub(super) struct Unserved {
    places: BTreeMap<(String, String), Vec<String>>,
}

impl Unserved {
    /// Notes a manifest down whose kind nobody has defined.
    pub(super) fn note(&mut self, manifest: &Manifest) {
        let (api_version, kind) = (manifest.text("apiVersion"), manifest.text("kind"));
        let Some(why) = why(api_version, kind) else { return };
        let key = (format!("{api_version}/{kind}"), why);
        self.places.entry(key).or_default().push(format!("{}:{}", manifest.file, manifest.line()));
    }

    /// `apiVersion/Kind at place, place: why` of each.
    pub(super) fn lines(&self) -> Vec<String> {
        let line = |((kind, why), places): (&(String, String), &Vec<String>)| {
            let first: Vec<&str> = places.iter().take(PLACES).map(String::as_str).collect();
            let more = places.len().saturating_sub(first.len());
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            format!("{kind} at {}{more}: {why}", first.join(", "))
        };
        self.places.iter().map(line).collect()
    }
}

/// Why no API server has ever had such a kind: a slip in its name, or another group's. None where one may have had it.
pub(super) fn never(api_version: &str, kind: &str) -> Option<String> {
    if kinds::built_in(api_version, kind).is_some() || kinds::successor(api_version, kind).is_some() {
        return None;
    }
    let (group, _) = api_version.split_once('/').unwrap_or(("", api_version));
    let (own, elsewhere) = (kinds::of_group(group), kinds::named(kind));
    // Groups beside Kubernetes' own have a dot in them.
    let is_kubernetes = !own.is_empty() || (!group.contains('.') && group != "extensions");
    if !is_kubernetes {
        return None;
    }
    let is_meant = !elsewhere.is_empty() || nearest(kind, own.into_iter()).is_some();
    is_meant.then(|| why(api_version, kind)).flatten()
}

/// Why the API server has no such kind; None of what it serves, and of groups that are others'.
fn why(api_version: &str, kind: &str) -> Option<String> {
    if kinds::built_in(api_version, kind).is_some() {
        return None;
    }
    let (major, minor) = NEWEST;
    if let Some(now) = kinds::successor(api_version, kind) {
        let now = version_of(&now);
        return Some(format!("Kubernetes {major}.{minor} does not serve that version; write {now}"));
    }
    let (group, _) = api_version.split_once('/').unwrap_or(("", api_version));
    let (own, elsewhere) = (kinds::of_group(group), kinds::named(kind));
    if own.is_empty() && group != "extensions" {
        // Others have kinds of the same names in groups of their own; those are called otherwise.
        let meant = nearest(group, elsewhere.iter().map(|one| one.group.as_str()))?;
        return Some(format!("Kubernetes {major}.{minor} has no such group; did you mean `{meant}`?"));
    }
    let meant = match (elsewhere.first(), nearest(kind, own.into_iter())) {
        (Some(one), _) => format!("; write {}", version_of(one)),
        (None, Some(near)) => format!("; did you mean `{near}`?"),
        (None, None) => String::new(),
    };
    Some(format!("Kubernetes {major}.{minor} has no such kind there{meant}"))
}

fn version_of(resource: &Resource) -> String {
    let Resource { group, version, .. } = resource;
    if group.is_empty() { version.clone() } else { format!("{group}/{version}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_served_is_told_with_what_may_be_meant() {
        for (api_version, kind, expected) in [
            ("apps/v1", "Deployment", None),
            ("cert-manager.io/v1", "Certificate", None),
            ("serving.knative.dev/v1", "Service", None),
            ("policy/v1beta1", "PodDisruptionBudget", Some("does not serve that version; write policy/v1")),
            ("extensions/v1beta1", "Deployment", Some("does not serve that version; write apps/v1")),
            ("extensions/v1beta1", "PodSecurityPolicy", Some("has no such kind there")),
            ("v2", "Pod", Some("does not serve that version; write v1")),
            ("v1", "Deployment", Some("has no such kind there; write apps/v1")),
            ("apps/v1", "Pod", Some("has no such kind there; write v1")),
            ("apps/v1", "Deploymnt", Some("has no such kind there; did you mean `Deployment`?")),
            ("batch/v1", "Kronjobs", Some("has no such kind there; did you mean `CronJob`?")),
            ("batch/v1", "Widget", Some("has no such kind there")),
            ("networking.k8s.oi/v1", "Ingress", Some("has no such group; did you mean `networking.k8s.io`?")),
            ("app/v1", "Deployment", Some("has no such group; did you mean `apps`?")),
        ] {
            let expected = expected.map(|text| format!("Kubernetes 1.37 {text}"));
            assert_eq!(why(api_version, kind), expected, "{api_version} {kind}");
        }
    }

    #[test]
    fn what_no_api_server_ever_had_is_told_from_what_one_may_have_had() {
        for (api_version, kind) in [
            ("apps/v1", "Deploymnt"),
            ("v1", "Deployment"),
            ("v1", "Pdo"),
            ("app/v1", "Deployment"),
            ("apps/v1", "Pod"),
        ] {
            assert!(never(api_version, kind).is_some_and(|why| why.contains("; ")), "{api_version} {kind}");
        }
        for (api_version, kind) in [
            ("apps/v1", "Deployment"),
            ("apps/v2", "Deployment"),
            ("extensions/v1beta1", "Deployment"),
            ("policy/v1beta1", "PodSecurityPolicy"),
            ("admissionregistration.k8s.io/v1alpha1", "InitializerConfiguration"),
            ("batch/v1", "Widget"),
            ("serving.knative.dev/v1", "Service"),
            ("example.org/v1", "Pdo"),
        ] {
            assert_eq!(never(api_version, kind), None, "{api_version} {kind}");
        }
    }
}
