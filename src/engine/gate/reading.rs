//! From the interpreter's trees to [`Rule`]s: every name resolved as OPA's compiler does it. On the way it finds
//! what OPA says of declarations: a name declared twice, used before it is declared, declared and never used.

mod terms;

use std::collections::{BTreeMap, BTreeSet};

pub(super) use terms::{into, place_of};

use super::faults::Found;
use super::scopes::Scopes;
use super::terms::{Body, Branch, Form, Origin, Place, Rule, Shape, Statement, StatementForm, Step, Term};
use crate::engine::syntax::{self, Expr, Parsed, Query, Ref, RuleBody, RuleHead};

/// What a module's names mean wherever they stand in it.
pub(super) struct Module<'a> {
    pub(super) parsed: &'a Parsed,
    /// Its package, below `data`.
    pub(super) package: Vec<String>,
    pub(super) imports: Vec<Import>,
    /// The first names of all rules of its package, in whatever module.
    pub(super) rule_names: BTreeSet<String>,
}

/// An import of `data.…` or `input.…`.
pub(super) struct Import {
    pub(super) name: String,
    /// Begins with `data` or `input`.
    pub(super) path: Vec<String>,
    pub(super) place: Place,
}

/// All modules of a program and all their rules.
pub(super) struct Reading<'a> {
    pub(super) modules: Vec<Module<'a>>,
    pub(super) rules: Vec<Rule>,
}

/// Reads all modules.
pub(super) fn read<'a>(parsed: &'a [Parsed], found: &mut Found) -> Reading<'a> {
    let mut modules: Vec<Module<'a>> = parsed.iter().map(module).collect();
    let mut names: BTreeMap<Vec<String>, BTreeSet<String>> = BTreeMap::new();
    for module in &modules {
        let heads = module.parsed.tree.policy.iter().map(|rule| syntax::head_reference(rule));
        names.entry(module.package.clone()).or_default().extend(heads.filter_map(first_name));
    }
    for module in &mut modules {
        module.rule_names = names.get(&module.package).cloned().unwrap_or_default();
    }
    let mut rules = Vec::new();
    for (number, module) in modules.iter().enumerate() {
        for rule in &module.parsed.tree.policy {
            rules.push(RuleReader { number, module, scopes: Scopes::default(), found }.rule(rule));
        }
    }
    Reading { modules, rules }
}

fn module(parsed: &Parsed) -> Module<'_> {
    let path = |refr: &Ref<Expr>| syntax::path(refr).unwrap_or_default();
    let imports = parsed.tree.imports.iter().filter_map(|import| {
        let path = path(&import.refr);
        let alias = import.r#as.as_ref().map(|alias| alias.text().to_owned());
        let of_documents = matches!(path.first().map(String::as_str), Some("data" | "input"));
        let name = alias.or_else(|| path.last().cloned()).filter(|_| of_documents)?;
        Some(Import { name, path, place: place(parsed, &import.refr) })
    });
    let imports = imports.collect();
    Module { parsed, package: path(&parsed.tree.package.refr), imports, rule_names: BTreeSet::new() }
}

/// Where an expression stands.
pub(super) fn place(parsed: &Parsed, expr: &Expr) -> Place {
    let range = parsed.range(expr);
    Place { start: range.start, end: range.end }
}

fn first_name(mut reference: &Expr) -> Option<String> {
    loop {
        match reference {
            Expr::Var { span, .. } => return Some(span.text().to_owned()),
            Expr::RefDot { refr, .. } | Expr::RefBrack { refr, .. } => reference = refr,
            _ => return None,
        }
    }
}

/// Reads one rule.
pub(super) struct RuleReader<'r, 'a> {
    number: usize,
    pub(super) module: &'r Module<'a>,
    pub(super) scopes: Scopes,
    pub(super) found: &'r mut Found,
}

impl RuleReader<'_, '_> {
    fn rule(mut self, rule: &syntax::Rule) -> Rule {
        let reference = syntax::head_reference(rule);
        let place = place(self.module.parsed, reference);
        match rule {
            syntax::Rule::Default { args, value, .. } => {
                let arguments = self.arguments(args);
                let value = Some(self.term(value));
                let branches = vec![Branch { value, body: Vec::new() }];
                let shape = if args.is_empty() { Shape::Value } else { Shape::Function };
                let path = self.path(reference, None);
                self.finish(path, shape, true, arguments, branches, place)
            }
            syntax::Rule::Spec { head, bodies, .. } => self.definition(head, reference, bodies, place),
        }
    }

