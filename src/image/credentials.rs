//! The credentials that one caller may use, as one value.

/// What a source may show to registries on behalf of one caller. `Debug` says nothing of what it holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CredentialSet {}

impl CredentialSet {
    /// Registries are asked as anybody may ask them.
    pub fn none() -> Self {
        Self::default()
    }
}
