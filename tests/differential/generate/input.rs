//! Inputs and data: always of the same shape, but for what is missing and what is of another type.

use super::Generator;
use crate::tree::{Tree, tree};

const OTHERS: &[&str] = &["null", "true", "\"a\"", "0", "1.5", "[]", "{}", "[1,\"a\"]", "{\"a\":1}"];

const INPUT: &[(&str, &[&str])] = &[
    ("n", &["2", "1", "0", "-3", "2.0"]),
    ("m", &["1", "2", "3"]),
    ("f", &["1.5", "0.1", "2.5", "1e2"]),
    ("big", &["9007199254740993", "18446744073709551615", "18446744073709551617", "1e20"]),
    ("s", &["\"ab\"", "\"a\"", "\"\"", "\"é\"", "\"10Mi\""]),
    ("t", &["\"a,b\"", "\"b\"", "\"a/b.c\""]),
    ("a-b", &["\"dash\""]),
    ("yes", &["true"]),
    ("no", &["false"]),
    ("null", &["null"]),
    ("xs", &["[1,2,3]", "[3,1,1]", "[0]", "[2,\"a\",3]"]),
    ("ys", &["[\"a\",\"b\"]", "[\"b\",\"a\",\"b\"]", "[\"c\"]"]),
    ("mixed", &["[1,\"a\",null,{\"k\":1},[1,2]]", "[true,false,1.0]"]),
    ("pairs", &["[[1,\"a\"],[2,\"b\"]]", "[[1,1],[1],[2,3,4]]", "[[\"a\",{\"k\":2}]]"]),
    ("empty", &["[]"]),
    ("nothing", &["{}"]),
];

const DATA: &[(&str, &[&str])] = &[
    ("n", &["2", "5"]),
    ("s", &["\"a\"", "\"zz\""]),
    ("xs", &["[1,2]", "[5,\"x\",6]"]),
    ("o", &["{\"a\":1,\"b\":\"x\"}", "{\"k\":[1]}"]),
    ("names", &["{\"a\":{\"tag\":\"t1\"},\"b\":{\"tag\":\"t2\"},\"c\":{}}"]),
];

impl Generator {
    pub(super) fn input(&mut self) -> Tree {
        if self.random.chance(2) {
            return self.random.one_of(&["null", "1", "[1,2]", "\"a\"", "{}"]).into();
        }
        let mut members = self.members(INPUT, 10);
        let nested = tree!["{", Tree::list(vec!["\"d\":[1,2]".into(), "\"e\":null".into()], ",", 0), "}"];
        let a = self.one_or_other(&["1", "2"]);
        let b = self.one_or_other(&["\"x\"", "\"a\""]);
        let o = vec![tree!["\"a\":", a], tree!["\"b\":", b], tree!["\"c\":", nested]];
        members.push(tree!["\"o\":{", Tree::list(o, ",", 0), "}"]);
        let container = |name: &str, rest: &str| tree![format!(r#"{{"name":"{name}"{rest}}}"#)];
        let containers = vec![
            container("a", r#","image":"r/x:1","ports":[80,443],"limits":{"cpu":"1","mem":2}"#),
            container("b", r#","image":"y""#),
            container("c", r#","ports":[],"limits":null"#),
        ];
        let count = 1 + self.random.below(3);
        let containers = containers.into_iter().take(count).collect();
        members.push(tree!["\"cs\":[", Tree::list(containers, ",", 0), "]"]);
        tree!["{", Tree::list(members, ",", 0), "}"]
    }

    pub(super) fn data(&mut self) -> Tree {
        let members = self.members(DATA, 5);
        tree![r#"{"base":{"#, Tree::list(members, ",", 0), "}}"]
    }

    fn members(&mut self, all: &[(&str, &[&str])], missing: usize) -> Vec<Tree> {
        let mut members = Vec::new();
        for (name, values) in all {
            if !self.random.chance(missing) {
                let value = self.one_or_other(values);
                members.push(tree![format!("\"{name}\":"), value]);
            }
        }
        members
    }

    fn one_or_other(&mut self, values: &[&str]) -> Tree {
        Tree::from(if self.random.chance(8) {
            self.random.one_of(OTHERS)
        } else {
            self.random.one_of(values)
        })
    }
}
