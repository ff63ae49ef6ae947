//! References to container images, as container runtimes read them: `nginx` is `docker.io/library/nginx`.
//! Whoever asks where an image comes from asks [`ImageReference::registry`]; a reference is never matched as a
//! string, because `registry.io.attacker.com/app` begins like `registry.io`.
//!
//! Source: `github.com/distribution/reference` (`ParseNormalizedNamed`), which the kubelet and containerd use.

use std::fmt;

/// The registry of references that name none.
const DEFAULT_REGISTRY: &str = "docker.io";

/// Its name of old.
const LEGACY_REGISTRY: &str = "index.docker.io";

/// Where the default registry keeps repositories of one component.
const OFFICIAL: &str = "library";

/// How many bytes a repository may have (`RepositoryNameTotalLengthMax`).
const MAX_REPOSITORY: usize = 255;

/// How many bytes a tag may have.
const MAX_TAG: usize = 128;

/// The algorithms of digests and the number of their hexadecimal digits.
const DIGESTS: [(&str, usize); 3] = [("sha256", 64), ("sha384", 96), ("sha512", 128)];

/// Where an image lies: registry, repository and, if they were written, tag and digest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageReference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<String>,
}

/// Why a text refers to no image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImageReferenceError {
    /// Not of the form at all.
    #[error("an image reference is [registry[:port]/]repository[:tag][@digest], in ASCII and without spaces")]
    Format,
    /// A repository with upper case letters.
    #[error("the repository of an image reference has no upper case letters")]
    UpperCase,
    /// A repository of more than 255 bytes.
    #[error("the repository of an image reference has at most {MAX_REPOSITORY} characters")]
    TooLong,
    /// Behind the @ stands no digest.
    #[error(
        "the digest of an image reference is sha256, sha384 or sha512, a colon, and all its digits in lower case"
    )]
    Digest,
    /// A bare digest, without its algorithm and an image's name.
    #[error(
        "64 hexadecimal digits are the identifier of an image, not a reference to one: write repository@sha256:…"
    )]
    Identifier,
}

impl ImageReference {
    /// Reads a reference. What is not written is supplied as a container runtime does: the registry `docker.io`, and
    /// in it the namespace `library`; but no tag.
    ///
    /// # Errors
    /// [`ImageReferenceError`].
    pub fn parse(text: &str) -> Result<Self, ImageReferenceError> {
        if text.len() == 64 && text.bytes().all(is_lower_hex) {
            return Err(ImageReferenceError::Identifier);
        }
        let Parts { registry, repository, tag, digest } = parts(text);
        if repository.contains(|c: char| c.is_ascii_uppercase()) {
            return Err(ImageReferenceError::UpperCase);
        }
        check_name(registry, &repository)?;
        if !tag.is_none_or(is_tag) {
            return Err(ImageReferenceError::Format);
        }
        if !digest.is_none_or(is_digest) {
            return Err(ImageReferenceError::Digest);
        }
        let (tag, digest) = (tag.map(str::to_owned), digest.map(str::to_owned));
        Ok(Self { registry: registry.to_owned(), repository, tag, digest })
    }

    /// The registry: a host as it was written, and a port if one was. `index.docker.io` is `docker.io`.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The repository in the registry, such as `library/nginx`.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag, if one was written.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest with its algorithm, if one was written. Then runtimes ignore the tag.
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }

    /// The whole reference, with nothing left implicit but the tag.
    pub fn canonical(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for ImageReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.registry, self.repository)?;
        self.tag.iter().try_for_each(|tag| write!(formatter, ":{tag}"))?;
        self.digest.iter().try_for_each(|digest| write!(formatter, "@{digest}"))
    }
}

/// The parts of a reference, of which none is judged.
pub(super) struct Parts<'a> {
    pub(super) registry: &'a str,
    pub(super) repository: String,
    pub(super) tag: Option<&'a str>,
    pub(super) digest: Option<&'a str>,
}

/// Takes a reference apart.
pub(super) fn parts(text: &str) -> Parts<'_> {
    let (name, digest) = split_off(text, '@');
    // A colon before the last slash belongs to the registry.
    let tag = name.rsplit('/').next().and_then(|last| split_off(last, ':').1);
    let name = tag.and_then(|tag| name.strip_suffix(tag)?.strip_suffix(':')).unwrap_or(name);
    let (registry, repository) = split_registry(name);
    Parts { registry, repository, tag, digest }
}

/// The text before the separator, and the text behind it where there is one.
fn split_off(text: &str, separator: char) -> (&str, Option<&str>) {
    text.split_once(separator).map_or((text, None), |(before, behind)| (before, Some(behind)))
}

