//! What `git verify-commit` says, we say: signatures by the real `git` and `ssh-keygen`, good and spoiled.

use std::fs;

use meshgate::source::ObjectHash;

use crate::repository::{MADE, Repository};

/// Compares on one commit. Gives whether both trust it.
#[track_caller]
fn compared(repository: &Repository, id: &str, what: &str) -> bool {
    let (git, ours) = (repository.git_verifies(id), repository.verified(id));
    assert_eq!(git, ours.is_ok(), "{what}: git says {git}, and we {ours:?}");
    git
}

const KINDS: [(&str, &[&str]); 7] = [
    ("ed25519", &["ed25519"]),
    ("p256", &["ecdsa", "-b", "256"]),
    ("p384", &["ecdsa", "-b", "384"]),
    ("p521", &["ecdsa", "-b", "521"]),
    ("rsa2048", &["rsa", "-b", "2048"]),
    ("rsa3072", &["rsa", "-b", "3072"]),
    ("rsa4096", &["rsa", "-b", "4096"]),
];

#[test]
fn every_kind_of_key_in_repositories_of_both_hashes() {
    for hash in [ObjectHash::Sha1, ObjectHash::Sha256] {
        let repository = Repository::of(hash);
        let mut lines = String::new();
        for (name, kind) in KINDS {
            let public = repository.key(name, kind);
            let id = repository.commit(&[("a.rego", name)], &["-S"]);
            // The key is not known yet, then it is.
            repository.allow(&format!("{lines}x@x ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKx7K0+ppvl3Ll1mcKR+L2jXWpV+u2sx5hYe5M3yv2jS\n"));
            assert!(!compared(&repository, &id, name), "{name}");
            lines.push_str(&format!("{name}@example.com {public}\n"));
            repository.allow(&lines);
            assert!(compared(&repository, &id, name), "{name}");
            let signer = repository.verified(&id).unwrap().unwrap();
            assert_eq!(signer.principal, format!("{name}@example.com"));
            assert!(signer.fingerprint.starts_with("SHA256:"));
        }
    }
}

#[test]
fn commits_of_every_form() {
    let repository = Repository::new();
    let public = repository.key("key", &["ed25519"]);
    repository.allow(&format!("jane@example.com {public}\n"));
    let trusted = |what: &str, id: &str| assert!(compared(&repository, id, what), "{what}");
    trusted("first", &repository.commit(&[("a", "1")], &["-S"]));
    trusted("amended", &repository.commit(&[("a", "2")], &["-S", "--amend"]));
    trusted("no message", &repository.commit(&[("a", "3")], &["-S", "--allow-empty-message", "-m", ""]));
    let latin =
        ["-c", "i18n.commitEncoding=latin1", "commit", "-q", "-S", "--allow-empty", "-m", "caf\u{e9}"];
    repository.git(&latin);
    trusted("another encoding", &repository.head());
    let message = "gpgsig in a message\n\ngpgsig -----BEGIN SSH SIGNATURE-----\n";
    trusted("a message like a header", &repository.commit(&[("a", "4")], &["-S", "-m", message]));
    repository.git(&["checkout", "-q", "-b", "side", "HEAD~1"]);
    repository.commit(&[("b", "1")], &["-S"]);
    repository.git(&["tag", "-s", "v1", "-m", "signed, too"]);
    repository.git(&["checkout", "-q", "main"]);
    repository.git(&["merge", "-q", "-S", "--no-ff", "-m", "a merge with the tag's own header", "v1"]);
    let merge = repository.head();
    assert!(String::from_utf8_lossy(&repository.bytes(&merge)).contains("\nmergetag "));
    trusted("a merge of a signed tag", &merge);
    let unsigned = repository.commit(&[("a", "5")], &["--no-gpg-sign"]);
    assert!(!compared(&repository, &unsigned, "unsigned"));
}

