//! From a commit's id to files: each object is hashed again, so that what is read is what the id names, whatever brought
//! it. The same for what was fetched just now and for what is kept on disk.

use std::collections::BTreeMap;

use gix::ObjectId;
use gix::hash::Kind as Hash;
use gix::objs::tree::EntryKind as Mode;
use gix::objs::{Kind, TreeRefIter, compute_hash};

use crate::policy::Tree;
use crate::source::refusal::{Reason, Refusal};
use crate::source::tree::{Accepted, Entry, EntryKind, FILE_BYTES, TREE_BYTES, accept, is_taken, too_large};
use crate::source::trust::{Commit, ObjectHash};

/// How many entries a commit's folder may have, also such as are skipped.
const ENTRIES: usize = 100_000;

/// Deeper folders are no part of any policies' tree; they are refused by their names.
const DEPTH: usize = 20;

/// Where the bytes of objects come from. None of it is trusted.
pub(super) trait Objects {
    /// The bytes of a commit or a tree.
    fn object(&self, id: &str, kind: Kind) -> Result<Vec<u8>, String>;

    /// Those of a file; one that is larger than [`FILE_BYTES`] may be given as so many bytes and one.
    fn file(&self, id: &str) -> Result<Vec<u8>, String>;
}

/// A commit with its files, and all that proves that they are its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The commit's id, in hexadecimal.
    pub id: String,
    /// What of it decides whether it is trusted.
    pub commit: Commit,
    /// The files below the configured folder.
    pub accepted: Accepted,
    /// What leads from the id to the files.
    pub proof: Proof,
}

/// The objects that lead from a commit to its files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// The commit's bytes.
    pub commit: Vec<u8>,
    /// Those of trees, by id.
    pub trees: BTreeMap<String, Vec<u8>>,
}

impl Proof {
    /// The commit `id` of these objects, with the files below `folder`, which are `tree`.
    ///
    /// # Errors
    /// Anything that is not what the id names.
    pub fn verify(&self, id: &str, folder: &str, tree: &Tree) -> Result<Snapshot, Refusal> {
        let hash = ObjectHash::of(id).ok_or_else(|| tampered(id, "is no id of a commit"))?;
        let mut files = BTreeMap::new();
        for (path, content) in tree.iter() {
            let blob = compute_hash(kind_of(hash), Kind::Blob, content);
            files
                .insert(blob.map_err(|_| tampered(path, "collides with another file"))?.to_string(), content);
        }
        let snapshot = read(&Kept { proof: self, files }, id, folder)?;
        // Files that no tree of the commit names would be left out otherwise.
        if snapshot.accepted.tree.digest() != tree.digest() {
            return Err(tampered(id, "has other files"));
        }
        Ok(snapshot)
    }
}

/// What is kept on disk.
struct Kept<'a> {
    proof: &'a Proof,
    files: BTreeMap<String, &'a [u8]>,
}

impl Objects for Kept<'_> {
    fn object(&self, id: &str, kind: Kind) -> Result<Vec<u8>, String> {
        let bytes = if kind == Kind::Commit { Some(&self.proof.commit) } else { self.proof.trees.get(id) };
        bytes.cloned().ok_or_else(|| "is not there".to_owned())
    }

    fn file(&self, id: &str) -> Result<Vec<u8>, String> {
        self.files.get(id).map(|content| content.to_vec()).ok_or_else(|| "is not there".to_owned())
    }
}

/// Reads a commit and the files below `folder`; an empty one is all of them.
pub(super) fn read(objects: &dyn Objects, id: &str, folder: &str) -> Result<Snapshot, Refusal> {
    let hash = ObjectHash::of(id).ok_or_else(|| tampered(id, "is no id of a commit"))?;
    let mut walk =
        Walk { objects, hash: kind_of(hash), trees: BTreeMap::new(), entries: Vec::new(), bytes: 0 };
    let bytes = walk.object(id, Kind::Commit)?;
    let commit = Commit::read(&bytes, hash)
        .map_err(|why| tampered(id, &format!("is no commit as git writes it: {why}")))?;
    let root = walk.folder(&commit.tree, folder)?;
    walk.below(&root, b"", 0)?;
    let accepted = accept(walk.entries).map_err(|why| Refusal::new(Reason::Files, why.to_string()))?;
    let proof = Proof { commit: bytes, trees: walk.trees };
    Ok(Snapshot { id: id.to_owned(), commit, accepted, proof })
}

