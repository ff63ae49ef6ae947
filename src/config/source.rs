//! Policies from Git: where they are, whom they have to be signed by, how they are tested, and where the last good ones
//! are kept.

mod checks;
mod fields;
mod shown;

use std::path::PathBuf;
use std::time::Duration;

pub(super) use checks::duration;
pub(super) use fields::{RolloutFields, SourceFields, TrustFields, source, trials, trust};
pub(super) use shown::shown;

/// The least time between two questions to a source.
pub const SHORTEST_INTERVAL: Duration = Duration::from_secs(5);

/// A repository that policies come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Under which name revisions go: `platform@1626ad5c80cd`.
    pub name: String,
    /// The repository's URL: https, or http within this machine.
    pub url: String,
    /// What names the commit.
    pub reference: GitReference,
    /// The folder of the commit that is the tree's root; empty: all of it.
    pub path: String,
    /// Whether it may be read without encryption from elsewhere.
    pub plaintext: bool,
    /// Between two questions. Default: 60 s.
    pub interval: Duration,
    /// With which right it is read. None: anybody's.
    pub credentials: Option<Credentials>,
    /// Authorities beside the system's, as PEM.
    pub ca: Option<PathBuf>,
    /// The proxy that leads there. None: as `HTTPS_PROXY` says, or none.
    pub proxy: Option<String>,
    /// A commit that is to be gone back to. None: there is no going back.
    pub rollback: Option<Rollback>,
}

/// What names a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GitReference {
    /// A branch.
    Branch(String),
    /// A tag; it keeps its commit.
    Tag(String),
    /// A full id.
    Commit(String),
}

/// With which right a repository is read; the file is read at each request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credentials {
    /// A user, and the file of a password or a token.
    Basic {
        /// The file.
        file: PathBuf,
        /// The user.
        username: String,
    },
    /// The file of a bearer token.
    Bearer(PathBuf),
}

/// A step back, on purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollback {
    /// The full id of the commit.
    pub to: String,
    /// Why; it is told.
    pub reason: String,
}

/// Whom a commit has to be signed by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    /// By whom. There is no default: that nobody has to sign must be written.
    pub signers: SignedBy,
    /// The full id of a commit that all others must come after. None: of the first one that is accepted.
    pub floor: Option<String>,
}

/// Who has to sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignedBy {
    /// Nobody.
    Nobody,
    /// One of these, the commit that comes in force.
    Commit(TrustedSigners),
}

/// Files that say who may sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedSigners {
    /// Allowed signers (ssh-keygen(1)).
    pub allowed: PathBuf,
    /// Public keys that no longer count.
    pub revoked: Option<PathBuf>,
    /// Whether the signer has to be the committer.
    pub is_committer: bool,
}

/// How a candidate's tests are run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trials {
    /// How long they may work. Default: 60 s.
    pub timeout: Duration,
    /// What memory they may take, in bytes. Default: 512 MiB.
    pub memory: u64,
    /// Whether each policy that is bound must have some. Default: yes.
    pub required: bool,
}

impl Default for Trials {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(60), memory: 512 << 20, required: true }
    }
}

