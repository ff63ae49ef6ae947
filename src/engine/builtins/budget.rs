//! What the builtins of one evaluation may cost. The interpreter's timer does not look into a builtin, so that
//! without this one call can take a worker's minutes or its memory. Counted in bytes and steps, never in time: the
//! same request fails, or does not, on every replica (R46).

use std::cell::RefCell;

use super::{Failure, decimal};

/// Bytes that builtins may make. An object has at most 3 MiB; nobody needs twenty copies of it.
const BYTES: usize = 64 * 1024 * 1024;
/// Elementary steps, a few nanoseconds each at most: about two seconds of the slowest builtin.
const STEPS: usize = 500_000_000;

struct Budget {
    bytes: usize,
    steps: usize,
    /// What was too much. Kept here because the interpreter drops an error of a function's body where another
    /// body of that function has a value.
    exceeded: Option<String>,
}

impl Budget {
    const FULL: Self = Self { bytes: BYTES, steps: STEPS, exceeded: None };
}

thread_local! {
    static BUDGET: RefCell<Budget> = const { RefCell::new(Budget::FULL) };
}

/// Runs an evaluation, which stays on this thread, with a budget of its own.
///
/// # Errors
/// What was too much, whatever the evaluation made of it.
pub(in crate::engine) fn within<T>(evaluate: impl FnOnce() -> T) -> Result<T, String> {
    BUDGET.replace(Budget::FULL);
    decimal::forget();
    let result = evaluate();
    match BUDGET.replace(Budget::FULL).exceeded {
        Some(what) => Err(what),
        None => Ok(result),
    }
}

/// Takes what a builtin is about to make.
pub(super) fn bytes(count: usize) -> Result<(), Failure> {
    take(count, |budget| &mut budget.bytes, "makes more than 64 MiB")
}

/// Takes what a builtin is about to do.
pub(super) fn steps(count: usize) -> Result<(), Failure> {
    take(count, |budget| &mut budget.steps, "needs more steps than an evaluation may take")
}

fn take(count: usize, of: fn(&mut Budget) -> &mut usize, what: &str) -> Result<(), Failure> {
    BUDGET.with_borrow_mut(|budget| {
        let left = of(budget);
        *left = left.checked_sub(count).ok_or_else(|| Failure::Beyond(what.to_owned()))?;
        Ok(())
    })
}

/// Notes that the evaluation can't be trusted any more.
pub(super) fn exceed(what: &str) {
    BUDGET.with_borrow_mut(|budget| budget.exceeded = Some(what.to_owned()));
}