/// The bytes of a commit, which are what its id names.
pub(super) fn commit(objects: &dyn Objects, id: &str) -> Result<Commit, Refusal> {
    let hash = ObjectHash::of(id).ok_or_else(|| tampered(id, "is no id of a commit"))?;
    let walk = Walk { objects, hash: kind_of(hash), trees: BTreeMap::new(), entries: Vec::new(), bytes: 0 };
    let bytes = walk.object(id, Kind::Commit)?;
    Commit::read(&bytes, hash).map_err(|why| tampered(id, &format!("is no commit as git writes it: {why}")))
}

pub(super) fn kind_of(hash: ObjectHash) -> Hash {
    match hash {
        ObjectHash::Sha1 => Hash::Sha1,
        ObjectHash::Sha256 => Hash::Sha256,
    }
}

fn tampered(what: &str, why: &str) -> Refusal {
    Refusal::new(Reason::Tampered, format!("{what} {why}"))
}

struct Walk<'a> {
    objects: &'a dyn Objects,
    hash: Hash,
    trees: BTreeMap<String, Vec<u8>>,
    entries: Vec<Entry>,
    bytes: usize,
}

impl Walk<'_> {
    /// The bytes of an object, which are what its id names.
    fn object(&self, id: &str, kind: Kind) -> Result<Vec<u8>, Refusal> {
        let bytes = self.objects.object(id, kind).map_err(|why| tampered(id, &why))?;
        self.check(id, kind, &bytes)?;
        Ok(bytes)
    }

    fn check(&self, id: &str, kind: Kind, bytes: &[u8]) -> Result<(), Refusal> {
        let found = compute_hash(self.hash, kind, bytes);
        match found {
            Ok(found) if ObjectId::from_hex(id.as_bytes()).is_ok_and(|id| id == found) => Ok(()),
            Ok(found) => Err(tampered(
                id,
                &format!("has the bytes of {found}; make the repository again from a good copy"),
            )),
            Err(_) => Err(tampered(id, "is made to collide with another object; look who made it")),
        }
    }

    fn tree(&mut self, id: &str) -> Result<Vec<u8>, Refusal> {
        let bytes = self.object(id, Kind::Tree)?;
        self.trees.insert(id.to_owned(), bytes.clone());
        Ok(bytes)
    }

    /// The tree of a folder.
    fn folder(&mut self, root: &str, folder: &str) -> Result<String, Refusal> {
        let mut id = root.to_owned();
        for part in folder.split('/').filter(|part| !part.is_empty()) {
            let bytes = self.tree(&id)?;
            let entries = self.parsed(&id, &bytes)?;
            let mut found = entries.iter().filter(|entry| entry.name == part.as_bytes());
            id = match (found.next(), found.next()) {
                (Some(TreeEntry { mode: Mode::Tree, id, .. }), None) => id.clone(),
                _ => {
                    let message = format!(
                        "source.git.path `{folder}`: the commit has no folder `{part}` there; correct the path"
                    );
                    return Err(Refusal::new(Reason::Files, message));
                }
            };
        }
        Ok(id)
    }

    fn parsed(&self, id: &str, bytes: &[u8]) -> Result<Vec<TreeEntry>, Refusal> {
        let entry = |entry: gix::objs::tree::EntryRef<'_>| TreeEntry {
            name: entry.filename.to_vec(),
            mode: entry.mode.kind(),
            id: entry.oid.to_string(),
        };
        let entries: Result<Vec<_>, _> =
            TreeRefIter::from_bytes(bytes, self.hash).map(|read| read.map(entry)).collect();
        entries.map_err(|_| tampered(id, "is no tree as git writes it"))
    }

    /// Takes all entries below a tree.
    fn below(&mut self, id: &str, prefix: &[u8], depth: usize) -> Result<(), Refusal> {
        let bytes = self.tree(id)?;
        for TreeEntry { name, mode, id } in self.parsed(id, &bytes)? {
            if self.entries.len() >= ENTRIES {
                let message = format!("more than {ENTRIES} entries; name a folder with source.git.path");
                return Err(Refusal::new(Reason::Files, message));
            }
            if name.contains(&b'/') {
                let name = String::from_utf8_lossy(&name).into_owned();
                let message = format!(
                    "`{}`: a `/` in one name of a tree, which git never writes; commit the files anew",
                    name.escape_debug()
                );
                return Err(Refusal::new(Reason::Files, message));
            }
            let path = if prefix.is_empty() { name } else { [prefix, b"/", &name].concat() };
            let (kind, content) = match mode {
                Mode::Tree if depth < DEPTH => {
                    self.entries.push(Entry {
                        path: path.clone(),
                        kind: EntryKind::Directory,
                        content: Vec::new(),
                    });
                    self.below(&id, &path, depth.saturating_add(1))?;
                    continue;
                }
                Mode::Tree => (EntryKind::Directory, Vec::new()),
                Mode::Blob | Mode::BlobExecutable => (EntryKind::File, self.file(&id, &path)?),
                Mode::Link => (EntryKind::Link, Vec::new()),
                Mode::Commit => (EntryKind::Submodule, Vec::new()),
            };
            self.entries.push(Entry { path, kind, content });
        }
        Ok(())
    }

    /// A file's bytes, where they are needed and there is room.
    fn file(&mut self, id: &str, path: &[u8]) -> Result<Vec<u8>, Refusal> {
        // What is not taken is skipped by `accept`, whatever is in it.
        if !is_taken(path) {
            return Ok(Vec::new());
        }
        let bytes = self.objects.file(id).map_err(|why| tampered(&String::from_utf8_lossy(path), &why))?;
        self.bytes = self.bytes.saturating_add(bytes.len());
        if self.bytes > TREE_BYTES {
            return Err(Refusal::new(Reason::Files, too_large()));
        }
        if bytes.len() <= FILE_BYTES {
            self.check(id, Kind::Blob, &bytes)?;
        }
        Ok(bytes)
    }
}

