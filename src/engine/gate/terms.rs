//! Rego as the gate looks at it: rules and terms whose names are resolved.
//!
//! Every name is either a variable of its rule, a path below `data` or `input`, or the name of a builtin; operators
//! are calls of the builtins that they stand for. Made by `reading` from the interpreter's syntax tree.

use std::collections::BTreeMap;
use std::rc::Rc;

/// The variable of this number of its rule.
pub(super) type VarId = usize;

/// Bytes of a module's text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) start: usize,
    pub(super) end: usize,
}

/// A value as it is written.
#[derive(Clone, Debug)]
pub(super) struct Term {
    pub(super) place: Place,
    pub(super) form: Form,
}

#[derive(Clone, Debug)]
pub(super) enum Form {
    Null,
    Bool(bool),
    /// As it is written.
    Number(String),
    Text(String),
    Variable(VarId),
    /// `data.…`, also written as an import or as a rule's name: the steps below `data`.
    Data(Vec<Term>),
    /// `input.…`: the steps below `input`.
    Input(Vec<Term>),
    /// Steps into a variable, a call's result or a literal.
    Into(Box<Term>, Vec<Term>),
    Call(Box<Call>),
    Array(Vec<Term>),
    Set(Vec<Term>),
    Object(Vec<(Term, Term)>),
    /// The terms before the bar (two for an object) and what stands behind it.
    Comprehension(Rc<Comprehension>),
}

#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) function: Function,
    /// Where the function's name stands.
    pub(super) name: Place,
    pub(super) arguments: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Function {
    /// A builtin, or what is neither a rule nor an import.
    Named(String),
    /// A rule: its path below `data`.
    Rule(Vec<String>),
    /// An operator of the language, by its builtin's name.
    Operator(&'static str),
    /// Something that can't be called: a variable.
    Variable(String),
}

#[derive(Debug)]
pub(super) struct Comprehension {
    /// Of arrays, and not of sets, where there is one term.
    pub(super) is_array: bool,
    pub(super) terms: Vec<Term>,
    pub(super) body: Body,
}

pub(super) type Body = Vec<Statement>;

#[derive(Clone, Debug)]
pub(super) struct Statement {
    pub(super) form: StatementForm,
    pub(super) with: Vec<With>,
}

#[derive(Clone, Debug)]
pub(super) enum StatementForm {
    Term(Term),
    /// `left = right`, and `left := right` where `assigned`.
    Unify {
        left: Term,
        right: Term,
        assigned: bool,
    },
    /// `some x, y`
    Some,
    /// `some key, value in collection`
    SomeIn {
        key: Option<Term>,
        value: Term,
        collection: Term,
    },
    Not(Box<StatementForm>),
    /// `every key, value in domain { body }`
    Every(Rc<Every>),
}

#[derive(Debug)]
pub(super) struct Every {
    pub(super) variables: Vec<VarId>,
    pub(super) domain: Term,
    pub(super) body: Body,
}

/// `with target as value`
#[derive(Clone, Debug)]
pub(super) struct With {
    pub(super) target: Term,
    /// The target's text.
    pub(super) text: String,
    pub(super) value: Term,
    /// The builtin that the value is.
    pub(super) function: Option<String>,
}

/// One step of a rule's path.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Name(String),
    Dynamic(Term),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// `p := …`, `p[x] := …`, `p if …`
    Value,
    /// `p contains …`
    Set,
    /// `f(x) := …`
    Function,
}

/// One definition of a rule.
#[derive(Debug)]
pub(super) struct Rule {
    /// The number of its module.
    pub(super) module: usize,
    /// Below `data`, with the package.
    pub(super) path: Vec<Step>,
    pub(super) shape: Shape,
    pub(super) is_default: bool,
    pub(super) arguments: Vec<Term>,
    /// The first body, then each `else`.
    pub(super) branches: Vec<Branch>,
    pub(super) variables: Vec<Variable>,
    /// Its name.
    pub(super) place: Place,
}

#[derive(Debug)]
pub(super) struct Branch {
    /// The element of a set, or the value; none where it is `true`.
    pub(super) value: Option<Term>,
    pub(super) body: Body,
}

#[derive(Clone, Debug)]
pub(super) struct Variable {
    pub(super) name: String,
    /// Where it stands first.
    pub(super) place: Place,
    pub(super) origin: Origin,
    /// How often it is read after it was declared.
    pub(super) uses: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    Argument,
    /// `some x`
    Some,
    /// `some x in`
    Domain,
    /// `every x in`
    Every,
    /// `x := …`
    Assigned,
    /// Written without a declaration.
    Free,
    /// `_`
    Wildcard,
}

