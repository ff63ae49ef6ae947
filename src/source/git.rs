//! A repository of Git as a source: which commit a branch or a tag names, and the files of that commit, hashed again.
//! This and the files beneath are the only ones that name gix: what it knows of Git leaves here as plain types.
//!
//! Blocking: called from threads of their own, never from one that answers requests.

mod cache;
mod connection;
mod http;
mod objects;
mod settings;

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::refusal::{Reason, Refusal};
use super::trust::{Commit, ObjectHash};
use crate::outbound::Blocking;
use cache::Cache;
use connection::{Connection, Wanted};
pub use http::Credentials;
pub use objects::{Proof, Snapshot};

/// How long one fetch may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// How many commits may lie between the one accepted last and the next.
const COMMITS: usize = 2_000;

/// Where a repository is, and what of it is wanted.
#[derive(Clone, Debug)]
pub struct GitSource {
    /// Its URL: https, http, git or file.
    pub url: String,
    /// What names the commit.
    pub reference: Reference,
    /// The folder of the commit that is the tree's root; empty: all of it.
    pub folder: String,
    /// The client for https and http; None: only other transports.
    pub client: Option<Blocking>,
    /// With which right it is read.
    pub credentials: Option<Credentials>,
}

/// What names a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// A branch, by its name without `refs/heads/`.
    Branch(String),
    /// A tag, by its name without `refs/tags/`.
    Tag(String),
    /// The commit's own full id.
    Commit(String),
}

/// A repository, and what is kept of it. What is kept can be thrown away at any time.
pub struct Git {
    source: GitSource,
    directory: PathBuf,
    cache: Option<Cache>,
    /// From which commit on the history was fetched last.
    from: Option<String>,
    /// Whether what is kept was all fetched just now.
    is_fresh: bool,
    /// Why what was kept was thrown away, where it had to be.
    damage: Option<String>,
}

impl Git {
    /// Keeps objects below `directory`, which is made where it is not there.
    pub fn new(source: GitSource, directory: &Path) -> Self {
        let directory = directory.to_owned();
        Self { source, directory, cache: None, from: None, is_fresh: false, damage: None }
    }

    /// Why what was kept had to be thrown away since this was asked last. None: it did not.
    pub fn damage(&mut self) -> Option<String> {
        self.damage.take()
    }

    /// Throws away what is kept.
    pub fn forget(&mut self) {
        self.cache = None;
        // What is left of it is looked at when it is opened again.
        drop(std::fs::remove_dir_all(&self.directory));
    }

    /// Asks which commit is named, and fetches it where that is not `known`. `floor`: the commit accepted last, from
    /// which on the history is wanted. None: it is `known`.
    ///
    /// # Errors
    /// [`Reason::Fetch`]; [`Reason::Rollback`] where `floor` is not there any more.
    pub fn update(&mut self, known: Option<&str>, floor: Option<&str>) -> Result<Option<String>, Refusal> {
        self.is_fresh = false;
        if let Reference::Commit(id) = &self.source.reference {
            if known == Some(id) {
                return Ok(None);
            }
            let id = id.clone();
            return self.fetch(&id, floor).map(|()| Some(id));
        }
        let hash = self.cache.as_ref().map_or(ObjectHash::Sha1, Cache::hash);
        let (id, hash) = match self.head(hash) {
            Err(Found::OtherHash(hash)) => (self.head(hash).map_err(Found::into_refusal)?, hash),
            found => (found.map_err(Found::into_refusal)?, hash),
        };
        if ObjectHash::of(&id) != Some(hash) {
            return Err(Refusal::new(
                Reason::Fetch,
                format!("{}: names `{id}`, which is no id", self.source.url),
            ));
        }
        if known == Some(&id) {
            return Ok(None);
        }
        self.fetch(&id, floor).map(|()| Some(id))
    }

    /// A fetched commit with its files.
    ///
    /// # Errors
    /// [`Reason::Files`], [`Reason::Tampered`].
    pub fn snapshot(&mut self, id: &str) -> Result<Snapshot, Refusal> {
        self.whole(id, |this| objects::read(this.fetched(id)?, id, &this.source.folder))
    }

    /// Whether `floor` is `head`, or comes before it. What is missing of the history is fetched.
    ///
    /// # Errors
    /// As [`Self::descends`] and [`Self::update`].
    pub fn comes_after(&mut self, head: &str, floor: &str) -> Result<bool, Refusal> {
        if self.whole(head, |this| this.descends(head, floor))? {
            return Ok(true);
        }
        let has_floor = self.cache.as_ref().is_some_and(|cache| cache.has(floor));
        if self.from.as_deref() == Some(floor) && (has_floor || self.is_fresh) {
            return Ok(false);
        }
        // The history was fetched from a later commit on, or is not whole.
        self.forget();
        self.fetch(head, Some(floor))?;
        self.descends(head, floor)
    }

    /// Reads of what is kept. Where that is not what its ids name, all is fetched anew, and only then it is the source's
    /// fault.
    fn whole<T>(&mut self, id: &str, read: impl Fn(&Self) -> Result<T, Refusal>) -> Result<T, Refusal> {
        match read(self) {
            Err(refusal) if refusal.reason == Reason::Tampered && !self.is_fresh => {
                let from = self.from.clone();
                self.damaged(&refusal.message);
                self.fetch(id, from.as_deref())?;
                read(self)
            }
            read => read,
        }
    }

