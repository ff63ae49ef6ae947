//! A commit of a repository, named on the command line: `git::URL//PATH?ref=REF`, or a branch, a tag or a full id of the
//! repository that one is in. What is fetched is kept nowhere.

use std::env;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use time::OffsetDateTime;

use crate::config::{self, GitReference, SignedBy, Source, TrustedSigners};
use crate::source::{self, Git, GitSource, Past, Trust, Verified};

/// Before the URL of a repository, as kustomize and go-getter write it.
const PREFIX: &str = "git::";

/// A repository, and what of it is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Repository {
    url: String,
    folder: String,
    reference: String,
}

impl Repository {
    /// Reads `git::URL//PATH?ref=REF`; None where it is no such text, Err where it says too little.
    pub(super) fn named(text: &str) -> Option<Result<Self, String>> {
        let rest = text.strip_prefix(PREFIX)?;
        let Some((location, reference)) =
            rest.split_once("?ref=").filter(|(_, reference)| !reference.is_empty())
        else {
            return Some(Err(format!(
                "`{text}` names no commit; end it in ?ref=BRANCH, a tag, or a full id"
            )));
        };
        let start = location.find("://").map_or(0, |at| at.saturating_add(3));
        let folder =
            location.get(start..).and_then(|rest| rest.find("//")).map(|at| start.saturating_add(at));
        let (url, folder) = match folder {
            Some(at) => (location.get(..at), location.get(at.saturating_add(2)..)),
            None => (Some(location), None),
        };
        let text = |part: Option<&str>| part.unwrap_or_default().trim_end_matches('/').to_owned();
        Some(Ok(Self { url: text(url), folder: text(folder), reference: reference.to_owned() }))
    }

    /// `REV` or `REV:PATH` of the repository that this directory is in; None where it is in none.
    pub(super) fn here(text: &str) -> Option<Self> {
        let (reference, folder) = text.split_once(':').unwrap_or((text, ""));
        let is_name = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
        if reference.is_empty() || reference.starts_with(['-', '.', '/']) || !reference.chars().all(is_name) {
            return None;
        }
        let root = env::current_dir().ok()?;
        let root = root.ancestors().find(|root| root.join(".git").exists())?;
        let folder = folder.trim_end_matches('/').to_owned();
        Some(Self { url: format!("file://{}", root.display()), folder, reference: reference.to_owned() })
    }

    /// Fetches the commit and reads its files. `signers` is a file of allowed signers (ssh-keygen(1)); without one
    /// nobody has to have signed.
    pub(super) fn read(&self, signers: Option<&Path>) -> anyhow::Result<Verified> {
        let signers = signers.map_or(SignedBy::Nobody, |allowed| {
            SignedBy::Commit(TrustedSigners {
                allowed: allowed.to_owned(),
                revoked: None,
                is_committer: false,
            })
        });
        let trust = Trust::read(&config::Trust { signers, floor: None })?;
        let kept = Kept::new()?;
        let mut refused = Vec::new();
        for reference in self.candidates() {
            let source = self.source(reference);
            let git = GitSource::of(&source).map_err(|why| anyhow!(why))?;
            let mut git = Git::new(git, &kept.0);
            match git.update(None, None) {
                Ok(Some(id)) => {
                    let now = OffsetDateTime::now_utc();
                    return Ok(source::verify(&mut git, &source, &trust, &Past::default(), &id, now)?);
                }
                Ok(None) => {}
                Err(why) => refused.push(why.to_string()),
            }
        }
        bail!(
            "{}: no commit `{}`; name a branch, a tag or a full id\n{}",
            self.url,
            self.reference,
            refused.join("\n")
        )
    }

    fn candidates(&self) -> Vec<GitReference> {
        let is_hex = self.reference.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        let name = || self.reference.clone();
        match self.reference.len() {
            40 | 64 if is_hex => vec![GitReference::Commit(name())],
            _ => vec![GitReference::Branch(name()), GitReference::Tag(name())],
        }
    }

    fn source(&self, reference: GitReference) -> Source {
        let last = self.url.trim_end_matches(".git").rsplit('/').next().unwrap_or_default();
        let is_plain = |c: &char| c.is_ascii_alphanumeric() || "-_".contains(*c);
        Source {
            name: last.chars().filter(is_plain).take(63).collect(),
            url: self.url.clone(),
            reference,
            path: self.folder.clone(),
            plaintext: false,
            interval: Duration::ZERO,
            credentials: None,
            ca: None,
            proxy: None,
            rollback: None,
        }
    }
}

/// A directory for what is fetched, gone with this.
struct Kept(PathBuf);

impl Kept {
    fn new() -> anyhow::Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("meshgate-git-{}-{number}", std::process::id()));
        let made = DirBuilder::new().mode(0o700).create(&path);
        made.with_context(|| format!("can't make the directory {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_a_folder_and_a_reference() {
        let repository = |url: &str, folder: &str, reference: &str| {
            Some(Ok(Repository {
                url: url.to_owned(),
                folder: folder.to_owned(),
                reference: reference.to_owned(),
            }))
        };
        for (text, expected) in [
            (
                "git::https://git.acme.example/a/b.git//policies/x?ref=main",
                repository("https://git.acme.example/a/b.git", "policies/x", "main"),
            ),
            ("git::file:///srv/b//policies/?ref=v1", repository("file:///srv/b", "policies", "v1")),
            ("git::file:///srv/b?ref=v1", repository("file:///srv/b", "", "v1")),
            ("https://git.acme.example/a/b.git", None),
        ] {
            assert_eq!(Repository::named(text), expected, "{text}");
        }
        assert!(
            Repository::named("git::file:///srv/b").unwrap().unwrap_err().contains("end it in ?ref=BRANCH")
        );
    }
}
