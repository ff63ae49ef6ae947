//! Bundles of embedded policies, bound as the starter profile binds them.

use meshgate::engine::{self, Bundle};
use meshgate::policy::{Binding, Draft, Tree};
use meshgate::source;
use serde_json::{Value, json};

fn draft(tree: &Tree) -> Draft {
    Draft::read(tree, &source::catalogue())
}

pub(crate) fn compiled(tree: &Tree) -> Bundle {
    engine::compile(draft(tree)).unwrap_or_else(|faults| panic!("{faults}"))
}

/// The starter profile's bindings of a policy.
fn starter(policy: &str) -> Vec<Binding> {
    let bindings = draft(&source::profile("starter").unwrap()).bindings;
    bindings.into_iter().filter(|binding| binding.policy.as_str() == policy).collect()
}

/// The embedded catalogue with only that policy in force, with the starter's parameters; it denies, workloads as well
/// as Pods. What the starter does not bind is bound without parameters.
pub(crate) fn only(policy: &str) -> Bundle {
    let one = |name: &str, parameters: Value| {
        let spec =
            json!({ "policy": policy, "enforcement": "deny", "templates": "deny", "parameters": parameters });
        let kind = json!({ "apiVersion": "meshgate.io/v1alpha1", "kind": "PolicyBinding" });
        let mut binding = kind.as_object().unwrap().clone();
        binding.extend([("metadata".to_owned(), json!({ "name": name })), ("spec".to_owned(), spec)]);
        Value::Object(binding)
    };
    let mut bindings: Vec<Value> =
        starter(policy).into_iter().map(|binding| one(&binding.name, binding.parameters)).collect();
    if bindings.is_empty() {
        bindings.push(one("only", json!({})));
    }
    let mut tree = source::catalogue();
    // JSON is YAML, too.
    let text: Vec<String> = bindings.iter().map(Value::to_string).collect();
    tree.insert("bindings.yaml", text.join("\n---\n"));
    compiled(&tree)
}
