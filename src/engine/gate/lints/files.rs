//! MG207, MG208: what should lie beside a policy.

use crate::policy::{Draft, Fault, Tree};

/// Looks at the files beside the policies of the tree.
pub(super) fn judge(draft: &Draft, tree: &Tree, lints: &mut Vec<Fault>) {
    for policy in draft.policies.values().filter(|policy| tree.contains(&policy.module.path)) {
        let path = &policy.module.path;
        let folder = path.rsplit_once('/').map(|(folder, _)| folder).unwrap_or_default();
        let examples = format!("{folder}/examples");
        let has = |begins: &[&str]| {
            let mut names = tree.below(&examples).filter_map(|(path, _)| path.rsplit('/').next());
            names.any(|name| begins.iter().any(|begin| name.starts_with(begin)))
        };
        let mut add = |code: &'static str, message: String| {
            lints.push(Fault { code: Some(code), ..Fault::of_file(path, message) });
        };
        for begins in [&["allowed-"][..], &["denied-", "warned-", "mutated-"]] {
            if !has(begins) {
                let names: Vec<String> = begins.iter().map(|begin| format!("{begin}<why>.yaml")).collect();
                add("MG207", format!("no example of that kind; add `{examples}/{}`", names.join("`, or `")));
            }
        }
        let test = path.replace(".rego", "_test.rego");
        if !tree.contains(&test) {
            add("MG208", format!("no tests; add `{test}`"));
        }
    }
}