impl Rule {
    /// The steps before the first one that is not a name.
    pub(super) fn names(&self) -> Vec<&str> {
        self.path
            .iter()
            .map_while(|step| match step {
                Step::Name(name) => Some(name.as_str()),
                Step::Dynamic(_) => None,
            })
            .collect()
    }

    /// Whether all steps are names.
    pub(super) fn is_ground(&self) -> bool {
        self.path.iter().all(|step| matches!(step, Step::Name(_)))
    }
}

impl Term {
    /// The text of a string.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.form {
            Form::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it is written out, with all that is in it.
    pub(super) fn is_constant(&self) -> bool {
        match &self.form {
            Form::Null | Form::Bool(_) | Form::Number(_) | Form::Text(_) => true,
            Form::Array(_) | Form::Set(_) | Form::Object(_) => {
                self.parts().into_iter().all(Self::is_constant)
            }
            _ => false,
        }
    }

    /// The terms directly within this one; not those of a comprehension.
    pub(super) fn parts(&self) -> Vec<&Term> {
        match &self.form {
            Form::Null | Form::Bool(_) | Form::Number(_) | Form::Text(_) | Form::Variable(_) => Vec::new(),
            Form::Data(steps) | Form::Input(steps) => steps.iter().collect(),
            Form::Into(head, steps) => std::iter::once(&**head).chain(steps).collect(),
            Form::Call(call) => call.arguments.iter().collect(),
            Form::Array(items) | Form::Set(items) => items.iter().collect(),
            Form::Object(members) => members.iter().flat_map(|(key, value)| [key, value]).collect(),
            Form::Comprehension(_) => Vec::new(),
        }
    }
}

impl Term {
    /// Puts other variables in the place of some, those of comprehensions left aside.
    pub(super) fn rename(&mut self, names: &BTreeMap<VarId, VarId>) {
        if let Form::Variable(id) = &mut self.form
            && let Some(other) = names.get(id)
        {
            *id = *other;
        }
        self.parts_mut().into_iter().for_each(|part| part.rename(names));
    }

    fn parts_mut(&mut self) -> Vec<&mut Self> {
        match &mut self.form {
            Form::Null | Form::Bool(_) | Form::Number(_) | Form::Text(_) | Form::Variable(_) => Vec::new(),
            Form::Data(steps) | Form::Input(steps) => steps.iter_mut().collect(),
            Form::Into(head, steps) => std::iter::once(&mut **head).chain(steps).collect(),
            Form::Call(call) => call.arguments.iter_mut().collect(),
            Form::Array(items) | Form::Set(items) => items.iter_mut().collect(),
            Form::Object(members) => members.iter_mut().flat_map(|(key, value)| [key, value]).collect(),
            Form::Comprehension(_) => Vec::new(),
        }
    }
}

impl StatementForm {
    /// The terms directly within this statement; not those of the body of `every`.
    pub(super) fn terms(&self) -> Vec<&Term> {
        match self {
            Self::Term(term) => vec![term],
            Self::Unify { left, right, .. } => vec![left, right],
            Self::Some => Vec::new(),
            Self::SomeIn { key, value, collection } => key.iter().chain([value, collection]).collect(),
            Self::Not(inner) => inner.terms(),
            Self::Every(every) => vec![&every.domain],
        }
    }
}

/// What a look at every statement and term of a rule can do; each method sees its part before what is within it.
pub(super) trait Visitor {
    fn statement(&mut self, _statement: &Statement) {}
    fn term(&mut self, _term: &Term) {}
}

/// Shows `visitor` all of a rule.
pub(super) fn visit_rule(rule: &Rule, visitor: &mut impl Visitor) {
    for step in &rule.path {
        if let Step::Dynamic(term) = step {
            visit_term(term, visitor);
        }
    }
    rule.arguments.iter().for_each(|term| visit_term(term, visitor));
    for branch in &rule.branches {
        visit_body(&branch.body, visitor);
        branch.value.iter().for_each(|term| visit_term(term, visitor));
    }
}

/// Shows `visitor` all of a body.
pub(super) fn visit_body(body: &Body, visitor: &mut impl Visitor) {
    for statement in body {
        visitor.statement(statement);
        statement.form.terms().into_iter().for_each(|term| visit_term(term, visitor));
        if let StatementForm::Every(every) = &statement.form {
            visit_body(&every.body, visitor);
        }
        for with in &statement.with {
            visit_term(&with.value, visitor);
        }
    }
}

/// Shows `visitor` a term and all that is within it.
pub(super) fn visit_term(term: &Term, visitor: &mut impl Visitor) {
    visitor.term(term);
    term.parts().into_iter().for_each(|part| visit_term(part, visitor));
    if let Form::Comprehension(comprehension) = &term.form {
        visit_body(&comprehension.body, visitor);
        comprehension.terms.iter().for_each(|term| visit_term(term, visitor));
    }
}
