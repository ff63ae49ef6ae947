//! Terms: what has a value, or none.

use super::Generator;
use super::builtins::{COMMON, RARE};
use super::scope::{Kind, Known, Scope, Type};
use super::values::{KEYS, MANY, NOWHERE, NUMBERS, PLACES, SMALL, TEXTS};
use crate::tree::{Tree, tree};

const FORMATS: &[&str] = &[
    "%v",
    "%v",
    "%v",
    "%s",
    "%d",
    "%s %d",
    "%v-%v",
    "%q",
    "%f",
    "%.2f",
    "%t",
    "%x",
    "%5d|",
    "%-4s|",
    "%05d",
    "%%",
    "%v%%",
    "%T",
    "%e",
    "%g",
    "%b",
    "%o",
    "%c",
    "%X",
    "%U",
    "%+d",
    "%#v",
    "%10.3f",
    "%!",
    "%",
    "%s%",
    "%z",
    "%[2]v %[1]v",
    "x",
    "%*d",
];

impl Generator {
    /// A term that is mostly of a type; it may be undefined, or of another type than a compiler can know.
    pub(super) fn term(&mut self, scope: &Scope, want: Type, depth: usize) -> Tree {
        let want = if self.is_mistaken && self.random.chance(8) {
            self.random.one_of(&[Type::Number, Type::Text, Type::Truth, Type::Array, Type::Object, Type::Set])
        } else {
            want
        };
        Tree::term(if self.random.chance(5) {
            self.nowhere(scope)
        } else if depth == 0 || self.random.chance(35) {
            self.leaf(scope, want)
        } else {
            self.compound(scope, want, depth - 1)
        })
    }

    /// A place where there is nothing.
    pub(super) fn nowhere(&mut self, scope: &Scope) -> Tree {
        let keys = scope.of(Type::Text);
        if !keys.is_empty() && self.random.chance(20) {
            let key = self.random.one_of(&keys);
            let of = self.random.one_of(&["input", "input.o", "data.base.names", "input.xs"]);
            return tree![format!("{of}[{key}]")];
        }
        let place = self.random.one_of(NOWHERE);
        if self.is_negated { place.replace("[_]", "[0]").into() } else { place.into() }
    }

    pub(super) fn leaf(&mut self, scope: &Scope, want: Type) -> Tree {
        if want == Type::Opaque {
            return self.opaque(scope);
        }
        let variables = scope.of(want);
        if !variables.is_empty() && self.random.chance(45) {
            return self.random.one_of(&variables).into();
        }
        if self.random.chance(60) {
            let places: Vec<&str> = self.places(PLACES, want);
            if !places.is_empty() {
                return self.random.one_of(&places).into();
            }
        }
        self.constant(want)
    }

    /// What a compiler knows nothing of.
    pub(super) fn opaque(&mut self, scope: &Scope) -> Tree {
        let variables = scope.of(Type::Opaque);
        match self.random.below(10) {
            0 => self.nowhere(scope),
            1..=4 if !variables.is_empty() => self.random.one_of(&variables).into(),
            5 if !self.is_negated => self.random.one_of(MANY).0.into(),
            _ => self.random.one_of(PLACES).0.into(),
        }
    }

    /// A place with many values, where they are of a type.
    fn many(&mut self, scope: &Scope, want: Type) -> Tree {
        let places = self.places(MANY, want);
        if places.is_empty() || self.is_negated {
            self.leaf(scope, want)
        } else {
            self.random.one_of(&places).into()
        }
    }

