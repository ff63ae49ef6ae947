//! A tar archive of any bytes, packed as it should be: accepted or refused, and what is accepted is packed and unpacked
//! to the same tree. The bytes themselves are no archive that gzip packed, unless they are found to be.

#![no_main]

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use libfuzzer_sys::fuzz_target;
use meshgate::source::{About, pack, unpack};

fuzz_target!(|bytes: &[u8]| {
    drop(unpack(bytes));
    let mut gzip = GzEncoder::new(Vec::new(), Compression::none());
    gzip.write_all(bytes).expect("memory");
    let Ok(archive) = unpack(&gzip.finish().expect("memory")) else { return };
    let tree = archive.accepted.tree;
    let again = pack(&tree, &About::of(&tree, "fuzz", None)).expect("what was read can be written");
    assert_eq!(unpack(&again).expect("what was written can be read").accepted.tree, tree);
});
