//! MG115, and MG105 again: what `with` replaces can be replaced.

use super::faults::Found;
use super::reading::{Module, Reading};
use super::references::names;
use super::rules::Rules;
use super::terms::{Form, Statement, Visitor, With, visit_rule};
use crate::engine::builtins::{self, Arity, Origin};

/// Builtins that OPA does not let anyone replace.
const FIXED: [&str; 5] = ["eq", "print", "rego.metadata.chain", "rego.metadata.rule", "walk"];

/// Judges all targets of `with`.
pub(super) fn judge(reading: &Reading<'_>, rules: &Rules<'_>, found: &mut Found) {
    for rule in &reading.rules {
        let Some(module) = reading.modules.get(rule.module) else { continue };
        visit_rule(rule, &mut Replacements { rules, module, found });
    }
}

struct Replacements<'a> {
    rules: &'a Rules<'a>,
    module: &'a Module<'a>,
    found: &'a mut Found,
}

impl Visitor for Replacements<'_> {
    fn statement(&mut self, statement: &Statement) {
        statement.with.iter().for_each(|with| self.replacement(with));
    }
}

/// Whether a builtin can be named after `as`: the normaliser makes a function of it.
fn stands_in(name: &str) -> bool {
    let builtin = builtins::find(name);
    builtin.is_some_and(|builtin| {
        !matches!(builtin.origin, Origin::Refused(_)) && matches!(builtin.arity, Arity::Exactly(1..))
    })
}

impl Replacements<'_> {
    fn replacement(&mut self, with: &With) {
        if let Some(name) = with.function.as_ref().filter(|name| !stands_in(name)) {
            let message = format!(
                "the builtin `{name}` can't stand in for a function; write a rule that gives what is wanted, and name that"
            );
            self.found.add(self.module, "MG115", with.value.place, message);
        }
        let (place, text) = (with.target.place, with.text.as_str());
        if let (Some(old), Some(new)) = (self.taken(with), self.arity(&with.value.form))
            && old != new
        {
            let message = format!(
                "`{text}` takes {old} arguments, and what stands in for it {new}; write one that takes {old}"
            );
            self.found.add(self.module, "MG115", with.value.place, message);
        }
        let (code, message) = match &with.target.form {
            Form::Input(_) => return,
            Form::Data(steps) => {
                let path: Vec<String> = names(steps).into_iter().map(str::to_owned).collect();
                let shorter = path.split_last().map(|(_, shorter)| shorter).unwrap_or_default();
                let mut above = (1..=shorter.len()).filter_map(|length| shorter.get(..length));
                let Some(rule) = above.find(|path| !self.rules.at(path).is_empty()) else { return };
                let rule = rule.join(".");
                (
                    "MG115",
                    format!(
                        "`{text}` is a part of what the rule `data.{rule}` gives, and only a whole rule can be replaced; replace `data.{rule}`"
                    ),
                )
            }
            Form::Null => match builtins::find(text) {
                None => (
                    "MG115",
                    format!("there is no function `{text}`; replace `input`, `data.…`, or a function"),
                ),
                Some(builtin) => match builtin.origin {
                    Origin::Refused(reason) => (
                        "MG105",
                        format!("`{text}` is not available, also not to be replaced: {}", reason.text()),
                    ),
                    _ if FIXED.contains(&text) => {
                        ("MG115", format!("`{text}` can't be replaced; replace what calls it"))
                    }
                    _ => return,
                },
            },
            _ => ("MG115", format!("`{text}` is a variable; replace `input`, `data.…`, or a function")),
        };
        self.found.add(self.module, code, place, message);
    }

    /// How many arguments the replaced function takes.
    fn taken(&self, with: &With) -> Option<usize> {
        match &with.target.form {
            Form::Null => match builtins::find(&with.text)?.arity {
                Arity::Exactly(arity) => Some(usize::from(arity)),
                Arity::Any => None,
            },
            form => self.arity(form),
        }
    }

    /// How many arguments a rule takes that is a function.
    fn arity(&self, form: &Form) -> Option<usize> {
        let Form::Data(steps) = form else { return None };
        let path: Vec<String> = names(steps).into_iter().map(str::to_owned).collect();
        self.rules.arity(&path).filter(|_| path.len() == steps.len())
    }
}
