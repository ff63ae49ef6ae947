//! A commit as git stores it, read byte by byte: what was signed is exactly these bytes without the signature's header
//! (git, `commit.c`, `parse_signed_commit`). What git itself never writes is refused, because programs read it in
//! different ways.

use std::str::from_utf8;

/// The hash by which a repository names its objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectHash {
    /// 20 bytes; checked with collision detection.
    Sha1,
    /// 32 bytes.
    Sha256,
}

/// What of a commit decides whether it is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// The id of its tree, in hexadecimal.
    pub tree: String,
    /// The ids of its parents.
    pub parents: Vec<String>,
    /// Who made it, as the commit itself says.
    pub committer: String,
    /// When, in seconds since 1970.
    pub time: i64,
    /// How it is signed.
    pub signed: Signed,
}

/// How a commit is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signed {
    /// Not at all.
    No,
    /// Once.
    Once {
        /// The signature, as it stands in its header.
        signature: String,
        /// What was signed.
        payload: Vec<u8>,
    },
    /// By several headers, or by one of the other hash: programs disagree about which counts.
    Several,
}

impl ObjectHash {
    /// The hash of an id by its length.
    pub fn of(id: &str) -> Option<Self> {
        let is_hex = id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        match id.len() {
            40 if is_hex => Some(Self::Sha1),
            64 if is_hex => Some(Self::Sha256),
            _ => None,
        }
    }

    /// The word before an id: `sha1:<40>`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
        }
    }

    /// The header that holds signatures over objects of this hash (git, `gpg_sig_headers`).
    fn signature_header(self) -> &'static [u8] {
        match self {
            Self::Sha1 => b"gpgsig",
            Self::Sha256 => b"gpgsig-sha256",
        }
    }
}

impl Commit {
    /// Reads the bytes of a commit without the object's own header.
    ///
    /// # Errors
    /// What git would never write, in a few words.
    pub fn read(bytes: &[u8], hash: ObjectHash) -> Result<Self, String> {
        let (head, payload) = Head::read(bytes, hash)?;
        let mut lines = head.lines.iter().peekable();
        let mut next = |name: &str| {
            let line = lines.next_if(|(found, _)| found == name.as_bytes());
            line.map(|(_, value)| value.as_slice())
        };
        let tree = id(next("tree"), hash)?.ok_or("it has no tree where git writes it")?;
        let mut parents = Vec::new();
        while let Some(parent) = id(next("parent"), hash)? {
            parents.push(parent);
        }
        next("author").ok_or("it has no author where git writes it")?;
        let committer = next("committer").ok_or("it has no committer where git writes it")?;
        let (committer, time) = made(committer).ok_or("its committer is not written as git does it")?;
        const ONCE: [&[u8]; 4] = [b"tree", b"parent", b"author", b"committer"];
        if lines.any(|(name, _)| ONCE.contains(&name.as_slice())) {
            return Err("it has a tree, parent, author or committer where git writes none".to_owned());
        }
        let signed = match head.signatures.as_slice() {
            [] => Signed::No,
            [one] if one.is_ours => Signed::Once { signature: text(&one.value)?, payload },
            _ => Signed::Several,
        };
        Ok(Self { tree, parents, committer, time, signed })
    }

    /// The address of its committer.
    pub fn email(&self) -> &str {
        let inner = self.committer.rsplit_once('<').map_or("", |(_, address)| address);
        inner.trim_end_matches('>')
    }
}

/// The headers of a commit.
struct Head {
    /// Name and value, continued lines joined; without those of signatures.
    lines: Vec<(Vec<u8>, Vec<u8>)>,
    signatures: Vec<Header>,
}

struct Header {
    is_ours: bool,
    value: Vec<u8>,
}

impl Head {
    /// The headers, and all bytes but those of signatures.
    fn read(bytes: &[u8], hash: ObjectHash) -> Result<(Self, Vec<u8>), String> {
        let mut head = Self { lines: Vec::new(), signatures: Vec::new() };
        let (mut payload, mut rest, mut in_signature) = (Vec::new(), bytes, false);
        loop {
            let end = rest.iter().position(|byte| *byte == b'\n').ok_or("its headers have no end")?;
            let (line, after) = rest.split_at_checked(end.saturating_add(1)).unwrap_or((rest, &[]));
            let content = line.strip_suffix(b"\n").unwrap_or(line);
            if content.is_empty() {
                payload.extend_from_slice(rest);
                return Ok((head, payload));
            }
            if content.contains(&0) {
                return Err("its headers hold a NUL".to_owned());
            }
            in_signature = head.add(content, in_signature, hash)?;
            if !in_signature {
                payload.extend_from_slice(line);
            }
            rest = after;
        }
    }

