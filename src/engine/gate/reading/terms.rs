//! The part of `reading` that reads expressions and bodies.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::{RuleReader, place};
use crate::engine::builtins;
use crate::engine::gate::scopes::Refusal;
use crate::engine::gate::terms::{
    Body, Call, Comprehension, Every, Form, Function, Origin, Place, Statement, StatementForm, Term, VarId,
    With,
};
use crate::engine::syntax::{
    ArithOp, AssignOp, BinOp, BoolOp, Expr, Literal, LiteralStmt, Query, Ref, Span, WithModifier, path,
};

impl RuleReader<'_, '_> {
    pub(super) fn body(&mut self, query: &Query) -> Body {
        let mut hidden = BTreeSet::new();
        query.stmts.iter().for_each(|statement| declared_by(statement, &mut hidden));
        self.scopes.hide(hidden);
        query.stmts.iter().map(|statement| self.statement(statement)).collect()
    }

    fn statement(&mut self, statement: &LiteralStmt) -> Statement {
        // The values of `with` are read before what an assignment declares.
        let (form, with) = match &statement.literal {
            Literal::Expr { expr, .. } => match &**expr {
                Expr::AssignExpr { op: AssignOp::ColEq, lhs, rhs, .. } => {
                    let right = self.term(rhs);
                    let with = self.with(statement);
                    self.declare_pattern(lhs, Origin::Assigned);
                    (StatementForm::Unify { left: self.term(lhs), right, assigned: true }, with)
                }
                Expr::AssignExpr { op: AssignOp::Eq, lhs, rhs, .. } => {
                    let (left, right) = (self.term(lhs), self.term(rhs));
                    (StatementForm::Unify { left, right, assigned: false }, self.with(statement))
                }
                _ => (StatementForm::Term(self.term(expr)), self.with(statement)),
            },
            Literal::NotExpr { expr, .. } => {
                let inner = match &**expr {
                    Expr::AssignExpr { op, lhs, rhs, .. } => {
                        if *op == AssignOp::ColEq {
                            let message = "nothing can be assigned under `not`; write `==`";
                            self.found.add(self.module, "MG113", self.place(expr), message);
                        }
                        let (left, right) = (self.term(lhs), self.term(rhs));
                        StatementForm::Unify { left, right, assigned: false }
                    }
                    _ => StatementForm::Term(self.term(expr)),
                };
                (StatementForm::Not(Box::new(inner)), self.with(statement))
            }
            Literal::SomeVars { vars, .. } => {
                for name in vars {
                    self.declare(name.text(), place_of(name), Origin::Some);
                }
                (StatementForm::Some, self.with(statement))
            }
            Literal::SomeIn { key, value, collection, .. } => {
                let collection = self.term(collection);
                let with = self.with(statement);
                statement.with_mods.iter().for_each(|with| self.declare_steps(&with.r#as));
                for pattern in key.iter().chain([value]) {
                    self.declare_pattern(pattern, Origin::Domain);
                }
                let key = key.as_ref().map(|key| self.term(key));
                (StatementForm::SomeIn { key, value: self.term(value), collection }, with)
            }
            Literal::Every { key, value, domain, query, .. } => {
                let domain = self.term(domain);
                let names: Vec<&Span> = key.iter().chain([value]).collect();
                let every = self.every(&names, domain, query);
                (StatementForm::Every(Rc::new(every)), self.with(statement))
            }
        };
        Statement { form, with }
    }

    /// A variable of the domain that is declared nowhere is the one of that name that the body declares, if it does (OPA,
    /// v1/ast/compile.go, rewriteEveryStatement).
    fn every(&mut self, names: &[&Span], mut domain: Term, query: &Query) -> Every {
        self.scopes.enter_every();
        let declare = |name: &&Span| self.declare(name.text(), place_of(name), Origin::Every);
        let variables = names.iter().filter_map(declare).collect();
        let body = self.body(query);
        domain.rename(&self.scopes.declared_after());
        self.leave();
        Every { variables, domain, body }
    }

    fn with(&mut self, statement: &LiteralStmt) -> Vec<With> {
        let read = |with: &WithModifier| {
            let function = self.builtin(&with.r#as);
            let value = match &function {
                Some(_) => Term { place: self.place(&with.r#as), form: Form::Null },
                None => self.term(&with.r#as),
            };
            With {
                target: self.target(&with.refr),
                text: with.refr.span().text().to_owned(),
                value,
                function,
            }
        };
        statement.with_mods.iter().map(read).collect()
    }

    /// The name of a builtin that stands for a value.
    fn builtin(&mut self, expr: &Expr) -> Option<String> {
        match self.function(expr)? {
            Function::Named(name) if builtins::find(&name).is_some() => Some(name),
            _ => None,
        }
    }

    /// The target of `with`: `input` and `data` are the documents here, whatever is declared.
    fn target(&mut self, expr: &Ref<Expr>) -> Term {
        let steps = path(expr).unwrap_or_default();
        let texts = || {
            let place = self.place(expr);
            let text = |step: &String| Term { place, form: Form::Text(step.clone()) };
            steps.iter().skip(1).map(text).collect()
        };
        match steps.first().map(String::as_str) {
            Some("input") => Term { place: self.place(expr), form: Form::Input(texts()) },
            Some("data") => Term { place: self.place(expr), form: Form::Data(texts()) },
            // `with count as …`: the name of a function.
            Some(_) if self.function(expr).is_some_and(|f| matches!(f, Function::Named(_))) => {
                Term { place: self.place(expr), form: Form::Null }
            }
            _ => self.term(expr),
        }
    }

    pub(super) fn declare(&mut self, name: &str, place: Place, origin: Origin) -> Option<VarId> {
        if name == "_" {
            return Some(self.scopes.wildcard(place));
        }
        if self.module.parsed.tree.rego_v1 && matches!(name, "data" | "input") {
            let message = format!("a variable named `{name}` would hide the document; give it another name");
            self.found.add(self.module, "MG114", place, message);
        }
        let message = match self.scopes.declare(name, place, origin) {
            Ok(id) => return Some(id),
            Err(Refusal::UsedAbove) => {
                format!("`{name}` is used above, before it is declared here; give this one another name")
            }
            Err(Refusal::DeclaredAbove) => {
                format!(
                    "`{name}` is declared above already; give this one another name, or compare with `==`"
                )
            }
            Err(Refusal::Argument) => {
                format!(
                    "`{name}` is an argument of the function; give this one another name, or compare with `==`"
                )
            }
        };
        self.found.add(self.module, "MG113", place, message);
        None
    }

    /// Declares the variables of a pattern: `x`, `[x, y]`, `{"a": x}`.
    pub(super) fn declare_pattern(&mut self, pattern: &Expr, origin: Origin) {
        match pattern {
            Expr::Var { span, .. } if span.text() == "_" => {}
            Expr::Var { span, .. } => {
                self.declare(span.text(), place_of(span), origin);
            }
            Expr::Array { items, .. } => {
                items.iter().for_each(|item| self.declare_pattern(item, origin));
            }
            Expr::Object { fields, .. } => {
                fields.iter().for_each(|(_, _, value)| self.declare_pattern(value, origin));
            }
            _ if origin == Origin::Assigned => {
                let message = "only a variable, or an array or object of variables, can be assigned to; write `==` to compare";
                self.found.add(self.module, "MG113", self.place(pattern), message);
            }
            _ => {}
        }
    }

    fn place(&self, expr: &Expr) -> Place {
        place(self.module.parsed, expr)
    }

    /// An expression as it is written.
    fn text(&self, expr: &Expr) -> String {
        self.module.parsed.text(self.module.parsed.range(expr)).to_owned()
    }

    pub(super) fn term(&mut self, expr: &Expr) -> Term {
        let place = self.place(expr);
        let form = match expr {
            Expr::Null { .. } => Form::Null,
            Expr::Bool { value, .. } => Form::Bool(value.as_bool().is_ok_and(|value| *value)),
            Expr::Number { .. } => Form::Number(self.text(expr)),
            Expr::String { value, .. } | Expr::RawString { value, .. } => {
                Form::Text(value.as_string().map(|text| text.to_string()).unwrap_or_default())
            }
            Expr::Var { span, .. } => self.name(span.text(), place),
            Expr::RefDot { refr, field, .. } => {
                let step = Term { place: place_of(&field.0), form: Form::Text(field.0.text().to_owned()) };
                into(self.term(refr), step)
            }
            Expr::RefBrack { refr, index, .. } => {
                let head = self.term(refr);
                into(head, self.term(index))
            }
            Expr::Array { items, .. } => Form::Array(self.terms(items)),
            Expr::Set { items, .. } => Form::Set(self.terms(items)),
            Expr::Object { fields, .. } => Form::Object(
                fields.iter().map(|(_, key, value)| (self.term(key), self.term(value))).collect(),
            ),
            Expr::ArrayCompr { term, query, .. } => self.comprehension(&[term], query, true),
            Expr::SetCompr { term, query, .. } => self.comprehension(&[term], query, false),
            Expr::ObjectCompr { key, value, query, .. } => self.comprehension(&[key, value], query, false),
            Expr::Call { fcn, params, .. } => self.call(fcn, params),
            Expr::UnaryExpr { expr, .. } if matches!(**expr, Expr::Number { .. }) => {
                Form::Number(format!("-{}", self.text(expr)))
            }
            Expr::UnaryExpr { expr, .. } => self.operator("minus", &[expr], place),
            Expr::BinExpr { op, lhs, rhs, .. } => {
                let name = if *op == BinOp::Union { "or" } else { "and" };
                self.operator(name, &[lhs, rhs], place)
            }
            Expr::BoolExpr { op, lhs, rhs, .. } => self.operator(comparison(op), &[lhs, rhs], place),
            Expr::ArithExpr { op, lhs, rhs, .. } => self.operator(arithmetic(op), &[lhs, rhs], place),
            // Only a statement can be one; the parser sees to it.
            Expr::AssignExpr { lhs, rhs, .. } => self.operator("eq", &[lhs, rhs], place),
            Expr::Membership { key, value, collection, .. } => {
                let parts: Vec<&Ref<Expr>> = key.iter().chain([value, collection]).collect();
                let name = if key.is_some() { "internal.member_3" } else { "internal.member_2" };
                self.operator(name, &parts, place)
            }
        };
        Term { place, form }
    }

    fn terms(&mut self, items: &[Ref<Expr>]) -> Vec<Term> {
        items.iter().map(|item| self.term(item)).collect()
    }

    fn operator(&mut self, name: &'static str, operands: &[&Ref<Expr>], name_place: Place) -> Form {
        let arguments = operands.iter().map(|operand| self.term(operand)).collect();
        Form::Call(Box::new(Call { function: Function::Operator(name), name: name_place, arguments }))
    }

    fn comprehension(&mut self, terms: &[&Ref<Expr>], query: &Query, is_array: bool) -> Form {
        self.scopes.enter();
        let body = self.body(query);
        let terms = terms.iter().map(|term| self.term(term)).collect();
        self.leave();
        Form::Comprehension(Rc::new(Comprehension { is_array, terms, body }))
    }

    fn call(&mut self, function: &Expr, arguments: &[Ref<Expr>]) -> Form {
        let name = self.place(function);
        let resolved = self.function(function).unwrap_or(Function::Variable(String::new()));
        let arguments = self.terms(arguments);
        Form::Call(Box::new(Call { function: resolved, name, arguments }))
    }

    /// What a call's name means; none where it is not made of names.
    fn function(&mut self, expr: &Expr) -> Option<Function> {
        let steps = path(expr)?;
        let first = steps.first()?;
        if self.scopes.declared(first).is_some() || self.scopes.hides(first) {
            return Some(Function::Variable(first.clone()));
        }
        Some(match self.module.document(first) {
            Some(mut document) => {
                document.extend(steps.iter().skip(1).cloned());
                match document.first().map(String::as_str) {
                    Some("data") => Function::Rule(document.split_off(1)),
                    _ => Function::Variable(steps.join(".")),
                }
            }
            None => Function::Named(steps.join(".")),
        })
    }

    /// A name as a value.
    fn name(&mut self, name: &str, place: Place) -> Form {
        if name == "_" {
            return Form::Variable(self.scopes.wildcard(place));
        }
        if let Some(id) = self.scopes.declared(name) {
            return Form::Variable(id);
        }
        if self.scopes.hides(name) {
            return Form::Variable(self.scopes.free(name, place));
        }
        let Some(document) = self.module.document(name) else {
            return Form::Variable(self.scopes.free(name, place));
        };
        let step = |step: &String| Term { place, form: Form::Text(step.clone()) };
        let steps = document.iter().skip(1).map(step).collect();
        match document.first().map(String::as_str) {
            Some("input") => Form::Input(steps),
            _ => Form::Data(steps),
        }
    }
}

impl super::Module<'_> {
    /// The path that a name stands for, with `data` or `input` first: a document, an import, a rule.
    pub(super) fn document(&self, name: &str) -> Option<Vec<String>> {
        if matches!(name, "data" | "input") {
            return Some(vec![name.to_owned()]);
        }
        // An import hides a rule of that name, which another module of the package may have.
        if let Some(import) = self.imports.iter().find(|import| import.name == name) {
            return Some(import.path.clone());
        }
        self.rule_names.contains(name).then(|| {
            let steps = self.package.iter().cloned().chain([name.to_owned()]);
            std::iter::once("data".to_owned()).chain(steps).collect()
        })
    }
}

/// A step further.
pub(in crate::engine::gate) fn into(head: Term, step: Term) -> Form {
    match head.form {
        Form::Data(mut steps) => {
            steps.push(step);
            Form::Data(steps)
        }
        Form::Input(mut steps) => {
            steps.push(step);
            Form::Input(steps)
        }
        Form::Into(first, mut steps) => {
            steps.push(step);
            Form::Into(first, steps)
        }
        _ => Form::Into(Box::new(head), vec![step]),
    }
}

fn declared_by(statement: &LiteralStmt, names: &mut BTreeSet<String>) {
    match &statement.literal {
        Literal::SomeVars { vars, .. } => names.extend(vars.iter().map(|name| name.text().to_owned())),
        Literal::SomeIn { key, value, .. } => {
            key.iter().chain([value]).for_each(|pattern| pattern_names(pattern, names));
        }
        Literal::Expr { expr, .. } => {
            if let Expr::AssignExpr { op: AssignOp::ColEq, lhs, .. } = &**expr {
                pattern_names(lhs, names);
            }
        }
        Literal::NotExpr { .. } | Literal::Every { .. } => {}
    }
}

fn pattern_names(pattern: &Expr, names: &mut BTreeSet<String>) {
    match pattern {
        Expr::Var { span, .. } if span.text() != "_" => {
            names.insert(span.text().to_owned());
        }
        Expr::Array { items, .. } => items.iter().for_each(|item| pattern_names(item, names)),
        Expr::Object { fields, .. } => fields.iter().for_each(|(_, _, value)| pattern_names(value, names)),
        _ => {}
    }
}

fn comparison(op: &BoolOp) -> &'static str {
    match op {
        BoolOp::Lt => "lt",
        BoolOp::Le => "lte",
        BoolOp::Eq => "equal",
        BoolOp::Ge => "gte",
        BoolOp::Gt => "gt",
        BoolOp::Ne => "neq",
    }
}

fn arithmetic(op: &ArithOp) -> &'static str {
    match op {
        ArithOp::Add => "plus",
        ArithOp::Sub => "minus",
        ArithOp::Mul => "mul",
        ArithOp::Div => "div",
        ArithOp::Mod => "rem",
    }
}

/// Where a part of the text stands.
pub(in crate::engine::gate) fn place_of(span: &Span) -> Place {
    let whole = |offset: u32| usize::try_from(offset).unwrap_or_default();
    Place { start: whole(span.start), end: whole(span.end) }
}