    fn definition(mut self, head: &RuleHead, reference: &Expr, bodies: &[RuleBody], place: Place) -> Rule {
        let (shape, arguments, value, element) = match head {
            RuleHead::Compr { assign, .. } => {
                (Shape::Value, Vec::new(), assign.as_ref().map(|assign| &assign.value), None)
            }
            RuleHead::Set { key, .. } => (Shape::Set, Vec::new(), key.as_ref(), key.as_ref()),
            RuleHead::Func { args, assign, .. } => {
                let arguments = self.arguments(args);
                (Shape::Function, arguments, assign.as_ref().map(|assign| &assign.value), None)
            }
        };
        if shape == Shape::Set && self.module.parsed.tree.rego_v1 && !self.says_contains(place) {
            let message = "an element of a set without `contains`; write `contains` before it";
            self.found.add(self.module, "MG100", place, message);
        }
        // In the dialect before OPA 1.0, `p.q { … }` is the set `p` with "q" in it.
        let is_old_member = shape == Shape::Set && element.is_none();
        let mut path = Vec::new();
        let mut branches = Vec::new();
        let first = bodies.first().map(|body| &body.query);
        let others = bodies.iter().skip(1).map(|body| {
            let value = body.assign.as_ref().map(|assign| &assign.value);
            // A further body `{ … }` of the same head has the head's value.
            (if body.is_else { value } else { value.or(head_value(head)) }, Some(&body.query))
        });
        for (value, query) in std::iter::once((value, first)).chain(others) {
            self.scopes.enter_branch();
            let body = query.map(|query| self.body(query)).unwrap_or_default();
            if !branches.is_empty() && !self.refuse_empty(&body) {
                query.iter().for_each(|query| self.refuse_bare(query));
            }
            if branches.is_empty() {
                path = self.path(reference, Some(is_old_member));
            }
            self.scopes.head(true);
            let value = value.map(|value| self.term(value));
            self.scopes.head(false);
            self.leave();
            branches.push(Branch { value, body });
        }
        self.finish(path, shape, false, arguments, branches, place)
    }

    /// Whether `contains` stands behind a head's reference, whose place ends before its last bracket.
    fn says_contains(&self, reference: Place) -> bool {
        let parsed = self.module.parsed;
        let behind = parsed.tokens.within(&(reference.end..usize::MAX)).iter();
        let mut texts = behind.map(|token| parsed.text(token.range.clone())).skip_while(|text| *text == "]");
        texts.next() == Some("contains")
    }

    /// `else := 1 if {}`: an object to the interpreter's parser, to OPA's a body without a statement.
    fn refuse_empty(&mut self, body: &Body) -> bool {
        let [Statement { form: StatementForm::Term(term), with, .. }] = body.as_slice() else { return false };
        let is_empty = with.is_empty() && matches!(&term.form, Form::Object(members) if members.is_empty());
        if is_empty {
            let message = "a body without a statement; write one, or leave out `if {}`";
            self.found.add(self.module, "MG100", term.place, message);
        }
        is_empty
    }

    /// `else := 1 if {"a": x} = …`: OPA's parser takes the brace for that of a body.
    fn refuse_bare(&mut self, query: &Query) {
        let Some(first) = query.stmts.first() else { return };
        let tokens = &self.module.parsed.tokens;
        let start = place_of(&first.span).start;
        let text =
            |token: Option<&syntax::Token>| token.map(|token| self.module.parsed.text(token.range.clone()));
        if text(tokens.starting_at(start)) == Some("{") && text(tokens.before(start)) == Some("if") {
            let message = "an object or a set can't begin what `else` tries; put the statement into `{ … }`";
            self.found.add(self.module, "MG100", Place { start, end: start.saturating_add(1) }, message);
        }
    }

    /// OPA takes the variables with which the values of a `some … in`'s replacements are referred into for its own.
    pub(super) fn declare_steps(&mut self, expr: &Expr) {
        if let Expr::RefBrack { index, .. } = expr
            && let Expr::Var { span, .. } = &**index
            && self.module.document(span.text()).is_none()
        {
            self.declare(span.text(), place_of(span), Origin::Domain);
        }
        syntax::children(expr).into_iter().for_each(|child| self.declare_steps(child));
    }

    fn finish(
        self,
        path: Vec<Step>,
        shape: Shape,
        is_default: bool,
        arguments: Vec<Term>,
        branches: Vec<Branch>,
        place: Place,
    ) -> Rule {
        let variables = self.scopes.into_variables();
        Rule { module: self.number, path, shape, is_default, arguments, branches, variables, place }
    }

    /// A function's arguments: every variable in them is declared.
    fn arguments(&mut self, arguments: &[Ref<Expr>]) -> Vec<Term> {
        for argument in arguments {
            self.declare_pattern(argument, Origin::Argument);
        }
        arguments.iter().map(|argument| self.term(argument)).collect()
    }

    /// The path of a rule's head.
    fn path(&mut self, reference: &Expr, is_old_member: Option<bool>) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut reference = reference;
        loop {
            match reference {
                Expr::RefDot { refr, field, .. } => {
                    steps.push(Step::Name(field.0.text().to_owned()));
                    reference = refr;
                }
                Expr::RefBrack { refr, index, .. } => {
                    let term = self.term(index);
                    steps.push(match term.text() {
                        Some(text) => Step::Name(text.to_owned()),
                        None => Step::Dynamic(term),
                    });
                    reference = refr;
                }
                Expr::Var { span, .. } => {
                    steps.push(Step::Name(span.text().to_owned()));
                    break;
                }
                _ => break,
            }
        }
        if is_old_member == Some(true) {
            steps.remove(0);
        }
        steps.extend(self.module.package.iter().rev().cloned().map(Step::Name));
        steps.reverse();
        steps
    }

    pub(super) fn leave(&mut self) {
        for (name, place) in self.scopes.leave() {
            let message =
                format!("`{name}` is declared and never used; use it, remove it from `some`, or name it `_`");
            self.found.add(self.module, "MG113", place, message);
        }
    }
}

fn head_value(head: &RuleHead) -> Option<&Ref<Expr>> {
    match head {
        RuleHead::Compr { assign, .. } | RuleHead::Func { assign, .. } => {
            assign.as_ref().map(|assign| &assign.value)
        }
        RuleHead::Set { key, .. } => key.as_ref(),
    }
}
