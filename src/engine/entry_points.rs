//! Which entry points a policy has, read from its tree; MG123 and MG124 where it has none, or one of another form.

use super::syntax::{Expr, Parsed, Rule, RuleHead, head_reference};
use crate::policy::Fault;

/// The rules of a policy that meshgate asks for (contracts: entry points).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct EntryPoints {
    pub(super) deny: bool,
    pub(super) warn: bool,
    pub(super) audit: bool,
    pub(super) annotations: bool,
    pub(super) patch: bool,
    pub(super) inject: bool,
}

impl EntryPoints {
    /// All of their names.
    pub(super) fn all(self) -> Vec<&'static str> {
        let mut all = self.judging();
        all.extend(self.patch.then_some("patch"));
        all.extend(self.inject.then_some("inject"));
        all
    }

    /// The names of those that `/validate` asks for.
    pub(super) fn judging(self) -> Vec<&'static str> {
        let all = [
            ("deny", self.deny),
            ("warn", self.warn),
            ("audit", self.audit),
            ("annotations", self.annotations),
        ];
        all.into_iter().filter_map(|(name, present)| present.then_some(name)).collect()
    }
}

/// How a rule is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `name contains …`
    Set,
    /// `name := …` or `name[key] := …`
    Value,
    /// `name(…) := …`
    Function,
}

/// Reads the entry points of a module, and what is wrong with them.
pub(super) fn read(module: &Parsed) -> (EntryPoints, Vec<Fault>) {
    let mut found = EntryPoints::default();
    let mut faults = Vec::new();
    for rule in &module.tree.policy {
        let reference = head_reference(rule);
        let Some(name) = root(reference) else { continue };
        let (present, wanted, remedy) = match name {
            "deny" => (&mut found.deny, Form::Set, "`deny contains … if …`"),
            "warn" => (&mut found.warn, Form::Set, "`warn contains … if …`"),
            "audit" => (&mut found.audit, Form::Set, "`audit contains … if …`"),
            "annotations" => (&mut found.annotations, Form::Value, "`annotations := {…}`"),
            "patch" => (&mut found.patch, Form::Value, "`patch := […] if …`"),
            "inject" => (&mut found.inject, Form::Value, "`inject := {…} if …`"),
            _ => continue,
        };
        *present = true;
        if form(rule) != wanted {
            let message = format!("the entry point `{name}` has another form; write {remedy}");
            faults.push(fault(module, reference, "MG124", message));
        }
    }
    if found == EntryPoints::default() && faults.is_empty() {
        let message = "no entry point, so nothing would ever be judged; give it at least one of deny, warn, audit, annotations, patch, inject";
        faults.push(Fault { code: Some("MG123"), ..Fault::of_file(&module.module.path, message) });
    }
    (found, faults)
}

fn form(rule: &Rule) -> Form {
    match rule {
        Rule::Default { args, .. } if !args.is_empty() => Form::Function,
        Rule::Default { .. } => Form::Value,
        Rule::Spec { head, .. } => match head {
            RuleHead::Set { refr, .. } if matches!(**refr, Expr::Var { .. }) => Form::Set,
            // `deny.a contains …` is an object of sets.
            RuleHead::Set { .. } | RuleHead::Compr { .. } => Form::Value,
            RuleHead::Func { .. } => Form::Function,
        },
    }
}

/// The first name of a reference: `annotations` of `annotations["a"].b`.
fn root(mut reference: &Expr) -> Option<&str> {
    loop {
        match reference {
            Expr::Var { span, .. } => return Some(span.text()),
            Expr::RefDot { refr, .. } | Expr::RefBrack { refr, .. } => reference = refr,
            _ => return None,
        }
    }
}

fn fault(module: &Parsed, expr: &Expr, code: &'static str, message: String) -> Fault {
    let range = module.range(expr);
    let length = module.text(range.clone()).chars().count();
    Fault { code: Some(code), length, ..module.fault(range.start, message) }
}
