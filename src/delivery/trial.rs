//! A candidate's gate and its tests, in a process of their own: what never ends, or takes all memory, ends there and not
//! here. A builtin can't be interrupted, and a system that is out of memory ends whom it likes. Only what passes there is
//! loaded here.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::activation::Step;
use crate::config::Trials;
use crate::policy::Tree;
use crate::source::{About, pack};

/// The subcommand by which the program runs tests for itself.
pub const COMMAND: &str = "run-tests";

/// What it says once the policies are loaded, before the tests.
pub const LOADED: &str = "loaded\n";

/// How many times as long as it may work it is waited for: on a machine that is full it is given little time, which is no
/// fault of the policies.
const WAITED: u32 = 3;

/// Between looks whether it has ended.
const LOOK: Duration = Duration::from_millis(5);

/// How much it may say.
const REPORT_BYTES: u64 = 1 << 20;

/// How many failures are told.
const LISTED: usize = 20;

/// What came of the tests.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Why the policies can't be loaded; empty: they can.
    pub refused: String,
    /// How many passed.
    pub passed: usize,
    /// What did not, a line each.
    pub failures: Vec<String>,
    /// Policies that are bound and have none.
    pub untested: Vec<String>,
}

/// Runs the tests of a tree with this program.
pub(super) struct Trial<'a> {
    pub(super) program: &'a Path,
    pub(super) limits: &'a Trials,
}

/// What came of a process.
struct Ran {
    /// None: it was ended because it took too long.
    status: Option<ExitStatus>,
    /// What it said after [`LOADED`], where it came so far.
    said: Vec<u8>,
    /// Whether it did.
    is_loaded: bool,
    errors: Vec<u8>,
}

impl Trial<'_> {
    /// Whether they passed; else at which step not, and why, a line each reason.
    pub(super) fn run(&self, tree: &Tree) -> Result<(), (Step, String)> {
        let report = self.report(tree)?;
        if !report.refused.is_empty() {
            return Err((Step::Gate, report.refused));
        }
        let mut lines = report.failures;
        if self.limits.required {
            lines.extend(report.untested.iter().map(|policy| {
                format!("{policy}: bound and without tests; add `…_test.rego` beside it or examples, or set rollout.tests.required to false")
            }));
        }
        if lines.is_empty() {
            return Ok(());
        }
        let count = lines.len();
        lines.truncate(LISTED);
        if count > LISTED {
            lines.push(format!("… and {} more", count.saturating_sub(LISTED)));
        }
        Err((Step::Tests, lines.join("\n")))
    }

    fn report(&self, tree: &Tree) -> Result<Report, (Step, String)> {
        let failed = |error: io::Error| (Step::Tests, format!("the tests can't be run: {error}"));
        let packed = pack(tree, &About::of(tree, "", None)).map_err(failed)?;
        let ran = self.start().and_then(|child| self.talk(child, packed)).map_err(failed)?;
        match serde_json::from_slice(&ran.said) {
            Ok(report) if ran.status.is_some_and(|status| status.success()) => Ok(report),
            _ if ran.status.is_none() => Err((Step::Busy, self.starved())),
            _ => Err((if ran.is_loaded { Step::Tests } else { Step::Gate }, self.ended(&ran))),
        }
    }

    fn start(&self) -> io::Result<Child> {
        let mut command = Command::new(self.program);
        command
            .arg(COMMAND)
            .arg(self.limits.memory.to_string())
            .arg(self.limits.timeout.as_secs().to_string());
        // Memory is taken as it is used, not in advance, so that its limit counts what is used.
        command.env_clear().env("MIMALLOC_ARENA_EAGER_COMMIT", "0").current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
    }

    /// Hands the tree over, and waits.
    fn talk(&self, child: Child, packed: Vec<u8>) -> io::Result<Ran> {
        let mut child = Ended(child);
        let (input, output, errors) = (child.0.stdin.take(), child.0.stdout.take(), child.0.stderr.take());
        thread::scope(|scope| {
            let output = scope.spawn(|| read(output));
            let errors = scope.spawn(|| read(errors));
            scope.spawn(move || {
                // It may end before it has read all: its status says why.
                if let Some(mut input) = input {
                    drop(input.write_all(&packed));
                }
            });
            let status = child.wait(self.limits.timeout.saturating_mul(WAITED));
            if !matches!(status, Ok(Some(_))) {
                child.end();
            }
            let (said, errors) = (output.join().unwrap_or_default(), errors.join().unwrap_or_default());
            let loaded = said.strip_prefix(LOADED.as_bytes());
            let (is_loaded, said) = (loaded.is_some(), loaded.unwrap_or(&said).to_vec());
            Ok(Ran { status: status?, said, is_loaded, errors })
        })
    }

    /// Why it ended without a report.
    fn ended(&self, ran: &Ran) -> String {
        use std::os::unix::process::ExitStatusExt;
        const SIGXCPU: i32 = 24;
        let (what, was, smaller) = if ran.is_loaded {
            ("the tests", "were", "make them shorter")
        } else {
            ("loading the policies", "was", "make them smaller")
        };
        let seconds = self.limits.timeout.as_secs();
        let errors = String::from_utf8_lossy(&ran.errors);
        let is_memory = errors.contains("memory allocation of") || errors.contains("out of memory");
        if is_memory {
            return format!(
                "{what} took more than {} MiB of memory and {was} ended; make them smaller, or raise rollout.tests.memory",
                self.limits.memory >> 20
            );
        }
        match ran.status.and_then(|status| status.signal()) {
            Some(SIGXCPU) => format!(
                "{what} took more than {seconds} s of work and {was} ended; {smaller}, or raise rollout.tests.timeout"
            ),
            Some(9) => format!(
                "{what} {was} ended by the system, for {seconds} s of work or for memory; {smaller}, or raise rollout.tests.timeout and memory"
            ),
            _ => format!(
                "{what} ended without a report ({}): {}",
                ran.status.map(|status| status.to_string()).unwrap_or_default(),
                errors.lines().next().unwrap_or_default()
            ),
        }
    }

    /// It did not come to its end although it did not work too long.
    fn starved(&self) -> String {
        let seconds = self.limits.timeout.saturating_mul(WAITED).as_secs();
        format!(
            "loading the policies and their tests did not come to an end in {seconds} s, because the machine is full; they are tried again"
        )
    }
}