    fn places(&self, all: &[(&'static str, Type)], want: Type) -> Vec<&'static str> {
        all.iter().filter(|(_, of)| *of == want || want == Type::Any).map(|(place, _)| *place).collect()
    }

    pub(super) fn constant(&mut self, want: Type) -> Tree {
        match want {
            Type::Number if self.random.chance(70) => self.random.one_of(SMALL).into(),
            Type::Number => self.random.one_of(NUMBERS).into(),
            Type::Text => self.random.one_of(TEXTS).into(),
            Type::Truth => self.random.one_of(&["true", "true", "false"]).into(),
            Type::Narrow(texts) => self.random.one_of(texts).into(),
            Type::Any | Type::Opaque => {
                let one =
                    self.random.one_of(&[Type::Number, Type::Text, Type::Truth, Type::Array, Type::Object]);
                if self.random.chance(12) { "null".into() } else { self.constant(one) }
            }
            Type::Set => self
                .random
                .one_of(&["set()", "{1, 2}", "{2, 3}", "{\"a\", \"b\"}", "{1, \"a\", [2]}", "{{1}, {}}"])
                .into(),
            Type::Object => self
                .random
                .one_of(&[
                    "{}",
                    "{\"a\": 1}",
                    "{\"a\": {\"b\": [1]}}",
                    "{\"k\": \"x\", \"b\": 2}",
                    "{1: 2, \"1\": 3}",
                ])
                .into(),
            Type::Array => self
                .random
                .one_of(&["[]", "[1]", "[1, 2]", "[\"b\", \"a\"]", "[[1], {\"a\": null}]", "[1, \"1\", 1.0]"])
                .into(),
            Type::Collection => {
                let one = self.random.one_of(&[Type::Array, Type::Object, Type::Set]);
                self.constant(one)
            }
            Type::Texts => self
                .random
                .one_of(&["[]", "[\"a\"]", "[\"a\", \"b\", \"ab\"]", "{\"b\", \"a\"}", "[\"\"]"])
                .into(),
            Type::Numbers => self
                .random
                .one_of(&["[]", "[1, 2]", "{1, 2.5}", "[9007199254740993, 1]", "[0.1, 0.2]"])
                .into(),
            Type::Sets => self.random.one_of(&["{{1}, {1, 2}}", "set()", "{{\"a\"}, set()}"]).into(),
            Type::Objects => self.random.one_of(&["[]", "[{\"a\": 1}, {\"a\": 2, \"b\": 3}]", "[{}]"]).into(),
        }
    }

    fn compound(&mut self, scope: &Scope, want: Type, depth: usize) -> Tree {
        match self.random.below(10) {
            0 => self.many(scope, want),
            1 | 2 => self.rule_reference(scope, want, depth),
            3 | 4 => self.builtin(scope, want, depth),
            _ => match want {
                Type::Number => self.arithmetic(scope, depth),
                Type::Text => self.sprintf(scope, depth),
                Type::Truth => tree!["(", self.condition(scope, depth), ")"],
                Type::Array | Type::Texts | Type::Numbers | Type::Objects => self.array(scope, want, depth),
                Type::Set | Type::Sets => self.set(scope, want, depth),
                Type::Object => self.object(scope, depth),
                Type::Collection => {
                    let one = self.random.one_of(&[Type::Array, Type::Object, Type::Set]);
                    self.compound(scope, one, depth)
                }
                Type::Any => {
                    let one = self.a_type();
                    if one == Type::Any { self.leaf(scope, one) } else { self.compound(scope, one, depth) }
                }
                Type::Opaque => self.opaque(scope),
                Type::Narrow(_) => {
                    if self.random.chance(80) {
                        self.constant(want)
                    } else {
                        self.opaque(scope)
                    }
                }
            },
        }
    }

    fn arithmetic(&mut self, scope: &Scope, depth: usize) -> Tree {
        let operator = self.random.one_of(&[" + ", " - ", " * ", " / ", " % ", " + ", " - "]);
        let (left, right) = (self.term(scope, Type::Number, depth), self.term(scope, Type::Number, depth));
        if self.random.chance(20) {
            let next = self.random.one_of(&[" + ", " - ", " * ", " / ", " % "]);
            return tree!["(", left, operator, right, next, self.term(scope, Type::Number, 0), ")"];
        }
        tree!["(", left, operator, right, ")"]
    }

    fn sprintf(&mut self, scope: &Scope, depth: usize) -> Tree {
        let format = self.random.one_of(FORMATS);
        let verbs = format.replace("%%", "").matches('%').count();
        let count = match self.random.below(10) {
            0 => verbs.saturating_sub(1),
            1 => verbs + 1,
            _ => verbs,
        };
        let arguments = (0..count).map(|_| {
            let want = if format.contains(['d', 'f', 'x', 'e']) { Type::Number } else { Type::Any };
            self.term(scope, want, depth.min(1))
        });
        tree![format!("sprintf(\"{format}\", ["), Tree::list(arguments.collect(), ", ", 0), "])"]
    }

    fn array(&mut self, scope: &Scope, want: Type, depth: usize) -> Tree {
        let item = match want {
            Type::Texts => Type::Text,
            Type::Numbers => Type::Number,
            Type::Objects => Type::Object,
            _ => Type::Any,
        };
        if self.random.chance(40) {
            let (head, body) =
                self.comprehension(scope, depth, |generator, inner| generator.term(inner, item, depth));
            return tree!["[", head, " | ", body, "]"];
        }
        let items = (0..self.random.below(4)).map(|_| self.term(scope, item, depth)).collect();
        tree!["[", Tree::list(items, ", ", 0), "]"]
    }

    fn set(&mut self, scope: &Scope, want: Type, depth: usize) -> Tree {
        let item = if want == Type::Sets { Type::Set } else { Type::Any };
        match self.random.below(10) {
            0..=3 => {
                let (head, body) =
                    self.comprehension(scope, depth, |generator, inner| generator.term(inner, item, depth));
                tree!["{", head, " | ", body, "}"]
            }
            4..=6 if want == Type::Set => {
                let operator = self.random.one_of(&[" | ", " & ", " - "]);
                tree![
                    "(",
                    self.term(scope, Type::Set, depth),
                    operator,
                    self.term(scope, Type::Set, depth),
                    ")"
                ]
            }
            _ => {
                let items = (0..1 + self.random.below(3)).map(|_| self.term(scope, item, depth)).collect();
                tree!["{", Tree::list(items, ", ", 1), "}"]
            }
        }
    }

    fn object(&mut self, scope: &Scope, depth: usize) -> Tree {
        if self.random.chance(40) {
            let (head, body) = self.comprehension(scope, depth, |generator, inner| {
                let key = generator.key(inner, depth);
                tree![key, ": ", generator.term(inner, Type::Any, depth)]
            });
            return tree!["{", head, " | ", body, "}"];
        }
        let mut members = Vec::new();
        for key in KEYS.iter().take(3) {
            if self.random.chance(50) {
                let key = if self.random.chance(85) { Tree::from(*key) } else { self.key(scope, depth) };
                members.push(tree![key, ": ", self.term(scope, Type::Any, depth)]);
            }
        }
        tree!["{", Tree::list(members, ", ", 0), "}"]
    }

    /// The name of a member, computed or not.
    pub(super) fn key(&mut self, scope: &Scope, depth: usize) -> Tree {
        match self.random.below(10) {
            0..=5 => self.term(scope, Type::Text, 0),
            6 | 7 => self.term(scope, Type::Any, depth.min(1)),
            _ => self.random.one_of(KEYS).into(),
        }
    }

    /// What stands before the line and behind it.
    fn comprehension(
        &mut self,
        scope: &Scope,
        depth: usize,
        head: impl FnOnce(&mut Self, &Scope) -> Tree,
    ) -> (Tree, Tree) {
        let mut inner = scope.inner();
        let was_negated = std::mem::take(&mut self.is_negated);
        let body = self.statements(&mut inner, depth.min(1), 2);
        let head = head(self, &inner);
        self.is_negated = was_negated;
        (head, Tree::list(body, "; ", 1))
    }

    /// A call of a builtin that gives what is wanted, or of any where none does.
    pub(super) fn builtin(&mut self, scope: &Scope, want: Type, depth: usize) -> Tree {
        let table = if self.random.chance(75) { COMMON } else { RARE };
        let fitting: Vec<_> = table
            .iter()
            .filter(|(_, _, gives)| want == Type::Any || *gives == want || *gives == Type::Any)
            .collect();
        if fitting.is_empty() {
            return self.leaf(scope, want);
        }
        let (name, takes, _) = self.random.one_of(&fitting);
        let arguments = takes.iter().map(|takes| self.term(scope, *takes, depth)).collect();
        tree![*name, "(", Tree::list(arguments, ", ", takes.len()), ")"]
    }

    /// A rule before this one, or a call of a function.
    pub(super) fn rule_reference(&mut self, scope: &Scope, want: Type, depth: usize) -> Tree {
        let fitting = |known: &&Known| match &known.kind {
            Kind::Value(of) | Kind::Function { result: of, .. } => of.fits(want),
            Kind::PartialSet => matches!(want, Type::Set | Type::Any | Type::Collection | Type::Truth),
            Kind::PartialObject => matches!(want, Type::Object | Type::Any | Type::Collection),
        };
        let known: Vec<Known> = self.known.iter().filter(fitting).cloned().collect();
        if known.is_empty() {
            return self.leaf(scope, want);
        }
        let index = self.random.below(known.len());
        let name = self.name_of(&known[index]);
        match &known[index].kind {
            Kind::Function { parameters, .. } => {
                let mut arguments = Vec::new();
                for takes in parameters {
                    let takes = if self.random.chance(93) { Type::Opaque } else { *takes };
                    arguments.push(self.term(scope, takes, depth));
                }
                tree![name, "(", Tree::list(arguments, ", ", parameters.len()), ")"]
            }
            Kind::PartialObject if want == Type::Any && self.random.chance(60) => {
                let key =
                    if !self.is_negated && self.random.chance(25) { "_".into() } else { self.key(scope, 0) };
                let more = self.random.one_of(&["", "", "", ".deep", "[_]", ".a", "[_][_]"]);
                let more = if self.is_negated { more.replace("[_]", ".b") } else { more.to_owned() };
                tree![name, "[", key, "]", more]
            }
            Kind::PartialSet if want == Type::Any && !self.is_negated && self.random.chance(40) => {
                tree![name, "[_]"]
            }
            Kind::PartialSet if want == Type::Truth => {
                tree!["(", self.term(scope, Type::Opaque, depth), " in ", name, ")"]
            }
            _ => name.into(),
        }
    }
}
