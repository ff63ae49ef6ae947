//! MG108: what the interpreter's parser reads in another way than OPA's, by where it stands.

use super::faults::Found;
use super::reading::{Module, Reading, place};
use super::terms::Place;
use crate::engine::syntax::{Descend, Expr, Ref, Rule, Scopes, Visit, head_reference, walk_module};

/// Judges calls that go on on another line.
pub(super) fn judge(reading: &Reading<'_>, found: &mut Found) {
    for module in &reading.modules {
        walk_module(&module.parsed.tree, &mut Layout { module, found });
    }
}

struct Layout<'a> {
    module: &'a Module<'a>,
    found: &'a mut Found,
}

impl Visit for Layout<'_> {
    fn rule(&mut self, rule: &Rule, _: &Scopes) -> Descend {
        self.bracket(head_reference(rule));
        Descend::Into
    }

    fn expression(&mut self, expr: &Ref<Expr>, _: &Scopes) -> Descend {
        if let Expr::Call { fcn, .. } = &**expr {
            self.bracket(fcn);
        }
        Descend::Into
    }
}

impl Layout<'_> {
    /// The bracket after a function's name, if it is one, stands on the same line.
    fn bracket(&mut self, name: &Expr) {
        let parsed = self.module.parsed;
        let end = place(parsed, name).end;
        let Some(token) = end.checked_sub(1).and_then(|last| parsed.tokens.after(last)) else { return };
        let range = token.range.clone();
        if parsed.text(range.clone()) == "(" && parsed.text(end..range.start).contains('\n') {
            let message = "a line break before `(` makes two statements of a call; write the bracket behind the function's name";
            self.found.add(self.module, "MG108", Place { start: range.start, end: range.end }, message);
        }
    }
}
