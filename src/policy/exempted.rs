//! The containers of an exception: a name, and what the image has to be. Both have to fit.

use serde::Deserialize;
use serde_json::Value;

use crate::kubernetes::image_pattern::ImagePattern;
use crate::kubernetes::image_reference::ImageReference;

/// Containers that an exception is for.
#[derive(Clone, Debug)]
pub struct Exempted {
    name: String,
    image: ImagePattern,
}

/// The wire form of [`Exempted`].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ContainerFields {
    #[serde(default)]
    name: String,
    image: Option<String>,
    digest: Option<String>,
}

impl Exempted {
    /// Whether a container is meant, as the fact `containers` has it. An image that is no reference never fits (R11).
    pub fn covers(&self, container: &Value) -> bool {
        let text = |pointer: &str| container.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        text("/name") == self.name
            && ImageReference::parse(text("/image/text")).is_ok_and(|image| self.image.matches(&image))
    }
}

impl ContainerFields {
    /// As it is written: the name, and the image or its digest.
    pub(super) fn written(&self) -> (String, String) {
        (self.name.clone(), self.image.clone().or_else(|| self.digest.clone()).unwrap_or_default())
    }

    /// The typed form, or which member is wrong, and why.
    pub(super) fn read(&self) -> Result<Exempted, (&'static str, String)> {
        if self.name.is_empty() || self.name.contains('*') {
            return Err((".name", "a container is named in full, and by its image; write both".to_owned()));
        }
        let image = match (&self.image, &self.digest) {
            (Some(pattern), None) => {
                ImagePattern::parse(pattern).map_err(|why| (".image", why.to_string()))?
            }
            (None, Some(digest)) => {
                ImagePattern::of_digest(digest).map_err(|why| (".digest", why.to_string()))?
            }
            (Some(_), Some(_)) => {
                return Err((".digest", "beside `image`; write the digest behind the image, as `registry.io/app@sha256:…`, or it alone".to_owned()));
            }
            (None, None) => {
                let why = "a name alone is whatever somebody calls a container by; add `image` or `digest`";
                return Err(("", why.to_owned()));
            }
        };
        Ok(Exempted { name: self.name.clone(), image })
    }
}
