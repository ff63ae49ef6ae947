//! Each refusal by its fault, on a running server: its message as a snapshot, and the last good policies in force
//! throughout. After each a good commit comes in force.

use meshgate::activation::Step;
use serde_json::Value;
use time::OffsetDateTime;

use crate::process::Process;
use crate::repository::short;
use crate::world::{World, committed, committed_at};

pub(crate) fn now() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}

/// A fault by its name, and how it is made.
pub(crate) type Fault = (&'static str, fn(&World));

/// One fault after the other; what is said of each. After each a good commit comes in force.
pub(crate) fn each(world: &World, process: &Process, active: &mut String, faults: &[Fault]) -> String {
    let mut said = String::new();
    for (what, fault) in faults {
        fault(world);
        said.push_str(&format!("{what}\n{}\n", refused(world, process, active)));
        world.repository.sign_with("key");
        *active = good(world, process, active, what);
    }
    said
}

/// That metrics say so.
pub(crate) fn is_counted(process: &Process, stage: &str, reason: &str) {
    let counted = format!("meshgate_bundle_rejected_total{{stage=\"{stage}\",reason=\"{reason}\"}} ");
    assert!(process.admin("/metrics").1.contains(&counted), "{counted}");
}

/// What is told beside what is in force, once there is something, and at which step it is counted.
pub(crate) fn noted(world: &World, process: &Process, step: Step, begins: &str) -> String {
    let told = told(world, process, begins);
    is_counted(process, step.stage(), step.reason());
    format!("{}/{}\n{told}", step.stage(), step.reason())
}

/// What is told beside what is in force.
pub(crate) fn told(world: &World, process: &Process, begins: &str) -> String {
    let note = |process: &Process| {
        let notes = process.bundle()["source"]["notes"].as_array().cloned().unwrap_or_default();
        let mut notes = notes.iter().filter_map(|note| note.as_str()).map(str::to_owned);
        notes.find(|note| note.starts_with(begins))
    };
    let note = process.until_some(begins, note);
    assert_eq!(process.review().1["response"]["allowed"], false);
    assert_eq!(process.admin("/readyz").0, 200);
    format!("{}\n", plain(world, &note))
}

/// A text without what is another in each run.
pub(crate) fn plain(world: &World, text: &str) -> String {
    let mut text = text.replace(world.repository.folder.path().to_str().unwrap(), "<folder>");
    text = text.replace(&world.server.address.port().to_string(), "<port>");
    for (pattern, shown) in [
        (r"\b[0-9a-f]{40}\b", "<id>"),
        (r"platform@[0-9a-f]{12}", "platform@<id>"),
        (r"\b[0-9a-f]{64}-[0-9a-f]{12}\b", "<bundle>"),
        (r"SHA256:[A-Za-z0-9+/]{43}", "SHA256:<key>"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "<time>"),
        (r"process \d+", "process <n>"),
        (r"\.tmp[A-Za-z0-9]{6}\b", "<temporary>"),
    ] {
        text = regex::Regex::new(pattern).unwrap().replace_all(&text, shown).into_owned();
    }
    text
}

/// The refusal of the commit that was pushed last; what is in force is still what was.
pub(crate) fn refused(world: &World, process: &Process, active: &str) -> String {
    world.push_head();
    judged(world, process, active)
}

/// The refusal of the commit that is there.
pub(crate) fn judged(world: &World, process: &Process, active: &str) -> String {
    let short = short(&world.repository.head()).to_owned();
    let is_it = |process: &Process| {
        process.bundle()["refused"]["revision"].as_str().is_some_and(|revision| revision.ends_with(&short))
    };
    process.until("the refusal", is_it);
    let refused = process.bundle()["refused"].clone();
    assert_eq!(process.active().as_deref(), Some(active), "the last good one stays");
    assert_eq!(process.review().1["response"]["allowed"], false);
    assert_eq!(process.admin("/readyz").0, 200);
    is_counted(process, refused["stage"].as_str().unwrap(), refused["reason"].as_str().unwrap());
    assert!(process.admin("/readyz?verbose").1.contains("is refused: "));
    plain(world, &said(&refused))
}

/// A refusal as `/bundle` tells it: its step, and each line of why.
pub(crate) fn said(refused: &Value) -> String {
    let why: Vec<&str> =
        refused["why"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    let (stage, reason) = (refused["stage"].as_str().unwrap(), refused["reason"].as_str().unwrap());
    format!("{stage}/{reason}\n{}\n", why.join("\n"))
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
    let mut active = first;
    let faults: [Fault; 6] = [
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
    insta::assert_snapshot!("signatures", each(&world, &process, &mut active, &faults));
}

/// Commits, and puts a changed copy of the commit in its place.
pub(crate) fn changed(world: &World, change: impl Fn(&str) -> String) {
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
    let mut active = good(&world, &process, &first, "second");
    let faults: [Fault; 7] = [
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
    insta::assert_snapshot!("history_and_files", each(&world, &process, &mut active, &faults));
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
