//! Where we are stricter than `git verify-commit`: each of these it takes, or takes in part.

use meshgate::source::{AllowedSigners, Commit, ObjectHash, Reason, Refusal, Revoked, Trust};
use time::OffsetDateTime;

use crate::repository::{MADE, Repository};
use crate::signatures::with_signature;

fn refused(repository: &Repository, bytes: &[u8]) -> Refusal {
    repository.judged(bytes).unwrap_err()
}

fn signed() -> (Repository, String) {
    let repository = Repository::new();
    let public = repository.key("key", &["ed25519"]);
    repository.allow(&format!("jane@example.com {public}\n"));
    let id = repository.commit(&[("a", "1")], &["-S"]);
    (repository, String::from_utf8(id.into_bytes()).unwrap())
}

#[test]
fn a_second_signature_is_ambiguous_whoever_made_it() {
    let (repository, id) = signed();
    let bytes = repository.bytes(&id);
    for extra in ["gpgsig x\n", "gpgsig-sha256 x\n", "gpgsig-other x\n"] {
        let text = String::from_utf8(bytes.clone()).unwrap();
        let doubled = text.replacen("gpgsig ", &format!("{extra}gpgsig "), 1);
        let refusal = refused(&repository, doubled.as_bytes());
        assert_eq!(refusal.reason, Reason::Ambiguous, "{extra}: {refusal}");
    }
    // This one git takes: it does not look at the other hash's header.
    let text = String::from_utf8(bytes).unwrap();
    let stored = repository.store(text.replacen("gpgsig ", "gpgsig-sha256 x\ngpgsig ", 1).as_bytes());
    assert!(repository.git_verifies(&stored));
}

#[test]
fn another_wrapping_of_the_same_signature_is_refused() {
    let (repository, id) = signed();
    let text = String::from_utf8(repository.bytes(&id)).unwrap();
    let behind = text.replacen(" -----END SSH SIGNATURE-----\n", " -----END SSH SIGNATURE-----\n more\n", 1);
    assert!(
        repository.git_verifies(&repository.store(behind.as_bytes())),
        "git reads to the end of the signature"
    );
    assert_eq!(refused(&repository, behind.as_bytes()).reason, Reason::Tampered);
    let (first, rest) = text.split_once("BEGIN SSH SIGNATURE-----\n ").unwrap();
    let (a, b) = rest.split_at(10);
    let wrapped = format!("{first}BEGIN SSH SIGNATURE-----\n {a}\n {b}");
    assert!(repository.git_verifies(&repository.store(wrapped.as_bytes())));
    assert_eq!(refused(&repository, wrapped.as_bytes()).reason, Reason::Tampered);
}

#[test]
fn short_keys_and_other_kinds_of_keys_are_refused_by_name() {
    let repository = Repository::new();
    let public = repository.key("key", &["rsa", "-b", "1024"]);
    let line = format!("jane@example.com {public}\n");
    let refused = AllowedSigners::read("allowed", line.as_bytes()).unwrap_err().to_string();
    assert_eq!(refused, "allowed:1: an RSA key of 1024 bits; use one of 2048 to 4096, or ssh-ed25519");
    repository.allow(&line);
    let id = repository.commit(&[("a", "1")], &["-S"]);
    assert!(repository.git_verifies(&id));
    let other = repository.key("other", &["ed25519"]);
    repository.allow(&format!("jane@example.com {other}\n"));
    let refusal = repository.verified(&id).unwrap_err();
    assert_eq!(refusal.reason, Reason::Untrusted);
    assert!(refusal.message.contains("an RSA key of 1024 bits"), "{refusal}");
}

#[test]
fn a_commit_from_the_future_is_refused_and_one_by_somebody_else_where_that_matters() {
    let repository = Repository::new();
    let public = repository.key("key", &["ed25519"]);
    repository.allow(&format!("jane@example.com {public}\n"));
    let now = OffsetDateTime::from_unix_timestamp(MADE).unwrap();
    let commit = |at| {
        let id = repository.commit_at(&[], &["-S"], at);
        Commit::read(&repository.bytes(&id), ObjectHash::Sha1).unwrap()
    };
    let trust = Trust::Commit(Box::new(repository.signers()));
    trust.verify("x", &commit(MADE + 3600), now).unwrap();
    let refusal = trust.verify("x", &commit(MADE + 3601), now).unwrap_err();
    assert_eq!(refusal.reason, Reason::Expired);
    assert!(
        refusal.message.starts_with("x says that it was made at 2026-01-31T13:00:01Z, more than an hour")
    );
    let mut signers = repository.signers();
    signers.is_committer = true;
    Trust::Commit(Box::new(signers)).verify("x", &commit(MADE), now).unwrap();
    repository.allow(&format!("jim@example.com {public}\n"));
    let mut signers = repository.signers();
    signers.is_committer = true;
    let refusal = Trust::Commit(Box::new(signers)).verify("x", &commit(MADE), now).unwrap_err();
    let expected = "untrusted: x is signed by jim@example.com, and committed by Jane <jane@example.com>; with trust.committer `match` both are one";
    assert_eq!(refusal.to_string(), expected);
}

