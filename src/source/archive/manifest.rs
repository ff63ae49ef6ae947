//! `.manifest`: what an archive says of itself, to OPA and to meshgate.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::policy::{Digest, FORMAT, Tree};
use crate::source::tree::Unacceptable;

/// Under which name of `metadata` meshgate's own part lies.
const FORMAT_NAME: &str = "meshgate";

/// What an archive says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// What OPA shows as the bundle's revision.
    pub revision: String,
    /// The digest of its tree; None where another program packed it.
    pub tree: Option<Digest>,
    /// Grows from one archive of a source to the next.
    pub sequence: Option<u64>,
    /// The name of the source.
    pub source: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Manifest {
    revision: String,
    rego_version: Option<u64>,
    metadata: Metadata,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    meshgate: Option<Own>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Own {
    tree: String,
    sequence: Option<u64>,
    source: Option<String>,
    format: u32,
}

impl About {
    /// That of an archive of a tree.
    pub fn of(tree: &Tree, source: &str, sequence: Option<u64>) -> Self {
        let digest = tree.digest();
        let revision = format!("{source}@{}", digest.short());
        Self { revision, tree: Some(digest), sequence, source: Some(source.to_owned()) }
    }

    /// As canonical JSON: members sorted, no white space.
    pub(super) fn to_json(&self) -> String {
        let mut own = json!({ "format": FORMAT });
        if let Some(members) = own.as_object_mut() {
            let mut add =
                |name: &str, value: Option<Value>| value.map(|value| members.insert(name.to_owned(), value));
            add("tree", self.tree.map(|digest| Value::from(digest.to_string())));
            add("sequence", self.sequence.map(Value::from));
            add("source", self.source.clone().map(Value::from));
        }
        let metadata = json!({ FORMAT_NAME: own });
        json!({ "revision": self.revision, "rego_version": 1, "roots": [""], "metadata": metadata })
            .to_string()
    }

    /// Reads one that came with `tree`. What OPA knows besides is OPA's.
    pub(super) fn read(text: &[u8], tree: &Tree) -> Result<Self, Unacceptable> {
        let refuse =
            |what: String| Unacceptable::because(format!(".manifest: {what}; build the archive again"));
        let manifest: Manifest =
            serde_json::from_slice(text).map_err(|error| refuse(format!("can't be read ({error})")))?;
        if manifest.rego_version.is_some_and(|version| version != 1) {
            return Err(refuse("its Rego is of an older version than v1".to_owned()));
        }
        let Some(own) = manifest.metadata.meshgate else {
            return Ok(Self { revision: manifest.revision, ..Self::default() });
        };
        if own.format > FORMAT {
            let format = own.format;
            return Err(Unacceptable::because(format!(
                ".manifest: format {format} is newer than {FORMAT}, the newest that is known; use a newer meshgate"
            )));
        }
        let (found, said) = (tree.digest(), Digest::parse(&own.tree));
        if said != Some(found) {
            let said = said.map_or_else(|| format!("`{}`", own.tree), |digest| digest.short());
            return Err(refuse(format!("the tree {said} was packed, and {} is there", found.short())));
        }
        Ok(Self { revision: manifest.revision, tree: said, sequence: own.sequence, source: own.source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_canonical_and_read_as_it_is_written() {
        let tree = Tree::default();
        let digest = tree.digest();
        let about = About::of(&tree, "platform", Some(3));
        let text = about.to_json();
        assert_eq!(
            text,
            format!(
                r#"{{"metadata":{{"meshgate":{{"format":1,"sequence":3,"source":"platform","tree":"{digest}"}}}},"rego_version":1,"revision":"platform@{}","roots":[""]}}"#,
                digest.short()
            )
        );
        assert_eq!(About::read(text.as_bytes(), &tree).unwrap(), about);
    }

    #[test]
    fn a_manifest_that_says_another_thing_is_refused() {
        let read = |text: &str| About::read(text.as_bytes(), &Tree::default()).map_err(|why| why.to_string());
        let (tree, short) = (Tree::default().digest(), Tree::default().digest().short());
        for (text, expected) in [
            (
                "{",
                "can't be read (EOF while parsing an object at line 1 column 1); build the archive again"
                    .to_owned(),
            ),
            (
                r#"{"rego_version": 0}"#,
                "its Rego is of an older version than v1; build the archive again".to_owned(),
            ),
            (
                &format!(r#"{{"metadata": {{"meshgate": {{"tree": "{tree}", "format": 2}}}}}}"#),
                "format 2 is newer than 1, the newest that is known; use a newer meshgate".to_owned(),
            ),
            (
                r#"{"metadata": {"meshgate": {"tree": "x", "format": 1}}}"#,
                format!("the tree `x` was packed, and {short} is there; build the archive again"),
            ),
        ] {
            assert_eq!(read(text), Err(format!(".manifest: {expected}")));
        }
        // As `opa build` writes it.
        let foreign = read(r#"{"revision": "r", "roots": [""], "rego_version": 1, "wasm": []}"#).unwrap();
        assert_eq!((foreign.revision.as_str(), foreign.tree), ("r", None));
    }
}
