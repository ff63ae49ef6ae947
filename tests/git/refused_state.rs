//! What is wrong beside the commits: files of trust, the disk, what is kept on it, and a machine that has no time.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use meshgate::activation::Step;

use crate::process::{Process, command};
use crate::refusals::{good, judged, noted, now, plain, refused, told};
use crate::repository::short;
use crate::server::Manner;
use crate::world::{World, committed};

const STALE: &str = "stale trust: ";
const UNREADABLE: &str = "the files of trust ";
const UNKEPT: &str = "not kept on disk: ";

fn nothing_noted(process: &Process) {
    process
        .until("nothing to be said", |process| process.bundle()["source"]["notes"] == serde_json::json!([]));
}

#[test]
fn files_of_trust_that_go_bad_and_a_state_that_is_taken() {
    let (world, first) = World::new();
    let process = world.started(&first);
    let folder = world.repository.folder.path();
    let allowed = fs::read_to_string(folder.join("allowed")).unwrap();
    fs::write(folder.join("allowed"), "jane@example.com cert-authority x\n").unwrap();
    let mut said =
        format!("trust that can't be read\n{}\n", noted(&world, &process, Step::Trust, UNREADABLE));
    let other = world.repository.key("other", &["ed25519"]);
    world.repository.sign_with("key");
    fs::write(folder.join("allowed"), format!("jim@example.com {other}\n")).unwrap();
    said.push_str(&format!("nobody vouches any more\n{}\n", told(&world, &process, STALE)));
    fs::write(folder.join("allowed"), allowed).unwrap();
    nothing_noted(&process);
    let active = good(&world, &process, &first, "second");

    let output = command(folder, &world.configuration("")).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stderr).unwrap();
    let line = text.lines().find(|line| line.contains("state:")).unwrap_or(&text);
    said.push_str(&format!("a second process\n{}\n\n", plain(&world, line)));
    assert_eq!(process.active(), Some(active), "who has it goes on");
    drop(process);

    // At the start nothing stands for them.
    fs::write(folder.join("allowed"), "jane@example.com ssh-ed25519 ?\n\nx\n").unwrap();
    let output = command(folder, &world.configuration("")).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stderr).unwrap();
    let (_, error) = text.split_once("\nerror: ").unwrap();
    said.push_str(&format!("at the start\n{}", plain(&world, error)));
    insta::assert_snapshot!("trust_and_state", said);
}

/// The program in a mount namespace of its own, where its state is a file system of so many bytes. What is kept of the
/// repository lies elsewhere.
fn within(world: &World, bytes: &str) -> Command {
    let folder = world.repository.folder.path();
    for name in ["state", "elsewhere"] {
        fs::create_dir_all(folder.join(name)).unwrap();
    }
    let plain = command(folder, &world.configuration(""));
    let script = format!(
        "mount -t tmpfs -o size={bytes} none state && mkdir state/git && mount --bind elsewhere state/git && exec \"$0\" \"$@\""
    );
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-ec", &script]).arg(plain.get_program());
    command.args(plain.get_args()).current_dir(folder).env("MESHGATE_PACE", "0.1").stderr(Stdio::piped());
    command
}

/// Does something to the file systems of the server, where `$0` is its state.
fn within_it(process: &Process, world: &World, script: &str) {
    let mut command = Command::new("nsenter");
    command.arg("--target").arg(process.child.id().to_string());
    command.args(["--user", "--mount", "--preserve-credentials", "sh", "-ec", script]);
    assert!(command.arg(world.repository.path("state")).status().unwrap().success(), "{script}");
}

#[test]
fn a_disk_that_is_full_or_takes_nothing() {
    let (world, first) = World::new();
    let process = Process::started(world.repository.folder.path(), within(&world, "256k"));
    process.until("the first commit", |process| process.active().as_deref() == Some(first.as_str()));
    // The server's own file systems, as the system shows them.
    let root = format!("/proc/{}/root", process.child.id());
    let state = Path::new(&root).join(world.repository.path("state").strip_prefix("/").unwrap());
    let current = || fs::read_to_string(state.join("current")).unwrap_or_default();
    process.until("kept", |_| current().contains(short(&first)));
    let mut said = String::new();
    let filler = state.join("filler");
    assert!(fs::write(&filler, vec![1; 1 << 20]).is_err(), "it is full then");
    let second = good_all_the_same(&world, &process, "second");
    said.push_str(&format!("full\n{}\n", noted(&world, &process, Step::Keep, UNKEPT)));
    fs::remove_file(&filler).unwrap();
    nothing_noted(&process);
    assert!(current().contains(short(&second)), "{}", current());

    // What is open goes on, and whatever is opened is read-only.
    within_it(&process, &world, "mount --rbind \"$0\" \"$0\" && mount -o remount,bind,ro \"$0\"");
    let third = good_all_the_same(&world, &process, "third");
    said.push_str(&format!("read-only\n{}\n", noted(&world, &process, Step::Keep, UNKEPT)));
    within_it(&process, &world, "umount -l \"$0\"");
    nothing_noted(&process);
    assert!(current().contains(short(&third)), "{}", current());
    insta::assert_snapshot!("disk", said);
}

