//! `meshgate bundle diff`: what one bundle weakens and strengthens against another.

mod rego;

use anyhow::Context;
use clap::{Args, ValueEnum};
use serde_json::json;

use self::rego::Sides;
use crate::changes::{self, Change, Verdict};
use crate::cli::formats::TextOrJson;
use crate::cli::inputs::{PolicyFlags, clock};
use crate::cli::output;
use crate::engine;
use crate::policy::Draft;
use crate::source;

/// The exit code of a change that is not wanted (contracts: exit codes).
const REGRESSION: u8 = 4;

/// Flags of `bundle diff`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meshgate bundle diff v1.tar.gz policies                       what is not released yet
  meshgate bundle diff old new --fail-on weakened               in CI: who weakens policies has to say so
  meshgate bundle diff old new -o json                          for a program

Exit codes: 0 no change that is asked for, 2 a bundle doesn't load, 4 a change that --fail-on names")]
pub(super) struct Arguments {
    /// What was: whatever --policies can name
    #[arg(value_name = "OLD")]
    old: String,
    /// What is to be
    #[arg(value_name = "NEW")]
    new: String,
    /// From what on the exit code is 4: weakened; unknown, too; any change
    #[arg(long, value_enum, value_name = "WHAT")]
    fail_on: Option<Fails>,
    /// How it is written
    #[arg(short = 'o', long, value_enum, default_value_t = TextOrJson::Text)]
    format: TextOrJson,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Fails {
    /// What is weakened
    Weakened,
    /// And what can't be told
    Unknown,
    /// Every change
    Any,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let (old, old_tree) = draft(&arguments.old)?;
    let (new, new_tree) = draft(&arguments.new)?;
    let sides = Sides::read(&old_tree, &new_tree).context("the examples can't be read")?;
    let changes = changes::changes(&old, &new, &|policy| sides.verdict(policy));
    let (before, after) = (old.revision.to_string(), new.revision.to_string());
    output::print(&match arguments.format {
        TextOrJson::Text => text(&before, &after, &changes),
        TextOrJson::Json => {
            let [weakened, unknown, strengthened] = counts(&changes);
            let report = json!({
                "apiVersion": "meshgate.io/v1alpha1", "kind": "BundleDiff",
                "old": old.revision.to_value(), "new": new.revision.to_value(), "changes": changes,
                "summary": { "weakened": weakened, "unknown": unknown, "strengthened": strengthened },
            });
            format!("{}\n", serde_json::to_string_pretty(&report)?)
        }
    })?;
    let worst = changes.iter().map(|change| change.verdict).min();
    let fails = match (arguments.fail_on, worst) {
        (None, _) | (_, None) => false,
        (Some(Fails::Weakened), Some(worst)) => worst == Verdict::Weakened,
        (Some(Fails::Unknown), Some(worst)) => worst <= Verdict::Unknown,
        (Some(Fails::Any), Some(_)) => true,
    };
    Ok(if fails { REGRESSION } else { 0 })
}

/// One that loads, and its tree.
fn draft(name: &str) -> anyhow::Result<(Draft, crate::policy::Tree)> {
    let named = name.to_owned();
    let flags = PolicyFlags::default().or_in(Some(&named));
    let tree = flags.tree()?;
    let draft = Draft::read(&tree, &source::catalogue()).at(clock());
    engine::compile(draft.clone()).map_err(|faults| flags.unusable(&faults))?;
    Ok((draft, tree))
}

fn counts(changes: &[Change]) -> [usize; 3] {
    [Verdict::Weakened, Verdict::Unknown, Verdict::Strengthened]
        .map(|verdict| changes.iter().filter(|change| change.verdict == verdict).count())
}

fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Weakened => "weakened",
        Verdict::Unknown => "unknown",
        Verdict::Strengthened => "strengthened",
    }
}

fn text(before: &str, after: &str, changes: &[Change]) -> String {
    let name = |change: &Change| format!("{} {}", change.of, change.name).trim_end().to_owned();
    let width = changes.iter().map(|change| name(change).chars().count()).max().unwrap_or_default();
    let mut text = format!("{before} → {after}\n");
    for change in changes {
        let at = if change.at.is_empty() { String::new() } else { format!("  ({})", change.at) };
        text.push_str(&format!(
            "{:12}  {:width$}  {}{at}\n",
            word(change.verdict),
            name(change),
            change.what
        ));
    }
    let [weakened, unknown, strengthened] = counts(changes);
    text.push_str(&format!("{weakened} weakened, {unknown} unknown, {strengthened} strengthened\n"));
    text
}