/// A process that does not outlive this.
struct Ended(Child);

impl Ended {
    /// Its status, where it ends in time.
    fn wait(&mut self, timeout: Duration) -> io::Result<Option<ExitStatus>> {
        let began = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait()? {
                return Ok(Some(status));
            }
            if began.elapsed() >= timeout {
                return Ok(None);
            }
            thread::sleep(LOOK);
        }
    }

    fn end(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        self.end();
    }
}

/// What it says, up to a limit; the rest is thrown away, so that it does not wait for a reader.
fn read(from: Option<impl Read>) -> Vec<u8> {
    let mut said = Vec::new();
    if let Some(mut from) = from {
        drop(from.by_ref().take(REPORT_BYTES).read_to_end(&mut said));
        drop(io::copy(&mut from, &mut io::sink()));
    }
    said
}

/// The program itself, also where its file was replaced since it started.
pub(super) fn program() -> PathBuf {
    PathBuf::from("/proc/self/exe")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn trial(script: &str, timeout: Duration) -> Result<(), (Step, String)> {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("program");
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
        let limits = Trials { timeout, ..Trials::default() };
        Trial { program: &program, limits: &limits }.run(&Tree::default())
    }

    #[test]
    fn what_gets_no_time_to_work_is_not_the_fault_of_the_policies() {
        let (step, why) = trial("exec sleep 600", Duration::from_millis(50)).unwrap_err();
        assert_eq!(step, Step::Busy, "{why}");
        let minute = Duration::from_secs(60);
        let (step, why) = trial("cat > /dev/null; printf 'loaded\\n'; kill -XCPU $$", minute).unwrap_err();
        let expected = "the tests took more than 60 s of work and were ended; make them shorter, or raise rollout.tests.timeout";
        assert_eq!((step, why.as_str()), (Step::Tests, expected));
        let (step, why) = trial("cat > /dev/null; kill -9 $$", minute).unwrap_err();
        assert!(
            step == Step::Gate && why.contains("was ended by the system, for 60 s of work or for memory"),
            "{why}"
        );
    }
}
