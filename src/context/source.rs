//! The seam to the outside world: whoever can answer facts implements [`ContextSource`].

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;

use futures_util::future::join_all;

use super::facts::{Fact, FactKey};

/// Somebody who can be asked for facts: manifests on disk, the cluster's caches, a registry.
pub trait ContextSource: Send + Sync {
    /// Looks one fact up. Failing is an answer too: [`Fact::Unknown`] with the reason.
    fn fetch<'a>(&'a self, key: &'a FactKey) -> Pin<Box<dyn Future<Output = Fact> + Send + 'a>>;
}

/// Asks for all `keys` at once and waits for every answer.
pub async fn gather(source: &dyn ContextSource, keys: &BTreeSet<FactKey>) -> BTreeMap<FactKey, Fact> {
    let answers = keys.iter().map(|key| async move { (key.clone(), source.fetch(key).await) });
    join_all(answers).await.into_iter().collect()
}
