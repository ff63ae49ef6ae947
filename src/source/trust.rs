//! Whom a commit has to be signed by, and whether it is: on the exact bytes that git stores, by keys of SSH that an
//! operator named. Nothing of what is judged says how it is judged: the files of trust are the process's own.

mod allowed_signers;
mod commit;
mod key;
mod signature;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use time::OffsetDateTime;

use super::directory::SWAPPED;
use super::refusal::{Reason, Refusal};
use crate::config::{self, SignedBy};
use crate::policy::{Fault, Faults};
use allowed_signers::Unfit;
pub use allowed_signers::{AllowedSigners, Revoked};
pub use commit::{Commit, ObjectHash, Signed};
use signature::{SshSignature, Unreadable};

/// How far ahead of our clock a commit may be, in seconds.
const AHEAD: i64 = 60 * 60;

/// How much older than the last accepted commit one may be: clocks differ, and branches are merged late.
const BEHIND: i64 = 24 * 60 * 60;

/// Between two looks at files that changed.
const REST: Duration = Duration::from_millis(200);

/// What has to hold of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Nothing.
    None,
    /// That one of these signed it.
    Commit(Box<Signers>),
}

/// Who may sign.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signers {
    /// Their keys.
    pub allowed: AllowedSigners,
    /// Keys that no longer count.
    pub revoked: Revoked,
    /// Whether the signer has to be the committer, by address.
    pub is_committer: bool,
}

/// Who signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// As the file of allowed signers names them.
    pub principal: String,
    /// Of the key: `SHA256:…`.
    pub fingerprint: String,
}

impl Trust {
    /// Reads the files that the configuration names.
    ///
    /// # Errors
    /// All that is wrong with them.
    pub fn read(settings: &config::Trust) -> Result<Self, Faults> {
        let signers = match &settings.signers {
            SignedBy::Nobody => return Ok(Self::None),
            SignedBy::Commit(signers) => signers,
        };
        let mut files = Files::default();
        let allowed =
            files.read(&signers.allowed).and_then(|(file, content)| AllowedSigners::read(&file, &content));
        let revoked = signers.revoked.as_deref().map_or(Ok(Revoked::default()), |path| {
            files.read(path).and_then(|(file, content)| Revoked::read(&file, &content))
        });
        match (allowed, revoked) {
            (Ok(allowed), Ok(revoked)) => {
                Ok(Self::Commit(Box::new(Signers { allowed, revoked, is_committer: signers.is_committer })))
            }
            (Err(faults), Err(others)) => Err(faults.and(others)),
            (Err(faults), _) | (_, Err(faults)) => Err(faults),
        }
    }

    /// Reads the files again. None: they say the same as before, or they change just now: what two looks in a row don't
    /// see alike may be half written.
    ///
    /// # Errors
    /// All that is wrong with them.
    pub fn reread(&self, settings: &config::Trust) -> Result<Option<Self>, Faults> {
        let seen = Self::read(settings);
        if seen.as_ref() == Ok(self) {
            return Ok(None);
        }
        std::thread::sleep(REST);
        let again = Self::read(settings);
        if again == seen { again.map(Some) } else { Ok(None) }
    }

    /// Who signed this commit, where it has to be signed. `id` is its name in what is said.
    ///
    /// # Errors
    /// Why it is not trusted.
    pub fn verify(&self, id: &str, commit: &Commit, now: OffsetDateTime) -> Result<Option<Signer>, Refusal> {
        let Self::Commit(signers) = self else { return Ok(None) };
        if commit.time > now.unix_timestamp().saturating_add(AHEAD) {
            let message = format!(
                "{id} says that it was made at {}, more than an hour from now; check the clocks here and of its committer",
                shown(commit.time)
            );
            return Err(Refusal::new(Reason::Expired, message));
        }
        signers.verify(id, commit).map(Some)
    }
}

