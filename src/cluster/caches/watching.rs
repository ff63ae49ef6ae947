//! The watch of one kind: a listing, then what changes, and a new listing where the API server no longer knows the
//! changes. The objects of a listing come as a stream (KEP-3157) or, where the API server refuses that, in pages.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, StreamExt, pin_mut};
use kube::api::{ListParams, WatchEvent, WatchParams};
use kube::core::Request;
use kube::{Client, Error};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::{sleep, timeout};

use super::resource::Resource;
use super::said;
use super::store::{Store, insert};
use crate::context::{Keep, Objects};

/// Objects of a page, as client-go has it (tools/pager, defaultPageSize).
const PAGE: u32 = 500;
/// Bookmarks come each minute; after two of them are missing the connection is taken to be dead.
const SILENCE: Duration = Duration::from_secs(150);
/// How long a listing that comes as a stream may pause.
const PAUSE: Duration = Duration::from_secs(30);
/// Between tries, doubled from the first to the last.
const FIRST: Duration = Duration::from_millis(500);
const LAST: Duration = Duration::from_secs(30);
/// Between looks whether a kind is served by now.
const UNSERVED: Duration = Duration::from_secs(30);
/// Ends the objects of a listing (k8s.io/apimachinery, meta/v1 InitialEventsAnnotationKey).
const END: &str = "k8s.io/initial-events-end";

/// How a stream of events ended.
#[derive(PartialEq, Eq)]
enum Ended {
    /// As they do each few minutes: it goes on from where it was.
    Early,
    /// The changes from there on are not known any more (410).
    Expired,
}

