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
mod documents;
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
mod order;
mod printf;
mod regex;
mod replace;
mod strings;
mod table;
mod text;
mod time;
mod units;
mod uuid;

use regorus::{Engine, Value};

pub(super) use budget::within;

/// A builtin that OPA knows.
pub(super) struct Builtin {
    /// As policies call it.
    pub(super) name: &'static str,
    /// How many arguments it takes; every call may have one more, which is unified with the result.
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
    /// The text that it makes is another with each implementation.
    Text,
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
            Self::Text => "its text is not fixed by anything; use `json.marshal`, which is YAML too",
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
