//! What no policy is ever asked about (R37, R53): what the cluster needs to start, to heal and to tell who asks.
//! The registration leaves it out with the same list; here it holds whoever brings the request.

/// API groups of which nothing is judged.
const GROUPS: [&str; 7] = [
    "apiregistration.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "events.k8s.io",
    "flowcontrol.apiserver.k8s.io",
];

/// Resources of the core group: written by nodes and by the control plane, all the time.
const RESOURCES: [&str; 4] = ["bindings", "endpoints", "events", "nodes"];

/// Subresources of anything: what the scheduler and controllers write about objects that were judged.
const SUB_RESOURCES: [&str; 4] = ["binding", "finalize", "status", "token"];

/// Whether requests of that resource are never judged.
pub fn is_never(group: &str, resource: &str, sub_resource: Option<&str>) -> bool {
    GROUPS.contains(&group)
        || (group.is_empty() && RESOURCES.contains(&resource))
        || sub_resource.is_some_and(|name| SUB_RESOURCES.contains(&name))
}
