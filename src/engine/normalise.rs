//! Rewrites that make the interpreter agree with OPA. A module is read into a tree of ours, changed by small passes,
//! each with a file and OPA's result as its test, and printed again, in the syntax of OPA 1.0 and line by line where
//! the author wrote it.

mod print;
mod read;
mod tree;

use super::syntax::Parsed;
use crate::policy::Module;

/// The module as the interpreter is to read it. `modules` are all modules of the program, `module` among them.
pub(super) fn normalise(module: &Parsed, _modules: &[Parsed]) -> Module {
    let tree = read::module(module);
    Module { path: module.module.path.clone(), text: print::module(&tree) }
}
