//! How long meshgate waits for what it can't see: that a change has reached every API server and every replica.

use std::time::Duration;

/// The waits of a running installation. Tests go through the same steps with all of them shortened alike.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// From when the API server is shown to trust the next certificate until that is used: other API servers may learn
    /// of it later.
    pub settles: Duration,
    /// From when a change is shown until it is taken to be in force: 20 to 112 ms on idle API servers, and some air.
    pub shown: Duration,
    /// From when a bundle is in force until what only earlier ones needed is no longer sent.
    pub narrows: Duration,
    /// From when a certificate is used until the former authority goes: more than the 5 min that a connection lives.
    pub lingers: Duration,
    /// Between probes.
    pub probes: Duration,
    /// Between looks at the certificate's files.
    pub files: Duration,
    /// Between tries to renew a certificate.
    pub renews: Duration,
    /// Between looks at the directory of the policies.
    pub policies: Duration,
    /// Between two signs of life of a replica's row in the ConfigMap `meshgate-bundle`.
    pub rows: Duration,
    /// How much of other waits is waited: 1, but in tests.
    pub factor: f64,
}

/// What a directory is looked at all the same: each look asks for every file in it.
const SHORTEST_LOOK: Duration = Duration::from_millis(50);

/// What a row is renewed all the same: each is a write.
const SHORTEST_ROW: Duration = Duration::from_secs(2);

impl Default for Pace {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            settles: seconds(60),
            shown: seconds(5),
            narrows: seconds(60),
            lingers: seconds(6 * 60),
            probes: seconds(60),
            files: seconds(10),
            renews: seconds(60),
            policies: seconds(1),
            rows: seconds(60),
            factor: 1.0,
        }
    }
}

impl Pace {
    /// All waits, so many times as long: from 0 to 1.
    #[must_use]
    pub fn shortened(self, factor: f64) -> Self {
        let of = |wait: Duration| wait.mul_f64(factor);
        Self {
            settles: of(self.settles),
            shown: of(self.shown),
            narrows: of(self.narrows),
            lingers: of(self.lingers),
            probes: of(self.probes),
            files: of(self.files),
            renews: of(self.renews),
            policies: of(self.policies).max(SHORTEST_LOOK),
            rows: of(self.rows).max(SHORTEST_ROW),
            factor: self.factor * factor,
        }
    }
}
