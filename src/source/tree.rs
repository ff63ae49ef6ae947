//! Which entries of a directory, an archive or a commit are a policies' tree: the same rules for every source, so that
//! equal files have one digest. Pure: whoever reads a source hands over what is there.
//!
//! Nothing is ever written where a name says, so a hostile name can't do harm here; it is refused because other programs
//! would read another tree from it, and because nobody who reviews a change sees it.

mod names;

use std::fmt;

use self::names::Seen;
use crate::policy::Tree;

/// The largest file that is taken, in bytes.
pub const FILE_BYTES: usize = 1 << 20;

/// The largest tree, in bytes: all files that are taken, together.
pub const TREE_BYTES: usize = 32 << 20;

/// How many files a tree has at the most.
pub const FILES: usize = 5_000;

/// How many refusals are listed.
const LISTED: usize = 20;

/// Endings of files that are taken. In another case they are taken too, and refused where they are read. Keys of image
/// trust lie in the tree.
const ENDINGS: [&str; 6] = ["rego", "yaml", "yml", "json", "pem", "pub"];

/// What an archive says of itself. It is of no digest, because it holds one.
const MANIFEST: &str = ".manifest";

/// Its signatures.
const SIGNATURES: &str = ".signatures.json";

/// What Git LFS puts in the place of a file.
const LFS_POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";

/// Something that a source has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// Its path from the tree's root, as the source writes it, without a `/` at its end.
    pub path: Vec<u8>,
    /// What it is.
    pub kind: EntryKind,
    /// The bytes of a file that [`is_taken`]; else empty. Of a larger file than [`FILE_BYTES`] one byte more is enough.
    pub content: Vec<u8>,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A folder.
    Directory,
    /// A link, symbolic or hard.
    Link,
    /// Another repository's commit.
    Submodule,
    /// A device, a pipe, a socket, or what an archive's format knows besides.
    Special,
}

/// What a source has, once it is accepted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// The files that are taken.
    pub tree: Tree,
    /// What the archive says of itself.
    pub manifest: Option<Vec<u8>>,
    /// Its signatures.
    pub signatures: Option<Vec<u8>>,
    /// How many files are not taken: other endings, and names that begin with a dot.
    pub skipped: usize,
}

/// Why what a source has is no tree: the first faults in the order of paths.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Unacceptable {
    faults: Vec<String>,
    total: usize,
}

impl fmt::Display for Unacceptable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.faults.join("\n"))?;
        match self.total.checked_sub(self.faults.len()) {
            None | Some(0) => Ok(()),
            Some(more) => write!(f, "\n… and {more} more"),
        }
    }
}

impl Unacceptable {
    /// One thing that is wrong, and what to do.
    pub(super) fn because(fault: impl Into<String>) -> Self {
        Self { faults: vec![fault.into()], total: 1 }
    }
}

/// Whether the content of a file of this path decides anything; others are skipped, and need not be read.
pub fn is_taken(path: &[u8]) -> bool {
    std::str::from_utf8(path).is_ok_and(|path| is_of_tree(path) || [MANIFEST, SIGNATURES].contains(&path))
}

/// Accepts all entries, or none.
///
/// # Errors
/// Names, kinds and sizes that no tree has, also of what would be skipped.
pub fn accept(mut entries: Vec<Entry>) -> Result<Accepted, Unacceptable> {
    entries.sort();
    let (mut accepted, mut seen, mut faults) = (Accepted::default(), Seen::default(), Vec::new());
    let (mut count, mut bytes) = (0_usize, 0_usize);
    for Entry { path, kind, content } in entries {
        let fault = names::fault(&path)
            .or_else(|| seen.add(&path, kind))
            .or_else(|| of_kind(kind).map(str::to_owned));
        let fault = fault
            .or_else(|| misspelt(kind, &path))
            .or_else(|| of_content(&path, &content).map(str::to_owned));
        if let Some(fault) = fault {
            faults.push(format!("{}: {fault}", names::shown(&path)));
            continue;
        }
        let (EntryKind::File, Ok(path)) = (kind, String::from_utf8(path)) else { continue };
        match path.as_str() {
            MANIFEST => accepted.manifest = Some(content),
            SIGNATURES => accepted.signatures = Some(content),
            taken if is_of_tree(taken) => {
                count = count.saturating_add(1);
                bytes = bytes.saturating_add(content.len());
                accepted.tree.insert(path, content);
            }
            _ => accepted.skipped = accepted.skipped.saturating_add(1),
        }
    }
    faults.extend(too_much(count, bytes));
    let total = faults.len();
    if total == 0 {
        return Ok(accepted);
    }
    faults.truncate(LISTED);
    Err(Unacceptable { faults, total })
}

