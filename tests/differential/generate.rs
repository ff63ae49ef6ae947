//! Modules, inputs and questions, put together at random; the same ones for the same number.
//!
//! Most must compile in OPA, or little is compared: terms know roughly of what type they are, rules refer only to rules
//! before them, and variables are bound before they are used. What is of the wrong type or undefined comes by way of the
//! input, whose types a compiler can't know; but for the mistakes of some.

mod body;
mod builtins;
mod input;
mod rules;
mod scope;
mod term;
mod values;

use crate::random::Random;
use crate::snippet::{Module, Snippet};
use crate::tree::{Tree, tree};

use scope::{Known, Type};

/// One in so many snippets has mistakes in types.
const MISTAKEN: u64 = 5;

/// The snippet of a number.
pub(crate) fn snippet(seed: u64) -> Snippet {
    let mut generator = Generator {
        random: Random::new(seed),
        v0: false,
        has_v0_heads: false,
        package: "main",
        known: Vec::new(),
        imported: Vec::new(),
        names: 0,
        is_negated: false,
        is_mistaken: seed.is_multiple_of(MISTAKEN),
    };
    generator.snippet()
}

struct Generator {
    random: Random,
    /// The version of the language; what can't be said in v0 is not generated then.
    v0: bool,
    /// Whether heads are written without `if` and `contains`, as in v0 unless it imports `rego.v1`.
    has_v0_heads: bool,
    /// The package that is being written.
    package: &'static str,
    /// The rules so far.
    known: Vec<Known>,
    /// Names under which the module that is being written has imported rules of the other package, with their paths.
    imported: Vec<(String, String)>,
    /// How many names of variables the rule that is being written has.
    names: usize,
    /// Whether a wildcard would be unsafe.
    is_negated: bool,
    /// Whether terms are at times of a type that is not wanted, which a compiler may know.
    is_mistaken: bool,
}

impl Generator {
    fn snippet(&mut self) -> Snippet {
        self.v0 = self.random.chance(15);
        let strict = self.random.chance(40);
        let mut modules = Vec::new();
        if self.random.chance(35) {
            let count = 1 + self.random.below(3);
            modules.push(self.module("lib", "lib.rego", "l", count));
        }
        let count = 1 + self.random.below(4);
        modules.push(self.module("main", "main.rego", "r", count));
        if self.random.chance(8) {
            modules.push(self.module("main", "more.rego", "m", 1));
        }
        // The last rules refer to the ones before.
        let values: Vec<&Known> =
            self.known.iter().filter(|known| known.package == "main" && !known.is_function()).collect();
        let index = values.len() - 1 - self.random.below(values.len()).min(self.random.below(values.len()));
        let query = format!("data.main.{}", values[index].name);
        let input = if self.random.chance(2) { None } else { Some(self.input()) };
        let data = self.data();
        Snippet { modules, input, data, query, v0: self.v0, strict }
    }

    fn module(&mut self, package: &'static str, file: &str, prefix: &str, count: usize) -> Module {
        self.package = package;
        self.has_v0_heads = self.v0 && self.random.chance(85);
        let imports = self.imports();
        let mut rules = Vec::new();
        for index in 0..count {
            // The last one can be asked for.
            let can_be_function = index + 1 < count || package == "lib";
            rules.push(self.rule(&format!("{prefix}{index}"), can_be_function));
        }
        // Their order means nothing.
        if self.random.chance(20) {
            rules.reverse();
        }
        let text = tree![
            format!("package {package}\n\n"),
            Tree::list(imports, "", 0),
            Tree::list(rules, "\n", 0),
            "\n"
        ];
        Module { name: file.to_owned(), text }
    }

    fn imports(&mut self) -> Vec<Tree> {
        let mut lines = Vec::new();
        if self.v0 && !self.has_v0_heads {
            lines.push("import rego.v1".to_owned());
        } else if self.v0 {
            lines.push("import future.keywords.every".to_owned());
            lines.push("import future.keywords.in".to_owned());
        } else if self.random.chance(10) {
            lines.push("import rego.v1".to_owned());
        }
        self.imported.clear();
        if self.known.iter().any(|known| known.package == "lib") && self.package == "main" {
            if self.random.chance(60) {
                let alias = self.random.one_of(&["lib", "helpers"]);
                let suffix = if alias == "lib" { "" } else { " as helpers" };
                lines.push(format!("import data.lib{suffix}"));
                self.imported.push((alias.to_owned(), "data.lib".to_owned()));
            }
            let names: Vec<String> = self.known.iter().map(|known| known.name.clone()).collect();
            for name in names {
                if self.random.chance(30) {
                    lines.push(format!("import data.lib.{name}"));
                    self.imported.push((name.clone(), format!("data.lib.{name}")));
                }
            }
        }
        if self.random.chance(10) {
            lines.push("import input.o as given".to_owned());
            self.imported.push(("given".to_owned(), "input.o".to_owned()));
        }
        lines.into_iter().map(|line| tree![line, "\n"]).collect()
    }

    /// One of the ways to name a rule.
    fn name_of(&mut self, known: &Known) -> String {
        let path = format!("data.{}.{}", known.package, known.name);
        if known.package == self.package {
            return if self.random.chance(90) { known.name.clone() } else { path };
        }
        let imported = self.imported.iter().filter_map(|(name, of)| {
            let rest = path.strip_prefix(of.as_str())?;
            (rest.is_empty() || rest.starts_with('.')).then(|| format!("{name}{rest}"))
        });
        let mut ways: Vec<String> = imported.collect();
        ways.push(path);
        let index = self.random.below(ways.len());
        ways.swap_remove(index)
    }

    /// A name that no variable of the rule has.
    fn fresh(&mut self) -> String {
        let name = ["x", "y", "z", "v", "w"][self.names % 5];
        let round = self.names / 5;
        self.names += 1;
        if round == 0 { name.to_owned() } else { format!("{name}{round}") }
    }

    fn a_type(&mut self) -> Type {
        use Type::{Any, Array, Number, Object, Set, Text, Truth};
        self.random.one_of(&[Number, Number, Text, Text, Truth, Array, Array, Object, Set, Set, Any, Any])
    }
}

#[test]
fn snippets_are_the_same_in_each_run() {
    for seed in 0..20 {
        assert_eq!(snippet(seed).line(), snippet(seed).line());
    }
    assert_ne!(snippet(1).line(), snippet(2).line());
}
