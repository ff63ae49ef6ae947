//! The builtin functions of Rego. One [table](table) of every builtin that OPA knows: taken from the interpreter as
//! it is, made by us, or refused with the reason; what is not in it does not exist.
//!
//! Ours are those that the interpreter lacks, those where it differs from OPA without a word, and those that one
//! call could use to take a worker's memory or minutes. All are pure: arguments in, value out, no clock, no network,
//! no environment.

mod arguments;
mod bits;
mod budget;
mod collections;
mod crypto;
pub(super) mod decimal;
mod documents;
pub(super) mod doubles;
mod encoding;
mod exact;
mod glob;
mod graph;
mod json;
mod json_patch;
mod jwt;
mod net;
mod number;
mod numbers;
mod operators;
pub(super) mod order;
mod printf;
mod regex;
mod replace;
mod semver;
pub(super) mod spelling;
mod strings;
mod table;
mod text;
mod time;
mod units;
mod uuid;
mod yaml;

pub(super) use budget::within;
pub(super) use printf::SHOWN;
use regorus::{Engine, Value};

use super::types::{self, Type};

/// A builtin that OPA knows.
pub(super) struct Builtin {
    /// As policies call it.
    pub(super) name: &'static str,
    /// What it takes and gives, as the module of types reads it.
    pub(super) signature: &'static str,
    /// How many arguments that are; every call may have one more, which is unified with the result.
    pub(super) arity: Arity,
    /// Who answers.
    pub(super) origin: Origin,
}

/// How many arguments a builtin takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arity {
    /// So many.
    Exactly(u8),
    /// Any number (`print`).
    Any,
}

impl Builtin {
    /// The types that it takes and gives; none of one that takes any number of arguments.
    pub(super) fn types(&self) -> Option<Type> {
        types::function(self.signature)
    }
}

/// Who answers a builtin.
#[derive(Clone, Copy)]
pub(super) enum Origin {
    /// The interpreter.
    Native,
    /// This module.
    Ours(Function),
    /// The program, by a rewriting at load; never called as it stands.
    Rewritten,
    /// Nobody: a policy that names it does not load.
    Refused(Reason),
}

/// Why a builtin is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// It asks the network.
    Network,
    /// It reads the environment of the process.
    Environment,
    /// It gives another value each time (R46).
    Random,
    /// It makes signatures or hands out private keys: key material has no place in a policy.
    Keys,
    /// It reads Rego, or the policy itself, while policies are evaluated.
    Reflection,
    /// Nothing that an admission policy looks at needs it.
    Foreign,
    /// The compiler of OPA writes it; policies don't.
    Internal,
}

impl Reason {
    /// The end of "`name` is not available: …", with what to do instead.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Network => {
                "it asks the network; what a policy needs of the outside it declares as a fact and reads in \
                 `input.context`"
            }
            Self::Environment => {
                "it reads the environment of the process; hand the value over as a parameter of the binding"
            }
            Self::Random => "it gives another value on every replica; derive the value from the request",
            Self::Keys => "it works with private keys, which have no place in a policy",
            Self::Reflection => "it reads Rego at evaluation; write what it would read as data",
            Self::Foreign => "no object of Kubernetes needs it",
            Self::Internal => {
                "it is an instruction of OPA's compiler; write the expression that it stands for"
            }
        }
    }
}

/// A builtin of ours: as many arguments as its arity says, all defined.
pub(super) type Function = fn(&[Value]) -> Result<Value, Failure>;

/// Why a builtin has no value.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// What OPA calls a builtin error: undefined, or an error where builtin errors are strict.
    Wrong(String),
    /// An error always: a policy must not be able to turn it into "undefined".
    Beyond(String),
}

/// What a builtin error is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BuiltinErrors {
    /// An error of the evaluation.
    Strict,
    /// Undefined, as OPA has it by default.
    Undefined,
}

/// The builtin of that name.
pub(super) fn find(name: &str) -> Option<&'static Builtin> {
    let found = table::BUILTINS.binary_search_by(|builtin| builtin.name.cmp(name)).ok()?;
    table::BUILTINS.get(found)
}

/// The names of all builtins that OPA knows.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    table::BUILTINS.iter().map(|builtin| builtin.name)
}

