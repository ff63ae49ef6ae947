//! Why a test is not true: its first statement that does not hold, and what that statement compares.
//!
//! A body holds if all its statements do; so the first that does not is found by asking for the first one, the first
//! two … Each question is a rule in the test's package, which sees what the test sees.

use regorus::Value as Rego;

use super::difference::{Difference, difference};
use super::statements::{Side, Sides, Statement, statements};
use super::{Test, Tests, settings};
use crate::engine::output_json;
use crate::engine::program::Program;
use crate::engine::syntax::{Literal, Parsed, Query, Rule, path};
use crate::policy::Module;

/// What is known of a test that is not true.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// The line of the expression that does not hold, or else of the test.
    pub line: usize,
    /// That expression as written; empty where it is not known.
    pub expression: String,
    /// More about it, a line each.
    pub notes: Vec<String>,
    /// Elements that are expected and missing, as JSON texts.
    pub missing: Vec<String>,
    /// Elements that are there and not expected.
    pub extra: Vec<String>,
}

/// Why `test` has this value.
pub(super) fn explain(tests: &Tests, test: &Test, value: &Rego) -> Failure {
    let found = tests.rule(test).and_then(|(parsed, rule)| {
        let Rule::Spec { bodies, .. } = rule else { return None };
        let [body] = bodies.as_slice() else { return None };
        Questions { tests, parsed }.broken(&[], &body.query)
    });
    found.unwrap_or_else(|| {
        let note = match output_json::text(value) {
            Some(text) => format!("its value is {}; a test passes if it is true", short(&text)),
            None => "it is undefined; a test passes if it is true".to_owned(),
        };
        Failure { line: test.line, notes: vec![note], ..Failure::default() }
    })
}

/// Values are shown to be recognised; what they differ in is listed in full.
pub(super) fn short(text: &str) -> String {
    const LENGTH: usize = 200;
    let mut start: String = text.chars().take(LENGTH).collect();
    if start.len() < text.len() {
        start.push('…');
    }
    start
}

/// Asks what rules of the test's package would be.
pub(super) struct Questions<'a> {
    pub(super) tests: &'a Tests,
    pub(super) parsed: &'a Parsed,
}

impl<'a> Questions<'a> {
    /// The first statement of a body that does not hold after what stands `before` it; None if that is not found out.
    pub(super) fn broken(&self, before: &[String], query: &'a Query) -> Option<Failure> {
        let statements = statements(self.parsed, query);
        let held = self.held(before, &statements);
        if held.first() != Some(&Some(true)) {
            return None;
        }
        let end = held.iter().position(|held| *held == Some(false))?;
        let start = held.iter().take(end).rposition(|held| *held == Some(true))?;
        match statements.get(start..end)? {
            [statement] => {
                let mut before = before.to_vec();
                before.extend(statements.iter().take(start).map(|good| good.text().to_owned()));
                Some(self.about(&before, statement))
            }
            // They can only be asked for together, for one binds what the other reads.
            several => {
                let expression = several.iter().map(Statement::shown).collect::<Vec<_>>().join("\n");
                Some(Failure { line: several.first()?.line(), expression, ..Failure::default() })
            }
        }
    }

