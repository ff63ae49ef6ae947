//! From the interpreter's tree to ours.

use super::tree::{Body, Branch, Import, Kind, Module, Node, Rule, Shape, Statement, Term};
use crate::engine::syntax::{
    self, ArithOp, AssignOp, BinOp, BoolOp, Expr, Literal, LiteralStmt, Parsed, Query, Ref, RuleBody,
    RuleHead, Span,
};

/// Reads a module. Bodies in a chain (`p { … } { … }`) are rules of their own.
pub(super) fn module(parsed: &Parsed) -> Module {
    let imports = parsed.tree.imports.iter().filter_map(|import| {
        let path = syntax::path(&import.refr)?;
        if !["data", "input"].contains(&path.first()?.as_str()) {
            return None;
        }
        let name = import.r#as.as_ref().map(|name| name.text().to_owned());
        Some(Import { name: name.or_else(|| path.last().cloned())?, path })
    });
    Module {
        package: syntax::path(&parsed.tree.package.refr).unwrap_or_default(),
        imports: imports.collect(),
        rules: parsed.tree.policy.iter().flat_map(|rule| rules(rule)).collect(),
    }
}

fn rules(rule: &syntax::Rule) -> Vec<Rule> {
    let (span, head, bodies) = match rule {
        syntax::Rule::Default { span, refr, args, value, .. } => {
            let arguments = (!args.is_empty()).then(|| args.iter().map(term).collect());
            return vec![Rule { default: true, arguments, value: Some(term(value)), ..bare(span, refr) }];
        }
        syntax::Rule::Spec { span, head, bodies } => (span, head, bodies),
    };
    let value = |assign: &Option<syntax::RuleAssign>| assign.as_ref().map(|assign| term(&assign.value));
    let rule = match head {
        RuleHead::Compr { refr, assign, .. } => Rule { value: value(assign), ..bare(span, refr) },
        RuleHead::Func { refr, args, assign, .. } => {
            let arguments = Some(args.iter().map(term).collect());
            Rule { arguments, value: value(assign), ..bare(span, refr) }
        }
        RuleHead::Set { refr, key: Some(key), .. } => Rule { key: Some(term(key)), ..bare(span, refr) },
        // Of old: `p.q { … }` is an element of the set p.
        RuleHead::Set { refr, key: None, .. } => match &**refr {
            Expr::RefDot { refr, field, .. } => {
                let key = Term::text(field.0.text(), field.0.line);
                Rule { key: Some(key), ..bare(span, refr) }
            }
            _ => bare(span, refr),
        },
    };
    chain(&rule, bodies)
}

fn bare(span: &Span, reference: &Ref<Expr>) -> Rule {
    Rule {
        line: span.line,
        default: false,
        reference: term(reference),
        arguments: None,
        key: None,
        value: None,
        body: None,
        otherwise: Vec::new(),
    }
}

fn chain(rule: &Rule, bodies: &[RuleBody]) -> Vec<Rule> {
    let mut rules: Vec<Rule> = Vec::new();
    for written in bodies {
        let body = Some(body(&written.query)).filter(|body| !body.is_empty());
        match rules.last_mut() {
            Some(last) if written.is_else => {
                let value = written.assign.as_ref().map(|assign| term(&assign.value));
                last.otherwise.push(Branch { line: written.span.line, value, body });
            }
            _ => rules.push(Rule { body, ..rule.clone() }),
        }
    }
    if rules.is_empty() {
        rules.push(rule.clone());
    }
    rules
}

fn body(query: &Query) -> Body {
    query.stmts.iter().map(statement).collect()
}

