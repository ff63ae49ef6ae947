//! `meshgate run-tests`: what the server starts to load a candidate and to run its tests. Not for people: it limits itself,
//! reads an archive from standard input, and writes a report.

use std::io::{Read, Write};

use anyhow::{Context, anyhow};
use clap::Args;
use rustix::process::{Resource, Rlimit, setrlimit};

use super::serve::compile;
use crate::activation::gives_way;
use crate::delivery::{LOADED, Report};
use crate::source::{self, PACKED_BYTES, unpack};
use crate::suite::{Case, Choice, Status, Suite};

/// Arguments of `run-tests`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// What memory they may take, in bytes
    memory: u64,
    /// How long they may work, in seconds
    seconds: u64,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    limit(arguments).context("can't limit what the tests may take")?;
    let mut packed = Vec::new();
    let most = u64::try_from(PACKED_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    std::io::stdin().lock().take(most).read_to_end(&mut packed).context("can't read the archive")?;
    let archive = unpack(&packed).map_err(|why| anyhow!("{why}"))?;
    if let Err(refused) = compile(None)(&archive.accepted.tree) {
        return written(&Report { refused, ..Report::default() });
    }
    // Whoever started this knows from there on that it is the tests that take too much.
    std::io::stdout().write_all(LOADED.as_bytes())?;
    std::io::stdout().flush()?;
    let suite = Suite::read(&archive.accepted.tree, &source::catalogue(), "")
        .map_err(|faults| anyhow!("{faults}"))?;
    let results = suite.run(&Choice { one_by_one: true, ..Choice::default() });
    let failed = results.cases.iter().filter(|case| matches!(case.status, Status::Failed | Status::Error));
    let (passed, failures) = (results.summary.passed, failed.map(line).collect());
    written(&Report { refused: String::new(), passed, failures, untested: suite.untested() })
}

fn written(report: &Report) -> anyhow::Result<u8> {
    serde_json::to_writer(std::io::stdout().lock(), report)?;
    std::io::stdout().flush()?;
    Ok(0)
}

fn limit(arguments: &Arguments) -> rustix::io::Result<()> {
    let at_most = |most| Rlimit { current: Some(most), maximum: Some(most) };
    setrlimit(Resource::Data, at_most(arguments.memory))?;
    // What it works, not how long it takes: a commit is not refused because a machine is full.
    let seconds = arguments.seconds;
    setrlimit(Resource::Cpu, Rlimit { current: Some(seconds), maximum: Some(seconds.saturating_add(1)) })?;
    setrlimit(Resource::Core, at_most(0))?;
    gives_way();
    Ok(())
}

fn line(case: &Case) -> String {
    let expression =
        case.failure.as_ref().map(|failure| format!("line {}: {}", failure.line, failure.expression));
    let why: Vec<String> = case.reasons.iter().cloned().chain(expression).collect();
    let why = if why.is_empty() { "it is not true".to_owned() } else { why.join("; ") };
    format!("{}:{}: {}: {}", case.file, case.line, case.name, why)
}
