//! The faults, each of a registry of its own.

use std::fs;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use meshgate::image::Digest;
use rcgen::CertificateParams;
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::Signers;
use crate::kit::{Holds, INDEX, MANIFEST, Said, index};
use crate::server::{Asked, Server, Stream};
use crate::sigstore::{self as kit, SIGNED, statement};

/// By what a Pod names its image: only a tag is resolved, and evidence is read of a digest.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    Digest,
    Tag,
}

/// A fault, and the registry that has it.
pub(super) struct Row {
    pub(super) what: &'static str,
    pub(super) at: At,
    /// Who has to have signed.
    pub(super) authority: &'static str,
    pub(super) registry: String,
    /// None: nobody is there.
    pub(super) server: Option<Server>,
    pub(super) digest: Digest,
    /// What its entry in the configuration says beside its host.
    entry: String,
    /// Whom it sends readers to, who must be shown nothing.
    other: Option<Server>,
}

impl Row {
    pub(super) fn image(&self) -> String {
        match self.at {
            At::Digest => format!("{}/app@{}", self.registry, self.digest),
            At::Tag => format!("{}/app:v1", self.registry),
        }
    }

    /// Its registry, as the configuration has it.
    pub(super) fn entry(&self) -> String {
        format!("{{host: '{}', {}}}", self.registry, self.entry)
    }

    /// How many requests it took.
    pub(super) fn asked(&self) -> usize {
        self.server.as_ref().map_or(0, |server| server.asked().len())
    }

    /// Whoever readers were sent to was asked, and was shown no credentials.
    pub(super) fn shown_nothing(&self) {
        let Some(other) = &self.other else { return };
        let (own, asked) = (self.server.as_ref().unwrap().asked(), other.asked());
        assert!(own.iter().any(|one| one.header("authorization").is_some()), "{}", self.what);
        assert!(!asked.is_empty(), "{}", self.what);
        assert!(asked.iter().all(|one| one.header("authorization").is_none()), "{}: {asked:?}", self.what);
    }
}

/// A registry's image, and evidence about it.
fn holds(bundle: impl FnOnce(&Digest) -> Value) -> (Holds, Digest) {
    let holds = Holds::default();
    let image = holds.image();
    let entry = holds.referrer(&image, &bundle(&image).to_string(), Some(SIGNED));
    let list = Said::of(200, &[("content-type", INDEX)], index(&[entry]));
    holds.put(format!("/v2/app/referrers/{image}"), list);
    (holds, image)
}

fn signed(signers: &Signers, image: &Digest) -> Value {
    kit::key_bundle(&signers.key, &statement(image, SIGNED, json!({})), None)
}

/// A registry that is right until `fault` says something else; gives whether it did.
pub(super) fn plain(
    what: &'static str,
    at: At,
    signers: &Signers,
    fault: impl Fn(&Asked, &mut dyn Stream) -> bool + Send + Sync + 'static,
) -> Row {
    let (holds, digest) = holds(|image| signed(signers, image));
    let server = Server::start(move |asked, stream| {
        if !fault(asked, stream) {
            holds.said(asked.path()).to(stream);
        }
    });
    of(what, at, server, digest)
}

fn of(what: &'static str, at: At, server: Server, digest: Digest) -> Row {
    let (registry, entry) = (server.address.to_string(), "plaintext: true".to_owned());
    Row { what, at, authority: "vendor", registry, server: Some(server), digest, entry, other: None }
}

/// The same answer wherever the row is about: to who asks for the tag, or for the list of what lies there.
fn says(what: &'static str, at: At, signers: &Signers, said: Said) -> Row {
    plain(what, at, signers, move |asked, stream| {
        let is_meant = is_meant(at, asked);
        if is_meant {
            said.to(stream);
        }
        is_meant
    })
}

fn is_meant(at: At, asked: &Asked) -> bool {
    match at {
        At::Digest => asked.path().contains("/referrers/"),
        At::Tag => asked.path().ends_with("/manifests/v1"),
    }
}

/// Bytes without end, as the answer to whoever asks.
pub(super) fn endless(stream: &mut dyn Stream, media_type: &str) {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {media_type}\r\ntransfer-encoding: chunked\r\n\r\n");
    let mut alive = stream.write_all(head.as_bytes()).is_ok();
    let piece = [b"10000\r\n".as_slice(), &[b' '; 65_536], b"\r\n"].concat();
    while alive {
        alive = stream.write_all(&piece).is_ok();
    }
}

