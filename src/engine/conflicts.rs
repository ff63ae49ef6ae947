//! Conflicts that the interpreter doesn't see: where errors of builtins are undefined, it drops any error of a function's
//! body if another body of that function has a value, also one that says that a rule has two values.

use std::collections::BTreeSet;

use regorus::Engine;

use super::builtins;
use super::evaluate::EvaluationError;
use super::interpreter_error::one_line;
use super::syntax::{self, Parsed, Rule, RuleHead};

/// The interpreter's words.
const CONFLICTS: [&str; 2] = ["multiple outputs", "conflicts with rule"];

/// Whether a function has several bodies.
pub(super) fn can_be_hidden(modules: &[Parsed]) -> bool {
    let mut known = BTreeSet::new();
    modules.iter().any(|module| {
        let package = syntax::path(&module.tree.package.refr);
        module.tree.policy.iter().any(|rule| match &**rule {
            Rule::Spec { head: RuleHead::Func { refr, .. }, bodies, .. } => {
                let is_first = known.insert((package.clone(), syntax::path(refr)));
                !is_first || bodies.iter().filter(|body| !body.is_else).count() > 1
            }
            _ => false,
        })
    })
}

/// Evaluates a query once before, so that every error counts; those of other kinds are left to the evaluation itself.
///
/// # Errors
/// A rule or a function has two values.
pub(super) fn look(engine: &mut Engine, query: &str, begin: impl FnOnce()) -> Result<(), EvaluationError> {
    engine.set_strict_builtin_errors(true);
    let evaluate = || {
        begin();
        engine.eval_query(query.to_owned(), false)
    };
    match builtins::within(evaluate) {
        Ok(Err(error)) if CONFLICTS.iter().any(|words| error.to_string().contains(words)) => {
            Err(EvaluationError::Policy(one_line(&error)))
        }
        _ => Ok(()),
    }
}
