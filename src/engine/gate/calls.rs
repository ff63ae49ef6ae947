//! MG103, MG104, MG105: every call, reached or not, is of a function that exists and is allowed, with as many
//! arguments as it takes.

use std::collections::BTreeSet;

use super::faults::Found;
use super::reading::{Module, Reading};
use super::references::{is_near, names};
use super::rules::Rules;
use super::terms::{Call, Form, Function, Place, Shape, Statement, StatementForm, Term, Visitor, visit_rule};
use crate::engine::builtins::{self, Arity, Origin};

/// Builtins that OPA 1.0 took out of the language; the dialect before has them.
const REMOVED: [&str; 12] = [
    "all",
    "any",
    "cast_array",
    "cast_boolean",
    "cast_null",
    "cast_object",
    "cast_set",
    "cast_string",
    "net.cidr_overlap",
    "re_match",
    "set_diff",
    "regex.find_all_string_submatch",
];

/// Judges all calls.
pub(super) fn judge(reading: &Reading<'_>, rules: &Rules<'_>, found: &mut Found) {
    for rule in &reading.rules {
        let Some(module) = reading.modules.get(rule.module) else { continue };
        let mut calls =
            Calls { rules, module, found, statements: BTreeSet::new(), replacing: BTreeSet::new() };
        visit_rule(rule, &mut calls);
    }
}

struct Calls<'a> {
    rules: &'a Rules<'a>,
    module: &'a Module<'a>,
    found: &'a mut Found,
    /// The names of calls that are whole statements: they may have one more argument, for the result.
    statements: BTreeSet<Place>,
    /// Values of `with`: they may name a function.
    replacing: BTreeSet<Place>,
}

impl Visitor for Calls<'_> {
    fn statement(&mut self, statement: &Statement) {
        let form = match &statement.form {
            StatementForm::Not(inner) => inner,
            form => form,
        };
        if let StatementForm::Term(Term { form: Form::Call(call), .. }) = form {
            self.statements.insert(call.name);
        }
        for with in &statement.with {
            if let Some(name) = &with.function {
                self.builtin(name, with.value.place);
            }
        }
        self.replacing.extend(statement.with.iter().map(|with| with.value.place));
        self.replacing.extend(statement.with.iter().map(|with| with.target.place));
    }

    fn term(&mut self, term: &Term) {
        match &term.form {
            Form::Call(call) => self.call(call),
            Form::Data(steps) if !self.replacing.contains(&term.place) => self.value(steps, term.place),
            _ => {}
        }
    }
}

impl Calls<'_> {
    fn call(&mut self, call: &Call) {
        let taken = match &call.function {
            Function::Operator(_) => return,
            Function::Variable(name) => {
                let message =
                    format!("`{name}` is no function here; call a rule with arguments, or a builtin");
                return self.found.add(self.module, "MG103", call.name, message);
            }
            Function::Rule(path) => {
                let Some(arity) = self.rules.arity(path) else { return self.no_function(call, path) };
                arity
            }
            Function::Named(name) => match self.builtin(name, call.name) {
                Some(Arity::Exactly(arity)) => usize::from(arity),
                Some(Arity::Any) | None => return,
            },
        };
        let given = call.arguments.len();
        let is_output = given == taken.saturating_add(1) && self.statements.contains(&call.name);
        if given != taken && !is_output {
            let name = self.module.parsed.text(call.name.start..call.name.end);
            let message = format!("`{name}` takes {}, not {given}; correct the call", counted(taken));
            self.found.add(self.module, "MG104", call.name, message);
        }
    }

    fn no_function(&mut self, call: &Call, path: &[String]) {
        let name = self.module.parsed.text(call.name.start..call.name.end);
        let message = if self.rules.at(path).is_empty() {
            format!("there is no function `{name}`; define it, or correct the name")
        } else {
            format!("the rule `{name}` is no function, so it can't be called; read it without arguments")
        };
        self.found.add(self.module, "MG103", call.name, message);
    }

    fn builtin(&mut self, name: &str, place: Place) -> Option<Arity> {
        let Some(builtin) = builtins::find(name) else {
            let near = builtins::names().find(|known| is_near(known, name));
            let remedy = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => "define it as a rule, import it, or use a builtin of OPA".to_owned(),
            };
            self.found.add(self.module, "MG103", place, format!("there is no function `{name}`; {remedy}"));
            return None;
        };
        if self.module.parsed.tree.rego_v1 && REMOVED.contains(&name) {
            let message = format!(
                "`{name}` was removed from Rego with OPA 1.0; write what it does with `every`, `some` or the `is_…` functions"
            );
            self.found.add(self.module, "MG105", place, message);
            return None;
        }
        if let Origin::Refused(reason) = builtin.origin {
            let message = format!("`{name}` is not available: {}", reason.text());
            self.found.add(self.module, "MG105", place, message);
            return None;
        }
        Some(builtin.arity)
    }

    /// A function is no value.
    fn value(&mut self, steps: &[Term], place: Place) {
        let path: Vec<String> = names(steps).into_iter().map(str::to_owned).collect();
        if path.len() == steps.len()
            && let Some(rule) = self.rules.at(&path).first()
            && rule.shape == Shape::Function
            && !rule.arguments.is_empty()
        {
            let name = path.last().map(String::as_str).unwrap_or_default();
            let message = format!(
                "`{name}` is a function, not a value; call it with {}",
                counted(rule.arguments.len())
            );
            self.found.add(self.module, "MG103", place, message);
        }
    }
}

fn counted(count: usize) -> String {
    if count == 1 { "1 argument".to_owned() } else { format!("{count} arguments") }
}
