//! MG211: exemptions are positive rules, used under `not`.

use crate::engine::gate::faults::Found;
use crate::engine::gate::reading::Module;
use crate::engine::gate::terms::{Form, Function, Rule, Statement, StatementForm, Term, Visitor, visit_rule};

/// Looks at a rule that is no exemption itself.
pub(super) fn judge(module: &Module<'_>, rule: &Rule, found: &mut Found) {
    if !rule.names().last().is_some_and(|name| is_exemption(name)) {
        visit_rule(rule, &mut Uses { module, found });
    }
}

struct Uses<'a> {
    module: &'a Module<'a>,
    found: &'a mut Found,
}

impl Visitor for Uses<'_> {
    fn statement(&mut self, statement: &Statement) {
        let StatementForm::Term(term) = &statement.form else { return };
        let name = match &term.form {
            Form::Data(steps) => steps.last().and_then(Term::text),
            Form::Call(call) => match &call.function {
                Function::Rule(path) => path.last().map(String::as_str),
                _ => None,
            },
            _ => None,
        };
        if let Some(name) = name.filter(|name| is_exemption(name)) {
            let message = format!(
                "`{name}` is asked the wrong way round: where it is undefined, nothing should be exempt; write `not {name}…`"
            );
            self.found.add(self.module, "MG211", term.place, message);
        }
    }
}

fn is_exemption(name: &str) -> bool {
    let name = name.trim_start_matches('_');
    ["exempt", "exempted", "is_exempt", "excluded", "is_excluded"].contains(&name)
}