/// Every fault; `folder` is where what the configuration names lies.
pub(super) fn of_all(signers: &Signers, folder: &Path) -> Vec<Row> {
    let mut all: Vec<Row> = [At::Digest, At::Tag].into_iter().flat_map(|at| answers(at, signers)).collect();
    all.extend(lists(signers));
    all.extend(blobs(signers, folder));
    all.extend(tokens(signers));
    all.extend(times(signers, folder));
    all.push(nobody());
    all
}

fn answers(at: At, signers: &Signers) -> Vec<Row> {
    let media_type = if at == At::Tag { MANIFEST } else { INDEX };
    let slow = move |asked: &Asked, _: &mut dyn Stream| {
        let is_meant = is_meant(at, asked);
        if is_meant {
            sleep(Duration::from_secs(20));
        }
        is_meant
    };
    let without_end = move |asked: &Asked, stream: &mut dyn Stream| {
        let is_meant = is_meant(at, asked);
        if is_meant {
            endless(stream, media_type);
        }
        is_meant
    };
    let headers = move |asked: &Asked, stream: &mut dyn Stream| {
        let is_meant = is_meant(at, asked);
        let mut alive = is_meant && stream.write_all(b"HTTP/1.1 200 OK\r\n").is_ok();
        while alive {
            alive = stream.write_all(&[b"x: ".as_slice(), &[b'y'; 4096], b"\r\n"].concat()).is_ok();
        }
        is_meant
    };
    let list = |body: &str| Said::of(200, &[("content-type", media_type)], body);
    vec![
        plain("slow", at, signers, slow),
        says("429", at, signers, Said::of(429, &[("retry-after", "7")], "")),
        says("500", at, signers, Said::of(500, &[], "")),
        plain("endless body", at, signers, without_end),
        says("truncated JSON", at, signers, list("{\"layers\": [{\"mediaType\": \"")),
        says("a page of HTML", at, signers, Said::of(200, &[("content-type", "text/html")], "<p>")),
        plain("headers without end", at, signers, headers),
        says("redirect", at, signers, Said::of(302, &[("location", "/elsewhere")], "")),
    ]
}

fn lists(signers: &Signers) -> Vec<Row> {
    let entry = |index: usize| {
        let digest = Digest::of(&index.to_be_bytes()).to_string();
        json!({ "mediaType": MANIFEST, "digest": digest, "size": 1 })
    };
    let many = |count: usize| {
        let body = index(&(0..count).map(entry).collect::<Vec<_>>());
        Said::of(200, &[("content-type", INDEX)], body)
    };
    let page = |asked: &Asked, stream: &mut dyn Stream| {
        let is_meant = is_meant(At::Digest, asked);
        if is_meant {
            let path = asked.path().split('?').next().unwrap_or_default();
            let next = format!("<{path}?after={}>; rel=\"next\"", asked.path().len());
            Said::of(200, &[("content-type", INDEX), ("link", &next)], index(&[])).to(stream);
        }
        is_meant
    };
    vec![
        says("100,000 referrers", At::Digest, signers, many(100_000)),
        says("100 referrers", At::Digest, signers, many(100)),
        plain("pages of referrers without end", At::Digest, signers, page),
    ]
}

/// What becomes of the blob that holds the signature.
fn blobs(signers: &Signers, folder: &Path) -> Vec<Row> {
    let blob = |asked: &Asked| asked.path().contains("/blobs/");
    let loops = move |asked: &Asked, stream: &mut dyn Stream| {
        if blob(asked) {
            Said::of(307, &[("location", asked.path())], "").to(stream);
        }
        blob(asked)
    };
    let without_end = move |asked: &Asked, stream: &mut dyn Stream| {
        if blob(asked) {
            endless(stream, "application/octet-stream");
        }
        blob(asked)
    };
    let others = move |asked: &Asked, stream: &mut dyn Stream| {
        if blob(asked) {
            Said::of(200, &[], "{}").to(stream);
        }
        blob(asked)
    };
    vec![
        plain("other bytes under a digest", At::Digest, signers, others),
        plain("redirect loop", At::Digest, signers, loops),
        plain("endless blob", At::Digest, signers, without_end),
        elsewhere(signers, folder),
    ]
}

