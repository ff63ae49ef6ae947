//! Bodies: statements that bind variables and conditions on them.

use super::Generator;
use super::scope::{Kind, Scope, Type};
use super::values::COLLECTIONS;
use crate::tree::{Tree, tree};

impl Generator {
    /// Up to so many statements; what they bind is in the scope then.
    pub(super) fn statements(&mut self, scope: &mut Scope, depth: usize, most: usize) -> Vec<Tree> {
        let count = 1 + self.random.below(most);
        let mut statements: Vec<Tree> = (0..count).map(|_| self.statement(scope, depth)).collect();
        // They mean the same in another order, unless a name is used above its declaration.
        if count > 1 && self.random.chance(12) {
            let (from, to) = (self.random.below(count), self.random.below(count));
            let moved = statements.remove(from);
            statements.insert(to, moved);
        }
        statements
    }

    fn statement(&mut self, scope: &mut Scope, depth: usize) -> Tree {
        let before = scope.clone();
        let plain = match self.random.below(100) {
            0..=13 => self.declaration(scope, depth),
            14..=24 => self.iteration(scope, depth),
            25..=31 => self.old_iteration(scope),
            32..=37 => self.destructuring(scope),
            38..=40 => self.unification(scope, depth),
            41 => self.both_ways(scope),
            42..=47 => return self.every(scope, depth),
            48..=50 => self.output_argument(scope, depth),
            51..=62 => self.negation(scope, depth),
            63..=66 => self.nowhere(scope),
            67..=74 => self.rule_reference(scope, Type::Any, depth),
            _ => self.condition(scope, depth),
        };
        if self.random.chance(8) { self.with(&before, plain, depth) } else { plain }
    }

    fn declaration(&mut self, scope: &mut Scope, depth: usize) -> Tree {
        let of = self.a_type();
        let value = self.term(scope, of, depth + 1);
        // A variable of a scope around this one can be declared again, and is another one then.
        let outer = scope.outer();
        let name = if !outer.is_empty() && self.random.chance(10) {
            self.random.one_of(&outer).to_owned()
        } else {
            self.declared(scope)
        };
        scope.bind(&name, of);
        tree![name, " := ", value]
    }

    fn iteration(&mut self, scope: &mut Scope, depth: usize) -> Tree {
        let (over, of) = self.collection(scope, depth);
        let form = self.random.below(10);
        let (over, of) =
            if form < 7 { (over, of) } else { (Tree::term(self.random.one_of(COLLECTIONS)), Type::Opaque) };
        let first = self.declared(scope);
        scope.bind(&first, of);
        let what = match form {
            0..=3 => first,
            4..=6 => {
                let second = self.declared(scope);
                scope.bind(&second, of);
                format!("{first}, {second}")
            }
            7 => {
                let second = self.declared(scope);
                scope.bind(&second, of);
                format!("[{first}, {second}]")
            }
            8 => format!("{{\"name\": {first}}}"),
            _ => format!("\"a\", {first}"),
        };
        tree!["some ", what, " in ", over]
    }

    /// A name for a variable that is declared.
    fn declared(&mut self, scope: &Scope) -> String {
        match scope.inner_name().filter(|_| self.random.chance(50)) {
            Some(name) => name.to_owned(),
            None => self.fresh(),
        }
    }

    /// What can be iterated, and what its items are.
    fn collection(&mut self, scope: &Scope, depth: usize) -> (Tree, Type) {
        if self.random.chance(70) {
            (Tree::term(self.random.one_of(COLLECTIONS)), Type::Opaque)
        } else {
            (self.term(scope, Type::Collection, depth), Type::Any)
        }
    }

    /// Variables in references, new or bound before.
    fn old_iteration(&mut self, scope: &mut Scope) -> Tree {
        let first = self.fresh();
        let of = self.random.one_of(COLLECTIONS);
        let bound = scope.of(Type::Opaque);
        if !bound.is_empty() && self.random.chance(35) {
            let key = self.random.one_of(&bound).to_owned();
            scope.bind(&first, Type::Opaque);
            return tree![format!("{first} := {of}[{key}]")];
        }
        scope.bind(&first, Type::Opaque);
        match self.random.below(5) {
            0 => tree![format!("{first} := {of}[_]")],
            1 => {
                let other = self.random.one_of(COLLECTIONS);
                tree![format!("some {first}; {of}[{first}] == {other}[{first}]")]
            }
            2 => {
                let second = self.fresh();
                scope.bind(&second, Type::Opaque);
                tree![format!("some {first}, {second}; {of}[{first}] = {second}")]
            }
            3 => tree![format!("{of}[{first}]")],
            _ => {
                let value = self.term(scope, Type::Any, 0);
                tree![format!("some {first}; {of}[{first}] == "), value]
            }
        }
    }