fn statement(statement: &LiteralStmt) -> Statement {
    let kind = match &statement.literal {
        Literal::SomeVars { vars, .. } => {
            Kind::Some(vars.iter().map(|name| name.text().to_owned()).collect())
        }
        Literal::SomeIn { key, value, collection, .. } => {
            Kind::SomeIn(key.as_ref().map(term), term(value), term(collection))
        }
        Literal::Expr { expr, .. } => expression(expr),
        Literal::NotExpr { expr, .. } => Kind::Not(Box::new(expression(expr))),
        Literal::Every { key, value, domain, query, .. } => {
            let name = |span: &Span| span.text().to_owned();
            Kind::Every(key.as_ref().map(name), name(value), term(domain), body(query))
        }
    };
    let with = statement.with_mods.iter().map(|with| (term(&with.refr), term(&with.r#as))).collect();
    Statement { line: statement.span.line, kind, with }
}

fn expression(expr: &Ref<Expr>) -> Kind {
    match &**expr {
        Expr::AssignExpr { op: AssignOp::ColEq, lhs, rhs, .. } => Kind::Assign(term(lhs), term(rhs)),
        Expr::AssignExpr { op: AssignOp::Eq, lhs, rhs, .. } => Kind::Unify(term(lhs), term(rhs)),
        _ => Kind::Term(term(expr)),
    }
}

fn term(expr: &Ref<Expr>) -> Term {
    Term { line: expr.span().line, node: node(expr) }
}

/// Of two members with the same constant as a key OPA's parser keeps the last value, in the place of the first.
fn members(all: impl Iterator<Item = (Term, Term)>) -> Vec<(Term, Term)> {
    let mut kept: Vec<(Term, Term)> = Vec::new();
    for (key, value) in all {
        let constant = key.as_json();
        let same = kept.iter_mut().find(|(other, _)| constant.is_some() && other.as_json() == constant);
        match same {
            Some((_, before)) => *before = value,
            None => kept.push((key, value)),
        }
    }
    // Where two keys are the same in the end, the value of the one that was computed counts.
    kept.sort_by_key(|(key, _)| key.as_json().is_none());
    kept
}

fn node(expr: &Ref<Expr>) -> Node {
    let all = |exprs: &[Ref<Expr>]| exprs.iter().map(term).collect::<Vec<_>>();
    let boxed = |expr: &Ref<Expr>| Box::new(term(expr));
    match &**expr {
        Expr::String { value, .. } | Expr::RawString { value, .. } => {
            Node::Constant(value.to_json_str().unwrap_or_default())
        }
        Expr::Number { span, .. } | Expr::Bool { span, .. } | Expr::Null { span, .. } => {
            Node::Constant(span.text().to_owned())
        }
        Expr::Var { span, .. } => Node::Variable(span.text().to_owned()),
        Expr::Array { items, .. } => Node::Array(all(items)),
        Expr::Set { items, .. } => Node::Set(all(items)),
        Expr::Object { fields, .. } => {
            Node::Object(members(fields.iter().map(|(_, key, value)| (term(key), term(value)))))
        }
        Expr::ArrayCompr { term: head, query, .. } => {
            Node::Comprehension(Shape::Array, vec![term(head)], body(query))
        }
        Expr::SetCompr { term: head, query, .. } => {
            Node::Comprehension(Shape::Set, vec![term(head)], body(query))
        }
        Expr::ObjectCompr { key, value, query, .. } => {
            Node::Comprehension(Shape::Object, vec![term(key), term(value)], body(query))
        }
        Expr::Call { fcn, params, .. } => Node::Call(boxed(fcn), all(params)),
        // Only numbers are negated; the gate refuses all else.
        Expr::UnaryExpr { expr, .. } => Node::Constant(format!("-{}", expr.span().text())),
        Expr::RefDot { refr, field, .. } => {
            step(refr, Term { line: field.0.line, node: Node::Name(field.0.text().to_owned()) })
        }
        Expr::RefBrack { refr, index, .. } => step(refr, term(index)),
        Expr::BinExpr { op, lhs, rhs, .. } => Node::Infix(set_operator(op), boxed(lhs), boxed(rhs)),
        Expr::BoolExpr { op, lhs, rhs, .. } => Node::Infix(comparison(op), boxed(lhs), boxed(rhs)),
        Expr::ArithExpr { op, lhs, rhs, .. } => Node::Infix(arithmetic(op), boxed(lhs), boxed(rhs)),
        // Only a whole statement is an assignment; the parser gives no other.
        Expr::AssignExpr { lhs, rhs, .. } => Node::Infix("==", boxed(lhs), boxed(rhs)),
        Expr::Membership { key, value, collection, .. } => {
            Node::In(key.as_ref().map(boxed), boxed(value), boxed(collection))
        }
    }
}

fn step(base: &Ref<Expr>, step: Term) -> Node {
    let base = term(base);
    match base.node {
        Node::Reference(base, mut steps) => {
            steps.push(step);
            Node::Reference(base, steps)
        }
        _ => Node::Reference(Box::new(base), vec![step]),
    }
}

fn set_operator(op: &BinOp) -> &'static str {
    match op {
        BinOp::Intersection => "&",
        BinOp::Union => "|",
    }
}

fn comparison(op: &BoolOp) -> &'static str {
    match op {
        BoolOp::Lt => "<",
        BoolOp::Le => "<=",
        BoolOp::Eq => "==",
        BoolOp::Ge => ">=",
        BoolOp::Gt => ">",
        BoolOp::Ne => "!=",
    }
}

fn arithmetic(op: &ArithOp) -> &'static str {
    match op {
        ArithOp::Add => "+",
        ArithOp::Sub => "-",
        ArithOp::Mul => "*",
        ArithOp::Div => "/",
        ArithOp::Mod => "%",
    }
}
