//! Patterns of images. They are parsed as references are and compared part by part, never as strings (R11).

use super::image_reference::{self, ImageReference, ImageReferenceError};
use super::pattern::Pattern;

/// Which images are meant: a registry in full, a repository and a tag with stars, or a digest.
#[derive(Clone, Debug)]
pub struct ImagePattern {
    name: Option<Name>,
    digest: Option<String>,
}

#[derive(Clone, Debug)]
struct Name {
    registry: String,
    repository: Pattern,
    tag: Option<Pattern>,
}

/// Why a text is no pattern of images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImagePatternError {
    /// Not a reference, also with letters for the stars.
    #[error(
        "{0}; in a pattern `*` stands for a part of the repository or of the tag, `**` for several components"
    )]
    Reference(#[from] ImageReferenceError),
    /// A star in the registry.
    #[error("a registry is named in full, without stars: whoever owns a name that fits would own the image")]
    Registry,
    /// A star in the digest.
    #[error("a digest is named in full")]
    Digest,
}

impl ImagePattern {
    /// Reads a pattern: `registry.io/team/*`, `registry.io/**`, `nginx:1.*`, `nginx@sha256:…`. As in a reference,
    /// `nginx` is `docker.io/library/nginx`. Without a tag and a digest every one fits.
    ///
    /// # Errors
    /// [`ImagePatternError`].
    pub fn parse(text: &str) -> Result<Self, ImagePatternError> {
        let parts = image_reference::parts(text);
        if parts.digest.is_some_and(|digest| digest.contains('*')) {
            return Err(ImagePatternError::Digest);
        }
        if parts.registry.contains('*') {
            return Err(ImagePatternError::Registry);
        }
        // With letters for the stars it has to be a reference.
        ImageReference::parse(&text.replace("**", "a").replace('*', "a"))?;
        let pattern = |text: &str| Pattern::new(text).ok_or(ImageReferenceError::TooLong);
        let name = Name {
            registry: parts.registry.to_owned(),
            repository: pattern(&parts.repository)?,
            tag: parts.tag.map(pattern).transpose()?,
        };
        Ok(Self { name: Some(name), digest: parts.digest.map(str::to_owned) })
    }

    /// The images with this digest, wherever they lie.
    ///
    /// # Errors
    /// Where it is no digest.
    pub fn of_digest(digest: &str) -> Result<Self, ImagePatternError> {
        let reference = ImageReference::parse(&format!("a@{digest}"));
        let is_whole = reference.is_ok_and(|reference| reference.digest() == Some(digest));
        if !is_whole {
            return Err(ImageReferenceError::Digest.into());
        }
        Ok(Self { name: None, digest: Some(digest.to_owned()) })
    }

    /// Whether an image is meant. Runtimes ignore the tag of a reference that has a digest, so a pattern with a tag
    /// means no such reference; no tag is `latest`.
    pub fn matches(&self, image: &ImageReference) -> bool {
        let fits = |name: &Name| {
            let has_tag = |tag: &Pattern| {
                self.digest.is_some()
                    || (image.digest().is_none() && tag.matches(image.tag().unwrap_or("latest")))
            };
            name.registry == image.registry()
                && name.repository.matches(image.repository())
                && name.tag.as_ref().is_none_or(has_tag)
        };
        self.name.as_ref().is_none_or(fits)
            && self.digest.as_ref().is_none_or(|digest| image.digest() == Some(digest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn matches(pattern: &str, image: &str) -> bool {
        let pattern = ImagePattern::parse(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
        pattern.matches(&ImageReference::parse(image).unwrap_or_else(|error| panic!("{image}: {error}")))
    }

    #[test]
    fn parts_are_compared_with_parts() {
        let pinned = format!("registry.io/app:1.2@{DIGEST}");
        let by_digest = format!("registry.io/app@{DIGEST}");
        let both = format!("registry.io/app:9@{DIGEST}");
        let table = [
            ("nginx", "docker.io/library/nginx:1", true),
            ("nginx", "index.docker.io/nginx", true),
            ("nginx", "quay.io/library/nginx", false),
            ("nginx", "team/nginx", false),
            ("registry.io/team/*", "registry.io/team/app:1", true),
            ("registry.io/team/*", "registry.io/team/a/b", false),
            ("registry.io/team/**", "registry.io/team/a/b", true),
            ("registry.io/**", "registry.io.attacker.com/a", false),
            ("registry.io/**", "registry.io:5000/a", false),
            ("registry.io/**", "REGISTRY.io/a", false),
            ("registry.io/**", "attacker/registry.io/a", false),
            ("registry.io:5000/*", "registry.io:5000/a", true),
            ("*", "nginx", true),
            ("*", "team/nginx", false),
            ("*/*", "team/nginx", true),
            ("*/*", "quay.io/team/nginx", false),
            ("registry.io/app:1.*", "registry.io/app:1.2", true),
            ("registry.io/app:1.*", "registry.io/app:2", false),
            ("registry.io/app:1.*", "registry.io/app", false),
            ("registry.io/app:latest", "registry.io/app", true),
            ("registry.io/app:1.*", &pinned, false),
            ("registry.io/app", &pinned, true),
            (&by_digest, &pinned, true),
            (&both, &pinned, true),
            (&by_digest, "registry.io/app:1.2", false),
            (&by_digest, &format!("evil.io/app@{DIGEST}"), false),
        ];
        for (pattern, image, expected) in table {
            assert_eq!(matches(pattern, image), expected, "{pattern} {image}");
        }
    }

    #[test]
    fn a_digest_alone_is_of_any_repository() {
        let pattern = ImagePattern::of_digest(DIGEST).unwrap();
        assert!(pattern.matches(&ImageReference::parse(&format!("evil.io/app:1@{DIGEST}")).unwrap()));
        assert!(!pattern.matches(&ImageReference::parse("app:1").unwrap()));
        for digest in ["", "sha256:", "sha256:*", "a@sha256:0"] {
            assert!(ImagePattern::of_digest(digest).is_err(), "{digest}");
        }
    }

    #[test]
    fn what_is_no_pattern_says_why() {
        let table = [
            ("*.registry.io/app", ImagePatternError::Registry),
            ("registry.*/app", ImagePatternError::Registry),
            ("registry.io:*/app", ImagePatternError::Registry),
            ("registry.io/app@sha256:*", ImagePatternError::Digest),
            ("registry.io/App", ImageReferenceError::UpperCase.into()),
            ("", ImageReferenceError::Format.into()),
            ("registry.io/a?b", ImageReferenceError::Format.into()),
            ("registry.io/", ImageReferenceError::Format.into()),
            ("registry.io/[ab]", ImageReferenceError::Format.into()),
        ];
        for (text, expected) in table {
            assert_eq!(ImagePattern::parse(text).err(), Some(expected), "{text}");
        }
    }
}
