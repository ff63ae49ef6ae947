//! Bundles of embedded policies, bound as the starter profile binds them.

use meshgate::engine::{self, Bundle};
use meshgate::policy::{Draft, Tree};
use meshgate::source;

fn draft(tree: &Tree) -> Draft {
    Draft::read(tree, &source::catalogue())
}

pub(crate) fn compiled(tree: &Tree) -> Bundle {
    engine::compile(draft(tree)).unwrap_or_else(|faults| panic!("{faults}"))
}

/// The embedded catalogue with only that policy in force, with the starter's parameters; it denies, workloads as well
/// as Pods. What the starter does not bind is bound without parameters.
pub(crate) fn only(policy: &str) -> Bundle {
    let draft = draft(&source::profile("starter").unwrap());
    let id = draft.policies.keys().find(|id| id.as_str() == policy).unwrap();
    engine::compile(draft.only(id).unwrap()).unwrap_or_else(|faults| panic!("{faults}"))
}
