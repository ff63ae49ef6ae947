//! Where a binding or an exception is written.

use std::fmt;

/// A place in the tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The file, as named in the tree; empty for what is written nowhere.
    pub file: String,
    /// The line in which it begins, from 1.
    pub line: usize,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}
