//! The builtins of OPA: which the interpreter has, which are ours, and which are refused and why.

use regorus::Engine;

/// Gives the interpreter those that are ours.
///
/// # Errors
/// A name that it has twice.
pub(super) fn register(_engine: &mut Engine) -> Result<(), anyhow::Error> {
    Ok(())
}
