//! `meshgate bundle wait`: until every replica of a running installation has a commit in force, for pipelines.

use std::thread::sleep;
use std::time::{Duration, Instant};

use clap::Args;

use super::replicas::Asked;
use crate::activation::Step;
use crate::cli::output;
use crate::cluster::{Row, Told};

/// The exit code of a commit that is refused, or that did not come in time.
const NOT_IN_FORCE: u8 = 1;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(250);

/// How many digits of an id a revision shows.
const SHORT: usize = 12;

/// Flags of `bundle wait`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meshgate bundle wait $(git rev-parse HEAD)          after a push: always with the ID
  meshgate bundle wait --timeout 120                  … until each has what it has heard of last

Exit codes: 0 every replica has it in force, 1 it is refused or did not come in time, 2 nobody can be asked")]
pub(super) struct Arguments {
    /// The commit's full id, or the digest of a tree [default: what each replica has heard of last]
    #[arg(value_name = "ID", value_parser = id)]
    id: Option<String>,
    #[command(flatten)]
    asked: Asked,
    /// How many seconds to wait
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    timeout: u64,
}

/// How things stand with what is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Progress {
    /// Every replica has it.
    InForce(String),
    /// A replica refuses it; why.
    Refused(String),
    /// How many have it, and who does not.
    Waiting(String),
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let replicas = arguments.asked.open()?;
    let began = Instant::now();
    let patience = Duration::from_secs(arguments.timeout);
    loop {
        // Who can't be asked now, such as while the server is replaced, may be asked soon.
        let told = match replicas.told() {
            Err(error) if began.elapsed() >= patience => return Err(error),
            Err(_) => {
                sleep(LOOK);
                continue;
            }
            Ok(told) => told,
        };
        match progress(&told, arguments.id.as_deref()) {
            Progress::InForce(what) => {
                output::print(&format!("{what}\n"))?;
                return Ok(0);
            }
            Progress::Refused(why) => {
                output::print(&format!("{why}\n"))?;
                return Ok(NOT_IN_FORCE);
            }
            Progress::Waiting(what) if began.elapsed() >= patience => {
                output::print(&format!("after {} s: {what}\n", arguments.timeout))?;
                return Ok(NOT_IN_FORCE);
            }
            Progress::Waiting(_) => sleep(LOOK),
        }
    }
}

fn progress(told: &Told, id: Option<&str>) -> Progress {
    let wanted =
        |row: &Row| id.map(str::to_owned).or_else(|| row.head.clone().map(|head| digits(&head).to_owned()));
    let has = |row: &Row| {
        wanted(row).is_some_and(|id| [&row.id, &row.tree].into_iter().flatten().any(|own| digits(own) == id))
    };
    // With whether it is tried again by itself.
    let refuses = |row: &Row| {
        let short: String = wanted(row)?.chars().take(SHORT).collect();
        let (revision, stage, why) = row.refused.as_ref()?;
        let is_it = revision.as_ref().is_some_and(|revision| revision.ends_with(&format!("@{short}")));
        let is_tried_again = Step::named(stage).is_some_and(Step::is_tried_again);
        let text = format!("{} is refused ({stage}): {why}", revision.as_deref().unwrap_or_default());
        is_it.then_some((is_tried_again, text))
    };
    let lacking = told.replicas.iter().filter(|(_, row)| !has(row));
    let refusals = lacking.clone().filter_map(|(name, row)| {
        let (is_tried_again, why) = refuses(row)?;
        Some((is_tried_again, format!("{name}: {why}")))
    });
    let (passing, last): (Vec<_>, Vec<_>) = refusals.partition(|(is_tried_again, _)| *is_tried_again);
    if let Some((_, why)) = last.into_iter().next() {
        return Progress::Refused(why);
    }
    let without: Vec<&str> = lacking.map(|(name, _)| name.as_str()).collect();
    let all = told.replicas.len();
    if all > 0 && without.is_empty() {
        return Progress::InForce(format!("in force on {all} of {all} replicas"));
    }
    let have = all.saturating_sub(without.len());
    let passing: String = passing.into_iter().map(|(_, why)| format!("\n{why}")).collect();
    Progress::Waiting(format!("in force on {have} of {all} replicas, not on {}{passing}", without.join(", ")))
}

