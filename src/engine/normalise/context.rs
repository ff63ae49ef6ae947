//! What a pass knows beside the statement before it: names that are free, names that mean something everywhere,
//! functions and their arity, and what is declared around.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::tree::{Body, Kind, Module, Node, Statement, Term};
use crate::engine::builtins::{self, Arity};
use crate::engine::syntax::{
    self, Descend, Expr, Globals, LiteralStmt, Parsed, Rule, RuleHead, Visit, walk_module,
};

/// What is the same for all modules of a program.
pub(in crate::engine) struct Whole {
    /// Paths of user functions, `data` first, and how many arguments they take.
    functions: BTreeMap<Vec<String>, usize>,
    /// Paths of all rules up to the first step that is no text, one for each.
    rules: Vec<Vec<String>>,
    /// The steps of all heads of the program up to the first that is no constant, and those of their packages, as JSON.
    heads: Vec<(Vec<String>, usize)>,
    /// Whether a `with` of the program replaces a function.
    replaces_functions: bool,
    /// The name of the function that gives a number with its spelling.
    pub(in crate::engine) spelled: String,
}

impl Whole {
    /// Of a program of modules and base documents.
    pub(in crate::engine) fn of(modules: &[Parsed], data: &serde_json::Value) -> Self {
        Self {
            functions: modules.iter().flat_map(functions).collect(),
            rules: rules(modules),
            heads: modules.iter().flat_map(|module| heads(module, data)).collect(),
            replaces_functions: replaces(modules),
            spelled: super::spelling::name(modules),
        }
    }
}

/// What passes know of the module and of the program.
pub(super) struct Context {
    whole: Rc<Whole>,
    package: Vec<String>,
    imports: BTreeMap<String, Vec<String>>,
    /// The beginnings, without variables, of the heads with variables that the package's rules have, as JSON.
    generals: Vec<Vec<String>>,
    globals: Globals,
    scopes: Vec<BTreeSet<String>>,
    /// Functions that passes have added.
    pub(super) added: Vec<super::tree::Rule>,
    prefix: String,
    made: usize,
}

impl Context {
    /// For one module of a program.
    pub(super) fn new(parsed: &Parsed, modules: &[Parsed], whole: &Rc<Whole>, tree: &Module) -> Self {
        let mut prefix = "__m".to_owned();
        while parsed.module.text.contains(&prefix) {
            prefix.push('m');
        }
        Self {
            whole: Rc::clone(whole),
            package: tree.package.clone(),
            imports: tree.imports.iter().map(|import| (import.name.clone(), import.path.clone())).collect(),
            generals: generals(&tree.package, modules),
            globals: Globals::of(parsed, modules),
            scopes: Vec::new(),
            added: Vec::new(),
            prefix,
            made: 0,
        }
    }

    /// How many names of a head stand before the first variable of any head that begins alike.
    pub(super) fn general(&self, path: &[String]) -> Option<usize> {
        self.generals.iter().filter(|general| path.starts_with(general)).map(Vec::len).min()
    }

    /// A name that nothing has.
    pub(super) fn fresh(&mut self) -> String {
        let name = format!("{}{}", self.prefix, self.made);
        self.made = self.made.saturating_add(1);
        name
    }

    /// A function of the module that calls another one.
    pub(super) fn wrapped(&mut self, function: Term, arity: usize) -> Term {
        let line = function.line;
        let reference = Term::variable(self.fresh(), line);
        let arguments: Vec<Term> = (0..arity).map(|_| Term::variable(self.fresh(), line)).collect();
        let value = Some(Term { line, node: Node::Call(Box::new(function), arguments.clone()) });
        self.added.push(super::tree::Rule {
            line,
            default: false,
            reference: reference.clone(),
            arguments: Some(arguments),
            key: None,
            value,
            body: None,
            otherwise: Vec::new(),
        });
        reference
    }

    /// Enters a scope with these names.
    pub(super) fn enter(&mut self, names: BTreeSet<String>) {
        self.scopes.push(names);
    }

