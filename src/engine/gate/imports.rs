//! MG114: names of imports, and the two that belong to the language.

use std::collections::BTreeMap;

use super::faults::Found;
use super::reading::Reading;

/// Judges the names of imports. Before OPA 1.0 a later import of a name hid an earlier one; since then none may.
pub(super) fn judge(reading: &Reading<'_>, found: &mut Found) {
    for module in reading.modules.iter().filter(|module| module.parsed.tree.rego_v1) {
        let mut seen = BTreeMap::new();
        for import in &module.imports {
            if let Some(other) = seen.insert(&import.name, import.path.join(".")) {
                let message = format!(
                    "`{}` is imported already, from `{other}`; give one of them another name with `as`",
                    import.name
                );
                found.add(module, "MG114", import.place, message);
            }
        }
    }
}
