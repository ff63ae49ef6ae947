//! A policies' tree as one file: a tar archive, compressed by gzip, that OPA reads as a bundle too. The same tree gives
//! the same bytes.
//!
//! Entries are read one by one into memory; nothing is ever unpacked to disk.

mod entries;
mod manifest;

use std::io::{self, Read, Write};

use flate2::read::MultiGzDecoder;
use flate2::{Compression, GzBuilder};
use tar::{Builder, EntryType, Header};

use super::tree::{Accepted, FILES, TREE_BYTES, Unacceptable, accept, too_large};
use crate::policy::Tree;
pub use manifest::About;

/// The largest archive, packed, in bytes.
pub const PACKED_BYTES: usize = 16 << 20;

/// How hard gzip tries: as hard as it can. Another level would make other bytes of the same tree.
const LEVEL: u32 = 9;

/// The name of what an archive says of itself.
const MANIFEST: &str = ".manifest";

/// An archive that is accepted, and what it says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    /// What is in it.
    pub accepted: Accepted,
    /// What its manifest says; None where it has none.
    pub about: Option<About>,
}

/// Writes a tree. `about` is what the archive says of itself.
///
/// # Errors
/// None of the system: everything is in memory. A path that tar can't write.
pub fn pack(tree: &Tree, about: &About) -> io::Result<Vec<u8>> {
    let gzip = GzBuilder::new().mtime(0).write(Vec::new(), Compression::new(LEVEL));
    let mut gzip = gzip;
    gzip.write_all(&tar(tree, about)?)?;
    gzip.finish()
}

/// The same, not compressed.
pub(super) fn tar(tree: &Tree, about: &About) -> io::Result<Vec<u8>> {
    let mut builder = Builder::new(Vec::new());
    // `.` sorts before what names of a tree begin with.
    add(&mut builder, MANIFEST, about.to_json().as_bytes())?;
    for (path, content) in tree.iter() {
        add(&mut builder, path, content)?;
    }
    builder.into_inner()
}

/// Reads an archive.
///
/// # Errors
/// What is no archive, more of it than there may be, what is in no tree, and a manifest that is of other files.
pub fn unpack(packed: &[u8]) -> Result<Archive, Unacceptable> {
    if packed.len() > PACKED_BYTES {
        let message = format!("an archive of more than {} MiB; is this a bundle?", PACKED_BYTES >> 20);
        return Err(Unacceptable::because(message));
    }
    let accepted = accept(entries::read(&inflated(packed)?)?)?;
    let about = accepted.manifest.as_deref().map(|text| About::read(text, &accepted.tree)).transpose()?;
    Ok(Archive { accepted, about })
}

fn add(builder: &mut Builder<Vec<u8>>, path: &str, content: &[u8]) -> io::Result<()> {
    let mut header = Header::new_ustar();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(u64::try_from(content.len()).unwrap_or(u64::MAX));
    builder.append_data(&mut header, path, content)
}

/// What gzip packed: all of it, so that its own check of length and sum is made.
fn inflated(packed: &[u8]) -> Result<Vec<u8>, Unacceptable> {
    // A tree, and what tar adds to each file: a header, and what is missing to whole blocks.
    let limit = FILES.saturating_mul(1024).saturating_add(TREE_BYTES);
    let mut bytes = Vec::new();
    let more_than = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let read = MultiGzDecoder::new(packed).take(more_than).read_to_end(&mut bytes);
    read.map_err(|error| {
        Unacceptable::because(format!(
            "no archive that gzip can read ({error}); write one with `meshgate bundle build`"
        ))
    })?;
    if bytes.len() > limit {
        return Err(Unacceptable::because(too_large()));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Digest;

    fn tree(files: &[(&str, &str)]) -> Tree {
        let mut tree = Tree::default();
        files.iter().for_each(|(path, content)| tree.insert(*path, *content));
        tree
    }

    fn packed(tree: &Tree) -> Vec<u8> {
        pack(tree, &About::of(tree, "platform", Some(7))).unwrap()
    }

    #[test]
    fn what_is_packed_is_unpacked_with_what_it_says_of_itself() {
        let long = format!("{}/{}/a.rego", "f".repeat(110), "g".repeat(110));
        let tree = tree(&[("a/b/b.rego", "x"), ("bindings.yaml", ""), (&long, "long"), ("ü.yaml", "y")]);
        let archive = unpack(&packed(&tree)).unwrap();
        assert_eq!(archive.accepted.tree, tree);
        let about = archive.about.unwrap();
        assert_eq!(
            (about.tree, about.sequence, about.source.as_deref()),
            (Some(tree.digest()), Some(7), Some("platform"))
        );
    }

    #[test]
    fn the_same_files_are_the_same_bytes() {
        let one = packed(&tree(&[("a.rego", "x"), ("b.rego", "y")]));
        assert_eq!(one, packed(&tree(&[("b.rego", "y"), ("a.rego", "x")])));
        // Nobody's name, no time: gzip's header is the method, no flags, no time, and how hard it tried.
        assert_eq!(one[..10], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255]);
    }

    #[test]
    fn an_archive_that_is_cut_or_changed_is_refused() {
        let whole = packed(&tree(&[("a.rego", "x"), ("b.rego", &"y".repeat(2000))]));
        for end in 0..whole.len() {
            unpack(&whole[..end]).unwrap_err();
        }
        for at in 10..whole.len() {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            // The last byte that is packed has bits that nobody reads.
            let same = |archive: Archive| assert_eq!(Ok(archive), unpack(&whole), "byte {at}");
            unpack(&changed).into_iter().for_each(same);
        }
        assert!(
            unpack(&vec![0; PACKED_BYTES + 1])
                .unwrap_err()
                .to_string()
                .starts_with("an archive of more than 16 MiB")
        );
        assert!(unpack(b"a.rego").unwrap_err().to_string().starts_with("no archive that gzip can read"));
    }

    #[test]
    fn what_unpacks_to_more_than_a_tree_is_refused() {
        let mut gzip = GzBuilder::new().write(Vec::new(), Compression::fast());
        gzip.write_all(&vec![0; 64 << 20]).unwrap();
        let why = unpack(&gzip.finish().unwrap()).unwrap_err().to_string();
        assert_eq!(why, "the tree is larger than 32 MiB; is this a policies' tree?");
    }

    #[test]
    fn a_manifest_of_other_files_is_refused() {
        let (one, other) = (tree(&[("a.rego", "x")]), tree(&[("a.rego", "y")]));
        let why = unpack(&pack(&one, &About::of(&other, "s", None)).unwrap()).unwrap_err().to_string();
        let digests = [other.digest(), one.digest()].map(|digest| Digest::short(&digest));
        assert_eq!(
            why,
            format!(
                ".manifest: the tree {} was packed, and {} is there; build the archive again",
                digests[0], digests[1]
            )
        );
    }
}
