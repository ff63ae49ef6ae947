//! A replica with an empty disk begins with what others kept: a commit that the real `git` and `ssh-keygen` signed.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::board::{Memory, floor, text};
use super::*;
use crate::source::{Past, Reference, verify};

/// Makes a commit of the policies below `folder`, signed; its id.
fn signed(folder: &Path) -> String {
    let (work, key) = (folder.join("work"), folder.join("key"));
    let run = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(folder).env("HOME", folder).env("GIT_CONFIG_NOSYSTEM", "1");
        let output = command.output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    run("ssh-keygen", &["-q", "-N", "", "-t", "ed25519", "-f", "key"]);
    let public = fs::read_to_string(key.with_extension("pub")).unwrap();
    fs::write(folder.join("allowed"), format!("jane@example.com {public}")).unwrap();
    for (path, content) in tree().iter() {
        let file = work.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, content).unwrap();
    }
    run("git", &["init", "-q", "-b", "main", "work"]);
    let git = |arguments: &[&str]| {
        let signing = format!("user.signingKey={}", key.display());
        let mut all = vec!["-C", "work", "-c", "gpg.format=ssh", "-c", &signing];
        all.extend(["-c", "user.name=Jane", "-c", "user.email=jane@example.com"]);
        run("git", &[all.as_slice(), arguments].concat())
    };
    git(&["add", "-A"]);
    git(&["commit", "-q", "-S", "-m", "x"]);
    git(&["rev-parse", "HEAD"])
}

/// A program that reports of the tests what is wanted.
fn reports(folder: &Path, report: &str) -> PathBuf {
    let program = folder.join("program");
    fs::write(&program, format!("#!/bin/sh\ncat > /dev/null\nprintf 'loaded\\n%s' '{report}'\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
    program
}

const PASSES: &str = r#"{"refused":"","passed":1,"failures":[],"untested":[]}"#;

/// Verified as what the source brings.
fn brought(delivery: &Delivery, folder: &Path, id: &str) -> Verified {
    let url = format!("file://{}", folder.join("work").display());
    let source = GitSource {
        url,
        reference: Reference::Commit(id.to_owned()),
        folder: String::new(),
        client: None,
        credentials: None,
    };
    let mut git = Git::new(source, &folder.join("cache"));
    git.update(None, None).unwrap();
    let now = time::OffsetDateTime::now_utc();
    verify(&mut git, &delivery.settings.source, &delivery.trust, &Past::default(), id, now).unwrap()
}

fn compiles() -> Compile {
    Box::new(|tree| compile(Draft::read(tree, &Tree::default())).map_err(|faults| faults.to_string()))
}

/// What another replica keeps that has the commit in force.
fn kept(folder: &Path, id: &str, trust: &str) -> Arc<Memory> {
    let (world, memory) = (World::new(), Memory::of(&[]));
    let mut delivery = world.delivery(trust);
    delivery.around.board = Some(memory.clone());
    let verified = brought(&delivery, folder, id);
    let bundle = compiles()(&verified.tree).unwrap();
    delivery.deliver(verified, bundle, Origin::Source(Vec::new()));
    world.opens();
    delivery.stop();
    assert!(memory.kept.lock().unwrap().is_some());
    memory
}

/// A replica that has nothing, in a world of its own.
fn begins(world: &World, memory: &Arc<Memory>, trust: &str, report: &str) -> Delivery {
    let mut delivery = world.delivery(trust);
    delivery.around.board = Some(memory.clone());
    delivery.around.compile = compiles();
    delivery.program = reports(world.folder.path(), report);
    // What comes is put in force at once.
    world.gate.notify_one();
    delivery.recover();
    delivery
}

#[test]
fn a_replica_with_an_empty_disk_begins_with_what_others_kept() {
    let folder = tempfile::tempdir().unwrap();
    let id = signed(folder.path());
    let trust = format!("{{allowedSigners: '{}'}}", folder.path().join("allowed").display());
    let memory = kept(folder.path(), &id, &trust);
    let world = World::new();
    let delivery = begins(&world, &memory, &trust, PASSES);
    assert_eq!(world.active(), Some(format!("sha1:{id}")));
    assert_eq!(delivery.accepted.as_ref().map(|accepted| accepted.id.clone()), Some(id.clone()));
    assert!(delivery.notes.borrowed.as_ref().is_some_and(|note| note.ends_with(&id)));
    // It is on this disk by now.
    drop(delivery);
    let mut again = world.delivery(&trust);
    again.around.compile = compiles();
    world.gate.notify_one();
    again.recover();
    assert!(again.active.is_some() && again.notes.borrowed.is_none());
}

#[test]
fn nothing_begins_with_what_is_not_trusted_tested_and_the_last() {
    let folder = tempfile::tempdir().unwrap();
    let id = signed(folder.path());
    let trust = format!("{{allowedSigners: '{}'}}", folder.path().join("allowed").display());
    let memory = kept(folder.path(), &id, &trust);
    fs::write(folder.path().join("others"), ALLOWED).unwrap();
    let others = format!("{{allowedSigners: '{}'}}", folder.path().join("others").display());
    let fails = r#"{"refused":"","passed":0,"failures":["a test"],"untested":[]}"#;
    let told = || memory.shown.borrow().texts.get(ARCHIVE).cloned().unwrap();
    for (trust, report, why) in [
        (others.as_str(), PASSES, "no allowed signer has"),
        ("{mode: none}", PASSES, "nobody has to have signed it"),
        (&trust, fails, "a test"),
    ] {
        let world = World::new();
        let delivery = begins(&world, &memory, trust, report);
        assert!(delivery.pending.is_none() && world.active().is_none(), "{why}");
        let refused = world.activation.status().refused.unwrap().why;
        assert!(refused.contains(why), "{refused}");
        assert!(told().contains(&id), "it is whole, so nobody has to keep it again");
    }
    // Another byte of it is noticed, and it is wanted again.
    let commit = memory
        .kept
        .lock()
        .unwrap()
        .as_mut()
        .and_then(|files| files.get_mut("proof/commit").map(|bytes| bytes.push(b'x')));
    assert!(commit.is_some());
    let world = World::new();
    let delivery = begins(&world, &memory, &trust, PASSES);
    assert!(delivery.pending.is_none() && world.active().is_none());
    assert_eq!(told(), "");
    // Nor does it go on from what this disk knows.
    let key = delivery.key();
    memory.put(FLOOR, text(&[floor(&key, TWO, &[])]));
    drop(delivery);
    let delivery = begins(&world, &memory, &trust, PASSES);
    assert!(delivery.pending.is_none() && world.active().is_none());
}
