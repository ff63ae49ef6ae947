//! MG109: what would cost the parser, or the stack, more than any policy is worth. Found by one scan of the text,
//! before anything parses it. MG110 on the way: string interpolation that is not closed.
//!
//! The interpreter's parser tries the first element of `[` and `{` as a comprehension's and then again as a literal's,
//! so each level doubles the work for what is within; and it recurses, as whoever walks its tree does.

use super::scanner::{Scanned, Scanner};
use crate::policy::{Fault, Module};

/// Bytes of one module; the largest in public repositories have 1 MB.
const BYTES: usize = 8 * 1024 * 1024;
/// Lines of one module.
const LINES: usize = 200_000;
/// Columns of one line; a minified data file has more, a policy does not.
const COLUMNS: usize = 8 * 1024;
/// Brackets within brackets, of any kind. The parser takes 32 levels of parentheses.
const DEPTH: usize = 32;
/// How often all tokens together may be read: each twice for every literal around it in whose first element it is.
/// Measured: 7 µs a reading, so some two seconds; a Pod of usual size, ten levels deep, takes a tenth of it.
const READINGS: u64 = 300_000;
/// Operators, and steps of references, in one expression and those around it: each is a level of the tree.
const OPERATORS: usize = 256;

/// Judges a text.
pub(super) fn judge(module: &Module, faults: &mut Vec<Fault>) {
    let Module { path, text } = module;
    if text.len() > BYTES {
        faults.push(fault(
            path,
            (1, 1),
            format!("{} bytes, {BYTES} is the limit; part the file", text.len()),
        ));
        return;
    }
    let lines = text.lines().count();
    if lines > LINES {
        faults.push(fault(path, (LINES, 1), format!("{lines} lines, {LINES} is the limit; part the file")));
        return;
    }
    if let Some((number, line)) = text.lines().enumerate().find(|(_, line)| columns(line) >= COLUMNS) {
        let message = format!("{} columns, {COLUMNS} is the limit; break the line", columns(line));
        faults.push(fault(path, (number.saturating_add(1), 1), message));
        return;
    }
    let mut load = Load::default();
    for scanned in Scanner::new(text) {
        if let Some((code, message)) = load.add(&scanned, text) {
            let place = crate::engine::syntax::place(text, scanned.start);
            faults.push(Fault { code: Some(code), length: 1, ..Fault::new(path, place, message) });
            return;
        }
    }
}

/// As the interpreter counts them: a tab is four.
fn columns(line: &str) -> usize {
    line.len().saturating_add(line.matches('\t').count().saturating_mul(3))
}

fn fault(path: &str, place: (usize, usize), message: String) -> Fault {
    Fault { code: Some("MG109"), length: 1, ..Fault::new(path, place, message) }
}

/// What a text asks of the parser so far.
#[derive(Default)]
struct Load {
    /// For each open bracket, whether it opens a literal whose first element is being read, and the operators of its
    /// expression so far.
    open: Vec<(bool, usize)>,
    /// How many of these there are.
    literals: u32,
    readings: u64,
    operators: usize,
    last: Last,
}

/// The token before.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Last {
    /// A statement may begin.
    #[default]
    Start,
    /// A value, or a word.
    Value,
    /// An operator: the expression goes on, also on the next line.
    Operator,
}

