//! The rules of all modules by path: what a reference below `data` can mean.

use std::collections::{BTreeMap, BTreeSet};

use super::reading::Reading;
use super::terms::{Form, Rule, Shape, Step, Term};

/// Looks rules and packages up by path.
pub(super) struct Rules<'a> {
    pub(super) all: &'a [Rule],
    root: Node,
    packages: BTreeSet<Vec<String>>,
}

/// What lies below one path. Rules are numbers into `all`.
#[derive(Default)]
struct Node {
    children: BTreeMap<String, Node>,
    /// Those whose path is of names up to here and goes on with a computed step, or ends here.
    rules: Vec<usize>,
}

/// What a path of names leads to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Resolved {
    /// A rule, or something within its value.
    Rule,
    /// A package, or a part of the path to one or to a rule.
    Package,
    /// Nothing.
    Nothing,
}

impl<'a> Rules<'a> {
    pub(super) fn new(reading: &'a Reading<'_>) -> Self {
        let mut root = Node::default();
        for (number, rule) in reading.rules.iter().enumerate() {
            let mut node = &mut root;
            for name in rule.names() {
                node = node.children.entry(name.to_owned()).or_default();
            }
            node.rules.push(number);
        }
        let packages = reading.modules.iter().map(|module| module.package.clone()).collect();
        Self { all: &reading.rules, root, packages }
    }

    /// What the path leads to.
    pub(super) fn resolve(&self, path: &[&str]) -> Resolved {
        let mut node = &self.root;
        for name in path {
            if !node.rules.is_empty() {
                return Resolved::Rule;
            }
            match node.children.get(*name) {
                Some(child) => node = child,
                None => return self.package(path),
            }
        }
        if node.rules.is_empty() { Resolved::Package } else { Resolved::Rule }
    }

    fn package(&self, path: &[&str]) -> Resolved {
        let begins = |package: &Vec<String>| {
            package.len() >= path.len() && package.iter().zip(path).all(|(name, step)| name == step)
        };
        if self.packages.iter().any(begins) { Resolved::Package } else { Resolved::Nothing }
    }

    /// The definitions of the function or rule at exactly this path.
    pub(super) fn at(&self, path: &[String]) -> Vec<&'a Rule> {
        let node = path.iter().try_fold(&self.root, |node, name| node.children.get(name));
        let numbers = node.map(|node| node.rules.as_slice()).unwrap_or_default();
        numbers.iter().filter_map(|number| self.all.get(*number)).filter(|rule| rule.is_ground()).collect()
    }

    /// The number of arguments of the function at this path.
    pub(super) fn arity(&self, path: &[String]) -> Option<usize> {
        let rules = self.at(path);
        rules.iter().find(|rule| rule.shape == Shape::Function).map(|rule| rule.arguments.len())
    }

    /// The numbers of all rules that a reference may read: those above it, at it and below it.
    pub(super) fn read_by(&self, steps: &[Term]) -> Vec<usize> {
        let mut found = Vec::new();
        let mut nodes = vec![&self.root];
        for step in steps {
            for node in &nodes {
                let matches = |number: &&usize| self.all.get(**number).is_some_and(|rule| fits(rule, steps));
                found.extend(node.rules.iter().filter(matches));
            }
            nodes = match step.text() {
                Some(name) => nodes.iter().filter_map(|node| node.children.get(name)).collect(),
                None if step.is_constant() => Vec::new(),
                None => nodes.iter().flat_map(|node| node.children.values()).collect(),
            };
        }
        while let Some(node) = nodes.pop() {
            let matches = |number: &&usize| self.all.get(**number).is_some_and(|rule| fits(rule, steps));
            found.extend(node.rules.iter().filter(matches));
            nodes.extend(node.children.values());
        }
        found
    }

    /// The names that the path could have meant: its neighbours.
    pub(super) fn names_below(&self, path: &[&str]) -> Vec<&str> {
        let node = path.iter().try_fold(&self.root, |node, name| node.children.get(*name));
        node.map(|node| node.children.keys().map(String::as_str).collect()).unwrap_or_default()
    }

    /// Shows every path of names with its definitions, and whether something lies below it.
    pub(super) fn each(&self, look: &mut impl FnMut(&[String], Vec<&'a Rule>, Vec<&'a Rule>)) {
        self.each_below(&self.root, &mut Vec::new(), look);
    }

    fn each_below(
        &self,
        node: &Node,
        path: &mut Vec<String>,
        look: &mut impl FnMut(&[String], Vec<&'a Rule>, Vec<&'a Rule>),
    ) {
        if !node.rules.is_empty() {
            let mut below = Vec::new();
            let mut nodes: Vec<&Node> = node.children.values().collect();
            while let Some(node) = nodes.pop() {
                below.extend(node.rules.iter().filter_map(|number| self.all.get(*number)));
                nodes.extend(node.children.values());
            }
            look(path, node.rules.iter().filter_map(|number| self.all.get(*number)).collect(), below);
        }
        for (name, child) in &node.children {
            path.push(name.clone());
            self.each_below(child, path, look);
            path.pop();
        }
    }
}

/// Whether a rule's path and a reference agree as far as both go.
fn fits(rule: &Rule, steps: &[Term]) -> bool {
    rule.path.iter().zip(steps).all(|(step, term)| match (step, &term.form) {
        (Step::Name(name), Form::Text(text)) => name == text,
        (Step::Name(_), _) => !term.is_constant(),
        (Step::Dynamic(_), _) => true,
    })
}
