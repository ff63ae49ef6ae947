//! Rules of all kinds, with their heads as both versions of the language write them.

use super::Generator;
use super::scope::{Kind, Known, Scope, Type};
use super::values::KEYS;
use crate::tree::{Tree, tree};

impl Generator {
    /// A rule with all that belongs to it; rules after it can refer to it.
    pub(super) fn rule(&mut self, name: &str, can_be_function: bool) -> Tree {
        self.names = 0;
        let (kind, rules) = match self.random.below(100) {
            0..=24 if can_be_function => self.function(name),
            0..=39 => self.complete(name),
            40..=54 => self.truth(name),
            55..=74 => (Kind::PartialSet, self.partial(name, Self::set_rule)),
            75..=89 => (Kind::PartialObject, self.partial(name, Self::object_rule)),
            _ => (Kind::PartialObject, self.nested(name)),
        };
        self.known.push(Known { package: self.package, name: name.to_owned(), kind });
        Tree::list(rules, "\n", 1)
    }

    fn complete(&mut self, name: &str) -> (Kind, Vec<Tree>) {
        let of = self.a_type();
        let mut rules = Vec::new();
        if self.random.chance(25) {
            rules.push(tree![format!("default {name} := "), self.constant(of)]);
        }
        if self.random.chance(10) && !self.has_v0_heads {
            rules.push(tree![format!("{name} := "), self.term(&Scope::default(), of, 3)]);
            return (Kind::Value(of), rules);
        }
        for _ in 0..1 + self.random.below(2) {
            rules.push(self.clause(tree![name.to_owned()], &Scope::default(), Some(of)));
        }
        (Kind::Value(of), rules)
    }

    fn truth(&mut self, name: &str) -> (Kind, Vec<Tree>) {
        let mut rules = Vec::new();
        if self.random.chance(25) {
            rules.push(tree![format!("default {name} := false")]);
        }
        for _ in 0..1 + self.random.below(2) {
            rules.push(self.clause(tree![name.to_owned()], &Scope::default(), None));
        }
        (Kind::Value(Type::Truth), rules)
    }

    fn function(&mut self, name: &str) -> (Kind, Vec<Tree>) {
        let result = self.a_type();
        let parameters: Vec<Type> = (0..1 + self.random.below(2)).map(|_| self.a_type()).collect();
        let mut rules = Vec::new();
        if self.random.chance(15) {
            let arguments = vec!["_"; parameters.len()].join(", ");
            rules.push(tree![format!("default {name}({arguments}) := "), self.constant(result)]);
        }
        for _ in 0..1 + self.random.below(3) {
            self.names = 0;
            let mut scope = Scope::default();
            let arguments: Vec<String> =
                parameters.iter().map(|of| self.parameter(&mut scope, *of)).collect();
            let head = tree![format!("{name}({})", arguments.join(", "))];
            let value = if self.random.chance(15) && result == Type::Truth { None } else { Some(result) };
            rules.push(self.clause(head, &scope, value));
        }
        (Kind::Function { parameters, result }, rules)
    }

    fn parameter(&mut self, scope: &mut Scope, of: Type) -> String {
        match self.random.below(20) {
            0..=2 => self.constant(of).to_string(),
            3 => "_".to_owned(),
            4 | 5 => {
                let (first, second) = (self.fresh(), self.fresh());
                scope.bind(&first, Type::Opaque);
                scope.bind(&second, Type::Opaque);
                format!("[{first}, {second}]")
            }
            6 => {
                let name = self.fresh();
                scope.bind(&name, Type::Opaque);
                format!("{{\"a\": {name}}}")
            }
            7 => {
                let name = self.fresh();
                scope.bind(&name, Type::Opaque);
                format!("[1, {name}]")
            }
            _ => {
                let name = self.fresh();
                // A compiler knows no more than how it is used, but that it knows.
                scope.bind(&name, of);
                name
            }
        }
    }

    /// A head with its value and body, and with what is tried if it does not hold.
    fn clause(&mut self, head: Tree, scope: &Scope, value: Option<Type>) -> Tree {
        let is_chained = self.has_v0_heads && self.random.chance(8);
        let mut parts = vec![head];
        if let (Some(of), true) = (value, is_chained) {
            // The value is that of both bodies.
            parts.push(tree![" = ", self.term(scope, of, 1), self.body(&mut scope.clone())]);
        } else {
            parts.push(self.value_and_body(scope, value));
        }
        if self.random.chance(20) && !is_chained {
            let others =
                (0..1 + self.random.below(3)).map(|_| tree![" else", self.value_and_body(scope, value)]);
            parts.push(Tree::list(others.collect(), "", 0));
        } else if is_chained {
            let body = self.statements(&mut scope.clone(), 1, 2);
            parts.push(Tree::optional(Some(tree![" {\n\t", Tree::list(body, "\n\t", 1), "\n}"])));
        }
        Tree::Parts(parts)
    }