    /// What is kept can't be used.
    fn damaged(&mut self, why: &str) {
        self.damage = Some(why.to_owned());
        self.forget();
    }

    /// Whether `floor` is `head`, or comes before it by at most so many commits as are looked at.
    ///
    /// # Errors
    /// [`Reason::Tampered`]: an object is not what its id names.
    pub fn descends(&self, head: &str, floor: &str) -> Result<bool, Refusal> {
        let cache = self.fetched(head)?;
        let (mut seen, mut next) = (std::collections::BTreeSet::new(), std::collections::VecDeque::new());
        next.push_back(head.to_owned());
        while let Some(id) = next.pop_front() {
            if id == floor {
                return Ok(true);
            }
            // What lies before the commit that the history begins with is not here.
            if seen.len() >= COMMITS || !cache.has(&id) || !seen.insert(id.clone()) {
                continue;
            }
            next.extend(self.kept_commit(&id)?.parents);
        }
        Ok(false)
    }

    /// A fetched commit.
    ///
    /// # Errors
    /// [`Reason::Tampered`], [`Reason::Fetch`] where it was not fetched.
    pub fn commit(&mut self, id: &str) -> Result<Commit, Refusal> {
        self.whole(id, |this| this.kept_commit(id))
    }

    fn kept_commit(&self, id: &str) -> Result<Commit, Refusal> {
        objects::commit(self.fetched(id)?, id)
    }

    fn fetched(&self, id: &str) -> Result<&Cache, Refusal> {
        let missing = || Refusal::new(Reason::Fetch, format!("{id} was not fetched"));
        self.cache.as_ref().ok_or_else(missing)
    }

    /// The commit that the reference names.
    fn head(&mut self, hash: ObjectHash) -> Result<String, Found> {
        let source = self.source.clone();
        let cache = self.cache(hash)?;
        Connection::new(&source, cache).head()
    }

    /// Brings a commit, and the history from `floor` on.
    fn fetch(&mut self, id: &str, floor: Option<&str>) -> Result<(), Refusal> {
        let hash =
            ObjectHash::of(id).ok_or_else(|| Refusal::new(Reason::Fetch, format!("`{id}` is no id")))?;
        // A history of another hash has another beginning.
        let floor = floor.filter(|floor| ObjectHash::of(floor) == Some(hash));
        self.from = floor.map(str::to_owned);
        match self.fetch_into(id, floor, hash) {
            // What is kept may be damaged.
            Err(Found::Odd(refusal)) if !self.is_fresh => {
                self.damaged(&refusal.message);
                self.fetch_into(id, floor, hash).map_err(Found::into_refusal)
            }
            fetched => fetched.map_err(Found::into_refusal),
        }
    }

    fn fetch_into(&mut self, id: &str, floor: Option<&str>, hash: ObjectHash) -> Result<(), Found> {
        let source = self.source.clone();
        let cache = self.cache(hash)?;
        let is_alone = match floor {
            Some(floor) if !cache.has(floor) => {
                let fetched = Connection::new(&source, cache).fetch(&Wanted {
                    id: floor,
                    name: "floor",
                    is_alone: true,
                });
                fetched.map_err(|found| found.without_floor(floor))?;
                false
            }
            Some(_) => false,
            None => true,
        };
        // The history above the floor, if there is one.
        let is_alone = is_alone && !cache.has(id);
        Connection::new(&source, cache).fetch(&Wanted { id, name: "head", is_alone })
    }

    /// What is kept, of that hash; made anew where it is of another, too large, or damaged.
    fn cache(&mut self, hash: ObjectHash) -> Result<&mut Cache, Found> {
        let kept = self.cache.take().filter(|cache| cache.hash() == hash && !cache.is_full());
        let cache = match kept {
            Some(cache) => cache,
            None => {
                let (cache, is_new) = Cache::open(&self.directory, hash).map_err(|why| {
                    let message =
                        format!("{}: {why}; check that it can be written", self.directory.display());
                    Found::Refused(Refusal::new(Reason::Fetch, message))
                })?;
                self.is_fresh = is_new;
                cache
            }
        };
        Ok(self.cache.insert(cache))
    }
}

/// What came of asking a repository.
pub(super) enum Found {
    /// Its objects are named by another hash.
    OtherHash(ObjectHash),
    /// It has no such commit, as it says itself.
    Missing(Refusal),
    /// Nothing, and why.
    Refused(Refusal),
    /// Nothing, and it is not the way to the repository that failed.
    Odd(Refusal),
}

impl Found {
    fn into_refusal(self) -> Refusal {
        match self {
            Self::Missing(refusal) | Self::Refused(refusal) | Self::Odd(refusal) => refusal,
            Self::OtherHash(hash) => {
                let message = format!("the repository now names its objects by {}", hash.as_str());
                Refusal::new(Reason::Fetch, message)
            }
        }
    }

    /// What is meant where the commit accepted last can't be fetched: only the repository itself can say that it is gone.
    fn without_floor(self, floor: &str) -> Self {
        let Self::Missing(refusal) = self else { return self };
        let message = format!(
            "the commit accepted last, {floor}, is not there any more ({}); if the history was made anew on purpose, write rollback: {{to: \"<id of the new commit>\", reason: \"<why>\"}} below source",
            refusal.message
        );
        Self::Refused(Refusal::new(Reason::Rollback, message))
    }
}
