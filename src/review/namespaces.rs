//! The guard of Namespaces: what loosens anything in a namespace is set, changed and removed only by the subjects that
//! the process is configured with (R38, R60), and a suspension names who set it. Called by `mutate` and `judge`, also for
//! `namespaces/status` and `namespaces/finalize`, through which labels and annotations can be changed as well.

use serde_json::{Value, json};

use super::decision::Finding;
use crate::admission::{Operation, Request};
use crate::context::Subjects;
use crate::policy::{EXEMPT_LABEL, MODE_LABEL, SUSPEND_ANNOTATION, SUSPENDED_BY_ANNOTATION};

/// What is guarded beside labels that the configuration names, by the member of `metadata`.
const GUARDED: [(&str, &str); 3] =
    [("labels", MODE_LABEL), ("labels", EXEMPT_LABEL), ("annotations", SUSPEND_ANNOTATION)];

/// A denial for each guarded word that somebody else would change, and for a signature that is not meshgate's.
pub(super) fn findings(request: &Request, subjects: &Subjects) -> Vec<Finding> {
    let finding = |(member, name): (&str, &str)| {
        let what = if member == "labels" { "label" } else { "annotation" };
        let message = format!(
            "the {what} `{name}` of a Namespace may be set, changed and removed only by the subjects that meshgate is configured with"
        );
        Finding::of_namespace_guard(message, format!("metadata.{member}[{name}]"), pointer(member, name))
    };
    let changed: Vec<Finding> = if subjects.include(request.user_info()) {
        Vec::new()
    } else {
        changed(request, subjects).map(finding).collect()
    };
    changed.into_iter().chain(unsigned(request)).collect()
}

/// Whether `request` changes what is guarded, whoever asks: it is then for the guard entry (cluster: registration).
pub fn changes_guarded(request: &Request, subjects: &Subjects) -> bool {
    let signature = ("annotations", SUSPENDED_BY_ANNOTATION);
    changed(request, subjects).next().is_some() || (is_written(request) && differs(request, signature))
}

/// The object with the name of who suspends, or without one where nobody does any more.
pub(super) fn signed(request: &Request, object: &Value) -> Value {
    let mut object = object.clone();
    let annotations = object.pointer_mut("/metadata/annotations").and_then(Value::as_object_mut);
    if let (Some(annotations), true) = (annotations, is_resigned(request)) {
        if annotations.contains_key(SUSPEND_ANNOTATION) {
            annotations.insert(SUSPENDED_BY_ANNOTATION.to_owned(), json!(user(request)));
        } else {
            annotations.remove(SUSPENDED_BY_ANNOTATION);
        }
    }
    object
}

/// A signature that is another than meshgate wrote, or would have written.
fn unsigned(request: &Request) -> Option<Finding> {
    let suspends = of(request.object(), ("annotations", SUSPEND_ANNOTATION)).is_some();
    let expected = match is_resigned(request) {
        true if suspends => Some(json!(user(request))),
        true => None,
        false => of(request.old_object(), ("annotations", SUSPENDED_BY_ANNOTATION)).cloned(),
    };
    if !is_written(request)
        || of(request.object(), ("annotations", SUSPENDED_BY_ANNOTATION)) == expected.as_ref()
    {
        return None;
    }
    let name = SUSPENDED_BY_ANNOTATION;
    let message =
        format!("the annotation `{name}` of a Namespace is written by meshgate alone; leave it as it is");
    let field = format!("metadata.annotations[{name}]");
    Some(Finding::of_namespace_guard(message, field, pointer("annotations", name)))
}

/// Whether the suspension is another one after the request, so that it is another's.
fn is_resigned(request: &Request) -> bool {
    is_written(request) && differs(request, ("annotations", SUSPEND_ANNOTATION))
}

/// The guarded words that are another way after it than before.
fn changed<'a>(
    request: &'a Request,
    subjects: &'a Subjects,
) -> impl Iterator<Item = (&'static str, &'a str)> {
    let labels = subjects.labels().iter().map(|label| ("labels", label.as_str()));
    let all = GUARDED.into_iter().chain(labels.filter(|word| !GUARDED.contains(word)));
    all.filter(|word| is_written(request) && differs(request, *word))
}

fn is_written(request: &Request) -> bool {
    request.is_about_a_namespace() && matches!(request.operation(), Operation::Create | Operation::Update)
}

fn differs(request: &Request, word: (&str, &str)) -> bool {
    of(request.object(), word) != of(request.old_object(), word)
}

fn of<'a>(object: Option<&'a Value>, (member, name): (&str, &str)) -> Option<&'a Value> {
    object?.pointer(&pointer(member, name))
}

fn pointer(member: &str, name: &str) -> String {
    format!("/metadata/{member}/{}", name.replace('/', "~1"))
}

