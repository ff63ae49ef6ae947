//! The entries of a tar archive, read as strictly as archives can be: where two programs would read another thing from
//! the same bytes, neither is believed.

use std::io::{self, Read};

use tar::{Archive, Entry as Raw, EntryType, PaxExtensions};

use crate::source::tree::{Entry, EntryKind, FILE_BYTES, Unacceptable, is_taken};

/// The unit in which tar writes.
const BLOCK: usize = 512;

/// The longest name that is read before it is refused for its length, and the largest block of PAX records.
const NAME_BYTES: u64 = 64 << 10;

/// PAX records that change nothing that is read here.
const HARMLESS: [&str; 9] = ["path", "mtime", "atime", "ctime", "uid", "gid", "uname", "gname", "comment"];

/// Before names of PAX records that say no more either: attributes that some programs keep.
const ATTRIBUTES: [&str; 2] = ["SCHILY.xattr.", "LIBARCHIVE."];

/// Reads all entries of a whole archive.
///
/// # Errors
/// What is no archive of ustar, PAX or GNU tar, or one that is cut.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Entry>, Unacceptable> {
    let (mut entries, mut name, mut end) = (Vec::new(), None, 0);
    let mut archive = Archive::new(bytes);
    for raw in archive.entries().map_err(unreadable)?.raw(true) {
        let mut raw = raw.map_err(unreadable)?;
        if raw.header().as_ustar().is_none() && raw.header().as_gnu().is_none() {
            return Err(refuse("a header of neither ustar nor GNU tar"));
        }
        end = whole_blocks(&raw);
        match raw.header().entry_type() {
            EntryType::GNULongName if name.is_none() => name = Some(long_name(&mut raw)?),
            EntryType::XHeader if name.is_none() => name = pax(&mut raw, "path")?.or(name),
            EntryType::GNULongName | EntryType::XHeader => return Err(refuse("two names of one entry")),
            // The target of a link, which is refused itself.
            EntryType::GNULongLink => {}
            EntryType::XGlobalHeader => {
                if pax(&mut raw, "path")?.is_some() {
                    return Err(refuse("one name for all entries"));
                }
            }
            _ => entries.push(entry(&mut raw, name.take())?),
        }
    }
    let rest = bytes.get(end..).unwrap_or_default();
    if name.is_some() || rest.len() < BLOCK.saturating_mul(2) {
        return Err(refuse("it ends before its end"));
    }
    if rest.iter().any(|byte| *byte != 0) {
        return Err(refuse("there is something behind its end"));
    }
    Ok(entries)
}

fn entry(raw: &mut Raw<'_, impl Read>, name: Option<Vec<u8>>) -> Result<Entry, Unacceptable> {
    let kind = match raw.header().entry_type() {
        EntryType::Regular => EntryKind::File,
        EntryType::Directory => EntryKind::Directory,
        EntryType::Link | EntryType::Symlink => EntryKind::Link,
        _ => EntryKind::Special,
    };
    let mut path = name.unwrap_or_else(|| raw.header().path_bytes().into_owned());
    if kind == EntryKind::Directory && path.ends_with(b"/") {
        path.pop();
    }
    let mut content = Vec::new();
    if kind == EntryKind::File && is_taken(&path) {
        let limit = u64::try_from(FILE_BYTES).unwrap_or(u64::MAX).saturating_add(1);
        read_whole(raw, limit, &mut content)?;
    }
    Ok(Entry { path, kind, content })
}

/// Up to `limit` bytes of an entry, and no fewer than it says.
fn read_whole(raw: &mut Raw<'_, impl Read>, limit: u64, into: &mut Vec<u8>) -> Result<(), Unacceptable> {
    let expected = raw.size().min(limit);
    let read = raw.take(limit).read_to_end(into).map_err(unreadable)?;
    if u64::try_from(read).is_ok_and(|read| read == expected) {
        Ok(())
    } else {
        Err(refuse("it ends before its end"))
    }
}

fn long_name(raw: &mut Raw<'_, impl Read>) -> Result<Vec<u8>, Unacceptable> {
    let mut name = Vec::new();
    read_whole(raw, NAME_BYTES, &mut name)?;
    if name.last() == Some(&0) {
        name.pop();
    }
    Ok(name)
}

/// The record of this name, where there is one. Records that would change what is read are refused.
fn pax(raw: &mut Raw<'_, impl Read>, wanted: &str) -> Result<Option<Vec<u8>>, Unacceptable> {
    if raw.size() > NAME_BYTES {
        return Err(refuse("PAX records of more than 64 KiB"));
    }
    let (mut bytes, mut found) = (Vec::new(), None);
    read_whole(raw, NAME_BYTES, &mut bytes)?;
    for record in PaxExtensions::new(&bytes) {
        let record = record.map_err(unreadable)?;
        let key = String::from_utf8_lossy(record.key_bytes());
        let is_harmless = HARMLESS.contains(&&*key) || ATTRIBUTES.iter().any(|start| key.starts_with(start));
        if !is_harmless {
            return Err(refuse(&format!("the PAX record `{}`", key.escape_debug())));
        }
        if key == wanted {
            if found.is_some() {
                return Err(refuse("two names of one entry"));
            }
            found = Some(record.value_bytes().to_vec());
        }
    }
    Ok(found)
}

