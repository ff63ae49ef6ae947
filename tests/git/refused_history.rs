//! Commits that do not come after what was accepted, or named, beside those that do.

use std::process::Command;

use crate::process::Process;
use crate::refusals::{good, judged, now, plain, refused, said};
use crate::world::{World, committed};

#[test]
fn a_tag_that_is_moved() {
    let (world, first) = World::new();
    let repository = &world.repository;
    let tagged = |id: &str| {
        repository.git(&["tag", "-f", "v1", id]);
        world.push_as("refs/tags/v1");
    };
    tagged(&first);
    let configuration = |more: &str| world.configuration(more).replace("branch: main", "tag: v1");
    let process = world.started_as(&configuration(""), &first);
    let second = committed(repository, "second");
    tagged(&second);
    insta::assert_snapshot!("moved_tag", judged(&world, &process, &first));
    tagged(&first);
    process.until("the tag as it was", |process| process.bundle()["refused"].is_null());
    drop(process);
    // By force, with the lines that the message has.
    tagged(&second);
    let back = format!("  rollback: {{to: \"{second}\", reason: \"why\"}}\n");
    world.started_as(&configuration(&back), &second);
}

#[test]
fn a_first_commit_that_does_not_come_after_the_one_that_is_configured() {
    let (world, first) = World::new();
    let second = world.push("second");
    world.repository.git(&["reset", "-q", "--hard", &first]);
    world.push_head();
    let folder = world.repository.folder.path();
    let process = Process::start(folder, &world.trusting(&format!(", floor: \"{second}\""), ""));
    process.until("the refusal", |process| !process.bundle()["refused"].is_null());
    let bundle = process.bundle();
    let (refused, ready) = (&bundle["refused"], process.admin("/readyz"));
    assert_eq!((ready.0, process.review().0), (503, 503), "nothing is allowed");
    insta::assert_snapshot!("configured_floor", plain(&world, &format!("{}\n{}", said(refused), ready.1)));
    world.repository.git(&["reset", "-q", "--hard", &second]);
    world.push_head();
    process.until("the commit itself", |process| process.active().as_deref() == Some(second.as_str()));
    good(&world, &process, &second, "what comes after it");
}

/// Nothing of the old history is left where it came from, nor here but for what is in force.
#[test]
fn a_history_that_is_gone() {
    let (world, first) = World::new();
    let repository = &world.repository;
    let second = {
        let process = world.started(&first);
        let second = good(&world, &process, &first, "second");
        process.until("kept", |_| world.kept().contains(crate::repository::short(&second)));
        second
    };
    std::fs::remove_dir_all(repository.path("state/git")).unwrap();
    repository.git(&["checkout", "-q", "--orphan", "anew"]);
    committed(repository, "made anew");
    world.push_head();
    let bare = world.bare();
    for arguments in [["reflog", "expire", "--expire=now", "--all"].as_slice(), &["gc", "-q", "--prune=now"]]
    {
        assert!(Command::new("git").current_dir(&bare).args(arguments).status().unwrap().success());
    }
    let process = world.started(&second);
    process.until("the refusal", |process| !process.bundle()["refused"].is_null());
    insta::assert_snapshot!("gone", plain(&world, &said(&process.bundle()["refused"])));
    assert_eq!(process.active().as_deref(), Some(second.as_str()), "the last good one stays");
    assert_eq!(process.review().1["response"]["allowed"], false);
    // The old history is there again.
    repository.git(&["checkout", "-q", "-B", "main", &second]);
    good(&world, &process, &second, "on from there");
}

/// So many commits lie between that nobody looks for the one accepted last.
#[test]
fn a_commit_that_is_too_far_from_the_last() {
    let (world, first) = World::new();
    let repository = &world.repository;
    let process = world.started(&first);
    let line = |count: usize| {
        let mut script = String::new();
        for n in 1..=count {
            let from = if n == 1 { format!("from {first}\n") } else { String::new() };
            script.push_str(&format!(
                "commit refs/heads/line\ncommitter Jane <jane@example.com> {} +0000\ndata 1\nx\n{from}\n",
                now()
            ));
        }
        let output = repository.run(&["fast-import", "--quiet", "--force"], script.as_bytes(), now());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        repository.git(&["reset", "-q", "--hard", "refs/heads/line"]);
        committed(repository, &format!("after {count}"));
    };
    line(2_000);
    insta::assert_snapshot!("too_far", refused(&world, &process, &first));
    line(1_999);
    world.push_head();
    let id = repository.head();
    process.until("one less", |process| process.active().as_deref() == Some(id.as_str()));
}
