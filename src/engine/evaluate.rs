//! Evaluating: what bindings say of one request. They are asked together, a program at a time.

use std::collections::BTreeMap;

use regorus::Value as Rego;
use serde_json::Value;

use super::allowance::Allowance;
use super::bundle::{Bound, Bundle};
use super::chunk::{Answer, Chunk, Question};
use super::injection::{self, Injection};
use super::input::Input;
use super::output::{self, Judgement};

/// Why a binding gave no answer. Its policy's failurePolicy decides what that means.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvaluationError {
    /// A fact that the policy declared could not be learnt.
    #[error("the fact `{name}` is missing: {why}")]
    Fact {
        /// Its name under `input.context`.
        name: &'static str,
        /// Why.
        why: String,
    },
    /// The policy failed: a conflict, a type error, its budget.
    #[error("the policy failed: {0}")]
    Policy(String),
    /// What was asked for is not the path of a rule or document.
    #[error("{0}")]
    Query(String),
    /// What the policy changes can't be used beside what others do, or at all.
    #[error("{0}")]
    Mutation(String),
    /// The object came in a version that the policy does not read.
    #[error(
        "the object came in version `{came}` and the match reads `{named}`; name one version of a resource in all policies"
    )]
    Version {
        /// As in `v1`.
        came: String,
        /// Those that the rules name.
        named: String,
    },
    /// The policy answered something that the contract does not know.
    #[error("the policy's answer can't be used: {0}")]
    Shape(String),
}

impl EvaluationError {
    /// What it is, in a word of this program: for counting.
    pub fn cause(&self) -> &'static str {
        match self {
            Self::Fact { .. } => "fact",
            Self::Policy(_) | Self::Query(_) => "policy",
            Self::Mutation(_) => "mutation",
            Self::Version { .. } => "version",
            Self::Shape(_) => "shape",
        }
    }
}

impl Bundle {
    /// Asks `bound` what is wrong with the object: of each the judgement, or why there is none, in the same order.
    pub fn judge(&self, bound: &[&Bound], input: &Input) -> Vec<Result<Judgement, EvaluationError>> {
        let read = |one: &Bound, answer: Answer| {
            answer.map(|values| output::judgement(values, &one.entry_points.judging()))
        };
        self.ask(Question::Judge, bound, input, read)
    }

    /// Asks `bound` for their JSON Patches; None where nothing is to change. In the same order.
    pub fn propose(&self, bound: &[&Bound], input: &Input) -> Vec<Result<Option<Value>, EvaluationError>> {
        let read = |_: &Bound, answer: Answer| output::patch(answer?).map_err(EvaluationError::Shape);
        self.ask(Question::Patch, bound, input, read)
    }

    /// Asks `bound` what they say of an injection; None where they say nothing. In the same order.
    pub fn narrow(&self, bound: &[&Bound], input: &Input) -> Vec<Result<Option<Injection>, EvaluationError>> {
        let read = |_: &Bound, answer: Answer| injection::read(answer?).map_err(EvaluationError::Shape);
        self.ask(Question::Inject, bound, input, read)
    }

    fn ask<T>(
        &self,
        question: Question,
        bound: &[&Bound],
        input: &Input,
        read: impl Fn(&Bound, Answer) -> Result<T, EvaluationError>,
    ) -> Vec<Result<T, EvaluationError>> {
        // Who lacks a fact is not asked; the others are.
        let lacks: BTreeMap<usize, EvaluationError> =
            bound.iter().filter_map(|one| Some((one.number, input.lacks(one)?))).collect();
        let mut allowance = Allowance::full();
        let mut answers: BTreeMap<usize, Answer> = BTreeMap::new();
        for alike in input.alike(bound.iter().filter(|one| !lacks.contains_key(&one.number)).copied()) {
            let of = |asked: &[usize]| -> Rego { input.of(&self.parameters, asked, &alike) };
            let needed = |chunk: &&Chunk| chunk.bindings.iter().any(|number| alike.numbers.contains(number));
            for chunk in self.chunks.iter().filter(needed) {
                answers.extend(chunk.ask(question, &alike.numbers, &mut allowance, of));
            }
        }
        let answer = |one: &&Bound| match lacks.get(&one.number) {
            Some(error) => Err(error.clone()),
            None => {
                let lost = || Err(EvaluationError::Shape("the binding was not asked".to_owned()));
                read(one, answers.remove(&one.number).unwrap_or_else(lost))
            }
        };
        bound.iter().map(answer).collect()
    }
}
