//! What is in force, kept for replicas that have nothing on disk.

use super::board::{Memory, floor, text};
use super::*;
use crate::source::Signer;

fn jane() -> Signer {
    Signer { principal: "jane@example.com".to_owned(), fingerprint: "SHA256:a".to_owned() }
}

fn keeps(world: &World, memory: &Arc<Memory>, change: impl FnOnce(&mut Verified)) -> Delivery {
    let mut delivery = world.delivery("{mode: none}");
    delivery.around.board = Some(memory.clone());
    let (mut verified, bundle) = commit(ONE);
    verified.signer = Some(jane());
    change(&mut verified);
    delivery.deliver(verified, bundle, Origin::Source(Vec::new()));
    world.opens();
    delivery.stop();
    delivery
}

/// A text that can't be packed.
fn noise(bytes: usize) -> String {
    let mut state = 1_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from_digit(u32::try_from(state >> 60).unwrap(), 16).unwrap()
    };
    (0..bytes).map(|_| next()).collect()
}

#[test]
fn what_is_in_force_is_kept_for_others_by_who_told_that_it_was_accepted() {
    let (world, memory) = (World::new(), Memory::of(&[]));
    let mut delivery = keeps(&world, &memory, |_| {});
    let told = memory.shown.borrow().texts.get(ARCHIVE).cloned().unwrap();
    assert!(told.contains(ONE), "{told}");
    let kept = memory.kept.lock().unwrap().take().unwrap();
    let names: Vec<&str> = kept.keys().map(String::as_str).collect();
    assert_eq!(names, ["bundle.tar.gz", "meta.json", "proof/commit"]);
    // Once: who comes later finds it told.
    delivery.keep_for_others();
    assert!(memory.kept.lock().unwrap().is_none());
    // What others went on from is not kept any more.
    let key = delivery.key();
    memory.put(FLOOR, text(&[floor(&key, TWO, &[])]));
    memory.put(ARCHIVE, String::new());
    delivery.keep_for_others();
    assert!(memory.kept.lock().unwrap().is_none());
}

#[test]
fn a_late_writer_tells_nothing_and_one_who_is_only_interrupted_does() {
    for is_late in [true, false] {
        let (world, memory) = (World::new(), Memory::of(&[]));
        let key = world.delivery("{mode: none}").key();
        let others = if is_late {
            vec![(FLOOR, text(&[floor(&key, TWO, &[])])), (ARCHIVE, "of two".to_owned())]
        } else {
            vec![("replica.two", "renewed".to_owned())]
        };
        *memory.meanwhile.lock().unwrap() = others;
        keeps(&world, &memory, |_| {});
        let told = memory.shown.borrow().texts.get(ARCHIVE).cloned().unwrap();
        if is_late {
            assert_eq!(told, "", "who has the later one in force keeps it again");
        } else {
            assert!(told.contains(ONE), "{told}");
        }
    }
}

#[test]
fn what_nobody_signed_is_not_kept_for_others() {
    let (world, memory) = (World::new(), Memory::of(&[]));
    keeps(&world, &memory, |verified| verified.signer = None);
    assert!(memory.kept.lock().unwrap().is_none());
    assert_eq!(memory.shown.borrow().texts.get(ARCHIVE), None);
}

#[test]
fn what_is_too_large_for_it_is_said_and_not_kept() {
    let (world, memory) = (World::new(), Memory::of(&[]));
    let large = |verified: &mut Verified| {
        for name in ["a.json", "b.json"] {
            verified.snapshot.accepted.tree.insert(name, format!("\"{}\"", noise(1_000_000)));
        }
    };
    let mut delivery = keeps(&world, &memory, large);
    assert!(memory.kept.lock().unwrap().is_none());
    assert_eq!(memory.shown.borrow().texts.get(ARCHIVE), None);
    delivery.say();
    let notes = world.activation.status().source.unwrap().notes;
    let is_said = |note: &&String| {
        note.starts_with("not kept in the ConfigMap meshgate-bundle-archive: ")
            && note.contains(" KiB packed, and it takes 900 KiB; a new Pod whose disk is empty")
    };
    assert_eq!(notes.iter().filter(is_said).count(), 1, "{notes:?}");
    assert_eq!(delivery.too_large.as_deref(), Some(ONE));
    // It is not packed again: its size is not looked at any more.
    let (mut verified, bundle) = commit(ONE);
    verified.signer = Some(jane());
    delivery.active = Some(Arc::new(Delivered::new(verified, bundle)));
    delivery.keep_for_others();
    assert!(memory.kept.lock().unwrap().is_none());
    delivery.too_large = Some(TWO.to_owned());
    delivery.keep_for_others();
    assert!(memory.kept.lock().unwrap().is_some());
}

#[test]
fn what_others_kept_has_to_be_whole_and_the_commit_accepted_last() {
    let (world, memory) = (World::new(), Memory::of(&[]));
    let key = keeps(&world, &memory, |_| {}).key();
    let kept = memory.kept.lock().unwrap().clone().unwrap();
    let told = memory.shown.borrow().texts.get(ARCHIVE).cloned().unwrap();
    let mut cut = kept.clone();
    cut.remove("proof/commit");
    for (floors, files, why) in [
        (ONE, cut, "proof/commit: it is missing"),
        (
            TWO,
            kept.clone(),
            "it is of 1111111111111111111111111111111111111111, and 2222222222222222222222222222222222222222 was accepted last",
        ),
        // Nothing proves it.
        (ONE, kept, "1111111111111111111111111111111111111111"),
    ] {
        let world = World::new();
        let mut delivery = world.delivery("{mode: none}");
        let memory = Memory::of(&[(FLOOR, &text(&[floor(&key, floors, &[])])), (ARCHIVE, &told)]);
        delivery.around.board = Some(memory.clone());
        delivery.recover();
        assert!(world.activation.status().refused.is_none(), "nothing is kept yet");
        // It is looked at again, as long as the source is away and nothing is in force.
        *memory.kept.lock().unwrap() = Some(files);
        delivery.round();
        assert_eq!(
            memory.shown.borrow().texts.get(ARCHIVE).map(String::as_str),
            Some(""),
            "to be kept again"
        );
        assert!(delivery.pending.is_none() && world.active().is_none());
        let refused = world.activation.status().refused.unwrap();
        let is_named = refused
            .why
            .starts_with("what other replicas kept in the ConfigMap meshgate-bundle-archive is not used: ");
        assert!(is_named && refused.why.contains(why) && refused.stage == "recover", "{}", refused.why);
    }
}
