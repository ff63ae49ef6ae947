//! Manifests and indexes, as far as evidence needs them (OCI image specification 1.1, Docker schema 2). What is not needed
//! is not kept, and what is kept is counted while it is read: some bytes of a list become a hundred in memory.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::spelled::{Spelled, object};
use crate::image::digest::Digest;
use crate::image::evidence::Annotations;
use crate::image::limits::{ANNOTATION_BYTES, ANNOTATIONS};
use crate::image::source::SourceError;

/// Entries of a list of a document, and annotations of all of them.
const ENTRIES: usize = 8192;
const ALL_ANNOTATIONS: usize = 16_384;

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
    /// Whether others may read another configuration or other manifests in it: there is a member whose name differs from one
    /// of theirs in the case of its letters only, or an index has a configuration.
    pub(in crate::image) is_ambiguous: bool,
}

/// Something that a document names.
#[derive(Clone, Debug, Default)]
pub(in crate::image) struct Descriptor {
    pub(in crate::image) media_type: String,
    pub(in crate::image) digest: String,
    pub(in crate::image) size: u64,
    pub(in crate::image) annotations: Noted,
    /// For which it is chosen, of an entry of an index.
    pub(in crate::image) platform: Platform,
    /// Whether there is a member that another reader takes for one of these.
    is_ambiguous: bool,
}

/// The annotations of a descriptor, where they are within the limits.
#[derive(Clone, Debug, Default)]
pub(in crate::image) struct Noted {
    all: Annotations,
    is_over: bool,
}

/// What an entry of an index is chosen by. Empty where it is not said.
#[derive(Clone, Debug, Default)]
pub(in crate::image) struct Platform {
    pub(in crate::image) os: String,
    pub(in crate::image) architecture: String,
    is_ambiguous: bool,
}

/// Bytes that a document names.
#[derive(Clone, Copy, Debug)]
pub(in crate::image) struct Blob {
    pub(in crate::image) digest: Digest,
    pub(in crate::image) size: u64,
}

#[derive(Default)]
struct Written {
    media_type: Option<String>,
    config: Option<Descriptor>,
    layers: Option<Entries>,
    manifests: Option<Entries>,
    subject: Option<Descriptor>,
    is_ambiguous: bool,
}

#[derive(Default)]
struct Entries {
    all: Vec<Descriptor>,
    is_over: bool,
}

impl Spelled for Written {
    const NAMES: &'static [&'static str] = &["mediaType", "config", "layers", "manifests", "subject"];

    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, members: &mut A) -> Result<(), A::Error> {
        match name {
            "mediaType" => self.media_type = members.next_value()?,
            "config" => self.config = members.next_value()?,
            "layers" => self.layers = members.next_value()?,
            "manifests" => self.manifests = members.next_value()?,
            _ => self.subject = members.next_value()?,
        }
        Ok(())
    }

    fn is_like(&mut self) {
        self.is_ambiguous = true;
    }
}

impl Spelled for Descriptor {
    const NAMES: &'static [&'static str] = &["mediaType", "digest", "size", "annotations", "platform"];

    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, members: &mut A) -> Result<(), A::Error> {
        match name {
            "mediaType" => self.media_type = members.next_value()?,
            "digest" => self.digest = members.next_value()?,
            "size" => self.size = members.next_value()?,
            "annotations" => self.annotations = members.next_value::<Option<_>>()?.unwrap_or_default(),
            _ => self.platform = members.next_value::<Option<_>>()?.unwrap_or_default(),
        }
        Ok(())
    }

    fn is_like(&mut self) {
        self.is_ambiguous = true;
    }
}

impl Spelled for Platform {
    const NAMES: &'static [&'static str] = &["os", "architecture"];

    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, members: &mut A) -> Result<(), A::Error> {
        let text = if name == "os" { &mut self.os } else { &mut self.architecture };
        *text = members.next_value()?;
        Ok(())
    }

    fn is_like(&mut self) {
        self.is_ambiguous = true;
    }
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        object(deserializer)
    }
}

impl<'de> Deserialize<'de> for Descriptor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        object(deserializer)
    }
}

impl<'de> Deserialize<'de> for Platform {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        object(deserializer)
    }
}

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(List)
    }
}

impl<'de> Deserialize<'de> for Noted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Notes)
    }
}

struct List;

impl<'de> Visitor<'de> for List {
    type Value = Entries;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Entries, A::Error> {
        let (mut entries, mut annotations) = (Entries::default(), 0_usize);
        while let Some(entry) = items.next_element::<Descriptor>()? {
            annotations = annotations.saturating_add(entry.annotations.all.len());
            if entries.all.len() >= ENTRIES || annotations > ALL_ANNOTATIONS {
                while items.next_element::<IgnoredAny>()?.is_some() {}
                return Ok(Entries { all: Vec::new(), is_over: true });
            }
            entries.all.push(entry);
        }
        Ok(entries)
    }
}

