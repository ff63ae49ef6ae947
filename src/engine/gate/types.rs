//! MG117: the two sides of `=` and `==` can be equal. Judged by what is written out: literals, and variables that are
//! assigned one. OPA refuses what never matches; and a condition that never holds is a mistake.

use std::collections::BTreeMap;

use super::faults::Found;
use super::reading::{Module, Reading};
use super::terms::{Form, Function, Place, Statement, StatementForm, Term, VarId, Visitor, visit_rule};

/// Judges all comparisons that are statements.
pub(super) fn judge(reading: &Reading<'_>, found: &mut Found) {
    for rule in &reading.rules {
        let Some(module) = reading.modules.get(rule.module) else { continue };
        let mut assigned = Assigned::default();
        visit_rule(rule, &mut assigned);
        visit_rule(rule, &mut Comparisons { module, found, assigned });
    }
}

/// What is known of a value.
#[derive(Clone, Debug)]
enum Type {
    /// Nothing.
    Any,
    Null,
    Bool,
    Number,
    Text,
    Set,
    Array(Vec<Type>),
    /// By key, where all are strings.
    Object(Option<BTreeMap<String, Type>>),
}

/// The literals that variables are assigned, each once.
#[derive(Default)]
struct Assigned(BTreeMap<VarId, Type>);

impl Visitor for Assigned {
    fn statement(&mut self, statement: &Statement) {
        if let StatementForm::Unify { left: Term { form: Form::Variable(id), .. }, right, assigned: true } =
            &statement.form
        {
            let known = self.of(right);
            self.0.insert(*id, known);
        }
    }
}

impl Assigned {
    fn of(&self, term: &Term) -> Type {
        match &term.form {
            Form::Null => Type::Null,
            Form::Bool => Type::Bool,
            Form::Number => Type::Number,
            Form::Text(_) => Type::Text,
            Form::Set(_) => Type::Set,
            Form::Variable(id) => self.0.get(id).cloned().unwrap_or(Type::Any),
            Form::Array(items) => Type::Array(items.iter().map(|item| self.of(item)).collect()),
            Form::Object(members) => {
                let member = |(key, value): &(Term, Term)| Some((key.text()?.to_owned(), self.of(value)));
                Type::Object(members.iter().map(member).collect())
            }
            Form::Data(_) | Form::Input(_) | Form::Into(..) | Form::Call(_) | Form::Comprehension(_) => {
                Type::Any
            }
        }
    }
}

struct Comparisons<'a> {
    module: &'a Module<'a>,
    found: &'a mut Found,
    assigned: Assigned,
}

impl Visitor for Comparisons<'_> {
    fn statement(&mut self, statement: &Statement) {
        let form = match &statement.form {
            StatementForm::Not(inner) => inner,
            form => form,
        };
        match form {
            StatementForm::Unify { left, right, .. } => self.compare(left, right),
            StatementForm::Term(Term { form: Form::Call(call), .. })
                if call.function == Function::Operator("equal") =>
            {
                if let [left, right] = call.arguments.as_slice() {
                    self.compare(left, right);
                }
            }
            _ => {}
        }
    }
}

impl Comparisons<'_> {
    fn compare(&mut self, left: &Term, right: &Term) {
        let (one, other) = (self.assigned.of(left), self.assigned.of(right));
        if matches(&one, &other) {
            return;
        }
        let (one, other) = (name(&one), name(&other));
        let what = if one == other {
            format!("both sides are {one}, of two forms")
        } else {
            format!("one side is {one} and the other {other}")
        };
        let message = format!("{what}: they are never equal; correct one of them");
        let place = Place {
            start: left.place.start.min(right.place.start),
            end: left.place.end.max(right.place.end),
        };
        self.found.add(self.module, "MG117", place, message);
    }
}

fn matches(one: &Type, other: &Type) -> bool {
    match (one, other) {
        (Type::Any, _)
        | (_, Type::Any)
        | (Type::Null, Type::Null)
        | (Type::Bool, Type::Bool)
        | (Type::Number, Type::Number)
        | (Type::Text, Type::Text)
        | (Type::Set, Type::Set)
        | (Type::Object(None), Type::Object(_))
        | (Type::Object(_), Type::Object(None)) => true,
        (Type::Array(ones), Type::Array(others)) => {
            ones.len() == others.len() && ones.iter().zip(others).all(|(one, other)| matches(one, other))
        }
        (Type::Object(Some(ones)), Type::Object(Some(others))) => {
            ones.len() == others.len()
                && ones.iter().all(|(key, one)| others.get(key).is_some_and(|other| matches(one, other)))
        }
        _ => false,
    }
}

fn name(of: &Type) -> &'static str {
    match of {
        Type::Any => "anything",
        Type::Null => "null",
        Type::Bool => "a boolean",
        Type::Number => "a number",
        Type::Text => "a string",
        Type::Set => "a set",
        Type::Array(_) => "an array",
        Type::Object(_) => "an object",
    }
}
