//! A registry in this process: what it holds is said path by path, and so is what goes wrong.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use meshgate::config::{Images, Registry};
use meshgate::image::{
    CredentialSet, Digest, EvidenceSource, Gathered, Registries, Repository, Resolved, SourceError, Wanted,
};
use meshgate::kubernetes::image_reference::ImageReference;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::server::{Asked, Server, Stream, say};

pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";
pub(crate) const ENVELOPE: &str = "application/vnd.dsse.envelope.v1+json";
pub(crate) const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// An answer: status, headers, body.
#[derive(Clone, Debug, Default)]
pub(crate) struct Said {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Said {
    pub(crate) fn of(status: u16, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self { status, headers: headers.iter().map(owned).collect(), body: body.into() }
    }

    pub(crate) fn to(&self, stream: &mut dyn Stream) {
        let headers: Vec<(&str, &str)> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        say(stream, self.status, &headers, &self.body);
    }
}

/// What a registry says, by path; of other paths 404.
#[derive(Clone, Default)]
pub(crate) struct Holds(Arc<Mutex<BTreeMap<String, Said>>>);

impl Holds {
    pub(crate) fn put(&self, path: impl Into<String>, said: Said) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(path.into(), said);
    }

    pub(crate) fn said(&self, path: &str) -> Said {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(path).cloned().unwrap_or_else(|| Said::of(404, &[], "404 page not found"))
    }

    /// A document under its digest and a tag.
    pub(crate) fn document(&self, tag: &str, media_type: &str, document: &Value) -> Digest {
        let bytes = document.to_string().into_bytes();
        let digest = Digest::of(&bytes);
        let said = Said::of(200, &[("content-type", media_type)], bytes);
        self.put(format!("/v2/app/manifests/{tag}"), said.clone());
        self.put(format!("/v2/app/manifests/{digest}"), said);
        digest
    }

    pub(crate) fn blob(&self, bytes: &[u8]) -> Digest {
        let digest = Digest::of(bytes);
        self.put(format!("/v2/app/blobs/{digest}"), Said::of(200, &[], bytes));
        digest
    }

    /// An image `app:v1`.
    pub(crate) fn image(&self) -> Digest {
        self.document("v1", MANIFEST, &json!({ "schemaVersion": 2, "mediaType": MANIFEST, "layers": [] }))
    }

    /// A manifest of layers as cosign keeps them, under `sha256-….SUFFIX`.
    pub(crate) fn legacy(&self, image: &Digest, suffix: &str, media_type: &str, texts: &[&str]) {
        let layer = |text: &&str| {
            let digest = self.blob(text.as_bytes());
            json!({ "mediaType": media_type, "digest": digest.to_string(), "size": text.len(), "annotations": {"text": text} })
        };
        let layers: Vec<Value> = texts.iter().map(layer).collect();
        self.document(&format!("sha256-{}.{suffix}", image.hex()), MANIFEST, &json!({ "layers": layers }));
    }

    /// A manifest that refers to an image, with a bundle; as an entry of an index.
    pub(crate) fn referrer(&self, image: &Digest, text: &str, hint: Option<&str>) -> Value {
        let blob = self.blob(text.as_bytes());
        let subject = json!({ "mediaType": MANIFEST, "digest": image.to_string(), "size": 1 });
        let layer = json!({ "mediaType": BUNDLE, "digest": blob.to_string(), "size": text.len() });
        let manifest = json!({ "mediaType": MANIFEST, "subject": subject, "layers": [layer] });
        let digest = self.document(&format!("referrer-{text}"), MANIFEST, &manifest);
        let mut entry = json!({ "mediaType": MANIFEST, "digest": digest.to_string(), "size": manifest.to_string().len() });
        if let Some(hint) = hint {
            entry["annotations"] = json!({ "dev.sigstore.bundle.predicateType": hint });
        }
        entry
    }

    pub(crate) fn serve(&self) -> Server {
        let holds = self.clone();
        Server::start(move |asked, stream| holds.said(asked.path()).to(stream))
    }
}

/// An index of entries.
pub(crate) fn index(entries: &[Value]) -> Vec<u8> {
    json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": entries }).to_string().into_bytes()
}

/// The server as a registry of the configuration.
pub(crate) fn registry(server: &Server) -> Registry {
    Registry {
        host: server.address.to_string(),
        plaintext: server.authority.is_none(),
        ..Registry::default()
    }
}

pub(crate) fn registries(all: &[Registry]) -> Registries {
    Registries::new(&Images { registries: all.to_vec(), ..Images::default() })
        .map_err(|errors| format!("{errors:?}"))
        .unwrap()
}

pub(crate) fn in_seconds(seconds: u64) -> Instant {
    Instant::now() + Duration::from_secs(seconds)
}

pub(crate) fn reference(server: &Server, name: &str) -> ImageReference {
    ImageReference::parse(&format!("{}/{name}", server.address)).unwrap()
}

pub(crate) async fn resolve(
    source: &dyn EvidenceSource,
    server: &Server,
    seconds: u64,
) -> Result<Resolved, SourceError> {
    source.resolve(&reference(server, "app:v1"), &CredentialSet::none(), in_seconds(seconds)).await
}

/// Everything that is wanted by default.
pub(crate) fn everything() -> Wanted {
    Wanted {
        legacy: true,
        bundles: true,
        predicate_types: ["https://slsa.dev/provenance/v1".to_owned()].into(),
        tag_prefix: String::new(),
    }
}

pub(crate) async fn evidence(
    source: &dyn EvidenceSource,
    server: &Server,
    image: &Digest,
) -> Result<Gathered, SourceError> {
    let at = Repository::of(&reference(server, "app"));
    source.evidence(&at, image, &everything(), &CredentialSet::none(), in_seconds(10)).await
}

/// The digests of the pieces, in their order.
pub(crate) fn layers(gathered: &Gathered) -> Vec<Digest> {
    gathered.evidence.iter().map(|one| one.origin().layer).collect()
}

/// The digests of texts.
pub(crate) fn digests(texts: &[&str]) -> Vec<Digest> {
    texts.iter().map(|text| Digest::of(text.as_bytes())).collect()
}

pub(crate) fn paths(asked: &[Asked]) -> Vec<String> {
    asked.iter().map(|asked| asked.path().to_owned()).collect()
}
