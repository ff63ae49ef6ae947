//! What a file names: every path in it, also in `use` trees, macro bodies and attributes, resolved as far as the file
//! itself says. Tokens are read rather than a syntax tree, because a tree ends at the first macro.

use std::collections::BTreeMap;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// A path that a file names. `path` starts with `crate` or with the name of a crate where that can be known.
#[derive(Debug)]
pub(crate) struct Name {
    pub(crate) line: usize,
    pub(crate) path: Vec<String>,
    /// Whether it is so by an import, which is a name of its own.
    pub(crate) imported: bool,
}

impl Name {
    pub(crate) fn text(&self) -> String {
        self.path.join("::")
    }

    /// The part of the path that would name `wanted`: all of it, or as much as a glob import leaves open.
    pub(crate) fn reaches(&self, wanted: &[&str]) -> bool {
        let (path, open) = match self.path.as_slice() {
            [path @ .., star] if star == "*" => (path, true),
            path => (path, false),
        };
        let common = path.iter().zip(wanted).take_while(|(ours, theirs)| *ours == *theirs).count();
        common == wanted.len() || (open && common == path.len())
    }
}

/// The paths of a file whose place in the crate is `module`: `src/patch/apply.rs` is `["patch", "apply"]`.
pub(crate) fn names(module: &[&str], text: &str) -> Result<Vec<Name>, String> {
    let tokens: TokenStream = text.parse().map_err(|error| format!("not Rust: {error}"))?;
    let mut scan = Scan::default();
    scan.tokens(tokens, &module.iter().copied().map(str::to_owned).collect::<Vec<_>>());
    Ok(scan.found.iter().map(|raw| scan.resolve(raw)).collect())
}

/// A path as it is written, and the module in which it is.
struct Raw {
    scope: Vec<String>,
    line: usize,
    path: Vec<String>,
}

#[derive(Default)]
struct Scan {
    found: Vec<Raw>,
    /// What a name means in a module: what was imported under it, or the module declared with it.
    aliases: BTreeMap<(Vec<String>, String), Vec<String>>,
}

impl Scan {
    fn tokens(&mut self, tokens: TokenStream, scope: &[String]) {
        let trees: Vec<TokenTree> = tokens.into_iter().collect();
        let mut rest = trees.as_slice();
        while let Some((first, others)) = rest.split_first() {
            rest = match (word(first).as_deref(), others) {
                (Some("mod"), [name, body, after @ ..]) if word(name).is_some() => {
                    self.module(scope, word(name).unwrap_or_default(), body);
                    after
                }
                (Some("use"), [next, ..]) if !is(next, '<') => self.import_until_semicolon(others, scope),
                (Some("extern"), [next, after @ ..]) if word(next).as_deref() == Some("crate") => {
                    self.import_until_semicolon(after, scope)
                }
                (Some(_), _) => {
                    let before = trees.len().saturating_sub(rest.len());
                    self.path(rest, scope, below_a_type(trees.get(..before).unwrap_or_default()))
                }
                (None, [TokenTree::Group(group), after @ ..]) if is(first, '#') => {
                    self.attribute(group, scope);
                    after
                }
                (None, _) => {
                    if let TokenTree::Group(group) = first {
                        self.tokens(group.stream(), scope);
                    }
                    others
                }
            };
        }
    }

    fn module(&mut self, scope: &[String], name: String, body: &TokenTree) {
        let inner = [scope, std::slice::from_ref(&name)].concat();
        let declared = ["crate".to_owned()].into_iter().chain(inner.iter().cloned()).collect();
        self.aliases.insert((scope.to_vec(), name), declared);
        if let TokenTree::Group(group) = body {
            self.tokens(group.stream(), &inner);
        }
    }

    /// Attributes other than documentation: besides their tokens, strings that are paths, as in `with = "crate::x"`.
    fn attribute(&mut self, group: &Group, scope: &[String]) {
        let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
        if tokens.first().and_then(word).as_deref() != Some("doc") {
            self.tokens(group.stream(), scope);
            self.strings(&tokens, scope);
        }
    }