    fn destructuring(&mut self, scope: &mut Scope) -> Tree {
        let (first, second) = (self.fresh(), self.fresh());
        let pattern = match self.random.below(6) {
            0 | 1 => format!("[{first}, {second}]"),
            2 => format!("[{first}, [{second}, _]]"),
            3 => format!("{{\"a\": {first}, \"b\": {second}}}"),
            4 => format!("{{\"k\": {first}, \"name\": [{second}]}}"),
            _ => format!("[{second}, {{\"k\": {first}}}]"),
        };
        let value = if self.random.chance(60) {
            let value = [
                "input.pairs[_]",
                "input.pairs[0]",
                "input.xs",
                "input.ys",
                "input.o",
                "data.base.o",
                "input.mixed",
            ];
            Tree::term(self.random.one_of(&value))
        } else {
            self.term(scope, Type::Opaque, 0)
        };
        scope.bind(&first, Type::Opaque);
        scope.bind(&second, Type::Opaque);
        let sign = self.random.one_of(&[" := ", " = "]);
        if sign == " = " && self.random.chance(20) {
            return tree![value, sign, pattern];
        }
        tree![pattern, sign, value]
    }

    fn unification(&mut self, scope: &mut Scope, depth: usize) -> Tree {
        let bound = scope.of(Type::Opaque);
        if !bound.is_empty() && self.random.chance(35) {
            let other = self.random.one_of(&bound).to_owned();
            let name = self.fresh();
            scope.bind(&name, Type::Opaque);
            return match self.random.below(3) {
                0 => tree![format!("{name} := {other}")],
                1 => tree![format!("{name} = {other}")],
                _ => tree![format!("{other} = {name}")],
            };
        }
        if !bound.is_empty() && self.random.chance(40) {
            let name = self.random.one_of(&bound).to_owned();
            return tree![name, " = ", self.term(scope, Type::Any, depth)];
        }
        let value = self.term(scope, Type::Any, depth);
        let name = self.fresh();
        scope.bind(&name, Type::Any);
        if self.random.chance(30) { tree![value, " = ", name] } else { tree![name, " = ", value] }
    }

    /// Patterns on both sides, with variables on both, and references with a variable in the middle.
    fn both_ways(&mut self, scope: &mut Scope) -> Tree {
        let (first, second) = (self.fresh(), self.fresh());
        let (one, other) = (self.leaf(scope, Type::Opaque), self.leaf(scope, Type::Any));
        scope.bind(&first, Type::Opaque);
        scope.bind(&second, Type::Opaque);
        match self.random.below(6) {
            0 => tree![format!("[{first}, "), other, "] = [", one, format!(", {second}]")],
            1 => tree![
                format!("{{\"a\": {first}, \"b\": "),
                other,
                "} = {\"a\": ",
                one,
                format!(", \"b\": {second}}}")
            ],
            2 => tree![format!("[{first}, {{\"k\": {second}}}] = [{second}, {{\"k\": "), one, "}]"],
            3 => tree![format!("some {first}, {second}; input.cs[{first}].ports[{second}]")],
            4 => tree![format!("{second} := data.base.names[{first}].tag")],
            _ => tree![
                format!("some {first}; {second} := input.cs[{first}].name; input.o[{second}] != "),
                other
            ],
        }
    }

    fn every(&mut self, scope: &Scope, depth: usize) -> Tree {
        let (over, of) = self.collection(scope, depth);
        let mut inner = scope.inner();
        let first = self.declared(&inner);
        inner.bind(&first, of);
        // What is declared must be used.
        let operator = self.random.one_of(&[" != ", " == ", " > ", " in "]);
        let mut body = vec![tree![first.clone(), operator, self.term(&inner, Type::Opaque, 0)]];
        let what = if self.random.chance(40) {
            let second = self.declared(&inner);
            inner.bind(&second, of);
            body.push(tree![second.clone(), " != ", self.term(&inner, Type::Opaque, 0)]);
            format!("{first}, {second}")
        } else {
            first
        };
        if self.random.chance(60) {
            body.extend(self.statements(&mut inner, depth.min(1), 2));
        }
        tree![format!("every {what} in "), over, " { ", Tree::list(body, "; ", 1), " }"]
    }

    /// Builtins whose result is an argument, and those that have several results.
    fn output_argument(&mut self, scope: &mut Scope, depth: usize) -> Tree {
        if self.random.chance(50) {
            let of = self.term(scope, Type::Any, depth);
            let (path, value) = (self.fresh(), self.fresh());
            scope.bind(&path, Type::Array);
            scope.bind(&value, Type::Any);
            return tree!["walk(", of, format!(", [{path}, {value}])")];
        }
        let (name, want, gives) = self.random.one_of(&[
            ("count", Type::Collection, Type::Number),
            ("lower", Type::Text, Type::Text),
            ("abs", Type::Number, Type::Number),
            ("sum", Type::Numbers, Type::Number),
        ]);
        let argument = self.term(scope, want, depth);
        let result = self.fresh();
        scope.bind(&result, gives);
        tree![name, "(", argument, format!(", {result})")]
    }

