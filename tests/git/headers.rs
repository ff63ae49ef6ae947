//! Headers of commits that git writes seldom, or that others write: what `git verify-commit` says of a signed commit that
//! has them, we say, except where the documentation says that we are stricter.

use std::fs;

use meshgate::source::{ObjectHash, Reason};

use crate::repository::{MADE, Repository};
use crate::signatures::armored;

/// What is put together of a commit without a signature, and of its signature's header.
type Made = fn(&Parts) -> Vec<u8>;

/// A commit, in lines of its head and what follows.
struct Parts<'a> {
    repository: &'a Repository,
    /// `tree …`, `parent …`, `author …`, `committer …`, each with its end.
    tree: String,
    parents: String,
    author: String,
    committer: String,
}

const MESSAGE: &str = "\na subject\n";

impl<'a> Parts<'a> {
    fn new(repository: &'a Repository) -> Self {
        let id = repository.commit(&[("a", "1")], &["--no-gpg-sign"]);
        let text = String::from_utf8(repository.bytes(&id)).unwrap();
        let lines = |name: &str| -> String {
            text.split_inclusive('\n')
                .take_while(|line| *line != "\n")
                .filter(|line| line.starts_with(name))
                .collect()
        };
        Self {
            repository,
            tree: lines("tree "),
            parents: lines("parent "),
            author: lines("author "),
            committer: lines("committer "),
        }
    }

    fn head(&self) -> String {
        [self.tree.as_str(), &self.parents, &self.author, &self.committer].concat()
    }

    /// The header of a signature over these bytes, under this name.
    fn header(&self, name: &str, payload: &[u8]) -> String {
        let armored = armored(self.repository, payload, &["-n", "git"]);
        format!("{name} {}\n", armored.trim_end().replace('\n', "\n "))
    }

    fn name(&self) -> &'static str {
        if self.tree.len() > 50 { "gpgsig-sha256" } else { "gpgsig" }
    }

    /// All of this is signed, and the signature stands at the end of the head.
    fn whole(&self, more: &str, message: &[u8]) -> Vec<u8> {
        let head = format!("{}{more}", self.head());
        let payload = [head.as_bytes(), message].concat();
        [head.as_bytes(), self.header(self.name(), &payload).as_bytes(), message].concat()
    }

    /// Signed as `payload`, where the signature stands in `commit` as `~`.
    fn placed(&self, payload: &str, commit: &str) -> Vec<u8> {
        commit.replace('~', &self.header(self.name(), payload.as_bytes())).into_bytes()
    }
}

/// Both trust them.
#[rustfmt::skip]
const TRUSTED: [(&str, Made); 17] = [
    ("nothing besides", |of| of.whole("", MESSAGE.as_bytes())),
    ("an encoding, and a message in it", |of| of.whole("encoding ISO-8859-1\n", b"\ncaf\xe9\n")),
    ("an encoding that nobody knows", |of| of.whole("encoding x\n", MESSAGE.as_bytes())),
    ("two encodings", |of| of.whole("encoding utf-8\nencoding latin1\n", MESSAGE.as_bytes())),
    ("an encoding behind the signature", |of| {
        let head = of.head();
        of.placed(&format!("{head}encoding x\n{MESSAGE}"), &format!("{head}~encoding x\n{MESSAGE}"))
    }),
    ("a tag that was merged", |of| of.whole(MERGED, MESSAGE.as_bytes())),
    ("two of them", |of| of.whole(&MERGED.repeat(2), MESSAGE.as_bytes())),
    ("one before and one behind the signature", |of| {
        let head = of.head();
        of.placed(&format!("{head}{MERGED}{MERGED}{MESSAGE}"), &format!("{head}{MERGED}~{MERGED}{MESSAGE}"))
    }),
    ("a header that nobody knows", |of| of.whole("HG:rename a:b\n", MESSAGE.as_bytes())),
    ("one with more lines", |of| of.whole("x a\n b\n c\n", MESSAGE.as_bytes())),
    ("one with empty lines", |of| of.whole("x \n \n \n", MESSAGE.as_bytes())),
    ("one without a value", |of| of.whole("x\n", MESSAGE.as_bytes())),
    ("a signature's name in another header", |of| of.whole("x gpgsig\n gpgsig y\n gpgsig-sha256 z\n", MESSAGE.as_bytes())),
    ("the end of a line as others write it", |of| of.whole("x a\r\n", MESSAGE.as_bytes())),
    ("no message", |of| of.whole("", b"\n")),
    ("a message without an end", |of| of.whole("", b"\nx")),
    ("a message with a NUL", |of| of.whole("", b"\na\0b\n")),
];

