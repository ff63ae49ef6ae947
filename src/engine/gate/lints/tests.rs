//! MG206: tests that look at a part of what an entry point gives.

use std::collections::BTreeSet;

use crate::engine::gate::faults::Found;
use crate::engine::gate::reading::Module;
use crate::engine::gate::terms::{
    Body, Form, Function, Place, Rule, Statement, StatementForm, Term, VarId, Visitor, visit_body, visit_rule,
};

/// Looks at a rule of a test module.
pub(super) fn judge(module: &Module<'_>, rule: &Rule, found: &mut Found) {
    let mut sets = Sets::default();
    visit_rule(rule, &mut sets);
    let mut parts = Parts { sets: sets.0, found: BTreeSet::new() };
    visit_rule(rule, &mut parts);
    for branch in &rule.branches {
        statements(&branch.body, &mut parts);
    }
    for place in parts.found {
        let message =
            "the test looks at a part of the violations; compare the whole set: `policy.deny == {…}`";
        found.add(module, "MG206", place, message);
    }
}

/// The variables that hold a whole set.
#[derive(Default)]
struct Sets(BTreeSet<VarId>);

impl Visitor for Sets {
    fn statement(&mut self, statement: &Statement) {
        if let StatementForm::Unify { left: Term { form: Form::Variable(id), .. }, right, .. } =
            &statement.form
            && is_entry_point(right)
        {
            self.0.insert(*id);
        }
    }
}

struct Parts {
    sets: BTreeSet<VarId>,
    found: BTreeSet<Place>,
}

impl Visitor for Parts {
    fn term(&mut self, term: &Term) {
        let partial = match &term.form {
            Form::Data(steps) => {
                let whole = steps.get(..steps.len().saturating_sub(1)).unwrap_or_default();
                is_judging(whole)
            }
            Form::Into(head, _) => self.is_set(head),
            Form::Call(call) => {
                let counts = call.function == Function::Named("count".to_owned());
                let searches =
                    matches!(call.function, Function::Operator("internal.member_2" | "internal.member_3"));
                (counts || searches) && call.arguments.last().is_some_and(|argument| self.is_set(argument))
            }
            _ => false,
        };
        if partial {
            self.found.insert(term.place);
        }
    }

    fn statement(&mut self, statement: &Statement) {
        if let StatementForm::SomeIn { collection, .. } = &statement.form
            && self.is_set(collection)
        {
            self.found.insert(collection.place);
        }
    }
}

impl Parts {
    fn is_set(&self, term: &Term) -> bool {
        is_entry_point(term) || matches!(term.form, Form::Variable(id) if self.sets.contains(&id))
    }
}

/// `policy.deny`, and `not policy.deny`, as a whole statement: a set is never false.
fn statements(body: &Body, parts: &mut Parts) {
    struct Bare<'a>(&'a mut Parts);
    impl Visitor for Bare<'_> {
        fn statement(&mut self, statement: &Statement) {
            let form = match &statement.form {
                StatementForm::Not(inner) => inner,
                form => form,
            };
            if let StatementForm::Term(term) = form
                && self.0.is_set(term)
            {
                self.0.found.insert(term.place);
            }
        }
    }
    visit_body(body, &mut Bare(parts));
}

fn is_entry_point(term: &Term) -> bool {
    matches!(&term.form, Form::Data(steps) if is_judging(steps))
}

/// `data.policies.<category>.<policy>.deny`
fn is_judging(steps: &[Term]) -> bool {
    let names: Vec<&str> = steps.iter().filter_map(Term::text).collect();
    steps.len() == 4 && matches!(names.as_slice(), ["policies", _, _, "deny" | "warn" | "audit"])
}
