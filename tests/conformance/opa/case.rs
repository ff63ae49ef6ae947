//! A case as the corpus writes it, and as meshgate is asked it.

use meshgate::engine::{Program, ProgramSettings};
use meshgate::policy::Module;
use serde_json::{Value, json};

/// The package of the module that asks what is not a path.
const QUESTION: &str = "conformance_question";

/// A case.
pub(super) struct Case {
    pub(super) group: String,
    pub(super) note: String,
    pub(super) modules: Vec<Module>,
    pub(super) query: String,
    pub(super) data: Value,
    pub(super) input: Option<Value>,
    /// What the query is to answer: one binding, or undefined.
    pub(super) wanted: Wanted,
    pub(super) strict: bool,
    raw: Value,
}

/// What OPA answers.
pub(super) enum Wanted {
    /// A value; None is undefined.
    Value(Option<Value>),
    /// An error of this kind, while compiling or while evaluating.
    Error(String),
}

impl Case {
    pub(super) fn read(line: &str) -> Option<Self> {
        let raw: Value = serde_json::from_str(line).ok()?;
        let text = |name: &str| raw.get(name).and_then(Value::as_str).map(str::to_owned);
        let mut modules = Vec::new();
        for (index, module) in raw.get("modules").and_then(Value::as_array).into_iter().flatten().enumerate()
        {
            modules.push(Module { path: format!("{index}.rego"), text: module.as_str()?.to_owned() });
        }
        let asked = text("query")?;
        let results = raw.get("want_result").and_then(Value::as_array).cloned().unwrap_or_default();
        let bound = |(path, variable): (&str, &str)| (variable.len() == 1).then(|| path.to_owned());
        let path =
            asked.rsplit_once(" = ").and_then(bound).filter(|path| is_path(path) && !asked.ends_with('1'));
        let input = match text("input_term") {
            Some(term) => Some(serde_json::from_str(&term).ok().or_else(|| evaluated(&term))?),
            None => raw.get("input").cloned(),
        };
        let (query, wanted) = match path {
            // JSON has no sets.
            Some(path) if text("input_term").is_some_and(|term| term.contains("{{")) => {
                let with = text("input_term").unwrap_or_default();
                let body = format!("answer := value if {{\n\tvalue := {path} with input as {with}\n}}");
                (question(&mut modules, &body), only(&results)?)
            }
            Some(path) => (path, only(&results)?),
            // The answer is the set of all bindings of the variables that the results have.
            None => {
                let bound = results.first().and_then(Value::as_object);
                let variables = bound.into_iter().flatten().map(|(name, _)| format!("\"{name}\": {name}"));
                let variables = variables.collect::<Vec<_>>().join(", ");
                let body = format!("answer contains {{{variables}}} if {{\n\t{}\n}}", asked.trim());
                let mut bindings = results.clone();
                bindings.sort_by_key(Value::to_string);
                let bindings = (!results.is_empty()).then_some(Value::Array(bindings));
                (question(&mut modules, &body), Some(bindings.unwrap_or_else(|| json!([]))))
            }
        };
        let wanted = match text("want_error_code").or_else(|| text("want_error")) {
            Some(code) => Wanted::Error(code),
            None => Wanted::Value(wanted),
        };
        Some(Self {
            group: text("group")?,
            note: text("note")?,
            modules,
            query,
            data: raw.get("data").cloned().unwrap_or_else(|| json!({})),
            input,
            wanted,
            strict: raw.get("strict_error").and_then(Value::as_bool).unwrap_or_default(),
            raw,
        })
    }

    /// A value as it is compared: where the case says that its order is no matter, its elements by their texts.
    pub(super) fn sorted(&self, value: &Value) -> Value {
        let mut value = value.clone();
        let any_order = self.raw.get("sort_bindings").and_then(Value::as_bool).unwrap_or_default();
        if let (true, Value::Array(items)) = (any_order, &mut value) {
            items.sort_by_key(Value::to_string);
        }
        value
    }

    /// A line for the report.
    pub(super) fn line(&self, came: &str, how: &str) -> String {
        json!({ "came": came, "how": how, "case": self.raw }).to_string()
    }
}

/// The value of a term.
fn evaluated(term: &str) -> Option<Value> {
    let mut modules = Vec::new();
    let query = question(&mut modules, &format!("answer := {term}"));
    let program = Program::load(&modules, &ProgramSettings::default()).ok()?;
    program.evaluate(&query, None).ok()?
}

fn is_path(text: &str) -> bool {
    text.starts_with("data") && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._".contains(&byte))
}

/// Adds the module that asks what is not a path, and gives the path of its answer.
fn question(modules: &mut Vec<Module>, body: &str) -> String {
    modules
        .push(Module { path: "question.rego".to_owned(), text: format!("package {QUESTION}\n\n{body}\n") });
    format!("data.{QUESTION}.answer")
}

/// The value that the one binding of a result has; undefined without a result.
fn only(results: &[Value]) -> Option<Option<Value>> {
    match results {
        [] => Some(None),
        [binding] => Some(Some(binding.as_object()?.values().next()?.clone())),
        _ => None,
    }
}
