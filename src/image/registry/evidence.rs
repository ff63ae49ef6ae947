//! What lies in a repository about a digest: cosign's two tags and the referrers, looked for at once.

use futures_util::future::join_all;
use tokio::time::Instant;

use super::Holder;
use super::document::{Blob, Descriptor, Noted};
use crate::config::ImageLimits;
use crate::image::digest::Digest;
use crate::image::evidence::{Evidence, Origin, Repository};
use crate::image::source::{Gathered, SourceError, Wanted};

/// Layers of a manifest, and pieces of evidence in all.
const PIECES: usize = 64;
/// Bytes of all evidence of one image.
const BYTES: u64 = 16 << 20;

const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
const ENVELOPE: &str = "application/vnd.dsse.envelope.v1+json";
pub(in crate::image) const BUNDLE: &str = "application/vnd.dev.sigstore.bundle";

/// What evidence says of its own type: a hint for what to read, and never its type.
const BUNDLE_HINT: &str = "dev.sigstore.bundle.predicateType";
const ENVELOPE_HINT: &str = "predicateType";

/// The type of signatures, which are always asked for.
const SIGNATURE: &str = "https://sigstore.dev/cosign/sign/v1";

/// Evidence that has still to be read: no more of its descriptor than that needs, for many wait at a time.
struct Found {
    form: Form,
    manifest: Digest,
    layer: Blob,
    /// Of cosign's forms, of which they are a part.
    annotations: Noted,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Signature,
    Attestation,
    Bundle,
}

struct Reading<'a> {
    instance: &'a dyn Holder,
    limits: &'a ImageLimits,
    at: &'a Repository,
    digest: &'a Digest,
    want: &'a Wanted,
    until: Instant,
}

/// Reads what is wanted. What could not be read is told beside what could.
pub(in crate::image) async fn gather(
    instance: &dyn Holder,
    limits: &ImageLimits,
    at: &Repository,
    digest: &Digest,
    want: &Wanted,
    until: Instant,
) -> Result<Gathered, SourceError> {
    let reading = Reading { instance, limits, at, digest, want, until };
    let (signatures, attestations, bundles) =
        tokio::join!(reading.legacy(Form::Signature), reading.legacy(Form::Attestation), reading.bundles());
    let mut gathered = Gathered::default();
    let mut all = Vec::new();
    for found in [signatures, attestations, bundles] {
        let (found, unread) = found.unwrap_or_else(|error| (Vec::new(), vec![error]));
        all.extend(found);
        gathered.unread.extend(unread);
    }
    let (mut pieces, mut bytes) = (0_usize, 0_u64);
    all.retain(|found| {
        pieces = pieces.saturating_add(1);
        bytes = bytes.saturating_add(found.layer.size);
        pieces <= PIECES && bytes <= BYTES
    });
    if pieces > PIECES || bytes > BYTES {
        gathered.unread.push(SourceError::Limit("evidence of one image"));
    }
    for read in join_all(all.into_iter().map(|found| reading.read(found))).await {
        match read {
            Ok(evidence) => gathered.evidence.push(evidence),
            Err(error) => gathered.unread.push(error),
        }
    }
    // An outage does not hide what is wrong beside it.
    let unread = &gathered.unread;
    match unread.iter().find(|error| !error.is_outage()).or(unread.first()) {
        Some(error) if gathered.evidence.is_empty() => Err(error.clone()),
        _ => Ok(gathered),
    }
}

/// What is there to be read, and what is there and can't be.
type Listed = Result<(Vec<Found>, Vec<SourceError>), SourceError>;

impl Found {
    /// A layer as cosign keeps them under its tags.
    fn new(form: Form, manifest: Digest, layer: Descriptor) -> Result<Self, SourceError> {
        Ok(Self { form, manifest, layer: layer.blob()?, annotations: layer.annotations })
    }
}