impl Load {
    fn add(&mut self, scanned: &Scanned, text: &str) -> Option<(&'static str, String)> {
        let token = text.get(scanned.start..scanned.end).unwrap_or_default();
        let readings = 1_u64.checked_shl(self.literals).unwrap_or(u64::MAX);
        self.readings = self.readings.saturating_add(readings);
        if scanned.new_line && self.last == Last::Value && !is_operator(token) {
            self.operators = self.outside();
        }
        match token {
            "$" => {
                let message = "this string interpolation can't be read; close its quotes and braces, or write `sprintf`";
                return Some(("MG110", message.to_owned()));
            }
            "(" | "[" | "{" => {
                let is_index = token == "[" && !scanned.space && self.last == Last::Value;
                let is_literal = token != "(" && !is_index;
                self.literals = self.literals.saturating_add(u32::from(is_literal));
                self.operators = self.operators.saturating_add(usize::from(is_index));
                self.open.push((is_literal, self.operators));
                self.last = Last::Start;
            }
            ")" | "]" | "}" => {
                let (was_literal, operators) = self.open.pop().unwrap_or_default();
                self.literals = self.literals.saturating_sub(u32::from(was_literal));
                self.operators = operators;
                self.last = Last::Value;
            }
            "," | ";" | ":" => {
                if token == "," {
                    self.first_is_read();
                }
                self.operators = self.outside();
                self.last = Last::Start;
            }
            _ if is_operator(token) || token == "." => {
                self.operators = self.operators.saturating_add(1);
                self.last = Last::Operator;
            }
            _ => self.last = Last::Value,
        }
        let problem = if self.open.len() > DEPTH {
            format!(
                "brackets within brackets, more than {DEPTH} levels; name the inner parts in rules of their own"
            )
        } else if self.readings > READINGS {
            "literals within literals, which take the parser too long; name the inner parts in rules of their own".to_owned()
        } else if self.operators > OPERATORS {
            format!("an expression of more than {OPERATORS} operators and steps; part it")
        } else {
            return None;
        };
        Some(("MG109", problem))
    }

    /// Behind the first element of a literal nothing of it is read twice.
    fn first_is_read(&mut self) {
        if let Some((is_literal, _)) = self.open.last_mut()
            && std::mem::take(is_literal)
        {
            self.literals = self.literals.saturating_sub(1);
        }
    }

    /// The operators of the expressions around this one.
    fn outside(&self) -> usize {
        self.open.last().map(|(_, operators)| *operators).unwrap_or_default()
    }
}

fn is_operator(token: &str) -> bool {
    matches!(
        token,
        "+" | "-" | "*" | "/" | "%" | "|" | "&" | "=" | "==" | "!=" | "<" | "<=" | ">" | ">=" | ":=" | "in"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(text: &str) -> Vec<&'static str> {
        let mut faults = Vec::new();
        judge(&Module { path: "a.rego".to_owned(), text: text.to_owned() }, &mut faults);
        faults.iter().filter_map(|fault| fault.code).collect()
    }

    #[test]
    fn what_people_write_passes() {
        let deep = format!("package a\np := {}1{}", "{\"a\": [".repeat(6), "]}".repeat(6));
        let wide = format!("package a\np := {}1{}", "{\"b\": 1, \"a\": [2, ".repeat(12), "]}".repeat(12));
        let long: String = (0..500).map(|n| format!("p := x if x := {n} + {n}\n")).collect();
        let sum = format!("package a\np := 1{}", " + 1".repeat(200));
        for text in [deep, wide, long, sum, "package a\np := `$\"` # $\n".to_owned()] {
            assert_eq!(codes(&text), Vec::<&str>::new(), "{text}");
        }
    }

    #[test]
    fn what_costs_too_much_is_refused() {
        for text in [
            format!("package a\np := {}1{}", "[".repeat(33), "]".repeat(33)),
            format!("package a\np := {}{}{}", "[".repeat(20), "1, ".repeat(20), "]".repeat(20)),
            format!("package a\np := {}1{}", "((".repeat(20), "))".repeat(20)),
            format!("package a\np := 1{}", " + 1".repeat(300)),
            format!("package a\np := 1{}", "\n+ 1".repeat(300)),
            format!("package a\np := 1{}", " +\n1".repeat(300)),
            format!("package a\np := x{}", "[\n0]".repeat(300)),
            format!("package a\np := 1{}1{}", " + (1 + (".repeat(15), "))".repeat(15))
                .replace("1 +", &"1 + ".repeat(20)),
            format!("package a\np := \"{}\"", "x".repeat(COLUMNS)),
            "\n".repeat(LINES + 1),
            " ".repeat(BYTES + 1),
        ] {
            assert_eq!(codes(&text), ["MG109"], "{}", text.chars().take(80).collect::<String>());
        }
    }

    #[test]
    fn interpolation_is_named() {
        assert_eq!(codes("package a\np := $\"x {input.a\n"), ["MG110"]);
    }
}
