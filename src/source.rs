//! Where policies' trees come from: the binary itself, or a directory. Bytes only; `policy` reads them.

mod archive;
mod directory;
mod embedded;
mod git;
mod layers;
mod layout;
mod refusal;
mod tree;
mod trust;
mod verified;
mod watched;
mod whole;
mod written;

pub use archive::{About, Archive, PACKED_BYTES, pack, unpack};
pub use directory::directory;
pub use embedded::{catalogue, policy_repository, profile, profiles};
pub use git::{Credentials, Git, GitSource, Proof, Reference, Snapshot};
pub use layout::{is_layout, layout_reference, read_layout, write_layout};
pub use refusal::{Reason, Refusal};
pub use tree::{Accepted, Entry, EntryKind, FILE_BYTES, FILES, TREE_BYTES, Unacceptable, accept, is_taken};
pub use trust::{AllowedSigners, Commit, ObjectHash, Revoked, Signed, Signer, Signers, Trust};
pub use verified::{Floor, Past, Verified, named, verify, verify_kept};
pub use watched::Watched;
pub use whole::whole;
pub use written::{TREE_FILE, write_directory};

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
    /// A directory that says which tree it has has another one.
    #[error(
        "{path}: .meshgate-tree names the tree {named}, and {found} is there; wait until it is whole, or build it again"
    )]
    Half {
        /// The directory.
        path: String,
        /// The digest that the file names.
        named: String,
        /// The first digits of what is there.
        found: String,
    },
    /// Half of a tree can't be told from a whole one.
    #[error(
        "{path}: half a tree can't be told from a whole one here: no link leads to it that is swapped, as by a ConfigMap or git-sync, and there is no .meshgate-tree; write it with `meshgate bundle build -o dir:`, or, where you alone write to it, say `plain: true` (`--plain`)"
    )]
    Plain {
        /// The directory.
        path: String,
    },
    /// What a link leads to was written to.
    #[error(
        "{path}: files were changed where they are, so that nobody knows whether the tree is whole; swap the link to another directory, write it with `meshgate bundle build -o dir:`, or say `plain: true` (`--plain`)"
    )]
    InPlace {
        /// The directory.
        path: String,
    },
    /// A file can't be written.
    #[error("can't write {path}; check that there is room and that you may write it")]
    Unwritable {
        /// The file or directory.
        path: String,
        /// What the operating system says.
        #[source]
        source: std::io::Error,
    },
    /// What is there is no policies' tree.
    #[error(transparent)]
    Files(#[from] Unacceptable),
}
