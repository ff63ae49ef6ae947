//! An OCI layout on disk: what `meshgate bundle build -o oci:DIR` writes, other programs push, and is read again.
//! (github.com/opencontainers/image-spec, image-layout.md, manifest.md)

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};

use super::archive::{About, Archive, PACKED_BYTES, pack, tar};
use super::layers::{self, ARCHIVE, Layer};
use super::tree::Unacceptable;
use super::{SourceError, directory::unreadable};
use crate::policy::{Digest, Provenance, SourceKind, Tree};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";

/// What the artifact is, for registries that show it.
const ARTIFACT: &str = "application/vnd.meshgate.bundle.v1";

/// The annotation of a manifest in the index that says its tag.
const TAG: &str = "org.opencontainers.image.ref.name";

/// The annotation of a layer that says its file.
const TITLE: &str = "org.opencontainers.image.title";

/// The largest manifest, and the largest index, in bytes.
const JSON_BYTES: usize = 4 << 20;

/// How many layers an artifact has at the most.
const LAYERS: usize = super::FILES;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    #[serde(default)]
    manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    #[serde(default)]
    layers: Vec<Descriptor>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: String,
    digest: String,
    #[serde(default)]
    annotations: std::collections::BTreeMap<String, String>,
}

/// Whether a directory is an OCI layout.
pub fn is_layout(directory: &Path) -> bool {
    directory.join("oci-layout").is_file()
}

/// Reads the artifact of a tag or a digest; where neither is said, the only one.
///
/// # Errors
/// What can't be read, bytes that are not those of their digest, and what is in no policies' tree.
pub fn read_layout(directory: &Path, reference: Option<&str>) -> Result<(Tree, Archive), SourceError> {
    let refuse = |what: String| Unacceptable::because(format!("{}: {what}", directory.display()));
    if !is_layout(directory) {
        return Err(refuse(
            "no OCI layout: it has no file `oci-layout`; name the directory that has".to_owned(),
        )
        .into());
    }
    let index: Index = parsed(&bounded(&directory.join("index.json"), JSON_BYTES)?, "index.json")?;
    let chosen = chosen(&index, reference).map_err(refuse)?;
    if chosen.media_type != MANIFEST {
        let what = format!(
            "{} is of the type `{}`; one manifest is read, of the type {MANIFEST}",
            chosen.digest, chosen.media_type
        );
        return Err(refuse(what).into());
    }
    let manifest: Manifest = parsed(&blob(directory, &chosen.digest, JSON_BYTES)?, &chosen.digest)?;
    if manifest.layers.len() > LAYERS {
        return Err(refuse(format!("{} has more than {LAYERS} layers", chosen.digest)).into());
    }
    let mut room = PACKED_BYTES;
    let mut layers = Vec::new();
    for Descriptor { media_type, digest, mut annotations } in manifest.layers {
        let bytes = blob(directory, &digest, room)?;
        room = room.saturating_sub(bytes.len());
        layers.push(Layer { media_type, title: annotations.remove(TITLE), bytes });
    }
    let archive = layers::read(layers)?;
    let provenance = provenance(directory, reference, &chosen.digest, archive.about.as_ref());
    Ok((archive.accepted.tree.clone().coming_from(provenance), archive))
}

/// Adds a tree to a layout, which is made where there is none; a tag that is there already leads to it from then on.
/// Gives the digest of its manifest.
///
/// # Errors
/// What can't be written.
pub fn write_layout(directory: &Path, tag: &str, tree: &Tree, about: &About) -> Result<String, SourceError> {
    let failed = |error: io::Error| unreadable(directory)(error);
    let archive = pack(tree, about).map_err(failed)?;
    let unpacked = Digest::of(&tar(tree, about).map_err(failed)?);
    // What an image's configuration has to say; no program runs this one.
    let config = json!({
        "architecture": "unknown", "os": "unknown", "config": {},
        "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{unpacked}")] },
    });
    let config = config.to_string().into_bytes();
    let mut layer = descriptor(ARCHIVE, &archive);
    add(&mut layer, "annotations", json!({ TITLE: "bundle.tar.gz" }));
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": ARTIFACT,
        "config": descriptor(CONFIG, &config), "layers": [layer],
    });
    let manifest = manifest.to_string().into_bytes();
    for bytes in [&archive, &config, &manifest] {
        let blob = directory.join("blobs/sha256").join(Digest::of(bytes).to_string());
        written(&blob, bytes)?;
    }
    let mut entry = descriptor(MANIFEST, &manifest);
    add(&mut entry, "artifactType", Value::from(ARTIFACT));
    add(&mut entry, "annotations", json!({ TAG: tag }));
    let index = index_with(directory, tag, entry)?;
    written(&directory.join("oci-layout"), br#"{"imageLayoutVersion":"1.0.0"}"#)?;
    written(&directory.join("index.json"), index.to_string().as_bytes())?;
    Ok(format!("sha256:{}", Digest::of(&manifest)))
}