    /// Whether the first statements hold, for none, one, two … of them; None where they can't stand alone.
    fn held(&self, before: &[String], statements: &[Statement<'_>]) -> Vec<Option<bool>> {
        let texts: Vec<&str> =
            before.iter().map(String::as_str).chain(statements.iter().map(Statement::text)).collect();
        let bodies: Vec<String> = (before.len()..=texts.len())
            .map(|count| {
                format!(":= true if {{\ntrue\n{}\n}}", texts.get(..count).unwrap_or_default().join("\n"))
            })
            .collect();
        let holds = |value: Rego| value == Rego::Bool(true);
        match self.ask(&bodies) {
            Some(values) => values.into_iter().map(|value| Some(holds(value))).collect(),
            None => {
                bodies.iter().map(|body| self.ask(std::slice::from_ref(body))?.pop().map(holds)).collect()
            }
        }
    }

    fn about(&self, before: &[String], statement: &Statement<'a>) -> Failure {
        if let Literal::Every { .. } = &statement.literal.literal
            && let Some(failure) = self.broken_element(before, statement)
        {
            return failure;
        }
        let mut failure =
            Failure { line: statement.line(), expression: statement.shown(), ..Failure::default() };
        let Some(sides) = statement.sides() else { return failure };
        match &sides.right {
            None => failure.notes.extend(self.value(before, &sides)),
            Some(right) => self.compare(before, &sides, right, &mut failure),
        }
        failure
    }

    /// A line about the value of what is not compared with anything.
    fn value(&self, before: &[String], sides: &Sides<'_>) -> Option<String> {
        let values = self.values(before, &[sides.left], sides.modifiers)?;
        let shown = |values: &Vec<Rego>| Some(short(&output_json::text(values.first()?)?));
        Some(match values.as_slice() {
            [] => format!("`{}` is undefined", sides.left),
            [value] => format!("`{}` is {}", sides.left, shown(value)?),
            [value, ..] => format!("`{}` is {}, among others", sides.left, shown(value)?),
        })
    }

    /// Both sides of a comparison, and where they differ if they should not.
    fn compare(&self, before: &[String], sides: &Sides<'_>, right: &str, failure: &mut Failure) {
        let pairs = self.values(before, &[sides.left, right], sides.modifiers).unwrap_or_default();
        let Some([left_value, right_value]) = pairs.first().map(Vec::as_slice) else {
            let values = |side: &str| self.values(before, &[side], sides.modifiers);
            let undefined = [sides.left, right].into_iter();
            let undefined = undefined.filter(|side| values(side).is_some_and(|values| values.is_empty()));
            failure.notes.extend(undefined.map(|side| format!("`{side}` is undefined")));
            return;
        };
        if pairs.len() > 1 {
            failure.notes.push(format!("true of none of {} combinations; one of them:", pairs.len()));
        }
        let (expected, actual) = match sides.expected {
            Side::Left => (left_value, right_value),
            Side::Right => (right_value, left_value),
        };
        match difference(expected, actual).filter(|_| sides.is_equality) {
            Some(Difference { missing, extra }) if missing.is_empty() && extra.is_empty() => {
                failure.notes.push("the same elements in another order".to_owned());
            }
            Some(Difference { missing, extra }) => (failure.missing, failure.extra) = (missing, extra),
            None => {
                let both = [(sides.left, left_value), (right, right_value)];
                let texts =
                    both.into_iter().filter_map(|(side, value)| Some((side, output_json::text(value)?)));
                // A constant says what it is.
                let unknown = texts.filter(|(side, text)| side != text);
                failure.notes.extend(unknown.map(|(side, text)| format!("`{side}` is {}", short(&text))));
            }
        }
    }

    /// What `terms` can be together, each so modified, after what stands `before` them; None if they can't be asked for.
    pub(super) fn values(
        &self,
        before: &[String],
        terms: &[&str],
        modifiers: &str,
    ) -> Option<Vec<Vec<Rego>>> {
        let names: Vec<String> = (0..terms.len()).map(|index| format!("meshgate_value_{index}")).collect();
        let bound = names.iter().zip(terms).map(|(name, term)| format!("{name} := {term} {modifiers}"));
        let lines: Vec<String> = before.iter().cloned().chain(bound).collect();
        let question = format!("contains [{}] if {{\n{}\n}}", names.join(", "), lines.join("\n"));
        let Rego::Set(found) = self.ask(&[question])?.pop()? else { return None };
        found.iter().map(|tuple| Some(tuple.as_array().ok()?.to_vec())).collect()
    }

    /// The values of rules, each written from after its name; None if they don't load.
    fn ask(&self, rules: &[String]) -> Option<Vec<Rego>> {
        let tree = &self.parsed.tree;
        let mut text = format!("package {}\n", self.parsed.text(self.parsed.range(&tree.package.refr)));
        for import in &tree.imports {
            let alias = import.r#as.as_ref().map(|alias| format!(" as {}", alias.text())).unwrap_or_default();
            text.push_str(&format!("import {}{alias}\n", self.parsed.text(self.parsed.range(&import.refr))));
        }
        let name = |index: usize| format!("meshgate_question_{index}");
        for (index, rule) in rules.iter().enumerate() {
            text.push_str(&format!("{} {rule}\n", name(index)));
        }
        let mut modules = self.tests.modules.clone();
        modules.push(Module { path: "why the test failed".to_owned(), text });
        let program = Program::load(&modules, &settings()).ok()?;
        let package = path(&tree.package.refr)?;
        let package: String =
            package.iter().map(|part| format!("[{}]", serde_json::Value::from(part.as_str()))).collect();
        // What is in error does not hold either.
        let value = |index| {
            program.ask(&format!("data{package}[\"{}\"]", name(index)), None).unwrap_or(Rego::Undefined)
        };
        Some((0..rules.len()).map(value).collect())
    }
}