impl Signers {
    fn verify(&self, id: &str, commit: &Commit) -> Result<Signer, Refusal> {
        let refusal = |reason, why: String| Refusal::new(reason, format!("{id} {why}"));
        let refused = |reason, why| Err(refusal(reason, why));
        let (text, payload) = match &commit.signed {
            Signed::No => {
                return refused(
                    Reason::Unsigned,
                    "is not signed; sign it with `git commit -S` (gpg.format ssh)".to_owned(),
                );
            }
            Signed::Several => {
                return refused(
                    Reason::Ambiguous,
                    "has several signatures, or one for another hash, of which programs take different ones; sign it once".to_owned(),
                );
            }
            Signed::Once { signature, payload } => (signature, payload),
        };
        let signature = match SshSignature::read(text) {
            Ok(signature) => signature,
            Err(Unreadable::NotTaken(why)) => {
                return refused(Reason::Untrusted, format!("is not trusted: {why}"));
            }
            Err(Unreadable::Malformed(why)) => {
                return refused(Reason::Tampered, format!("is not trusted: {why}; sign it again"));
            }
        };
        let fingerprint = signature.key.fingerprint();
        if !signature.verifies(payload) {
            return refused(
                Reason::Tampered,
                format!("is not what the key {fingerprint} signed; sign it again, and look who changed it"),
            );
        }
        if self.revoked.has(&signature.key) {
            return refused(
                Reason::Untrusted,
                format!("is signed by the key {fingerprint}, which is revoked; sign it with another"),
            );
        }
        let signer = self.allowed.signer(&signature.key, commit.time);
        let signer =
            signer.map_err(|unfit| refusal(unfit.reason(), unfit.text(&fingerprint, commit.time)))?;
        if self.is_committer && !signer.is(commit.email()) {
            return refused(
                Reason::Untrusted,
                format!(
                    "is signed by {}, and committed by {}; with trust.committer `match` both are one",
                    signer.principals, commit.committer
                ),
            );
        }
        Ok(Signer { principal: signer.principals.clone(), fingerprint })
    }
}

impl Unfit {
    fn reason(&self) -> Reason {
        match self {
            Self::Unknown | Self::Elsewhere | Self::Nobody => Reason::Untrusted,
            Self::OutOfTime => Reason::Expired,
        }
    }

    fn text(&self, fingerprint: &str, time: i64) -> String {
        match self {
            Self::Unknown => format!(
                "is signed by the key {fingerprint}, which no allowed signer has; add its line to trust.allowedSigners, or let somebody else sign"
            ),
            Self::Elsewhere => format!(
                "is signed by the key {fingerprint}, whose namespaces do not have `git`; add it in trust.allowedSigners"
            ),
            Self::Nobody => format!(
                "is signed by the key {fingerprint}, whose line in trust.allowedSigners takes none of the names that it gives; write the signer's address there"
            ),
            Self::OutOfTime => format!(
                "is signed by the key {fingerprint} at {}, when it was not valid; sign it with a key that is",
                shown(time)
            ),
        }
    }
}

/// Refuses a commit that was made much earlier than the one accepted before: its committer's clock decides whether a key
/// is valid, so it must not be turned back.
///
/// # Errors
/// It is that old.
pub(super) fn not_backdated(id: &str, time: i64, floor: Option<i64>) -> Result<(), Refusal> {
    match floor {
        Some(floor) if time < floor.saturating_sub(BEHIND) => {
            let message = format!(
                "{id} says that it was made at {}, more than a day before the commit accepted last, of {}; commit it anew",
                shown(time),
                shown(floor)
            );
            Err(Refusal::new(Reason::Rollback, message))
        }
        _ => Ok(()),
    }
}

/// Files of trust, of one version where several lie in one volume.
#[derive(Default)]
struct Files(BTreeMap<PathBuf, PathBuf>);

impl Files {
    /// A file, and its name in faults.
    fn read(&mut self, path: &Path) -> Result<(String, Vec<u8>), Faults> {
        let file = path.display().to_string();
        match std::fs::read(self.resolved(path)) {
            Ok(content) => Ok((file, content)),
            Err(error) => Err(Fault::of_file(
                &file,
                format!("can't be read: {error}; check trust in the configuration"),
            )
            .into()),
        }
    }

