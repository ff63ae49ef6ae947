//! A Pod and the template of every kind that makes Pods get the same findings (R54); what they do there is the binding's
//! `templates`.

use meshgate::admission::Operation;
use meshgate::engine::Bundle;
use meshgate::policy::Tree;
use meshgate::review::{Action, Finding};

use crate::bound;
use crate::every_list::{KINDS, PLACES, POD, POLICY, ROLLOUT, findings, request};

/// The Bundle that says where a Rollout keeps its Pod.
const BUNDLE: &str = "apiVersion: meshgate.io/v1alpha1\nkind: Bundle\nmetadata: {name: b}\n\
    spec: {includes: [pod_security], podTemplates: [{group: argoproj.io, kind: Rollout, resource: rollouts, path: spec.template}]}\n";

/// The policy, which names Kubernetes' own kinds, in force with these words.
fn bundle(enforcement: &str, templates: &str) -> Bundle {
    bound_with(&format!("enforcement: {enforcement}, templates: \"{templates}\""))
}

/// The same, bound with these members.
fn bound_with(members: &str) -> Bundle {
    let mut tree = Tree::default();
    tree.insert("bundle.yaml", BUNDLE);
    let binding = format!(
        "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {{name: a}}\nspec: {{policy: {POLICY}, \
         {members}}}\n"
    );
    tree.insert("bindings.yaml", binding);
    bound::compiled(&tree)
}

/// A finding without where the kind keeps its Pod and without what it does.
fn said(finding: &Finding, spec_path: &str) -> (String, Option<String>, Option<String>, Option<String>) {
    let field = finding.field.as_deref().and_then(|field| field.strip_prefix(spec_path)).map(str::to_owned);
    (finding.message.clone(), field, finding.container.clone(), finding.remedy.clone())
}

#[test]
fn a_template_gets_the_findings_of_its_pod_and_the_binding_says_what_they_do() {
    let (deny, warn, audit) = (Some(Action::Deny), Some(Action::Warn), Some(Action::Audit));
    // Enforcement, templates, what a violation does on a Pod and on a template.
    let table = [
        ("deny", "warn", deny, warn),
        ("deny", "deny", deny, deny),
        ("deny", "off", deny, None),
        ("warn", "warn", warn, warn),
        ("warn", "deny", warn, warn),
        ("warn", "off", warn, None),
        ("audit", "warn", audit, audit),
        ("audit", "off", audit, None),
    ];
    let mut run = 0_usize;
    for (enforcement, templates, on_pods, on_templates) in table {
        let bundle = bundle(enforcement, templates);
        for operation in [Operation::Create, Operation::Update] {
            for place in PLACES {
                let on_pod = findings(&bundle, &request(POD, None, operation, place));
                for kind in KINDS.into_iter().chain([ROLLOUT]) {
                    let (.., name, _, spec_path) = kind;
                    let found = findings(&bundle, &request(kind, None, operation, place));
                    let expected = if kind == POD { on_pods } else { on_templates };
                    let what = format!("{enforcement} {templates} {operation} {name} {place:?}");
                    assert_eq!(found.first().map(|one| one.action), expected, "{what}: {found:?}");
                    assert_eq!(found.len(), usize::from(expected.is_some()), "{what}: {found:?}");
                    if expected.is_some() {
                        assert_eq!(said(&found[0], spec_path), said(&on_pod[0], "spec"), "{what}");
                    }
                    run = run.saturating_add(1);
                }
            }
        }
    }
    println!("templates: {run} requests, each with the Pod's finding and what its binding says");
    assert_eq!(run, 8 * 2 * 4 * 10);
}

/// What is no Pod template is no "no Pod": who asks for containers has no answer, and denies.
#[test]
fn a_path_that_leads_to_nothing_is_an_error_of_the_policy() {
    let bundle = bundle("deny", "warn");
    for operation in [Operation::Create, Operation::Update] {
        for (pointer, why) in [
            ("/spec", "spec is missing"),
            ("/spec/template", "spec.template is missing"),
            ("/spec/template/spec", "spec.template.spec is missing"),
        ] {
            let whole = request(ROLLOUT, None, operation, PLACES[2]);
            let mut object = whole.object().unwrap().clone();
            *object.pointer_mut(pointer).unwrap() = serde_json::Value::Null;
            let found = findings(&bundle, &whole.with_object(object));
            let expected = format!(
                "the fact `containers` is missing: {why}, and podTemplates of the Bundle has the Pod template of a Rollout at spec.template"
            );
            let found: Vec<_> =
                found.iter().map(|one| (one.action, one.is_error, one.message.as_str())).collect();
            assert_eq!(found, [(Action::Deny, true, expected.as_str())], "{operation} {pointer}");
        }
    }
}

/// Which labels the controller of a Rollout adds to its Pods nobody says: a policy that selects by labels may never see
/// them, so its denial stands.
#[test]
fn a_denial_is_not_left_to_pods_that_labels_may_hide() {
    let selector = "match: {objectSelector: {matchExpressions: [{key: added, operator: DoesNotExist}]}}";
    let bundle = bound_with(&format!("enforcement: deny, {selector}"));
    for (kind, expected) in [(KINDS[4], Action::Warn), (ROLLOUT, Action::Deny)] {
        let found = findings(&bundle, &request(kind, None, Operation::Create, PLACES[2]));
        let actions: Vec<Action> = found.iter().map(|one| one.action).collect();
        assert_eq!(actions, [expected], "{kind:?}");
    }
}
