//! MG204: what is matched when it is created and not when it is changed.

use crate::engine::entry_points;
use crate::engine::gate::faults::Found;
use crate::engine::gate::reading::{Module, Reading};
use crate::engine::gate::terms::{Form, Function, Place, Term, Visitor, visit_rule};
use crate::policy::{Policy, RuleOperation};

/// What can't change once it is made, but for subresources.
const IMMUTABLE: [&str; 2] = ["jobs", "pods"];

/// Looks at `match` in METADATA, and at conditions on the operation.
pub(super) fn judge(policy: &Policy, module: &Module<'_>, reading: &Reading<'_>, found: &mut Found) {
    let judges = !entry_points::read(module.parsed).0.judging().is_empty();
    for rule in &policy.metadata.matches.rules {
        let has = |wanted: RuleOperation| {
            rule.operations.iter().any(|one| *one == wanted || *one == RuleOperation::All)
        };
        let is_immutable = rule.resources.iter().all(|resource| IMMUTABLE.contains(&resource.as_str()));
        // A judgement of Pods is also about those that get another container by a subresource.
        let may = is_immutable && (!judges || !rule.resources.iter().any(|resource| resource == "pods"));
        if has(RuleOperation::Create) && !has(RuleOperation::Update) && !may {
            let message = format!(
                "`match` takes {} when they are created and not when they are updated; add UPDATE to `operations`",
                rule.resources.join(", ")
            );
            found.add(module, "MG204", package(module), message);
        }
    }
    let mut operations = Operations::default();
    let own = reading
        .rules
        .iter()
        .filter(|rule| reading.modules.get(rule.module).is_some_and(|other| std::ptr::eq(other, module)));
    own.for_each(|rule| visit_rule(rule, &mut operations));
    if let (Some(place), false) = (operations.create, operations.update) {
        let message = "the condition holds when an object is created and not when it is updated; compare with \"UPDATE\" too, or leave it out";
        found.add(module, "MG204", place, message);
    }
}

fn package(module: &Module<'_>) -> Place {
    let range = module.parsed.range(&module.parsed.tree.package.refr);
    Place { start: range.start, end: range.end }
}

/// With what the request's operation is compared.
#[derive(Default)]
struct Operations {
    create: Option<Place>,
    update: bool,
}

impl Visitor for Operations {
    fn term(&mut self, term: &Term) {
        if let Form::Call(call) = &term.form
            && matches!(call.function, Function::Operator(_))
            && call.arguments.iter().any(is_operation)
        {
            for text in
                call.arguments.iter().flat_map(|argument| argument.parts().into_iter().chain([argument]))
            {
                match text.text() {
                    Some("CREATE") if self.create.is_none() => self.create = Some(text.place),
                    Some("UPDATE") => self.update = true,
                    _ => {}
                }
            }
        }
    }
}

fn is_operation(term: &Term) -> bool {
    matches!(&term.form, Form::Input(steps) if steps.iter().filter_map(Term::text).eq(["request", "operation"]))
}
