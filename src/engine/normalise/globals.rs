//! Names of rules and imports in a rule, replaced by what they stand for; names that are declared around are not.

use std::collections::BTreeSet;

use super::context::{Context, declared, variables};
use super::tree::{Body, Kind, Node, Rule, Term};

/// Replaces the global names for which `meaning` knows a term. The rule's own name, at its head, stays.
pub(super) fn replace(rule: &mut Rule, context: &mut Context, meaning: &dyn Fn(&str, u32) -> Option<Term>) {
    let mut replace = Replace { context, meaning };
    let mut arguments = BTreeSet::new();
    rule.arguments.iter().flatten().for_each(|argument| variables(argument, &mut arguments));
    replace.context.enter(arguments);
    let Rule { reference, arguments, key, value, body, otherwise, .. } = rule;
    let steps = match &mut reference.node {
        Node::Reference(_, steps) => steps.as_mut_slice(),
        _ => &mut [],
    };
    let heads = steps.iter_mut().chain(arguments.iter_mut().flatten()).chain(key).chain(value);
    replace.branch(heads, body.as_mut());
    for branch in otherwise {
        replace.branch(branch.value.iter_mut(), branch.body.as_mut());
    }
    replace.context.leave();
}

struct Replace<'a> {
    context: &'a mut Context,
    meaning: &'a dyn Fn(&str, u32) -> Option<Term>,
}

impl Replace<'_> {
    fn branch<'a>(&mut self, heads: impl Iterator<Item = &'a mut Term>, body: Option<&mut Body>) {
        self.context.enter(body.as_ref().map(|body| declared(body)).unwrap_or_default());
        heads.for_each(|head| self.term(head));
        self.context.leave();
        if let Some(body) = body {
            self.body(body);
        }
    }

    fn body(&mut self, body: &mut Body) {
        self.context.enter(declared(body));
        for statement in body {
            self.kind(&mut statement.kind);
            for (target, value) in &mut statement.with {
                self.term(target);
                self.term(value);
            }
        }
        self.context.leave();
    }

    fn kind(&mut self, kind: &mut Kind) {
        match kind {
            Kind::Some(_) => {}
            Kind::SomeIn(key, value, collection) => {
                key.iter_mut().chain([value, collection]).for_each(|term| self.term(term));
            }
            Kind::Term(term) => self.term(term),
            Kind::Assign(left, right) | Kind::Unify(left, right) => {
                self.term(left);
                self.term(right);
            }
            Kind::Not(negated) => self.kind(negated),
            Kind::Every(key, value, domain, body) => {
                self.term(domain);
                self.context.enter(key.iter().chain([&*value]).cloned().collect());
                self.body(body);
                self.context.leave();
            }
        }
    }

    fn term(&mut self, term: &mut Term) {
        match &mut term.node {
            Node::Variable(name) if !self.context.declares(name) => {
                if let Some(meaning) = (self.meaning)(name, term.line) {
                    *term = meaning;
                }
            }
            Node::Comprehension(_, heads, body) => {
                self.context.enter(declared(body));
                heads.iter_mut().for_each(|head| self.term(head));
                self.context.leave();
                self.body(body);
            }
            _ => {
                term.children_mut().into_iter().for_each(|child| self.term(child));
                flatten(term);
            }
        }
    }
}

/// `data.a.b` for `data.a` with a step that follows.
fn flatten(term: &mut Term) {
    let Node::Reference(base, steps) = &mut term.node else { return };
    if let Node::Reference(inner, first) = &base.node
        && matches!(inner.node, Node::Variable(_))
    {
        let all = [first.as_slice(), steps].concat();
        term.node = Node::Reference(inner.clone(), all);
    }
}
