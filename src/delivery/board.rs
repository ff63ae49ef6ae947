//! What the replicas of an installation tell each other: which commit was accepted last, so that a new one that has
//! nothing on disk knows it, and which commits there are, so that all ask for them at once.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;
use tokio::time::timeout;

use super::state::Accepted;
use super::{Delivery, Message};
use crate::activation::Step;

/// The key under which the commits accepted last are told, one a source, the latest first.
pub const FLOOR: &str = "floor";

/// What the keys of replicas begin with; the rest is a replica's name.
pub const REPLICA: &str = "replica.";

/// How many sources are remembered: that of now, and those of a change that goes on.
const SOURCES: usize = 4;

/// How long what others tell is waited for where nothing was accepted here.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a look after a write that came too late may take.
const LOOK: Duration = Duration::from_secs(2);

/// How often a write is tried at once.
const TRIES: usize = 5;

/// How many commits of others are remembered.
const REMEMBERED: usize = 1_000;

/// Where replicas tell each other.
pub trait Board: Send + Sync {
    /// What is told, as it was shown last.
    fn shown(&self) -> watch::Receiver<Shown>;

    /// Puts a text under a key, where nobody wrote anything since `version` was shown; whether nobody had. Err: it can't
    /// be told.
    fn write<'a>(&'a self, version: &'a str, key: &'a str, text: String) -> Told<'a, bool>;

    /// Keeps files for replicas that have nothing on disk, in the place of what was kept before. Err: they can't be kept.
    fn keep(&self, files: BTreeMap<String, Vec<u8>>) -> Told<'_, ()>;

    /// What is kept; None: nothing is. Err: it can't be known.
    fn kept(&self) -> Told<'_, Option<BTreeMap<String, Vec<u8>>>>;
}

/// What comes of telling something.
pub type Told<'a, T> = Pin<Box<dyn Future<Output = Result<T, String>> + Send + 'a>>;

/// Why it is not known which commit others accepted last.
pub(super) struct Unknown {
    pub(super) why: String,
    /// Whether something is told that can't be read.
    pub(super) is_shown: bool,
}

/// What is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// Whether it was ever looked at.
    pub is_known: bool,
    /// Of what is told; None: nobody has told anything.
    pub version: Option<String>,
    /// The texts by key.
    pub texts: BTreeMap<String, String>,
    /// Why it may be old, where it may.
    pub outage: Option<String>,
}

impl Shown {
    /// The commits accepted last. Err: it can't be read which they are.
    pub(super) fn floors(&self) -> Result<Vec<Accepted>, String> {
        let Some(text) = self.texts.get(FLOOR) else { return Ok(Vec::new()) };
        serde_json::from_str(text).map_err(|error| {
            format!(
                "`{FLOOR}` in the ConfigMap meshgate-bundle can't be read: {error}; delete the key there where this replica's own disk, or trust.floor, says which commit was accepted last"
            )
        })
    }

    /// The commits that replicas have or have seen, by their full ids without the name of the hash.
    fn commits(&self) -> impl Iterator<Item = String> {
        let rows = self.texts.iter().filter(|(key, _)| key.starts_with(REPLICA));
        let of = |row: Value| {
            ["head", "id"].map(|member| row.get(member).and_then(Value::as_str).map(str::to_owned))
        };
        let named = rows.filter_map(|(_, text)| serde_json::from_str(text).ok()).flat_map(of);
        named.flatten().filter_map(|id| id.split_once(':').map(|(_, digits)| digits.to_owned()))
    }
}

impl Delivery {
    /// Hears of what others tell from now on.
    pub(super) fn listen(&self) {
        let Some(board) = &self.around.board else { return };
        let (mut shown, tell) = (board.shown(), self.tell.clone());
        self.around
            .runtime
            .spawn(async move { while shown.changed().await.is_ok() && tell.send(Message::Told).is_ok() {} });
    }

    /// Whether others have or have seen a commit that was never asked for here.
    pub(super) fn is_told_of_another(&mut self) -> bool {
        let Some(board) = &self.around.board else { return false };
        let commits: Vec<String> = board.shown().borrow().commits().collect();
        let known = [self.judged.clone(), self.active.as_ref().map(|active| active.id().to_owned())];
        if self.heard_of.len() > REMEMBERED {
            self.heard_of.clear();
        }
        let mut is_another = false;
        for id in commits.into_iter().filter(|id| !known.contains(&Some(id.clone()))) {
            is_another |= self.heard_of.insert(id);
        }
        is_another
    }