    /// Takes a line; whether it is of a signature.
    fn add(&mut self, line: &[u8], in_signature: bool, hash: ObjectHash) -> Result<bool, String> {
        if let Some(continued) = line.strip_prefix(b" ") {
            let value = if in_signature {
                self.signatures.last_mut().map(|header| &mut header.value)
            } else {
                self.lines.last_mut().map(|(_, value)| value)
            };
            let value = value.ok_or("it begins with the continuation of a header")?;
            value.push(b'\n');
            value.extend_from_slice(continued);
            return Ok(in_signature);
        }
        let at = line.iter().position(|byte| *byte == b' ').unwrap_or(line.len());
        let (name, value) = line.split_at_checked(at).unwrap_or((line, &[]));
        let value = value.strip_prefix(b" ").unwrap_or(value).to_vec();
        let is_signature = name.starts_with(b"gpgsig");
        if is_signature {
            // Behind one, programs look for parents or not.
            if !self.lines.iter().any(|(name, _)| name == b"committer") {
                return Err("it has a signature where git writes none, before its committer".to_owned());
            }
            self.signatures.push(Header { is_ours: name == hash.signature_header(), value });
        } else {
            self.lines.push((name.to_vec(), value));
        }
        Ok(is_signature)
    }
}

fn text(bytes: &[u8]) -> Result<String, String> {
    from_utf8(bytes).map(str::to_owned).map_err(|_| "its signature is no text".to_owned())
}

fn id(value: Option<&[u8]>, hash: ObjectHash) -> Result<Option<String>, String> {
    let Some(value) = value else { return Ok(None) };
    let id = from_utf8(value).ok().filter(|id| ObjectHash::of(id) == Some(hash));
    id.map(|id| Some(id.to_owned()))
        .ok_or_else(|| "it names a tree or a parent by no id of its hash".to_owned())
}

/// `Name <address> 1700000000 +0100`: the first part, and the seconds.
fn made(value: &[u8]) -> Option<(String, i64)> {
    let value = String::from_utf8_lossy(value);
    let (who, when) = value.rsplit_once("> ")?;
    let (seconds, zone) = when.split_once(' ')?;
    let sign = zone.strip_prefix(['+', '-'])?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(sign) || !is_number(seconds) || !who.contains('<') {
        return None;
    }
    Some((format!("{who}>"), seconds.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

    fn commit(headers: &str) -> Result<Commit, String> {
        let text = format!(
            "tree {TREE}\nparent {TREE}\nauthor A <a@x> 1 +0000\ncommitter B C <b@x> 1700000000 +0130\n{headers}\nsubject\n\n gpgsig body\n"
        );
        Commit::read(text.as_bytes(), ObjectHash::Sha1)
    }

    #[test]
    fn what_was_signed_is_all_but_the_signature() {
        let read = commit("gpgsig -----BEGIN\n one\n two\nencoding latin1\n").unwrap();
        let Signed::Once { signature, payload } = &read.signed else { panic!("{read:?}") };
        assert_eq!(signature, "-----BEGIN\none\ntwo");
        let without = commit("encoding latin1\n").unwrap();
        assert_eq!(without.signed, Signed::No);
        let payload = Commit::read(payload, ObjectHash::Sha1).unwrap();
        assert_eq!(payload, without);
        assert_eq!((read.email(), read.time, read.parents.len()), ("b@x", 1_700_000_000, 1));
        assert_eq!(read.tree, TREE);
    }

    #[test]
    fn two_signatures_and_one_of_the_other_hash_are_ambiguous() {
        for headers in
            ["gpgsig a\ngpgsig b\n", "gpgsig-sha256 a\n", "gpgsig a\ngpgsig-sha256 b\n", "gpgsigx a\n"]
        {
            assert_eq!(commit(headers).unwrap().signed, Signed::Several, "{headers}");
        }
    }

    #[test]
    fn what_git_never_writes_is_refused() {
        for headers in ["tree x\n", "parent x\n", "committer B <b@x> 2 +0000\n", "author A <a@x> 1 +0000\n"] {
            let why = commit(headers).unwrap_err();
            assert!(why.contains("where git writes none"), "{headers}: {why}");
        }
        assert_eq!(commit("a\0b\n").unwrap_err(), "its headers hold a NUL");
        let (tree, who) = (format!("tree {TREE}\n"), "author A <a@x> 1 +0000\ncommitter B <b@x> 1 +0000\n");
        for text in [format!("gpgsig x\n{tree}{who}\n"), format!("{tree}gpgsig x\n{who}\n")] {
            let why = Commit::read(text.as_bytes(), ObjectHash::Sha1).unwrap_err();
            assert!(why.contains("a signature where git writes none"), "{why}");
        }
        for text in ["", "tree x", " a\n\n", "author A <a@x> 1 +0000\n\n"] {
            Commit::read(text.as_bytes(), ObjectHash::Sha1).unwrap_err();
        }
        let other = format!("tree {TREE}\nauthor A <a> 1 +0\ncommitter B <b> x +0000\n\n");
        let why = Commit::read(other.as_bytes(), ObjectHash::Sha1).unwrap_err();
        assert_eq!(why, "its committer is not written as git does it");
        Commit::read(format!("tree {TREE}\n\n").as_bytes(), ObjectHash::Sha256).unwrap_err();
    }
}