/// A signed tag as `git merge` puts it into a commit, with a signature of its own.
const MERGED: &str = "mergetag object 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n type commit\n tag v1\n tagger Jane <jane@example.com> 1769860800 +0000\n \n v1\n -----BEGIN SSH SIGNATURE-----\n U1NIU0lH\n -----END SSH SIGNATURE-----\n";

/// Git trusts them, and we do not; with what the documentation says of it, and what we say.
#[rustfmt::skip]
const STRICTER: [(&str, &str, (Reason, &str), Made); 10] = [
    ("a signature in two headers", "a second signature", AMBIGUOUS, |of| {
        let text = String::from_utf8(of.whole("", MESSAGE.as_bytes())).unwrap();
        text.replacen(" -----END", &format!("{} -----END", of.name()), 1).into_bytes()
    }),
    ("a signature for the other hash", "or one for another hash", AMBIGUOUS, |of| {
        let other = if of.name() == "gpgsig" { "gpgsig-sha256" } else { "gpgsig" };
        of.placed(&format!("{}{MESSAGE}", of.head()), &format!("{}{other} x\n y\n~{MESSAGE}", of.head()))
    }),
    ("a header that begins as a signature's", "or one for another hash", AMBIGUOUS, |of| {
        of.placed(&format!("{}{MESSAGE}", of.head()), &format!("{}gpgsignature x\n~{MESSAGE}", of.head()))
    }),
    ("a signature before the committer", "a signature's header before the committer", (Reason::Tampered, "it has a signature where git writes none"), |of| {
        let Parts { tree, parents, author, committer, .. } = of;
        of.placed(&format!("{}{MESSAGE}", of.head()), &format!("{tree}{parents}{author}~{committer}{MESSAGE}"))
    }),
    ("another tree", TWICE, NONE, |of| of.whole(&of.tree, MESSAGE.as_bytes())),
    ("another committer", TWICE, NONE, |of| of.whole(&of.committer, MESSAGE.as_bytes())),
    ("a late parent", TWICE, NONE, |of| of.whole(&of.tree.replace("tree", "parent"), MESSAGE.as_bytes())),
    ("no author", TWICE, (Reason::Tampered, "it has no author"), |of| {
        let Parts { tree, parents, committer, .. } = of;
        let head = format!("{tree}{parents}{committer}");
        of.placed(&format!("{head}{MESSAGE}"), &format!("{head}~{MESSAGE}"))
    }),
    ("a committer without a time", TWICE, (Reason::Tampered, "its committer is not written as git does it"), |of| {
        let Parts { tree, parents, author, .. } = of;
        let head = format!("{tree}{parents}{author}committer Jane <jane@example.com>\n");
        of.placed(&format!("{head}{MESSAGE}"), &format!("{head}~{MESSAGE}"))
    }),
    ("a header with a NUL", TWICE, (Reason::Tampered, "its headers hold a NUL"), |of| of.whole("x a\0b\n", MESSAGE.as_bytes())),
];

const TWICE: &str = "a head that git does not write";
const AMBIGUOUS: (Reason, &str) = (Reason::Ambiguous, "has several signatures");
const NONE: (Reason, &str) =
    (Reason::Tampered, "it has a tree, parent, author or committer where git writes none");

/// The same commit, each time with one line of its head, or of its message, that ends otherwise. The
/// signature's header stays as it is.
fn spoiled(bytes: &[u8]) -> Vec<Vec<u8>> {
    let head = bytes.windows(2).position(|two| two == b"\n\n").unwrap();
    let mut in_signature = false;
    let mut spoiled = vec![[bytes, b"x"].concat()];
    let ends = (0..=head).filter(|at| bytes[*at] == b'\n');
    let mut begin = 0;
    for end in ends {
        let line = &bytes[begin..end];
        begin = end + 1;
        in_signature = line.starts_with(b"gpgsig") || in_signature && line.starts_with(b" ");
        if !in_signature {
            let mut other = bytes.to_vec();
            other[end - 1] = if bytes[end - 1] == b'0' { b'1' } else { b'0' };
            spoiled.push(other);
        }
    }
    spoiled
}

