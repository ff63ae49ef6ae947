//! Which commit of a repository may be put in force: signed by whom it has to be, after the one accepted before, and with
//! files that are a policies' tree.

use time::OffsetDateTime;

use super::git::{Git, Snapshot};
use super::refusal::{Reason, Refusal};
use super::trust::{Signer, Trust, not_backdated};
use crate::config::{GitReference, Source};
use crate::policy::{self, Provenance, SourceKind, Tree};

/// What was accepted before, and what is said of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// The commit accepted last of this source; None: there is none, or it is not known.
    pub floor: Option<Floor>,
    /// The commit accepted last by another replica, where that is another one and counts here.
    pub elsewhere: Option<Floor>,
    /// The commit that all must come after, as configured.
    pub preset: Option<String>,
    /// The commit to go back to, where that was not done yet.
    pub back_to: Option<String>,
}

/// A commit that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Floor {
    /// Its id.
    pub id: String,
    /// Its committer's time, in seconds since 1970.
    pub time: i64,
}

/// A commit that may be put in force.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The commit, its files, and what proves that they are its own.
    pub snapshot: Snapshot,
    /// The files, with where they came from.
    pub tree: Tree,
    /// Who signed it, where somebody has to.
    pub signer: Option<Signer>,
}

impl Past {
    /// From which commit on the history is wanted.
    pub fn oldest(&self) -> Option<&str> {
        self.last().or(self.preset.as_deref())
    }

    /// What comes next comes after this commit.
    fn last(&self) -> Option<&str> {
        let accepted = self.floor.as_ref().or(self.elsewhere.as_ref()).map(|floor| floor.id.as_str());
        self.back_to.as_deref().or(accepted)
    }

    /// Whether a verified commit may still come in force, where other ones did since it was verified.
    ///
    /// # Errors
    /// [`Reason::Rollback`].
    pub fn permits(&self, git: &mut Git, source: &Source, verified: &Verified) -> Result<(), Refusal> {
        let Snapshot { id, commit, .. } = &verified.snapshot;
        self.follows(git, source, (id, commit.time), verified.signer.is_some())
    }

    /// Whether a commit and its time come after what was accepted.
    fn follows(
        &self,
        git: &mut Git,
        source: &Source,
        (id, time): (&str, i64),
        is_signed: bool,
    ) -> Result<(), Refusal> {
        self.precedes(git, source, id)?;
        if is_signed && self.back_to.is_none() {
            let latest = self.floor.iter().chain(&self.elsewhere).map(|floor| floor.time).max();
            not_backdated(id, time, latest)?;
        }
        Ok(())
    }

    /// Whether `id` comes after what was accepted.
    fn precedes(&self, git: &mut Git, source: &Source, id: &str) -> Result<(), Refusal> {
        let last = self.last();
        if let (GitReference::Tag(name), Some(last)) = (&source.reference, last.filter(|last| *last != id)) {
            let message = format!(
                "the tag {name} was moved from {last} to {id}; a tag keeps its commit: make another one, or {}",
                by_force(id)
            );
            return Err(Refusal::new(Reason::Rollback, message));
        }
        let elsewhere = self.elsewhere.as_ref().map(|floor| floor.id.as_str());
        for (floor, what) in [
            (last, "accepted last"),
            (elsewhere.filter(|_| elsewhere != last), "that another replica accepted last"),
            // What was accepted came after it, here or elsewhere.
            (self.preset.as_deref().filter(|_| last.is_none()), "that trust.floor names"),
        ] {
            let Some(floor) = floor else { continue };
            if !git.comes_after(id, floor)? {
                let message = format!(
                    "{id} does not come after {floor}, the commit {what}; go back with `git revert`, or {}",
                    by_force(id)
                );
                return Err(Refusal::new(Reason::Rollback, message));
            }
        }
        Ok(())
    }
}

/// What to write to go back on purpose.
fn by_force(id: &str) -> String {
    format!("by force with these lines below source:\nrollback: {{to: \"{id}\", reason: \"why\"}}")
}

/// Judges a fetched commit.
///
/// # Errors
/// Why it may not be put in force.
pub fn verify(
    git: &mut Git,
    source: &Source,
    trust: &Trust,
    past: &Past,
    id: &str,
    now: OffsetDateTime,
) -> Result<Verified, Refusal> {
    let commit = git.commit(id)?;
    let signer = trust.verify(id, &commit, now)?;
    past.follows(git, source, (id, commit.time), signer.is_some())?;
    Ok(verified(git.snapshot(id)?, source, signer))
}

/// Judges what was kept of a commit that was accepted before: that it is still the commit, and still trusted. A clock that
/// is behind takes nothing away that was in force.
///
/// # Errors
/// Why it may not be put in force again.
pub fn verify_kept(
    snapshot: Snapshot,
    source: &Source,
    trust: &Trust,
    now: OffsetDateTime,
) -> Result<Verified, Refusal> {
    let made = OffsetDateTime::from_unix_timestamp(snapshot.commit.time).unwrap_or(now);
    let signer = trust.verify(&snapshot.id, &snapshot.commit, now.max(made))?;
    Ok(verified(snapshot, source, signer))
}

/// A commit's id with the name of its hash before it, as revisions have it.
pub fn named(id: &str) -> String {
    let hash = if id.len() == 64 { "sha256" } else { "sha1" };
    format!("{hash}:{id}")
}

fn verified(snapshot: Snapshot, source: &Source, signer: Option<Signer>) -> Verified {
    let signers = signer.iter().map(|signer| format!("{} {}", signer.principal, signer.fingerprint));
    let provenance = Provenance {
        source: source.name.clone(),
        kind: SourceKind::Git,
        origin: source.url.split(['?', '#']).next().unwrap_or_default().to_owned(),
        reference: source.reference.parts().1.to_owned(),
        path: source.path.clone(),
        id: Some(named(&snapshot.id)),
        time: OffsetDateTime::from_unix_timestamp(snapshot.commit.time).ok(),
        signers: signers.collect(),
        trust: if signer.is_some() { policy::Trust::Verified } else { policy::Trust::None },
    };
    let tree = snapshot.accepted.tree.clone().coming_from(provenance);
    Verified { snapshot, tree, signer }
}
