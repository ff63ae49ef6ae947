//! MG108: what the interpreter's parser reads in another way than OPA's, by where it stands.

use super::faults::Found;
use super::reading::{Module, Reading, place, place_of};
use super::terms::Place;
use crate::engine::syntax::{
    Descend, Expr, Literal, Query, Ref, Rule, Scopes, Token, Visit, head_reference, walk_module,
};

/// Judges calls that go on on another line, and unions and sets behind a brace.
pub(super) fn judge(reading: &Reading<'_>, found: &mut Found) {
    for module in &reading.modules {
        walk_module(&module.parsed.tree, &mut Layout { module, found });
    }
}

struct Layout<'a> {
    module: &'a Module<'a>,
    found: &'a mut Found,
}

impl Visit for Layout<'_> {
    fn rule(&mut self, rule: &Rule, _: &Scopes) -> Descend {
        self.bracket(head_reference(rule));
        if let Rule::Spec { bodies, .. } = rule
            && let Some(body) = bodies.first()
        {
            self.first_body(&body.query);
        }
        Descend::Into
    }

    fn expression(&mut self, expr: &Ref<Expr>, _: &Scopes) -> Descend {
        if let Expr::Call { fcn, .. } = &**expr {
            self.bracket(fcn);
        }
        let start = place(self.module.parsed, expr).start;
        match &**expr {
            Expr::Array { items, .. } | Expr::Set { items, .. } if items.len() == 1 => self.union(start),
            Expr::Object { fields, .. } => {
                self.union(start);
                if let ([_], Some(colon)) = (fields.as_slice(), self.colon(start)) {
                    self.union(colon);
                }
            }
            _ => {}
        }
        Descend::Into
    }
}

impl Layout<'_> {
    /// The bracket after a function's name, if it is one, stands on the same line.
    fn bracket(&mut self, name: &Expr) {
        let parsed = self.module.parsed;
        let end = place(parsed, name).end;
        let Some(token) = end.checked_sub(1).and_then(|last| parsed.tokens.after(last)) else { return };
        let range = token.range.clone();
        if parsed.text(range.clone()) == "(" && parsed.text(end..range.start).contains('\n') {
            let message = "a line break before `(` makes two statements of a call; write the bracket behind the function's name";
            self.found.add(self.module, "MG108", Place { start: range.start, end: range.end }, message);
        }
    }

    /// A body behind `if {`, where OPA's parser looks for a set and a comprehension first; elsewhere, also behind `else`,
    /// it takes the brace for that of a body at once.
    fn first_body(&mut self, query: &Query) {
        let tokens = &self.module.parsed.tokens;
        let start = place_of(&query.span).start;
        let Some(first) = query.stmts.first() else { return };
        if self.text(tokens.starting_at(start)) != "{" || self.text(tokens.before(start)) != "if" {
            return;
        }
        match &first.literal {
            // The statement's own brace.
            Literal::Expr { expr, .. } if place(self.module.parsed, expr).start == start => {
                if let Expr::Set { .. } = &**expr {
                    let message = "a set alone is no body to OPA; put the statement into `{ … }`";
                    self.found.add(self.module, "MG100", place(self.module.parsed, expr), message);
                }
            }
            _ => self.union(start),
        }
    }

    /// What stands behind a bracket or a colon is no term with a `|` behind it: to OPA that is a comprehension.
    fn union(&mut self, before: usize) {
        let Some(bar) = self.behind_term(before).filter(|token| self.text(Some(token)) == "|") else {
            return;
        };
        let range = bar.range.clone();
        let message = "OPA reads a comprehension here; put the union into parentheses";
        self.found.add(self.module, "MG108", Place { start: range.start, end: range.end }, message);
    }

    /// The token behind the term that begins behind `before`: one token or one pair of brackets, and the steps into it.
    fn behind_term(&self, before: usize) -> Option<&Token> {
        let mut token = self.closing(self.module.parsed.tokens.after(before)?);
        loop {
            let next = self.module.parsed.tokens.after(token.range.start)?;
            token = match self.text(Some(next)) {
                "." => self.module.parsed.tokens.after(next.range.start)?,
                "[" | "(" => self.closing(next),
                _ => return Some(next),
            };
        }
    }

    /// The first colon between the brace of an object and its partner, brackets left aside.
    fn colon(&self, brace: usize) -> Option<usize> {
        let mut token = self.module.parsed.tokens.after(brace)?;
        while self.text(Some(token)) != ":" {
            token = self.module.parsed.tokens.after(self.closing(token).range.start)?;
        }
        Some(token.range.start)
    }

    /// The bracket that closes an opening one; the token itself where it is none.
    fn closing<'b>(&'b self, token: &'b Token) -> &'b Token {
        let tokens = &self.module.parsed.tokens;
        let partner = tokens.partner(token.range.start).filter(|partner| *partner > token.range.start);
        partner.and_then(|partner| tokens.starting_at(partner)).unwrap_or(token)
    }

    fn text(&self, token: Option<&Token>) -> &str {
        token.map(|token| self.module.parsed.text(token.range.clone())).unwrap_or_default()
    }
}
