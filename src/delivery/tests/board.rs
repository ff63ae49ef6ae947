//! The commit accepted last, as replicas tell each other.

use std::collections::BTreeMap;
use std::sync::Mutex;

use tokio::sync::watch;

use super::*;
use crate::delivery::state::Accepted;

/// What replicas tell each other, in memory. Of two who write over the same only the first is heard.
pub(super) struct Memory {
    pub(super) shown: watch::Sender<Shown>,
    /// What somebody else writes before the next write here.
    other: Mutex<Option<String>>,
    pub(super) kept: Mutex<Option<BTreeMap<String, Vec<u8>>>>,
    /// What somebody else writes while files are kept.
    pub(super) meanwhile: Mutex<Vec<(&'static str, String)>>,
}

impl Memory {
    pub(super) fn of(texts: &[(&str, &str)]) -> Arc<Self> {
        let texts = texts.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect();
        let shown = Shown { is_known: true, version: Some("1".to_owned()), texts, outage: None };
        let (other, kept, meanwhile) = Default::default();
        Arc::new(Self { shown: watch::channel(shown).0, other, kept, meanwhile })
    }

    pub(super) fn put(&self, key: &str, text: String) {
        self.shown.send_modify(|shown| {
            let version: u32 = shown.version.as_ref().unwrap().parse().unwrap();
            shown.version = Some(version.wrapping_add(1).to_string());
            shown.texts.insert(key.to_owned(), text);
        });
    }

    fn floors(&self) -> Vec<(String, String)> {
        let text = self.shown.borrow().texts.get(FLOOR).cloned().unwrap_or_default();
        let floors: Vec<Accepted> = serde_json::from_str(&text).unwrap_or_default();
        floors.into_iter().map(|floor| (floor.key, floor.id)).collect()
    }
}

impl Board for Memory {
    fn shown(&self) -> watch::Receiver<Shown> {
        self.shown.subscribe()
    }

    fn write<'a>(&'a self, version: &'a str, key: &'a str, text: String) -> Told<'a, bool> {
        if let Some(other) = self.other.lock().unwrap().take() {
            self.put(key, other);
        }
        let is_current = self.shown.borrow().version.as_deref() == Some(version);
        if is_current {
            self.put(key, text);
        }
        Box::pin(std::future::ready(Ok(is_current)))
    }

    fn keep(&self, files: BTreeMap<String, Vec<u8>>) -> Told<'_, ()> {
        *self.kept.lock().unwrap() = Some(files);
        for (key, text) in self.meanwhile.lock().unwrap().drain(..) {
            self.put(key, text);
        }
        Box::pin(std::future::ready(Ok(())))
    }

    fn kept(&self) -> Told<'_, Option<BTreeMap<String, Vec<u8>>>> {
        Box::pin(std::future::ready(Ok(self.kept.lock().unwrap().clone())))
    }
}

pub(super) fn floor(key: &str, id: &str, rolled_back: &[&str]) -> Accepted {
    let rolled_back = rolled_back.iter().map(|id| (*id).to_owned()).collect();
    let (key, id, tree) = (key.to_owned(), id.to_owned(), String::new());
    Accepted { key, id, tree, time: 1_769_860_800, rolled_back }
}

pub(super) fn text(floors: &[Accepted]) -> String {
    serde_json::to_string(floors).unwrap()
}

const THREE: &str = "3333333333333333333333333333333333333333";

#[test]
fn what_others_accepted_is_the_floor_of_a_replica_that_has_none() {
    let world = World::new();
    let mut delivery = world.delivery("{mode: none}");
    let key = delivery.key();
    let memory = Memory::of(&[(FLOOR, &text(&[floor("another source", TWO, &[]), floor(&key, ONE, &[])]))]);
    delivery.around.board = Some(memory);
    delivery.look_around();
    let past = delivery.past();
    assert_eq!((past.oldest(), past.floor.is_none()), (Some(ONE), true));
    // What is on its own disk counts as well.
    delivery.accepted = Some(floor(&key, TWO, &[]));
    let past = delivery.past();
    let ids = [past.floor, past.elsewhere].map(|floor| floor.map(|floor| floor.id));
    assert_eq!(ids, [Some(TWO.to_owned()), Some(ONE.to_owned())]);
    // What was gone back from does not.
    delivery.accepted = Some(floor(&key, TWO, &[THREE]));
    assert_eq!(delivery.past().elsewhere, None);
}

#[test]
fn what_others_went_back_to_is_not_gone_back_to_again() {
    let world = World::new();
    let mut delivery = world.delivery("{mode: none}");
    let key = delivery.key();
    delivery.settings.source.rollback =
        Some(config::Rollback { to: THREE.to_owned(), reason: "why".to_owned() });
    delivery.around.board = Some(Memory::of(&[(FLOOR, &text(&[floor(&key, ONE, &[THREE])]))]));
    delivery.look_around();
    let past = delivery.past();
    assert_eq!((past.oldest(), past.back_to.is_none()), (Some(ONE), true));
    let (verified, bundle) = commit(ONE);
    delivery.accept(verified, bundle, &past);
    world.opens();
    delivery.stop();
    let rolled_back = delivery.accepted.as_ref().map(|accepted| accepted.rolled_back.clone());
    assert_eq!(rolled_back, Some(vec![THREE.to_owned()]));
    assert_eq!(delivery.past().back_to, None);
    // Also where another one wrote that beside the same commit; but not where they went back from what is here.
    delivery.accepted = Some(floor(&key, ONE, &[]));
    assert_eq!(delivery.past().back_to, None);
    delivery.accepted = Some(floor(&key, TWO, &[]));
    assert_eq!(delivery.past().back_to.as_deref(), Some(THREE));
}