impl GitReference {
    /// As the configuration says it.
    pub fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::Branch(name) => ("branch", name),
            Self::Tag(name) => ("tag", name),
            Self::Commit(id) => ("commit", id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Configuration;

    const HEAD: &str = "apiVersion: meshgate.io/v1alpha1\nkind: Configuration\n";

    fn read(text: &str) -> Result<Configuration, Vec<String>> {
        let read = Configuration::read("f", format!("{HEAD}{text}").as_bytes());
        read.map_err(|faults| faults.iter().map(ToString::to_string).collect())
    }

    fn source(text: &str) -> String {
        format!("source: {{name: platform, {text}}}\ntrust: {{mode: none}}\nstate: /s\n")
    }

    #[test]
    fn each_member_is_read_and_shown() {
        let text = "source:\n  name: platform\n  git: {url: https://git.example.com/p.git, tag: v1, path: /a/b/}\n  interval: 5m\n  \
            credentials: {file: t, username: git}\n  ca: c\n  proxy: http://p:1\n  rollback: {to: '0123456789012345678901234567890123456789', reason: r}\n\
            trust: {allowedSigners: a, revoked: r, committer: match}\nstate: /s\nrollout: {tests: {timeout: 90s, memory: 1Gi, required: false}}\n";
        let configuration = read(text).unwrap();
        let source = configuration.source.clone().unwrap();
        assert_eq!((source.path.as_str(), source.reference.parts()), ("a/b", ("tag", "v1")));
        assert_eq!((source.interval, configuration.trials.memory), (Duration::from_secs(300), 1 << 30));
        let trust = configuration.trust.as_ref().unwrap();
        assert!(matches!(&trust.signers, SignedBy::Commit(signers) if signers.is_committer));
        let shown = configuration.shown().to_string();
        assert_eq!(Configuration::read("shown", shown.as_bytes()), Ok(configuration), "{shown}");
        let least = read(&self::source("git: {url: https://h/p, branch: main}")).unwrap();
        let shown = least.shown().to_string();
        assert_eq!(Configuration::read("shown", shown.as_bytes()), Ok(least), "{shown}");
    }

    fn git(text: &str) -> String {
        source(&format!("git: {{{text}}}"))
    }

    const HTTPS: &str = "git: {url: https://h/p, branch: main}";

    #[track_caller]
    fn refused(text: &str, expected: &str) {
        let faults = read(text).unwrap_err();
        assert!(faults.iter().any(|fault| fault.ends_with(expected)), "{text}: {faults:#?}");
    }

    #[test]
    fn what_can_not_be_meant_of_a_repository_is_named() {
        refused(&source("interval: 5s"), "source: without `git`; write git: {url: https://…, branch: main}");
        refused(&git("url: https://h/p"), "source.git: write one of branch, tag and commit");
        refused(
            &git("url: https://h/p, branch: a, tag: b"),
            "source.git: write one of branch, tag and commit",
        );
        refused(
            &git("url: https://h/p, commit: '0123'"),
            "source.git.commit: write the commit's full id, 40 or 64 digits",
        );
        refused(
            &git("url: https://h/p, branch: refs/heads/main"),
            "source.git.branch: no name of a branch or a tag; write it as `main`, without refs/heads/",
        );
        refused(
            &git("url: https://h/p, branch: main, path: ../x"),
            "source.git.path: write a folder of the repository, as `policies`",
        );
        refused(
            &git("url: 'https://u:p@h/p', branch: main"),
            "source.git.url: holds a user; write it without, and name source.credentials",
        );
        refused(
            &git("url: 'ssh://git@h/p', branch: main"),
            "source.git.url: SSH needs a program that the image does not have; write https://… with a token, or let git-sync bring a directory",
        );
        refused(
            &git("url: 'git@h:p', branch: main"),
            "source.git.url: SSH needs a program that the image does not have; write https://… with a token, or let git-sync bring a directory",
        );
        refused(
            &git("url: file:///p, branch: main"),
            "source.git.url: a repository on this machine is for commands; name a directory with policies",
        );
        refused(
            &git("url: http://h/p, branch: main"),
            "source.git.url: not encrypted; write https://…, or plaintext: true where signatures are enough",
        );
        refused(
            &git("url: http://h/p, branch: main, plaintext: true"),
            "trust.mode: nobody would vouch for what comes without encryption; name trust.allowedSigners",
        );
        refused(
            &source(&format!("{HTTPS}, interval: 4s")),
            "source.interval: write at least 5s, as 60s or 5m",
        );
        refused(
            &git("url: 'git://127.0.0.1/p', branch: main"),
            "source.git.url: git:// has no limit of time and proves no server; write https://…, or let git-sync bring a directory",
        );
        for url in ["http://localhost:1/p", "http://[::1]/p"] {
            read(&git(&format!("url: '{url}', branch: main"))).unwrap();
        }
    }

    #[test]
    fn what_is_not_built_and_what_does_not_go_together_is_named() {
        refused(
            &source(&format!("{HTTPS}, credentials: {{file: a}}")),
            "source.credentials: write {file: FILE, username: NAME}, or {bearerFile: FILE}",
        );
        refused(
            &source(&format!("{HTTPS}, push: {{}}")),
            "source.push: not built in this release; the repository is asked each source.interval",
        );
        refused(
            &source("oci: {}, git: {url: https://h/p, branch: main}"),
            "source.oci: not built in this release; name a repository with source.git, or a directory with policies",
        );
        refused(
            &format!("{}policies: /p\n", source(HTTPS)),
            "policies: beside `source`; policies come from one place: remove one of both",
        );
        refused(
            &format!("{}plain: true\n", source(HTTPS)),
            "plain: beside `source`; it is about a directory of policies: remove it",
        );
        refused(
            &format!("{}rollout: {{steps: []}}\n", source(HTTPS)),
            "rollout.steps: not built in this release; a revision comes in force when its tests have passed",
        );
        refused(
            &source(HTTPS).replace("mode: none", "mode: tag"),
            "trust.mode: not built in this release; write commit, the signature of the commit that comes in force",
        );
        refused(
            &source(HTTPS).replace("mode: none", "keyring: k"),
            "trust: without `allowedSigners`; name the file, or write mode: none",
        );
        refused(
            &source(HTTPS).replace("trust: {mode: none}\n", ""),
            "source: without `trust`; write trust: {allowedSigners: FILE}, or trust: {mode: none}",
        );
        refused(
            &source(HTTPS).replace("state: /s\n", ""),
            "source: without `state`; name a directory in which the last good policies are kept",
        );
        refused("state: /s\n", "state: without `source`; nothing is kept of a directory: remove it");
        refused(
            "trust: {mode: none}\n",
            "trust: without `source`; policies in a directory are trusted as they are: remove it",
        );
    }
}
