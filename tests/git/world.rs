//! A repository with policies, a server of it over TLS, and one who is trusted.

use std::path::PathBuf;
use std::process::Command;

use time::OffsetDateTime;

use crate::process::{Process, configuration};
use crate::repository::Repository;
use crate::server::{GitServer, bare};

pub(crate) struct World {
    pub(crate) repository: Repository,
    pub(crate) server: GitServer,
    pub(crate) public: String,
}

/// A policy that denies every Pod with this message, its test, and its binding.
pub(crate) fn policy(message: &str) -> [(&'static str, String); 3] {
    let text = format!(
        "# METADATA\n# title: t\n# description: d\n# custom:\n#   match: {{rules: [{{apiGroups: [\"\"], apiVersions: [v1], resources: [pods]}}]}}\npackage policies.x.a\n\ndeny contains \"{message}\" if input.request.uid\n"
    );
    let test = format!(
        "package policies.x.a_test\n\nimport data.policies.x.a\n\ntest_denied if {{\n\ta.deny == {{\"{message}\"}} with input as {{\"request\": {{\"uid\": \"1\"}}}}\n}}\n"
    );
    let binding = "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {name: b}\nspec: {policy: x/a, enforcement: deny}\n";
    [
        ("policies/x/a/a.rego", text),
        ("policies/x/a/a_test.rego", test),
        ("policies/b.yaml", binding.to_owned()),
    ]
}

impl World {
    /// With a first signed commit.
    pub(crate) fn new() -> (Self, String) {
        let repository = Repository::new();
        let public = repository.key("key", &["ed25519"]);
        repository.allow(&format!("jane@example.com {public}\n"));
        let id = committed(&repository, "first");
        let root = repository.path("served");
        std::fs::create_dir(&root).unwrap();
        bare(&repository.work(), &root);
        let server = GitServer::start(&root);
        std::fs::write(repository.path("ca.pem"), &server.pem).unwrap();
        std::fs::write(repository.path("token"), "secret\n").unwrap();
        (Self { repository, server, public }, id)
    }

    /// Commits a policy with this message, signed, and pushes it.
    pub(crate) fn push(&self, message: &str) -> String {
        let id = committed(&self.repository, message);
        self.push_head();
        id
    }

    /// Pushes what is there, also where that rewrites a history.
    pub(crate) fn push_head(&self) {
        self.push_as("HEAD:main");
    }

    /// Pushes a reference.
    pub(crate) fn push_as(&self, what: &str) {
        let mut command = Command::new("git");
        command.current_dir(self.repository.work()).args(["push", "-q", "--force"]);
        assert!(command.arg(self.bare()).arg(what).status().unwrap().success());
    }

    /// The repository that is served.
    pub(crate) fn bare(&self) -> PathBuf {
        self.repository.path("served/policies.git")
    }

    pub(crate) fn source(&self) -> String {
        format!(
            "  credentials: {{username: git, file: {}}}\n  ca: {}\n",
            self.repository.path("token").display(),
            self.repository.path("ca.pem").display()
        )
    }

    pub(crate) fn configuration(&self, more: &str) -> String {
        self.trusting("", more)
    }

    /// With more members of its trust, as `, committer: match`.
    pub(crate) fn trusting(&self, trust: &str, more: &str) -> String {
        let trust = format!("{{allowedSigners: {}{trust}}}", self.repository.path("allowed").display());
        let source = format!("{}{more}", self.source());
        configuration(self.repository.folder.path(), &self.server.url(), &source, &trust)
    }

    pub(crate) fn start(&self) -> Process {
        Process::start(self.repository.folder.path(), &self.configuration(""))
    }

    /// Starts it, and waits until a commit is in force.
    pub(crate) fn started(&self, id: &str) -> Process {
        self.started_as(&self.configuration(""), id)
    }

    /// The same with this configuration.
    pub(crate) fn started_as(&self, configuration: &str, id: &str) -> Process {
        let process = Process::start(self.repository.folder.path(), configuration);
        process.until("the first commit", |process| process.active().as_deref() == Some(id));
        process
    }

    /// The name of the bundle that was kept last.
    pub(crate) fn kept(&self) -> String {
        let current = std::fs::read_to_string(self.repository.path("state/current")).unwrap_or_default();
        current.lines().next().unwrap_or_default().to_owned()
    }
}

/// Commits a policy with this message, signed, now.
pub(crate) fn committed(repository: &Repository, message: &str) -> String {
    committed_at(repository, message, &["-S"], OffsetDateTime::now_utc().unix_timestamp())
}

pub(crate) fn committed_at(repository: &Repository, message: &str, flags: &[&str], at: i64) -> String {
    let files = policy(message);
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    repository.commit_at(&files, flags, at)
}
