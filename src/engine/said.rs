//! Which rule of a policy says what. An evaluation gives what all rules of an entry point make together; here each is
//! asked alone. For explanations: nothing is decided by it.

use std::ops::Range;
use std::sync::Arc;

use regorus::Value as Rego;
use serde_json::Value;

use super::bundle::{Bound, Bundle};
use super::evaluate::EvaluationError;
use super::input::Input;
use super::libraries;
use super::output_json;
use super::packages;
use super::program::{Program, ProgramSettings};
use super::syntax::{Expr, Parsed, RegoVersion, Rule, head_reference, place};
use crate::policy::{Faults, Module};

/// What one rule of an entry point says of an input.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// `deny`, `patch` …
    pub entry_point: String,
    /// The line of the policy's file in which the rule begins.
    pub line: usize,
    /// The last line of the rule that was reached, as far as that is known.
    pub reached: Option<usize>,
    /// The elements of a set, or the value; null where it says nothing. Or why there is no answer.
    pub value: Result<Value, EvaluationError>,
}

/// A policy with each rule of its entry points once more, under a name of its own.
pub(super) struct Apart {
    program: Program,
    copies: Vec<Copy>,
}

/// A rule that stands a second time at the end of the file.
struct Copy {
    entry_point: String,
    name: String,
    line: usize,
    /// The first line of the copy.
    begins: usize,
    text: String,
}

impl Bundle {
    /// What each rule of a binding's entry points says of `input`, in the order of the file.
    ///
    /// # Errors
    /// A fact that the policy declares is not known, or its rules can't be asked one by one, which says nothing of the
    /// policy.
    pub fn said(&self, bound: &Bound, input: &Input) -> Result<Vec<Said>, EvaluationError> {
        if let Some(error) = input.lacks(bound) {
            return Err(error);
        }
        let unusable =
            |faults: Faults| EvaluationError::Policy(format!("its rules can't be asked alone: {faults}"));
        let apart = match bound.apart.get() {
            Some(apart) => apart,
            None => {
                let libraries = libraries::needed(&self.libraries, [&bound.reads].into_iter());
                let made = Apart::new(&bound.package, &bound.entry_points.all(), libraries);
                let made = Arc::new(made.map_err(unusable)?);
                bound.apart.get_or_init(|| made)
            }
        };
        let input = input.of(&self.parameters, &[bound.number], &input.only(bound));
        Ok(apart.copies.iter().map(|copy| apart.ask(bound, copy, input.clone())).collect())
    }
}

impl Apart {
    fn new(package: &Module, entry_points: &[&str], libraries: Vec<Module>) -> Result<Self, Faults> {
        let parsed = Parsed::parse(package.clone(), RegoVersion::V1)?;
        let mut text = format!("{}\n", package.text);
        let mut copies = copies(&parsed, entry_points);
        for copy in &mut copies {
            copy.begins = text.matches('\n').count().saturating_add(1);
            text.push_str(&copy.text);
            text.push('\n');
        }
        let mut modules = libraries;
        modules.push(Module { path: package.path.clone(), text });
        let settings = ProgramSettings { strict_builtin_errors: true, ..ProgramSettings::default() };
        Ok(Self { program: Program::load(&modules, &settings)?, copies })
    }

    fn ask(&self, bound: &Bound, copy: &Copy, input: Rego) -> Said {
        let query = format!("data.{}.{}", packages::name(bound.number), copy.name);
        let (answer, report) = self.program.ask_covering(&query, input);
        let value = answer.and_then(|value| output_json::value(&value)).map(Option::unwrap_or_default);
        // The lines of the copy, counted from its first.
        let end = copy.begins.saturating_add(copy.text.matches('\n').count());
        let covered = report.files.iter().filter(|file| file.path == bound.package.path);
        let lines = covered.flat_map(|file| &file.covered).filter_map(|line| usize::try_from(*line).ok());
        let last = lines.filter(|line| (copy.begins..=end).contains(line)).max();
        let reached = last.map(|line| copy.line.saturating_add(line.saturating_sub(copy.begins)));
        Said { entry_point: copy.entry_point.clone(), line: copy.line, reached, value }
    }
}

