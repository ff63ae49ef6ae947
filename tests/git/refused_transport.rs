//! A repository that can't be asked, or does not answer as one: each fault by its message, and answers that go on.

use std::fs;

use crate::process::Process;
use crate::refusals::{is_counted, plain};
use crate::repository::short;
use crate::server::{GitServer, Manner};
use crate::world::World;

fn error(process: &Process) -> Option<String> {
    process.bundle()["source"]["lastError"].as_str().map(str::to_owned)
}

/// What is said of it once it is, while the last good policies go on.
fn unreachable(world: &World, process: &Process, what: &str) -> String {
    process.until(what, |process| error(process).is_some());
    is_counted(process, "fetch", "fetch");
    assert_eq!(process.review().1["response"]["allowed"], false);
    assert_eq!(process.admin("/readyz").0, 200);
    let is_told = |line: &str| {
        line.contains("degraded: source unreachable since") && line.contains("; asked again at ")
    };
    process.until("the note", |process| process.admin("/readyz?verbose").1.lines().any(is_told));
    format!("{what}\nfetch/fetch\n{}\n\n", plain(world, &error(process).unwrap()))
}

fn answers(process: &Process) {
    process.until("an answer", |process| error(process).is_none());
}

#[test]
fn a_repository_that_does_not_answer_as_one() {
    let (world, first) = World::new();
    let process = world.started(&first);
    let mut said = String::new();
    for (what, manner) in [
        ("forbidden", Manner::Status(403, "")),
        ("not found", Manner::Status(404, "")),
        ("too often", Manner::Status(429, "Retry-After: 1\r\n")),
        ("in trouble", Manner::Status(500, "")),
        ("leads elsewhere", Manner::Status(302, "Location: https://elsewhere.example.com/x\r\n")),
        ("leads on and on", Manner::Status(302, "Location: /policies.git/info/refs\r\n")),
        ("no repository", Manner::Status(200, "")),
        ("cut", Manner::Cuts),
        ("endless", Manner::Endless),
        ("closed", Manner::Closes),
    ] {
        world.server.behaves(manner);
        said.push_str(&unreachable(&world, &process, what));
        world.server.behaves(Manner::Good);
        answers(&process);
    }
    fs::write(world.repository.path("token"), "wrong").unwrap();
    said.push_str(&unreachable(&world, &process, "wrong token"));
    fs::write(world.repository.path("token"), "secret").unwrap();
    let second = world.push("second");
    process.until("the push", |process| process.active().as_deref() == Some(second.as_str()));
    insta::assert_snapshot!("transport", said);
}

/// A branch that is gone, a pack without end, and one that does not come: each in the place of a push.
#[test]
fn a_repository_that_does_not_give_what_it_names() {
    let (world, first) = World::new();
    let process = world.started(&first);
    let (mut active, mut said) = (first, String::new());
    let bare = format!("--git-dir={}", world.bare().display());
    world.repository.git(&[&bare, "update-ref", "-d", "refs/heads/main"]);
    said.push_str(&unreachable(&world, &process, "no branch"));
    world.push_head();
    answers(&process);
    for (what, manner) in
        [("a pack without end", Manner::EndlessPack), ("a pack that does not come", Manner::SlowPack)]
    {
        world.server.behaves(manner);
        let id = world.push(what);
        said.push_str(&unreachable(&world, &process, what));
        assert_eq!(process.active().as_deref(), Some(active.as_str()), "the last good one stays");
        world.server.behaves(Manner::Good);
        process.until("the push", |process| process.active().as_deref() == Some(id.as_str()));
        active = id;
    }
    insta::assert_snapshot!("packs", said);
}

/// Its certificate is of an authority that nobody names.
#[test]
fn a_server_that_shows_another_certificate() {
    let (world, first) = World::new();
    let process = world.started(&first);
    process.until("kept", |_| world.kept().contains(short(&first)));
    drop(process);
    let good = fs::read_to_string(world.repository.path("ca.pem")).unwrap();
    fs::write(world.repository.path("ca.pem"), GitServer::start(&world.repository.path("served")).pem)
        .unwrap();
    let process = world.started(&first);
    insta::assert_snapshot!("certificate", unreachable(&world, &process, "another certificate"));
    drop(process);
    fs::write(world.repository.path("ca.pem"), good).unwrap();
    let process = world.started(&first);
    let second = world.push("second");
    process.until("the push", |process| process.active().as_deref() == Some(second.as_str()));
}
