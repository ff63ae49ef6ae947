//! Whom a server asks for facts: one who knows, and others that fail.

use std::future::{Future, pending, ready};
use std::pin::Pin;

use meshgate::context::{ContextSource, Fact, FactKey};
use serde_json::{Value, json};
use tokio::sync::watch;

type Answer<'a> = Pin<Box<dyn Future<Output = Fact> + Send + 'a>>;

/// Every namespace exists and has no labels; nothing has an owner.
pub(crate) struct Namespaces;

impl ContextSource for Namespaces {
    fn fetch<'a>(&'a self, key: &'a FactKey) -> Answer<'a> {
        Box::pin(ready(known(key)))
    }
}

/// Answers nothing, ever.
pub(crate) struct Silent;

impl ContextSource for Silent {
    fn fetch<'a>(&'a self, _: &'a FactKey) -> Answer<'a> {
        Box::pin(pending())
    }
}

/// Answers that it does not know.
pub(crate) struct Unknowing;

impl ContextSource for Unknowing {
    fn fetch<'a>(&'a self, _: &'a FactKey) -> Answer<'a> {
        Box::pin(ready(Fact::Unknown("the cluster does not answer".to_owned())))
    }
}

/// Panics when it is asked about the namespace `panic`.
pub(crate) struct Panicking;

impl ContextSource for Panicking {
    fn fetch<'a>(&'a self, key: &'a FactKey) -> Answer<'a> {
        assert_ne!(key, &FactKey::Namespace("panic".to_owned()), "a test's panic");
        Box::pin(ready(known(key)))
    }
}

/// Says that it was asked, and answers when it is told to.
pub(crate) struct Gate {
    pub(crate) asked: watch::Sender<bool>,
    pub(crate) open: watch::Receiver<bool>,
}

impl ContextSource for Gate {
    fn fetch<'a>(&'a self, key: &'a FactKey) -> Answer<'a> {
        self.asked.send_replace(true);
        let mut open = self.open.clone();
        Box::pin(async move {
            open.wait_for(|open| *open).await.unwrap();
            known(key)
        })
    }
}

fn known(key: &FactKey) -> Fact {
    match key {
        FactKey::Namespace(name) => Fact::Known(json!({ "name": name, "labels": {}, "annotations": {} })),
        FactKey::Image(_) | FactKey::Signatures(_) => Fact::Unknown("no registry".to_owned()),
        FactKey::Owner { .. } => Fact::Known(Value::Null),
        _ => Fact::Unknown("no policy of these tests reads it".to_owned()),
    }
}
