//! Who can be asked about images. Whether that is a registry, a directory or a file is nothing to whoever asks.

use std::fmt;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;

use super::facts::{Fact, FactKey};
use super::source::ContextSource;

/// Somebody who answers [`FactKey::Image`] and [`FactKey::Signatures`]. By default nobody does.
#[derive(Clone, Default)]
pub struct Images(Option<Arc<dyn ContextSource>>);

impl Images {
    /// Asks a source.
    pub fn of(source: Arc<dyn ContextSource>) -> Self {
        Self(Some(source))
    }
}

impl fmt::Debug for Images {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Images").field(&self.0.is_some()).finish()
    }
}

impl ContextSource for Images {
    fn fetch<'a>(&'a self, key: &'a FactKey) -> Pin<Box<dyn Future<Output = Fact> + Send + 'a>> {
        match &self.0 {
            Some(source) => source.fetch(key),
            None => Box::pin(ready(Fact::Unknown("nobody can be asked about images here".to_owned()))),
        }
    }
}
