//! A Pod and the template of every kind that makes Pods get the same findings (R54); what they do there is the binding's
//! `templates`.

use meshgate::admission::Operation;
use meshgate::engine::Bundle;
use meshgate::policy::Tree;
use meshgate::review::{Action, Finding};

use crate::bound;
use crate::every_list::{KINDS, PLACES, POD, POLICY, findings, request};

/// The policy in force with these words.
fn bundle(enforcement: &str, templates: &str) -> Bundle {
    let mut tree = Tree::default();
    for (path, content) in crate::policies().iter() {
        let is_wanted = ["lib/", POLICY].iter().any(|start| path.starts_with(start));
        if is_wanted && !path.ends_with(".yaml") {
            tree.insert(path, content);
        }
    }
    let binding = format!(
        "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {{name: a}}\nspec: {{policy: {POLICY}, \
         enforcement: {enforcement}, templates: \"{templates}\"}}\n"
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
                for kind in KINDS {
                    let (_, _, name, _, spec_path) = kind;
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
    assert_eq!(run, 8 * 2 * 4 * 9);
}
