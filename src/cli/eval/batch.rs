//! `meshgate eval --batch`: a question a line, an answer a line, in order, also for a line that can't be read.

use std::io::{self, BufRead};

use serde_json::{Map, Value, json};

use super::member;
use crate::cli::output;
use crate::engine::{Document, Program, ProgramSettings, RegoVersion};
use crate::policy::{Faults, Module};

/// Answers every line of standard input.
pub(super) fn run() -> anyhow::Result<u8> {
    for line in io::stdin().lock().split(b'\n') {
        let line = line?;
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        output::print(&format!("{}\n", answer(&line)))?;
    }
    Ok(0)
}

/// The answer to one question, as JSON.
pub(super) fn answer(line: &[u8]) -> String {
    let question: Value = match serde_json::from_slice(line) {
        Ok(question) => question,
        Err(error) => return wrong(&format!("not JSON: {error}")),
    };
    let (modules, query, mut settings) = match read(&question) {
        Ok(read) => read,
        Err(why) => return wrong(&why),
    };
    let exact = match Document::read(&String::from_utf8_lossy(line)) {
        Ok(exact) => exact,
        Err(why) => return wrong(&why),
    };
    settings.exact_data = exact.member("data").filter(|_| member(&question, "data").is_object());
    let input = exact.member("input");
    let program = match Program::load(&modules, &settings) {
        Ok(program) => program,
        Err(faults) => return refused(&faults),
    };
    match program.evaluate_text(&query, input.as_ref()) {
        Ok(Some(text)) => format!("{{\"result\":{text}}}"),
        Ok(None) => json!({ "undefined": true }).to_string(),
        Err(error) => wrong(&error.to_string()),
    }
}

fn read(question: &Value) -> Result<(Vec<Module>, String, ProgramSettings), String> {
    let query = member(question, "query").as_str().ok_or("`query` is not a string")?;
    let modules = match member(question, "modules") {
        Value::Null => Vec::new(),
        Value::Object(modules) => modules.iter().map(module).collect::<Result<_, _>>()?,
        _ => return Err("`modules` is not an object of texts".to_owned()),
    };
    let data = match member(question, "data") {
        Value::Null => Value::Object(Map::new()),
        data @ Value::Object(_) => data.clone(),
        _ => return Err("`data` is not an object".to_owned()),
    };
    let settings = ProgramSettings {
        version: if flag(question, "v0")? { RegoVersion::V0 } else { RegoVersion::V1 },
        strict_builtin_errors: flag(question, "strict")?,
        data,
        ..ProgramSettings::default()
    };
    Ok((modules, query.to_owned(), settings))
}

fn module((path, text): (&String, &Value)) -> Result<Module, String> {
    let text = text.as_str().ok_or_else(|| format!("the module `{path}` is not a text"))?;
    Ok(Module { path: path.clone(), text: text.to_owned() })
}

fn flag(question: &Value, name: &str) -> Result<bool, String> {
    match member(question, name) {
        Value::Null => Ok(false),
        Value::Bool(flag) => Ok(*flag),
        _ => Err(format!("`{name}` is not a boolean")),
    }
}

fn wrong(why: &str) -> String {
    json!({ "error": why }).to_string()
}

fn refused(faults: &Faults) -> String {
    let faults: Vec<Value> = faults
        .iter()
        .map(|fault| json!({ "code": fault.code, "file": fault.file, "line": fault.line, "column": fault.column, "message": fault.message }))
        .collect();
    json!({ "refused": faults }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(question: &Value) -> Value {
        serde_json::from_str(&answer(question.to_string().as_bytes())).unwrap()
    }

    #[test]
    fn a_rule_a_document_and_what_is_undefined() {
        let modules = json!({ "a.rego": "package a\nb contains x if some x in input\nc if input == null\nd := data.e" });
        let ask = |query: &str, more: Value| {
            let mut question = json!({ "modules": modules, "query": query });
            question.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            asked(&question)
        };
        assert_eq!(
            ask("data.a.b", json!({ "input": [2, 1, "x", null] })),
            json!({ "result": [null, 1, 2, "x"] })
        );
        assert_eq!(ask("data.a.b", json!({})), json!({ "result": [] }));
        assert_eq!(ask("data.a.c", json!({ "input": null })), json!({ "result": true }));
        assert_eq!(ask("data.a.c", json!({})), json!({ "undefined": true }));
        assert_eq!(ask("data.a.d", json!({ "data": { "e": [1] } })), json!({ "result": [1] }));
        assert_eq!(ask("data.e", json!({ "data": { "e": [1] } })), json!({ "result": [1] }));
        assert_eq!(ask("data.a.nothing", json!({})), json!({ "undefined": true }));
    }

    #[test]
    fn errors_of_builtins_are_errors_only_if_strict() {
        let ask = |strict: bool| {
            asked(&json!({
                "modules": { "a.rego": "package a\nb := to_number(\"x\")" }, "query": "data.a.b", "strict": strict
            }))
        };
        assert_eq!(ask(false), json!({ "undefined": true }));
        assert!(ask(true)["error"].is_string());
    }

    #[test]
    fn a_bad_line_is_answered_like_any_other() {
        assert!(answer(b"{").starts_with("{\"error\":\"not JSON: "));
        for question in
            [json!({}), json!({ "query": "data.a", "modules": [] }), json!({ "query": "data.a", "v0": 1 })]
        {
            assert!(asked(&question)["error"].is_string(), "{question}");
        }
        let refused = asked(&json!({ "query": "data.a", "modules": { "a.rego": "package a\n\n!" } }));
        assert_eq!(refused["refused"][0]["line"], json!(3));
    }
}
