//! `meshgate bundle status`: what each replica of a running installation has in force.

use clap::Args;

use super::replicas::{Asked, json};
use crate::cli::formats::TextOrJson;
use crate::cli::output;
use crate::cluster::{Row, Told};

/// The exit code where not every replica has the same, or one is refused.
const DIFFER: u8 = 1;

/// How many digits of a digest are shown.
const SHORT: usize = 12;

/// Flags of `bundle status`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meshgate bundle status                                what the replicas in the cluster have in force
  meshgate bundle status --admin http://127.0.0.1:8444  what a server here has

Exit codes: 0 every replica has the same revision and refuses none, 1 not so, 2 nobody can be asked")]
pub(super) struct Arguments {
    #[command(flatten)]
    asked: Asked,
    /// How it is written
    #[arg(short = 'o', long, value_enum, default_value_t = TextOrJson::Text)]
    format: TextOrJson,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let told = arguments.asked.open()?.told()?;
    output::print(&match arguments.format {
        TextOrJson::Text => text(&told),
        TextOrJson::Json => format!("{}\n", serde_json::to_string_pretty(&json(&told))?),
    })?;
    let is_settled = told.replicas.values().all(|row| row.state() == "active");
    let is_one = !told.everywhere.is_empty();
    Ok(if is_settled && is_one { 0 } else { DIFFER })
}

fn text(told: &Told) -> String {
    let mut rows = vec![["REPLICA", "STATE", "REVISION", "TREE", "SINCE"].map(str::to_owned)];
    for (name, row) in &told.replicas {
        let of = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let tree = of(&row.tree).chars().take(SHORT).collect();
        rows.push([name.clone(), row.state().to_owned(), of(&row.revision), tree, of(&row.since)]);
    }
    let mut text = table(&rows);
    for (name, row) in &told.replicas {
        text.push_str(&more(name, row));
    }
    let everywhere = if told.everywhere.is_empty() { "no one revision" } else { &told.everywhere };
    text.push_str(&format!("in force everywhere: {everywhere}\n"));
    for (source, id) in &told.floors {
        text.push_str(&format!("accepted last of {source}: {id}\n"));
    }
    text
}

/// What comes, and what does not.
fn more(name: &str, row: &Row) -> String {
    let candidate = row.candidate.iter().map(|candidate| format!("{name}: {candidate} is being prepared\n"));
    let refused = row.refused.iter().map(|(revision, stage, why)| {
        let revision = revision.as_deref().unwrap_or("what the source has");
        format!("{name}: {revision} is refused ({stage}): {why}\n")
    });
    candidate.chain(refused).collect()
}

/// Columns as wide as what is in them.
fn table(rows: &[[String; 5]]) -> String {
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|text| text.chars().count()).max();
    let mut text = String::new();
    for row in rows {
        let cells =
            row.iter().enumerate().map(|(at, cell)| format!("{cell:<0$}", width(at).unwrap_or_default()));
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_replica_is_a_line_and_what_is_refused_is_told() {
        let row = |revision: &str| Row {
            revision: Some(revision.to_owned()),
            id: Some("sha1:1".to_owned()),
            tree: Some("0123456789abcdef".to_owned()),
            since: Some("2026-01-31T12:00:00Z".to_owned()),
            ..Row::default()
        };
        let refused =
            Some((Some("p@3".to_owned()), "verify/unsigned".to_owned(), "nobody signed".to_owned()));
        let told = Told {
            replicas: [
                ("one".to_owned(), row("platform@1626ad5c80cd")),
                ("two".to_owned(), Row { refused, ..row("platform@1") }),
                ("three".to_owned(), Row { candidate: Some("p@4".to_owned()), ..Row::default() }),
            ]
            .into(),
            active: "sha1:1".to_owned(),
            everywhere: String::new(),
            floors: vec![("git https://h/p".to_owned(), "1".to_owned())],
        };
        let expected = "\
REPLICA  STATE      REVISION               TREE          SINCE
one      active     platform@1626ad5c80cd  0123456789ab  2026-01-31T12:00:00Z
three    candidate  -                      -             -
two      refused    platform@1             0123456789ab  2026-01-31T12:00:00Z
three: p@4 is being prepared
two: p@3 is refused (verify/unsigned): nobody signed
in force everywhere: no one revision
accepted last of git https://h/p: 1
";
        assert_eq!(text(&told), expected);
    }
}
