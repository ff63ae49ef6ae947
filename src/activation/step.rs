//! Where a candidate, or what is beside it, can fail: the words by which metrics, `/bundle`, Events and the log say it.

use crate::metrics::Metrics;

/// Makes the steps, and what there is of each, of one list: none can be left out of [`Step::ALL`].
macro_rules! steps {
    ($($(#[$doc:meta])+ $name:ident: $stage:literal $reason:literal,)+) => {
        /// Where a candidate failed, in the words of metrics. `docs/git.md` has a row for each.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Step {
            $($(#[$doc])+ $name,)+
        }

        impl Step {
            /// All that there are.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The step: `verify`.
            pub fn stage(self) -> &'static str {
                match self { $(Self::$name => $stage,)+ }
            }

            /// Why, in a word: `unsigned`.
            pub fn reason(self) -> &'static str {
                match self { $(Self::$name => $reason,)+ }
            }
        }
    };
}

steps! {
    /// The source can't be asked, or does not answer as one.
    Fetch: "fetch" "fetch",
    /// What is kept of the source was damaged, and is fetched anew.
    CopyDamaged: "fetch" "corrupt",
    /// Nobody signed.
    Unsigned: "verify" "unsigned",
    /// Somebody signed who may not.
    Untrusted: "verify" "untrusted",
    /// What was signed, or what an id names, are other bytes.
    Tampered: "verify" "tampered",
    /// It was signed when the key was not valid, or in the future.
    Expired: "verify" "expired",
    /// Several signatures.
    Ambiguous: "verify" "ambiguous",
    /// It does not come after what was accepted last.
    Rollback: "verify" "rollback",
    /// Its files are no policies' tree.
    Files: "verify" "files",
    /// The files that say who is trusted can't be used.
    Trust: "verify" "trust",
    /// It is not known what other replicas accepted.
    Coordination: "verify" "coordination",
    /// It is not known what was accepted here.
    FloorDamaged: "verify" "corrupt",
    /// It can't be loaded.
    Gate: "gate" "gate",
    /// Its tests do not pass.
    Tests: "tests" "tests",
    /// It could not be judged, because the machine had no time for it.
    Busy: "tests" "busy",
    /// What it needs is not there.
    Prepare: "activate" "activate",
    /// What was kept can't be used.
    Recover: "recover" "corrupt",
    /// What is in force is not kept on disk.
    Keep: "persist" "persist",
    /// What is in force is not kept for new replicas.
    Share: "persist" "share",
}

impl Step {
    /// Whether nothing is said of the candidate itself, which is tried again with no change of anybody's.
    pub fn is_tried_again(self) -> bool {
        matches!(self, Self::Fetch | Self::Coordination | Self::Busy)
    }

    /// The step of these words, as `tests/busy`.
    pub fn named(words: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|step| words.split_once('/') == Some((step.stage(), step.reason())))
    }

    /// Counts what failed and is no candidate's fault; a candidate's is counted where it is refused.
    pub fn count(self, metrics: &Metrics) {
        metrics.bundle_failed(self.stage(), self.reason());
    }
}