struct TreeEntry {
    name: Vec<u8>,
    mode: Mode,
    id: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Objects that lie in memory, by their ids.
    #[derive(Default)]
    struct Made(BTreeMap<String, Vec<u8>>);

    impl Made {
        fn add(&mut self, kind: Kind, bytes: Vec<u8>) -> ObjectId {
            let id = compute_hash(Hash::Sha1, kind, &bytes).unwrap();
            self.0.insert(id.to_string(), bytes);
            id
        }

        /// A commit of a tree with these files.
        fn commit(&mut self, files: &[(&str, ObjectId)]) -> String {
            let mut tree = Vec::new();
            for (name, id) in files {
                tree.extend_from_slice(format!("100644 {name}\0").as_bytes());
                tree.extend_from_slice(id.as_bytes());
            }
            let tree = self.add(Kind::Tree, tree);
            let who = "J <j@example.com> 1 +0000";
            let text = format!("tree {tree}\nauthor {who}\ncommitter {who}\n\nx\n");
            self.add(Kind::Commit, text.into_bytes()).to_string()
        }
    }

    impl Objects for Made {
        fn object(&self, id: &str, _: Kind) -> Result<Vec<u8>, String> {
            self.0.get(id).cloned().ok_or_else(|| "is not there".to_owned())
        }

        fn file(&self, id: &str) -> Result<Vec<u8>, String> {
            self.object(id, Kind::Blob)
        }
    }

    #[test]
    fn a_file_is_never_taken_as_an_empty_one() {
        let mut made = Made::default();
        let full = made.add(Kind::Blob, vec![b'x'; FILE_BYTES]);
        let least = made.add(Kind::Blob, b"y".to_vec());
        // What an archive says of itself counts, too, before the files that come after it.
        let names: Vec<String> = (0..32).map(|n| format!("{n:02}.yaml")).collect();
        let mut files: Vec<(&str, ObjectId)> = vec![(".manifest", full), (".signatures.json", full)];
        files.extend(names.iter().take(30).map(|name| (name.as_str(), full)));
        let id = made.commit(&files);
        assert_eq!(read(&made, &id, "").unwrap().accepted.tree.iter().count(), 30);
        files.push(("z.yaml", least));
        files.push(("zz.yaml", least));
        let id = made.commit(&files);
        let refusal = read(&made, &id, "").unwrap_err();
        assert_eq!((refusal.reason, refusal.message), (Reason::Files, too_large()));
    }

    #[test]
    fn a_name_of_a_tree_is_one_name() {
        let mut made = Made::default();
        let file = made.add(Kind::Blob, b"x".to_vec());
        for (name, is_refused) in [("x/y.rego", true), ("x/README.md", true), ("y.rego", false)] {
            let id = made.commit(&[(name, file)]);
            let found = read(&made, &id, "");
            assert_eq!(found.as_ref().is_err_and(|refusal| refusal.reason == Reason::Files), is_refused);
            assert_eq!(found.is_err(), is_refused, "{found:?}");
        }
    }
}