    /// Leaves it.
    pub(super) fn leave(&mut self) {
        self.scopes.pop();
    }

    /// Whether a name is declared around here.
    pub(super) fn declares(&self, name: &str) -> bool {
        self.scopes.iter().any(|names| names.contains(name))
    }

    /// Whether a name is a variable here, and not a rule, an import or a document.
    pub(super) fn is_local(&self, name: &str) -> bool {
        self.declares(name) || !self.globals.contains(name)
    }

    /// Whether a name, where it is not declared, is of a rule of the module's own package.
    pub(super) fn of_package(&self) -> impl Fn(&str) -> bool + use<> {
        let (globals, imports) = (self.globals.clone(), self.imports.clone());
        move |name| {
            globals.contains(name) && !imports.contains_key(name) && !["input", "data"].contains(&name)
        }
    }

    /// The whole path of a function that is called or named, and how many arguments it takes.
    pub(super) fn function(&self, term: &Term) -> Option<(Vec<String>, usize)> {
        let path = term.path()?;
        let root = path.first()?;
        if self.declares(root) {
            return None;
        }
        let whole = match self.imports.get(root) {
            Some(import) => [import.as_slice(), path.get(1..)?].concat(),
            None if root == "data" => path.clone(),
            None => [&["data".to_owned()], self.package.as_slice(), &path].concat(),
        };
        match self.whole.functions.get(&whole) {
            Some(arity) => Some((whole, *arity)),
            None => builtin_arity(&path.join(".")).map(|arity| (path, arity)),
        }
    }

    /// Whether a term is, holds or is a part of what rules give, constants left aside.
    pub(super) fn is_rule(&self, term: &Term) -> bool {
        let (base, steps) = match &term.node {
            Node::Reference(base, steps) => (&**base, steps.as_slice()),
            _ => (term, [].as_slice()),
        };
        let Node::Variable(root) = &base.node else { return false };
        if self.is_local(root) || root == "input" {
            return false;
        }
        let mut path = match self.imports.get(root) {
            Some(import) => import.clone(),
            None if root == "data" => vec!["data".to_owned()],
            None => [&["data".to_owned()], self.package.as_slice(), std::slice::from_ref(root)].concat(),
        };
        path.extend(steps.iter().map_while(Term::as_text));
        self.whole.rules.iter().any(|rule| rule.starts_with(&path) || path.starts_with(rule))
    }

    /// How many rules of the program have the head of one of this module, those with `default` left aside.
    pub(super) fn definitions(&self, head: &Term) -> usize {
        let path = [&["data".to_owned()], self.package.as_slice(), &head.path().unwrap_or_default()].concat();
        self.whole.rules.iter().filter(|rule| **rule == path).count()
    }

    /// Whether rules begin as this reference does, and none gives it or a part of it.
    pub(super) fn is_absent(&self, term: &Term) -> bool {
        let Node::Reference(base, steps) = &term.node else { return false };
        let Node::Variable(root) = &base.node else { return false };
        if self.whole.replaces_functions || self.is_local(root) || root == "input" {
            return false;
        }
        let Some(steps) = steps.iter().map(Term::as_json).collect::<Option<Vec<_>>>() else { return false };
        let json = |name: &String| serde_json::Value::from(name.as_str()).to_string();
        let path = match root.as_str() {
            "data" => steps,
            _ => self.package.iter().chain([root]).map(json).chain(steps).collect(),
        };
        let shared =
            |head: &Vec<String>| head.iter().zip(&path).take_while(|(one, other)| one == other).count();
        let is_given = |head: &Vec<String>| head.starts_with(&path) || path.starts_with(head);
        let begins = |(head, package): &(Vec<String>, usize)| shared(head) > *package;
        self.whole.heads.iter().any(begins) && !self.whole.heads.iter().any(|(head, _)| is_given(head))
    }

