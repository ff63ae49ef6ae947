//! What came of a case.

use std::panic::{AssertUnwindSafe, catch_unwind};

use meshgate::engine::{Document, Program, ProgramSettings};
use serde_json::Value;

use super::case::{Case, Wanted};

/// What came of a case.
pub(super) enum Outcome {
    /// The same as in OPA.
    Equal,
    /// Its modules did not load, for a reason that the gate has a code for.
    Refused { code: String, why: String },
    /// Another value than OPA's, an error instead of a value, or the other way round.
    Different(String),
}

/// Loads and evaluates a case as OPA did.
pub(super) fn outcome(case: &Case) -> Outcome {
    let settings = ProgramSettings {
        strict_builtin_errors: case.strict,
        data: case.data.clone(),
        ..ProgramSettings::default()
    };
    let run = || {
        let program = Program::load(&case.modules, &settings)?;
        let input = case.input.as_ref().map(Document::from);
        Ok(program.evaluate_text(&case.query, input.as_ref()))
    };
    let came = match catch_unwind(AssertUnwindSafe(run)) {
        Err(_) => return Outcome::Different("a panic".to_owned()),
        Ok(came) => came,
    };
    let answer = match (came, &case.wanted) {
        (Err(faults), wanted) => {
            let faults: meshgate::policy::Faults = faults;
            let why = faults.to_string();
            return match wanted {
                Wanted::Error(_) => Outcome::Equal,
                Wanted::Value(_) => Outcome::Refused { code: code(&faults), why },
            };
        }
        (Ok(Err(_)), Wanted::Error(_)) => return Outcome::Equal,
        (Ok(Ok(answer)), Wanted::Error(code)) => {
            return Outcome::Different(format!("ours {answer:?}, theirs the error {code}"));
        }
        (Ok(Err(error)), Wanted::Value(value)) => {
            return Outcome::Different(format!("ours the error {error}, theirs {value:?}"));
        }
        (Ok(Ok(answer)), Wanted::Value(_)) => answer,
    };
    let Wanted::Value(wanted) = &case.wanted else { return Outcome::Equal };
    let ours: Option<Value> = answer.as_deref().map(|text| serde_json::from_str(text).unwrap());
    match (&ours, wanted) {
        (None, None) => Outcome::Equal,
        (Some(ours), Some(theirs)) if equal(&case.sorted(ours), &case.sorted(theirs)) => Outcome::Equal,
        _ => Outcome::Different(format!("ours {}, theirs {}", shown(ours.as_ref()), shown(wanted.as_ref()))),
    }
}

fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "undefined".to_owned(), Value::to_string)
}

/// Equality of JSON, numbers by value.
fn equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => x == y || x.as_f64() == y.as_f64(),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equal(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| equal(a, b)))
        }
        _ => a == b,
    }
}

/// The gate's code of the first fault; what has none is the parser's or the interpreter's.
fn code(faults: &meshgate::policy::Faults) -> String {
    faults.iter().find_map(|fault| fault.code).unwrap_or("no code").to_owned()
}
