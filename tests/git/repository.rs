//! A repository that the real `git` makes, and keys that the real `ssh-keygen` makes, each for one test.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use meshgate::source::{
    AllowedSigners, Commit, ObjectHash, Reason, Refusal, Revoked, Signer, Signers, Trust,
};
use tempfile::TempDir;
use time::OffsetDateTime;

/// When commits are made, unless a test says otherwise: 2026-01-31T12:00:00Z.
pub(crate) const MADE: i64 = 1_769_860_800;

/// A repository with a working tree, in a folder of its own.
pub(crate) struct Repository {
    pub(crate) folder: TempDir,
    hash: ObjectHash,
}

impl Repository {
    pub(crate) fn new() -> Self {
        Self::of(ObjectHash::Sha1)
    }

    pub(crate) fn of(hash: ObjectHash) -> Self {
        let repository = Self { folder: tempfile::tempdir().unwrap(), hash };
        fs::create_dir(repository.work()).unwrap();
        fs::create_dir(repository.path("keys")).unwrap();
        repository.git(&["init", "-q", "-b", "main", "--object-format", hash.as_str()]);
        fs::write(repository.path("allowed"), "").unwrap();
        repository
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.path("work")
    }

    pub(crate) fn url(&self) -> String {
        format!("file://{}", self.work().display())
    }

    /// Makes a key, and lets it sign from now on; its public half.
    pub(crate) fn key(&self, name: &str, kind: &[&str]) -> String {
        let file = self.path("keys").join(name);
        let mut command = Command::new("ssh-keygen");
        command.args(["-q", "-N", "", "-C", "a comment", "-t"]).args(kind).arg("-f").arg(&file);
        assert!(command.status().unwrap().success(), "{kind:?}");
        self.sign_with(name);
        fs::read_to_string(file.with_extension("pub")).unwrap().trim().to_owned()
    }

    /// Lets a key sign from now on.
    pub(crate) fn sign_with(&self, name: &str) {
        self.git(&["config", "gpg.format", "ssh"]);
        self.git(&["config", "user.signingKey", self.path("keys").join(name).to_str().unwrap()]);
    }

    /// Says who may sign.
    pub(crate) fn allow(&self, lines: &str) {
        fs::write(self.path("allowed"), lines).unwrap();
    }

    /// Runs git; it must succeed.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments, b"", MADE);
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Runs git with a standard input, at a time.
    pub(crate) fn run(&self, arguments: &[&str], input: &[u8], at: i64) -> Output {
        use std::io::Write;
        let mut command = git(&self.work());
        let date = format!("{at} +0000");
        command.env("GIT_COMMITTER_DATE", &date).env("GIT_AUTHOR_DATE", &date);
        command.arg("-c").arg(format!("gpg.ssh.allowedSignersFile={}", self.path("allowed").display()));
        if self.path("revoked").exists() {
            command.arg("-c").arg(format!("gpg.ssh.revocationFile={}", self.path("revoked").display()));
        }
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        child.wait_with_output().unwrap()
    }

    /// Writes files into the working tree and commits them; the commit's id.
    pub(crate) fn commit(&self, files: &[(&str, &str)], flags: &[&str]) -> String {
        self.commit_at(files, flags, MADE)
    }

    pub(crate) fn commit_at(&self, files: &[(&str, &str)], flags: &[&str], at: i64) -> String {
        for (name, text) in files {
            let file = self.work().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        self.git(&["add", "-A"]);
        let mut arguments = vec!["commit", "-q", "--allow-empty", "-m", "a subject\n\nand a body"];
        arguments.extend_from_slice(flags);
        let output = self.run(&arguments, b"", at);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        self.head()
    }

    pub(crate) fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"])
    }

    /// A commit's bytes.
    pub(crate) fn bytes(&self, id: &str) -> Vec<u8> {
        let output = self.run(&["cat-file", "commit", id], b"", MADE);
        assert!(output.status.success());
        output.stdout
    }

    /// Stores a commit of these bytes, whatever they are; its id.
    pub(crate) fn store(&self, bytes: &[u8]) -> String {
        let output = self.run(&["hash-object", "-t", "commit", "-w", "--stdin", "--literally"], bytes, MADE);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// What `git verify-commit` says.
    pub(crate) fn git_verifies(&self, id: &str) -> bool {
        self.run(&["verify-commit", id], b"", MADE).status.success()
    }

    /// What we say of the same commit, with the same files of trust.
    pub(crate) fn verified(&self, id: &str) -> Result<Option<Signer>, Refusal> {
        self.judged(&self.bytes(id))
    }

    pub(crate) fn judged(&self, bytes: &[u8]) -> Result<Option<Signer>, Refusal> {
        let unreadable = |message| Refusal { reason: Reason::Tampered, message, retry_after: None };
        let commit = Commit::read(bytes, self.hash).map_err(unreadable)?;
        let now = OffsetDateTime::from_unix_timestamp(MADE).unwrap();
        Trust::Commit(Box::new(self.signers())).verify("the commit", &commit, now)
    }

    pub(crate) fn signers(&self) -> Signers {
        let revoked = fs::read(self.path("revoked")).unwrap_or_default();
        Signers {
            allowed: AllowedSigners::read("allowed", &fs::read(self.path("allowed")).unwrap()).unwrap(),
            revoked: Revoked::read("revoked", &revoked).unwrap(),
            is_committer: false,
        }
    }
}

/// The first digits of an id.
pub(crate) fn short(id: &str) -> &str {
    id.get(..12).unwrap()
}

/// git without anything of the machine's own configuration.
pub(crate) fn git(work: &Path) -> Command {
    let mut command = Command::new("git");
    command.current_dir(work).env_clear().env("PATH", std::env::var_os("PATH").unwrap());
    command.env("HOME", work).env("TZ", "UTC").env("LC_ALL", "C");
    command.args([
        "-c",
        "user.name=Jane",
        "-c",
        "user.email=jane@example.com",
        "-c",
        "init.defaultBranch=main",
    ]);
    command
}