/// The index that there is, with this entry in the place of others of its tag.
fn index_with(directory: &Path, tag: &str, entry: Value) -> Result<Value, SourceError> {
    let path = directory.join("index.json");
    let before = if path.exists() { parsed(&bounded(&path, JSON_BYTES)?, "index.json")? } else { json!({}) };
    let others = before.get("manifests").and_then(Value::as_array).cloned().unwrap_or_default();
    let has_tag =
        |one: &Value| one.pointer(&format!("/annotations/{TAG}")).and_then(Value::as_str) == Some(tag);
    let mut manifests: Vec<Value> = others.into_iter().filter(|one| !has_tag(one)).collect();
    manifests.push(entry);
    Ok(json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests }))
}

fn descriptor(media_type: &str, bytes: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": format!("sha256:{}", Digest::of(bytes)), "size": bytes.len() })
}

fn add(object: &mut Value, member: &str, value: Value) {
    if let Some(members) = object.as_object_mut() {
        members.insert(member.to_owned(), value);
    }
}

/// The one that is meant.
fn chosen<'a>(index: &'a Index, reference: Option<&str>) -> Result<&'a Descriptor, String> {
    let known = || index.manifests.iter().map(tag).collect::<Vec<_>>().join(", ");
    let is_meant =
        |one: &&'a Descriptor| reference.is_none_or(|wanted| tag(one) == wanted || one.digest == wanted);
    let mut meant = index.manifests.iter().filter(is_meant);
    match (meant.next(), meant.next()) {
        (Some(only), None) => Ok(only),
        (Some(_), Some(_)) => {
            Err(format!("more than one artifact is meant; there are {}: name one, as oci:DIR:TAG", known()))
        }
        (None, _) => Err(format!("no artifact `{}`; there are {}", reference.unwrap_or_default(), known())),
    }
}

/// The tag of a manifest, else its digest.
fn tag(one: &Descriptor) -> &str {
    one.annotations.get(TAG).map_or(&one.digest, |tag| tag)
}

/// What a digest names; no more than `limit` bytes.
fn blob(directory: &Path, digest: &str, limit: usize) -> Result<Vec<u8>, SourceError> {
    let expected = digest.strip_prefix("sha256:").and_then(Digest::parse);
    let refuse = |what: &str| Unacceptable::because(format!("{}: {digest}: {what}", directory.display()));
    let expected = expected.ok_or_else(|| refuse("no digest that is known; SHA-256 is"))?;
    let bytes = bounded(&directory.join("blobs/sha256").join(expected.to_string()), limit)?;
    if Digest::of(&bytes) == expected {
        Ok(bytes)
    } else {
        Err(refuse("its bytes are others; copy the layout again").into())
    }
}

fn bounded(path: &Path, limit: usize) -> Result<Vec<u8>, SourceError> {
    let size = fs::metadata(path).map_err(unreadable(path))?.len();
    if usize::try_from(size).map_or(true, |size| size > limit) {
        return Err(Unacceptable::because(format!(
            "{}: {size} bytes are more than there may be; is this a bundle?",
            path.display()
        ))
        .into());
    }
    fs::read(path).map_err(unreadable(path))
}

fn parsed<T: serde::de::DeserializeOwned>(bytes: &[u8], name: &str) -> Result<T, SourceError> {
    serde_json::from_slice(bytes).map_err(|error| {
        Unacceptable::because(format!("{name}: not what an OCI layout has ({error}); copy it again")).into()
    })
}