/// Where an entry's last block ends.
fn whole_blocks(raw: &Raw<'_, impl Read>) -> usize {
    let content = usize::try_from(raw.size()).unwrap_or(usize::MAX);
    let padded = content.div_ceil(BLOCK).saturating_mul(BLOCK);
    usize::try_from(raw.raw_file_position()).unwrap_or(usize::MAX).saturating_add(padded)
}

fn unreadable(error: io::Error) -> Unacceptable {
    refuse(&error.to_string())
}

fn refuse(what: &str) -> Unacceptable {
    Unacceptable::because(format!(
        "no archive that is read the same everywhere: {what}; write one with `meshgate bundle build`"
    ))
}

#[cfg(test)]
mod tests {
    use tar::{Builder, Header};

    use super::super::super::tree::accept;
    use super::*;

    fn header(kind: EntryType, path: &[u8], size: usize) -> Header {
        let mut header = Header::new_ustar();
        header.set_entry_type(kind);
        header.set_size(size.try_into().unwrap());
        header.as_old_mut().name[..path.len()].copy_from_slice(path);
        header.set_cksum();
        header
    }

    fn archive(entries: &[(EntryType, &[u8], &[u8])]) -> Vec<u8> {
        let mut builder = Builder::new(Vec::new());
        for (kind, path, content) in entries {
            builder.append(&header(*kind, path, content.len()), *content).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn names(bytes: &[u8]) -> Result<Vec<String>, String> {
        let entries = read(bytes).map_err(|why| why.to_string())?;
        Ok(entries.iter().map(|entry| String::from_utf8_lossy(&entry.path).into_owned()).collect())
    }

    fn refused(bytes: &[u8]) -> String {
        read(bytes).and_then(accept).unwrap_err().to_string()
    }

    #[test]
    fn names_are_read_from_each_form_that_tar_has() {
        let pax = b"18 path=p/ax.rego\n27 mtime=1700000000.123456\n".as_slice();
        let bytes = archive(&[
            (EntryType::XGlobalHeader, b"pax_global_header", b"15 comment=abc\n"),
            (EntryType::Directory, b"d/", b""),
            (EntryType::Regular, b"plain.rego", b"x"),
            (EntryType::GNULongName, b"././@LongLink", b"long.rego\0"),
            (EntryType::Regular, b"lo", b"y"),
            (EntryType::XHeader, b"PaxHeaders/p", pax),
            (EntryType::Regular, b"p", b"z"),
        ]);
        let names = names(&bytes).unwrap();
        assert_eq!(names, ["d", "plain.rego", "long.rego", "p/ax.rego"]);
    }

    #[test]
    fn what_other_programs_would_read_otherwise_is_refused() {
        use EntryType as T;
        for (entries, expected) in [
            (
                vec![(T::XHeader, b"p".as_slice(), b"10 size=1\n".as_slice()), (T::Regular, b"a", b"x")],
                "the PAX record `size`",
            ),
            (
                vec![(T::XHeader, b"p", b"22 GNU.sparse.major=1\n"), (T::Regular, b"a", b"x")],
                "the PAX record `GNU.sparse.major`",
            ),
            (
                vec![(T::XHeader, b"p", b"10 path=a\n10 path=b\n"), (T::Regular, b"a", b"x")],
                "two names of one entry",
            ),
            (
                vec![
                    (T::GNULongName, b"l", b"a\0"),
                    (T::XHeader, b"p", b"10 path=b\n"),
                    (T::Regular, b"c", b"x"),
                ],
                "two names of one entry",
            ),
            (
                vec![(T::XGlobalHeader, b"g", b"10 path=b\n"), (T::Regular, b"c", b"x")],
                "one name for all entries",
            ),
            (vec![(T::GNULongName, b"l", b"a\0")], "it ends before its end"),
        ] {
            let why = refused(&archive(&entries));
            assert!(why.contains(&format!(": {expected}; write one")), "{why}");
        }
        let whole = archive(&[(T::Regular, b"a.rego", b"x")]);
        assert!(refused(&whole[..whole.len() - 1024]).contains("it ends before its end"));
        assert!(refused(&[whole.clone(), whole].concat()).contains("there is something behind its end"));
    }

    #[test]
    fn what_is_neither_file_nor_folder_is_refused() {
        use EntryType as T;
        for (kind, expected) in [
            (T::Symlink, "a.md: a link; "),
            (T::Link, "a.md: a link; "),
            (T::Fifo, "a.md: neither a file nor a folder; "),
            (T::Char, "a.md: neither a file nor a folder; "),
            (T::Block, "a.md: neither a file nor a folder; "),
            (T::Continuous, "a.md: neither a file nor a folder; "),
            (T::GNUSparse, "a.md: neither a file nor a folder; "),
            (T::new(b'Z'), "a.md: neither a file nor a folder; "),
        ] {
            let why = refused(&archive(&[(kind, b"a.md", b"")]));
            assert!(why.starts_with(expected), "{kind:?}: {why}");
        }
        assert!(refused(&archive(&[(T::Regular, b"a/", b"")])).starts_with("a/: an empty part"));
        assert!(
            refused(&archive(&[(T::Regular, b"../a.rego", b"")])).starts_with("../a.rego: an empty part")
        );
    }
}
