//! The interpreter as it is, without gate, normaliser and builtins of ours.

use std::panic::{AssertUnwindSafe, catch_unwind};

use meshgate::engine::{Document, Program, ProgramSettings, RegoVersion};
use meshgate::policy::Module;

/// What comes of loading and asking.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Came {
    /// A value, as JSON.
    Value(&'static str),
    Undefined,
    /// Not loaded; by which code, where it is ours.
    Refused(&'static str),
    /// An error at evaluation.
    Error,
    Panic,
}

/// What the interpreter makes of `data.a.p`.
pub(crate) fn interpreter(text: &str, input: &str, v0: bool) -> Came {
    let ask = || {
        let mut engine = regorus::Engine::new();
        engine.set_rego_v0(v0);
        if engine.add_policy("a.rego".to_owned(), text.to_owned()).is_err() {
            return Came::Refused("");
        }
        engine.set_input(regorus::Value::from_json_str(input).unwrap());
        match engine.eval_rule("data.a.p".to_owned()) {
            Ok(regorus::Value::Undefined) => Came::Undefined,
            Ok(value) => Came::Value(value.to_json_str().unwrap().leak()),
            Err(_) => Came::Error,
        }
    };
    catch_unwind(AssertUnwindSafe(ask)).unwrap_or(Came::Panic)
}

/// What meshgate makes of it, with strict builtin errors as in our own policies.
pub(crate) fn meshgate(text: &str, input: &str, v0: bool) -> Came {
    let version = if v0 { RegoVersion::V0 } else { RegoVersion::V1 };
    let settings = ProgramSettings { version, strict_builtin_errors: true, ..ProgramSettings::default() };
    let modules = [Module { path: "a.rego".to_owned(), text: text.to_owned() }];
    let program = match Program::load(&modules, &settings) {
        Ok(program) => program,
        Err(faults) => return Came::Refused(faults.iter().next().unwrap().code.unwrap_or_default()),
    };
    match program.evaluate_text("data.a.p", Some(&Document::read(input).unwrap())) {
        Ok(None) => Came::Undefined,
        Ok(Some(text)) => Came::Value(text.leak()),
        Err(_) => Came::Error,
    }
}
