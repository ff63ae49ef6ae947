//! Bindings that are asked together: one program, and one rule that asks all of them. What they share is computed once;
//! what one of them does wrong is found by asking each alone.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use regorus::Value as Rego;
use serde_json::Value;

use super::allowance::Allowance;
use super::entry_points::EntryPoints;
use super::evaluate::EvaluationError;
use super::packages;
use super::program::{Program, ProgramSettings};
use crate::policy::{Faults, Module};

/// How many bindings one program has: with more, an evaluation's cost grows faster than their number.
pub(super) const SIZE: usize = 16;

/// Bindings, by their numbers.
pub(super) struct Chunk {
    pub(super) bindings: Vec<usize>,
    program: Program,
}

/// What is asked of bindings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Question {
    /// The entry points that find something.
    Judge,
    /// The patch.
    Patch,
    /// What it says of an injection.
    Inject,
}

/// What a binding answered: its entry points by name.
pub(super) type Answer = Result<BTreeMap<String, Value>, EvaluationError>;

impl Question {
    fn rule(self) -> &'static str {
        match self {
            Self::Judge => "judge",
            Self::Patch => "patch",
            Self::Inject => "inject",
        }
    }

    fn entry_points(self, points: EntryPoints) -> Vec<&'static str> {
        match self {
            Self::Judge => points.judging(),
            Self::Patch => points.patch.then_some("patch").into_iter().collect(),
            Self::Inject => points.inject.then_some("inject").into_iter().collect(),
        }
    }
}

impl Chunk {
    /// Makes a program of bindings' packages, `(number, entry points, package)`, and the libraries that they import.
    pub(super) fn new(
        bindings: &[(usize, EntryPoints, &Module)],
        libraries: Vec<Module>,
    ) -> Result<Self, Faults> {
        let mut modules = libraries;
        modules.extend(bindings.iter().map(|(_, _, module)| (*module).clone()));
        modules.push(aggregate(bindings));
        let settings = ProgramSettings { strict_builtin_errors: true, ..ProgramSettings::default() };
        let numbers = bindings.iter().map(|(number, ..)| *number).collect();
        Ok(Self { bindings: numbers, program: Program::load(&modules, &settings)? })
    }

    /// Asks those of `asked` that are here. `input`: what they read, given the numbers of those that are asked.
    pub(super) fn ask(
        &self,
        question: Question,
        asked: &BTreeSet<usize>,
        allowance: &mut Allowance,
        input: impl Fn(&[usize]) -> Rego,
    ) -> BTreeMap<usize, Answer> {
        let here: Vec<usize> =
            self.bindings.iter().copied().filter(|number| asked.contains(number)).collect();
        each(&here, allowance, |asked, budget| self.answers(question, asked, budget, &input))
    }

    /// The answer of each; of one that left everything undefined, an empty one.
    fn answers(
        &self,
        question: Question,
        asked: &[usize],
        budget: Duration,
        input: &impl Fn(&[usize]) -> Rego,
    ) -> Result<BTreeMap<usize, BTreeMap<String, Value>>, EvaluationError> {
        let rule = format!("data.{}.{}", packages::OURS, question.rule());
        let answer = self.program.evaluate_within(&rule, input(asked), budget)?;
        let triples = answer.as_ref().and_then(Value::as_array);
        let triples =
            triples.ok_or_else(|| EvaluationError::Shape("the generated rule is undefined".to_owned()))?;
        let mut answers: BTreeMap<usize, BTreeMap<String, Value>> =
            asked.iter().map(|number| (*number, BTreeMap::new())).collect();
        for triple in triples {
            let [Value::Number(number), Value::String(entry_point), value] =
                triple.as_array().map(Vec::as_slice).unwrap_or_default()
            else {
                return Err(EvaluationError::Shape("the generated rule has another shape".to_owned()));
            };
            let number = number.as_u64().and_then(|number| usize::try_from(number).ok());
            let of = number.and_then(|number| answers.get_mut(&number));
            let of = of.ok_or_else(|| {
                EvaluationError::Shape("the generated rule names another binding".to_owned())
            })?;
            of.insert(entry_point.clone(), value.clone());
        }
        Ok(answers)
    }
}

/// Asks all together; where that ends in an error, each alone, with no less time than it has beside others.
fn each<T>(
    here: &[usize],
    allowance: &mut Allowance,
    answers: impl Fn(&[usize], Duration) -> Result<BTreeMap<usize, T>, EvaluationError>,
) -> BTreeMap<usize, Result<T, EvaluationError>> {
    match allowance.spend(|budget| answers(here, budget)) {
        Ok(answers) => answers.into_iter().map(|(number, answer)| (number, Ok(answer))).collect(),
        Err(error) if here.len() == 1 => here.iter().map(|number| (*number, Err(error.clone()))).collect(),
        Err(_) => {
            let alone = |number: &usize| {
                let answers = allowance.spend(|budget| answers(&[*number], budget));
                let lost = || EvaluationError::Shape("the binding was not asked".to_owned());
                (*number, answers.and_then(|mut answers| answers.remove(number).ok_or_else(lost)))
            };
            here.iter().map(alone).collect()
        }
    }
}

/// The module that asks bindings together. Sets of triples with the value bound in the body: an entry point that is
/// undefined leaves its own triple out and no other (an object literal, or a term in the head, would take all along).
fn aggregate(bindings: &[(usize, EntryPoints, &Module)]) -> Module {
    let mut text = format!("package {}\n", packages::OURS);
    for question in [Question::Judge, Question::Patch, Question::Inject] {
        let mut is_asked = false;
        for (number, points, _) in bindings {
            let (member, package) = (packages::member(*number), packages::name(*number));
            for name in question.entry_points(*points) {
                is_asked = true;
                text.push_str(&format!(
                    "{} contains [{number}, \"{name}\", value] if {{ input.ask.{member}; value := data.{package}.{name} }}\n",
                    question.rule()
                ));
            }
        }
        if !is_asked {
            text.push_str(&format!("{} contains 0 if false\n", question.rule()));
        }
    }
    Module { path: "meshgate.rego".to_owned(), text }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[test]
    fn beside_one_that_errs_each_has_the_time_that_it_has_alone() {
        let budgets = RefCell::new(Vec::new());
        let wrong = || EvaluationError::Policy("wrong".to_owned());
        let answers = |asked: &[usize], budget: Duration| {
            budgets.borrow_mut().push((asked.to_vec(), budget));
            if asked.contains(&2) {
                Err(wrong())
            } else {
                Ok(asked.iter().map(|number| (*number, "no")).collect())
            }
        };
        let answered = each(&[1, 2, 3], &mut Allowance::full(), answers);
        assert_eq!(answered, BTreeMap::from([(1, Ok("no")), (2, Err(wrong())), (3, Ok("no"))]));
        let whole = Allowance::full().spend(|budget| budget);
        let asked = [vec![1, 2, 3], vec![1], vec![2], vec![3]];
        assert_eq!(budgets.into_inner(), asked.map(|asked| (asked, whole)).to_vec());
    }
}