/// Tells `registry/repository` from a repository of the default registry. The first component is a registry if it
/// cannot be part of a repository there: with a dot, a port or upper case, or `localhost`.
fn split_registry(name: &str) -> (&str, String) {
    let is_host =
        |first: &str| first == "localhost" || first.contains(|c: char| ".:".contains(c) || c.is_uppercase());
    let (registry, repository) = match name.split_once('/') {
        Some((LEGACY_REGISTRY, rest)) => (DEFAULT_REGISTRY, rest),
        Some((first, rest)) if is_host(first) => (first, rest),
        _ => (DEFAULT_REGISTRY, name),
    };
    if registry == DEFAULT_REGISTRY && !repository.contains('/') {
        return (registry, format!("{OFFICIAL}/{repository}"));
    }
    (registry, repository.to_owned())
}

fn check_name(registry: &str, repository: &str) -> Result<(), ImageReferenceError> {
    // A host with an underscore is none by its grammar, but upstream takes the whole for a repository without a
    // registry, and runtimes ask that host.
    let counted = match (is_registry(registry), is_component(registry)) {
        (true, _) => repository.len(),
        (false, true) => registry.len().saturating_add(1).saturating_add(repository.len()),
        (false, false) => return Err(ImageReferenceError::Format),
    };
    if !repository.split('/').all(is_component) {
        return Err(ImageReferenceError::Format);
    }
    if counted > MAX_REPOSITORY { Err(ImageReferenceError::TooLong) } else { Ok(()) }
}

/// A DNS name, an IPv4 address or an IPv6 address in brackets; and a port, if any.
fn is_registry(text: &str) -> bool {
    let (is_host, port) = match text.strip_prefix('[').and_then(|text| text.split_once(']')) {
        Some((address, port)) => {
            let allowed = address.bytes().all(|b| b == b':' || b.is_ascii_hexdigit());
            (allowed && !address.is_empty(), port)
        }
        None => {
            let host = text.split(':').next().unwrap_or(text);
            (host.split('.').all(is_host_label), text.strip_prefix(host).unwrap_or_default())
        }
    };
    let is_number = |port: &str| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    is_host && (port.is_empty() || port.strip_prefix(':').is_some_and(is_number))
}

fn is_host_label(text: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_alphanumeric();
    let allowed = text.bytes().all(|b| b == b'-' || b.is_ascii_alphanumeric());
    text.starts_with(alphanumeric) && text.ends_with(alphanumeric) && allowed
}

/// Lower case letters and digits, and between them single dots, one or two underscores, or dashes.
fn is_component(text: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_separator = |text: &str| matches!(text, "" | "." | "_" | "__") || text.bytes().all(|b| b == b'-');
    text.starts_with(alphanumeric)
        && text.ends_with(alphanumeric)
        && text.split(alphanumeric).all(is_separator)
}

fn is_tag(text: &str) -> bool {
    let word = |c: char| c == '_' || c.is_ascii_alphanumeric();
    text.starts_with(word) && text.len() <= MAX_TAG && text.chars().all(|c| word(c) || ".-".contains(c))
}

fn is_digest(text: &str) -> bool {
    let (algorithm, digits) = text.split_once(':').unwrap_or_default();
    DIGESTS.contains(&(algorithm, digits.len())) && digits.bytes().all(is_lower_hex)
}

