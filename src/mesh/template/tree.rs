//! What a parsed template calls.

use std::collections::BTreeSet;

use gotmpl::parse::{BranchNode, Expr, ListNode, Node, PipeNode};

/// Adds the functions that are called in a list, at every depth.
pub(super) fn functions(list: &ListNode, found: &mut BTreeSet<String>) {
    for node in &list.nodes {
        match node {
            Node::List(list) => functions(list, found),
            Node::Action(action) => pipeline(&action.pipe, found),
            Node::If(branch) | Node::Range(branch) | Node::With(branch) => of_branch(branch, found),
            Node::Template(call) => call.pipe.iter().for_each(|pipe| pipeline(pipe, found)),
            Node::Define(definition) => functions(&definition.body, found),
            Node::Text(_) | Node::Break(_) | Node::Continue(_) => {}
        }
    }
}

fn of_branch(branch: &BranchNode, found: &mut BTreeSet<String>) {
    pipeline(&branch.pipe, found);
    functions(&branch.body, found);
    branch.else_body.iter().for_each(|list| functions(list, found));
}

fn pipeline(pipe: &PipeNode, found: &mut BTreeSet<String>) {
    let arguments = pipe.commands.iter().flat_map(|command| &command.args);
    arguments.for_each(|argument| expression(argument, found));
}

fn expression(argument: &Expr, found: &mut BTreeSet<String>) {
    match argument {
        Expr::Identifier(_, name) => drop(found.insert(name.to_string())),
        Expr::Pipe(_, pipe) => pipeline(pipe, found),
        Expr::Chain(_, inner, _) => expression(inner, found),
        _ => {}
    }
}
