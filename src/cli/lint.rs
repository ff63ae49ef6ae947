//! `meshgate lint`: what is wrong with a policies' tree, and what its authors would rather know.

use anyhow::anyhow;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::globals::Globals;
use super::inputs::{PolicyFlags, clock};
use super::{UNUSABLE, output};
use crate::engine::{self, Linted};
use crate::policy::{Fault, Tree};
use crate::report::{self, Detail, Level};
use crate::source;

/// The exit code where something may be a mistake.
const LINTS: u8 = 1;

/// Flags of `lint`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meshgate lint policies                     judge a policies' tree, its tests too
  meshgate lint --explain MG111              what a code means, and what to do
  meshgate lint policies --format json       for a program

Exit codes: 0 nothing found, 1 a lint (MG2xx), 2 a fault that keeps the tree from being loaded (MG1xx)")]
pub(super) struct Arguments {
    /// The policies, as with --policies
    #[arg(value_name = "DIR", conflicts_with = "policies")]
    directory: Option<String>,
    #[command(flatten)]
    policies: PolicyFlags,
    /// Print the page of a code instead
    #[arg(long, value_name = "CODE")]
    explain: Option<String>,
    /// How what was found is written
    #[arg(short = 'o', long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments, globals: &Globals) -> anyhow::Result<u8> {
    if let Some(code) = &arguments.explain {
        output::print(explained(code)?)?;
        return Ok(0);
    }
    let tree = globals.policies(&arguments.policies.or_in(arguments.directory.as_ref()))?.tree()?;
    let linted = engine::lint(&tree, &source::catalogue(), clock());
    let text = match arguments.format {
        Format::Text => text(&linted, &tree, globals),
        Format::Json => format!("{}\n", serde_json::to_string_pretty(&json(&linted))?),
    };
    output::print(&text)?;
    Ok(match (linted.faults.is_empty(), linted.lints.is_empty()) {
        (false, _) => UNUSABLE,
        (true, false) => LINTS,
        (true, true) => 0,
    })
}

fn explained(code: &str) -> anyhow::Result<&'static str> {
    engine::explain(code).ok_or_else(|| {
        let known: Vec<&str> = engine::codes().collect();
        anyhow!("there is no code `{code}`; there are {}", known.join(", "))
    })
}

fn text(linted: &Linted, tree: &Tree, globals: &Globals) -> String {
    let paint = globals.color.of_output();
    let text_of = |file: &str| {
        let bytes = tree.iter().find(|(path, _)| *path == file).map(|(_, bytes)| bytes)?;
        std::str::from_utf8(bytes).ok()
    };
    let Linted { faults, lints } = linted;
    let mut text = report::faults(faults, Level::Error, paint, text_of);
    text.push_str(&report::faults(lints, Level::Warning, paint, text_of));
    let codes: Vec<&str> = faults.iter().chain(lints).filter_map(|fault| fault.code).collect();
    if let Some(code) = codes.first() {
        text.push_str(&format!("`meshgate lint --explain {code}` says more.\n"));
    }
    if globals.detail() == Detail::Faults {
        return text;
    }
    text.push_str(&format!("{}, {}\n", counted(faults.len(), "fault"), counted(lints.len(), "lint")));
    text
}

fn counted(count: usize, what: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {what}{ending}")
}

fn json(linted: &Linted) -> Value {
    let Linted { faults, lints } = linted;
    let written = |level: &'static str| {
        move |fault: &Fault| {
            let (problem, remedy) = fault.parts();
            let mut object = json!({
                "level": level, "code": fault.code, "file": fault.file, "line": fault.line,
                "column": fault.column, "length": fault.length, "message": problem,
            });
            if let (Some(remedy), Some(members)) = (remedy, object.as_object_mut()) {
                members.insert("remedy".to_owned(), Value::from(remedy));
            }
            object
        }
    };
    let findings: Vec<Value> =
        faults.iter().map(written("error")).chain(lints.iter().map(written("warning"))).collect();
    json!({
        "apiVersion": "meshgate.io/v1alpha1",
        "kind": "LintReport",
        "findings": findings,
        "summary": { "faults": faults.len(), "lints": lints.len() },
    })
}
