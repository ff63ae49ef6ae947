//! The statements of a body as they are written, and the parts that say something on their own.

use std::ops::Range;

use crate::engine::syntax::{Expr, Literal, LiteralStmt, Parsed, Query, Token};

/// A statement with its text.
pub(super) struct Statement<'a> {
    pub(super) parsed: &'a Parsed,
    pub(super) literal: &'a LiteralStmt,
    range: Range<usize>,
}

/// What a statement compares, or the one thing that it is about.
pub(super) struct Sides<'a> {
    pub(super) left: &'a str,
    pub(super) right: Option<&'a str>,
    /// `with … as …`, of both.
    pub(super) modifiers: &'a str,
    /// Whether both have to be the same.
    pub(super) is_equality: bool,
    /// Which one is what should be.
    pub(super) expected: Side,
}

/// A side of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

/// The statements of a body.
pub(super) fn statements<'a>(parsed: &'a Parsed, query: &'a Query) -> Vec<Statement<'a>> {
    let statement = |literal| Statement { parsed, literal, range: range(parsed, literal) };
    query.stmts.iter().map(statement).collect()
}

/// From the first token to the last: the parser's span leaves out quotes at both ends.
fn range(parsed: &Parsed, literal: &LiteralStmt) -> Range<usize> {
    let whole = |offset: u32| usize::try_from(offset).unwrap_or_default();
    let (start, end) = (whole(literal.span.start), whole(literal.span.end));
    let first = parsed.tokens.starting_at(start).or_else(|| parsed.tokens.before(start));
    let last = parsed.tokens.before(end);
    first.map_or(start, |token| token.range.start)..last.map_or(end, |token| token.range.end)
}

impl Statement<'_> {
    /// As it is written.
    pub(super) fn text(&self) -> &str {
        self.parsed.text(self.range.clone())
    }

    /// As it is written, without the indentation of the line that it begins on.
    pub(super) fn shown(&self) -> String {
        let before = self.parsed.text(0..self.range.start);
        let line = before.rsplit('\n').next().unwrap_or_default();
        let indentation: String = line.chars().take_while(|c| c.is_whitespace()).collect();
        let unindented =
            self.text().lines().map(|line| line.strip_prefix(indentation.as_str()).unwrap_or(line));
        unindented.collect::<Vec<_>>().join("\n")
    }

    /// Its line.
    pub(super) fn line(&self) -> usize {
        self.parsed.text(0..self.range.start).matches('\n').count().saturating_add(1)
    }

    /// What can be said of it.
    pub(super) fn sides(&self) -> Option<Sides<'_>> {
        let with = self.outer("with").map_or(self.range.end, |token| token.range.start);
        let modifiers = self.parsed.text(with..self.range.end);
        let part = |range: Range<usize>| self.parsed.text(range).trim();
        let one =
            |left| Some(Sides { left, right: None, modifiers, is_equality: false, expected: Side::Right });
        let (expr, operators) = match &self.literal.literal {
            Literal::SomeVars { .. } => return None,
            Literal::SomeIn { .. } | Literal::Every { .. } => return one(self.domain()?),
            Literal::NotExpr { .. } => {
                let not = self.parsed.tokens.starting_at(self.range.start)?;
                return one(part(not.range.end..with));
            }
            Literal::Expr { expr, .. } => match &**expr {
                Expr::BoolExpr { .. } => (expr, ["==", "!=", "<=", ">=", "<", ">"].as_slice()),
                Expr::AssignExpr { .. } => (expr, [":=", "="].as_slice()),
                _ => return one(part(self.range.start..with)),
            },
        };
        let operator = self.operator(operators, with)?.range.clone();
        let (left, right) = (part(self.range.start..operator.start), part(operator.end..with));
        match self.parsed.text(operator) {
            ":=" => one(right),
            text => {
                let is_equality = matches!(text, "==" | "=");
                Some(Sides { left, right: Some(right), modifiers, is_equality, expected: expected(expr) })
            }
        }
    }

    /// What `some … in` and `every … in` go through.
    pub(super) fn domain(&self) -> Option<&str> {
        let start = self.outer("in")?.range.end;
        let end = match &self.literal.literal {
            Literal::Every { .. } => {
                let closing = self.parsed.tokens.before(self.range.end)?;
                self.parsed.tokens.partner(closing.range.start)?
            }
            _ => self.outer("with").map_or(self.range.end, |token| token.range.start),
        };
        Some(self.parsed.text(start..end).trim())
    }

    /// The last of `operators` outside of brackets and before `end`.
    fn operator(&self, operators: &[&str], end: usize) -> Option<&Token> {
        let found = self.outside_brackets().filter(|token| token.range.start < end && !token.is_text());
        found.filter(|token| operators.contains(&self.parsed.text(token.range.clone()))).last()
    }

    /// The first token outside of brackets that is this word.
    fn outer(&self, word: &str) -> Option<&Token> {
        self.outside_brackets()
            .find(|token| !token.is_text() && self.parsed.text(token.range.clone()) == word)
    }

    fn outside_brackets(&self) -> impl Iterator<Item = &Token> {
        let mut depth = 0_usize;
        self.parsed.tokens.within(&self.range).iter().filter(move |token| {
            if token.is_text() {
                return depth == 0;
            }
            match self.parsed.text(token.range.clone()) {
                "(" | "[" | "{" | "set(" => depth = depth.saturating_add(1),
                ")" | "]" | "}" => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0
        })
    }
}

