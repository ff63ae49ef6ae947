//! What OPA's index asks of a rule before any of it is evaluated: every part of the input, or of the data below no rule,
//! that its body or head needs is there, and is what it is compared with. A rule that fails so can't end in an error.
//! Where something before such a part can end in one, the part is asked for in front.

use std::collections::{BTreeMap, BTreeSet};

use super::context::Context;
use super::failures::{is_open, of_statement, of_term};
use super::tree::{Body, Kind, Node, Shape, Statement, Term};

/// Adds to a body of a rule what the index asks.
pub(super) fn body(body: &mut Body, context: &mut Context) {
    let Some(first) = body.iter().position(|statement| of_statement(statement, context)) else { return };
    let line = body.first().map(|statement| statement.line).unwrap_or_default();
    let mut guards = Guards { known: BTreeSet::new(), line, found: Vec::new(), context };
    let mut index = Index { line, aliases: BTreeMap::new(), constants: BTreeMap::new() };
    for (number, statement) in body.iter().enumerate() {
        let asked = index.ask(statement, guards.context);
        // What stands before the first that can fail stops the body by itself.
        let is_first = number == first && !fails_within(&statement.kind, guards.context);
        for one in asked {
            if number < first || is_first && !matches!(one, Asked::Text(..)) {
                guards.known.insert(format!("{one:?}"));
            } else {
                guards.add(one);
            }
        }
    }
    let mut found = guards.found;
    found.append(body);
    *body = found;
}

/// Whether a statement can fail before all of its operands are known.
fn fails_within(kind: &Kind, context: &Context) -> bool {
    match kind {
        Kind::Not(negated) => fails_within(negated, context),
        Kind::Term(Term { node: Node::Call(_, arguments), .. }) => {
            arguments.iter().any(|argument| of_term(argument, context))
        }
        Kind::Assign(_, Term { node: Node::Call(_, arguments), .. }) => {
            arguments.iter().any(|argument| of_term(argument, context))
        }
        _ => true,
    }
}

/// What the index asks.
#[derive(Debug)]
enum Asked {
    /// A reference is there.
    Defined(Term),
    /// It is a constant, an array with some, or has one among its values.
    Holds(Kind),
    /// It is a text for which a call holds, in which `_` stands for it, or has such a text among its values.
    Text(Term, Term),
}

struct Guards<'a> {
    /// As what they print in a debugger.
    known: BTreeSet<String>,
    line: u32,
    found: Body,
    context: &'a mut Context,
}

impl Guards<'_> {
    fn add(&mut self, asked: Asked) {
        if !self.known.insert(format!("{asked:?}")) {
            return;
        }
        let guard = match asked {
            Asked::Defined(reference) => Statement::assign(&self.context.fresh(), reference),
            Asked::Holds(kind) => Statement { line: self.line, kind, with: Vec::new() },
            Asked::Text(reference, call) => self.text(reference, call),
        };
        self.found.push(guard);
    }

    /// `[true | x := [[R], R][_][_]; is_string(x); CALL] != []`
    fn text(&mut self, reference: Term, call: Term) -> Statement {
        let line = self.line;
        let term = |node| Term { line, node };
        let name = self.context.fresh();
        let variable = || Term::variable(name.clone(), line);
        let itself = term(Node::Array(vec![reference.clone()]));
        let both = Box::new(term(Node::Array(vec![itself, reference])));
        let any = term(Node::Reference(both, vec![Term::variable("_", line), Term::variable("_", line)]));
        let is_string = Node::Call(Box::new(Term::variable("is_string", line)), vec![variable()]);
        let mut call = call;
        if let Node::Call(_, arguments) = &mut call.node
            && let Some(hole) =
                arguments.iter_mut().find(|one| matches!(&one.node, Node::Variable(name) if name == "_"))
        {
            *hole = variable();
        }
        let statement = |kind| Statement { line, kind, with: Vec::new() };
        let body = vec![
            Statement::assign(&name, any),
            statement(Kind::Term(term(is_string))),
            statement(Kind::Term(call)),
        ];
        let yes = term(Node::Constant("true".to_owned()));
        let all = term(Node::Comprehension(Shape::Array, vec![yes], body));
        let none = term(Node::Array(Vec::new()));
        statement(Kind::Term(term(Node::Infix("!=", Box::new(all), Box::new(none)))))
    }
}

/// What is known of the variables of a body on the way through it.
struct Index {
    /// In which line what is asked is to stand.
    line: u32,
    aliases: BTreeMap<String, Term>,
    constants: BTreeMap<String, Term>,
}

impl Index {
    fn ask(&mut self, statement: &Statement, context: &Context) -> Vec<Asked> {
        let mut asked = Vec::new();
        for (_, value) in &statement.with {
            self.needed(value, &mut asked, context);
        }
        if statement.with.is_empty() {
            self.kind(&statement.kind, false, &mut asked, context);
        }
        asked
    }

