//! MG2xx: what loads and is likely to be a mistake all the same; the rules for our own policies (contracts, R12).
//! A policy that is meant that way is still in force; `meshgate lint` says so and exits with 1.

mod exemptions;
mod files;
mod formats;
mod matching;
mod pods;
mod tests;
mod undefined;
mod unused;

use super::faults::Found;
use super::reading::{self, Module};
use super::rules::Rules;
use crate::engine::syntax::Parsed;
use crate::policy::{Draft, Fault, Tree};

/// Finds what may be a mistake in modules that passed the gate.
pub(in crate::engine) fn lint(modules: &[Parsed], draft: &Draft, tree: &Tree, lints: &mut Vec<Fault>) {
    // What declarations lack was said already.
    let reading = reading::read(modules, &mut Found::default());
    let rules = Rules::new(&reading);
    let mut found = Found::default();
    for rule in &reading.rules {
        let Some(module) = reading.modules.get(rule.module) else { continue };
        unused::variables(module, rule, &mut found);
        formats::judge(module, rule, &mut found);
        if is_test(module) {
            tests::judge(module, rule, &mut found);
        } else {
            undefined::judge(module, rule, &rules, &mut found);
            exemptions::judge(module, rule, &mut found);
            pods::judge(module, rule, &mut found);
        }
    }
    for module in &reading.modules {
        unused::imports(module, &mut found);
    }
    for policy in draft.policies.values() {
        let module = reading.modules.iter().find(|module| module.parsed.module.path == policy.module.path);
        if let Some(module) = module {
            matching::judge(policy, module, &reading, &mut found);
        }
    }
    files::judge(draft, tree, lints);
    lints.extend(found.into_faults());
}

/// Whether a module holds tests.
fn is_test(module: &Module<'_>) -> bool {
    module.parsed.module.path.ends_with("_test.rego")
}
