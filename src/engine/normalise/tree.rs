//! Rego as the normaliser changes it: the interpreter's tree without places but lines, owned and free to build.

/// A module.
#[derive(Clone, Debug)]
pub(super) struct Module {
    pub(super) package: Vec<String>,
    pub(super) imports: Vec<Import>,
    pub(super) rules: Vec<Rule>,
}

/// `import PATH as NAME`; those of keywords are left out.
#[derive(Clone, Debug)]
pub(super) struct Import {
    pub(super) path: Vec<String>,
    pub(super) name: String,
}

/// A rule, with what else-branches it has.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) line: u32,
    pub(super) default: bool,
    /// `p`, `p.q[x]`, `f`.
    pub(super) reference: Term,
    /// Of a function.
    pub(super) arguments: Option<Vec<Term>>,
    /// After `contains`.
    pub(super) key: Option<Term>,
    /// After `:=`.
    pub(super) value: Option<Term>,
    /// Absent where there is nothing after `if`.
    pub(super) body: Option<Body>,
    pub(super) otherwise: Vec<Branch>,
}

/// `else := VALUE if { … }`.
#[derive(Clone, Debug)]
pub(super) struct Branch {
    pub(super) line: u32,
    pub(super) value: Option<Term>,
    pub(super) body: Option<Body>,
}

/// Statements, all of which have to hold.
pub(super) type Body = Vec<Statement>;

/// A statement.
#[derive(Clone, Debug)]
pub(super) struct Statement {
    pub(super) line: u32,
    pub(super) kind: Kind,
    pub(super) with: Vec<(Term, Term)>,
}

/// What a statement says.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// `some x, y`
    Some(Vec<String>),
    /// `some KEY, VALUE in COLLECTION`
    SomeIn(Option<Term>, Term, Term),
    /// An expression.
    Term(Term),
    /// `LEFT := RIGHT`
    Assign(Term, Term),
    /// `LEFT = RIGHT`
    Unify(Term, Term),
    /// `not STATEMENT`
    Not(Box<Kind>),
    /// `every KEY, VALUE in COLLECTION { … }`
    Every(Option<String>, String, Term, Body),
}

/// An expression with its line.
#[derive(Clone, Debug)]
pub(super) struct Term {
    pub(super) line: u32,
    pub(super) node: Node,
}

/// What an expression is.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// A constant, as JSON.
    Constant(String),
    Variable(String),
    /// A step after a dot.
    Name(String),
    Array(Vec<Term>),
    Set(Vec<Term>),
    Object(Vec<(Term, Term)>),
    /// `[x | …]`, `{x | …}`, `{x: y | …}`
    Comprehension(Shape, Vec<Term>, Body),
    /// A function's path and its arguments.
    Call(Box<Term>, Vec<Term>),
    /// What is referred into, and the steps; names after dots are constants.
    Reference(Box<Term>, Vec<Term>),
    /// `a + b`, `a == b`, `a | b`
    Infix(&'static str, Box<Term>, Box<Term>),
    /// `KEY, VALUE in COLLECTION`
    In(Option<Box<Term>>, Box<Term>, Box<Term>),
}

/// What a comprehension makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Array,
    Set,
    Object,
}

impl Statement {
    /// The terms directly in it, without those of the body of an `every`.
    pub(super) fn terms(&self) -> Vec<&Term> {
        let mut terms = self.kind.terms();
        terms.extend(self.with.iter().map(|(_, value)| value));
        terms
    }
}

impl Kind {
    fn terms(&self) -> Vec<&Term> {
        match self {
            Self::Some(_) => Vec::new(),
            Self::SomeIn(key, value, collection) => key.iter().chain([value, collection]).collect(),
            Self::Term(term) | Self::Every(_, _, term, _) => vec![term],
            Self::Assign(left, right) | Self::Unify(left, right) => vec![left, right],
            Self::Not(negated) => negated.terms(),
        }
    }
}

impl Term {
    /// A variable.
    pub(super) fn variable(name: impl Into<String>, line: u32) -> Self {
        Self { line, node: Node::Variable(name.into()) }
    }

