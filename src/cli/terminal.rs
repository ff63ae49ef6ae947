//! What it is that is written to: colours and width.

use std::env;
use std::io::{IsTerminal, stderr, stdout};

use clap::ValueEnum;

use crate::report::Paint;

/// Fewer columns than these are none.
const NARROWEST: usize = 40;

/// Whether output is coloured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Also in a file or a pipe
    Always,
    /// Not at all
    Never,
}

impl Color {
    /// How standard output is written to.
    pub(super) fn of_output(self) -> Paint {
        self.paint(stdout().is_terminal())
    }

    /// How standard error is written to.
    pub(super) fn of_errors(self) -> Paint {
        self.paint(stderr().is_terminal())
    }

    fn paint(self, is_terminal: bool) -> Paint {
        let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
        let coloured = match self {
            Self::Auto => is_terminal && !is_set("NO_COLOR") && !is_dumb,
            Self::Always => true,
            Self::Never => false,
        };
        // Whoever exports COLUMNS means it, also for a pipe.
        let wanted = env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let found = || terminal_size::terminal_size().map(|(columns, _)| usize::from(columns.0));
        let width = wanted.or_else(|| is_terminal.then(found).flatten());
        Paint { coloured, width: width.map(|columns: usize| columns.max(NARROWEST)) }
    }
}