#[test]
fn what_is_not_taken_in_the_files_of_trust_is_named_with_its_line() {
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKx7K0+ppvl3Ll1mcKR+L2jXWpV+u2sx5hYe5M3yv2jS";
    for (line, expected) in [
        (
            "a@x cert-authority KEY",
            "certificates are not taken; remove the line, and name the keys themselves",
        ),
        ("a@x zz=\"1\" KEY", "the option `zz` is not known; there are namespaces, valid-after, valid-before"),
        ("a@x namespaces=\"a KEY", "a quotation mark is missing"),
        ("a@x namespaces KEY", "`namespaces` without a value; write namespaces=\"…\""),
        ("a@x namespaces=\"a\",namespaces=\"b\" KEY", "`namespaces` twice; write it once"),
        (
            "a@x valid-after=\"2026\" KEY",
            "`2026` is no time; write YYYYMMDD, YYYYMMDDHHMM or YYYYMMDDHHMMSS, in UTC",
        ),
        (
            "a@x valid-after=\"20260230\" KEY",
            "`20260230` is no time; write YYYYMMDD, YYYYMMDDHHMM or YYYYMMDDHHMMSS, in UTC",
        ),
        (
            "a@x valid-after=\"20260201\",valid-before=\"20260101\" KEY",
            "valid-before is not later than valid-after; the key would never be valid",
        ),
        ("a@x ssh-ed25519 AAAA", "the key can't be read"),
        ("a@x ssh-ed25519 ?", "the key is no base64; copy it as a whole"),
        ("a@x", "the key can't be read"),
        (
            "a@x ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIKx7K0+ppvl3Ll1mcKR+L2jXWpV+u2sx5hYe5M3yv2jS",
            "the key is of the kind ssh-ed25519, not ssh-rsa; copy the line as a whole",
        ),
    ] {
        let text = format!("# first\n{}\na@x {key}\n", line.replace("KEY", key));
        let faults = AllowedSigners::read("allowed", text.as_bytes()).unwrap_err().to_string();
        assert_eq!(faults, format!("allowed:2: {expected}"), "{line}");
    }
    let none = AllowedSigners::read("allowed", b"# nobody\n").unwrap_err().to_string();
    assert!(none.starts_with("allowed: nobody may sign"), "{none}");
    let krl = Revoked::read("revoked", b"SSHKRL\n\0 and more").unwrap_err().to_string();
    assert_eq!(krl, "revoked: a KRL is not read; write the public keys, one a line");
}

/// A hardware key signs over its application, flags and counter (OpenSSH, `PROTOCOL.u2f`). There is none in a test, so
/// the bytes are made here, and `git verify-commit` says whether they are right.
#[test]
fn a_hardware_key_counts_where_somebody_touched_it() {
    for (flags, ours) in [(1_u8, true), (5, true), (0, false), (4, false)] {
        let repository = Repository::new();
        let (public, pair) = hardware::key();
        repository.allow(&format!("jane@example.com {public}\n"));
        let id = repository.commit(&[("a", "1")], &["--no-gpg-sign"]);
        let payload = repository.bytes(&id);
        let signed = with_signature(&payload, &hardware::signature(&pair, &payload, flags));
        let id = repository.store(&signed);
        assert!(repository.git_verifies(&id), "{flags}: git does not ask who touched it");
        assert_eq!(repository.verified(&id).is_ok(), ours, "{flags}: {:?}", repository.verified(&id));
    }
}

pub(crate) mod hardware {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use sha2::{Digest, Sha256, Sha512};

    const KIND: &[u8] = b"sk-ssh-ed25519@openssh.com";

    fn string(bytes: &[u8]) -> Vec<u8> {
        [&u32::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat()
    }

    fn blob(pair: &Ed25519KeyPair) -> Vec<u8> {
        [string(KIND), string(pair.public_key().as_ref()), string(b"ssh:")].concat()
    }

    pub(crate) fn key() -> (String, Ed25519KeyPair) {
        let pair = Ed25519KeyPair::generate().unwrap();
        (format!("sk-ssh-ed25519@openssh.com {}", STANDARD.encode(blob(&pair))), pair)
    }

    pub(crate) fn signature(pair: &Ed25519KeyPair, payload: &[u8], flags: u8) -> String {
        let hash = Sha512::digest(payload);
        let signed =
            [b"SSHSIG".to_vec(), string(b"git"), string(b""), string(b"sha512"), string(&hash)].concat();
        let trailer = [&[flags][..], &7_u32.to_be_bytes()].concat();
        let data = [&Sha256::digest(b"ssh:")[..], &trailer, &Sha256::digest(&signed)].concat();
        let signature = [string(KIND), string(pair.sign(&data).as_ref()), trailer].concat();
        let head =
            [b"SSHSIG".to_vec(), 1_u32.to_be_bytes().to_vec(), string(&blob(pair)), string(b"git")].concat();
        let whole = [head, string(b""), string(b"sha512"), string(&signature)].concat();
        let text = STANDARD.encode(whole);
        let lines: Vec<&str> =
            text.as_bytes().chunks(70).map(|line| std::str::from_utf8(line).unwrap()).collect();
        format!("-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----", lines.join("\n"))
    }
}