#[test]
fn what_a_line_of_allowed_signers_says() {
    let repository = Repository::new();
    let public = repository.key("key", &["ed25519"]);
    let id = repository.commit(&[("a", "1")], &["-S"]);
    for (trusted, line) in [
        (true, "jane@example.com KEY"),
        (true, "  jane@example.com\tKEY"),
        (true, "# a comment\n\njane@example.com KEY # more\n"),
        (true, "\"jane@example.com\" KEY"),
        (true, "*@example.com KEY"),
        (true, "jane@example.com,jim@example.com KEY"),
        (true, "jane@example.com namespaces=\"git\" KEY"),
        (true, "jane@example.com namespaces=\"file,git\" KEY"),
        (true, "jane@example.com namespaces=\"g*t\" KEY"),
        (true, "jane@example.com NAMESPACES=\"gi?\" KEY"),
        (false, "jane@example.com namespaces=\"file\" KEY"),
        (false, "jane@example.com namespaces=\"*,!git\" KEY"),
        (true, "jane@example.com valid-after=\"20260131\" KEY"),
        (true, "jane@example.com valid-after=\"202601311200\" KEY"),
        (false, "jane@example.com valid-after=\"20260131120001\" KEY"),
        (false, "jane@example.com valid-before=\"20260131115959\" KEY"),
        (true, "jane@example.com valid-before=\"20260131120000\" KEY"),
        (true, "jane@example.com valid-before=\"20260201\" KEY"),
        (false, "jane@example.com valid-before=\"20260101\" KEY"),
        (true, "jane@example.com valid-after=\"20260101\",valid-before=\"20260201\",namespaces=\"git\" KEY"),
        (true, "old@example.com valid-before=\"20250101\" KEY\njane@example.com KEY"),
        (true, "a@x valid-after=\"20260131UTC\" KEY"),
        (true, "a@x valid-after=\"202601311200Z\" KEY"),
        (false, "a@x valid-after=\"202601311201z\" KEY"),
        (false, "a@x valid-before=\"19700101Z\" KEY"),
        // Whom a line names, and for what another one of the key is.
        (false, "!jane@example.com KEY"),
        (true, "!jane@example.com,*@example.com KEY"),
        (true, "*,!jane@example.com KEY"),
        (false, "a@x,!a@x KEY"),
        (false, ",a@x KEY"),
        (true, "a@x,,b@x KEY"),
        (true, "\"a b@x\" KEY"),
        (true, "\"a@x\"KEY"),
        (true, "  a@x\tKEY"),
        (true, "a@x KEY\r"),
        (false, "a@x namespaces=\"file\" KEY\nb@x KEY"),
        (true, "a@x KEY\nb@x namespaces=\"file\" KEY"),
        (true, "a@x namespaces=\"file\" KEY\na@x KEY"),
        (false, "a@x namespaces=\"\" KEY"),
        (false, "a@x namespaces=\"GIT\" KEY"),
        (false, "a@x namespaces=\"file, git\" KEY"),
    ] {
        repository.allow(&format!("{}\n", line.replace("KEY", &public)));
        assert_eq!(compared(&repository, &id, line), trusted, "{line}");
    }
}

