//! Evidence: bytes that claim something about a digest. Nobody has vouched for them, so they can be made by every source
//! and looked into by verifiers alone.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::digest::Digest;
use super::limits::{ANNOTATION_BYTES, ANNOTATIONS};
use super::source::SourceError;
use super::verifier::Form;
use crate::kubernetes::image_reference::ImageReference;

/// Annotations of a layer, by name.
pub type Annotations = BTreeMap<String, String>;

/// A repository of a registry. Its parts are of the grammar of references.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Repository {
    registry: String,
    name: String,
}

impl Repository {
    /// The one that an image lies in.
    pub fn of(image: &ImageReference) -> Self {
        Self { registry: image.registry().to_owned(), name: image.repository().to_owned() }
    }

    /// The registry: a host, and a port if one was written. Docker Hub is `docker.io`.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The repository in the registry, such as `library/nginx`.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Where evidence was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// The repository.
    pub repository: Repository,
    /// The manifest that names the layer.
    pub manifest: Digest,
    /// The layer: the bytes.
    pub layer: Digest,
}

/// Bytes from a source, and where they were.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    pub(super) origin: Origin,
    pub(super) body: EvidenceBody,
    digest: Digest,
}

/// What a source takes evidence for, by the media type of its layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum EvidenceBody {
    /// A layer of cosign's `.sig` manifest: a payload; signature and certificate are annotations.
    LegacySignature {
        /// The layer.
        payload: Bytes,
        /// The layer's annotations.
        annotations: Annotations,
    },
    /// A layer of cosign's `.att` manifest: a DSSE envelope; the certificate is an annotation.
    LegacyAttestation {
        /// The layer.
        envelope: Bytes,
        /// The layer's annotations.
        annotations: Annotations,
    },
    /// A Sigstore bundle.
    Bundle {
        /// The layer.
        json: Bytes,
    },
}

impl Evidence {
    /// A layer of cosign's manifest `sha256-….sig`, of type `application/vnd.dev.cosign.simplesigning.v1+json`.
    ///
    /// # Errors
    /// [`SourceError::Limit`] where it has too many annotations.
    pub fn legacy_signature(
        origin: Origin,
        payload: Bytes,
        annotations: Annotations,
    ) -> Result<Self, SourceError> {
        within(&annotations)?;
        Ok(Self::new(origin, EvidenceBody::LegacySignature { payload, annotations }))
    }

    /// A layer of cosign's manifest `sha256-….att`, of type `application/vnd.dsse.envelope.v1+json`.
    ///
    /// # Errors
    /// [`SourceError::Limit`] where it has too many annotations.
    pub fn legacy_attestation(
        origin: Origin,
        envelope: Bytes,
        annotations: Annotations,
    ) -> Result<Self, SourceError> {
        within(&annotations)?;
        Ok(Self::new(origin, EvidenceBody::LegacyAttestation { envelope, annotations }))
    }

    /// The one layer of a referrer whose type begins with `application/vnd.dev.sigstore.bundle`.
    pub fn bundle(origin: Origin, json: Bytes) -> Self {
        Self::new(origin, EvidenceBody::Bundle { json })
    }

    fn new(origin: Origin, body: EvidenceBody) -> Self {
        Self { origin, digest: body.digest(), body }
    }

    /// Where it was found.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The digest of the layer, and of the annotations by which it was signed: what was verified, all of it. That of a
    /// bundle is its layer's. Of the others form and lengths are part of it, so that no two of them are alike.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// How many bytes the layer has.
    pub fn len(&self) -> usize {
        self.bytes().len()
    }

    /// Whether the layer has no bytes.
    pub fn is_empty(&self) -> bool {
        self.bytes().is_empty()
    }

    /// The form that it has.
    pub(super) fn form(&self) -> Form {
        self.body.form()
    }

    /// The layer.
    pub(super) fn bytes(&self) -> &Bytes {
        match &self.body {
            EvidenceBody::LegacySignature { payload: bytes, .. }
            | EvidenceBody::LegacyAttestation { envelope: bytes, .. }
            | EvidenceBody::Bundle { json: bytes } => bytes,
        }
    }
}

impl EvidenceBody {
    fn digest(&self) -> Digest {
        let (payload, annotations) = match self {
            Self::LegacySignature { payload: bytes, annotations }
            | Self::LegacyAttestation { envelope: bytes, annotations } => (bytes, annotations),
            Self::Bundle { json } => return Digest::of(json),
        };
        let parts = annotations.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]);
        let mut all = Vec::new();
        for part in [self.form().as_str().as_bytes(), payload].into_iter().chain(parts) {
            all.extend_from_slice(format!("{}:", part.len()).as_bytes());
            all.extend_from_slice(part);
        }
        Digest::of(&all)
    }

    fn form(&self) -> Form {
        match self {
            Self::LegacySignature { .. } => Form::SimpleSigning,
            Self::LegacyAttestation { .. } => Form::Dsse,
            Self::Bundle { .. } => Form::Bundle,
        }
    }
}

fn within(annotations: &Annotations) -> Result<(), SourceError> {
    let bytes = |(name, value): (&String, &String)| name.len().saturating_add(value.len());
    let all = annotations.iter().map(bytes).fold(0_usize, usize::saturating_add);
    if annotations.len() > ANNOTATIONS || all > ANNOTATION_BYTES {
        return Err(SourceError::Limit("annotations of a layer"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin() -> Origin {
        let image = ImageReference::parse("registry.io/app").unwrap();
        Origin { repository: Repository::of(&image), manifest: Digest::of(b"m"), layer: Digest::of(b"l") }
    }

    #[test]
    fn annotations_are_bounded() {
        let of = |count: usize, length: usize| -> Annotations {
            (0..count).map(|index| (format!("{index:04}"), "v".repeat(length))).collect()
        };
        for (annotations, is_within) in [
            (of(64, 1), true),
            (of(65, 1), false),
            (of(1, (256 << 10) - 4), true),
            (of(1, (256 << 10) - 3), false),
        ] {
            let signature = Evidence::legacy_signature(origin(), Bytes::new(), annotations.clone());
            let attestation = Evidence::legacy_attestation(origin(), Bytes::new(), annotations);
            assert_eq!((signature.is_ok(), attestation.is_ok()), (is_within, is_within));
        }
    }

    #[test]
    fn what_differs_has_another_digest() {
        let of = |pairs: &[(&str, &str)]| -> Annotations {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let signature = |payload: &'static str, annotations: &[(&str, &str)]| {
            let payload = Bytes::from_static(payload.as_bytes());
            Evidence::legacy_signature(origin(), payload, of(annotations)).unwrap().digest()
        };
        let attestation = Evidence::legacy_attestation(origin(), Bytes::new(), of(&[("a", "b")])).unwrap();
        let all = [
            signature("", &[("a", "b")]),
            attestation.digest(),
            signature("a\0b\0", &[]),
            signature("", &[("a", "b\0c\0d")]),
            signature("", &[("a", "b"), ("c", "d")]),
        ];
        let distinct: std::collections::BTreeSet<Digest> = all.into_iter().collect();
        assert_eq!(distinct.len(), all.len());
    }
}