    fn kind(&mut self, kind: &Kind, is_negated: bool, asked: &mut Vec<Asked>, context: &Context) {
        match kind {
            Kind::Some(_) => {}
            Kind::Not(negated) => self.kind(negated, true, asked, context),
            Kind::Assign(left, right) | Kind::Unify(left, right) => {
                self.equal(left, right, is_negated, asked, context);
            }
            // Referred into, and only as such a part of the statement.
            Kind::SomeIn(_, _, Term { node: Node::Reference(_, steps), .. }) => {
                steps.iter().for_each(|step| self.needed(step, asked, context));
            }
            Kind::SomeIn(_, _, Term { node: Node::Variable(_), .. }) => {}
            Kind::SomeIn(_, _, collection) | Kind::Every(_, _, collection, _) => {
                self.needed(collection, asked, context);
            }
            Kind::Term(Term { node: Node::Infix("==", left, right), .. }) => {
                self.equal(left, right, is_negated, asked, context);
            }
            Kind::Term(term) => self.whole(term, is_negated, asked, context),
        }
    }

    /// A statement that is a term.
    fn whole(&self, term: &Term, is_negated: bool, asked: &mut Vec<Asked>, context: &Context) {
        match &term.node {
            Node::Reference(_, steps) if is_negated => {
                steps.iter().for_each(|step| self.needed(step, asked, context));
            }
            Node::Variable(_) if is_negated => {}
            Node::In(None, value, collection) if !is_negated => {
                self.needed(term, asked, context);
                let known = self.constant(value).unwrap_or(value);
                let collection = self.constant(collection).unwrap_or(collection);
                let operands = match (self.ground(value, context), self.ground(collection, context)) {
                    // Of an empty one the index has nothing to look for.
                    (Some(reference), _) if is_constant(collection) && !collection.children().is_empty() => {
                        if !are_indexed(collection) {
                            return asked.push(Asked::Defined(reference));
                        }
                        (reference, self.here(collection))
                    }
                    (_, Some(reference)) if is_scalar(known) => (self.here(known), reference),
                    _ => return,
                };
                let node = Node::In(None, Box::new(operands.0), Box::new(operands.1));
                asked.push(Asked::Holds(Kind::Term(Term { line: self.line, node })));
            }
            Node::Call(function, arguments) if !is_negated => {
                self.needed(term, asked, context);
                let name = function.path().map(|path| path.join("."));
                let (text, position) = match (name.as_deref(), arguments.as_slice()) {
                    (Some("startswith" | "endswith"), [text, affix]) if affix.as_text().is_some() => {
                        (text, 0)
                    }
                    (Some("glob.match"), [pattern, delimiters, text]) if is_indexed(pattern, delimiters) => {
                        (text, 2)
                    }
                    _ => return,
                };
                if let Some(reference) = self.ground(text, context) {
                    let hole = Term::variable("_", self.line);
                    let given = arguments.iter().enumerate();
                    let given =
                        given.map(|(at, one)| if at == position { hole.clone() } else { self.here(one) });
                    let node = Node::Call(function.clone(), given.collect());
                    asked.push(Asked::Text(reference, self.here(&Term { line: self.line, node })));
                }
            }
            _ => self.needed(term, asked, context),
        }
    }

    /// An equality, whose sides are not bound before.
    fn equal(
        &mut self,
        left: &Term,
        right: &Term,
        is_negated: bool,
        asked: &mut Vec<Asked>,
        context: &Context,
    ) {
        let is_reference = |term: &Term| matches!(term.node, Node::Reference(..));
        for side in [left, right] {
            match &side.node {
                Node::Reference(_, steps) => steps.iter().for_each(|step| self.needed(step, asked, context)),
                Node::Variable(_) => {}
                _ => self.needed(side, asked, context),
            }
        }
        if is_negated {
            return;
        }
        for (side, other) in [(left, right), (right, left)] {
            if let Node::Variable(name) = &side.node
                && context.is_local(name)
            {
                if is_constant(other) {
                    self.constants.insert(name.clone(), other.clone());
                }
                if let Some(reference) = self.ground(other, context) {
                    self.aliases.entry(name.clone()).or_insert(reference);
                }
            }
            let Some(reference) = self.ground(side, context) else { continue };
            if is_reference(other) {
                continue;
            }
            let constant = if is_scalar(other) { Some(other) } else { self.constant(other) };
            if let Some(constant) = constant.filter(|constant| is_scalar(constant)) {
                let node = Node::Infix("==", Box::new(reference), Box::new(self.here(constant)));
                asked.push(Asked::Holds(Kind::Term(Term { line: self.line, node })));
            } else if let Some(pattern) = flat(other) {
                asked.push(Asked::Holds(Kind::Unify(self.here(&pattern), reference)));
            } else if matches!(
                other.node,
                Node::Variable(_) | Node::Call(..) | Node::Infix(..) | Node::In(..)
            ) {
                asked.push(Asked::Defined(reference));
            }
        }
    }

