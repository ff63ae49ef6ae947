//! `meshgate eval`: one rule of any modules on any input, as `opa eval` evaluates it, to try and to debug policies.

mod batch;
mod documents;

use anyhow::{Context, bail};
use clap::Args;
use serde_json::Value;

use super::{FAILED, output};
use crate::engine::{EvaluationError, Program, ProgramSettings, RegoVersion};

/// Flags of `eval`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meshgate eval -d policies -i review.json data.policies.images.no_latest.deny
  meshgate eval -d rules.rego -d facts.yaml data.rules.allow --fail
  meshgate eval --batch < questions.jsonl

Exit codes: 0 a value or undefined, 1 undefined (with --fail), 2 the modules don't load, 3 the evaluation failed")]
pub(super) struct Arguments {
    /// Rego, and data in JSON or YAML: a file, or a directory whose folders are the paths of the data below it
    #[arg(short, long = "data", value_name = "PATH")]
    data: Vec<String>,
    /// The input, JSON or YAML: a file, or - for standard input; without it `input` is undefined
    #[arg(short, long, value_name = "FILE", conflicts_with = "batch")]
    input: Option<String>,
    /// Exit with 1 if the rule is undefined
    #[arg(long, conflicts_with = "batch")]
    fail: bool,
    /// Read modules as OPA did before 1.0, unless they import rego.v1
    #[arg(long, conflicts_with = "batch")]
    v0: bool,
    /// An error of a builtin is an error, and not undefined
    #[arg(long, conflicts_with = "batch")]
    strict: bool,
    /// Answer questions from standard input, one JSON object a line: modules, query, input, data, v0, strict
    #[arg(long, conflicts_with_all = ["data", "query"])]
    batch: bool,
    /// The rule: data.PACKAGE.RULE
    #[arg(value_name = "PATH_OF_RULE", required_unless_present = "batch")]
    query: Option<String>,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let Some(query) = &arguments.query else { return batch::run() };
    let (modules, data) = documents::read(&arguments.data)?;
    let input = arguments.input.as_deref().map(documents::input).transpose()?;
    let settings = ProgramSettings {
        version: if arguments.v0 { RegoVersion::V0 } else { RegoVersion::V1 },
        strict_builtin_errors: arguments.strict,
        data,
        ..ProgramSettings::default()
    };
    let program = Program::load(&modules, &settings).context("the modules don't load")?;
    match program.evaluate_text(query, input.as_ref()) {
        Ok(Some(text)) => output::print(&format!("{text}\n")).map(|()| 0),
        Ok(None) => output::print("undefined\n").map(|()| u8::from(arguments.fail)),
        Err(EvaluationError::Query(why)) => bail!("{query}: {why}"),
        Err(error) => {
            output::complain(&anyhow::Error::new(error));
            Ok(FAILED)
        }
    }
}

/// An object's member, or null.
fn member<'a>(value: &'a Value, name: &str) -> &'a Value {
    value.get(name).unwrap_or(&Value::Null)
}