    fn strings(&mut self, tokens: &[TokenTree], scope: &[String]) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => {
                    self.strings(&group.stream().into_iter().collect::<Vec<_>>(), scope);
                }
                TokenTree::Literal(literal) => {
                    let text = literal.to_string();
                    let text = text.trim_matches('"');
                    let path: Vec<String> = text.split("::").map(str::to_owned).collect();
                    let identifier = |part: &String| part.chars().all(|c| c.is_alphanumeric() || c == '_');
                    if path.len() > 1 && path.iter().all(identifier) {
                        let line = literal.span().start().line;
                        self.found.push(Raw { scope: scope.to_vec(), line, path });
                    }
                }
                TokenTree::Ident(_) | TokenTree::Punct(_) => {}
            }
        }
    }

    /// Reads `a::b::c` at the start of `trees`. A word alone names nothing of another module.
    fn path<'a>(&mut self, trees: &'a [TokenTree], scope: &[String], below: bool) -> &'a [TokenTree] {
        // What follows `<T>::` belongs to a type that is not known here.
        let mut path: Vec<String> = below.then(|| "<>".to_owned()).into_iter().collect();
        let line = trees.first().map_or(0, |tree| tree.span().start().line);
        let mut rest = trees;
        while let [name, after @ ..] = rest {
            path.extend(word(name));
            rest = after;
            match after {
                [a, b, next, ..] if is(a, ':') && is(b, ':') && word(next).is_some() => {
                    rest = after.get(2..).unwrap_or_default();
                }
                _ => break,
            }
        }
        if path.len() > 1 {
            self.found.push(Raw { scope: scope.to_vec(), line, path });
        }
        rest
    }

    fn import_until_semicolon<'a>(&mut self, trees: &'a [TokenTree], scope: &[String]) -> &'a [TokenTree] {
        let end = trees.iter().position(|tree| is(tree, ';')).unwrap_or(trees.len());
        let (tree, rest) = trees.split_at_checked(end).unwrap_or((trees, &[]));
        self.import(tree, &[], scope);
        rest
    }

    /// One level of a `use` tree: branches between commas, each below `prefix`.
    fn import(&mut self, trees: &[TokenTree], prefix: &[String], scope: &[String]) {
        for branch in trees.split(|tree| is(tree, ',')).filter(|branch| !branch.is_empty()) {
            let mut path = prefix.to_vec();
            let mut alias = None;
            let mut renamed = false;
            for tree in branch {
                match (word(tree).as_deref(), tree) {
                    (Some("as"), _) => renamed = true,
                    (Some(name), _) if renamed => alias = Some(name.to_owned()),
                    (Some("self"), _) if !prefix.is_empty() => {}
                    (Some(name), _) => path.push(name.to_owned()),
                    (None, TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                        let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                        self.import(&inner, &path, scope);
                        path.clear();
                    }
                    (None, _) if is(tree, '*') => path.push("*".to_owned()),
                    (None, _) => {}
                }
            }
            let (Some(last), Some(first)) = (path.last(), branch.first()) else { continue };
            let alias = alias.unwrap_or_else(|| last.clone());
            self.aliases.insert((scope.to_vec(), alias), path.clone());
            self.found.push(Raw { scope: scope.to_vec(), line: first.span().start().line, path });
        }
    }

    /// The path from the root of the crate, or from another crate.
    fn resolve(&self, raw: &Raw) -> Name {
        let (mut scope, mut path) = (raw.scope.clone(), raw.path.clone());
        let mut imported = false;
        // Each round follows one alias; a chain longer than this is not written by people.
        for _ in 0..8 {
            let Some((first, rest)) = path.split_first() else { break };
            if first == "self" || first == "super" {
                path = absolute(&scope, &path);
                break;
            }
            // A name means in a module what it means in those around it: `use super::*` brings it in.
            let mut around = scope.clone();
            let target = loop {
                match self.aliases.get(&(around.clone(), first.clone())) {
                    Some(target) => break Some(target),
                    None if around.pop().is_none() => break None,
                    None => {}
                }
            };
            // `use anyhow;` means the crate.
            let Some(target) = target.filter(|target| target.first() != Some(first)) else { break };
            path = target.iter().chain(rest).cloned().collect();
            scope = around;
            imported = true;
        }
        Name { line: raw.line, path, imported }
    }
}

/// `self` and `super` at the head of a path, in terms of `crate`.
fn absolute(scope: &[String], path: &[String]) -> Vec<String> {
    let mut module = scope.to_vec();
    let mut rest = path;
    while let [first, after @ ..] = rest
        && (first == "self" || first == "super")
    {
        if first == "super" {
            module.pop();
        }
        rest = after;
    }
    ["crate".to_owned()].into_iter().chain(module).chain(rest.iter().cloned()).collect()
}

