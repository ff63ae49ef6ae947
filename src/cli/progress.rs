//! How far a long run is, on a terminal only.

use std::io::{IsTerminal, stderr};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::output;
use crate::report::Detail;

/// Between two lines; a run that is shorter says nothing.
const PAUSE: Duration = Duration::from_millis(250);

/// Counts what is done.
pub(super) struct Progress {
    all: usize,
    is_shown: bool,
    state: Mutex<State>,
}

struct State {
    done: usize,
    said: Instant,
    is_dirty: bool,
}

impl Progress {
    /// Of so many things; nothing is said where only faults are.
    pub(super) fn of(all: usize, detail: Detail) -> Self {
        let state = State { done: 0, said: Instant::now(), is_dirty: false };
        Self { all, is_shown: detail != Detail::Faults && stderr().is_terminal(), state: Mutex::new(state) }
    }

    /// So many more are done.
    pub(super) fn add(&self, done: usize) {
        let Ok(mut state) = self.state.lock() else { return };
        state.done = state.done.saturating_add(done);
        if self.is_shown && state.said.elapsed() >= PAUSE {
            (state.said, state.is_dirty) = (Instant::now(), true);
            // Whoever can't be told needs not be told.
            let _ = output::note(&format!("\r{} of {} documents", state.done, self.all));
        }
    }

    /// Takes the line away.
    pub(super) fn end(&self) {
        if self.state.lock().is_ok_and(|state| state.is_dirty) {
            let _ = output::note("\r\u{1b}[2K");
        }
    }
}
