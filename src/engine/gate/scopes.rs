//! Which variable a name is, at a place of a rule: OPA's rules of declaration.

use std::collections::{BTreeMap, BTreeSet};

use super::terms::{Origin, Place, VarId, Variable};

/// The scopes around a place, innermost last, and all variables of the rule.
#[derive(Default)]
pub(super) struct Scopes {
    variables: Vec<Variable>,
    /// Those without a declaration: one of a name in the whole rule.
    free: BTreeMap<String, VarId>,
    arguments: BTreeMap<String, VarId>,
    stack: Vec<Scope>,
    /// Whether the value of a head is read, where OPA knows the names of arguments and of the body, but not that they are
    /// declared.
    is_head: bool,
}

#[derive(Default)]
struct Scope {
    declared: BTreeMap<String, VarId>,
    /// What it declares anywhere: hides a rule or an import of that name in all of it.
    hides: BTreeSet<String>,
    /// Used here before any declaration.
    seen: BTreeSet<String>,
    /// Where OPA takes what is used further up for what is declared further down.
    is_every: bool,
}

/// Why a name can't be declared.
pub(super) enum Refusal {
    /// It was used further up.
    UsedAbove,
    /// It was declared further up.
    DeclaredAbove,
    /// It is an argument.
    Argument,
}

impl Scopes {
    /// Enters the body of a rule: its arguments stand in the same scope.
    pub(super) fn enter_branch(&mut self) {
        self.stack.push(Scope { declared: self.arguments.clone(), ..Scope::default() });
    }

    /// Enters the body of a comprehension.
    pub(super) fn enter(&mut self) {
        self.stack.push(Scope::default());
    }

    /// Enters the body of `every`.
    pub(super) fn enter_every(&mut self) {
        self.stack.push(Scope { is_every: true, ..Scope::default() });
    }

    /// Says whether the value of a head is read from here on.
    pub(super) fn head(&mut self, is_head: bool) {
        self.is_head = is_head;
    }

    /// Says what the body that was entered last declares anywhere.
    pub(super) fn hide(&mut self, names: BTreeSet<String>) {
        if let Some(scope) = self.stack.last_mut() {
            scope.hides.extend(names);
        }
    }

    /// Leaves what was entered last, and gives what it declared with `some` or `every` and never used.
    pub(super) fn leave(&mut self) -> Vec<(String, Place)> {
        let scope = self.stack.pop().unwrap_or_default();
        let unused = scope.declared.values().filter_map(|id| {
            let variable = self.variables.get(*id)?;
            (matches!(variable.origin, Origin::Some | Origin::Every) && variable.uses == 0)
                .then(|| (variable.name.clone(), variable.place))
        });
        unused.collect()
    }

    /// Declares a name in the innermost scope.
    pub(super) fn declare(&mut self, name: &str, place: Place, origin: Origin) -> Result<VarId, Refusal> {
        let scope = self.stack.last();
        if let Some(id) = scope.and_then(|scope| scope.declared.get(name)) {
            let is_argument = self.arguments.get(name) == Some(id);
            return Err(if is_argument { Refusal::Argument } else { Refusal::DeclaredAbove });
        }
        if scope.is_some_and(|scope| scope.seen.contains(name)) {
            return Err(Refusal::UsedAbove);
        }
        let id = self.add(name, place, origin);
        let declared = self.stack.last_mut().map_or(&mut self.arguments, |scope| &mut scope.declared);
        declared.insert(name.to_owned(), id);
        Ok(id)
    }

    /// The variable that a name is here if it is declared.
    pub(super) fn declared(&mut self, name: &str) -> Option<VarId> {
        let within = self.stack.iter().rev().find_map(|scope| scope.declared.get(name)).copied();
        let id = within.or_else(|| self.arguments.get(name).copied())?;
        if let Some(variable) = self.variables.get_mut(id) {
            variable.uses = variable.uses.saturating_add(1);
        }
        if self.is_head {
            self.see(name);
        }
        Some(id)
    }

    /// Variables without a declaration, and those of their names that the innermost scope declares.
    pub(super) fn declared_after(&self) -> BTreeMap<VarId, VarId> {
        let declared = self.stack.last().map(|scope| &scope.declared);
        let free = |(name, id): (&String, &VarId)| Some((*self.free.get(name)?, *id));
        declared.into_iter().flatten().filter_map(free).collect()
    }

    /// Whether a body around declares the name, further down.
    pub(super) fn hides(&self, name: &str) -> bool {
        self.stack.iter().any(|scope| scope.hides.contains(name))
    }

    /// The variable of a name without declaration.
    pub(super) fn free(&mut self, name: &str, place: Place) -> VarId {
        let is_every = self.stack.last().is_some_and(|scope| scope.is_every);
        // One that is used around a comprehension of a body can be declared in it again.
        if is_every || self.is_head || !self.stack.iter().any(|scope| scope.seen.contains(name)) {
            self.see(name);
        }
        if let Some(id) = self.free.get(name) {
            return *id;
        }
        let id = self.add(name, place, Origin::Free);
        self.free.insert(name.to_owned(), id);
        id
    }

    /// A variable of its own, for each `_`.
    pub(super) fn wildcard(&mut self, place: Place) -> VarId {
        self.add("_", place, Origin::Wildcard)
    }

    /// All variables of the rule, by number.
    pub(super) fn into_variables(self) -> Vec<Variable> {
        self.variables
    }

    fn see(&mut self, name: &str) {
        if let Some(scope) = self.stack.last_mut() {
            scope.seen.insert(name.to_owned());
        }
    }

    fn add(&mut self, name: &str, place: Place, origin: Origin) -> VarId {
        let id = self.variables.len();
        self.variables.push(Variable { name: name.to_owned(), place, origin, uses: 0 });
        id
    }
}