    /// Whether a name is of functions of the package that may be replaced by their whole path.
    pub(super) fn of_functions(&self) -> impl Fn(&str) -> bool + use<> {
        let package = [&["data".to_owned()], self.package.as_slice()].concat();
        let mine = self
            .whole
            .functions
            .keys()
            .filter_map(|path| path.strip_prefix(package.as_slice())?.first().cloned());
        let mine: BTreeSet<String> = mine.filter(|_| self.whole.replaces_functions).collect();
        move |name| mine.contains(name)
    }

    /// Whether a term is always defined and has nothing to iterate: constants, variables, what is made of them, and
    /// comprehensions.
    pub(super) fn is_settled(&self, term: &Term) -> bool {
        match &term.node {
            Node::Constant(_) | Node::Name(_) | Node::Comprehension(..) => true,
            Node::Variable(name) => self.is_local(name),
            Node::Array(_) | Node::Set(_) | Node::Object(_) => {
                term.children().into_iter().all(|child| self.is_settled(child))
            }
            Node::Call(..) | Node::Reference(..) | Node::Infix(..) | Node::In(..) => false,
        }
    }
}

fn functions(module: &Parsed) -> Vec<(Vec<String>, usize)> {
    let package = syntax::path(&module.tree.package.refr).unwrap_or_default();
    let whole = |refr: &Expr| Some([vec!["data".to_owned()], package.clone(), syntax::path(refr)?].concat());
    let function = |rule: &Rule| match rule {
        Rule::Spec { head: RuleHead::Func { refr, args, .. }, .. } => Some((whole(refr)?, args.len())),
        Rule::Default { refr, args, .. } if !args.is_empty() => Some((whole(refr)?, args.len())),
        _ => None,
    };
    module.tree.policy.iter().filter_map(|rule| function(rule)).collect()
}

fn rules(modules: &[Parsed]) -> Vec<Vec<String>> {
    let of_module = |module: &Parsed| {
        let package = syntax::path(&module.tree.package.refr).unwrap_or_default();
        let rules = module.tree.policy.iter();
        let whole = |rule: &Rule| {
            [vec!["data".to_owned()], package.clone(), names(syntax::head_reference(rule))].concat()
        };
        rules.flat_map(|rule| vec![whole(rule); definitions(rule)]).collect::<Vec<_>>()
    };
    modules.iter().flat_map(of_module).collect()
}

/// Heads, and how many steps of each can't be had from anywhere else: all of it where the base documents have its name.
fn heads(module: &Parsed, data: &serde_json::Value) -> Vec<(Vec<String>, usize)> {
    let names = syntax::path(&module.tree.package.refr).unwrap_or_default();
    let package: Vec<String> =
        names.iter().map(|name| serde_json::Value::from(name.as_str()).to_string()).collect();
    let below = names.iter().try_fold(data, |at, name| at.get(name));
    let head = |reference: &Expr| general(reference).or_else(|| constants(reference));
    let heads = module.tree.policy.iter().filter_map(|rule| head(syntax::head_reference(rule)));
    let known = |head: &Vec<String>| {
        let name = head.first().and_then(|json| serde_json::from_str::<String>(json).ok());
        let is_document = name.is_some_and(|name| below.and_then(|below| below.get(name)).is_some());
        if is_document { usize::MAX } else { package.len() }
    };
    heads.map(|head| ([package.as_slice(), &head].concat(), known(&head))).collect()
}

/// Bodies in a chain are rules of their own.
fn definitions(rule: &Rule) -> usize {
    match rule {
        Rule::Spec { bodies, .. } => bodies.iter().filter(|body| !body.is_else).count().max(1),
        Rule::Default { .. } => 0,
    }
}

/// Finds `with` of a target that is not below `input`.
struct Replaced(bool);

impl Visit for Replaced {
    fn statement(&mut self, statement: &LiteralStmt, _scopes: &syntax::Scopes) -> Descend {
        let is_input = |target: &Expr| {
            syntax::path(target).is_some_and(|path| path.first().is_some_and(|root| root == "input"))
        };
        self.0 |= statement.with_mods.iter().any(|with| !is_input(&with.refr));
        Descend::Into
    }
}

