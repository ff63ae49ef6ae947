//! Evaluating one binding: one call of the interpreter, whatever the policy's number of entry points.

use std::num::NonZeroU32;
use std::time::Duration;

use regorus::Engine;
use regorus::utils::limits::ExecutionTimerConfig;
use serde_json::Value;

use super::bundle::{Bound, Bundle};
use super::entry_points::EntryPoints;
use super::input::Input;
use super::interpreter_error::one_line;
use super::output::{self, Judgement};
use crate::policy::{Module, PolicyId};

/// How long one evaluation may take. A policy needs about 0.1 ms; a request has 7 s (cluster: deadlines), so a
/// few policies that run away leave time to say so.
const BUDGET: Duration = Duration::from_secs(1);
/// Work units between looks at the clock; costs nothing measurable and stops within 20 ms of the limit.
const CHECK_INTERVAL: NonZeroU32 = NonZeroU32::MIN.saturating_add(127);

const READY: &str = "data.meshgate.ready.now";

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
    /// The policy answered something that the contract does not know.
    #[error("the policy's answer can't be used: {0}")]
    Shape(String),
}

impl Bundle {
    /// Asks `bound` what is wrong with the object.
    ///
    /// # Errors
    /// Why there is no judgement.
    pub fn judge(&self, bound: &Bound, input: &Input) -> Result<Judgement, EvaluationError> {
        let pairs = self.ask(bound, "judge", input)?;
        output::judgement(&pairs, &bound.entry_points.judging()).map_err(EvaluationError::Shape)
    }

    /// Asks `bound` for its JSON Patch; None where nothing is to change.
    ///
    /// # Errors
    /// Why there is no answer.
    pub fn propose(&self, bound: &Bound, input: &Input) -> Result<Option<Value>, EvaluationError> {
        let pairs = self.ask(bound, "patch", input)?;
        output::patch(&pairs).map_err(EvaluationError::Shape)
    }

    fn ask(&self, bound: &Bound, rule: &str, input: &Input) -> Result<Value, EvaluationError> {
        let mut engine = self.engine.clone();
        engine.set_input(input.of(bound)?);
        let path = format!("data.{}.{rule}", generated_package(&bound.policy.id));
        let value = engine.eval_rule(path).map_err(|error| EvaluationError::Policy(one_line(&error)))?;
        serde_json::to_value(&value).map_err(|error| EvaluationError::Shape(error.to_string()))
    }
}

/// The module that asks a policy's entry points together, so that rules which they share are computed once.
/// Sets of pairs with the value bound in the body: an undefined entry point leaves its pair out and no other
/// (an object literal, or a term in the head, would take all of them along).
pub(super) fn generated(policy: &PolicyId, points: EntryPoints) -> Module {
    let package = generated_package(policy);
    let mut text = format!("package {package}\n");
    let patch: &[&str] = if points.patch { &["patch"] } else { &[] };
    for (rule, names) in [("judge", points.judging().as_slice()), ("patch", patch)] {
        for name in names {
            text.push_str(&format!(
                "{rule} contains [\"{name}\", value] if {{ value := data.{}.{name} }}\n",
                policy.package()
            ));
        }
    }
    Module { path: format!("{package}.rego"), text }
}

fn generated_package(policy: &PolicyId) -> String {
    format!("meshgate.{}", policy.package())
}

/// Makes the engine ready, so that no request pays for it, and every clone of it is within the budget.
pub(super) fn prepare(engine: &mut Engine) -> Result<(), anyhow::Error> {
    engine.set_execution_timer_config(ExecutionTimerConfig { limit: BUDGET, check_interval: CHECK_INTERVAL });
    engine
        .add_policy("meshgate.ready.rego".to_owned(), "package meshgate.ready\nnow := true\n".to_owned())?;
    engine.eval_rule(READY.to_owned()).map(drop)
}