fn is_lower_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn image(text: &str) -> ImageReference {
        ImageReference::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn refused(text: &str) -> ImageReferenceError {
        ImageReference::parse(text).expect_err(text)
    }

    #[test]
    fn what_is_not_written_is_docker_hub() {
        let rows = [
            ("nginx", "docker.io", "library/nginx"),
            ("nginx.org", "docker.io", "library/nginx.org"),
            ("bitnami/redis", "docker.io", "bitnami/redis"),
            ("docker.io/nginx", "docker.io", "library/nginx"),
            ("index.docker.io/nginx", "docker.io", "library/nginx"),
            ("index.docker.io/bitnami/redis", "docker.io", "bitnami/redis"),
            ("localhost/app", "localhost", "app"),
            ("localhosts/app", "docker.io", "localhosts/app"),
            ("quay.io/a/b/c", "quay.io", "a/b/c"),
            ("build:5000/app", "build:5000", "app"),
            ("10.0.0.1:5000/app", "10.0.0.1:5000", "app"),
            ("[::1]/app", "[::1]", "app"),
            ("[2001:DB8::1]:5000/team/app", "[2001:DB8::1]:5000", "team/app"),
            ("Build/app", "Build", "app"),
            ("xn--80ak6aa92e.com/app", "xn--80ak6aa92e.com", "app"),
        ];
        for (text, registry, repository) in rows {
            let image = image(text);
            assert_eq!((image.registry(), image.repository()), (registry, repository), "{text}");
            assert_eq!((image.tag(), image.digest()), (None, None), "{text}");
            assert_eq!(image.canonical(), format!("{registry}/{repository}"));
        }
    }

    #[test]
    fn a_registry_is_the_whole_host() {
        let rows = [
            ("evilregistry.io.attacker.com/app", "evilregistry.io.attacker.com"),
            ("registry.io.attacker.com/registry.io/app", "registry.io.attacker.com"),
            ("registry.io:443/app", "registry.io:443"),
            ("registry.io/app", "registry.io"),
            ("registry.io-attacker.com/app", "registry.io-attacker.com"),
            ("attacker/registry.io/app", "docker.io"),
            ("my_registry.local/app", "my_registry.local"),
        ];
        for (text, registry) in rows {
            assert_eq!(image(text).registry(), registry, "{text}");
        }
    }

    #[test]
    fn tags_and_digests_are_apart_from_ports() {
        assert_eq!(image("app:5000").tag(), Some("5000"));
        assert_eq!(image("host:5000/app:5000").tag(), Some("5000"));
        assert_eq!(image("app:_A.b-1").tag(), Some("_A.b-1"));
        let both = image(&format!("host:1/app:v1@{DIGEST}"));
        assert_eq!((both.registry(), both.tag(), both.digest()), ("host:1", Some("v1"), Some(DIGEST)));
        assert_eq!(both.canonical(), format!("host:1/app:v1@{DIGEST}"));
        assert_eq!(image(&format!("app@{DIGEST}")).canonical(), format!("docker.io/library/app@{DIGEST}"));
    }

    #[test]
    fn names_follow_their_grammar() {
        for text in ["a__b", "a---b", "a.b_c-d/e", "0/1"] {
            assert_eq!(image(text).canonical().matches(text).count(), 1, "{text}");
        }
        let wrong = [
            "",
            "/",
            "a/",
            "/a",
            "a//b",
            "-a",
            "a-",
            "a..b",
            "a___b",
            "a._b",
            "a b",
            " a",
            "a\n",
            "a:",
            "a:b:c",
            "a:-b",
            "a:b/c",
            "host:/a",
            "host:5x/a",
            "-host.io/a",
            "host..io/a",
            "host.io./a",
            "[::1/a",
            "[]/a",
            "[fe80::1%25eth0]/a",
            "[::ffff:1.2.3.4]/a",
            "[::1]x/a",
            "https://host.io/a",
            "ho\u{ff0e}st.io/a",
            "regis\u{442}ry.io/a",
            "ngin\u{445}",
            "a:t\u{e1}g",
            "a?b",
        ];
        for text in wrong {
            assert_eq!(refused(text), ImageReferenceError::Format, "{text:?}");
        }
    }

    #[test]
    fn upper_case_is_no_repository() {
        for text in ["Nginx", "nGinx:1", "team/App", "host.io/Team/app", "host:5000/A"] {
            assert_eq!(refused(text), ImageReferenceError::UpperCase, "{text}");
        }
    }

    #[test]
    fn lengths_are_bounded() {
        let longest = format!("host.io/{}", "a".repeat(255));
        assert_eq!(image(&longest).repository().len(), 255);
        assert_eq!(refused(&format!("{longest}a")), ImageReferenceError::TooLong);
        // `library/` counts.
        assert_eq!(refused(&"a".repeat(255)), ImageReferenceError::TooLong);
        // So does a host that is none by its grammar.
        assert!(ImageReference::parse(&format!("my_host.io/{}", "a".repeat(244))).is_ok());
        assert_eq!(refused(&format!("my_host.io/{}", "a".repeat(245))), ImageReferenceError::TooLong);
        let tagged = format!("a:{}", "t".repeat(128));
        assert_eq!(image(&tagged).tag().map(str::len), Some(128));
        assert_eq!(refused(&format!("{tagged}t")), ImageReferenceError::Format);
    }

    #[test]
    fn digests_are_whole() {
        let hex = DIGEST.trim_start_matches("sha256:");
        let short = hex.trim_start_matches('0');
        assert!(image(&format!("a@sha512:{hex}{hex}")).digest().is_some());
        for digest in
            ["", hex, &format!("sha256:{short}"), &format!("sha256:0{hex}"), &format!("sha512:{hex}")]
        {
            assert_eq!(refused(&format!("a@{digest}")), ImageReferenceError::Digest, "{digest}");
        }
        for digest in
            [&DIGEST.to_uppercase(), &format!("sha256:{}", hex.to_uppercase()), &format!("md5:{hex}")]
        {
            assert_eq!(refused(&format!("a@{digest}")), ImageReferenceError::Digest, "{digest}");
        }
    }

    #[test]
    fn identifiers_are_no_names() {
        let hex = DIGEST.trim_start_matches("sha256:");
        assert_eq!(refused(hex), ImageReferenceError::Identifier);
        for name in [hex.trim_start_matches('0'), &format!("library/{hex}"), &format!("{hex}:1")] {
            assert!(ImageReference::parse(name).is_ok(), "{name}");
        }
    }
}
