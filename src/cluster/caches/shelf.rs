//! The objects that are kept, for the facts that are computed from them.

use std::sync::Arc;

use super::store::Standing;
use super::{Caches, is_optional};
use crate::admission::GroupVersionKind;
use crate::context::{Objects, Shelf};

impl Shelf for Caches {
    fn objects(&self, kind: &GroupVersionKind) -> Result<Arc<Objects>, String> {
        let of = || format!("{}/{}", kind.api_version(), kind.kind);
        let Some(kept) = self.kept(kind) else { return Err(format!("{} is not watched", of())) };
        match kept.standing() {
            Standing::Listed => Ok(kept.objects()),
            Standing::Unserved if is_optional(kind) => Ok(Arc::default()),
            Standing::Unserved => Err(format!("the API server serves no {}", of())),
            Standing::Listing(why) => Err(format!(
                "{} is not listed yet{}",
                of(),
                why.map_or_else(String::new, |why| format!(": {why}"))
            )),
            Standing::Dropped(why) => Err(format!("{} is {why}", of())),
        }
    }
}

impl Caches {
    /// The same of a kind that a policy names itself: where there is no such kind, it can't be meant.
    pub(super) fn declared(&self, kind: &GroupVersionKind) -> Result<Arc<Objects>, String> {
        match self.kept(kind).map(|kept| kept.standing()) {
            Some(Standing::Unserved) => {
                Err(format!("the API server serves no {}/{}", kind.api_version(), kind.kind))
            }
            _ => self.objects(kind),
        }
    }
}