/// A registry that wants a token, and what comes of asking for one.
fn tokens(signers: &Signers) -> Vec<Row> {
    let asks = |what, realm: &'static str, gives: fn(&mut dyn Stream)| {
        plain(what, At::Digest, signers, move |asked, stream| {
            if asked.path().starts_with("/token") {
                gives(stream);
            } else {
                let own = format!("http://{}/token", asked.header("host").unwrap_or_default());
                let realm = if realm.is_empty() { own.as_str() } else { realm };
                let challenge = format!("Bearer realm=\"{realm}\"");
                Said::of(401, &[("www-authenticate", &challenge)], "").to(stream);
            }
            true
        })
    };
    vec![
        asks("tokens of another host", "https://tokens.example.com/token", |_| ()),
        asks("500 instead of a token", "", |stream| Said::of(500, &[], "").to(stream)),
        asks("a token without end", "", |stream| endless(stream, "application/json")),
        asks("a token that is worth nothing", "", |stream| {
            Said::of(200, &[], r#"{"token": "t"}"#).to(stream)
        }),
    ]
}

/// A registry that wants a password and sends who asks for a blob to another host, which wants to be shown one, too.
fn elsewhere(signers: &Signers, folder: &Path) -> Row {
    let other = Server::tls(&["127.0.0.1"], |asked, stream| {
        let is_shown = asked.header("authorization").is_some();
        Said::of(if is_shown { 200 } else { 401 }, &[("www-authenticate", "Basic realm=x")], "").to(stream);
    });
    let (holds, digest) = holds(|image| signed(signers, image));
    let (place, expected) = (other.url("/taken"), format!("Basic {}", kit::b64("robot:password")));
    let server = Server::tls(&["127.0.0.1"], move |asked, stream| {
        if asked.header("authorization") != Some(&expected) {
            Said::of(401, &[("www-authenticate", "Basic realm=x")], "").to(stream);
        } else if asked.path().contains("/blobs/") {
            Said::of(307, &[("location", &place)], "").to(stream);
        } else {
            holds.said(asked.path()).to(stream);
        }
    });
    let pems = [&server, &other].map(|one| one.authority.clone().unwrap()).concat();
    fs::write(folder.join("elsewhere.pem"), pems).unwrap();
    let auths = json!({ server.address.to_string(): { "auth": kit::b64("robot:password") } });
    fs::write(folder.join("elsewhere.json"), json!({ "auths": auths }).to_string()).unwrap();
    let entry = "ca: elsewhere.pem, credentials: {file: elsewhere.json}".to_owned();
    let row = of("redirect with credentials to another host", At::Digest, server, digest);
    Row { entry, other: Some(other), ..row }
}

/// What is over, and what is yet to come: a trust root, the log's time, the certificate of a registry.
fn times(signers: &Signers, folder: &Path) -> Vec<Row> {
    let leaf = signers.kit.authority.leaf();
    let of_leaf =
        |image: &Digest| kit::keyless_bundle(&signers.kit, &leaf, &statement(image, SIGNED, json!({})));
    let ahead = |image: &Digest| {
        let mut bundle = of_leaf(image);
        let entry = &mut bundle["verificationMaterial"]["tlogEntries"][0];
        let body = kit::unb64(entry["canonicalizedBody"].as_str().unwrap());
        let body: Value = serde_json::from_slice(&body).unwrap();
        let later = OffsetDateTime::now_utc() + time::Duration::hours(1);
        *entry = signers.kit.log.entry("dsse", &body, later);
        bundle
    };
    let by = |what, authority, (holds, digest): (Holds, Digest)| Row {
        authority,
        ..of(what, At::Digest, holds.serve(), digest)
    };
    vec![
        by("expired root", "past", holds(of_leaf)),
        by("clock an hour behind the log's", "ci", holds(ahead)),
        between(signers, folder, "a registry's certificate that is over", [-9, -1]),
        between(signers, folder, "a registry's certificate that is yet to come", [1, 9]),
    ]
}

/// A registry whose certificate is for the time between two days from now.
fn between(signers: &Signers, folder: &Path, what: &'static str, days: [i64; 2]) -> Row {
    let (holds, digest) = holds(|image| signed(signers, image));
    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    [params.not_before, params.not_after] =
        days.map(|days| OffsetDateTime::now_utc() + time::Duration::days(days));
    let server = Server::certified(params, move |asked, stream| holds.said(asked.path()).to(stream));
    let file = format!("between{}.pem", days[0]);
    fs::write(folder.join(&file), server.authority.as_ref().unwrap()).unwrap();
    let entry = format!("ca: {file}");
    Row { entry, ..of(what, At::Digest, server, digest) }
}

fn nobody() -> Row {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (registry, entry) = (listener.local_addr().unwrap().to_string(), "plaintext: true".to_owned());
    let (digest, what) = (Digest::of(b"image"), "away, and nothing is known of it");
    Row { what, at: At::Digest, authority: "vendor", registry, server: None, digest, entry, other: None }
}