/// It is in force whether or not it can be kept.
fn good_all_the_same(world: &World, process: &Process, message: &str) -> String {
    let id = world.push(message);
    process.until(message, |process| process.active().as_deref() == Some(id.as_str()));
    id
}

#[test]
fn what_is_kept_is_damaged() {
    let (world, first) = World::new();
    let second = {
        let process = world.started(&first);
        let second = good(&world, &process, &first, "second");
        process.until("kept", |_| world.kept().contains(short(&second)));
        second
    };
    world.server.behaves(Manner::Status(503, ""));
    let mut said = String::new();
    let state = world.repository.path("state");
    let kept = format!("bundles/{}", world.kept());
    type Damage = fn(Vec<u8>) -> Vec<u8>;
    let cut: Damage = |bytes| bytes[..bytes.len() / 2].to_vec();
    let nothing: Damage = |_| Vec::new();
    for (what, name, damage, active) in [
        ("the floor", "floor.json".to_owned(), cut, &second),
        ("the names of what is kept", "current".to_owned(), nothing, &second),
        ("the files", format!("{kept}/bundle.tar.gz"), cut, &first),
    ] {
        let bytes = fs::read(state.join(&name)).unwrap();
        fs::write(state.join(&name), damage(bytes.clone())).unwrap();
        let mut process = world.started(active);
        process.until(what, |process| {
            process.admin("/metrics").1.contains("stage=\"recover\",reason=\"corrupt\"} 1")
        });
        assert_eq!(
            (process.admin("/readyz").0, &process.review().1["response"]["allowed"]),
            (200, &serde_json::json!(false))
        );
        if name == "floor.json" {
            // Nothing else is accepted meanwhile.
            world.server.behaves(Manner::Good);
            committed(&world.repository, "third");
            said.push_str(&format!("a push then\n{}\n", refused(&world, &process, active)));
            world.server.behaves(Manner::Status(503, ""));
            world.repository.git(&["reset", "-q", "--hard", active]);
            world.push_head();
        }
        let log = process.kill();
        let mut lines = log.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
        let line = lines.find(|line| line["fields"]["reason"] == "corrupt").unwrap();
        let why = plain(&world, line["fields"]["why"].as_str().unwrap());
        said.push_str(&format!("{what}\nrecover/corrupt\n{why}\n\n"));
        if name != format!("{kept}/bundle.tar.gz") {
            fs::write(state.join(&name), bytes).unwrap();
        }
    }
    insta::assert_snapshot!("damaged", said);
    // The newest of what is left goes on, and what comes after the floor is taken.
    world.server.behaves(Manner::Good);
    let process = world.started(&second);
    good(&world, &process, &second, "third");
}

/// The child is stopped, as if the machine had no time for it.
#[test]
fn a_machine_that_has_no_time() {
    let (world, first) = World::new();
    let rollout = "rollout: {tests: {timeout: 2s}}\n";
    let process = world.started_as(&format!("{}{rollout}", world.configuration("")), &first);
    let endless: Vec<String> = (0..10)
        .map(|n| format!("test_{n} if {{\n\tevery i in numbers.range(1, 20000) {{\n\t\tevery j in numbers.range(1, 20000) {{\n\t\t\ti + j > 0\n\t\t}}\n\t}}\n}}"))
        .collect();
    let text = format!("package policies.x.a_test\n\n{}\n", endless.join("\n\n"));
    world.repository.commit_at(&[("policies/x/a/a_test.rego", &text)], &["-S"], now());
    world.push_head();
    let child = process.until_some("the child", Process::trial);
    assert!(Command::new("kill").arg("-STOP").arg(&child).status().unwrap().success());
    insta::assert_snapshot!("busy", judged(&world, &process, &first));
    // Who goes back to what is in force need not wait for the machine.
    world.repository.git(&["reset", "-q", "--hard", &first]);
    world.push_head();
    process.until("nothing refused", |process| process.bundle()["refused"].is_null());
    good(&world, &process, &first, "on from there");
}
