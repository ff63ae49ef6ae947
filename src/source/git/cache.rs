//! What is kept of a repository, so that not all of it is fetched again: a bare repository of its own, which reads no
//! configuration but ours. It can be thrown away at any time.

use std::fs;
use std::path::{Path, PathBuf};

use gix::objs::Kind;
use gix::{ObjectId, create, open};

use super::objects::{Objects, kind_of};
use crate::source::tree::FILE_BYTES;
use crate::source::trust::ObjectHash;

/// Larger ones are made anew.
const CACHE_BYTES: u64 = 256 << 20;

/// The largest object that is read into memory; a small pack can hold much larger ones.
const OBJECT_BYTES: u64 = 16 << 20;

/// Objects of one repository.
pub(super) struct Cache {
    directory: PathBuf,
    hash: ObjectHash,
    repository: gix::Repository,
}

impl Cache {
    /// Opens what is kept, or begins anew where it is not of this hash, not whole, or too large; whether it did.
    pub(super) fn open(directory: &Path, hash: ObjectHash) -> Result<(Self, bool), String> {
        let directory = directory.join(hash.as_str());
        let kept = if size(&directory) > CACHE_BYTES { None } else { open_kept(&directory) };
        let (repository, is_new) = match kept.filter(|kept| kept.object_hash() == kind_of(hash)) {
            Some(repository) => (repository, false),
            None => (begin(&directory, hash)?, true),
        };
        Ok((Self { directory, hash, repository }, is_new))
    }

    pub(super) fn hash(&self) -> ObjectHash {
        self.hash
    }

    pub(super) fn is_full(&self) -> bool {
        size(&self.directory) > CACHE_BYTES
    }

    pub(super) fn repository(&self) -> &gix::Repository {
        &self.repository
    }

    /// Where packs are written.
    pub(super) fn packs(&self) -> PathBuf {
        self.directory.join("objects/pack")
    }

    pub(super) fn has(&self, id: &str) -> bool {
        ObjectId::from_hex(id.as_bytes()).is_ok_and(|id| self.repository.has_object(id))
    }

    fn find(&self, id: &str, limit: u64) -> Result<Option<gix::Object<'_>>, String> {
        let id = ObjectId::from_hex(id.as_bytes()).map_err(|_| "is no id".to_owned())?;
        let missing = |_| "is not there; it was not fetched".to_owned();
        let size = self.repository.find_header(id).map_err(missing)?.size();
        if size > limit { Ok(None) } else { self.repository.find_object(id).map(Some).map_err(missing) }
    }
}

impl Objects for Cache {
    fn object(&self, id: &str, kind: Kind) -> Result<Vec<u8>, String> {
        let found = self.find(id, OBJECT_BYTES)?.ok_or("is larger than any of its kind")?;
        if found.kind == kind { Ok(found.detach().data) } else { Err(format!("is no {kind}")) }
    }

    fn file(&self, id: &str) -> Result<Vec<u8>, String> {
        let limit = u64::try_from(FILE_BYTES).unwrap_or(u64::MAX);
        match self.find(id, limit)? {
            Some(found) if found.kind == Kind::Blob => Ok(found.detach().data),
            Some(_) => Err("is no file".to_owned()),
            None => Ok(vec![0; FILE_BYTES.saturating_add(1)]),
        }
    }
}

/// How large a directory is; a part that can't be read counts nothing.
pub(super) fn size(directory: &Path) -> u64 {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => size(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    sizes.fold(0, u64::saturating_add)
}

fn open_kept(directory: &Path) -> Option<gix::Repository> {
    gix::open_opts(directory, options()).ok()
}

fn begin(directory: &Path, hash: ObjectHash) -> Result<gix::Repository, String> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(format!("can't be made anew: {error}"));
        }
        _ => {}
    }
    fs::create_dir_all(directory).map_err(|error| format!("can't be made: {error}"))?;
    let creation = create::Options { object_hash: Some(kind_of(hash)), ..create::Options::default() };
    gix::ThreadSafeRepository::init_opts(directory, create::Kind::Bare, creation, options())
        .map(|repository| repository.to_thread_local())
        .map_err(|error| format!("can't be made: {error}"))
}

/// Nothing of the machine's own configuration, no replaced objects, no object that fills the memory, one thread.
fn options() -> open::Options {
    let limit = format!("gitoxide.objects.allocLimit={OBJECT_BYTES}");
    let set =
        ["gitoxide.objects.noReplace=true", "pack.threads=1", "protocol.file.allow=always", limit.as_str()];
    open::Options::isolated().config_overrides(set).open_path_as_is(true).with(gix::sec::Trust::Full)
}
