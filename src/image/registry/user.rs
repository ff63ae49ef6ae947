//! The user that an image runs as unless its Pod says another, by the image's own configuration: read down from its digest,
//! so that every byte is what was judged.
//!
//! Source: OCI image specification 1.1, config.md and image-index.md.

use std::collections::BTreeSet;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use serde::de::{Deserialize, Deserializer, MapAccess};
use tokio::time::Instant;

use super::Holder;
use super::document::{Descriptor, Document};
use super::spelled::{Spelled, object};
use crate::image::digest::Digest;
use crate::image::source::SourceError;

/// Images of an index whose configurations are read.
const CHILDREN: usize = 16;
/// Those that are read at a time: a registry is asked for evidence meanwhile, which counts for more.
const AT_ONCE: usize = 2;
/// Bytes of a configuration.
const BYTES: u64 = 1 << 20;
/// Bytes of a user: it stands once in what policies see for each text of the image, and each policy's view is a copy.
const USER_BYTES: usize = 256;

/// The media types of a configuration.
const TYPES: [&str; 2] =
    ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];

const AMBIGUOUS: SourceError = SourceError::Corrupt("a manifest that others may read differently");
const CORRUPT: SourceError = SourceError::Corrupt("a configuration that is no JSON, or not of its form");

/// `config.User` as it is written; empty where there is none, which is root. None where the images of an index have
/// different ones.
pub(in crate::image) async fn user(
    holder: &dyn Holder,
    name: &str,
    digest: &Digest,
    until: Instant,
) -> Result<Option<String>, SourceError> {
    let document = holder.manifest(name, &digest.to_string(), until).await?.document;
    if document.is_ambiguous {
        return Err(AMBIGUOUS);
    }
    if !document.is_index() {
        return of_manifest(holder, name, &document, until).await.map(Some);
    }
    let children: Vec<&Descriptor> = document.manifests.iter().filter(|child| !runs_nowhere(child)).collect();
    if children.len() > CHILDREN {
        return Err(SourceError::Limit("images of an index"));
    }
    let read = |child| async move {
        let found = holder.child(name, child, until).await?.document;
        // Whoever runs it reads it as what the index says that it is.
        if found.media_type != child.media_type {
            return Err(SourceError::Corrupt("an image of another media type than its index says"));
        }
        of_manifest(holder, name, &found, until).await
    };
    let read: Vec<_> = children.into_iter().map(read).collect();
    let users: BTreeSet<String> = stream::iter(read).buffer_unordered(AT_ONCE).try_collect().await?;
    Ok(users.first().filter(|_| users.len() == 1).cloned())
}

async fn of_manifest(
    holder: &dyn Holder,
    name: &str,
    document: &Document,
    until: Instant,
) -> Result<String, SourceError> {
    if document.is_ambiguous {
        return Err(AMBIGUOUS);
    }
    let is_read = |config: &&Descriptor| TYPES.contains(&config.media_type.as_str());
    let config = document.config.as_ref().filter(is_read);
    let config =
        config.ok_or(SourceError::Corrupt("an image without a configuration of OCI or of Docker"))?;
    let bytes = holder.blob(name, config.blob()?, BYTES, until).await?;
    written(&bytes)
}

/// Attestations that builders put into an index say of themselves that they are for no platform. What anything could be
/// chosen by is not left out.
fn runs_nowhere(child: &Descriptor) -> bool {
    child.platform.os == "unknown" && child.platform.architecture == "unknown"
}

/// A configuration, `config` in it, and whether that is all that there is to be read.
#[derive(Default)]
struct Written {
    config: Option<Config>,
    is_ambiguous: bool,
}

#[derive(Default)]
struct Config {
    user: Option<String>,
    is_ambiguous: bool,
}

impl Spelled for Written {
    const NAMES: &'static [&'static str] = &["config"];

    fn read<'de, A: MapAccess<'de>>(&mut self, _: &str, members: &mut A) -> Result<(), A::Error> {
        self.config = members.next_value()?;
        Ok(())
    }

    fn is_like(&mut self) {
        self.is_ambiguous = true;
    }
}

impl Spelled for Config {
    const NAMES: &'static [&'static str] = &["User"];

    fn read<'de, A: MapAccess<'de>>(&mut self, _: &str, members: &mut A) -> Result<(), A::Error> {
        self.user = members.next_value()?;
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

impl<'de> Deserialize<'de> for Config {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        object(deserializer)
    }
}

fn written(bytes: &[u8]) -> Result<String, SourceError> {
    let Written { config, is_ambiguous } = serde_json::from_slice(bytes).map_err(|_| CORRUPT)?;
    let config = config.unwrap_or_default();
    if is_ambiguous || config.is_ambiguous {
        return Err(CORRUPT);
    }
    let user = config.user.unwrap_or_default();
    if user.len() > USER_BYTES {
        Err(SourceError::Limit("bytes of a configuration's user"))
    } else {
        Ok(user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_has_one_user() {
        for (text, expected) in [
            (r#"{"config": {"User": "65532:65532", "Env": []}}"#, Some("65532:65532")),
            (r#"{"config": {"User": "nonroot"}, "container_config": {"User": "0"}}"#, Some("nonroot")),
            (r#"{"config": {}}"#, Some("")),
            (r#"{"config": {"User": null}}"#, Some("")),
            (r#"{"config": null}"#, Some("")),
            ("{}", Some("")),
            (r#"{"config": {"User": "1"}, "config": {"User": "0"}}"#, None),
            (r#"{"config": {"User": "1", "User": "0"}}"#, None),
            (r#"{"config": {"User": "1", "user": "0"}}"#, None),
            (r#"{"config": {"User": "1", "u\u017fer": "0"}}"#, None),
            (r#"{"config": {"User": "1"}, "Config": {"User": "0"}}"#, None),
            (r#"{"config": {"user": "0"}}"#, None),
            (r#"{"config": {"User": 1}}"#, None),
            (r#"{"config": []}"#, None),
            (r#"{"config": {"User": "1"}} x"#, None),
            ("[]", None),
        ] {
            assert_eq!(written(text.as_bytes()).ok().as_deref(), expected, "{text}");
        }
        for (length, is_read) in [(256, true), (257, false)] {
            let user = "1".repeat(length);
            let text = format!(r#"{{"config": {{"User": "{user}"}}}}"#);
            let expected =
                if is_read { Ok(user) } else { Err(SourceError::Limit("bytes of a configuration's user")) };
            assert_eq!(written(text.as_bytes()), expected);
        }
    }

    #[test]
    fn only_what_can_be_chosen_nowhere_is_left_out() {
        let of = |platform: &str| {
            let text = format!(r#"{{"digest": "sha256:x", "size": 1, "platform": {platform}}}"#);
            runs_nowhere(&serde_json::from_str(&text).unwrap())
        };
        assert!(of(r#"{"os": "unknown", "architecture": "unknown"}"#));
        for platform in [
            r#"{"os": "linux", "architecture": "amd64"}"#,
            r#"{"os": "linux", "architecture": "unknown"}"#,
            r#"{"os": "unknown"}"#,
            "{}",
            "null",
        ] {
            assert!(!of(platform), "{platform}");
        }
    }
}
