//! One object under watch: what the API server showed of it last.

use futures_util::{StreamExt, pin_mut};
use kube::api::{ApiResource, DynamicObject};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client};
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::Instant;

/// What is known of an object.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Presence {
    /// Nothing has been shown yet.
    #[default]
    Unknown,
    /// There is none.
    Absent,
    /// There it is.
    Present(Value),
}

/// What a watch has shown, and whether it may be old.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) shown: Presence,
    /// When the watch was last interrupted, where nothing was shown since. That it goes on again it tells only with
    /// what is new.
    pub(super) interrupted: Option<Instant>,
}

impl Presence {
    /// The object, where there is one.
    pub(super) fn object(&self) -> Option<&Value> {
        match self {
            Self::Present(object) => Some(object),
            Self::Unknown | Self::Absent => None,
        }
    }
}

/// The kind of an object that is watched or written.
pub(super) fn resource(group: &str, version: &str, kind: &str, plural: &str) -> ApiResource {
    let api_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    ApiResource {
        group: group.to_owned(),
        version: version.to_owned(),
        api_version,
        kind: kind.to_owned(),
        plural: plural.to_owned(),
    }
}

/// The API of that kind, in a namespace where it has one.
pub(super) fn api(client: &Client, of: &ApiResource, namespace: Option<&str>) -> Api<DynamicObject> {
    match namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, of),
        None => Api::all_with(client.clone(), of),
    }
}

/// Watches one object, for as long as somebody wants to know.
pub(super) fn watch(api: Api<DynamicObject>, of: &ApiResource, name: &'static str) -> watch::Receiver<Seen> {
    let (sender, receiver) = watch::channel(Seen::default());
    let config = watcher::Config::default().fields(&format!("metadata.name={name}"));
    let (kind, of) = (of.kind.clone(), of.clone());
    tokio::spawn(async move {
        let events = watcher(api, config).default_backoff();
        pin_mut!(events);
        let mut is_there = false;
        loop {
            let event = tokio::select! {
                event = events.next() => event,
                () = sender.closed() => return,
            };
            match event {
                Some(Ok(watcher::Event::Init)) => is_there = false,
                Some(Ok(watcher::Event::Apply(object) | watcher::Event::InitApply(object))) => {
                    is_there = true;
                    send(&sender, present(object, &of));
                }
                Some(Ok(watcher::Event::Delete(_))) => send(&sender, Presence::Absent),
                Some(Ok(watcher::Event::InitDone)) if !is_there => send(&sender, Presence::Absent),
                Some(Ok(watcher::Event::InitDone)) => sender.send_modify(|seen| seen.interrupted = None),
                Some(Err(error)) => {
                    tracing::warn!(%error, kind, name, "a watch is interrupted; it is tried again");
                    sender.send_modify(|seen| seen.interrupted = Some(Instant::now()));
                }
                None => return,
            }
        }
    });
    receiver
}

/// An object as the API server shows it, with the members that name its kind.
pub(super) fn present(object: DynamicObject, of: &ApiResource) -> Presence {
    match serde_json::to_value(object) {
        Ok(mut value) => {
            if let Some(members) = value.as_object_mut() {
                members.insert("apiVersion".to_owned(), of.api_version.clone().into());
                members.insert("kind".to_owned(), of.kind.clone().into());
            }
            Presence::Present(value)
        }
        // What can't be written as JSON did not come as JSON.
        Err(_) => Presence::Unknown,
    }
}

fn send(sender: &watch::Sender<Seen>, now: Presence) {
    sender.send_if_modified(|seen| {
        let is_new = seen.shown != now || seen.interrupted.is_some();
        if is_new {
            *seen = Seen { shown: now, interrupted: None };
        }
        is_new
    });
}
