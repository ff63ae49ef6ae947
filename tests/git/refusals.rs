//! Each refusal by its fault, on a running server: its message as a snapshot, and the last good policies in force
//! throughout. After each a good commit comes in force.

use std::fs;
use std::process::Stdio;

use time::OffsetDateTime;

use crate::process::{Process, command};
use crate::repository::short;
use crate::server::Manner;
use crate::world::{World, committed, committed_at};

pub(crate) fn now() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}

/// A text without what is another in each run.
fn plain(world: &World, text: &str) -> String {
    let mut text = text.replace(world.repository.folder.path().to_str().unwrap(), "<folder>");
    text = text.replace(&world.server.address.port().to_string(), "<port>");
    for (pattern, shown) in [
        (r"\b[0-9a-f]{40}\b", "<id>"),
        (r"platform@[0-9a-f]{12}", "platform@<id>"),
        (r"SHA256:[A-Za-z0-9+/]{43}", "SHA256:<key>"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "<time>"),
        (r"process \d+", "process <n>"),
    ] {
        text = regex::Regex::new(pattern).unwrap().replace_all(&text, shown).into_owned();
    }
    text
}

/// The refusal of the commit that was pushed last; what is in force is still what was.
pub(crate) fn refused(world: &World, process: &Process, active: &str) -> String {
    world.push_head();
    let short = short(&world.repository.head()).to_owned();
    let is_it = |process: &Process| {
        process.bundle()["refused"]["revision"].as_str().is_some_and(|revision| revision.ends_with(&short))
    };
    process.until("the refusal", is_it);
    let refused = process.bundle()["refused"].clone();
    assert_eq!(process.active().as_deref(), Some(active), "the last good one stays");
    assert_eq!(process.review().1["response"]["allowed"], false);
    assert_eq!(process.admin("/readyz").0, 200);
    let why: Vec<&str> =
        refused["why"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    let (stage, reason) = (refused["stage"].as_str().unwrap(), refused["reason"].as_str().unwrap());
    let counted = format!("meshgate_bundle_rejected_total{{stage=\"{stage}\",reason=\"{reason}\"}} ");
    assert!(process.admin("/metrics").1.contains(&counted), "{counted}");
    assert!(process.admin("/readyz?verbose").1.contains("is refused: "));
    plain(world, &format!("{stage}/{reason}\n{}\n", why.join("\n")))
}

/// Goes back to the good commit, and on to another one.
pub(crate) fn good(world: &World, process: &Process, from: &str, message: &str) -> String {
    world.repository.git(&["reset", "-q", "--hard", from]);
    let id = world.push(message);
    process.until(message, |process| process.active().as_deref() == Some(id.as_str()));
    assert!(process.bundle()["refused"].is_null());
    id
}

#[test]
fn what_is_not_signed_as_it_has_to_be() {
    let (world, first) = World::new();
    let repository = &world.repository;
    let old = repository.key("old", &["ed25519"]);
    repository.key("strange", &["ed25519"]);
    repository.sign_with("key");
    repository.allow(&format!(
        "jane@example.com {}\nold@example.com valid-before=\"20200101\" {old}\n",
        world.public
    ));
    let process = world.started(&first);
    let (mut active, mut said) = (first, String::new());
    type Fault = fn(&World);
    let faults: [(&str, Fault); 6] = [
        ("unsigned", |world| drop(committed_at(&world.repository, "x", &["--no-gpg-sign"], now()))),
        ("a key that nobody knows", |world| {
            world.repository.sign_with("strange");
            committed(&world.repository, "x");
        }),
        ("a key that is no longer valid", |world| {
            world.repository.sign_with("old");
            committed(&world.repository, "x");
        }),
        ("changed after it was signed", |world| {
            changed(world, |text| text.replace("a subject", "b subject"))
        }),
        ("signed twice", |world| changed(world, |text| text.replacen("gpgsig ", "gpgsig x\ngpgsig ", 1))),
        ("from the future", |world| drop(committed_at(&world.repository, "x", &["-S"], now() + 7200))),
    ];
    for (what, fault) in faults {
        fault(&world);
        said.push_str(&format!("{what}\n{}\n", refused(&world, &process, &active)));
        repository.sign_with("key");
        active = good(&world, &process, &active, what);
    }
    insta::assert_snapshot!("signatures", said);
}

/// Commits, and puts a changed copy of the commit in its place.
fn changed(world: &World, change: impl Fn(&str) -> String) {
    let id = committed(&world.repository, "x");
    let text = String::from_utf8(world.repository.bytes(&id)).unwrap();
    let id = world.repository.store(change(&text).as_bytes());
    world.repository.git(&["reset", "-q", "--hard", &id]);
}

#[test]
fn what_does_not_come_after_the_last_commit_and_what_is_no_tree_of_policies() {
    let (world, first) = World::new();
    let process = world.started(&first);
    let repository = &world.repository;
    let (mut active, mut said) = (good(&world, &process, &first, "second"), String::new());
    type Fault = fn(&World);
    let faults: [(&str, Fault); 7] = [
        ("an earlier commit", |world| drop(world.repository.git(&["reset", "-q", "--hard", "HEAD~1"]))),
        ("a history made anew", |world| {
            world.repository.git(&["reset", "-q", "--soft", "HEAD~1"]);
            committed(&world.repository, "made anew");
        }),
        ("two days before", |world| drop(committed_at(&world.repository, "x", &["-S"], now() - 2 * 86_400))),
        ("a link", |world| {
            std::os::unix::fs::symlink("a.rego", world.repository.work().join("policies/link.rego")).unwrap();
            committed(&world.repository, "x");
        }),
        ("no folder", |world| {
            world.repository.git(&["mv", "policies", "elsewhere"]);
            world.repository.commit_at(&[], &["-S"], now());
        }),
        ("no Rego", |world| {
            let broken = [("policies/x/a/a.rego", "package policies.x.a\n\ndeny contains {\n")];
            world.repository.commit_at(&broken, &["-S"], now());
        }),
        ("a pointer of Git LFS", |world| {
            let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n";
            world.repository.commit_at(&[("policies/data.json", pointer)], &["-S"], now());
        }),
    ];
    for (what, fault) in faults {
        fault(&world);
        said.push_str(&format!("{what}\n{}\n", refused(&world, &process, &active)));
        active = good(&world, &process, &active, what);
    }
    insta::assert_snapshot!("history_and_files", said);
    drop(process);

    // By force, once.
    repository.git(&["reset", "-q", "--hard", &first]);
    world.push_head();
    let back = format!("  rollback: {{to: {first}, reason: \"the rest was wrong\"}}\n");
    let process = Process::start(repository.folder.path(), &world.configuration(&back));
    process.until("the way back", |process| process.active().as_deref() == Some(first.as_str()));
    let next = good(&world, &process, &first, "on from there");
    repository.git(&["reset", "-q", "--hard", &first]);
    assert!(
        refused(&world, &process, &next).starts_with("verify/rollback\n"),
        "a second time it is no way back"
    );
}

#[test]
fn a_repository_that_does_not_answer_as_one() {
    let (world, first) = World::new();
    let process = world.started(&first);
    let mut said = String::new();
    let error = |process: &Process| process.bundle()["source"]["lastError"].as_str().map(str::to_owned);
    for (what, manner) in [
        ("forbidden", Manner::Status(403, "")),
        ("not found", Manner::Status(404, "")),
        ("too often", Manner::Status(429, "Retry-After: 1\r\n")),
        ("in trouble", Manner::Status(500, "")),
        ("leads elsewhere", Manner::Status(302, "Location: https://elsewhere.example.com/x\r\n")),
        ("no repository", Manner::Status(200, "")),
        ("cut", Manner::Cuts),
        ("endless", Manner::Endless),
    ] {
        world.server.behaves(manner);
        process.until(what, |process| error(process).is_some());
        said.push_str(&format!("{what}\n{}\n\n", plain(&world, &error(&process).unwrap())));
        assert_eq!(process.review().1["response"]["allowed"], false);
        world.server.behaves(Manner::Good);
        process.until("an answer", |process| error(process).is_none());
    }
    fs::write(world.repository.path("token"), "wrong").unwrap();
    process.until("401", |process| error(process).is_some());
    said.push_str(&format!("wrong token\n{}\n\n", plain(&world, &error(&process).unwrap())));
    fs::write(world.repository.path("token"), "secret").unwrap();
    let second = world.push("second");
    process.until("the push", |process| process.active().as_deref() == Some(second.as_str()));
    insta::assert_snapshot!("transport", said);
}

#[test]
fn files_of_trust_and_of_state_that_go_bad() {
    let (world, first) = World::new();
    let process = world.started(&first);
    let folder = world.repository.folder.path();
    let notes =
        |process: &Process| process.bundle()["source"]["notes"].as_array().cloned().unwrap_or_default();
    let mut said = String::new();
    let mut note = |what: &str, process: &Process| {
        process.until(what, |process| !notes(process).is_empty());
        said.push_str(&format!("{what}\n{}\n\n", plain(&world, notes(process)[0].as_str().unwrap())));
        assert_eq!(process.review().1["response"]["allowed"], false);
    };
    let allowed = fs::read_to_string(folder.join("allowed")).unwrap();
    fs::write(folder.join("allowed"), "jane@example.com cert-authority x\n").unwrap();
    note("trust that can't be read", &process);
    let other = world.repository.key("other", &["ed25519"]);
    world.repository.sign_with("key");
    fs::write(folder.join("allowed"), format!("jim@example.com {other}\n")).unwrap();
    process.until("the new trust", |process| {
        notes(process).iter().any(|note| note.as_str().unwrap().starts_with("stale"))
    });
    note("nobody vouches any more", &process);
    fs::write(folder.join("allowed"), allowed).unwrap();
    process.until("trust again", |process| notes(process).is_empty());

    fs::remove_dir_all(folder.join("state/tmp")).unwrap();
    fs::write(folder.join("state/tmp"), "").unwrap();
    let second = world.push("second");
    process.until("the push", |process| process.active().as_deref() == Some(second.as_str()));
    note("a disk that takes nothing", &process);
    fs::remove_file(folder.join("state/tmp")).unwrap();
    fs::create_dir(folder.join("state/tmp")).unwrap();
    process.until("kept", |process| notes(process).is_empty());

    let output = command(folder, &world.configuration("")).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stderr).unwrap();
    let line = text.lines().find(|line| line.contains("state:")).unwrap_or(&text);
    said.push_str(&format!("a second process\n{}\n", plain(&world, line)));
    insta::assert_snapshot!("trust_and_state", said);
}
