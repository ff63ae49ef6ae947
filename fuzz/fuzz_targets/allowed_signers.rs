//! The files that say who may sign: no panic, and what is accepted is accepted again with a comment before it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use meshgate::source::{AllowedSigners, Revoked};

fuzz_target!(|content: &[u8]| {
    if let Ok(signers) = AllowedSigners::read("f", content) {
        let commented = [b"# more\n\n", content].concat();
        assert_eq!(AllowedSigners::read("f", &commented).ok(), Some(signers));
    }
    drop(Revoked::read("f", content));
});
