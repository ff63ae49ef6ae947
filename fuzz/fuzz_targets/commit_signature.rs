//! Commits and the signatures in their headers: no panic, and nothing is trusted, because nobody signed it with the one key.

#![no_main]

use libfuzzer_sys::fuzz_target;
use meshgate::source::{AllowedSigners, Commit, ObjectHash, Signers, Trust};
use time::OffsetDateTime;

const ALLOWED: &[u8] =
    b"a@x ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKx7K0+ppvl3Ll1mcKR+L2jXWpV+u2sx5hYe5M3yv2jS\n";

fuzz_target!(|content: &[u8]| {
    let Ok(allowed) = AllowedSigners::read("f", ALLOWED) else { panic!("the one key is read") };
    let trust = Trust::Commit(Box::new(Signers { allowed, ..Signers::default() }));
    for hash in [ObjectHash::Sha1, ObjectHash::Sha256] {
        if let Ok(commit) = Commit::read(content, hash) {
            assert!(trust.verify("f", &commit, OffsetDateTime::UNIX_EPOCH).is_err());
        }
    }
});
