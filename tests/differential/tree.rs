//! A text that knows what it is put together from, so that a smaller one can be tried in its place.

use std::fmt;

/// A piece of Rego or JSON.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Tree {
    Text(String),
    /// One after the other.
    Parts(Vec<Tree>),
    /// Any items may go as long as `least` stay.
    List {
        items: Vec<Tree>,
        separator: &'static str,
        least: usize,
    },
    /// An expression: one within it can stand in its place, and so can a constant.
    Term(Box<Tree>),
}

/// A tree of texts and trees, one after the other.
macro_rules! tree {
    ($($part:expr),+ $(,)?) => { $crate::tree::Tree::Parts(vec![$($crate::tree::Tree::from($part)),+]) };
}
pub(crate) use tree;

/// What an expression is replaced by, and what is then not made smaller any more.
const CONSTANTS: &[&str] = &["1", "\"a\"", "[]"];

impl From<&str> for Tree {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Tree {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl Tree {
    pub(crate) fn term(tree: impl Into<Self>) -> Self {
        Self::Term(Box::new(tree.into()))
    }

    pub(crate) fn list(items: Vec<Self>, separator: &'static str, least: usize) -> Self {
        Self::List { items, separator, least }
    }

    /// What may be left out; nothing if there is nothing.
    pub(crate) fn optional(tree: Option<Self>) -> Self {
        Self::list(tree.into_iter().collect(), "", 0)
    }

    /// The trees that are one step smaller, the smallest first as far as that is known.
    pub(crate) fn smaller(&self) -> Vec<Self> {
        match self {
            Self::Text(_) => Vec::new(),
            Self::Parts(parts) => smaller_items(parts).into_iter().map(|parts| Self::Parts(parts)).collect(),
            Self::List { items, separator, least } => {
                let shorter = shorter(items, *least).into_iter().chain(smaller_items(items));
                shorter.map(|items| Self::list(items, separator, *least)).collect()
            }
            Self::Term(inner) => {
                let constants = CONSTANTS.iter().map(|text| Self::from(*text));
                let constants =
                    constants.filter(|_| inner.to_string().len() > 4 || !inner.inner_terms().is_empty());
                let terms = inner.inner_terms().into_iter().cloned();
                let within = inner.smaller().into_iter().map(Self::term);
                constants.chain(terms).chain(within).collect()
            }
        }
    }

    /// The outermost terms within.
    fn inner_terms(&self) -> Vec<&Self> {
        match self {
            Self::Text(_) => Vec::new(),
            Self::Parts(parts) | Self::List { items: parts, .. } => {
                parts.iter().flat_map(Self::inner_terms).collect()
            }
            Self::Term(_) => vec![self],
        }
    }
}

/// The list without a half, and without each item.
fn shorter(items: &[Tree], least: usize) -> Vec<Vec<Tree>> {
    let mut shorter = Vec::new();
    let half = items.len() / 2;
    if half > 1 && half >= least {
        shorter.push(items[half..].to_vec());
        shorter.push(items[..half].to_vec());
    }
    if items.len() > least {
        for index in (0..items.len()).rev() {
            let mut items = items.to_vec();
            items.remove(index);
            shorter.push(items);
        }
    }
    shorter
}

fn smaller_items(items: &[Tree]) -> Vec<Vec<Tree>> {
    let mut all = Vec::new();
    for (index, item) in items.iter().enumerate() {
        for smaller in item.smaller() {
            let mut items = items.to_vec();
            items[index] = smaller;
            all.push(items);
        }
    }
    all
}

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Parts(parts) => parts.iter().try_for_each(|part| part.fmt(f)),
            Self::List { items, separator, .. } => {
                for (index, item) in items.iter().enumerate() {
                    f.write_str(if index == 0 { "" } else { separator })?;
                    item.fmt(f)?;
                }
                Ok(())
            }
            Self::Term(inner) => inner.fmt(f),
        }
    }
}

#[test]
fn smaller_trees_are_one_step_smaller() {
    let sum = Tree::term(tree!["(", Tree::term("a.bcde"), " + ", Tree::term("2"), ")"]);
    let body = tree![
        "{",
        Tree::list(vec![sum, Tree::from("y"), Tree::from("z")], "; ", 1),
        "}",
        Tree::optional(Some(Tree::from("?")))
    ];
    assert_eq!(body.to_string(), "{(a.bcde + 2); y; z}?");
    let smaller: Vec<String> = body.smaller().iter().map(Tree::to_string).collect();
    let expected = [
        "{(a.bcde + 2); y}?",
        "{(a.bcde + 2); z}?",
        "{y; z}?",
        "{1; y; z}?",
        "{\"a\"; y; z}?",
        "{[]; y; z}?",
        "{a.bcde; y; z}?",
        "{2; y; z}?",
        "{(1 + 2); y; z}?",
        "{(\"a\" + 2); y; z}?",
        "{([] + 2); y; z}?",
        "{(a.bcde + 2); y; z}",
    ];
    assert_eq!(smaller, expected);
}
