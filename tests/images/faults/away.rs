//! A registry that goes away after it was read: what was read counts for five minutes, and after that, or where there was no
//! room for it, only as long as `staleIfError` says.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use meshgate::image::Digest;

use super::rows::{At, plain};
use super::{Signers, worded};
use crate::kit::Said;
use crate::wired::{Place, Serving, pod};

/// Room for two or three answers, so that what was read is forgotten when others are.
const NARROW: &str = "limits: {cacheBytes: 32Ki}";

/// What is said of an image that was read before its registry went away.
struct Case {
    what: &'static str,
    images: String,
    /// Whether it is forgotten meanwhile.
    is_forgotten: bool,
    passes: Duration,
    at: At,
    code: u64,
}

fn case(what: &'static str, images: &str, at: At, code: u64) -> Case {
    Case { what, images: images.to_owned(), is_forgotten: false, passes: Duration::ZERO, at, code }
}

fn cases() -> Vec<Case> {
    let forgotten = |what, images: &str, code| Case {
        is_forgotten: true,
        ..case(what, &format!("{images}{NARROW}"), At::Digest, code)
    };
    vec![
        case("away, and read a moment ago", "", At::Digest, 200),
        case("away, and read a moment ago", "", At::Tag, 500),
        forgotten("away, and forgotten", "", 403),
        forgotten("away, and forgotten, within staleIfError", "staleIfError: 1m, ", 200),
        Case {
            passes: Duration::from_millis(1200),
            ..forgotten("away, and forgotten, after staleIfError", "staleIfError: 1s, ", 403)
        },
    ]
}

/// The table of it.
pub(super) async fn said() -> String {
    let mut table = String::new();
    for case in cases() {
        table.push_str(&case.said().await);
    }
    table
}

impl Case {
    async fn said(&self) -> String {
        let (signers, is_away) = (Signers::new(), Arc::new(AtomicBool::new(false)));
        let away = Arc::clone(&is_away);
        let row = plain(self.what, self.at, &signers, move |_, stream| {
            let is_away = away.load(Ordering::SeqCst);
            if is_away {
                Said::of(503, &[], "").to(stream);
            }
            is_away
        });
        let (image, digest) = (row.image(), row.digest);
        let place = Place::of(row.server.unwrap(), &signers.key, digest, tempfile::tempdir().unwrap());
        let (host, more) = (place.registry.address, &self.images);
        let more = if more.is_empty() { String::new() } else { format!(", {more}") };
        let text = format!(
            "apiVersion: meshgate.io/v1alpha1\nkind: Configuration\nimages: {{registries: [{{host: '{host}', plaintext: true}}]{more}}}\n"
        );
        fs::write(place.folder.path().join("meshgate.yaml"), text).unwrap();
        let serving = Serving::start(&place, &["--config", "meshgate.yaml"]);
        let by_digest = format!("{host}/app@{digest}");
        assert_eq!(serving.asked(&by_digest).await, (200, String::new()), "{}", self.what);
        if self.is_forgotten {
            for index in 0..20_u8 {
                let other = format!("{host}/app@{}", Digest::of(&[index]));
                assert_eq!(serving.asked(&other).await.0, 403);
            }
        }
        is_away.store(true, Ordering::SeqCst);
        tokio::time::sleep(self.passes).await;
        let path = if self.at == At::Tag { "/mutate?timeout=5s" } else { "/validate?timeout=5s" };
        let (code, message) = serving.judged_at(path, "shop", &pod(&image)).await;
        assert_eq!(code, self.code, "{}: {message}", self.what);
        assert!(code == 200 || message.contains(&image), "{}: {message}", self.what);
        worded(self.what, self.at, code, &message, (&host.to_string(), &digest))
    }
}
