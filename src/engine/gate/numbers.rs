//! MG109: a number with more digits than are kept. The interpreter would take the nearest double, which is another number.

use super::faults::Found;
use super::reading::{Module, Reading};
use super::terms::{Form, Term, Visitor, visit_rule};
use crate::engine::builtins;

/// Judges the numbers of all rules.
pub(super) fn judge(reading: &Reading<'_>, found: &mut Found) {
    for rule in &reading.rules {
        let Some(module) = reading.modules.get(rule.module) else { continue };
        visit_rule(rule, &mut Numbers { module, found });
    }
}

struct Numbers<'a> {
    module: &'a Module<'a>,
    found: &'a mut Found,
}

impl Visitor for Numbers<'_> {
    fn term(&mut self, term: &Term) {
        if let Form::Number(text) = &term.form
            && !builtins::keeps(text)
        {
            let message = "a number with more digits than are kept; write 17 at most, or a whole number";
            self.found.add(self.module, "MG109", term.place, message.to_owned());
        }
    }
}