impl Reading<'_> {
    /// The layers of a manifest under cosign's tag.
    async fn legacy(&self, form: Form) -> Listed {
        if !self.want.legacy {
            return Ok((Vec::new(), Vec::new()));
        }
        let (suffix, media_type) = match form {
            Form::Signature => ("sig", SIMPLE_SIGNING),
            Form::Attestation | Form::Bundle => ("att", ENVELOPE),
        };
        let tag = format!("{}sha256-{}.{suffix}", self.want.tag_prefix, self.digest.hex());
        let manifest = match self.instance.manifest(self.at.name(), &tag, self.until).await {
            Err(SourceError::NotFound) => return Ok((Vec::new(), Vec::new())),
            found => found?,
        };
        if manifest.document.is_index() {
            return Err(SourceError::Corrupt("an index where a manifest of signatures should be"));
        }
        let layers = manifest.document.layers;
        if layers.len() > PIECES {
            return Err(SourceError::Limit("signatures"));
        }
        let is_wanted = |layer: &Descriptor| {
            layer.media_type == media_type
                && (form == Form::Signature || self.is_asked_for(layer, ENVELOPE_HINT))
        };
        let (mut found, mut unread) = (Vec::new(), Vec::new());
        for layer in layers.into_iter().filter(is_wanted) {
            match Found::new(form, manifest.digest, layer) {
                Ok(piece) => found.push(piece),
                Err(error) => unread.push(error),
            }
        }
        Ok((found, unread))
    }

    /// The layers of manifests that refer to the digest.
    async fn bundles(&self) -> Listed {
        if !self.want.bundles {
            return Ok((Vec::new(), Vec::new()));
        }
        let entries = self.instance.referrers(self.at.name(), self.digest, self.until).await?;
        let asked = entries.iter().filter(|entry| self.is_asked_for(entry, BUNDLE_HINT));
        let digests: Vec<Result<Digest, SourceError>> = asked.map(Descriptor::digest).collect();
        drop(entries);
        let (mut found, mut unread) = (Vec::new(), Vec::new());
        for bundle in join_all(digests.into_iter().map(|digest| self.bundle(digest))).await {
            match bundle {
                Ok(bundle) => found.extend(bundle),
                // The list names it.
                Err(SourceError::NotFound) => {
                    unread.push(SourceError::Corrupt("a list of referrers that are not there"))
                }
                Err(error) => unread.push(error),
            }
        }
        Ok((found, unread))
    }

    /// The bundle of a referrer; None where it is something else, or about something else.
    async fn bundle(&self, digest: Result<Digest, SourceError>) -> Result<Option<Found>, SourceError> {
        let digest = digest?;
        let manifest = self.instance.manifest(self.at.name(), &digest.to_string(), self.until).await?;
        let document = manifest.document;
        if document.subject != Some(*self.digest) {
            return Ok(None);
        }
        let [layer] = document.layers.as_slice() else { return Ok(None) };
        if !layer.media_type.starts_with(BUNDLE) {
            return Ok(None);
        }
        let (form, annotations) = (Form::Bundle, Noted::default());
        Ok(Some(Found { form, manifest: digest, layer: layer.blob()?, annotations }))
    }

    /// By its hint; what has none, or too many annotations to tell, is read.
    fn is_asked_for(&self, descriptor: &Descriptor, hint: &str) -> bool {
        let Ok(hint) = descriptor.annotation(hint) else { return true };
        hint.is_none_or(|hint| hint == SIGNATURE || self.want.is_type(hint))
    }

    async fn read(&self, found: Found) -> Result<Evidence, SourceError> {
        let Found { form, manifest, layer, annotations } = found;
        let blob = self.instance.blob(self.at.name(), layer, self.limits.evidence_bytes, self.until).await;
        let bytes = match blob {
            Err(SourceError::NotFound) => {
                Err(SourceError::Corrupt("a manifest of evidence that is not there"))
            }
            read => read,
        }?;
        let origin = Origin { repository: self.at.clone(), manifest, layer: layer.digest };
        let annotations = annotations.all()?;
        match form {
            Form::Signature => Evidence::legacy_signature(origin, bytes, annotations),
            Form::Attestation => Evidence::legacy_attestation(origin, bytes, annotations),
            Form::Bundle => Ok(Evidence::bundle(origin, bytes)),
        }
    }
}
