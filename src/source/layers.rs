//! A policies' tree as the layers of an OCI artifact: what meshgate and oras push, what Flux does, and what conftest
//! does. Other layers are refused by their type, because nobody knows what they would decide.

use super::archive::{About, Archive, unpack};
use super::tree::{Entry, EntryKind, Unacceptable, accept};

/// An archive, the only layer of its artifact; OPA reads no other.
pub(super) const ARCHIVE: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// The same from Flux.
const FLUX: &str = "application/vnd.cncf.flux.content.v1.tar+gzip";

/// A file each, from conftest; its path is the layer's title.
const FILES: [&str; 2] = [
    "application/vnd.cncf.openpolicyagent.policy.layer.v1+rego",
    "application/vnd.cncf.openpolicyagent.data.layer.v1+json",
];

/// A layer, its bytes verified against the digest that the manifest says.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    pub(super) media_type: String,
    /// The annotation `org.opencontainers.image.title`.
    pub(super) title: Option<String>,
    pub(super) bytes: Vec<u8>,
}

/// Reads all layers of an artifact.
pub(super) fn read(layers: Vec<Layer>) -> Result<Archive, Unacceptable> {
    if let [only] = layers.as_slice()
        && [ARCHIVE, FLUX].contains(&only.media_type.as_str())
    {
        return unpack(&only.bytes);
    }
    let entries = layers.into_iter().map(file).collect::<Result<Vec<Entry>, Unacceptable>>()?;
    if entries.is_empty() {
        return Err(Unacceptable::because(
            "the artifact has no layer; push one with `meshgate bundle build`",
        ));
    }
    Ok(Archive { accepted: accept(entries)?, about: None::<About> })
}

fn file(layer: Layer) -> Result<Entry, Unacceptable> {
    let Layer { media_type, title, bytes } = layer;
    if [ARCHIVE, FLUX].contains(&media_type.as_str()) {
        let message = "an archive beside other layers; an artifact is one archive, or files of conftest";
        return Err(Unacceptable::because(message));
    }
    if !FILES.contains(&media_type.as_str()) {
        let known = [&[ARCHIVE, FLUX], FILES.as_slice()].concat().join(", ");
        return Err(Unacceptable::because(format!("a layer of the type `{media_type}`; read are {known}")));
    }
    let untitled = || {
        Unacceptable::because(format!(
            "a layer of the type `{media_type}` without a title, which is its path; push it again"
        ))
    };
    Ok(Entry { path: title.ok_or_else(untitled)?.into_bytes(), kind: EntryKind::File, content: bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(media_type: &str, title: Option<&str>, bytes: &[u8]) -> Layer {
        Layer { media_type: media_type.to_owned(), title: title.map(str::to_owned), bytes: bytes.to_vec() }
    }

    #[test]
    fn the_layers_of_conftest_are_files() {
        let [rego, data] = FILES;
        let archive =
            read(vec![layer(data, Some("data.json"), b"{}"), layer(rego, Some("a/b.rego"), b"x")]).unwrap();
        let names: Vec<&str> = archive.accepted.tree.iter().map(|(path, _)| path).collect();
        assert_eq!(names, ["a/b.rego", "data.json"]);
    }

    #[test]
    fn other_layers_are_refused_by_name() {
        let refused = |layers| read(layers).unwrap_err().to_string();
        assert!(refused(vec![]).starts_with("the artifact has no layer; "));
        assert!(
            refused(vec![layer("a/b", None, b"")])
                .starts_with("a layer of the type `a/b`; read are application/")
        );
        assert!(
            refused(vec![layer(FILES[0], None, b"")])
                .ends_with("without a title, which is its path; push it again")
        );
        let two = vec![layer(ARCHIVE, None, b""), layer(FLUX, None, b"")];
        assert!(refused(two).starts_with("an archive beside other layers; "));
        assert!(
            refused(vec![layer(FILES[0], Some("../a.rego"), b"")]).starts_with("../a.rego: an empty part")
        );
    }
}