    fn value_and_body(&mut self, scope: &Scope, value: Option<Type>) -> Tree {
        let mut inner = scope.clone();
        let body = self.body(&mut inner);
        match value {
            Some(of) => {
                let sign = if self.has_v0_heads && self.random.chance(50) { " = " } else { " := " };
                let depth = self.random.below(3);
                tree![sign, self.term(&inner, of, depth), body]
            }
            None => body,
        }
    }

    /// ` if { … }`, or as v0 writes it.
    fn body(&mut self, scope: &mut Scope) -> Tree {
        let depth = self.random.below(3);
        let statements = self.statements(scope, depth, 4);
        let word = if self.has_v0_heads { "" } else { " if" };
        let is_one = statements.len() == 1 && !statements[0].to_string().starts_with("some ");
        if is_one && !self.has_v0_heads && self.random.chance(30) {
            return tree![" if ", Tree::list(statements, "", 1)];
        }
        let (open, separator, close) =
            if self.random.chance(70) { (" {\n\t", "\n\t", "\n}") } else { (" { ", "; ", " }") };
        tree![word, open, Tree::list(statements, separator, 1), close]
    }

    fn partial(&mut self, name: &str, rule: fn(&mut Self, &str) -> Tree) -> Vec<Tree> {
        (0..1 + self.random.below(3)).map(|_| rule(self, name)).collect()
    }

    fn set_rule(&mut self, name: &str) -> Tree {
        self.names = 0;
        let mut scope = Scope::default();
        let body = self.body(&mut scope);
        let depth = self.random.below(3);
        let item = self.a_type();
        let item = self.term(&scope, item, depth);
        if self.has_v0_heads {
            tree![name, "[", item, "]", body]
        } else {
            tree![name, " contains ", item, body]
        }
    }

    fn object_rule(&mut self, name: &str) -> Tree {
        self.names = 0;
        let mut scope = Scope::default();
        let body = self.body(&mut scope);
        let depth = self.random.below(3);
        let key = self.key(&scope, 1);
        let value = self.term(&scope, Type::Any, depth);
        let sign = if self.has_v0_heads { " = " } else { " := " };
        tree![name, "[", key, "]", sign, value, body]
    }

    fn nested(&mut self, name: &str) -> Vec<Tree> {
        let form = self.random.below(9);
        let rules = 0..1 + self.random.below(3);
        rules
            .map(|_| {
                // Most forms can't go with each other.
                let form = if self.random.chance(90) { form } else { self.random.below(9) };
                self.nested_rule(name, form)
            })
            .collect()
    }

    /// Heads with several parts, which v0 reads in another way.
    fn nested_rule(&mut self, name: &str, form: usize) -> Tree {
        if self.has_v0_heads {
            return self.object_rule(name);
        }
        self.names = 0;
        let mut scope = Scope::default();
        let body = self.body(&mut scope);
        let value = self.term(&scope, Type::Any, 1);
        let (key, other) = (self.key(&scope, 0), self.random.one_of(KEYS));
        let field = self.random.one_of(&["a", "b", "deep"]);
        match form {
            0 => tree![name, format!(".{field}[{other}] := "), value, body],
            1 => tree![name, format!(".{field}["), key, "] := ", value, body],
            2 => tree![name, "[", key, format!("].{field} := "), value, body],
            3 => tree![name, "[", key, "][", self.key(&scope, 0), "] := ", value, body],
            4 => tree![name, "[", key, "] contains ", value, body],
            5 => tree![
                name,
                format!(".{field}["),
                key,
                format!("].{field}["),
                self.key(&scope, 0),
                "] := ",
                value,
                body
            ],
            6 => {
                tree![name, "[", key, format!("].{field}["), self.key(&scope, 0), "] contains ", value, body]
            }
            7 => tree![name, format!("[{other}].{field} := "), value, body],
            _ => tree![name, format!(".{field} contains "), value, body],
        }
    }
}
