//! Signatures that are made and not taken, each by its name on a running server, beside one that is.

use std::fs;

use crate::refusals::{Fault, changed, each, now};
use crate::repository::Repository;
use crate::signatures::{signed_by_hand, with_signature};
use crate::stricter::hardware;
use crate::world::{World, committed, committed_at};

/// What stands between the two lines of another kind of signature.
fn of_kind(world: &World, kind: &str) {
    let id = committed_at(&world.repository, "x", &["--no-gpg-sign"], now());
    let armored = format!("-----BEGIN {kind}-----\n\nx\n-----END {kind}-----");
    stored(&world.repository, &with_signature(&world.repository.bytes(&id), &armored));
}

/// The commit of these bytes is the head.
fn stored(repository: &Repository, bytes: &[u8]) {
    let id = repository.store(bytes);
    repository.git(&["reset", "-q", "--hard", &id]);
}

fn signed_with(world: &World, key: &str) {
    world.repository.sign_with(key);
    committed(&world.repository, "x");
}

/// As git would read it: the signature stands before its own committer.
fn early(text: &str) -> String {
    let begin = text.find("gpgsig ").unwrap();
    let end = text.find("-----END SSH SIGNATURE-----\n").unwrap() + "-----END SSH SIGNATURE-----\n".len();
    let signature = text.get(begin..end).unwrap();
    text.replace(signature, "").replacen("committer ", &format!("{signature}committer "), 1)
}

#[rustfmt::skip]
const FAULTS: [Fault; 15] = [
    ("a signature of OpenPGP", |world| of_kind(world, "PGP SIGNATURE")),
    ("a signature of X.509", |world| of_kind(world, "SIGNED MESSAGE")),
    ("for something else than git", |world| {
        let id = signed_by_hand(&world.repository, &["-n", "file"]);
        world.repository.git(&["reset", "-q", "--hard", &id]);
    }),
    ("a short key", |world| signed_with(world, "short")),
    ("a hardware key that nobody touched", |world| {
        let (_, pair) = hardware::key();
        let id = committed_at(&world.repository, "x", &["--no-gpg-sign"], now());
        let payload = world.repository.bytes(&id);
        stored(&world.repository, &with_signature(&payload, &hardware::signature(&pair, &payload, 0)));
    }),
    ("a revoked key", |world| signed_with(world, "revoked")),
    ("a key for other things", |world| signed_with(world, "file")),
    ("a line that takes none of its names", |world| signed_with(world, "nobody")),
    ("somebody else than the committer", |world| signed_with(world, "jim")),
    ("a signature of the other hash beside it", |world| {
        changed(world, |text| text.replacen("gpgsig ", "gpgsig-sha256 x\ngpgsig ", 1));
    }),
    ("a cut signature", |world| changed(world, |text| text.replacen("U1NIU0lH", "", 1))),
    ("another wrapping", |world| {
        changed(world, |text| text.replacen("SIGNATURE-----\n U1NI", "SIGNATURE-----\n U1NI\n ", 1));
    }),
    ("something behind the signature", |world| {
        changed(world, |text| text.replacen(" -----END SSH SIGNATURE-----\n", " -----END SSH SIGNATURE-----\n x\n", 1));
    }),
    ("a signature before the committer", |world| changed(world, early)),
    ("two trees", |world| {
        changed(world, |text| {
            let tree = text.lines().next().unwrap().to_owned();
            text.replacen("\ngpgsig ", &format!("\n{tree}\ngpgsig "), 1)
        });
    }),
];

#[test]
fn what_is_signed_in_another_way_than_is_taken() {
    let (world, first) = World::new();
    let repository = &world.repository;
    let key = |name| repository.key(name, &["ed25519"]);
    let (revoked, file, nobody, jim) = (key("revoked"), key("file"), key("nobody"), key("jim"));
    repository.key("short", &["rsa", "-b", "1024"]);
    repository.sign_with("key");
    fs::write(repository.path("revoked"), &revoked).unwrap();
    repository.allow(&format!(
        "jane@example.com {}\njane@example.com {revoked}\njane@example.com namespaces=\"file\" {file}\n!jane@example.com {nobody}\njim@example.com {jim}\n",
        world.public
    ));
    let trust = format!(", revoked: {}, committer: match", repository.path("revoked").display());
    let process = world.started_as(&world.trusting(&trust, ""), &first);
    let mut active = first;
    insta::assert_snapshot!("signers", each(&world, &process, &mut active, &FAULTS));
}
