//! Each byte of a signed commit is signed, or refused where it is another.

use meshgate::source::{Commit, ObjectHash, Trust};
use time::OffsetDateTime;

use crate::repository::{MADE, Repository};

#[test]
fn no_commit_with_another_byte_is_trusted() {
    for (hash, kind) in [
        (ObjectHash::Sha1, ["ed25519"].as_slice()),
        (ObjectHash::Sha256, &["ecdsa", "-b", "256"]),
        (ObjectHash::Sha1, &["rsa", "-b", "2048"]),
    ] {
        let repository = Repository::of(hash);
        let public = repository.key("key", kind);
        repository.allow(&format!("jane@example.com {public}\n"));
        repository.commit(&[("a", "1")], &["-S"]);
        let id = repository.commit(&[("a", "2")], &["-S"]);
        let bytes = repository.bytes(&id);
        let trust = Trust::Commit(Box::new(repository.signers()));
        let now = OffsetDateTime::from_unix_timestamp(MADE).unwrap();
        let is_trusted = |bytes: &[u8]| {
            Commit::read(bytes, hash).is_ok_and(|commit| trust.verify("x", &commit, now).is_ok())
        };
        assert!(is_trusted(&bytes));
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            assert!(!is_trusted(&flipped), "{at}: {:?}", String::from_utf8_lossy(&flipped));
            let mut without = bytes.clone();
            without.remove(at);
            assert!(!is_trusted(&without), "without {at}: {:?}", String::from_utf8_lossy(&without));
        }
    }
}
