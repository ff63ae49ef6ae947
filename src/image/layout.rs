//! A directory as a source of evidence: an OCI image layout, as `images save` writes it and others do, too. It is read as
//! if it came from a stranger: every digest is computed, every size is bounded, and what is not in it is not found.
//!
//! Source: OCI image specification 1.1, image-layout.md and annotations.md (`org.opencontainers.image.ref.name`).

use std::fs;
use std::future::{Future, ready};
use std::path::{Path, PathBuf};
use std::pin::Pin;

use bytes::Bytes;
use tokio::time::Instant;

use super::credentials::CredentialSet;
use super::digest::Digest;
use super::evidence::Repository;
use super::registry::Holder;
use super::registry::document::{Blob, Descriptor, Document};
use super::registry::evidence::gather;
use super::registry::instance::{MANIFEST_BYTES, Manifest};
use super::registry::user::user;
use super::source::{Answer, EvidenceSource, Gathered, Resolved, SourceError, Wanted};
use crate::config::ImageLimits;
use crate::kubernetes::image_reference::ImageReference;

/// The names that a layout gives to what is in it.
pub(super) const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// The type of a layout's own index.
const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A layout.
pub struct Layout {
    path: PathBuf,
    entries: Vec<Entry>,
    limits: ImageLimits,
}

/// A manifest that the layout's index names.
struct Entry {
    descriptor: Descriptor,
    digest: Digest,
    /// Under which name; None where it has none.
    name: Option<ImageReference>,
    /// What it is about.
    subject: Option<Digest>,
}

/// Why a directory can't be read as a layout.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// A file of it can't be read.
    #[error("{}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is none, or a part of it is not what the rest says.
    #[error("{}: {why}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Why.
        why: SourceError,
    },
}

impl Layout {
    /// Reads the names of a layout.
    ///
    /// # Errors
    /// It is no layout, or one of its manifests is not there, or is another.
    pub fn open(path: &Path) -> Result<Self, LayoutError> {
        let index = path.join("index.json");
        let content =
            fs::read(&index).map_err(|source| LayoutError::Unreadable { path: index.clone(), source })?;
        let corrupt = |why| LayoutError::Corrupt { path: index.clone(), why };
        let document = Document::read(Some(INDEX), &content).map_err(corrupt)?;
        let mut layout = Self { path: path.to_owned(), entries: Vec::new(), limits: ImageLimits::default() };
        for descriptor in document.manifests {
            let read = layout.entry(descriptor);
            layout.entries.push(read.map_err(|why| LayoutError::Corrupt { path: index.clone(), why })?);
        }
        Ok(layout)
    }

    fn entry(&self, descriptor: Descriptor) -> Result<Entry, SourceError> {
        let digest = descriptor.digest()?;
        let manifest = self.manifest_of(&descriptor)?;
        let name = descriptor.annotation(REF_NAME)?.and_then(|name| ImageReference::parse(name).ok());
        Ok(Entry { digest, name, subject: manifest.document.subject, descriptor })
    }

    fn manifest_of(&self, descriptor: &Descriptor) -> Result<Manifest, SourceError> {
        let bytes = self.bytes(descriptor.blob()?, MANIFEST_BYTES)?;
        let document = Document::read(Some(&descriptor.media_type), &bytes)?;
        Ok(Manifest { digest: descriptor.digest()?, document, bytes })
    }

    /// The bytes that a document names, which have its size and its digest.
    fn bytes(&self, Blob { digest, size }: Blob, most: u64) -> Result<Bytes, SourceError> {
        if size > most {
            return Err(SourceError::Limit("bytes of a file of the layout"));
        }
        // A digest is hexadecimal: it names no file elsewhere.
        let path = self.path.join("blobs").join("sha256").join(digest.hex());
        let length = fs::metadata(&path).map_err(|_| SourceError::NotFound)?.len();
        if length != size {
            return Err(SourceError::Corrupt("a file of the layout with another size"));
        }
        let bytes = fs::read(&path).map_err(|_| SourceError::Unavailable)?;
        if Digest::of(&bytes) != digest {
            return Err(SourceError::Corrupt("a file of the layout with another digest"));
        }
        Ok(bytes.into())
    }
}