/// What should be is mostly written out, and mostly to the right.
fn expected(comparison: &Expr) -> Side {
    let is_written_out =
        |expr: &Expr| matches!(expr, Expr::Array { .. } | Expr::Set { .. } | Expr::Object { .. });
    match comparison {
        Expr::BoolExpr { lhs, rhs, .. } | Expr::AssignExpr { lhs, rhs, .. }
            if is_written_out(lhs) && !is_written_out(rhs) =>
        {
            Side::Left
        }
        _ => Side::Right,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::syntax::{RegoVersion, Rule};
    use crate::policy::Module;

    /// The sides of the only statement of a body, and what modifies them.
    fn sides(statement: &str) -> (String, Option<String>, String) {
        let text = format!("package a\n\np if {{\n\t{statement}\n}}\n");
        let parsed = Parsed::parse(Module { path: "a.rego".to_owned(), text }, RegoVersion::V1).unwrap();
        let Rule::Spec { bodies, .. } = &*parsed.tree.policy[0] else { panic!("a rule") };
        let statements = statements(&parsed, &bodies[0].query);
        assert_eq!((statements.len(), statements[0].text()), (1, statement));
        assert_eq!(statements[0].line(), 4);
        let sides = statements[0].sides().unwrap();
        (sides.left.to_owned(), sides.right.map(str::to_owned), sides.modifiers.to_owned())
    }

    #[test]
    fn what_a_statement_is_about() {
        let with = "with input as {\"a\": 1 == 1}";
        for (statement, left, right, modifiers) in [
            ("x == {1, 2}", "x", Some("{1, 2}"), ""),
            ("\"a\" != f(\"==\")", "\"a\"", Some("f(\"==\")"), ""),
            ("(a | b) == set()", "(a | b)", Some("set()"), ""),
            ("data.a.b == {} with input as {\"a\": 1 == 1}", "data.a.b", Some("{}"), with),
            ("{x | x := 1} == [\"a\"]", "{x | x := 1}", Some("[\"a\"]"), ""),
            ("count(x) > 1 + 2", "count(x)", Some("1 + 2"), ""),
            ("x := f(y) with input as z", "f(y)", None, "with input as z"),
            ("not a.b with input as 1", "a.b", None, "with input as 1"),
            ("some x in [1] with input as 1", "[1]", None, "with input as 1"),
            ("every k, v in {\"a\": {1}} { k == v }", "{\"a\": {1}}", None, ""),
            ("a.b[\"c\"]", "a.b[\"c\"]", None, ""),
            ("\"a\" in b", "\"a\" in b", None, ""),
        ] {
            let expected = (left.to_owned(), right.map(str::to_owned), modifiers.to_owned());
            assert_eq!(sides(statement), expected, "{statement}");
        }
    }
}