fn provenance(directory: &Path, reference: Option<&str>, digest: &str, about: Option<&About>) -> Provenance {
    let stem = || directory.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Provenance {
        source: about.and_then(|about| about.source.clone()).unwrap_or_else(stem),
        kind: SourceKind::Oci,
        origin: format!("oci:{}", directory.display()),
        reference: reference.unwrap_or_default().to_owned(),
        id: Some(digest.to_owned()),
        ..Provenance::default()
    }
}

/// A file that is there whole or not at all.
fn written(path: &Path, bytes: &[u8]) -> Result<(), SourceError> {
    super::written::whole(path, bytes)
        .map_err(|source| SourceError::Unwritable { path: path.display().to_string(), source })
}

/// Takes `oci:DIR`, `oci:DIR:TAG` and `oci:DIR@DIGEST` apart, without the `oci:`.
pub fn layout_reference(text: &str) -> (PathBuf, Option<&str>) {
    if let Some((directory, digest)) = text.split_once('@') {
        return (PathBuf::from(directory), Some(digest));
    }
    match text.rsplit_once(':') {
        Some((directory, tag)) if !tag.contains('/') => (PathBuf::from(directory), Some(tag)),
        _ => (PathBuf::from(text), None),
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

    fn write(root: &Path, tag: &str, tree: &Tree) -> String {
        write_layout(root, tag, tree, &About::of(tree, "platform", None)).unwrap()
    }

    #[test]
    fn artifacts_are_found_by_tag_and_by_digest() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("layout");
        let (one, two) = (tree("1"), tree("2"));
        let first = write(&root, "v1", &one);
        let read =
            |reference| read_layout(&root, reference).map(|(tree, _)| tree).map_err(|why| why.to_string());
        let only = read(None).unwrap();
        assert_eq!((only.digest(), &only.provenance.id), (one.digest(), &Some(first.clone())));
        assert_eq!((only.provenance.source.as_str(), only.provenance.kind), ("platform", SourceKind::Oci));
        write(&root, "v2", &two);
        assert!(read(None).unwrap_err().ends_with("there are v1, v2: name one, as oci:DIR:TAG"));
        assert_eq!(read(Some("v2")).unwrap().digest(), two.digest());
        assert_eq!(read(Some(&first)).unwrap().digest(), one.digest());
        assert!(read(Some("v3")).unwrap_err().ends_with("no artifact `v3`; there are v1, v2"));
        // A tag moves.
        assert_eq!(write(&root, "v2", &one), first);
        assert_eq!(read(Some("v2")).unwrap().digest(), one.digest());
    }

    #[test]
    fn bytes_that_are_not_those_of_their_digest_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "v1", &tree("1"));
        let blobs: Vec<PathBuf> = fs::read_dir(folder.path().join("blobs/sha256"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        let mut refused = 0;
        for blob in blobs {
            let before = fs::read(&blob).unwrap();
            let mut after = before.clone();
            after[5] ^= 1;
            fs::write(&blob, after).unwrap();
            match read_layout(folder.path(), None) {
                Err(why) => {
                    refused += 1;
                    assert!(
                        why.to_string().ends_with(": its bytes are others; copy the layout again"),
                        "{why}"
                    );
                }
                // Nothing is decided by the configuration.
                Ok((tree, _)) => assert_eq!(tree.iter().count(), 1),
            }
            fs::write(&blob, before).unwrap();
        }
        assert_eq!(refused, 2, "manifest and archive");
        let why = read_layout(&folder.path().join("blobs"), None).unwrap_err().to_string();
        assert!(why.contains(": no OCI layout: "), "{why}");
    }

    #[test]
    fn a_reference_is_a_directory_and_maybe_a_tag_or_a_digest() {
        for (text, directory, reference) in [
            ("a/b", "a/b", None),
            ("a/b:v1", "a/b", Some("v1")),
            ("a:b/c", "a:b/c", None),
            ("a/b@sha256:00", "a/b", Some("sha256:00")),
        ] {
            assert_eq!(layout_reference(text), (PathBuf::from(directory), reference), "{text}");
        }
    }
}
