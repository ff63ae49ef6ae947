//! Manifests and indexes, as far as evidence needs them (OCI image specification 1.1, Docker schema 2).

use serde::Deserialize;
use serde_json::Value;

use crate::image::digest::Digest;
use crate::image::evidence::Annotations;
use crate::image::source::SourceError;

/// The media types of a manifest, and those of an index.
const MANIFESTS: [&str; 2] =
    ["application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"];
const INDEXES: [&str; 2] =
    ["application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"];

/// All four, always: some registries say "not found" of what they hold where its type is not listed.
pub(in crate::image) const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";

/// A manifest or an index.
#[derive(Clone, Debug)]
pub(in crate::image) struct Document {
    /// One of the four.
    pub(in crate::image) media_type: String,
    /// Of a manifest.
    pub(in crate::image) config: Option<Descriptor>,
    /// Of a manifest.
    pub(in crate::image) layers: Vec<Descriptor>,
    /// Of an index.
    pub(in crate::image) manifests: Vec<Descriptor>,
    /// What a manifest is about.
    pub(in crate::image) subject: Option<Digest>,
}

/// Something that a document names.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::image) struct Descriptor {
    #[serde(default)]
    pub(in crate::image) media_type: String,
    pub(in crate::image) digest: String,
    pub(in crate::image) size: u64,
    #[serde(default)]
    pub(in crate::image) annotations: Option<Annotations>,
    /// For which it is chosen, of an entry of an index.
    #[serde(default)]
    pub(in crate::image) platform: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    media_type: Option<String>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
    manifests: Option<Vec<Descriptor>>,
    subject: Option<Descriptor>,
}

impl Descriptor {
    /// The digest, where it is one of ours.
    pub(in crate::image) fn digest(&self) -> Result<Digest, SourceError> {
        self.digest.parse().map_err(|_| SourceError::Corrupt("a descriptor without a SHA-256 digest"))
    }

    /// An annotation.
    pub(in crate::image) fn annotation(&self, name: &str) -> Option<&str> {
        self.annotations.as_ref()?.get(name).map(String::as_str)
    }
}

impl Document {
    /// Reads what came as a media type. One document has one meaning (CVE-2021-41190).
    pub(in crate::image) fn read(content_type: Option<&str>, bytes: &[u8]) -> Result<Self, SourceError> {
        let corrupt = SourceError::Corrupt;
        let said = content_type.map(|text| text.split(';').next().unwrap_or_default().trim());
        let media_type = said.unwrap_or_default().to_ascii_lowercase();
        let is_index = INDEXES.contains(&media_type.as_str());
        if !is_index && !MANIFESTS.contains(&media_type.as_str()) {
            return Err(corrupt(
                "a manifest of another media type than those of OCI and of Docker's schema 2",
            ));
        }
        let written: Written = serde_json::from_slice(bytes)
            .map_err(|_| corrupt("a manifest that is no JSON, or not of its form"))?;
        if written.media_type.is_some_and(|own| own != media_type) {
            return Err(corrupt("a manifest that says another media type than the registry"));
        }
        let subject = written.subject.map(|subject| subject.digest()).transpose()?;
        match (written.layers, written.manifests) {
            (Some(_), Some(_)) => Err(corrupt("a manifest that is an index, too")),
            (layers, None) if !is_index => {
                let layers = layers.unwrap_or_default();
                Ok(Self { media_type, config: written.config, layers, manifests: Vec::new(), subject })
            }
            (None, manifests) if is_index => {
                let manifests = manifests.unwrap_or_default();
                Ok(Self { media_type, config: None, layers: Vec::new(), manifests, subject })
            }
            _ => Err(corrupt("a manifest as an index, or an index as a manifest")),
        }
    }

    /// Whether it is an index.
    pub(in crate::image) fn is_index(&self) -> bool {
        INDEXES.contains(&self.media_type.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = MANIFESTS[0];
    const INDEX: &str = INDEXES[0];

    fn why(content_type: Option<&str>, text: &str) -> String {
        Document::read(content_type, text.as_bytes())
            .map_or_else(|why| why.to_string(), |_| "read".to_owned())
    }

    #[test]
    fn a_document_has_one_meaning() {
        let layer = r#"{"digest": "sha256:x", "size": 1}"#;
        for (content_type, text, expected) in [
            (Some(MANIFEST), "{}", "read"),
            (Some("application/vnd.oci.image.manifest.v1+json; charset=utf-8"), "{}", "read"),
            (Some(INDEX), r#"{"manifests": []}"#, "read"),
            (Some(INDEX), &format!(r#"{{"mediaType": "{INDEX}"}}"#), "read"),
            (
                Some(MANIFEST),
                &format!(r#"{{"mediaType": "{INDEX}"}}"#),
                "another media type than the registry",
            ),
            (Some(MANIFEST), r#"{"layers": [], "manifests": []}"#, "is an index, too"),
            (Some(MANIFEST), r#"{"manifests": []}"#, "as an index"),
            (Some(INDEX), r#"{"layers": []}"#, "as an index"),
            (Some(MANIFEST), r#"{"layers": [], "layers": []}"#, "not of its form"),
            (Some(MANIFEST), r#"{"layers": ["#, "not of its form"),
            (Some(MANIFEST), &format!(r#"{{"subject": {layer}}}"#), "without a SHA-256 digest"),
            (
                Some("application/vnd.docker.distribution.manifest.v1+prettyjws"),
                "{}",
                "another media type than those",
            ),
            (Some("text/html"), "{}", "another media type than those"),
            (None, "{}", "another media type than those"),
        ] {
            let why = why(content_type, text);
            assert!(why.contains(expected), "{content_type:?} {text}: {why}");
        }
    }
}
