//! Programs beside the tests: started, signalled, and ended by the kernel when the tests' own process ends, however it
//! does.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::sync::{LazyLock, Mutex};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

/// Longer than anything that is waited for takes, also on a machine that is busy: the longest, the end of a replica, waits for
/// connections that an API server closes 90 s after their last use.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// How often is looked whether something has come about.
const PAUSE: Duration = Duration::from_millis(20);

type Birth = (Command, Sender<io::Result<Child>>);

/// The kernel ends a child with the *thread* that started it (prctl(2), PR_SET_PDEATHSIG), and a test's thread ends with
/// its test: all children are started by a thread that stays.
static NURSERY: LazyLock<Sender<Birth>> = LazyLock::new(|| {
    let (sender, births) = channel::<Birth>();
    spawn(move || {
        for (mut command, parent) in births {
            drop(parent.send(command.spawn()));
        }
    });
    sender
});

/// A program that can be ended and started again.
pub(crate) struct Program {
    command: Vec<OsString>,
    log: PathBuf,
    child: Mutex<Child>,
}

impl Program {
    /// Starts it; what it prints goes to `NAME.log` in `directory`.
    pub(crate) fn start(directory: &Path, name: &str, command: Vec<OsString>) -> Self {
        let log = directory.join(format!("{name}.log"));
        let child = Mutex::new(born(&command, &log));
        Self { command, log, child }
    }

    pub(crate) fn start_again(&self) {
        *self.child.lock().unwrap() = born(&self.command, &self.log);
    }

    /// Sends it a signal, as `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.lock().unwrap().id().to_string();
        let status = Command::new("kill").args([format!("-{name}"), id]).status().unwrap();
        assert!(status.success(), "{:?} takes no {name}", self.command);
    }

    /// Waits for its end; its exit code, or None where a signal ended it.
    pub(crate) fn ended(&self) -> Option<i32> {
        wait_until("its end", || self.child.lock().unwrap().try_wait().unwrap()).code()
    }

    /// Ends it at once.
    pub(crate) fn kill(&self) {
        let mut child = self.child.lock().unwrap();
        drop(child.kill());
        drop(child.wait());
    }

    /// The memory that it has, in bytes (proc(5), VmRSS).
    pub(crate) fn resident(&self) -> u64 {
        let id = self.child.lock().unwrap().id();
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
    }

    /// What it has printed.
    pub(crate) fn said(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap()).into_owned()
    }

    /// Waits for what `ready` looks for, and fails where the program ends before.
    pub(crate) fn wait_for<T>(&self, ready: impl FnMut() -> Option<T>) -> T {
        wait_for(
            ready,
            || self.child.lock().unwrap().try_wait().unwrap().is_some(),
            || {
                let said = self.said();
                let last: Vec<&str> = said.lines().rev().take(20).collect();
                format!("{:?}: not ready; it said last, backwards:\n{}", self.command, last.join("\n"))
            },
        )
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Waits until `ready` finds something; fails with `what` where it does not come.
pub(crate) fn wait_until<T>(what: &str, ready: impl FnMut() -> Option<T>) -> T {
    wait_for(ready, || false, || format!("it never came about: {what}"))
}

fn wait_for<T>(
    mut ready: impl FnMut() -> Option<T>,
    in_vain: impl Fn() -> bool,
    what: impl Fn() -> String,
) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = ready() {
            return found;
        }
        assert!(start.elapsed() < PATIENCE && !in_vain(), "{}", what());
        sleep(PAUSE);
    }
}

/// A child that dies with us. `setpriv` (util-linux) sets what a safe program can't set itself, and becomes the program.
fn born(command: &[OsString], log: &Path) -> Child {
    let log = std::fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
    let mut child = Command::new("setpriv");
    child.args(["--pdeathsig", "KILL", "--"]).args(command);
    child.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
    let (sender, births) = channel();
    NURSERY.send((child, sender)).unwrap();
    births.recv().unwrap().unwrap_or_else(|error| panic!("can't start {command:?} by setpriv: {error}"))
}

/// Removes a directory once this process has ended, when nobody here can: a shell that reads from us to the end.
pub(crate) fn remove_at_end(directory: &Path) {
    // A terminal's interrupt is for us, and the shell is to outlive us.
    let script = "trap '' INT TERM HUP; read _; sleep 0.2; rm -rf \"$0\"";
    let mut command = Command::new("sh");
    command.args(["-c", script]).arg(directory).stdin(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // Our end of the pipe stays open until we end.
    std::mem::forget(child.stdin.take());
    spawn(move || child.wait());
}
