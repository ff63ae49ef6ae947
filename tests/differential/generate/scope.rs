//! What a term may refer to, and what is known of it.

/// What a term is expected to be; what it is may be something else where it comes from the input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Type {
    /// Expected, anything; of something, that its type is not known here although a compiler may know it.
    Any,
    /// From the input or data: no compiler knows what it is, so that it can stand everywhere.
    Opaque,
    Number,
    Text,
    Truth,
    Array,
    Object,
    Set,
    /// What can be counted or iterated.
    Collection,
    Texts,
    Numbers,
    Sets,
    Objects,
    /// Narrow ones are texts, most of them from a list.
    Narrow(&'static [&'static str]),
}

/// A rule that was written already.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) package: &'static str,
    pub(super) name: String,
    pub(super) kind: Kind,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Value(Type),
    PartialSet,
    PartialObject,
    Function { parameters: Vec<Type>, result: Type },
}

impl Known {
    pub(super) fn is_function(&self) -> bool {
        matches!(self.kind, Kind::Function { .. })
    }
}

impl Type {
    /// Whether something of this type can stand where another is expected.
    pub(super) fn fits(self, want: Self) -> bool {
        self == want || self == Self::Opaque || want == Self::Any
    }
}

/// The variables that are bound where a term stands.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    variables: Vec<(String, Type)>,
    /// How many of them are of a scope around this one, and can be declared again; none in the body of a rule.
    outer: usize,
    is_inner: bool,
}

impl Scope {
    pub(super) fn inner(&self) -> Self {
        Self { outer: self.variables.len(), is_inner: true, variables: self.variables.clone() }
    }

    /// A name that an inner scope can declare whatever stands around it; other inner scopes have the same ones.
    pub(super) fn inner_name(&self) -> Option<&'static str> {
        let is_free = |name: &&&str| self.variables.iter().all(|(bound, _)| bound != **name);
        ["i", "j", "k"].iter().find(is_free).copied().filter(|_| self.is_inner)
    }

    pub(super) fn bind(&mut self, name: &str, of: Type) {
        self.variables.retain(|(bound, _)| bound != name);
        self.variables.push((name.to_owned(), of));
    }

    /// The variables of a scope around this one.
    pub(super) fn outer(&self) -> Vec<&str> {
        self.variables.iter().take(self.outer).map(|(name, _)| name.as_str()).collect()
    }

    /// The variables that can stand where a type is expected.
    pub(super) fn of(&self, want: Type) -> Vec<&str> {
        self.variables.iter().filter(|(_, of)| of.fits(want)).map(|(name, _)| name.as_str()).collect()
    }
}