/// Whether what follows `before` belongs to a type, as `now` in `<T>::now`.
fn below_a_type(before: &[TokenTree]) -> bool {
    matches!(before, [.., end, a, b] if is(end, '>') && is(a, ':') && is(b, ':'))
}

fn word(tree: &TokenTree) -> Option<String> {
    match tree {
        TokenTree::Ident(ident) => {
            let text = ident.to_string();
            Some(text.strip_prefix("r#").map_or(text.clone(), str::to_owned))
        }
        TokenTree::Group(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => None,
    }
}

fn is(tree: &TokenTree, sign: char) -> bool {
    matches!(tree, TokenTree::Punct(punct) if punct.as_char() == sign)
}

#[test]
fn names_are_found_wherever_they_are_written() {
    for (text, expected) in [
        ("fn f() { crate::webhook::run() }", "crate::webhook::run"),
        ("use crate::{report, webhook::{self, Limits as L}};", "crate::webhook::Limits"),
        ("use crate::{report, webhook::{self}};", "crate::webhook"),
        ("use super::super::webhook;", "crate::webhook"),
        ("mod tests { use super::super::super::webhook; }", "crate::webhook"),
        ("mod tests { use super::text; }", "crate::patch::apply::text"),
        ("fn f() { format!(\"{}\", crate::webhook::PORT) }", "crate::webhook::PORT"),
        ("macro_rules! m { () => { $crate::webhook::run() } }", "crate::webhook::run"),
        ("#[serde(with = \"crate::webhook::words\")] struct S;", "crate::webhook::words"),
        ("#[derive(thiserror::Error)] enum E {}", "thiserror::Error"),
        ("use std::time; fn f() { time::Instant::now(); }", "std::time::Instant::now"),
        ("use std as s; mod m { use super::*; fn f() { s::fs::read(p); } }", "std::fs::read"),
        ("use time::OffsetDateTime; fn f() { OffsetDateTime::now_utc(); }", "time::OffsetDateTime::now_utc"),
        ("fn f() { <time::OffsetDateTime>::now_utc(); }", "<>::now_utc"),
        ("fn f() -> impl Iterator + use<'_> { ::std::env::vars() }", "std::env::vars"),
        ("extern crate tokio as t; fn f() { t::spawn(g()); }", "tokio::spawn"),
        ("mod time; fn f() { time::read(); }", "crate::patch::apply::time::read"),
        ("use anyhow; fn f() { anyhow::bail!(r#type::x) }", "anyhow::bail"),
    ] {
        let found = names(&["patch", "apply"], text).unwrap();
        let found: Vec<String> = found.iter().map(Name::text).collect();
        assert!(found.iter().any(|name| name == expected), "{text}: {found:?}");
    }
}

#[test]
fn what_only_looks_like_a_name_is_none() {
    for text in [
        "//! See [`crate::webhook`].\n/// And `crate::webhook::run`.\nstruct S;",
        "#[expect(dead_code, reason = \"crate::webhook needs it\")] fn f() { g(\"crate::webhook\"); }",
        "pub(crate) fn time(tokio: u8) -> u8 { tokio }",
    ] {
        let found = names(&["patch"], text).unwrap();
        assert!(found.is_empty(), "{text}: {found:?}");
    }
}

#[test]
fn a_name_knows_its_line() {
    let found = names(&["patch"], "\n\nuse crate::{\n    report,\n    webhook,\n};").unwrap();
    let lines: Vec<(String, usize)> = found.iter().map(|name| (name.text(), name.line)).collect();
    assert_eq!(lines, [("crate::report".to_owned(), 4), ("crate::webhook".to_owned(), 5)]);
}

#[test]
fn a_glob_reaches_all_that_it_may_bring_in() {
    let name =
        |text: &str| Name { line: 1, path: text.split("::").map(str::to_owned).collect(), imported: false };
    assert!(name("std::time::*").reaches(&["std", "time", "Instant"]));
    assert!(name("std::time::Instant::now").reaches(&["std", "time", "Instant"]));
    assert!(!name("std::time").reaches(&["std", "time", "Instant"]));
    assert!(!name("std::time::Duration").reaches(&["std", "time", "Instant"]));
    assert!(!name("std::collections::*").reaches(&["std", "time", "Instant"]));
}