/// That the files are larger than any tree; told where reading them ends.
pub(super) fn too_large() -> String {
    format!("the tree is larger than {} MiB; is this a policies' tree?", TREE_BYTES >> 20)
}

fn too_much(count: usize, bytes: usize) -> Option<String> {
    if bytes > TREE_BYTES {
        return Some(too_large());
    }
    (count > FILES).then(|| {
        format!("{count} files; a policies' tree has at most {FILES}: split it, or name a folder of it")
    })
}

fn is_of_tree(path: &str) -> bool {
    let ending = path.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    let is_hidden = path.split('/').any(|part| part.starts_with('.'));
    !is_hidden && ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
}

/// An ending that is a slip away from one of a policies' tree: the file would be passed over without a word.
fn misspelt(kind: EntryKind, path: &[u8]) -> Option<String> {
    let path = std::str::from_utf8(path).ok().filter(|path| kind == EntryKind::File && !is_of_tree(path))?;
    let name = path.rsplit('/').next().filter(|_| !path.split('/').any(|part| part.starts_with('.')))?;
    let ending = name.rsplit_once('.')?.1.to_ascii_lowercase();
    // One is near to `yml`, and is none of ours.
    let meant = ENDINGS.iter().find(|one| ending != "xml" && strsim::osa_distance(one, &ending) == 1)?;
    Some(format!("a file `.{ending}` would be passed over; did you mean `.{meant}`?"))
}

fn of_kind(kind: EntryKind) -> Option<&'static str> {
    match kind {
        EntryKind::File | EntryKind::Directory => None,
        EntryKind::Link => Some("a link; what it leads to was not reviewed: put the file itself there"),
        EntryKind::Submodule => {
            Some("a submodule; its files are no part of the commit: put them there, or name their repository")
        }
        EntryKind::Special => {
            Some("neither a file nor a folder; a policies' tree holds nothing else: remove it")
        }
    }
}

