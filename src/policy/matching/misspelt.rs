//! Groups and versions that no API server can have: a rule that names one would never match.

use crate::kubernetes::kinds;
use crate::kubernetes::label_selector::{is_dns_label, is_dns_subdomain};
use crate::policy::near::nearest;

/// The first of them: the member, what is wrong with it and what may be meant. Groups beside Kubernetes' own have a dot in
/// them (apiextensions.k8s.io/v1, CustomResourceDefinitionSpec), and both are in lower case.
pub(super) fn fault(groups: &[String], versions: &[String]) -> Option<(&'static str, String)> {
    if let Some(group) = groups.iter().find(|group| !can_be(group)) {
        return Some(("apiGroups", format!("there can be no group `{group}`; {}", meant(group))));
    }
    let is_version = |version: &str| version == "*" || is_dns_label(version);
    let version = versions.iter().find(|version| !is_version(version))?;
    let message = format!("there can be no version `{version}`; write it as in `v1`, without the group");
    Some(("apiVersions", message))
}

fn can_be(group: &str) -> bool {
    ["", "*", "extensions"].contains(&group)
        || !kinds::of_group(group).is_empty()
        || (is_dns_subdomain(group) && group.contains('.'))
}

fn meant(group: &str) -> String {
    let before = group.split('/').next().unwrap_or_default();
    if before != group && !kinds::of_group(before).is_empty() {
        return format!("write `{before}`, and the version below `apiVersions`");
    }
    match nearest(group, kinds::groups().into_iter().filter(|one| !one.is_empty())) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "groups beside Kubernetes' own have a dot in them, and are in lower case".to_owned(),
    }
}
