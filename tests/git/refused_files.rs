//! Commits whose folder is no policies' tree, on a running server: names, kinds and sizes that no other program of git
//! would write. Beside them the largest and oddest that are taken.

use crate::process::Process;
use crate::refusals::{good, now, refused};
use crate::world::World;

/// An entry of a tree: mode, name, and the id of what it names.
type Entry = (&'static str, Vec<u8>, String);

/// What is put beside the good files.
type Fault = (&'static str, fn(&World) -> Vec<Entry>);

/// Stores an object as it is; its id.
fn object(world: &World, kind: &str, bytes: &[u8]) -> String {
    let output =
        world.repository.run(&["hash-object", "-t", kind, "-w", "--stdin", "--literally"], bytes, now());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A tree's bytes (git, Documentation/gitformat-pack and `tree.c`: mode, name, NUL, the id's bytes).
fn tree(entries: &[Entry]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (mode, name, id) in entries {
        bytes.extend_from_slice(format!("{mode} ").as_bytes());
        bytes.extend_from_slice(name);
        bytes.push(0);
        let digits = id.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
        bytes.extend(digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()));
    }
    bytes
}

/// Commits the good files with these beside them, signed.
fn committed_beside(world: &World, entries: &[Entry]) {
    let repository = &world.repository;
    let mut folder = repository.run(&["cat-file", "tree", "HEAD:policies"], b"", now()).stdout;
    folder.extend(tree(entries));
    let folder = object(world, "tree", &folder);
    let root = object(world, "tree", &tree(&[("40000", b"policies".to_vec(), folder)]));
    let output = repository.run(&["commit-tree", "-S", "-p", "HEAD", "-m", "x", &root], b"", now());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    repository.git(&["update-ref", "HEAD", String::from_utf8(output.stdout).unwrap().trim()]);
}

fn file(world: &World, name: &[u8]) -> Entry {
    ("100644", name.to_vec(), object(world, "blob", b"# nothing\n"))
}

/// A file below so many folders.
fn deep(world: &World, folders: usize) -> Entry {
    let mut entry = file(world, b"deep.pem");
    for _ in 0..folders {
        entry = ("40000", b"d".to_vec(), object(world, "tree", &tree(&[entry])));
    }
    entry
}

fn long(world: &World, bytes: usize) -> Entry {
    file(world, format!("{}.pem", "l".repeat(bytes - 4)).as_bytes())
}

fn large(world: &World, name: &str, bytes: usize) -> Entry {
    ("100644", name.as_bytes().to_vec(), object(world, "blob", &vec![b'\n'; bytes]))
}

fn many(count: usize, entry: Entry) -> Vec<Entry> {
    let (mode, _, id) = entry;
    (0..count).map(|n| (mode, format!("n{n:04}.pem").into_bytes(), id.clone())).collect()
}

#[rustfmt::skip]
const FAULTS: [Fault; 18] = [
    ("a way up", |world| vec![file(world, b"..")]),
    ("a dot", |world| vec![file(world, b".")]),
    ("a name that is two", |world| vec![file(world, b"a/b.rego")]),
    ("an absolute name", |world| vec![file(world, b"/etc.rego")]),
    ("a backslash", |world| vec![file(world, b"a\\b.rego")]),
    ("a control character, in what would be passed over", |world| vec![file(world, b"a\x1b[2K.md")]),
    ("a name that is no text", |world| vec![file(world, b"\xff.rego")]),
    ("one name twice", |world| vec![file(world, b"b.yaml")]),
    ("upper and lower case", |world| vec![file(world, b"B.yaml")]),
    ("two forms of a character", |world| {
        vec![file(world, "\u{e9}.pem".as_bytes()), file(world, "e\u{301}.pem".as_bytes())]
    }),
    ("a submodule, in what would be passed over", |world| {
        vec![("160000", b"sub".to_vec(), world.repository.head())]
    }),
    ("a slip", |world| vec![file(world, b"a.reog")]),
    ("a long path", |world| vec![long(world, 241)]),
    ("a deep one", |world| vec![deep(world, 16)]),
    ("a large file", |world| vec![large(world, "large.pem", (1 << 20) + 1)]),
    ("a large tree", |world| many(33, large(world, "", 1 << 20))),
    ("many files", |world| many(4_998, file(world, b""))),
    ("many faults", |world| many(25, ("120000", Vec::new(), object(world, "blob", b"b.yaml")))),
];

#[test]
fn what_is_no_tree_of_policies() {
    let (world, first) = World::new();
    let process: Process = world.started(&first);
    let mut said = String::new();
    for (what, fault) in FAULTS {
        committed_beside(&world, &fault(&world));
        said.push_str(&format!("{what}\n{}\n", refused(&world, &process, &first)));
        world.repository.git(&["reset", "-q", "--hard", &first]);
    }
    insta::assert_snapshot!("files", said);
    // As far as each of them goes.
    let mut most =
        vec![file(&world, "\u{e9}.pem".as_bytes()), file(&world, b"README.md"), file(&world, b".reog")];
    most.extend([long(&world, 240), deep(&world, 15), large(&world, "large.pem", 1 << 20)]);
    committed_beside(&world, &most);
    world.push_head();
    let id = world.repository.head();
    process.until("the oddest", |process| process.active().as_deref() == Some(id.as_str()));
    good(&world, &process, &id, "and on");
}