/// Gives the interpreter our builtins, those of which `used` says that the policies name them (each costs every
/// clone of the engine a little).
///
/// # Errors
/// The interpreter has one of them already.
pub(super) fn register(
    engine: &mut Engine,
    errors: BuiltinErrors,
    used: impl Fn(&str) -> bool,
) -> Result<(), anyhow::Error> {
    for builtin in table::BUILTINS.iter().filter(|builtin| used(builtin.name)) {
        let (Origin::Ours(function), Arity::Exactly(arity)) = (builtin.origin, builtin.arity) else {
            continue;
        };
        let name = builtin.name;
        let answer = move |arguments: Vec<Value>| answer(name, errors, function(&arguments));
        engine.add_extension(name.to_owned(), arity, Box::new(answer))?;
    }
    Ok(())
}

/// Whether a number is held as it is, and not as another that is near.
pub(super) fn keeps(text: &str) -> bool {
    decimal::is_kept(text)
}

/// The digits of a number without a fraction, however it is written.
pub(super) fn digits(text: &str) -> Option<String> {
    decimal::whole(text).ok().map(|integer| integer.to_string())
}

/// Gives the interpreter the function of which the normaliser makes numbers that keep their spelling.
///
/// # Errors
/// The interpreter has one of that name already.
pub(super) fn register_spelled(engine: &mut Engine, name: &str) -> Result<(), anyhow::Error> {
    let number = |arguments: Vec<Value>| {
        let text = arguments::string(&arguments, 0)?;
        decimal::read(text).unwrap_or_else(|| Err(Failure::Wrong(format!("`{text}` is no number"))))
    };
    let of = name.to_owned();
    let answer = move |arguments| answer(&of, BuiltinErrors::Strict, number(arguments));
    engine.add_extension(name.to_owned(), 1, Box::new(answer))
}

