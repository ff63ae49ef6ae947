//! The guard of Namespaces: what loosens anything in a namespace is set, changed and removed only by the subjects that
//! the process is configured with (R38, R60). Called by `judge`, also for `namespaces/status` and `namespaces/finalize`,
//! through which labels and annotations can be changed as well.

use serde_json::Value;

use super::decision::Finding;
use crate::admission::{Operation, Request};
use crate::context::Subjects;
use crate::policy::{EXEMPT_LABEL, MODE_LABEL, SUSPEND_ANNOTATION};

/// What is guarded, by the member of `metadata`.
const GUARDED: [(&str, &str, &str); 3] = [
    ("labels", "label", MODE_LABEL),
    ("labels", "label", EXEMPT_LABEL),
    ("annotations", "annotation", SUSPEND_ANNOTATION),
];

/// A denial for each guarded word that somebody else would change.
pub(super) fn findings(request: &Request, subjects: &Subjects) -> Vec<Finding> {
    if subjects.include(request.user_info()) {
        return Vec::new();
    }
    let finding = |(member, what, name): (&str, &str, &str)| {
        let message = format!(
            "the {what} `{name}` of a Namespace may be set, changed and removed only by the subjects that meshgate is configured with"
        );
        Finding::of_namespace_guard(message, format!("metadata.{member}[{name}]"), pointer(member, name))
    };
    changed(request).map(finding).collect()
}

/// Whether `request` changes what is guarded, whoever asks: it is then for the guard entry (cluster: registration).
pub fn changes_guarded(request: &Request) -> bool {
    changed(request).next().is_some()
}

/// The guarded words that are another way after it than before.
fn changed(request: &Request) -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let is_written = matches!(request.operation(), Operation::Create | Operation::Update);
    let is_meant = is_written && request.is_about_a_namespace();
    let of =
        |object: Option<&Value>, pointer: &str| object.and_then(|object| object.pointer(pointer)).cloned();
    GUARDED.into_iter().filter(move |(member, _, name)| {
        let pointer = pointer(member, name);
        is_meant && of(request.object(), &pointer) != of(request.old_object(), &pointer)
    })
}

fn pointer(member: &str, name: &str) -> String {
    format!("/metadata/{member}/{}", name.replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::admission::{GroupVersionKind, GroupVersionResource, RequestParts};

    fn request(
        operation: Operation,
        sub_resource: Option<&str>,
        user: &Value,
        old: Value,
        new: Value,
    ) -> Request {
        let object =
            |metadata: Value| json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": metadata });
        Request::new(RequestParts {
            uid: "1".to_owned(),
            kind: GroupVersionKind::new("", "v1", "Namespace"),
            resource: GroupVersionResource::new("", "v1", "namespaces"),
            sub_resource: sub_resource.map(str::to_owned),
            name: "shop".to_owned(),
            namespace: Some("shop".to_owned()),
            operation,
            user_info: user.clone(),
            object: (operation != Operation::Delete).then(|| object(new)),
            old_object: (operation != Operation::Create).then(|| object(old)),
            dry_run: false,
        })
    }

    /// The guarded words that are denied.
    fn denied(request: &Request, subjects: &Subjects) -> Vec<String> {
        findings(request, subjects).into_iter().filter_map(|finding| finding.field).collect()
    }

    #[test]
    fn every_way_to_change_a_guarded_word_is_denied() {
        let alice = json!({ "username": "alice", "groups": ["system:authenticated"] });
        let (none, other) = (json!({}), json!({ "labels": { "a": "b" }, "annotations": { "a": "b" } }));
        for (member, name) in GUARDED.map(|(member, _, name)| (member, name)) {
            let with = |value: &str| json!({ member: { name: value } });
            let field = format!("metadata.{member}[{name}]");
            let changes = [
                (&none, &with("warn")),
                (&with("deny"), &none),
                (&with("deny"), &with("warn")),
                (&other, &with("")),
            ];
            for sub_resource in [None, Some("status"), Some("finalize")] {
                for (old, new) in changes {
                    let update = request(Operation::Update, sub_resource, &alice, old.clone(), new.clone());
                    assert_eq!(denied(&update, &Subjects::default()), [field.as_str()], "{old} {new}");
                }
                let same = request(Operation::Update, sub_resource, &alice, with("a"), with("a"));
                assert_eq!(denied(&same, &Subjects::default()), [""; 0]);
            }
            let create = request(Operation::Create, None, &alice, none.clone(), with("warn"));
            assert_eq!(denied(&create, &Subjects::default()), [field.as_str()]);
        }
        let unguarded = request(Operation::Update, None, &alice, none.clone(), other.clone());
        assert_eq!(denied(&unguarded, &Subjects::default()), [""; 0]);
        let delete = request(Operation::Delete, None, &alice, other, none);
        assert_eq!(denied(&delete, &Subjects::default()), [""; 0]);
    }

    #[test]
    fn only_subjects_may_and_by_default_those_of_system_masters() {
        let named = Subjects::new(["carol".to_owned()].into(), ["platform".to_owned()].into());
        let table = [
            (json!({ "username": "alice", "groups": ["system:masters"] }), true, false),
            (json!({ "username": "carol", "groups": [] }), false, true),
            (json!({ "username": "bob", "groups": ["a", "platform"] }), false, true),
            (json!({ "username": "platform", "groups": ["carol"] }), false, false),
            (json!({ "username": "Carol" }), false, false),
            (json!({ "username": "system:masters" }), false, false),
            (json!({}), false, false),
            (Value::Null, false, false),
        ];
        for (user, by_default, if_named) in table {
            let update = request(
                Operation::Update,
                None,
                &user,
                json!({}),
                json!({ "labels": { MODE_LABEL: "off" } }),
            );
            let may = |subjects: &Subjects| denied(&update, subjects).is_empty();
            assert_eq!((may(&Subjects::default()), may(&named)), (by_default, if_named), "{user}");
        }
    }
}