/// A rule of an entry point, where it is written.
pub(super) struct RuleAt {
    /// Its place among all rules.
    index: usize,
    /// The bytes of the entry point's name.
    name: Range<usize>,
    /// All of its bytes, up to the next rule.
    pub(super) range: Range<usize>,
    /// The line in which it begins.
    pub(super) line: usize,
}

/// The rules of those entry points, in their order.
pub(super) fn rules(parsed: &Parsed, entry_points: &[&str]) -> Vec<RuleAt> {
    let text = parsed.module.text.as_str();
    let starts: Vec<usize> = parsed.tree.policy.iter().map(|rule| start(parsed, rule)).collect();
    let mut rules = Vec::new();
    for (index, rule) in parsed.tree.policy.iter().enumerate() {
        let (Rule::Spec { .. }, Some(root)) = (&**rule, root(head_reference(rule))) else { continue };
        let name = parsed.range(root);
        if !entry_points.contains(&parsed.text(name.clone())) {
            continue;
        }
        let begin = starts.get(index).copied().unwrap_or(name.start);
        let end = starts.get(index.saturating_add(1)).copied().unwrap_or(text.len());
        rules.push(RuleAt { index, name, range: begin..end, line: place(text, begin).0 });
    }
    rules
}

/// The rules of those entry points, each with another name in its head.
fn copies(parsed: &Parsed, entry_points: &[&str]) -> Vec<Copy> {
    let copy = |rule: RuleAt| {
        let RuleAt { index, name, range, line } = rule;
        let new = format!("meshgate_said_{index}");
        let (before, behind) =
            (parsed.text(range.start..name.start), parsed.text(name.end..range.end).trim_end());
        Copy {
            entry_point: parsed.text(name).to_owned(),
            text: format!("{before}{new}{behind}"),
            name: new,
            line,
            begins: 0,
        }
    };
    rules(parsed, entry_points).into_iter().map(copy).collect()
}

/// Where a rule begins: with its name, or with `default`.
fn start(parsed: &Parsed, rule: &Rule) -> usize {
    let name = parsed.range(head_reference(rule)).start;
    let before = parsed.tokens.before(name).filter(|_| matches!(rule, Rule::Default { .. }));
    before.map_or(name, |token| token.range.start)
}

/// The first name of a reference: `annotations` of `annotations["a"]`.
fn root(mut reference: &Expr) -> Option<&Expr> {
    loop {
        match reference {
            Expr::Var { .. } => return Some(reference),
            Expr::RefDot { refr, .. } | Expr::RefBrack { refr, .. } => reference = refr,
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_of_an_entry_point_is_copied_with_its_line() {
        let text = "package policies.a.b\n\ndeny contains \"one\" if input.a\n\n# why\ndefault patch := []\n\npatch := [1] if {\n\tinput.b\n} else := [2]\n\nannotations[\"k\"] := \"v\"\n\nhelper if true\n";
        let parsed =
            Parsed::parse(Module { path: "a.rego".to_owned(), text: text.to_owned() }, RegoVersion::V1)
                .unwrap();
        let found: Vec<(String, usize, String)> = copies(&parsed, &["deny", "patch", "annotations"])
            .into_iter()
            .map(|copy| (copy.entry_point, copy.line, copy.text))
            .collect();
        let row = |name: &str, line, text: &str| (name.to_owned(), line, text.to_owned());
        assert_eq!(
            found,
            [
                row("deny", 3, "meshgate_said_0 contains \"one\" if input.a\n\n# why"),
                row("patch", 8, "meshgate_said_2 := [1] if {\n\tinput.b\n} else := [2]"),
                row("annotations", 12, "meshgate_said_3[\"k\"] := \"v\""),
            ]
        );
    }
}
