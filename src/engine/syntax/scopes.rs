//! Which names are variables of a body, and which are rules, imports and documents.

use std::collections::BTreeSet;

use super::{AssignOp, Expr, Literal, Parsed, Query, Rule, RuleHead, head_reference, path};

/// The names that mean the same everywhere in a module: `input`, `data`, imports, the rules of its package.
#[derive(Clone, Debug, Default)]
pub(in crate::engine) struct Globals(BTreeSet<String>);

impl Globals {
    /// Those of `module`; its package may have rules in other `modules`.
    pub(in crate::engine) fn of(module: &Parsed, modules: &[Parsed]) -> Self {
        let mut names = BTreeSet::from(["input".to_owned(), "data".to_owned()]);
        for import in &module.tree.imports {
            let last = || path(&import.refr).and_then(|parts| parts.last().cloned());
            names.extend(import.r#as.as_ref().map(|alias| alias.text().to_owned()).or_else(last));
        }
        let package = path(&module.tree.package.refr);
        let same = modules.iter().filter(|other| path(&other.tree.package.refr) == package);
        for rule in same.flat_map(|other| &other.tree.policy) {
            names.extend(root(head_reference(rule)));
        }
        Self(names)
    }

    /// Whether a name is one of them.
    pub(in crate::engine) fn contains(&self, name: &str) -> bool {
        self.0.contains(name)
    }
}

/// The names declared around a place, innermost last.
#[derive(Clone, Debug, Default)]
pub(in crate::engine) struct Scopes(Vec<BTreeSet<String>>);

impl Scopes {
    /// Enters a rule: its arguments.
    pub(in crate::engine) fn enter_rule(&mut self, rule: &Rule) {
        let mut names = BTreeSet::new();
        let (Rule::Spec { head: RuleHead::Func { args, .. }, .. } | Rule::Default { args, .. }) = rule else {
            self.0.push(names);
            return;
        };
        args.iter().for_each(|argument| variables(argument, &mut names));
        self.0.push(names);
    }

    /// Enters a body: what it declares with `:=`, `some` and `some … in`.
    pub(in crate::engine) fn enter_query(&mut self, query: &Query) {
        let mut names = BTreeSet::new();
        for statement in &query.stmts {
            match &statement.literal {
                Literal::SomeVars { vars, .. } => names.extend(vars.iter().map(|var| var.text().to_owned())),
                Literal::SomeIn { key, value, .. } => {
                    key.iter().chain([value]).for_each(|pattern| variables(pattern, &mut names));
                }
                Literal::Expr { expr, .. } => {
                    if let Expr::AssignExpr { op: AssignOp::ColEq, lhs, .. } = &**expr {
                        variables(lhs, &mut names);
                    }
                }
                Literal::NotExpr { .. } | Literal::Every { .. } => {}
            }
        }
        self.0.push(names);
    }

    /// Enters the body of an `every`: its variables.
    pub(in crate::engine) fn enter_every(&mut self, names: impl IntoIterator<Item = String>) {
        self.0.push(names.into_iter().collect());
    }

    /// Leaves what was entered last.
    pub(in crate::engine) fn leave(&mut self) {
        self.0.pop();
    }

    /// Whether a name is declared here, whatever rules have it too.
    pub(in crate::engine) fn declares(&self, name: &str) -> bool {
        self.0.iter().any(|names| names.contains(name))
    }
}

/// The variables in a pattern: arrays and objects of variables and constants.
pub(in crate::engine) fn variables(pattern: &Expr, names: &mut BTreeSet<String>) {
    match pattern {
        Expr::Var { span, .. } if span.text() != "_" => {
            names.insert(span.text().to_owned());
        }
        Expr::Array { items, .. } => items.iter().for_each(|item| variables(item, names)),
        Expr::Object { fields, .. } => fields.iter().for_each(|(_, _, value)| variables(value, names)),
        _ => {}
    }
}

fn root(mut reference: &Expr) -> Option<String> {
    loop {
        match reference {
            Expr::Var { span, .. } => return Some(span.text().to_owned()),
            Expr::RefDot { refr, .. } | Expr::RefBrack { refr, .. } => reference = refr,
            _ => return None,
        }
    }
}