    /// Where a file lies; the link by which a volume is swapped is followed once for all files in it.
    fn resolved(&mut self, path: &Path) -> PathBuf {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return path.to_owned() };
        let found = || folder.join(SWAPPED).canonicalize().unwrap_or_else(|_| folder.to_owned());
        let swapped = self.0.entry(folder.to_owned()).or_insert_with(found).join(name);
        // A file may be mounted beside it.
        if swapped.exists() { swapped } else { path.to_owned() }
    }
}

/// A time for people.
fn shown(seconds: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp(seconds).ok();
    let text = time.and_then(|time| time.format(&time::format_description::well_known::Rfc3339).ok());
    text.unwrap_or_else(|| format!("{seconds} s"))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::config::TrustedSigners;

    /// Nobody has it.
    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";

    fn settings(folder: &Path) -> config::Trust {
        let signers = TrustedSigners {
            allowed: folder.join("allowed"),
            revoked: Some(folder.join("revoked")),
            is_committer: false,
        };
        config::Trust { signers: SignedBy::Commit(signers), floor: None }
    }

    #[test]
    fn faults_of_both_files_are_told_and_none_means_that_nobody_has_to_sign() {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(folder.path());
        let faults = Trust::read(&settings).unwrap_err();
        assert_eq!(faults.iter().count(), 2, "{faults}");
        fs::write(folder.path().join("allowed"), format!("j@example.com {KEY}\n")).unwrap();
        assert_eq!(Trust::read(&settings).unwrap_err().iter().count(), 1);
        fs::write(folder.path().join("revoked"), "").unwrap();
        assert!(matches!(Trust::read(&settings).unwrap(), Trust::Commit(_)));
    }

    #[test]
    fn what_changes_while_it_is_read_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(folder.path());
        let write = |time: u32| {
            fs::write(folder.path().join("new"), format!("j{time}@example.com {KEY}\n")).unwrap();
            fs::rename(folder.path().join("new"), folder.path().join("allowed")).unwrap();
            std::thread::sleep(Duration::from_millis(1));
        };
        write(0);
        fs::write(folder.path().join("revoked"), "").unwrap();
        let trust = Trust::read(&settings).unwrap();
        assert_eq!(trust.reread(&settings), Ok(None));
        let reread = std::thread::scope(|scope| {
            write(1);
            let reread = scope.spawn(|| trust.reread(&settings));
            (2..).take_while(|_| !reread.is_finished()).for_each(write);
            reread.join().unwrap()
        });
        assert_eq!(reread, Ok(None), "it was written meanwhile");
        let now = Trust::read(&settings).unwrap();
        assert_eq!(trust.reread(&settings), Ok(Some(now)));
    }

    #[test]
    fn files_of_one_volume_are_of_one_version() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for version in ["..1", "..2"] {
            fs::create_dir(root.join(version)).unwrap();
            for name in ["allowed", "revoked"] {
                fs::write(root.join(version).join(name), version).unwrap();
            }
        }
        symlink("..1", root.join("..data")).unwrap();
        symlink("..data/allowed", root.join("allowed")).unwrap();
        symlink("..data/revoked", root.join("revoked")).unwrap();
        fs::write(root.join("beside"), "beside").unwrap();
        let mut files = Files::default();
        assert_eq!(files.read(&root.join("allowed")).unwrap().1, b"..1");
        symlink("..2", root.join("new")).unwrap();
        fs::rename(root.join("new"), root.join("..data")).unwrap();
        assert_eq!(files.read(&root.join("revoked")).unwrap().1, b"..1");
        assert_eq!(files.read(&root.join("beside")).unwrap().1, b"beside");
        assert_eq!(Files::default().read(&root.join("revoked")).unwrap().1, b"..2");
    }
}