fn answer(name: &str, errors: BuiltinErrors, result: Result<Value, Failure>) -> Result<Value, anyhow::Error> {
    match (result, errors) {
        (Ok(value), _) => Ok(value),
        (Err(Failure::Wrong(_)), BuiltinErrors::Undefined) => Ok(Value::Undefined),
        (Err(Failure::Wrong(why)), BuiltinErrors::Strict) => Err(anyhow::anyhow!("{name}: {why}")),
        (Err(Failure::Beyond(what)), _) => {
            let what = format!("{name} {what}");
            budget::exceed(&what);
            Err(anyhow::anyhow!(what))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;

    /// Checked against the real OPA by tests/builtins.
    const SIGNATURES: &str = include_str!("../../tests/fixtures/builtins/signatures.tsv");
    const CALLS: &str = include_str!("../../tests/fixtures/builtins/calls.jsonl");

    #[test]
    fn the_table_has_every_builtin_of_opa_with_its_signature() {
        let ours: Vec<String> = table::BUILTINS
            .iter()
            .map(|builtin| format!("{}\t{}", builtin.name, builtin.signature))
            .collect();
        assert_eq!(ours, SIGNATURES.lines().collect::<Vec<_>>());
        assert!(find("sprintf").is_some() && find("sprint").is_none());
    }

    #[test]
    fn a_signature_says_how_many_arguments_there_are() {
        let arity = |name: &str| find(name).map(|builtin| builtin.arity);
        let expected = [
            ("print", Arity::Any),
            ("opa.runtime", Arity::Exactly(0)),
            ("internal.print", Arity::Exactly(1)),
            ("time.clock", Arity::Exactly(1)),
            ("json.patch", Arity::Exactly(2)),
            ("net.cidr_contains_matches", Arity::Exactly(2)),
            ("regex.template_match", Arity::Exactly(4)),
        ];
        for (name, wanted) in expected {
            assert_eq!(arity(name), Some(wanted), "{name}");
        }
    }

    #[test]
    fn what_the_interpreter_is_left_to_answer_it_knows() {
        let known = |name: &str| regorus::unstable::BUILTINS.contains_key(name) || name == "print";
        let natives = table::BUILTINS.iter().filter(|builtin| matches!(builtin.origin, Origin::Native));
        assert_eq!(
            natives.filter(|builtin| !known(builtin.name)).map(|b| b.name).collect::<Vec<_>>(),
            [""; 0]
        );
    }

    #[test]
    fn ours_give_what_opa_gives() {
        let mut called = BTreeSet::new();
        let mut different = Vec::new();
        for line in CALLS.lines() {
            let call: serde_json::Value = serde_json::from_str(line).unwrap();
            let name = call["call"].as_str().unwrap();
            let arguments: Vec<Value> = call["arguments"].as_array().unwrap().iter().map(argument).collect();
            let Some(Origin::Ours(function)) = find(name).map(|builtin| builtin.origin) else {
                panic!("{name} is not ours")
            };
            called.insert(name.to_owned());
            let result = match function(&arguments) {
                Ok(Value::Undefined) | Err(Failure::Wrong(_)) => None,
                Ok(value) => Some(plain(&value)),
                Err(Failure::Beyond(what)) => Some(json!({ "beyond": what })),
            };
            if result != call.get("result").map(|result| plain(&super::super::input::to_rego(result))) {
                different.push(format!("{line}\n  ours {result:?}"));
            }
        }
        assert!(different.is_empty(), "{}\n{}", different.join("\n"), different.len());
        assert!(called.len() > 100, "{}", called.len());
    }

    /// An argument of the file: a set is `{"$set": […]}`.
    fn argument(value: &serde_json::Value) -> Value {
        match value.get("$set").and_then(serde_json::Value::as_array) {
            Some(items) => Value::from(items.iter().map(argument).collect::<BTreeSet<Value>>()),
            None => super::super::input::to_rego(value),
        }
    }

    /// A value as JSON, sets in OPA's order.
    fn plain(value: &Value) -> serde_json::Value {
        let all = |items: Vec<&Value>| items.into_iter().map(plain).collect();
        match value {
            Value::Array(items) => all(items.iter().collect()),
            Value::Set(items) => all(order::sorted(items.iter())),
            Value::Object(members) => members
                .iter()
                .map(|(key, value)| (key.as_string().unwrap().to_string(), plain(value)))
                .collect(),
            other => serde_json::to_value(other).unwrap(),
        }
    }

    #[test]
    fn what_would_take_a_worker_s_memory_or_minutes_is_an_error_whatever_errors_are() {
        let policy = r#"package p
            range := numbers.range(1, 200000000)
            step := numbers.range_step(0, 9000000000000000000, 2)
            wide := sprintf(concat("", [x | some i in numbers.range(1, 100); x := "%1000000d"]), [1])
            expand := net.cidr_expand("0.0.0.0/4")
            shift := bits.lsh(1, 100000000000)
            grown := replace(a3, "a", a3) if {
                a1 := concat("", ["a" | some i in numbers.range(1, 1)])
                a2 := sprintf("%0100000d", [1])
                a3 := replace(a2, "0", "aaaaaaaaaa")
            }
            swallowed := f(1)
            f(x) := 1
            f(x) := 1 if numbers.range(1, 200000000)
        "#;
        for rule in ["range", "step", "wide", "expand", "shift", "grown", "swallowed"] {
            for errors in [BuiltinErrors::Strict, BuiltinErrors::Undefined] {
                let mut engine = Engine::new();
                engine.set_strict_builtin_errors(errors == BuiltinErrors::Strict);
                register(&mut engine, errors, |_| true).unwrap();
                engine.add_policy("p.rego".to_owned(), policy.to_owned()).unwrap();
                let result = within(|| engine.eval_rule(format!("data.p.{rule}")));
                assert!(result.is_err(), "{rule}: {result:?}");
            }
        }
    }

    #[test]
    fn a_builtin_error_is_undefined_or_an_error() {
        let policy = "package p\nx := indexof(\"a\", \"\")\ny := strings.count(\"abc\", \"\")\n\
                      z := count(sprintf(\"%.99999f\", [0.5]))\n";
        let evaluate = |errors, rule: &str| {
            let mut engine = Engine::new();
            register(&mut engine, errors, |_| true).unwrap();
            engine.add_policy("p.rego".to_owned(), policy.to_owned()).unwrap();
            within(|| engine.eval_rule(format!("data.p.{rule}"))).unwrap()
        };
        assert_eq!(evaluate(BuiltinErrors::Undefined, "x").unwrap(), Value::Undefined);
        let error = evaluate(BuiltinErrors::Strict, "x").unwrap_err().to_string();
        assert!(error.contains("indexof: empty search character"), "{error}");
        assert_eq!(evaluate(BuiltinErrors::Strict, "y").unwrap(), Value::from(4_u64));
        assert_eq!(evaluate(BuiltinErrors::Strict, "z").unwrap(), Value::from(100_001_u64));
    }
}