fn user(request: &Request) -> &str {
    request.user_info().get("username").and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
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

    /// As `/mutate` leaves it.
    fn as_signed(request: Request) -> Request {
        let object = request.object().map(|object| signed(&request, object));
        object.map_or(request.clone(), |object| request.with_object(object))
    }

    /// The guarded words that are denied.
    fn denied(request: &Request, subjects: &Subjects) -> Vec<String> {
        findings(request, subjects).into_iter().filter_map(|finding| finding.field).collect()
    }

    #[test]
    fn every_way_to_change_a_guarded_word_is_denied() {
        let alice = json!({ "username": "alice", "groups": ["system:authenticated"] });
        let (none, other) = (json!({}), json!({ "labels": { "a": "b" }, "annotations": { "a": "b" } }));
        for (member, name) in GUARDED {
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
                    assert!(changes_guarded(&update, &Subjects::default()));
                    let update = as_signed(update);
                    assert_eq!(denied(&update, &Subjects::default()), [field.as_str()], "{old} {new}");
                }
                let same = request(Operation::Update, sub_resource, &alice, with("a"), with("a"));
                assert_eq!(denied(&same, &Subjects::default()), [""; 0]);
            }
            let create = as_signed(request(Operation::Create, None, &alice, none.clone(), with("warn")));
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

    #[test]
    fn labels_that_are_configured_are_guarded_too() {
        let alice = json!({ "username": "alice" });
        let label = "pod-security.kubernetes.io/enforce";
        let guarding = Subjects::default().guarding(&[label.to_owned(), MODE_LABEL.to_owned()].into());
        let with = |value: &str| json!({ "labels": { label: value } });
        let update = |user: &Value| {
            request(Operation::Update, Some("status"), user, with("restricted"), with("privileged"))
        };
        assert_eq!(denied(&update(&alice), &Subjects::default()), [""; 0]);
        assert_eq!(denied(&update(&alice), &guarding), [format!("metadata.labels[{label}]")]);
        assert_eq!(denied(&update(&json!({ "groups": ["system:masters"] })), &guarding), [""; 0]);
        let mode =
            request(Operation::Create, None, &alice, json!({}), json!({ "labels": { MODE_LABEL: "off" } }));
        assert_eq!(denied(&mode, &guarding).len(), 1, "a word that is named twice is denied once");
    }

    /// Who suspends is told by the request, and nobody writes it by hand, subject or not.
    #[test]
    fn a_suspension_is_signed_and_its_signature_goes_with_it() {
        let carol = json!({ "username": "carol", "groups": ["system:masters"] });
        let annotated = |until: Option<&str>, by: Option<&str>| {
            let mut annotations = json!({ "a": "b" });
            for (name, value) in [(SUSPEND_ANNOTATION, until), (SUSPENDED_BY_ANNOTATION, by)] {
                if let Some(value) = value {
                    annotations[name] = json!(value);
                }
            }
            json!({ "annotations": annotations })
        };
        let (one, two) = (Some("2026-01-31T13:00:00Z"), Some("2026-01-31T14:00:00Z"));
        let table = [
            // Before, as it is sent, the signature after `/mutate`, whether that is taken, and whether it is unsigned.
            (annotated(None, None), annotated(one, None), Some("carol"), true, false),
            (annotated(None, None), annotated(one, Some("dave")), Some("carol"), true, false),
            (annotated(one, Some("dave")), annotated(two, Some("dave")), Some("carol"), true, false),
            (annotated(one, Some("dave")), annotated(None, Some("dave")), None, true, false),
            (annotated(one, Some("dave")), annotated(one, Some("dave")), Some("dave"), true, true),
            (annotated(one, Some("dave")), annotated(one, Some("carol")), Some("carol"), false, false),
            (annotated(one, Some("dave")), annotated(one, None), None, false, false),
            (annotated(None, None), annotated(None, Some("carol")), Some("carol"), false, false),
            (annotated(None, None), annotated(None, None), None, true, true),
        ];
        for (old, new, by, is_taken, is_taken_as_sent) in table {
            for sub_resource in [None, Some("status"), Some("finalize")] {
                let sent = request(Operation::Update, sub_resource, &carol, old.clone(), new.clone());
                assert_eq!(denied(&sent, &Subjects::default()).is_empty(), is_taken_as_sent, "{old} {new}");
                let after = as_signed(sent);
                let found = of(after.object(), ("annotations", SUSPENDED_BY_ANNOTATION));
                assert_eq!(found, by.map(Value::from).as_ref(), "{old} {new}");
                assert_eq!(denied(&after, &Subjects::default()).is_empty(), is_taken, "{old} {new}");
                assert_eq!(as_signed(after.clone()).object(), after.object(), "asked again it is the same");
            }
        }
    }
}