/// What keeps a watch from going on.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("{}", said(.0))]
    Api(#[from] Error),
    #[error("{0}")]
    Answer(&'static str),
}

#[derive(Deserialize)]
struct Page {
    metadata: PageMetadata,
    #[serde(default)]
    items: Option<Vec<Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageMetadata {
    #[serde(default)]
    resource_version: String,
    #[serde(default, rename = "continue")]
    next: String,
}

struct Watching {
    client: Client,
    kept: Arc<Store>,
    /// Whether the API server streams listings.
    streams: bool,
    /// Up to which version all is known; none before a listing is complete.
    version: Option<String>,
}

/// Watches a kind until nobody waits for it any more.
pub(super) async fn watch(client: Client, kept: Arc<Store>) {
    let mut watching = Watching { client, kept, streams: true, version: None };
    let mut wait = FIRST;
    loop {
        match watching.once().await {
            Ok(()) => wait = FIRST,
            Err(fault) => {
                let kind = watching.kept.kind.kind.as_str();
                tracing::warn!(kind, error = %fault, "a watch is interrupted; it is tried again");
                watching.kept.fail(fault.to_string());
                sleep(wait).await;
                wait = LAST.min(wait.saturating_mul(2));
            }
        }
    }
}

impl Watching {
    /// Until a new listing is needed, or the kind is served no more.
    async fn once(&mut self) -> Result<(), Fault> {
        let Some(resource) = Resource::find(&self.client, &self.kept.kind).await? else {
            return self.unserved().await;
        };
        let path = match &self.kept.namespace {
            Some(namespace) => resource.path_in(namespace),
            None => resource.path(),
        };
        if self.version.is_none() && self.streams {
            self.streamed(&path).await?;
        }
        if self.version.is_none() {
            self.version = match self.paged(&path).await {
                Err(error) if code(&error) == Some(404) => return self.unserved().await,
                version => Some(version?),
            };
        }
        while let Some(version) = self.version.clone() {
            let ended = match self.events(&path, &WatchParams::default(), &version).await {
                Ok(stream) => self.follow(stream, None).await?,
                // Gone, or the kind is not there any more; the listing will tell.
                Err(error) if matches!(code(&error), Some(404 | 410)) => Ended::Expired,
                Err(error) => return Err(error.into()),
            };
            if ended == Ended::Expired {
                self.version = None;
            }
        }
        Ok(())
    }

    async fn unserved(&mut self) -> Result<(), Fault> {
        self.version = None;
        self.kept.unserved();
        sleep(UNSERVED).await;
        Ok(())
    }

    /// The listing as a stream, where the API server does that.
    async fn streamed(&mut self, path: &str) -> Result<(), Fault> {
        let params = WatchParams::default().initial_events();
        match self.events(path, &params, "").await {
            Ok(stream) => match self.follow(stream, Some(Objects::default())).await {
                // One that does not know the parameter sends what changes, and no end of a listing.
                Err(Fault::Answer(why)) => {
                    tracing::info!(kind = self.kept.kind.kind, why, "listed in pages");
                    self.streams = false;
                }
                Ok(Ended::Expired) => self.version = None,
                Ok(Ended::Early) => {}
                Err(fault) => return Err(fault),
            },
            // Invalid: the feature is off.
            Err(error) if matches!(code(&error), Some(400 | 422)) => self.streams = false,
            // The pages say whether the kind is there.
            Err(error) if code(&error) == Some(404) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// The listing in pages; from which version on to watch.
    async fn paged(&self, path: &str) -> Result<String, Error> {
        let (mut objects, mut params) = (Objects::default(), ListParams::default().limit(PAGE));
        loop {
            let request = Request::new(path);
            let request = if self.kept.keep == Keep::Labels {
                request.list_metadata(&params)
            } else {
                request.list(&params)
            };
            let page: Page = self.client.request(request.map_err(Error::BuildRequest)?).await?;
            for object in page.items.into_iter().flatten() {
                insert(&mut objects, &self.kept.kind, self.kept.keep, object);
            }
            self.kept.grow(&objects);
            if page.metadata.next.is_empty() {
                self.kept.replace(objects);
                return Ok(page.metadata.resource_version);
            }
            params = params.continue_token(&page.metadata.next);
        }
    }

    async fn events(
        &self,
        path: &str,
        params: &WatchParams,
        version: &str,
    ) -> Result<impl Stream<Item = Result<WatchEvent<Value>, Error>> + use<>, Error> {
        let request = Request::new(path);
        let request = if self.kept.keep == Keep::Labels {
            request.watch_metadata(params, version)
        } else {
            request.watch(params, version)
        };
        self.client.request_events(request.map_err(Error::BuildRequest)?).await
    }

    /// Takes events until the stream ends. `listing`: the objects of a listing that comes before the changes.
    async fn follow(
        &mut self,
        stream: impl Stream<Item = Result<WatchEvent<Value>, Error>>,
        mut listing: Option<Objects>,
    ) -> Result<Ended, Fault> {
        pin_mut!(stream);
        loop {
            let patience = if listing.is_some() { PAUSE } else { SILENCE };
            let event = match timeout(patience, stream.next()).await {
                Ok(Some(event)) => event?,
                Ok(None) if listing.is_some() => {
                    return Err(Fault::Answer("the listing ended in the middle"));
                }
                Err(_) if listing.is_some() => return Err(Fault::Answer("the listing has no end")),
                Ok(None) | Err(_) => return Ok(Ended::Early),
            };
            match (event, &mut listing) {
                (WatchEvent::Added(object) | WatchEvent::Modified(object), Some(objects)) => {
                    insert(objects, &self.kept.kind, self.kept.keep, object);
                    self.kept.grow(objects);
                }
                (WatchEvent::Added(object) | WatchEvent::Modified(object), None) => {
                    self.note(&object);
                    self.kept.insert(object);
                }
                (WatchEvent::Deleted(object), None) => {
                    self.note(&object);
                    self.kept.remove(&object);
                }
                (WatchEvent::Deleted(_), Some(_)) => {
                    return Err(Fault::Answer("the listing takes objects back"));
                }
                (WatchEvent::Bookmark(bookmark), _) => {
                    let ends = bookmark.metadata.annotations.contains_key(END);
                    if let Some(objects) = listing.take_if(|_| ends) {
                        self.kept.replace(objects);
                    }
                    if listing.is_none() {
                        self.version = Some(bookmark.metadata.resource_version);
                    }
                    self.kept.hear();
                }
                (WatchEvent::Error(status), _) if status.code == 410 => return Ok(Ended::Expired),
                (WatchEvent::Error(status), _) => return Err(Error::Api(status).into()),
            }
        }
    }

    fn note(&mut self, object: &Value) {
        if let Some(now) = object.pointer("/metadata/resourceVersion").and_then(Value::as_str) {
            self.version = Some(now.to_owned());
        }
    }
}

fn code(error: &Error) -> Option<u16> {
    match error {
        Error::Api(status) => Some(status.code),
        _ => None,
    }
}