fn of_content(path: &[u8], content: &[u8]) -> Option<&'static str> {
    if !is_taken(path) {
        return None;
    }
    if content.len() > FILE_BYTES {
        return Some("larger than 1 MiB; split it, or move it out of the policies' tree");
    }
    content
        .starts_with(LFS_POINTER)
        .then_some("a pointer of Git LFS, not the file; keep files of policies in Git itself")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(path: &str, kind: EntryKind, content: &str) -> Entry {
        Entry { path: path.as_bytes().to_vec(), kind, content: content.as_bytes().to_vec() }
    }

    fn file(path: &str) -> Entry {
        entry(path, EntryKind::File, "x")
    }

    fn refused(entries: Vec<Entry>) -> String {
        accept(entries).map_or_else(|why| why.to_string(), |accepted| format!("accepted {accepted:?}"))
    }

    #[test]
    fn files_of_policies_are_taken_and_others_counted() {
        let paths = [
            "a/b/b.rego",
            "x.yaml",
            "y.yml",
            "z.json",
            "W.REGO",
            "keys/a.pub",
            "b.pem",
            ".manifest",
            ".signatures.json",
        ];
        let skipped = ["README.md", ".git/config.json", "a/.hidden.rego", "a/.manifest", "rego", "a/yaml"];
        let mut entries: Vec<Entry> = paths.iter().chain(&skipped).map(|path| file(path)).collect();
        entries.push(entry("a", EntryKind::Directory, ""));
        let accepted = accept(entries).unwrap();
        let names: Vec<&str> = accepted.tree.iter().map(|(path, _)| path).collect();
        assert_eq!(names, ["W.REGO", "a/b/b.rego", "b.pem", "keys/a.pub", "x.yaml", "y.yml", "z.json"]);
        assert_eq!(
            (accepted.skipped, accepted.manifest, accepted.signatures),
            (6, Some(b"x".to_vec()), Some(b"x".to_vec()))
        );
    }

    #[test]
    fn an_ending_that_is_a_slip_away_is_refused() {
        let of = |path: &str| {
            accept(vec![file(path)]).map(|accepted| accepted.skipped).map_err(|why| why.to_string())
        };
        for (path, meant) in [
            ("a/team.reog", "rego"),
            ("bindings.ymal", "yaml"),
            ("b.yl", "yml"),
            ("c.JSN", "json"),
            ("d.regos", "rego"),
        ] {
            let why = of(path).unwrap_err();
            assert!(why.starts_with(path) && why.ends_with(&format!("did you mean `.{meant}`?")), "{why}");
        }
        for path in
            ["README.md", "a.xml", "a.toml", "CODEOWNERS", ".github/a.ymal", "a.txt", "a.sh", "a.lock"]
        {
            assert_eq!(of(path), Ok(1), "{path}");
        }
    }

    #[test]
    fn what_is_no_file_is_refused_also_where_it_would_be_skipped() {
        for (kind, what) in [
            (EntryKind::Link, "a link; "),
            (EntryKind::Submodule, "a submodule; "),
            (EntryKind::Special, "neither a file nor a folder; "),
        ] {
            for path in ["a.rego", "README.md", ".hidden"] {
                let why = refused(vec![file("b.rego"), entry(path, kind, "")]);
                assert!(why.starts_with(&format!("{path}: {what}")), "{why}");
            }
        }
    }

    #[test]
    fn a_pointer_and_a_file_that_is_too_large_are_refused_where_they_would_be_taken() {
        let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n";
        assert!(
            refused(vec![entry("a.yaml", EntryKind::File, pointer)])
                .starts_with("a.yaml: a pointer of Git LFS")
        );
        assert_eq!(accept(vec![entry("a.png", EntryKind::File, pointer)]).unwrap().skipped, 1);
        let large = "x".repeat(FILE_BYTES + 1);
        assert!(
            refused(vec![entry("a.yaml", EntryKind::File, &large)])
                .starts_with("a.yaml: larger than 1 MiB; ")
        );
        let largest = "x".repeat(FILE_BYTES);
        accept(vec![entry("a.yaml", EntryKind::File, &largest)]).unwrap();
    }

    #[test]
    fn a_tree_has_limits() {
        let many = |count: usize| (0..count).map(|n| file(&format!("{n}.yaml"))).collect::<Vec<_>>();
        accept(many(FILES)).unwrap();
        assert!(refused(many(FILES + 1)).starts_with("5001 files; "));
        let full = "x".repeat(FILE_BYTES);
        let large =
            |count: usize| (0..count).map(|n| entry(&format!("{n}.yaml"), EntryKind::File, &full)).collect();
        accept(large(32)).unwrap();
        assert_eq!(refused(large(33)), "the tree is larger than 32 MiB; is this a policies' tree?");
    }

    #[test]
    fn the_first_twenty_are_named() {
        let links = (10..50).map(|n| entry(&format!("{n}"), EntryKind::Link, "")).collect();
        let why = refused(links);
        assert_eq!(why.lines().count(), 21);
        assert!(why.starts_with("10: a link") && why.ends_with("\n… and 20 more"), "{why}");
    }

    fn any_entry() -> impl Strategy<Value = Entry> {
        let path = "(a|A|\u{e9}|e\u{301}|\\.\\.|\\.git|b)(/(a|b|B|\\.)){0,2}(\\.rego|\\.yaml|\\.md)?";
        let kind = prop_oneof![
            6 => Just(EntryKind::File), 2 => Just(EntryKind::Directory), 1 => Just(EntryKind::Link),
        ];
        (path, kind, "[xy]{0,2}").prop_map(|(path, kind, content)| entry(&path, kind, &content))
    }

    proptest! {
        #[test]
        fn the_order_of_entries_makes_no_difference(
            (entries, mixed) in prop::collection::vec(any_entry(), 0..8)
                .prop_flat_map(|entries| (Just(entries.clone()), Just(entries).prop_shuffle()))
        ) {
            let (one, other) = (accept(entries), accept(mixed));
            match (&one, &other) {
                (Ok(one), Ok(other)) => prop_assert_eq!(one.tree.digest(), other.tree.digest()),
                _ => prop_assert_eq!(one, other),
            }
        }

        #[test]
        fn what_is_accepted_is_accepted_again(entries in prop::collection::vec(any_entry(), 0..8)) {
            if let Ok(accepted) = accept(entries) {
                let again = accepted.tree.iter().map(|(path, content)| Entry {
                    path: path.as_bytes().to_vec(), kind: EntryKind::File, content: content.to_vec(),
                });
                prop_assert_eq!(accept(again.collect()).unwrap().tree, accepted.tree);
            }
        }
    }
}
