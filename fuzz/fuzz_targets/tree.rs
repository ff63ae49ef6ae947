//! Entries of any name, kind and content: accepted or refused, the same in another order, and what is accepted is
//! accepted again. A line is an entry: its kind, its path, NUL, its content.

#![no_main]

use libfuzzer_sys::fuzz_target;
use meshgate::source::{Entry, EntryKind, accept};

fuzz_target!(|bytes: &[u8]| {
    let entries: Vec<Entry> = bytes.split(|byte| *byte == b'\n').map(entry).collect();
    let mut reversed = entries.clone();
    reversed.reverse();
    let (accepted, other) = (accept(entries), accept(reversed));
    assert_eq!(accepted, other);
    match accepted {
        Err(refused) => assert!((1..=21).contains(&refused.to_string().lines().count())),
        Ok(accepted) => {
            let again = accepted.tree.iter().map(|(path, content)| Entry {
                path: path.as_bytes().to_vec(),
                kind: EntryKind::File,
                content: content.to_vec(),
            });
            assert_eq!(accept(again.collect()).expect("it was accepted").tree, accepted.tree);
        }
    }
});

fn entry(line: &[u8]) -> Entry {
    let (kind, rest) = line.split_first().unwrap_or((&b'f', &[]));
    let kind = match kind {
        b'd' => EntryKind::Directory,
        b'l' => EntryKind::Link,
        b's' => EntryKind::Submodule,
        b'p' => EntryKind::Special,
        _ => EntryKind::File,
    };
    let end = rest.iter().position(|byte| *byte == 0).unwrap_or(rest.len());
    let (path, content) = rest.split_at(end);
    Entry { path: path.to_vec(), kind, content: content.to_vec() }
}
