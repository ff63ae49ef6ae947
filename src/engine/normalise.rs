//! Rewrites that make the interpreter agree with OPA. A module is read into a tree of ours, changed by small passes,
//! each with a file and OPA's result as its test, and printed again, in the syntax of OPA 1.0 and line by line where
//! the author wrote it.

mod absent;
mod chains;
mod comprehensions;
mod context;
mod documents;
mod every;
mod failures;
mod globals;
mod guards;
mod heads;
mod iterations;
mod membership;
mod names;
mod negation;
mod operators;
mod order;
mod outputs;
mod patterns;
mod prefixes;
mod print;
mod read;
mod relations;
mod replacements;
mod schedule;
mod spelling;
mod tree;
mod unifications;
mod walk;

use std::rc::Rc;

pub(super) use context::Whole;

use super::syntax::Parsed;
use crate::policy::Module;

/// What becomes of a module.
pub(super) struct Normalised {
    /// As the interpreter is to read it, and what had to be moved to others.
    pub(super) modules: Vec<Module>,
    /// Whole numbers whose spelling is lost, such as `1.0`.
    pub(super) lost: Vec<String>,
}

/// What a module says: its imports and its rules as they are printed, in one line.
pub(super) fn printed(module: &Parsed) -> String {
    let tree = read::module(module);
    let imports =
        tree.imports.iter().map(|import| format!("import {} as {}", import.path.join("."), import.name));
    let text = print::module(&tree);
    let lines = text.lines().map(|line| line.trim().to_owned());
    imports.chain(lines).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

/// What becomes of a module. `modules` are all modules of the program, `module` among them.
pub(super) fn normalise(module: &Parsed, modules: &[Parsed], whole: &Rc<Whole>) -> Normalised {
    let mut tree = read::module(module);
    let mut context = context::Context::new(module, modules, whole, &tree);
    let moved = names::modules(&mut tree, &mut context);
    let mut lost = Vec::new();
    let mut normalised = |mut tree: tree::Module| {
        heads::bodies(&mut tree, &mut context);
        chains::module(&mut tree, &mut context);
        prefixes::module(&mut tree, &mut context);
        walk::module(&mut tree, &mut context);
        lost.append(&mut spelling::module(&mut tree, &whole.spelled, &mut context));
        Module { path: module.module.path.clone(), text: print::module(&tree) }
    };
    let modules = [tree].into_iter().chain(moved).map(&mut normalised).collect();
    Normalised { modules, lost }
}