    /// A string.
    pub(super) fn text(text: &str, line: u32) -> Self {
        Self { line, node: Node::Constant(serde_json::Value::from(text).to_string()) }
    }

    /// `[TERM][0]`: the same value, which the interpreter does not take for a name.
    pub(super) fn in_array(self) -> Self {
        self.beside(None)
    }

    /// `[TERM, OTHER][0]`: the same value, once the other is known as well.
    pub(super) fn beside(self, other: Option<Self>) -> Self {
        let line = self.line;
        let zero = Self { line, node: Node::Constant("0".to_owned()) };
        let array = Self { line, node: Node::Array([self].into_iter().chain(other).collect()) };
        Self { line, node: Node::Reference(Box::new(array), vec![zero]) }
    }

    /// The parts of a reference without computed ones.
    pub(super) fn path(&self) -> Option<Vec<String>> {
        match &self.node {
            Node::Variable(name) => Some(vec![name.clone()]),
            Node::Reference(base, steps) => {
                let mut path = base.path()?;
                for step in steps {
                    path.push(step.as_text()?);
                }
                Some(path)
            }
            _ => None,
        }
    }

    /// The string that a constant is.
    pub(super) fn as_text(&self) -> Option<String> {
        match &self.node {
            Node::Constant(json) => serde_json::from_str(json).ok(),
            Node::Name(name) => Some(name.clone()),
            _ => None,
        }
    }

    /// A constant as JSON.
    pub(super) fn as_json(&self) -> Option<String> {
        match &self.node {
            Node::Constant(json) => Some(json.clone()),
            Node::Name(name) => Some(serde_json::Value::from(name.as_str()).to_string()),
            _ => None,
        }
    }

    /// The variable that a reference starts with.
    pub(super) fn root(&self) -> Option<&str> {
        match &self.node {
            Node::Variable(name) => Some(name),
            Node::Reference(base, _) => base.root(),
            _ => None,
        }
    }

    /// The terms directly below, without those of bodies.
    pub(super) fn children(&self) -> Vec<&Term> {
        match &self.node {
            Node::Constant(_) | Node::Name(_) | Node::Variable(_) => Vec::new(),
            Node::Array(items) | Node::Set(items) | Node::Comprehension(_, items, _) => {
                items.iter().collect()
            }
            Node::Object(members) => members.iter().flat_map(|(key, value)| [key, value]).collect(),
            Node::Call(base, rest) | Node::Reference(base, rest) => {
                [&**base].into_iter().chain(rest).collect()
            }
            Node::Infix(_, left, right) => vec![&**left, &**right],
            Node::In(key, value, collection) => {
                key.iter().map(|key| &**key).chain([&**value, &**collection]).collect()
            }
        }
    }

    /// The same, to change them.
    pub(super) fn children_mut(&mut self) -> Vec<&mut Term> {
        match &mut self.node {
            Node::Constant(_) | Node::Name(_) | Node::Variable(_) => Vec::new(),
            Node::Array(items) | Node::Set(items) | Node::Comprehension(_, items, _) => {
                items.iter_mut().collect()
            }
            Node::Object(members) => members.iter_mut().flat_map(|(key, value)| [key, value]).collect(),
            Node::Call(base, rest) | Node::Reference(base, rest) => {
                [&mut **base].into_iter().chain(rest).collect()
            }
            Node::Infix(_, left, right) => vec![&mut **left, &mut **right],
            Node::In(key, value, collection) => {
                key.iter_mut().map(|key| &mut **key).chain([&mut **value, &mut **collection]).collect()
            }
        }
    }
}

impl Statement {
    /// `NAME := TERM` with the same modifiers as this statement.
    pub(super) fn binding(&self, name: &str, term: Term) -> Self {
        Self { line: self.line, with: self.with.clone(), ..Self::assign(name, term) }
    }

    /// `NAME := TERM`
    pub(super) fn assign(name: &str, term: Term) -> Self {
        let line = term.line;
        Self { line, kind: Kind::Assign(Term::variable(name, line), term), with: Vec::new() }
    }
}