impl Entry {
    /// Whether it lies in a repository. What has no name lies in all of them: only who knows of it asks for it.
    fn is_in(&self, at: &Repository) -> bool {
        self.name.as_ref().is_none_or(|name| Repository::of(name) == *at)
    }
}

/// The part of a layout that is one repository.
struct Within<'a> {
    layout: &'a Layout,
    at: &'a Repository,
}

impl Within<'_> {
    fn find(&self, reference: &str) -> Result<Manifest, SourceError> {
        let digest = reference.parse::<Digest>().ok();
        let is_it = |entry: &&Entry| match (digest, &entry.name) {
            (Some(digest), _) => entry.digest == digest && entry.is_in(self.at),
            (None, Some(name)) => name.tag() == Some(reference) && Repository::of(name) == *self.at,
            (None, None) => false,
        };
        let entry = self.layout.entries.iter().find(is_it).ok_or(SourceError::NotFound)?;
        self.layout.manifest_of(&entry.descriptor)
    }
}

fn now<'a, T: Send + 'a>(
    answer: Result<T, SourceError>,
) -> Pin<Box<dyn Future<Output = Result<T, SourceError>> + Send + 'a>> {
    Box::pin(ready(answer))
}

impl Holder for Within<'_> {
    fn manifest<'a>(&'a self, _: &'a str, reference: &'a str, _: Instant) -> Answer<'a, Manifest> {
        now(self.find(reference))
    }

    fn blob<'a>(&'a self, _: &'a str, blob: Blob, most: u64, _: Instant) -> Answer<'a, Bytes> {
        now(self.layout.bytes(blob, most))
    }

    /// The layout's index need not name it.
    fn child<'a>(&'a self, _: &'a str, descriptor: &'a Descriptor, _: Instant) -> Answer<'a, Manifest> {
        now(self.layout.manifest_of(descriptor))
    }

    fn referrers<'a>(&'a self, _: &'a str, digest: &'a Digest, _: Instant) -> Answer<'a, Vec<Descriptor>> {
        let about = |entry: &&Entry| entry.subject == Some(*digest) && entry.is_in(self.at);
        now(Ok(self.layout.entries.iter().filter(about).map(|entry| entry.descriptor.clone()).collect()))
    }
}

impl EvidenceSource for Layout {
    fn resolve<'a>(
        &'a self,
        image: &'a ImageReference,
        _: &'a CredentialSet,
        _: Instant,
    ) -> Answer<'a, Resolved> {
        let at = Repository::of(image);
        let reference = image.digest().or(image.tag()).unwrap_or("latest");
        let found = Within { layout: self, at: &at }.find(reference);
        now(found
            .map(|manifest| Resolved { digest: manifest.digest, media_type: manifest.document.media_type }))
    }

    fn evidence<'a>(
        &'a self,
        at: &'a Repository,
        digest: &'a Digest,
        want: &'a Wanted,
        _: &'a CredentialSet,
        until: Instant,
    ) -> Answer<'a, Gathered> {
        Box::pin(async move {
            // Of an image that was not saved nothing is known, which is not that nobody signed it.
            if !self.entries.iter().any(|entry| entry.digest == *digest) {
                return Err(SourceError::NotFound);
            }
            gather(&Within { layout: self, at }, &self.limits, at, digest, want, until).await
        })
    }

    fn user<'a>(
        &'a self,
        at: &'a Repository,
        digest: &'a Digest,
        _: &'a CredentialSet,
        until: Instant,
    ) -> Answer<'a, Option<String>> {
        Box::pin(async move { user(&Within { layout: self, at }, at.name(), digest, until).await })
    }
}