/// Neither trusts them, and we say that they are not what was signed.
fn are_refused(repository: &Repository, what: &str, spoiled: &[Vec<u8>]) {
    for bytes in spoiled {
        let shown = String::from_utf8_lossy(bytes);
        assert!(!repository.git_verifies(&repository.store(bytes)), "{what}: git trusts {shown}");
        let ours = repository.judged(bytes).map_err(|refusal| refusal.reason);
        assert_eq!(ours, Err(Reason::Tampered), "{what}: {shown}");
    }
}

/// A repository of one commit, in which Jane's key is trusted.
fn of_jane(hash: ObjectHash) -> Repository {
    let repository = Repository::of(hash);
    let public = repository.key("key", &["ed25519"]);
    repository.allow(&format!("jane@example.com {public}\n"));
    repository.commit(&[("a", "0")], &[]);
    repository
}

#[test]
fn headers_are_read_as_git_reads_them() {
    for hash in [ObjectHash::Sha1, ObjectHash::Sha256] {
        let repository = of_jane(hash);
        let parts = Parts::new(&repository);
        for (what, made) in TRUSTED {
            let bytes = made(&parts);
            let id = repository.store(&bytes);
            assert!(repository.git_verifies(&id), "{what}: git does not trust it");
            let ours = repository.judged(&bytes);
            assert!(ours.is_ok(), "{what}: {ours:?}");
            are_refused(&repository, what, &spoiled(&bytes));
        }
    }
}

#[test]
fn where_we_are_stricter_the_documentation_says_so() {
    let page = fs::read_to_string(format!("{}/docs/git.md", env!("CARGO_MANIFEST_DIR"))).unwrap();
    for hash in [ObjectHash::Sha1, ObjectHash::Sha256] {
        let repository = of_jane(hash);
        let parts = Parts::new(&repository);
        for (what, documented, (reason, why), made) in STRICTER {
            let bytes = made(&parts);
            let id = repository.store(&bytes);
            assert!(repository.git_verifies(&id), "{what}: git does not trust it either");
            let refusal = repository.judged(&bytes).unwrap_err();
            assert_eq!(refusal.reason, reason, "{what}: {refusal}");
            assert!(refusal.message.contains(why), "{what}: {refusal}");
            assert!(page.contains(documented), "{what}: docs/git.md does not say `{documented}`");
        }
    }
}

/// What git itself writes: merges of several signed tags, and messages in another encoding.
#[test]
fn commits_that_git_makes_with_such_headers() {
    let repository = Repository::new();
    let public = repository.key("key", &["ed25519"]);
    repository.allow(&format!("jane@example.com {public}\n"));
    let first = repository.commit(&[("a", "1")], &["-S"]);
    for name in ["v1", "v2"] {
        repository.git(&["checkout", "-q", "-B", name, &first]);
        repository.commit(&[(name, "1")], &["-S"]);
        repository.git(&["tag", "-s", &format!("tag-{name}"), "-m", "a signed tag"]);
    }
    repository.git(&["checkout", "-q", "-B", "main", &first]);
    repository.git(&["merge", "-q", "-S", "--no-ff", "-m", "both", "tag-v1", "tag-v2"]);
    let merge = repository.head();
    assert_eq!(String::from_utf8_lossy(&repository.bytes(&merge)).matches("\nmergetag ").count(), 2);
    fs::write(repository.path("message"), b"caf\xe9\n").unwrap();
    let file = repository.path("message").display().to_string();
    let latin = ["-c", "i18n.commitEncoding=ISO-8859-1", "commit", "-q", "-S", "--allow-empty", "-F", &file];
    assert!(repository.run(&latin, b"", MADE).status.success());
    let encoded = repository.head();
    assert!(repository.bytes(&encoded).windows(21).any(|some| some == b"\nencoding ISO-8859-1\n"));
    for id in [merge, encoded] {
        assert!(repository.git_verifies(&id) && repository.verified(&id).is_ok());
        are_refused(&repository, &id, &spoiled(&repository.bytes(&id)));
    }
}
