//! Which policies answered: every answer, record and report names a [`Revision`] (R59).

use std::fmt;

use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::tree::Tree;

/// Grows when the same files can mean another thing: what is kept of a bundle under an older number is made again.
pub const FORMAT: u32 = 1;

/// How many digits of an id and of a digest people are shown.
const SHORT: usize = 12;

/// A SHA-256. Displayed as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// What a source is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceKind {
    /// The binary itself.
    Embedded,
    /// A directory.
    #[default]
    Directory,
    /// A commit of a Git repository.
    Git,
    /// An OCI artifact.
    Oci,
    /// An archive.
    Tarball,
}

/// Whether somebody vouches for the files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Trust {
    /// Their signature was verified here.
    Verified,
    /// Who brought them verified it.
    Delegated,
    /// Nobody was asked to.
    #[default]
    None,
    /// Somebody did who is not trusted any more.
    Stale,
}

/// Where a tree came from. Empty texts are what is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provenance {
    /// The source's name: as configured, else made of where it is.
    pub source: String,
    /// What the source is.
    pub kind: SourceKind,
    /// Its URL, without user and query, or its path.
    pub origin: String,
    /// Branch, tag or digest that was asked for.
    pub reference: String,
    /// The folder of the source that is the tree's root.
    pub path: String,
    /// `sha1:…` or `sha256:…` of commit, manifest or archive; None: the tree's own digest.
    pub id: Option<String>,
    /// The committer's time.
    pub time: Option<OffsetDateTime>,
    /// Principal or user id, and fingerprint, of each who signed.
    pub signers: Vec<String>,
    /// Whether somebody vouches for it.
    pub trust: Trust,
}

/// The name of a bundle: where its files came from, and which they are. Displayed in the short form,
/// `platform@1626ad5c80cd`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// Where the files came from.
    pub provenance: Provenance,
    /// Of the tree's own files.
    pub tree: Digest,
    /// Of all that decides: the tree, what it includes of the embedded one, and [`FORMAT`].
    pub bundle: Digest,
}

impl Digest {
    /// That of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Reads 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        let digits = text.as_bytes();
        let is_plain = digits.iter().all(|digit| digit.is_ascii_digit() || (b'a'..=b'f').contains(digit));
        if digits.len() != 64 || !is_plain {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
        }
        Some(Self(bytes))
    }

    /// The first 12 digits.
    pub fn short(&self) -> String {
        self.to_string().chars().take(SHORT).collect()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Revision {
    /// That of a tree that takes these files of the embedded one.
    pub fn of(tree: &Tree, included: &Tree) -> Self {
        let (own, included) = (tree.digest(), included.digest());
        let bundle = Digest::of(format!("{FORMAT}\n{own}\n{included}\n").as_bytes());
        Self { provenance: tree.provenance.clone(), tree: own, bundle }
    }

    /// Commit, manifest or archive, else the tree, with the name of the hash before it.
    pub fn id(&self) -> String {
        self.provenance.id.clone().unwrap_or_else(|| format!("sha256:{}", self.tree))
    }

    /// What annotations of an answer say: the short form, and of which files. At most 128 bytes.
    pub fn annotation(&self) -> String {
        format!("{self} tree={}", self.tree.short())
    }

    /// All of it, for records and for `/bundle`.
    pub fn to_value(&self) -> Value {
        let Provenance { source, kind, origin, reference, path, time, signers, trust, .. } = &self.provenance;
        let time = time.and_then(|time| time.format(&Rfc3339).ok());
        json!({
            "source": source, "kind": kind, "origin": origin, "reference": reference, "path": path,
            "id": self.id(), "tree": self.tree.to_string(), "bundle": self.bundle.to_string(),
            "time": time, "signers": signers, "trust": trust,
        })
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.id();
        let digits = id.split_once(':').map_or(id.as_str(), |(_, digits)| digits);
        let short: String = digits.chars().take(SHORT).collect();
        let name = &self.provenance.source;
        write!(f, "{}@{short}", if name.is_empty() { "policies" } else { name })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(text: &str) -> Tree {
        let mut tree = Tree::default();
        tree.insert("a.rego", text);
        tree
    }

    #[test]
    fn a_revision_says_where_from_and_which_files() {
        let own = Revision::of(&tree("x"), &Tree::default());
        assert_eq!(own.to_string(), format!("policies@{}", own.tree.short()));
        assert_eq!(own.id(), format!("sha256:{}", own.tree));
        let provenance = Provenance {
            source: "platform".to_owned(),
            kind: SourceKind::Git,
            id: Some("sha1:1626ad5c80cd0123456789012345678901234567".to_owned()),
            ..Provenance::default()
        };
        let commit = Revision::of(&tree("x").coming_from(provenance), &Tree::default());
        assert_eq!(commit.to_string(), "platform@1626ad5c80cd");
        assert_eq!(commit.annotation(), format!("platform@1626ad5c80cd tree={}", own.tree.short()));
        assert_eq!((commit.tree, commit.bundle), (own.tree, own.bundle));
        let value = commit.to_value();
        assert_eq!(
            (&value["kind"], &value["trust"], &value["time"]),
            (&json!("git"), &json!("none"), &Value::Null)
        );
    }

    #[test]
    fn what_is_included_makes_another_bundle_of_the_same_tree() {
        let (one, other) = (Revision::of(&tree("x"), &Tree::default()), Revision::of(&tree("x"), &tree("y")));
        assert_eq!(one.tree, other.tree);
        assert_ne!(one.bundle, other.bundle);
        // What lies in the tree is not taken for what is included.
        assert_ne!(Revision::of(&tree("y"), &tree("x")).bundle, other.bundle);
    }

    #[test]
    fn a_digest_is_read_as_it_is_written() {
        let digest = Digest::of(b"x");
        assert_eq!(Digest::parse(&digest.to_string()), Some(digest));
        let upper = digest.to_string().to_uppercase();
        for text in ["", "00", &upper, &format!("{digest}0"), &"+1".repeat(32)] {
            assert_eq!(Digest::parse(text), None, "{text}");
        }
    }
}