    fn negation(&mut self, scope: &Scope, depth: usize) -> Tree {
        let was_negated = std::mem::replace(&mut self.is_negated, true);
        let negated = match self.random.below(10) {
            0 => self.nowhere(scope),
            1 => self.lookup(scope),
            2 => self.builtin(scope, Type::Truth, depth),
            3 => self.rule_reference(scope, Type::Any, depth),
            4 => self.rule_reference(scope, Type::Truth, depth),
            5 => {
                let value = self.term(scope, Type::Any, depth);
                tree![value, " = ", self.term(scope, Type::Opaque, 0)]
            }
            _ => self.condition(scope, depth),
        };
        self.is_negated = was_negated;
        tree!["not ", negated]
    }

    /// A reference with a step that is known before.
    fn lookup(&mut self, scope: &Scope) -> Tree {
        let of = self.random.one_of(COLLECTIONS);
        let bound = scope.of(Type::Opaque);
        if bound.is_empty() {
            return self.nowhere(scope);
        }
        let key = self.random.one_of(&bound).to_owned();
        tree![format!("{of}[{key}]")]
    }

    /// What holds or not.
    pub(super) fn condition(&mut self, scope: &Scope, depth: usize) -> Tree {
        match self.random.below(20) {
            0..=7 => {
                let operator =
                    self.random.one_of(&[" == ", " != ", " < ", " <= ", " > ", " >= ", " == ", " != "]);
                // Of two whose types are known, a compiler may refuse to compare.
                let (left, right) = match self.random.below(10) {
                    0 | 1 => (Type::Number, Type::Number),
                    2 => (Type::Text, Type::Text),
                    3..=6 => (self.a_type(), Type::Opaque),
                    _ => (Type::Opaque, self.a_type()),
                };
                tree![self.term(scope, left, depth), operator, self.term(scope, right, depth)]
            }
            8..=12 => self.membership(scope, depth),
            13 | 14 => self.rule_reference(scope, Type::Truth, depth),
            15 => {
                let compared =
                    tree![self.term(scope, Type::Number, 0), " < ", self.term(scope, Type::Number, depth)];
                tree!["(", compared, ") == ", self.term(scope, Type::Truth, depth)]
            }
            16 => self.leaf(scope, Type::Truth),
            _ => self.builtin(scope, Type::Truth, depth),
        }
    }

    fn membership(&mut self, scope: &Scope, depth: usize) -> Tree {
        let (collection, of) = self.collection(scope, depth);
        // As for comparisons.
        let want = if of == Type::Opaque { Type::Any } else { Type::Opaque };
        let value = self.term(scope, want, depth);
        if self.random.chance(20) {
            return tree![self.term(scope, Type::Opaque, 0), ", ", value, " in ", collection];
        }
        tree![value, " in ", collection]
    }

    /// A statement under which something is replaced.
    fn with(&mut self, scope: &Scope, statement: Tree, depth: usize) -> Tree {
        let count = if self.random.chance(25) { 2 } else { 1 };
        let replaced = (0..count).map(|_| {
            let (target, value) = self.replacement(scope, depth);
            tree![" with ", target, " as ", value]
        });
        let replaced = replaced.collect();
        tree![statement, Tree::list(replaced, "", 0)]
    }

    fn replacement(&mut self, scope: &Scope, depth: usize) -> (String, Tree) {
        let depth = depth.min(1);
        match self.random.below(10) {
            0 => ("input".to_owned(), self.term(scope, Type::Object, depth)),
            1..=3 => {
                let target = self.random.one_of(&[
                    "input.n",
                    "input.o",
                    "input.o.a",
                    "input.xs",
                    "input.nope",
                    "input.o.new.x",
                    "input.s",
                ]);
                (target.to_owned(), self.term(scope, Type::Any, depth))
            }
            4 | 5 => {
                let target = self.random.one_of(&[
                    "data.base.n",
                    "data.base.xs",
                    "data.base",
                    "data.base.names.a",
                    "data.base.nope",
                ]);
                (target.to_owned(), self.term(scope, Type::Any, depth))
            }
            6 => {
                let (builtin, by) = self.random.one_of(&[
                    ("count", "sum"),
                    ("lower", "upper"),
                    ("startswith", "endswith"),
                    ("count", "7"),
                    ("is_string", "true"),
                    ("max", "min"),
                ]);
                (builtin.to_owned(), by.into())
            }
            _ => self.replaced_rule(scope, depth),
        }
    }

    fn replaced_rule(&mut self, scope: &Scope, depth: usize) -> (String, Tree) {
        if self.known.is_empty() {
            return ("input".to_owned(), self.term(scope, Type::Any, depth));
        }
        let index = self.random.below(self.known.len());
        let known = self.known[index].clone();
        let name = self.name_of(&known);
        let want = match known.kind {
            Kind::Value(of) | Kind::Function { result: of, .. } => of,
            Kind::PartialSet => Type::Set,
            Kind::PartialObject => Type::Object,
        };
        let path = if known.is_function() { name } else { format!("data.{}.{}", known.package, known.name) };
        (path, self.term(scope, want, depth))
    }
}
