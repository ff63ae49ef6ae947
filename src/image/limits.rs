//! How much is read and looked at. What is beyond a limit is an error, never "nothing there".

use std::time::Duration;

/// Annotations of a layer.
pub(super) const ANNOTATIONS: usize = 64;

/// Bytes of a layer's annotations, names and values.
pub(super) const ANNOTATION_BYTES: usize = 256 << 10;

/// How long an entry waits for the image's own configuration, which is read while evidence is. What takes longer is not known
/// this time, which is no error of the image, and is read on for who asks next.
pub(super) const CONFIGURATION: Duration = Duration::from_secs(3);

/// The limits that an operator sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one piece of evidence: 1 MiB unless set, at most 16 MiB.
    pub evidence_bytes: u64,
    /// Bytes of a predicate that policies see: 1 MiB unless set.
    pub predicate_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { evidence_bytes: 1 << 20, predicate_bytes: 1 << 20 }
    }
}
