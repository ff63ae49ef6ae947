//! What a policies' tree proves of itself: its tests in Rego, and its examples. All of them are run, each on its own,
//! and become one [`Results`].
//!
//! Called by `cli` and by the tests of the embedded policies. Nothing is read from disk: `source` brings the tree.

mod examples;
mod junit;
mod results;
mod text;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use examples::{Bundles, Example};
pub use junit::junit;
use regex::Regex;
pub use results::{Case, FileLines, Kind, Results, Status, Summary};
pub use text::text;

use crate::dry_run::each;
use crate::engine::{self, Coverage, Test, Tests};
use crate::policy::{Draft, Fault, Faults, Module, Tree};

/// A tree's tests and examples.
pub struct Suite {
    draft: Draft,
    tree: Tree,
    tests: Tests,
    examples: Vec<Example>,
    /// The Rego of the tree itself that is no test.
    policies: Vec<String>,
}

/// What to run, and what of it to tell.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// Only what has a name in which this is found.
    pub run: Option<Regex>,
    /// Whether to say which lines tests reach.
    pub coverage: bool,
    /// Whether to use one thread only.
    pub one_by_one: bool,
}

enum Job<'a> {
    Test(&'a Test),
    Example(&'a Example),
}

impl Suite {
    /// Reads a tree, whose paths are shown below `root`. Policies and libraries of `catalogue` come along as they do
    /// when policies decide, but without their tests.
    ///
    /// # Errors
    /// Everything that is wrong with the tree.
    pub fn read(tree: &Tree, catalogue: &Tree, root: &str) -> Result<Self, Faults> {
        let draft = Draft::read_unbound(tree, catalogue);
        // Whatever is wrong with policies is said as when they decide.
        engine::compile(draft.clone())?;
        let shown = |path: &str| if root.is_empty() { path.to_owned() } else { format!("{root}/{path}") };
        let rego = draft.policies.values().map(|policy| &policy.module).chain(&draft.libraries);
        let mut modules: Vec<Module> = rego.cloned().collect();
        let policies = modules.iter().filter(|module| tree.contains(&module.path));
        let policies = policies.map(|module| shown(&module.path)).collect();
        modules.extend(tests(tree)?);
        for module in &mut modules {
            let is_own = tree.contains(&module.path);
            module.path = if is_own { shown(&module.path) } else { format!("embedded/{}", module.path) };
        }
        modules.sort_by(|a, b| a.path.cmp(&b.path));
        let examples = examples::of(tree, root);
        let tree = tree.clone();
        Ok(Self { draft, tree, tests: Tests::load(modules)?, examples, policies })
    }

    /// The tests in Rego.
    pub fn tests(&self) -> &Tests {
        &self.tests
    }

    /// The examples.
    pub fn examples(&self) -> &[Example] {
        &self.examples
    }

    /// What examples are judged with.
    pub fn bundles(&self) -> Bundles<'_> {
        Bundles::new(&self.draft)
    }

    /// The files of policies of the tree itself that are bound and have no tests.
    pub fn untested(&self) -> Vec<String> {
        let own = |path: &&str| self.policies.iter().any(|policy| policy == path);
        self.draft.untested(&self.tree).filter(own).map(str::to_owned).collect()
    }

    /// Runs what is chosen, on all cores where that is not said otherwise. The order of the results is that of files and lines.
    pub fn run(&self, choice: &Choice) -> Results {
        let is_chosen = |name: &str| choice.run.as_ref().is_none_or(|regex| regex.is_match(name));
        let tests = self.tests.iter().filter(|test| is_chosen(&test.path())).map(Job::Test);
        let examples = self.examples.iter().filter(|example| is_chosen(&example.path)).map(Job::Example);
        let jobs: Vec<Job<'_>> = tests.chain(examples).collect();
        let bundles = self.bundles();
        let one = |job| self.one(&job, &bundles, choice.coverage);
        let done = if choice.one_by_one { jobs.into_iter().map(one).collect() } else { each(jobs, one) };
        let (cases, coverage): (Vec<Case>, Vec<Coverage>) = done.into_iter().unzip();
        let coverage = choice.coverage.then(|| self.lines(&coverage));
        Results::new(cases, coverage)
    }

    fn one(&self, job: &Job<'_>, bundles: &Bundles<'_>, covering: bool) -> (Case, Coverage) {
        // What is shared is only read, so a panic leaves nothing half done.
        let done = catch_unwind(AssertUnwindSafe(|| match job {
            Job::Test(test) => {
                let ran = self.tests.run(test, covering);
                (Case::of_test(test, ran.verdict), ran.coverage)
            }
            Job::Example(example) => {
                (Case::of_example(example, example.faults(bundles)), Coverage::default())
            }
        }));
        done.unwrap_or_else(|_| (Case::panicked(job), Coverage::default()))
    }

    /// What tests reach of the tree's own policies.
    fn lines(&self, parts: &[Coverage]) -> Vec<FileLines> {
        let coverage = self.tests.coverage(parts);
        let files = coverage.files.into_iter().filter(|(path, _)| self.policies.contains(path));
        files.map(|(path, lines)| FileLines::new(path, &lines)).collect()
    }
}

/// The files of tests; those of the catalogue are tested with it.
fn tests(tree: &Tree) -> Result<Vec<Module>, Faults> {
    let is_test =
        |path: &str| path.ends_with("_test.rego") && !path.split('/').any(|part| part == "examples");
    let (mut modules, mut faults) = (Vec::new(), Vec::new());
    for (path, content) in tree.iter().filter(|(path, _)| is_test(path)) {
        match std::str::from_utf8(content) {
            Ok(text) => modules.push(Module { path: path.to_owned(), text: text.to_owned() }),
            Err(_) => faults.push(Fault::of_file(path, "not UTF-8; save the file as UTF-8")),
        }
    }
    Faults::or(faults, modules)
}
