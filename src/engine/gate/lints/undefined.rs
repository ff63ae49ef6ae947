//! MG201, MG202: terms that can be undefined, where that goes without a word: in the head of a set, under `not`.

use crate::engine::gate::faults::Found;
use crate::engine::gate::reading::Module;
use crate::engine::gate::references::names;
use crate::engine::gate::rules::Rules;
use crate::engine::gate::terms::{
    Form, Function, Rule, Shape, Statement, StatementForm, Term, Visitor, visit_rule,
};

/// Looks at a rule's heads, and at what stands under `not` in it.
pub(super) fn judge(module: &Module<'_>, rule: &Rule, rules: &Rules<'_>, found: &mut Found) {
    if rule.shape == Shape::Set {
        let values = rule.branches.iter().filter_map(|branch| branch.value.as_ref());
        for term in values.filter_map(|value| unsure(value, rules)) {
            let message = "this can be undefined, and then the element is missing without a word; bind it in the body, with `object.get` where it may be absent";
            found.add(module, "MG201", term.place, message);
        }
    }
    visit_rule(rule, &mut Negations { module, rules, found });
}

struct Negations<'a> {
    module: &'a Module<'a>,
    rules: &'a Rules<'a>,
    found: &'a mut Found,
}

impl Visitor for Negations<'_> {
    fn statement(&mut self, statement: &Statement) {
        let StatementForm::Not(inner) = &statement.form else { return };
        let term = match &**inner {
            // A rule under `not` is what is asked for; so are its arguments, one by one.
            StatementForm::Term(Term { form: Form::Call(call), .. }) => {
                call.arguments.iter().find_map(|argument| unsure(argument, self.rules))
            }
            StatementForm::Term(Term { form: Form::Data(_), .. }) => None,
            form => form.terms().into_iter().find_map(|term| unsure(term, self.rules)),
        };
        if let Some(term) = term {
            let message = "this can be undefined, and then `not` holds, or the rule finds nothing, whatever is said of other values; bind it above, with `object.get` where it may be absent, or make the condition a rule of its own";
            self.found.add(self.module, "MG202", term.place, message);
        }
    }
}

/// The first part of a term that can be undefined.
fn unsure<'t>(term: &'t Term, rules: &Rules<'_>) -> Option<&'t Term> {
    let itself = match &term.form {
        // Parameters have defaults, or bindings must set them; facts are there or in error.
        Form::Input(steps) => !matches!(
            names(steps).as_slice(),
            ["parameters", ..] | ["context", _] | ["request"] | ["request", "operation"]
        ),
        Form::Into(..) => true,
        Form::Data(steps) => {
            let path: Vec<String> = names(steps).into_iter().map(str::to_owned).collect();
            path.len() != steps.len() || !is_always_defined(&rules.at(&path))
        }
        Form::Call(call) => match &call.function {
            Function::Rule(path) => !rules.at(path).iter().any(|rule| rule.is_default || is_plain(rule)),
            Function::Named(_) | Function::Operator(_) | Function::Variable(_) => false,
        },
        _ => false,
    };
    if itself {
        return Some(term);
    }
    term.parts().into_iter().find_map(|part| unsure(part, rules))
}

/// Whether one of the definitions gives a value in any case: a set, a default, one without a body.
fn is_always_defined(definitions: &[&Rule]) -> bool {
    definitions.iter().any(|rule| rule.shape == Shape::Set || rule.is_default || is_plain(rule))
}

/// Without a body, and every argument a variable.
fn is_plain(rule: &Rule) -> bool {
    rule.branches.iter().all(|branch| branch.body.is_empty())
        && rule.arguments.iter().all(|argument| matches!(argument.form, Form::Variable(_)))
}