#[test]
fn nothing_is_accepted_while_it_is_not_known_what_others_accepted() {
    let world = World::new();
    let mut delivery = world.delivery("{mode: none}");
    let memory = Memory::of(&[(FLOOR, "no list")]);
    delivery.around.board = Some(memory.clone());
    delivery.look_around();
    delivery.judge(ONE, time::OffsetDateTime::now_utc());
    let refused = world.activation.status().refused.unwrap();
    assert_eq!((refused.stage, refused.reason), ("verify", "coordination"));
    let why = "`floor` in the ConfigMap meshgate-bundle can't be read: expected ident at line 1 column 2; delete the key there where this replica's own disk, or trust.floor, says which commit was accepted last";
    assert_eq!(refused.why, why);
    assert_eq!(delivery.judged, None, "it is judged again");
    memory.put(FLOOR, "[]".to_owned());
    delivery.look_around();
    delivery.judge(ONE, time::OffsetDateTime::now_utc());
    assert_eq!(world.activation.status().refused.unwrap().stage, "fetch", "it was not fetched");
}

#[test]
fn who_has_something_in_force_goes_on_while_others_can_not_be_heard() {
    let world = World::new();
    let mut delivery = world.delivery("{mode: none}");
    let (verified, bundle) = commit(ONE);
    delivery.deliver(verified, bundle, Origin::Source(Vec::new()));
    world.opens();
    delivery.stop();
    let memory = Memory::of(&[]);
    memory.shown.send_modify(|shown| shown.is_known = false);
    delivery.around.board = Some(memory.clone());
    delivery.round();
    delivery.judge(TWO, time::OffsetDateTime::now_utc());
    let status = world.activation.status();
    assert_eq!(world.active().as_deref(), Some(ONE));
    assert_ne!(status.refused.unwrap().reason, "coordination", "its own floor is enough");
    let why = "the ConfigMap meshgate-bundle was not shown yet, so it is not known which commit other replicas accepted last; check the API server, and the Role meshgate";
    assert_eq!(status.source.unwrap().notes, [why]);
    memory.shown.send_modify(|shown| shown.is_known = true);
    delivery.round();
    assert_eq!(world.activation.status().source.unwrap().notes, Vec::<String>::new());
}

#[test]
fn what_is_configured_does_not_stand_for_what_others_accepted() {
    let world = World::new();
    let refused = || world.activation.status().refused.map(|refused| refused.reason.to_owned());
    let mut delivery = world.delivery(&format!("{{mode: none, floor: '{TWO}'}}"));
    let rollback = config::Rollback { to: TWO.to_owned(), reason: "why".to_owned() };
    delivery.settings.source.rollback = Some(rollback);
    delivery.around.board = Some(Memory::of(&[(FLOOR, "no list")]));
    delivery.look_around();
    delivery.judge(ONE, time::OffsetDateTime::now_utc());
    assert_ne!(refused().as_deref(), Some("coordination"), "trust.floor is the way out of damage");
    delivery.unknown = Some(super::super::board::Unknown { why: "not shown".to_owned(), is_shown: false });
    delivery.judge(ONE, time::OffsetDateTime::now_utc());
    assert_eq!(refused().as_deref(), Some("coordination"));
    delivery.settings.trust.floor = None;
    delivery.look_around();
    delivery.judge(ONE, time::OffsetDateTime::now_utc());
    assert_eq!(refused().as_deref(), Some("coordination"), "nor does source.rollback");
}

#[test]
fn a_floor_is_told_over_what_was_shown_and_never_over_a_later_one() {
    let world = World::new();
    let mut delivery = world.delivery("{mode: none}");
    let key = delivery.key();
    let memory = Memory::of(&[(FLOOR, &text(&[floor("another source", TWO, &[])]))]);
    delivery.around.board = Some(memory.clone());
    delivery.accepted = Some(floor(&key, ONE, &[]));
    // Somebody else is faster, with one that it is not known to come after.
    *memory.other.lock().unwrap() = Some(text(&[floor(&key, THREE, &[]), floor("another source", TWO, &[])]));
    delivery.tell_floor();
    let (ours, other) = ((key.clone(), ONE.to_owned()), ("another source".to_owned(), TWO.to_owned()));
    assert_eq!(memory.floors(), [(key.clone(), THREE.to_owned()), other.clone()]);
    delivery.came_after = Some(THREE.to_owned());
    delivery.tell_floor();
    assert_eq!(memory.floors(), [ours, other.clone()]);
    // Another one went back on purpose.
    memory.put(FLOOR, text(&[floor(&key, TWO, &[TWO])]));
    delivery.came_after = Some(TWO.to_owned());
    delivery.tell_floor();
    assert_eq!(memory.floors(), [(key.clone(), TWO.to_owned())]);
    delivery.accepted = Some(floor(&key, ONE, &[TWO, THREE]));
    delivery.tell_floor();
    assert_eq!(memory.floors(), [(key, ONE.to_owned())]);
}

#[test]
fn a_commit_that_others_tell_of_is_asked_for_once() {
    let world = World::new();
    let mut delivery = world.delivery("{mode: none}");
    let row = format!("{{\"head\": \"sha1:{TWO}\", \"id\": \"sha1:{ONE}\"}}");
    let memory = Memory::of(&[("replica.two", &row), ("replica.three", "no row"), ("floor", "[]")]);
    delivery.around.board = Some(memory);
    delivery.judged = Some(ONE.to_owned());
    assert!(delivery.is_told_of_another());
    assert!(!delivery.is_told_of_another());
    delivery.around.board = Some(Memory::of(&[]));
    assert!(!delivery.is_told_of_another());
}