fn replaces(modules: &[Parsed]) -> bool {
    let mut replaced = Replaced(false);
    modules.iter().for_each(|module| walk_module(&module.tree, &mut replaced));
    replaced.0
}

fn generals(package: &[String], modules: &[Parsed]) -> Vec<Vec<String>> {
    let same =
        modules.iter().filter(|module| syntax::path(&module.tree.package.refr).as_deref() == Some(package));
    same.flat_map(|module| &module.tree.policy)
        .filter_map(|rule| general(syntax::head_reference(rule)))
        .collect()
}

/// What stands before the first variable of a head, if it has one, as JSON.
fn general(mut head: &Expr) -> Option<Vec<String>> {
    let mut found = None;
    loop {
        let (Expr::RefDot { refr, .. } | Expr::RefBrack { refr, .. }) = head else { return found };
        if let Expr::RefBrack { index, .. } = head
            && constant(index).is_none()
        {
            found = constants(refr);
        }
        head = refr;
    }
}

/// The steps of a head without variables, as JSON.
fn constants(head: &Expr) -> Option<Vec<String>> {
    let (refr, step) = match head {
        Expr::RefDot { refr, field, .. } => (refr, serde_json::Value::from(field.0.text()).to_string()),
        Expr::RefBrack { refr, index, .. } => (refr, constant(index)?),
        _ => return Some(vec![serde_json::Value::from(syntax::path(head)?.first()?.as_str()).to_string()]),
    };
    Some([constants(refr)?, vec![step]].concat())
}

fn constant(expr: &Expr) -> Option<String> {
    match expr {
        Expr::String { value, .. } | Expr::RawString { value, .. } => value.to_json_str().ok(),
        Expr::Number { span, .. } | Expr::Bool { span, .. } | Expr::Null { span, .. } => {
            Some(span.text().to_owned())
        }
        _ => None,
    }
}

/// The path of a head up to its first step that is no text.
fn names(head: &Expr) -> Vec<String> {
    let of = |refr: &Expr, step: Option<String>| {
        let (before, steps) = (names(refr), syntax::path(refr).map_or(usize::MAX, |path| path.len()));
        let is_whole = before.len() == steps;
        before.into_iter().chain(step.filter(|_| is_whole)).collect()
    };
    match head {
        Expr::RefDot { refr, field, .. } => of(refr, Some(field.0.text().to_owned())),
        Expr::RefBrack { refr, index, .. } => {
            of(refr, constant(index).and_then(|json| serde_json::from_str(&json).ok()))
        }
        _ => syntax::path(head).unwrap_or_default(),
    }
}

fn builtin_arity(name: &str) -> Option<usize> {
    match builtins::find(name)?.arity {
        Arity::Exactly(arity) => Some(usize::from(arity)),
        Arity::Any => None,
    }
}

/// The names that a body declares with `:=`, `some` and `some … in`.
pub(super) fn declared(body: &Body) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for Statement { kind, .. } in body {
        match kind {
            Kind::Some(some) => names.extend(some.iter().cloned()),
            Kind::SomeIn(key, value, _) => {
                key.iter().chain([value]).for_each(|pattern| variables(pattern, &mut names));
            }
            Kind::Assign(left, _) => variables(left, &mut names),
            Kind::Term(_) | Kind::Unify(..) | Kind::Not(_) | Kind::Every(..) => {}
        }
    }
    names
}

/// The variables of a pattern.
pub(super) fn variables(pattern: &Term, names: &mut BTreeSet<String>) {
    match &pattern.node {
        Node::Variable(name) if name != "_" => {
            names.insert(name.clone());
        }
        Node::Array(items) => items.iter().for_each(|item| variables(item, names)),
        Node::Object(members) => members.iter().for_each(|(_, value)| variables(value, names)),
        _ => {}
    }
}
