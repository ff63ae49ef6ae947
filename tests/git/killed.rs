//! A server that is killed at any moment of an activation leaves the old or the new policies, and both verified.

use std::thread::sleep;
use std::time::Instant;

use crate::process::Process;
use crate::repository::short;
use crate::world::World;

/// At how many moments.
const MOMENTS: u32 = 56;

#[test]
fn a_server_that_is_killed_leaves_the_old_or_the_new_policies() {
    let (world, first) = World::new();
    let folder = world.repository.folder.path();
    let (first, took) = {
        let mut process = world.started(&first);
        process.until("kept", |_| world.kept().contains(short(&first)));
        let next = world.push("to measure");
        process.kill();
        let began = Instant::now();
        let process = world.started(&next);
        process.until("kept", |_| world.kept().contains(short(&next)));
        (next, began.elapsed())
    };
    let (mut possible, mut kept_old, mut kept_new) = (vec![first.clone()], 0, 0);
    let mut head = first;
    for moment in 0..MOMENTS {
        let pushed = world.push(&format!("push {moment}"));
        let mut process = Process::start(folder, &world.configuration(""));
        // From its start to some time after the push is in force and kept.
        sleep(took.mul_f64(f64::from(moment) * 1.5 / f64::from(MOMENTS)));
        let log = process.kill();
        assert!(!log.contains("corrupt") && !log.contains("is not used"), "{moment}: {log}");
        // What it began with: what those before it left.
        let kept = log.lines().find(|line| line.contains("policies that were kept on disk are verified"));
        if let Some(line) = kept {
            let found = possible.iter().find(|id| line.contains(id.as_str())).cloned();
            let found = found.unwrap_or_else(|| panic!("{moment}: none of {possible:?}: {line}"));
            let count = if found == head { &mut kept_new } else { &mut kept_old };
            *count += 1;
            possible = vec![found];
        }
        possible.push(pushed.clone());
        head = pushed;
    }
    // Both happened, else the moments were ill chosen.
    assert!(kept_old > 0 && kept_new > 0, "{kept_old} old, {kept_new} new");
    let process = world.started(&head);
    assert_eq!(process.admin("/readyz").0, 200);
}