    /// The same in the line of what is asked.
    fn here(&self, term: &Term) -> Term {
        moved(term.clone(), self.line)
    }

    fn constant(&self, term: &Term) -> Option<&Term> {
        let Node::Variable(name) = &term.node else { return None };
        self.constants.get(name)
    }

    /// The references in a term that OPA binds before the statement.
    fn needed(&self, term: &Term, asked: &mut Vec<Asked>, context: &Context) {
        if let Some(reference) = self.ground(term, context) {
            if is_open(term, context) {
                asked.push(Asked::Defined(reference));
            }
            return;
        }
        match &term.node {
            Node::Comprehension(..) => {}
            Node::Call(_, rest) | Node::Reference(_, rest) => {
                rest.iter().for_each(|part| self.needed(part, asked, context));
            }
            _ => term.children().into_iter().for_each(|child| self.needed(child, asked, context)),
        }
    }

    /// The reference into the input or the data that a term is or stands for, if it has no variables and no rule is there.
    fn ground(&self, term: &Term, context: &Context) -> Option<Term> {
        let (base, steps) = match &term.node {
            Node::Reference(base, steps) => (&**base, steps.as_slice()),
            Node::Variable(_) => (term, [].as_slice()),
            _ => return None,
        };
        let Node::Variable(name) = &base.node else { return None };
        if !steps.iter().all(|step| matches!(step.node, Node::Constant(_) | Node::Name(_))) {
            return None;
        }
        if context.is_local(name) {
            let Term { line, node } = self.aliases.get(name)?.clone();
            let node = match node {
                Node::Reference(base, first) => Node::Reference(base, [first.as_slice(), steps].concat()),
                node if steps.is_empty() => node,
                node => Node::Reference(Box::new(Term { line, node }), steps.to_vec()),
            };
            return Some(self.here(&Term { line, node }));
        }
        (["input", "data"].contains(&name.as_str()) && !context.is_rule(term)).then(|| self.here(term))
    }
}

fn is_scalar(term: &Term) -> bool {
    matches!(term.node, Node::Constant(_))
}

fn is_constant(term: &Term) -> bool {
    match &term.node {
        Node::Constant(_) | Node::Name(_) => true,
        Node::Array(_) | Node::Set(_) | Node::Object(_) => term.children().into_iter().all(is_constant),
        _ => false,
    }
}

/// Whether the index tells all members from others: it takes an object or a set for anything, also as an item of an array.
fn are_indexed(collection: &Term) -> bool {
    let is_flat = |member: &Term| match &member.node {
        Node::Array(items) => items.iter().all(is_scalar),
        _ => is_scalar(member),
    };
    match &collection.node {
        Node::Object(members) => members.iter().all(|(_, member)| is_flat(member)),
        _ => collection.children().into_iter().all(is_flat),
    }
}

/// An array of constants and of what may be anything, as a pattern.
fn flat(term: &Term) -> Option<Term> {
    let Node::Array(items) = &term.node else { return None };
    let item = |item: &Term| match &item.node {
        Node::Constant(_) => Some(item.clone()),
        Node::Variable(_) | Node::Reference(..) | Node::Call(..) | Node::Infix(..) | Node::In(..) => {
            Some(Term::variable("_", item.line))
        }
        _ => None,
    };
    let items = items.iter().map(item).collect::<Option<Vec<_>>>()?;
    Some(Term { line: term.line, node: Node::Array(items) })
}

/// Whether the index knows what a pattern of `glob.match` matches: names and `*` between delimiters.
fn is_indexed(pattern: &Term, delimiters: &Term) -> bool {
    let (Some(pattern), Node::Array(items)) = (pattern.as_text(), &delimiters.node) else { return false };
    let Some(texts) = items.iter().map(Term::as_text).collect::<Option<Vec<_>>>() else { return false };
    let delimiters = if texts.is_empty() { ".".to_owned() } else { texts.concat() };
    let is_plain = |part: &str| part == "*" || !part.contains(['[', '?', '{', '*', '\\']);
    pattern.split(|c| delimiters.contains(c)).all(is_plain)
}

/// The same in another line. A step after a dot is one in brackets.
pub(super) fn moved(mut term: Term, line: u32) -> Term {
    term.line = line;
    if let Node::Name(name) = &term.node {
        term = Term::text(name, line);
    }
    for child in term.children_mut() {
        let old = std::mem::replace(child, Term::variable("_", line));
        *child = moved(old, line);
    }
    term
}
