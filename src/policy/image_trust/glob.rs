//! Which images a rule means: the globs of Sigstore's policy-controller (pkg/apis/glob), so that its policies mean here
//! what they mean there.

use std::collections::BTreeSet;

use regex::bytes::{Regex, RegexBuilder};

use crate::kubernetes::image_reference::ImageReference;

/// How the registry of references without one is called in these globs.
const HUB: &str = "index.docker.io";

/// A glob of images: `*` stands for what has no `/`, `**` for anything.
#[derive(Clone, Debug)]
pub struct ImageGlob(Regex);

impl ImageGlob {
    /// Reads one. `*` alone means `index.docker.io/library/*`, and `*/*` means `index.docker.io/*/*`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let is_glob = |c: char| c.is_ascii_alphanumeric() || "-_:/*.@".contains(c);
        if text.is_empty() || !text.chars().all(is_glob) {
            return Err(format!("`{text}` is no pattern of images; it has letters, digits and -_:/*.@"));
        }
        let text = match text {
            "*" => format!("{HUB}/library/*"),
            "*/*" => format!("{HUB}/*/*"),
            text => text.to_owned(),
        };
        // Pairs of stars are taken from the left; one that is left over stands for itself.
        let stars = |part: &str| part.split('*').map(regex::escape).collect::<Vec<_>>().join("[^/]*");
        let pattern = text.split("**").map(stars).collect::<Vec<_>>().join(".*");
        let compiled =
            RegexBuilder::new(&format!(r"\A{pattern}\z")).unicode(false).size_limit(1 << 20).build();
        compiled.map(Self).map_err(|_| format!("`{text}` has too many stars; name fewer images with it"))
    }

    /// Whether an image is meant: by its full name, or by the text that stands in the object. A reference with a tag
    /// and a digest is meant by either of the two, for pinning must move no image out of a rule; `by_digest`: by its
    /// digest alone, because nobody will look at the bytes and the tag says nothing of them.
    pub fn matches(&self, text: &str, by_digest: bool) -> bool {
        let Ok(reference) = ImageReference::parse(text) else { return false };
        let registry = if reference.registry() == "docker.io" { HUB } else { reference.registry() };
        // One registry, however it is spelled: upper-case letters and the port of HTTPS lead to the same.
        let host = registry.to_ascii_lowercase();
        let host = host.strip_suffix(":443").unwrap_or(&host);
        let names = BTreeSet::from([registry, host]).into_iter();
        let names: Vec<String> = names.map(|name| format!("{name}/{}", reference.repository())).collect();
        let (written, digest) =
            text.split_once('@').map_or((text, None), |(name, digest)| (name, Some(digest)));
        let mut forms = Vec::new();
        if let Some(digest) = digest {
            let tag = reference.tag().map(|tag| format!(":{tag}")).unwrap_or_default();
            let untagged = written.strip_suffix(&tag).unwrap_or(written);
            forms.extend(names.iter().map(|name| format!("{name}@{digest}")));
            forms.push(format!("{untagged}@{digest}"));
        }
        if !by_digest || digest.is_none() {
            let tag = reference.tag().or(digest.is_none().then_some("latest"));
            forms.extend(tag.iter().flat_map(|tag| names.iter().map(move |name| format!("{name}:{tag}"))));
            forms.extend([text.to_owned()]);
            forms.extend(reference.tag().map(|_| written.to_owned()));
        }
        forms.iter().any(|form| self.0.is_match(form.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:5504f2a95018e3d8a52d80d9e1a128c6ea337581808ff9fe96f5628ce2336350";

    fn matches(glob: &str, image: &str, by_digest: bool) -> bool {
        ImageGlob::parse(glob).unwrap_or_else(|why| panic!("{glob}: {why}")).matches(image, by_digest)
    }

    #[test]
    fn pinning_moves_no_image_out_of_a_rule() {
        let pinned = format!("ghcr.io/foo:v1@{DIGEST}");
        for glob in ["ghcr.io/foo:v1", "ghcr.io/*", "ghcr.io/foo@sha256:*", &format!("ghcr.io/foo@{DIGEST}")]
        {
            assert!(matches(glob, &pinned, false), "{glob}");
        }
        assert!(matches("foo:v1", &format!("foo:v1@{DIGEST}"), false));
        assert!(matches("foo", &format!("foo@{DIGEST}"), false) == matches("foo", "foo:v1", false));
        assert!(!matches("ghcr.io/foo:v2", &pinned, false));
        assert!(!matches("ghcr.io/foo:latest", &format!("ghcr.io/foo@{DIGEST}"), false));
    }

    #[test]
    fn where_nobody_looks_at_the_bytes_a_tag_beside_a_digest_says_nothing() {
        let pinned = format!("ghcr.io/foo:v1@{DIGEST}");
        for (glob, expected) in [
            ("ghcr.io/foo:v1", false),
            ("ghcr.io/foo:v1**", false),
            ("ghcr.io/foo@sha256:*", true),
            ("ghcr.io/**", true),
            (&format!("ghcr.io/foo@{DIGEST}"), true),
        ] {
            assert_eq!(matches(glob, &pinned, true), expected, "{glob}");
        }
        assert!(matches("ghcr.io/foo:v1", "ghcr.io/foo:v1", true));
    }

    #[test]
    fn one_registry_is_meant_however_it_is_spelled() {
        for image in ["GHCR.io/foo", "ghcr.io:443/foo", "Ghcr.IO:443/foo"] {
            assert!(matches("ghcr.io/**", image, false), "{image}");
            assert!(matches("ghcr.io/foo@*", &format!("{image}:1@{DIGEST}"), true), "{image}");
        }
        assert!(!matches("ghcr.io/**", "ghcr.io:4443/foo", false));
    }

    #[test]
    fn docker_hub_has_the_name_that_globs_know() {
        for image in ["foo", "docker.io/library/foo", "index.docker.io/foo:latest"] {
            assert!(matches("index.docker.io/library/foo:latest", image, false), "{image}");
        }
        assert!(!matches("*", "ghcr.io/foo", false));
        assert!(!matches("ghcr.io/**", "ghcr.io.evil.com/foo", false));
        assert!(!matches("ghcr.io/**", "evil/ghcr.io/foo", false));
        assert!(!matches("**", "not an image", false));
    }

    #[test]
    fn three_stars_are_two_and_one() {
        assert!(matches("ghcr.io/***", "ghcr.io/a/b", false));
        assert!(ImageGlob::parse(&"*a".repeat(100_000)).is_err());
        assert!(ImageGlob::parse("").is_err());
    }
}
