//! Types that don't fit, on purpose: values of every kind in every place that wants one, by way of literals, variables,
//! rules, functions, comprehensions and `input`. OPA's compiler says which of them it can tell, and so do we.

mod templates;

use templates::{RULES, STATEMENTS, VALUES};

use crate::random::Random;
use crate::snippet::{Module, Snippet};
use crate::tree::Tree;

/// The builtins, with what they take and give.
const SIGNATURES: &str = include_str!("../fixtures/builtins/signatures.tsv");

/// The snippet of that number.
pub(crate) fn snippet(number: u64) -> Snippet {
    let mut maker = Maker { random: Random::new(number ^ 0x7799), rules: Vec::new() };
    let text = maker.module();
    let other = "package other\n\nq := {\"a\": 1}\ng(x) := x + 1\nh(x) if startswith(x, \"a\")\n";
    let modules = [("p.rego", text), ("other.rego", other.to_owned())];
    let modules = modules.map(|(name, text)| Module { name: name.to_owned(), text: Tree::from(text) });
    Snippet {
        modules: modules.to_vec(),
        input: None,
        data: Tree::from("{}"),
        query: "data.p.out".to_owned(),
        v0: false,
        strict: false,
    }
}

struct Maker {
    random: Random,
    /// The rules that the module has, and those after them read.
    rules: Vec<(&'static str, &'static str)>,
}

impl Maker {
    fn module(&mut self) -> String {
        let mut text =
            "package p\n\nimport data.other\nimport data.other.q as q2\nimport data.other.g as g2\n\n"
                .to_owned();
        for _ in 0..self.random.below(4) {
            let rule = self.random.one_of(RULES);
            if !self.rules.contains(&rule) {
                text.push_str(&self.filled(rule.1, 1));
                self.rules.push(rule);
            }
        }
        let statements: Vec<String> = (0..=self.random.below(2)).map(|_| self.statement()).collect();
        // A union that came first would make a comprehension of the braces.
        text.push_str(&format!("\nout if {{\n\ttrue\n\t{}\n}}\n", statements.join("\n\t")));
        text
    }

    fn statement(&mut self) -> String {
        let statement = self.random.one_of(STATEMENTS);
        // A name of its own for each statement's variables, or the same: declared twice is another mistake.
        let number = self.random.below(1_000);
        let statement = self.filled(statement, 2);
        rename(&statement, &format!("{number}"))
    }

    /// A template with values in its places; within values, so many levels deep.
    fn filled(&mut self, template: &str, depth: usize) -> String {
        let mut text = String::new();
        let mut rest = template;
        while let Some((at, place)) = next_place(rest) {
            let (before, after) = rest.split_at(at);
            text.push_str(before);
            rest = after.strip_prefix(place).unwrap();
            text.push_str(&match place {
                "CALLX" => self.call(depth, true),
                "CALL" => self.call(depth, false),
                "RULE" => self.rule(depth),
                _ => self.value(depth),
            });
        }
        text.push_str(rest);
        text
    }

    fn value(&mut self, depth: usize) -> String {
        match self.random.below(10) {
            0 | 1 => self.rule(depth),
            2 if depth > 0 => self.call(depth - 1, false),
            3 if depth > 0 => {
                let (one, other) = (self.value(depth - 1), self.value(depth - 1));
                match self.random.below(4) {
                    0 => format!("[{one}, {other}]"),
                    1 => format!("{{{one}, {other}}}"),
                    2 => format!("{{\"a\": {one}, \"b\": {other}}}"),
                    _ => format!("{{{one}: {other}}}"),
                }
            }
            _ => self.random.one_of(VALUES).to_owned(),
        }
    }

    fn rule(&mut self, depth: usize) -> String {
        if self.rules.is_empty() || depth == 0 {
            return self.random.one_of(VALUES).to_owned();
        }
        let at = self.random.below(self.rules.len());
        let call = self.rules[at].0;
        self.filled(call, depth - 1)
    }

