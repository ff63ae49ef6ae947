//! MG209, MG210: imports and variables that nothing reads, as `opa check --strict` has it.

use crate::engine::gate::faults::Found;
use crate::engine::gate::reading::Module;
use crate::engine::gate::terms::{Origin, Rule};

/// Looks at a rule's variables: each is read once where it is declared.
pub(super) fn variables(module: &Module<'_>, rule: &Rule, found: &mut Found) {
    for variable in rule.variables.iter().filter(|variable| variable.uses <= 1 && variable.name != "_") {
        let name = &variable.name;
        let message = match variable.origin {
            Origin::Assigned => format!("`{name}` is assigned and never read; remove it, or name it `_`"),
            Origin::Argument if !rule.is_default => {
                format!("the argument `{name}` is never read; name it `_`")
            }
            _ => continue,
        };
        found.add(module, "MG210", variable.place, message);
    }
}

/// Looks at a module's imports.
pub(super) fn imports(module: &Module<'_>, found: &mut Found) {
    let parsed = module.parsed;
    let is_import = |offset: usize| {
        parsed.tree.imports.iter().any(|import| {
            let (start, end) = (usize::try_from(import.span.start), usize::try_from(import.span.end));
            start.is_ok_and(|start| start <= offset) && end.is_ok_and(|end| offset < end)
        })
    };
    for import in &module.imports {
        let used = parsed.tokens.iter().any(|token| {
            let before =
                parsed.tokens.before(token.range.start).map(|before| parsed.text(before.range.clone()));
            !token.is_text()
                && parsed.text(token.range.clone()) == import.name
                && before != Some(".")
                && !is_import(token.range.start)
        });
        if !used {
            let message = format!("`{}` is imported and never used; remove the import", import.name);
            found.add(module, "MG209", import.place, message);
        }
    }
}
