//! Names of a tree's entries: one file system takes them as another does, and people see what they are.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization;

use super::EntryKind;

/// The longest path, in bytes.
const PATH_BYTES: usize = 240;

/// How many folders deep, the file itself counted.
const DEPTH: usize = 16;

/// The names that there are, as file systems compare them that do not tell upper from lower case or forms of a
/// character.
#[derive(Default)]
pub(super) struct Seen(BTreeMap<String, (Vec<u8>, bool)>);

impl Seen {
    /// Adds a path and the folders that it goes through. What is wrong where another entry has the same name.
    pub(super) fn add(&mut self, path: &[u8], kind: EntryKind) -> Option<String> {
        let text = std::str::from_utf8(path).ok()?;
        let ends = text.match_indices('/').map(|(end, _)| end);
        for folder in ends.filter_map(|end| text.get(..end)) {
            if let Some(fault) = self.meet(folder, true) {
                return Some(fault);
            }
        }
        self.meet(text, kind == EntryKind::Directory)
    }

    fn meet(&mut self, path: &str, is_folder: bool) -> Option<String> {
        let folded = path.nfc().collect::<String>().to_lowercase().nfc().collect();
        let Some((other, other_is_folder)) = self.0.get(&folded) else {
            self.0.insert(folded, (path.as_bytes().to_vec(), is_folder));
            return None;
        };
        if other != path.as_bytes() {
            let other = shown(other);
            return Some(format!(
                "can't be told from {other} everywhere, by case or form of a character; rename one"
            ));
        }
        let is_twice = !(is_folder && *other_is_folder);
        is_twice
            .then(|| format!("{} is there twice; make the source again, with each name once", shown(other)))
    }
}

/// What is wrong with a path.
pub(super) fn fault(path: &[u8]) -> Option<String> {
    let Ok(text) = std::str::from_utf8(path) else {
        return Some("the name is not UTF-8; rename it".to_owned());
    };
    let parts = text.split('/');
    let fault = if text.is_empty() {
        "an empty name; make the source again without it".to_owned()
    } else if text.starts_with('/') {
        "an absolute path; write it from the tree's root".to_owned()
    } else if text.contains('\\') {
        "a backslash in the name; rename it".to_owned()
    } else if text.chars().any(char::is_control) {
        "a control character in the name; rename it".to_owned()
    } else if parts.clone().any(|part| part.is_empty() || part == "." || part == "..") {
        "an empty part, `.` or `..` in the path; write it as `folder/name`".to_owned()
    } else if text.len() > PATH_BYTES {
        format!("the path is longer than {PATH_BYTES} bytes; shorten it")
    } else if parts.count() > DEPTH {
        format!("more than {DEPTH} folders deep; move it up")
    } else {
        return None;
    };
    Some(fault)
}

/// A path in a line of text, whatever it is.
pub(super) fn shown(path: &[u8]) -> String {
    let text = String::from_utf8_lossy(path);
    // A name without end would hide what is said of it.
    let cut: String = text.chars().take(PATH_BYTES).flat_map(shown_character).collect();
    if text.is_empty() { "\"\"".to_owned() } else { cut }
}

fn shown_character(character: char) -> Vec<char> {
    if character.is_control() { character.escape_default().collect() } else { vec![character] }
}

#[cfg(test)]
mod tests {
    use super::super::{Entry, EntryKind, accept};

    fn refused(paths: &[&[u8]]) -> String {
        let file = |path: &&[u8]| Entry { path: path.to_vec(), kind: EntryKind::File, content: Vec::new() };
        accept(paths.iter().map(file).collect()).unwrap_err().to_string()
    }

    #[test]
    fn a_name_that_could_mean_another_file_is_refused() {
        let (long, deep) = ("a".repeat(241), "a/".repeat(16) + "a");
        let (longest, deepest) = ("a".repeat(240), "a/".repeat(15) + "a");
        for (path, expected) in [
            (b"".as_slice(), "\"\": an empty name; make the source again without it"),
            (b"/a.rego", "/a.rego: an absolute path; write it from the tree's root"),
            (b"./a.rego", "./a.rego: an empty part, `.` or `..` in the path; write it as `folder/name`"),
            (b"a/../a.md", "a/../a.md: an empty part, `.` or `..` in the path; write it as `folder/name`"),
            (b"a//b.rego", "a//b.rego: an empty part, `.` or `..` in the path; write it as `folder/name`"),
            (b"a/", "a/: an empty part, `.` or `..` in the path; write it as `folder/name`"),
            (b"a\\b.rego", "a\\b.rego: a backslash in the name; rename it"),
            (b"a\0.rego", "a\\u{0}.rego: a control character in the name; rename it"),
            (b"a\n.md", "a\\n.md: a control character in the name; rename it"),
            ("a\u{85}.rego".as_bytes(), "a\\u{85}.rego: a control character in the name; rename it"),
            (b"a\xff.rego", "a\u{fffd}.rego: the name is not UTF-8; rename it"),
        ] {
            assert_eq!(refused(&[path, b"z.rego"]), expected);
        }
        assert!(refused(&[long.as_bytes()]).ends_with("longer than 240 bytes; shorten it"));
        assert!(refused(&[deep.as_bytes()]).ends_with("more than 16 folders deep; move it up"));
        let file = |path: &str| Entry { path: path.into(), kind: EntryKind::File, content: Vec::new() };
        accept(vec![file(&longest), file(&deepest)]).unwrap();
    }

    #[test]
    fn names_that_some_file_system_takes_for_one_are_refused() {
        let same = "can't be told from";
        for (paths, expected) in [
            ([b"a.rego".as_slice(), b"A.rego"], same),
            (["\u{e9}.md".as_bytes(), "e\u{301}.md".as_bytes()], same),
            (["\u{c9}.md".as_bytes(), "e\u{301}.md".as_bytes()], same),
            ([b"dir/a.rego", b"Dir/b.rego"], same),
            ([b"dir/a.rego", b"DIR"], same),
            ([b"a.rego", b"a.rego"], "a.rego is there twice"),
            ([b"a", b"a/b.rego"], "a is there twice"),
        ] {
            let mut reversed = paths;
            reversed.reverse();
            assert!(refused(&paths).contains(expected), "{}", refused(&paths));
            assert_eq!(refused(&paths), refused(&reversed));
        }
    }

    #[test]
    fn a_folder_may_be_said_more_than_once() {
        let folder = || Entry { path: b"a".to_vec(), kind: EntryKind::Directory, content: Vec::new() };
        let file = Entry { path: b"a/b.rego".to_vec(), kind: EntryKind::File, content: Vec::new() };
        assert_eq!(accept(vec![folder(), file, folder()]).unwrap().tree.iter().count(), 1);
    }
}
