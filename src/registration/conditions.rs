//! `matchConditions`, in CEL: which requests an entry is not asked about. An expression that fails rejects the request
//! where failurePolicy is Fail, so what can be absent (`request.subResource`, labels) stands behind `has()`.

use serde_json::{Value, json};

use crate::config::Configuration;
use crate::policy::{
    CONTROLLERS, EXEMPT_LABEL, MODE_LABEL, NEVER_GROUPS, NEVER_RESOURCES, NEVER_SUB_RESOURCES,
    SUSPEND_ANNOTATION, SUSPENDED_BY_ANNOTATION,
};

/// What no policy is ever asked about: what the cluster needs to start and to heal.
pub(super) fn never() -> Value {
    let expression = format!(
        "!(request.resource.group in {} || (request.resource.group == '' && request.resource.resource in {}) || \
         (has(request.subResource) && request.subResource in {}))",
        list(NEVER_GROUPS),
        list(NEVER_RESOURCES),
        list(NEVER_SUB_RESOURCES),
    );
    condition("never", &expression)
}

/// Deletions by those who clean up: a namespace goes while nobody answers.
pub(super) fn controllers() -> Value {
    let users = list(CONTROLLERS);
    condition(
        "controllers",
        &format!("!(request.operation == 'DELETE' && request.userInfo.username in {users})"),
    )
}

/// What the API server writes at its own start.
pub(super) fn apiserver() -> Value {
    condition("apiserver", "request.userInfo.username != 'system:apiserver'")
}

/// Reports of kubelets about Pods that run already. Anybody can set the annotation; the group decides.
pub(super) fn mirror() -> Value {
    let expression = "!(request.operation == 'CREATE' && request.resource.group == '' && \
        request.resource.resource == 'pods' && !has(request.subResource) && has(object.metadata.annotations) && \
        'kubernetes.io/config.mirror' in object.metadata.annotations && has(request.userInfo.groups) && \
        'system:nodes' in request.userInfo.groups)";
    condition("mirror", expression)
}

/// Changes of what is guarded; also what only `/mutate` writes.
pub(super) fn guard(configuration: &Configuration) -> Value {
    let annotations = list([SUSPEND_ANNOTATION, SUSPENDED_BY_ANNOTATION]);
    condition("guarded", &differ(&guarded_labels(configuration), &annotations))
}

/// Whether a request changes something of a Namespace that is guarded, in CEL: the condition of the admission policy that
/// holds while nobody answers. Set, changed or removed; also when the Namespace is made.
/// `labels` is a list of CEL.
pub fn guarded(labels: &str) -> String {
    differ(labels, &list([SUSPEND_ANNOTATION]))
}

/// The guarded labels, meshgate's own among them, as a list of CEL.
pub fn guarded_labels(configuration: &Configuration) -> String {
    let mut labels = configuration.guarded_labels.clone();
    labels.extend([EXEMPT_LABEL, MODE_LABEL].map(str::to_owned));
    list(labels)
}

fn differ(labels: &str, annotations: &str) -> String {
    let differ = |member: &str, keys: &str| {
        // No label can be `-`; an annotation that is says nothing.
        let of = |object: &str| {
            format!(
                "has({object}.metadata.{member}) && k in {object}.metadata.{member} ? {object}.metadata.{member}[k] : '-'"
            )
        };
        format!("{keys}.exists(k, ({}) != (oldObject != null && {}))", of("object"), of("oldObject"))
    };
    format!("{} || {}", differ("labels", labels), differ("annotations", annotations))
}

fn condition(name: &str, expression: &str) -> Value {
    json!({ "name": name, "expression": expression })
}

/// A CEL list of strings. None of them has a quote or a backslash: they are names of Kubernetes.
fn list(words: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let quoted: Vec<String> = words.into_iter().map(|word| format!("'{}'", word.as_ref())).collect();
    format!("[{}]", quoted.join(", "))
}
