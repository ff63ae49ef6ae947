//! The order in which OPA evaluates what a statement has within: nested calls first, from the innermost, then
//! references and comprehensions from left to right. The interpreter iterates first, and evaluates every argument of a
//! call even where one is undefined. That is to be seen where one of them ends in an error, so it is bound before then,
//! with what comes before it.

use super::context::Context;
use super::failures::{is_open, iterates, of_term};
use super::tree::{Body, Kind, Node, Statement, Term};

/// Binds what a statement has to evaluate first.
pub(super) fn statement(statement: &mut Statement, before: &mut Body, context: &mut Context) {
    let like = Statement { line: statement.line, kind: Kind::Some(Vec::new()), with: statement.with.clone() };
    compared(&mut statement.kind, &like, before, context);
    // What the index asks for before holds where nothing is replaced.
    let is_replaced = !statement.with.is_empty();
    let calls = count(&mut statement.kind, is_call, is_replaced, context);
    bind(&mut statement.kind, calls, is_call, &like, before, context);
    let references = count(&mut statement.kind, is_reference, is_replaced, context);
    bind(&mut statement.kind, references, is_reference, &like, before, context);
}

/// A rule that is compared with what iterates is evaluated before that, also where there is nothing to iterate.
fn compared(kind: &mut Kind, like: &Statement, before: &mut Body, context: &mut Context) {
    let (left, right) = match kind {
        Kind::Term(Term { node: Node::Infix("==", left, right), .. }) => (&mut **left, &**right),
        Kind::Unify(left, right) => (left, &*right),
        _ => return,
    };
    let is_rule = matches!(left.node, Node::Reference(..) | Node::Variable(_)) && of_term(left, context);
    if is_rule && iterates(right) {
        let name = context.fresh();
        let bound = std::mem::replace(left, Term::variable(name.clone(), left.line));
        before.push(like.binding(&name, bound));
    }
}

type Choice = fn(&Term, bool) -> bool;

/// A nested call, whatever is around it.
fn is_call(term: &Term, _is_operand: bool) -> bool {
    matches!(term.node, Node::Call(..))
}

/// A reference or comprehension; one that is compared itself is evaluated with the comparison.
fn is_reference(term: &Term, is_operand: bool) -> bool {
    !is_operand && matches!(term.node, Node::Reference(..) | Node::Comprehension(..) | Node::Variable(_))
}

/// How many of the chosen terms are to be bound: up to the last that can end in an error, if the interpreter would
/// evaluate something else before it that stops OPA, or be stopped by what comes after.
fn count(kind: &mut Kind, choice: Choice, is_replaced: bool, context: &Context) -> usize {
    let mut found = Vec::new();
    for (term, is_operand) in operands(kind) {
        parts(term, is_operand, choice, &mut found, context);
    }
    let (mut chosen, mut needed) = (0, 0);
    let mut opened =
        looks_first(kind, context) || operands(kind).into_iter().any(|(term, _)| binds(term, context));
    let loops = found.iter().filter(|part| part.iterates).count();
    for part in &found {
        let others = loops > usize::from(part.iterates);
        if part.is_chosen {
            chosen = usize::saturating_add(chosen, 1);
            let is_nested = part.holds_call && (part.iterates || is_replaced);
            if part.fails && (opened || others || is_nested) {
                needed = chosen;
            }
        }
        opened |= part.is_open;
    }
    needed
}

/// Whether a membership's collection can stop the interpreter, which evaluates it before what is looked for.
fn looks_first(kind: &Kind, context: &Context) -> bool {
    match kind {
        Kind::Term(Term { node: Node::In(_, _, collection), .. }) => is_open(collection, context),
        Kind::Not(negated) => looks_first(negated, context),
        _ => false,
    }
}

/// Whether a membership within a term has operands that are bound before the statement (`membership`).
fn binds(term: &Term, context: &Context) -> bool {
    if matches!(term.node, Node::Comprehension(..)) {
        return false;
    }
    let children = term.children();
    let is_membership = matches!(term.node, Node::In(..));
    children.into_iter().any(|child| is_membership && is_open(child, context) || binds(child, context))
}

