//! Walking through a tree, top down, with the names declared on the way.

use super::{Expr, Literal, LiteralStmt, Query, Ref, Rule, RuleBody, RuleHead, Scopes, Tree};

/// Whether to look at what is below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Descend {
    /// Yes.
    Into,
    /// No.
    Past,
}

/// What is called on the way, before what is below. Everything does nothing by default.
pub(in crate::engine) trait Visit {
    /// A rule; its arguments are declared.
    fn rule(&mut self, _rule: &Rule, _scopes: &Scopes) -> Descend {
        Descend::Into
    }

    /// A body: of a rule, a comprehension, an `every`. What it declares is declared.
    fn query(&mut self, _query: &Query, _scopes: &Scopes) -> Descend {
        Descend::Into
    }

    /// A statement of a body.
    fn statement(&mut self, _statement: &LiteralStmt, _scopes: &Scopes) -> Descend {
        Descend::Into
    }

    /// An expression, wherever it stands: in heads, statements, other expressions, and as a target of `with`.
    fn expression(&mut self, _expr: &Ref<Expr>, _scopes: &Scopes) -> Descend {
        Descend::Into
    }
}

/// Walks through all rules of a module.
pub(in crate::engine) fn walk_module(tree: &Tree, visit: &mut impl Visit) {
    let mut scopes = Scopes::default();
    for rule in &tree.policy {
        scopes.enter_rule(rule);
        if visit.rule(rule, &scopes) == Descend::Into {
            walk_rule(rule, &mut scopes, visit);
        }
        scopes.leave();
    }
}

fn walk_rule(rule: &Rule, scopes: &mut Scopes, visit: &mut impl Visit) {
    let (head, bodies) = match rule {
        Rule::Default { refr, args, value, .. } => {
            for expr in [refr].into_iter().chain(args).chain([value]) {
                walk_expr(expr, scopes, visit);
            }
            return;
        }
        Rule::Spec { head, bodies, .. } => (head, bodies),
    };
    // The head's value and key see what the first body declares.
    let first = bodies.first();
    if let Some(body) = first {
        scopes.enter_query(&body.query);
    }
    let (refr, args, terms) = match head {
        RuleHead::Compr { refr, assign, .. } => (refr, [].as_slice(), assign.as_ref().map(|a| &a.value)),
        RuleHead::Set { refr, key, .. } => (refr, [].as_slice(), key.as_ref()),
        RuleHead::Func { refr, args, assign, .. } => {
            (refr, args.as_slice(), assign.as_ref().map(|a| &a.value))
        }
    };
    for expr in [refr].into_iter().chain(args).chain(terms) {
        walk_expr(expr, scopes, visit);
    }
    if first.is_some() {
        scopes.leave();
    }
    for RuleBody { assign, query, .. } in bodies {
        scopes.enter_query(query);
        if let Some(assign) = assign {
            walk_expr(&assign.value, scopes, visit);
        }
        scopes.leave();
        walk_query(query, scopes, visit);
    }
}

/// Walks through a body.
pub(in crate::engine) fn walk_query(query: &Query, scopes: &mut Scopes, visit: &mut impl Visit) {
    scopes.enter_query(query);
    if visit.query(query, scopes) == Descend::Into {
        for statement in &query.stmts {
            if visit.statement(statement, scopes) == Descend::Into {
                walk_statement(statement, scopes, visit);
            }
        }
    }
    scopes.leave();
}

fn walk_statement(statement: &LiteralStmt, scopes: &mut Scopes, visit: &mut impl Visit) {
    match &statement.literal {
        Literal::SomeVars { .. } => {}
        Literal::SomeIn { key, value, collection, .. } => {
            for expr in key.iter().chain([value, collection]) {
                walk_expr(expr, scopes, visit);
            }
        }
        Literal::Expr { expr, .. } | Literal::NotExpr { expr, .. } => walk_expr(expr, scopes, visit),
        Literal::Every { key, value, domain, query, .. } => {
            walk_expr(domain, scopes, visit);
            scopes.enter_every(key.iter().chain([value]).map(|name| name.text().to_owned()));
            walk_query(query, scopes, visit);
            scopes.leave();
        }
    }
    for modifier in &statement.with_mods {
        walk_expr(&modifier.refr, scopes, visit);
        walk_expr(&modifier.r#as, scopes, visit);
    }
}

fn walk_expr(expr: &Ref<Expr>, scopes: &mut Scopes, visit: &mut impl Visit) {
    if visit.expression(expr, scopes) == Descend::Past {
        return;
    }
    let query = query_of(expr);
    if let Some(query) = query {
        scopes.enter_query(query);
    }
    for child in children(expr) {
        walk_expr(child, scopes, visit);
    }
    if let Some(query) = query {
        scopes.leave();
        walk_query(query, scopes, visit);
    }
}

/// The expressions directly below one, in the order of the text. Not those of a comprehension's body.
pub(in crate::engine) fn children(expr: &Expr) -> Vec<&Ref<Expr>> {
    match expr {
        Expr::String { .. }
        | Expr::RawString { .. }
        | Expr::Number { .. }
        | Expr::Bool { .. }
        | Expr::Null { .. }
        | Expr::Var { .. } => Vec::new(),
        Expr::Array { items, .. } | Expr::Set { items, .. } => items.iter().collect(),
        Expr::Object { fields, .. } => fields.iter().flat_map(|(_, key, value)| [key, value]).collect(),
        Expr::ArrayCompr { term, .. } | Expr::SetCompr { term, .. } => vec![term],
        Expr::ObjectCompr { key, value, .. } => vec![key, value],
        Expr::Call { fcn, params, .. } => [fcn].into_iter().chain(params).collect(),
        Expr::UnaryExpr { expr, .. } => vec![expr],
        Expr::RefDot { refr, .. } => vec![refr],
        Expr::RefBrack { refr, index, .. } => vec![refr, index],
        Expr::BinExpr { lhs, rhs, .. }
        | Expr::BoolExpr { lhs, rhs, .. }
        | Expr::ArithExpr { lhs, rhs, .. }
        | Expr::AssignExpr { lhs, rhs, .. } => vec![lhs, rhs],
        Expr::Membership { key, value, collection, .. } => key.iter().chain([value, collection]).collect(),
    }
}

/// The body of a comprehension.
pub(in crate::engine) fn query_of(expr: &Expr) -> Option<&Query> {
    match expr {
        Expr::ArrayCompr { query, .. } | Expr::SetCompr { query, .. } | Expr::ObjectCompr { query, .. } => {
            Some(query)
        }
        _ => None,
    }
}
