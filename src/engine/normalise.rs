//! Rewrites that make the interpreter agree with OPA, on a module's text: lines stay where they are.

use super::syntax::Parsed;
use crate::policy::Module;

/// The module as the interpreter is to read it. `modules` are all modules of the program, `module` among them.
pub(super) fn normalise(module: &Parsed, _modules: &[Parsed]) -> Module {
    module.module.clone()
}
