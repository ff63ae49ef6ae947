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
            // What only has a say in injections shows nothing where there is no mesh.
            let is_needed = begins.len() == 1 || !only_injects(&policy.module.text);
            if is_needed && !has(begins) {
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

/// Whether a policy has the rule `inject`, and none that refuses or changes anything by itself.
fn only_injects(text: &str) -> bool {
    let has = |rule: &str| {
        let mut heads = text.lines().filter_map(|line| line.strip_prefix(rule));
        heads.any(|rest| rest.starts_with([' ', ':']))
    };
    has("inject") && !["deny", "warn", "audit", "patch", "annotations"].into_iter().any(has)
}