/// An id without the name of its hash.
fn digits(id: &str) -> &str {
    id.split_once(':').map_or(id, |(_, digits)| digits)
}

fn id(text: &str) -> Result<String, String> {
    let id = digits(text);
    let is_id =
        matches!(id.len(), 40 | 64) && id.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    if is_id {
        Ok(id.to_owned())
    } else {
        Err("write a full id, as `git rev-parse HEAD` prints it".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "1111111111111111111111111111111111111111";
    const TWO: &str = "2222222222222222222222222222222222222222";

    fn told(rows: &[(&str, Row)]) -> Told {
        Told {
            replicas: rows.iter().map(|(name, row)| ((*name).to_owned(), row.clone())).collect(),
            ..Told::default()
        }
    }

    fn row(id: &str, head: &str) -> Row {
        Row { id: Some(format!("sha1:{id}")), head: Some(format!("sha1:{head}")), ..Row::default() }
    }

    #[test]
    fn all_have_it_or_one_refuses_it_or_it_is_waited_for() {
        let waiting = |text: &str| Progress::Waiting(text.to_owned());
        let both = told(&[("a", row(ONE, ONE)), ("b", row(ONE, ONE))]);
        let in_force = Progress::InForce("in force on 2 of 2 replicas".to_owned());
        assert_eq!(progress(&both, Some(ONE)), in_force);
        assert_eq!(progress(&both, None), in_force);
        assert_eq!(progress(&both, Some(TWO)), waiting("in force on 0 of 2 replicas, not on a, b"));
        let one = told(&[("a", row(TWO, TWO)), ("b", row(ONE, TWO))]);
        assert_eq!(progress(&one, None), waiting("in force on 1 of 2 replicas, not on b"));
        assert_eq!(progress(&told(&[]), None), waiting("in force on 0 of 0 replicas, not on "));
        assert_eq!(
            progress(&told(&[("a", Row::default())]), None),
            waiting("in force on 0 of 1 replicas, not on a")
        );
        let refused = Some((Some("p@222222222222".to_owned()), "gate/gate".to_owned(), "why".to_owned()));
        let one = told(&[("a", row(TWO, TWO)), ("b", Row { refused: refused.clone(), ..row(ONE, TWO) })]);
        let refusal = Progress::Refused("b: p@222222222222 is refused (gate/gate): why".to_owned());
        assert_eq!((progress(&one, None), progress(&one, Some(TWO))), (refusal.clone(), refusal));
        // What is tried again is waited for, unless another replica refuses it for good.
        let busy = Some((Some("p@222222222222".to_owned()), "tests/busy".to_owned(), "why".to_owned()));
        let mut busy = told(&[("a", Row { refused: busy, ..row(ONE, TWO) }), ("b", row(TWO, TWO))]);
        let text = "in force on 1 of 2 replicas, not on a\na: p@222222222222 is refused (tests/busy): why";
        assert_eq!(progress(&busy, Some(TWO)), waiting(text));
        busy.replicas.insert("c".to_owned(), one.replicas["b"].clone());
        assert!(matches!(progress(&busy, Some(TWO)), Progress::Refused(why) if why.starts_with("c: ")));
        // What was refused before is nothing to who waits for another.
        let other = told(&[("b", Row { refused, ..row(ONE, ONE) })]);
        assert_eq!(progress(&other, Some(ONE)), Progress::InForce("in force on 1 of 1 replicas".to_owned()));
        let tree = Row { tree: Some("3".repeat(64)), ..row(ONE, ONE) };
        assert!(matches!(progress(&told(&[("a", tree)]), Some(&"3".repeat(64))), Progress::InForce(_)));
    }

    #[test]
    fn only_a_full_id_is_waited_for() {
        assert_eq!(id(ONE), Ok(ONE.to_owned()));
        assert_eq!(id(&format!("sha1:{ONE}")), Ok(ONE.to_owned()));
        for text in ["main", "1111111", "", &ONE.replace('1', "G")] {
            assert!(id(text).is_err(), "{text}");
        }
    }
}
