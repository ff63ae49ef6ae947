//! Policies made ready to evaluate: a [`Draft`](crate::policy::Draft) is compiled into a [`Bundle`] or refused
//! whole, and a [`Bundle`] asks its bindings about one [`Input`].
//!
//! The only module that knows the Rego interpreter. Values in, findings out: no I/O, no state between
//! evaluations, and no clock but the budget of an evaluation.

mod allowance;
mod builtins;
mod bundle;
mod canonical;
mod cause;
mod chunk;
mod codes;
mod conflicts;
mod document;
mod entry_points;
mod evaluate;
mod gate;
mod images;
mod injection;
mod input;
mod interpreter_error;
mod inventory;
mod json_text;
mod libraries;
mod lint;
mod needs;
mod normalise;
mod output;
mod output_json;
mod packages;
mod program;
mod query;
mod refusal;
mod said;
mod syntax;
mod tests;
mod types;

pub use bundle::{Bound, Bundle, compile};
pub use canonical::canonical;
pub use codes::{codes, explain};
pub use document::Document;
pub use evaluate::EvaluationError;
pub use injection::Injection;
pub use input::{Exempt, Input};
pub use lint::{Linted, lint};
pub use output::{Judgement, Observed, Violation};
pub use program::{Contract, Program, ProgramSettings, Promise};
pub use refusal::Refusal;
pub use said::Said;
pub use syntax::RegoVersion;
pub use tests::{Coverage, Failure, FileCoverage, Ran, Test, Tests, Verdict};
