//! Where policies' trees come from: the binary itself, or a directory. Bytes only; `policy` reads them.

mod directory;
mod embedded;
mod watched;

pub use directory::directory;
pub use embedded::{catalogue, profile, profiles};
pub use watched::Watched;

/// Why a source gave no tree.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// No embedded tree of this name.
    #[error("there is no embedded profile `{name}`; there are {}", known.join(", "))]
    UnknownProfile {
        /// What was asked for.
        name: String,
        /// What there is.
        known: Vec<String>,
    },
    /// The directory can't be read.
    #[error("can't read {path}; check that it exists and that you may read it")]
    Unreadable {
        /// The file or directory.
        path: String,
        /// What the operating system says.
        #[source]
        source: std::io::Error,
    },
    /// Something in the tree is not a plain file or directory.
    #[error("{path} is {what}; a policies' tree holds plain files and directories only")]
    NotPlain {
        /// The entry.
        path: String,
        /// What it is.
        what: &'static str,
    },
    /// The tree is larger than any tree of policies.
    #[error("{path}: the tree is larger than {limit} MiB; is this a policies' tree?")]
    TooLarge {
        /// The directory.
        path: String,
        /// In MiB.
        limit: u64,
    },
}