    /// A builtin with values of any types, of which one is `x` where that is asked for.
    fn call(&mut self, depth: usize, with_x: bool) -> String {
        let builtins: Vec<(&str, &str)> =
            SIGNATURES.lines().filter_map(|line| line.split_once('\t')).collect();
        let (name, signature) = loop {
            let (name, signature) = builtins[self.random.below(builtins.len())];
            if !is_left_out(name) && !signature.starts_with("->") {
                break (name, signature);
            }
        };
        let wanted = arguments(signature);
        let place = self.random.below(wanted.len());
        let wrong = self.random.below(wanted.len() + 1);
        let mut given: Vec<String> = wanted.iter().map(|wanted| self.fitting(wanted)).collect();
        if wrong < given.len() {
            given[wrong] = self.value(depth.saturating_sub(1));
        }
        if with_x {
            given[place] = "x".to_owned();
        }
        format!("{name}({})", given.join(", "))
    }

    /// A value of a type of a signature.
    fn fitting(&mut self, wanted: &str) -> String {
        if self.random.chance(30) {
            return self.random.one_of(VALUES).to_owned();
        }
        let fits: &[&str] = match wanted.chars().next() {
            Some('s') => &["\"a\"", "lower(\"A\")", "input.x"],
            Some('n') => &["1", "count([1])", "input.x"],
            Some('[' | '(') => &["[1]", "[\"a\"]", "[]", "input.x", "[[1, \"a\"]]", "[1, \"a\"]"],
            Some('{') if wanted.contains(':') => &["{}", "{\"a\": 1}", "{\"a\": [\"b\"]}", "input.x"],
            Some('{') => &["{1}", "set()", "{\"a\"}", "{{1}}", "input.x"],
            _ => &["1", "\"a\"", "[1]", "{\"a\": 1}"],
        };
        self.random.one_of(fits).to_owned()
    }
}

/// Builtins that can't be called, here or there.
fn is_left_out(name: &str) -> bool {
    let refused = [
        "internal.",
        "rego.",
        "http.",
        "opa.",
        "crypto.",
        "graphql.",
        "providers.",
        "uuid.rfc",
        "yaml.",
        "uri.",
    ];
    let others = [
        "eq",
        "assign",
        "print",
        "trace",
        "net.lookup_ip_addr",
        "rand.intn",
        "strings.render_template",
        "io.jwt.encode_sign",
        "io.jwt.encode_sign_raw",
        "json.match_schema",
        "json.verify_schema",
        "all",
        "any",
        "cast_array",
        "cast_boolean",
        "cast_null",
        "cast_object",
        "cast_set",
        "cast_string",
        "net.cidr_overlap",
        "re_match",
        "set_diff",
        "walk",
    ];
    refused.iter().any(|start| name.starts_with(start)) || others.contains(&name)
}

/// The arguments of a signature.
fn arguments(signature: &str) -> Vec<&str> {
    let (arguments, _) = signature.split_once("->").unwrap();
    let mut depth = 0;
    let between = |c: char| {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0
    };
    arguments.split(between).map(str::trim).collect()
}

fn next_place(text: &str) -> Option<(usize, &'static str)> {
    let places = ["CALLX", "CALL", "RULE", "VALUE"];
    places
        .into_iter()
        .filter_map(|place| Some((text.find(place)?, place)))
        .min_by_key(|(at, place)| (*at, usize::MAX - place.len()))
}

/// The variables of a statement with a number behind their names.
fn rename(statement: &str, number: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '"';
    let mut text = String::new();
    let mut word = String::new();
    for c in statement.chars().chain(['\n']) {
        if is_word(c) {
            word.push(c);
            continue;
        }
        text.push_str(&word);
        let follows_a_dot = text.trim_end_matches(|c: char| is_word(c)).ends_with('.');
        if ["v", "w"].contains(&word.as_str()) && !follows_a_dot {
            text.push_str(number);
        }
        word.clear();
        text.push(c);
    }
    text.trim_end().to_owned()
}

#[test]
fn a_snippet_is_the_same_in_each_run() {
    let texts: Vec<String> = (0..3).map(|number| snippet(number).to_string()).collect();
    assert_eq!(texts, (0..3).map(|number| snippet(number).to_string()).collect::<Vec<_>>());
    assert_eq!(rename("v := VALUE; w == v.w", "7"), "v7 := VALUE; w7 == v7.w");
    assert_eq!(arguments("string, [any]|{any: any} -> string"), ["string", "[any]|{any: any}"]);
}