#[test]
fn what_is_spoiled_is_trusted_by_nobody() {
    let repository = Repository::new();
    let public = repository.key("key", &["ed25519"]);
    repository.allow(&format!("jane@example.com {public}\n"));
    let good = repository.commit(&[("a", "1")], &["-S"]);
    let other = repository.commit(&[("a", "2")], &["-S"]);
    assert!(compared(&repository, &good, "good") && compared(&repository, &other, "other"));
    let text = String::from_utf8(repository.bytes(&good)).unwrap();
    let other = String::from_utf8(repository.bytes(&other)).unwrap();
    let signature = |text: &str| {
        let begin = text.find("gpgsig ").unwrap();
        let end = text.find("-----END SSH SIGNATURE-----").unwrap() + "-----END SSH SIGNATURE-----\n".len();
        text.get(begin..end).unwrap().to_owned()
    };
    let (own, foreign) = (signature(&text), signature(&other));
    for (what, spoiled) in [
        ("another message", text.replace("a subject", "b subject")),
        ("another tree", text.replacen("tree ", "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nx ", 1)),
        ("another time", text.replace(&MADE.to_string(), &(MADE + 1).to_string())),
        ("another committer", text.replace("committer Jane", "committer Jack")),
        ("another commit's signature", text.replace(&own, &foreign)),
        ("no signature", text.replace(&own, "")),
        ("a cut one", text.replace(&own, &own.replacen("U1NIU0lH", "", 1))),
        ("an empty one", text.replace(&own, "gpgsig \n")),
        ("one in the message", format!("{}\n{own}", text.replace(&own, ""))),
        ("one before all", format!("{own}{}", text.replace(&own, ""))),
        ("more behind the message", format!("{text}\n")),
        ("another name of the header", text.replace("gpgsig ", "GPGSIG ")),
        ("two blanks", text.replace("gpgsig ", "gpgsig  ")),
        ("another end of a line", text.replace("SIGNATURE-----\n U", "SIGNATURE-----\r\n U")),
    ] {
        assert_ne!(spoiled, text, "{what}");
        let id = repository.store(spoiled.as_bytes());
        assert!(!compared(&repository, &id, what), "{what}");
    }
    let strange = text.replace(
        &own,
        &format!("gpgsig {}\n", "-----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----"),
    );
    assert!(!compared(&repository, &repository.store(strange.as_bytes()), "OpenPGP"));
    fs::write(repository.path("revoked"), &public).unwrap();
    assert!(!compared(&repository, &good, "revoked"));
}

/// Signs a commit's bytes as `git commit -S` does, but with these flags of ssh-keygen.
pub(crate) fn signed_by_hand(repository: &Repository, flags: &[&str]) -> String {
    let id = repository.commit(&[("h", "1")], &["--no-gpg-sign"]);
    let payload = repository.bytes(&id);
    repository.store(&with_signature(&payload, &armored(repository, &payload, flags)))
}

/// What ssh-keygen signs, as it writes it.
pub(crate) fn armored(repository: &Repository, payload: &[u8], flags: &[&str]) -> String {
    let file = repository.path("payload");
    fs::write(&file, payload).unwrap();
    let armored = repository.path("payload.sig");
    let _ = fs::remove_file(&armored);
    let key = repository.path("keys").join("key");
    let mut command = std::process::Command::new("ssh-keygen");
    command.args(["-q", "-Y", "sign"]).args(flags).arg("-f").arg(key).arg(&file);
    assert!(command.status().unwrap().success(), "{flags:?}");
    fs::read_to_string(armored).unwrap()
}

/// A commit's bytes with a signature's header where git puts it: behind the committer.
pub(crate) fn with_signature(payload: &[u8], armored: &str) -> Vec<u8> {
    let text = String::from_utf8(payload.to_vec()).unwrap();
    let (head, message) = text.split_once("\n\n").unwrap();
    let header = armored.trim_end().replace('\n', "\n ");
    format!("{head}\ngpgsig {header}\n\n{message}").into_bytes()
}

#[test]
fn signatures_that_ssh_keygen_makes_for_something_else() {
    let repository = Repository::new();
    let public = repository.key("key", &["ed25519"]);
    repository.allow(&format!("jane@example.com {public}\n"));
    for (trusted, flags) in [
        (true, ["-n", "git", "-O", "hashalg=sha256"].as_slice()),
        (true, &["-n", "git", "-O", "hashalg=sha512"]),
        (false, &["-n", "file"]),
        (false, &["-n", "bundle@meshgate.io"]),
    ] {
        let id = signed_by_hand(&repository, flags);
        assert_eq!(compared(&repository, &id, &format!("{flags:?}")), trusted, "{flags:?}");
    }
}