    /// Learns which commit others accepted last.
    pub(super) fn look_around(&mut self) {
        let Some(board) = &self.around.board else { return };
        let mut shown = board.shown();
        if self.accepted.is_none() {
            // What is not known by then is said below.
            let known = async { timeout(PATIENCE, shown.wait_for(|shown| shown.is_known)).await.is_ok() };
            self.around.runtime.block_on(known);
        }
        let shown = shown.borrow().clone();
        let found = if shown.is_known {
            shown.floors().map(|floors| floors.into_iter().find(|floor| floor.key == self.key()))
        } else {
            Err("the ConfigMap meshgate-bundle was not shown yet, so it is not known which commit other replicas accepted last; check the API server, and the Role meshgate".to_owned())
        };
        let note = match found {
            Ok(found) => {
                self.elsewhere = found;
                self.unknown = None;
                shown.outage.map(|why| format!("what other replicas accepted may be old: {why}"))
            }
            Err(why) => {
                self.unknown = Some(Unknown { why: why.clone(), is_shown: shown.is_known });
                Some(why)
            }
        };
        if note.is_some() && self.notes.alone.is_none() {
            Step::Coordination.count(&self.around.metrics);
            tracing::warn!(note, "replicas do not hear of each other");
        }
        self.notes.alone = note;
    }

    /// The commit that others accepted last, where it counts here: not where it was gone back from since.
    pub(super) fn counts_elsewhere(&self, back_to: Option<&str>) -> Option<&Accepted> {
        let accepted = self.accepted.as_ref();
        let gone_back = accepted.map(|accepted| accepted.rolled_back.as_slice()).unwrap_or_default();
        self.elsewhere.as_ref().filter(|theirs| {
            let knows = |id: &str| theirs.rolled_back.iter().any(|known| known == id);
            accepted.is_none_or(|accepted| accepted.id != theirs.id)
                && gone_back.iter().all(|id| knows(id))
                && back_to.is_none_or(knows)
        })
    }

    /// Tells others which commit was accepted last, where they do not know.
    pub(super) fn tell_floor(&mut self) {
        if self.is_floor_told() {
            // Who told it keeps what others need to begin with it.
            self.keep_for_others();
        }
    }

    /// Whether others were told by this replica just now.
    fn is_floor_told(&mut self) -> bool {
        let Some(board) = self.around.board.clone() else { return false };
        let mut shown = board.shown();
        for _ in 0..TRIES {
            let now = shown.borrow_and_update().clone();
            let (Some(version), Ok(floors)) = (&now.version, now.floors()) else { return false };
            let Some(text) = self.floors_to_tell(floors) else { return false };
            let write = async { timeout(LOOK, board.write(version, FLOOR, text)).await };
            let written = self.around.runtime.block_on(write);
            match written.unwrap_or_else(|_| Err("no answer".to_owned())) {
                Ok(true) => return true,
                Ok(false) => {
                    // Somebody else was faster, and is shown soon.
                    drop(self.around.runtime.block_on(async { timeout(LOOK, shown.changed()).await }));
                }
                Err(why) => {
                    tracing::warn!(
                        why,
                        "other replicas can't be told which commit was accepted last; tried again"
                    );
                    return false;
                }
            }
        }
        false
    }

    /// What is to be told where `floors` is. None: nothing else.
    fn floors_to_tell(&self, mut floors: Vec<Accepted>) -> Option<String> {
        let ours = self.accepted.as_ref()?;
        let theirs = floors.iter().position(|floor| floor.key == ours.key).map(|at| floors.remove(at));
        let told = self.later(ours, theirs.as_ref())?;
        floors.insert(0, told);
        floors.truncate(SOURCES);
        serde_json::to_string(&floors).ok()
    }

    /// The later of both; None: it is theirs.
    fn later(&self, ours: &Accepted, theirs: Option<&Accepted>) -> Option<Accepted> {
        let Some(theirs) = theirs else { return Some(ours.clone()) };
        let lacks = |one: &Accepted, other: &Accepted| {
            one.rolled_back.iter().any(|id| !other.rolled_back.contains(id))
        };
        if lacks(theirs, ours) {
            return None;
        }
        let is_later = lacks(ours, theirs)
            || ours.id != theirs.id
                && (self.came_after.as_ref() == Some(&theirs.id)
                    || self.git.descends(&ours.id, &theirs.id).unwrap_or(false));
        is_later.then(|| ours.clone())
    }
}