struct Notes;

impl<'de> Visitor<'de> for Notes {
    type Value = Noted;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("annotations")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Noted, A::Error> {
        let (mut noted, mut bytes) = (Noted::default(), 0_usize);
        while let Some((name, value)) = members.next_entry::<String, String>()? {
            bytes = bytes.saturating_add(name.len()).saturating_add(value.len());
            noted.all.insert(name, value);
            if noted.all.len() > ANNOTATIONS || bytes > ANNOTATION_BYTES {
                while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                return Ok(Noted { all: Annotations::new(), is_over: true });
            }
        }
        Ok(noted)
    }
}

impl Descriptor {
    /// The digest, where it is one of ours.
    pub(in crate::image) fn digest(&self) -> Result<Digest, SourceError> {
        self.digest.parse().map_err(|_| SourceError::Corrupt("a descriptor without a SHA-256 digest"))
    }

    /// What it names.
    pub(in crate::image) fn blob(&self) -> Result<Blob, SourceError> {
        Ok(Blob { digest: self.digest()?, size: self.size })
    }

    /// An annotation. Where there are more than the limits allow it is not known whether there is one.
    pub(in crate::image) fn annotation(&self, name: &str) -> Result<Option<&str>, SourceError> {
        if self.annotations.is_over {
            return Err(SourceError::Limit("annotations of a descriptor"));
        }
        Ok(self.annotations.all.get(name).map(String::as_str))
    }

    fn is_ambiguous(&self) -> bool {
        self.is_ambiguous || self.platform.is_ambiguous
    }
}

impl Noted {
    /// All of them.
    pub(in crate::image) fn all(self) -> Result<Annotations, SourceError> {
        if self.is_over { Err(SourceError::Limit("annotations of a layer")) } else { Ok(self.all) }
    }
}

impl Entries {
    fn all(self) -> Result<Vec<Descriptor>, SourceError> {
        if self.is_over { Err(SourceError::Limit("entries of a manifest")) } else { Ok(self.all) }
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
        let listed = |entries: Option<Entries>| entries.map(Entries::all).transpose();
        let (layers, manifests) = (listed(written.layers)?, listed(written.manifests)?);
        let has_likes = written.is_ambiguous || (is_index && written.config.is_some());
        let config = written.config.filter(|_| !is_index);
        let as_another = corrupt("a manifest as an index, or an index as a manifest");
        match (&layers, &manifests) {
            (Some(_), Some(_)) => return Err(corrupt("a manifest that is an index, too")),
            (Some(_), None) if is_index => return Err(as_another),
            (None, Some(_)) if !is_index => return Err(as_another),
            _ => {}
        }
        let (layers, manifests) = (layers.unwrap_or_default(), manifests.unwrap_or_default());
        let is_ambiguous = has_likes || config.iter().chain(&manifests).any(Descriptor::is_ambiguous);
        Ok(Self { media_type, config, layers, manifests, subject, is_ambiguous })
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

    #[test]
    fn lists_and_annotations_are_bounded() {
        let of =
            |entry: &str, count: usize| format!(r#"{{"manifests": [{}]}}"#, vec![entry; count].join(", "));
        let noted = |count: usize| {
            let all: Vec<String> = (0..count).map(|index| format!(r#""{index}": "v""#)).collect();
            format!(r#"{{"digest": "d", "size": 1, "annotations": {{{}}}}}"#, all.join(", "))
        };
        for (text, expected) in [
            (of("{}", ENTRIES), "read"),
            (of("{}", ENTRIES + 1), "entries of a manifest"),
            (of(&noted(ANNOTATIONS), ALL_ANNOTATIONS / ANNOTATIONS), "read"),
            (of(&noted(ANNOTATIONS), ALL_ANNOTATIONS / ANNOTATIONS + 1), "entries of a manifest"),
        ] {
            let why = why(Some(INDEX), &text);
            assert!(why.contains(expected), "{why}");
        }
        for (count, expected) in [(ANNOTATIONS, Some(ANNOTATIONS)), (ANNOTATIONS + 1, None)] {
            let document = Document::read(Some(INDEX), of(&noted(count), 1).as_bytes()).unwrap();
            let entry = &document.manifests[0];
            assert_eq!(entry.annotation("x").ok(), expected.map(|_| None));
            let all = entry.annotations.clone().all();
            assert_eq!(all.ok().map(|all| all.len()), expected);
        }
    }
}