/// What is evaluated within a statement.
struct Part {
    is_chosen: bool,
    is_open: bool,
    fails: bool,
    iterates: bool,
    /// A call that can fail is below it.
    holds_call: bool,
}

fn holds_call(term: &Term, context: &Context) -> bool {
    let within =
        |child: &Term| is_call(child, false) && of_term(child, context) || holds_call(child, context);
    !matches!(term.node, Node::Comprehension(..)) && term.children().into_iter().any(within)
}

fn parts(term: &Term, is_operand: bool, choice: Choice, found: &mut Vec<Part>, context: &Context) {
    let is_chosen = choice(term, is_operand) && is_open(term, context);
    let is_whole = matches!(term.node, Node::Reference(..) | Node::Comprehension(..) | Node::Variable(_));
    if let (false, Node::Reference(_, steps)) = (is_chosen, &term.node) {
        steps.iter().for_each(|step| parts(step, false, choice, found, context));
    }
    if is_chosen || is_whole {
        let (is_open, fails) = (is_open(term, context), of_term(term, context));
        let holds_call = holds_call(term, context);
        found.push(Part { is_chosen, is_open, fails, iterates: iterates(term), holds_call });
        return;
    }
    let children = match &term.node {
        Node::Call(_, arguments) => arguments.iter().collect(),
        _ => term.children(),
    };
    children.into_iter().for_each(|child| parts(child, false, choice, found, context));
}

/// Binds the first of the chosen terms.
fn bind(
    kind: &mut Kind,
    count: usize,
    choice: Choice,
    like: &Statement,
    before: &mut Body,
    context: &mut Context,
) {
    let mut left = count;
    for (term, is_operand) in operands(kind) {
        within(term, is_operand, &mut left, choice, like, before, context);
    }
}

fn within(
    term: &mut Term,
    is_operand: bool,
    left: &mut usize,
    choice: Choice,
    like: &Statement,
    before: &mut Body,
    context: &mut Context,
) {
    if *left == 0 {
        return;
    }
    if choice(term, is_operand) && is_open(term, context) {
        *left = left.saturating_sub(1);
        let name = context.fresh();
        let bound = std::mem::replace(term, Term::variable(name.clone(), term.line));
        before.push(like.binding(&name, bound));
        return;
    }
    let children: Vec<&mut Term> = match &mut term.node {
        Node::Comprehension(..) => return,
        Node::Call(_, rest) | Node::Reference(_, rest) => rest.iter_mut().collect(),
        _ => term.children_mut(),
    };
    for child in children {
        within(child, false, left, choice, like, before, context);
    }
}

/// The terms below a statement's own call or comparison, and whether they are compared themselves.
fn operands(kind: &mut Kind) -> Vec<(&mut Term, bool)> {
    match kind {
        Kind::Some(_) => Vec::new(),
        Kind::Not(negated) => operands(negated),
        Kind::Term(term) => whole(term),
        Kind::Assign(_, right) => whole(right),
        Kind::Unify(left, right) => match (&left.node, &right.node) {
            (Node::Call(..), Node::Call(..)) => vec![(left, true), (right, true)],
            (Node::Call(..), _) => [whole(left), vec![(right, true)]].into_iter().flatten().collect(),
            _ => [vec![(left, true)], whole(right)].into_iter().flatten().collect(),
        },
        Kind::SomeIn(_, _, collection) | Kind::Every(_, _, collection, _) => whole(collection),
    }
}

fn whole(term: &mut Term) -> Vec<(&mut Term, bool)> {
    if !matches!(term.node, Node::Call(..) | Node::Infix(..)) {
        return vec![(term, true)];
    }
    let is_equality = matches!(term.node, Node::Infix("==", ..));
    match &mut term.node {
        Node::Call(_, arguments) => arguments.iter_mut().map(|argument| (argument, false)).collect(),
        Node::Infix(_, left, right) => vec![(&mut **left, is_equality), (&mut **right, is_equality)],
        _ => Vec::new(),
    }
}
