//! The identity in force, which can change under open connections: a handshake takes what is in force then.

use std::sync::{Arc, PoisonError, RwLock};

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::Identity;

/// What is shown to whoever connects. Clones share it. Before there is an identity every handshake fails.
#[derive(Clone, Debug, Default)]
pub struct Serving(Arc<RwLock<Option<Identity>>>);

impl Serving {
    /// Shows this identity from the start.
    pub fn new(identity: Identity) -> Self {
        Self(Arc::new(RwLock::new(Some(identity))))
    }

    /// Shows another from the next handshake on.
    pub fn swap(&self, identity: Identity) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(identity);
    }

    /// What is shown.
    pub fn identity(&self) -> Option<Identity> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ResolvesServerCert for Serving {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.identity().map(|identity| identity.0)
    }
}
