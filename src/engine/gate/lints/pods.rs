//! MG203, MG205: containers that are read around the view, and objects that are skipped while they are deleted.

use std::collections::BTreeSet;

use crate::engine::gate::faults::Found;
use crate::engine::gate::reading::Module;
use crate::engine::gate::references::names;
use crate::engine::gate::terms::{Form, Function, Place, Rule, Term, Visitor, visit_rule};
use crate::kubernetes::containers::LISTS;

const DELETED: &str = "deletionTimestamp";

/// Looks for fields of objects that are read.
pub(super) fn judge(module: &Module<'_>, rule: &Rule, found: &mut Found) {
    let mut fields = Fields::default();
    visit_rule(rule, &mut fields);
    for (name, place) in fields.read {
        if LISTS.contains(&name.as_str()) {
            let message = format!(
                "`{name}` is one of three lists, at another place in each kind; take `containers.of(…)` of `data.lib.containers`, which has all containers"
            );
            found.add(module, "MG203", place, message);
        } else if name == DELETED {
            let message = format!(
                "an object with `{DELETED}` lives on while it has finalizers, and can be changed; judge it like others"
            );
            found.add(module, "MG205", place, message);
        }
    }
}

#[derive(Default)]
struct Fields {
    read: BTreeSet<(String, Place)>,
}

impl Visitor for Fields {
    fn term(&mut self, term: &Term) {
        match &term.form {
            Form::Input(steps)
                if names(steps).first() != Some(&"context") || names(steps).get(1) == Some(&"pod") =>
            {
                self.add_all(steps);
            }
            Form::Into(_, steps) => self.add_all(steps),
            // `object.get(x, ["spec", "containers"], [])`
            Form::Call(call) if call.function == Function::Named("object.get".to_owned()) => {
                let Some(path) = call.arguments.get(1) else { return };
                self.add_all(std::slice::from_ref(path));
                if let Form::Array(steps) = &path.form {
                    self.add_all(steps);
                }
            }
            _ => {}
        }
    }
}

impl Fields {
    fn add_all(&mut self, steps: &[Term]) {
        for step in steps {
            if let Some(text) = step.text() {
                self.read.insert((text.to_owned(), step.place));
            }
        }
    }
}
