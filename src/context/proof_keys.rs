//! The keys that prove what was rendered here: all replicas share them, and they are handed to a review with the facts. They
//! never stand in what policies see, in a log or in a record.

use std::collections::BTreeMap;
use std::fmt;

use super::facts::Now;

/// From when on a key signs, in seconds after it was made: every replica has read it by then.
const SPREADS: i64 = 60;
/// From when on another one is made, in seconds: after 90 days.
const LASTS: i64 = 7_776_000;
/// How many verify: the one that signs, and the one before or after it.
const KEPT: usize = 2;

/// Bytes of a key, as many as its hash has.
pub const PROOF_KEY_BYTES: usize = 32;

/// A key.
#[derive(Clone, PartialEq, Eq)]
pub struct ProofKey {
    /// When it was made, in seconds since 1970: also its name.
    made: i64,
    secret: [u8; PROOF_KEY_BYTES],
}

/// The keys that are in use; none where nothing is proven.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProofKeys {
    /// The newest first.
    keys: Vec<ProofKey>,
}

impl ProofKey {
    /// Its name.
    pub fn id(&self) -> String {
        self.made.to_string()
    }

    /// What nobody else knows.
    pub fn secret(&self) -> &[u8] {
        &self.secret
    }
}

/// The name alone.
impl fmt::Debug for ProofKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProofKey({})", self.made)
    }
}

impl ProofKeys {
    /// Reads a Secret's data: names and bytes. What is no key is left out.
    pub fn read(data: &BTreeMap<String, Vec<u8>>) -> Self {
        let key = |(id, bytes): (&String, &Vec<u8>)| {
            let (made, secret) = (id.parse().ok()?, bytes.as_slice().try_into().ok()?);
            Some(ProofKey { made, secret })
        };
        Self::of(data.iter().filter_map(key).collect())
    }

    /// A Secret's data.
    pub fn data(&self) -> BTreeMap<String, Vec<u8>> {
        self.keys.iter().map(|key| (key.id(), key.secret.to_vec())).collect()
    }

    /// Whether it is time for another key.
    pub fn is_due(&self, now: Now) -> bool {
        self.keys.first().is_none_or(|newest| now.unix_seconds().saturating_sub(newest.made) >= LASTS)
    }

    /// The keys with a new one, and without the oldest.
    #[must_use]
    pub fn rotated(&self, now: Now, secret: [u8; PROOF_KEY_BYTES]) -> Self {
        let new = ProofKey { made: now.unix_seconds(), secret };
        Self::of(self.keys.iter().cloned().chain([new]).collect())
    }

    /// The key that signs: the newest that all replicas know; where there is none yet, the oldest.
    pub fn signing(&self, now: Now) -> Option<&ProofKey> {
        let is_known = |key: &&ProofKey| now.unix_seconds().saturating_sub(key.made) >= SPREADS;
        self.keys.iter().find(is_known).or(self.keys.last())
    }

    /// The key of that name.
    pub fn get(&self, id: &str) -> Option<&ProofKey> {
        self.keys.iter().find(|key| key.id() == id)
    }

    fn of(mut keys: Vec<ProofKey>) -> Self {
        keys.sort_by_key(|key| std::cmp::Reverse(key.made));
        keys.dedup_by_key(|key| key.made);
        keys.truncate(KEPT);
        Self { keys }
    }
}

#[cfg(test)]
mod tests {
    use time::OffsetDateTime;

    use super::*;

    fn at(seconds: i64) -> Now {
        Now::at(OffsetDateTime::from_unix_timestamp(1_800_000_000_i64.saturating_add(seconds)).unwrap())
    }

    fn signs(keys: &ProofKeys, seconds: i64) -> Option<u8> {
        keys.signing(at(seconds)).and_then(|key| key.secret.first().copied())
    }

    #[test]
    fn a_new_key_signs_when_all_know_it_and_the_one_before_still_verifies() {
        let keys = ProofKeys::default();
        assert!(keys.is_due(at(0)));
        assert_eq!(signs(&keys, 0), None);
        let first = keys.rotated(at(0), [1; 32]);
        assert_eq!(
            (signs(&first, 0), first.is_due(at(LASTS - 1)), first.is_due(at(LASTS))),
            (Some(1), false, true)
        );
        let second = first.rotated(at(LASTS), [2; 32]);
        assert_eq!((signs(&second, LASTS + 59), signs(&second, LASTS + 60)), (Some(1), Some(2)));
        let third = second.rotated(at(2 * LASTS), [3; 32]);
        assert_eq!((signs(&third, 2 * LASTS), signs(&third, 2 * LASTS + 60)), (Some(2), Some(3)));
        let ids: Vec<bool> =
            [&first, &second, &third].map(|keys| third.get(&keys.keys[0].id()).is_some()).to_vec();
        assert_eq!(ids, [false, true, true], "the oldest is gone");
        assert_eq!(ProofKeys::read(&third.data()), third);
    }

    #[test]
    fn what_is_no_key_is_left_out_and_none_is_shown() {
        let data = BTreeMap::from([
            ("7".to_owned(), vec![255; 31]),
            ("8".to_owned(), vec![255; 32]),
            ("x".to_owned(), vec![255; 32]),
        ]);
        let keys = ProofKeys::read(&data);
        assert_eq!(format!("{keys:?}"), "ProofKeys { keys: [ProofKey(8)] }");
    }
}
