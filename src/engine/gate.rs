//! What a module may not say: rules on its text, its tokens and its tree, each with its place and its remedy. What
//! passes means in the interpreter what it means in OPA, once it is normalised; what OPA's compiler refuses does not
//! pass. All faults of all modules at once, each with the code of a page (`docs/codes`).

mod calls;
mod conflicts;
mod contract;
mod faults;
mod imports;
mod layout;
mod limits;
mod lints;
mod numbers;
mod reading;
mod recursion;
mod references;
mod replacements;
mod rules;
mod safety;
mod scanner;
mod scopes;
mod terms;
mod types;

use faults::Found;
pub(super) use lints::lint;
use rules::Rules;

use super::entry_points;
use super::program::{Contract, ProgramSettings};
use super::syntax::Parsed;
use crate::policy::{Fault, Faults, Module};

/// Judges a text before it is parsed: sizes, and depths that would cost the parser too much.
pub(super) fn before_parsing(module: &Module, faults: &mut Vec<Fault>) {
    limits::judge(module, faults);
}

/// What the parser stumbled over, as a fault of the gate.
pub(super) fn unparsed(fault: Fault) -> Fault {
    let newer = fault.message.starts_with("unexpected keyword");
    let message = if newer {
        format!(
            "{}: keywords as names came with OPA 1.6, and here they are names after a dot only; rename it",
            fault.message
        )
    } else {
        format!("not Rego: {}; correct the syntax", fault.message)
    };
    Fault { code: Some(if newer { "MG110" } else { "MG100" }), length: 1, message, ..fault }
}

/// What the interpreter itself refused of modules that passed.
pub(super) fn unprepared(faults: &Faults) -> Faults {
    let coded = |fault: &Fault| {
        let message =
            format!("{}: the interpreter can't evaluate this; write it in another way", fault.message);
        Fault { code: Some("MG116"), length: 1, message, ..fault.clone() }
    };
    faults.map(coded)
}

/// Judges all modules of a program together.
pub(super) fn judge(modules: &[Parsed], settings: &ProgramSettings, faults: &mut Vec<Fault>) {
    let mut found = Found::default();
    let reading = reading::read(modules, &mut found);
    let rules = Rules::new(&reading);
    imports::judge(&reading, &mut found);
    numbers::judge(&reading, &mut found);
    layout::judge(&reading, &mut found);
    calls::judge(&reading, &rules, &mut found);
    replacements::judge(&reading, &rules, &mut found);
    let reads = recursion::edges(&reading, &rules);
    let is_ordered = recursion::judge(&reading, &reads, &mut found);
    conflicts::judge(&reading, &rules, &settings.data, &mut found);
    safety::judge(&reading, &rules, &mut found);
    if is_ordered {
        types::judge(&reading, &rules, &reads, &mut found);
    }
    if let Contract::Policies(promises) = &settings.contract {
        // In other programs data may come, or not, from anywhere.
        references::judge(&reading, &rules, &settings.data, &mut found);
        contract::judge(&reading, &rules, promises, &mut found);
        let of_policies =
            modules.iter().filter(|module| promises.iter().any(|promise| promise.path == module.module.path));
        faults.extend(of_policies.flat_map(|module| entry_points::read(module).1));
    }
    faults.extend(found.into_faults());
}
