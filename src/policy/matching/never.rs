//! What no policy is ever asked about (R37, R53): what the cluster needs to start, to heal and to tell who asks.
//! The registration leaves it out with the same lists; here it holds whoever brings the request.

/// API groups of which nothing is judged.
pub const NEVER_GROUPS: [&str; 7] = [
    "apiregistration.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "events.k8s.io",
    "flowcontrol.apiserver.k8s.io",
];

/// Resources of the core group: written by nodes and by the control plane, all the time.
pub const NEVER_RESOURCES: [&str; 4] = ["bindings", "endpoints", "events", "nodes"];

/// Subresources of anything: what the scheduler and controllers write about objects that were judged.
pub const NEVER_SUB_RESOURCES: [&str; 4] = ["binding", "finalize", "status", "token"];

/// Who deletes what belongs to something that is gone: kept from it, a cluster would never be rid of it.
pub const CONTROLLERS: [&str; 3] = [
    "system:kube-controller-manager",
    "system:serviceaccount:kube-system:generic-garbage-collector",
    "system:serviceaccount:kube-system:namespace-controller",
];

/// Whether requests of that resource are never judged.
pub fn is_never(group: &str, resource: &str, sub_resource: Option<&str>) -> bool {
    NEVER_GROUPS.contains(&group)
        || (group.is_empty() && NEVER_RESOURCES.contains(&resource))
        || sub_resource.is_some_and(|name| NEVER_SUB_RESOURCES.contains(&name))
}
