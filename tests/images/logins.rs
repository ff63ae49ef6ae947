//! Credentials: to whom they go, and that they go nowhere else.

use std::path::Path;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use meshgate::config::{Registry, RegistryCredentials};
use meshgate::image::{CredentialSet, EvidenceSource, Registries, Repository, SourceError};

use crate::kit::{
    Holds, MANIFEST, SIMPLE_SIGNING, Said, everything, in_seconds, paths, reference, registries, registry,
    resolve,
};
use crate::server::{Asked, Server};

/// A secret that must be nowhere but where it belongs.
const CANARY: &str = "canary-5f1c";

/// A Docker configuration for a registry.
fn docker_config(server: &Server, member: &str) -> CredentialSet {
    let text = format!(r#"{{"auths": {{"{}": {{{member}}}}}}}"#, server.address);
    CredentialSet::of_docker_config(text.as_bytes()).unwrap()
}

fn password(server: &Server) -> CredentialSet {
    docker_config(server, &format!(r#""username": "jane", "password": "{CANARY}""#))
}

fn basic() -> String {
    format!("Basic {}", STANDARD.encode(format!("jane:{CANARY}")))
}

/// With the credentials in a file, as a server has them.
fn with_file(server: &Server, directory: &Path) -> Registry {
    let file = directory.join("config.json");
    let text =
        format!(r#"{{"auths": {{"{}": {{"username": "jane", "password": "{CANARY}"}}}}}}"#, server.address);
    std::fs::write(&file, text).unwrap();
    Registry { credentials: Some(RegistryCredentials { file }), ..registry(server) }
}

/// A registry that wants a token from itself, and gives it to those whom `knows` accepts.
fn bearer(
    holds: &Holds,
    expires: &'static str,
    knows: impl Fn(&Asked) -> bool + Send + Sync + 'static,
) -> Server {
    let holds = holds.clone();
    Server::start(move |asked, stream| {
        let host = asked.header("host").unwrap_or_default();
        let challenge = format!(
            "Bearer realm=\"http://{host}/token?x=y\",service=\"the service\",scope=\"repository:app:push\""
        );
        let said = if asked.path().starts_with("/token") {
            if knows(asked) {
                Said::of(200, &[], format!(r#"{{"token": "a.token"{expires}}}"#))
            } else {
                Said::of(401, &[], "")
            }
        } else if asked.header("authorization") == Some("Bearer a.token") {
            holds.said(asked.path())
        } else {
            Said::of(401, &[("www-authenticate", &challenge)], "")
        };
        said.to(stream);
    })
}

fn tokens(server: &Server) -> Vec<Asked> {
    server.asked().into_iter().filter(|asked| asked.path().starts_with("/token")).collect()
}

#[tokio::test]
async fn a_token_is_asked_for_by_our_scope_once() {
    let holds = Holds::default();
    let image = holds.image();
    holds.legacy(&image, "sig", SIMPLE_SIGNING, &["sig"]);
    let server = bearer(&holds, "", |asked| asked.header("authorization").is_some());
    let (source, who) = (Registries::everywhere().unwrap(), password(&server));
    let at = Repository::of(&reference(&server, "app"));
    let gathered = source.evidence(&at, &image, &everything(), &who, in_seconds(10)).await.unwrap();
    assert_eq!((gathered.evidence.len(), gathered.unread), (1, Vec::new()));
    let tokens = tokens(&server);
    assert_eq!(tokens.len(), 1, "three ask at once, and one logs in: {tokens:?}");
    assert_eq!(tokens[0].path(), "/token?x=y&service=the%20service&scope=repository%3Aapp%3Apull");
    assert_eq!(tokens[0].header("authorization"), Some(basic().as_str()));
    let shown: Vec<_> =
        server.asked().into_iter().filter(|asked| !asked.path().starts_with("/token")).collect();
    assert!(
        shown.iter().all(|asked| asked.header("authorization").is_none_or(|value| value == "Bearer a.token"))
    );
    // Another set of credentials has tokens of its own, none has none.
    let anonymous = source.evidence(&at, &image, &everything(), &CredentialSet::none(), in_seconds(10)).await;
    assert_eq!(anonymous.unwrap_err(), SourceError::Unauthorized);
}

#[tokio::test]
async fn a_token_that_is_over_is_asked_for_anew() {
    let holds = Holds::default();
    holds.image();
    let server = bearer(&holds, r#", "expires_in": 5"#, |_| true);
    let source = registries(&[registry(&server)]);
    for times in 1..=2 {
        assert!(resolve(&source, &server, 10).await.is_ok());
        assert_eq!(tokens(&server).len(), times, "it would end within ten seconds");
    }
}

#[tokio::test]
async fn an_identity_token_is_exchanged() {
    let holds = Holds::default();
    holds.image();
    let server = bearer(&holds, "", |asked| asked.line.starts_with("POST"));
    let who = docker_config(&server, &format!(r#""identitytoken": "{CANARY}""#));
    let source = Registries::everywhere().unwrap();
    assert!(source.resolve(&reference(&server, "app:v1"), &who, in_seconds(5)).await.is_ok());
    let body = String::from_utf8(tokens(&server)[0].body.clone()).unwrap();
    assert_eq!(
        body,
        format!(
            "service=the%20service&scope=repository%3Aapp%3Apull&grant_type=refresh_token&client_id=meshgate&refresh_token={CANARY}"
        )
    );
    assert_eq!(tokens(&server)[0].header("authorization"), None);
}

#[tokio::test]
async fn basic_is_shown_to_the_registry_itself() {
    let holds = Holds::default();
    holds.image();
    let held = holds.clone();
    let server = Server::start(move |asked, stream| {
        let said = if asked.header("authorization") == Some(basic().as_str()) {
            held.said(asked.path())
        } else {
            Said::of(401, &[("www-authenticate", "Basic realm=\"x\"")], "")
        };
        said.to(stream);
    });
    let folder = tempfile::tempdir().unwrap();
    let source = registries(&[with_file(&server, folder.path())]);
    assert!(resolve(&source, &server, 5).await.is_ok());
    assert!(resolve(&source, &server, 5).await.is_ok());
    assert_eq!(server.asked().len(), 3, "it is known by then what to show");
    // What is in the file now counts.
    std::fs::write(folder.path().join("config.json"), "{}").unwrap();
    assert_eq!(resolve(&source, &server, 5).await.unwrap_err(), SourceError::Unauthorized);
    std::fs::write(folder.path().join("config.json"), "no JSON").unwrap();
    assert_eq!(resolve(&source, &server, 5).await.unwrap_err(), SourceError::Credentials);
    // Without credentials in its entry it is shown nothing, whoever asks.
    let source = registries(&[registry(&server)]);
    let asked = source.resolve(&reference(&server, "app:v1"), &password(&server), in_seconds(5)).await;
    assert_eq!(asked.unwrap_err(), SourceError::Unauthorized);
}

#[tokio::test]
async fn nobody_else_gives_out_tokens() {
    let thief = Server::start(|_, stream| Said::of(200, &[], r#"{"token": "t"}"#).to(stream));
    let realm = thief.url("/token");
    let server = Server::start(move |_, stream| {
        let challenge = format!("Bearer realm=\"{realm}\",service=s");
        Said::of(401, &[("www-authenticate", &challenge)], "").to(stream);
    });
    let folder = tempfile::tempdir().unwrap();
    let entry = with_file(&server, folder.path());
    let error = resolve(&registries(std::slice::from_ref(&entry)), &server, 5).await.unwrap_err();
    assert_eq!(error, SourceError::TokenHost);
    assert!(thief.asked().is_empty());
    // Who is named may: an operator's own.
    let entry = Registry { token_hosts: vec![thief.address.to_string()], ..entry };
    assert_eq!(resolve(&registries(&[entry]), &server, 5).await.unwrap_err(), SourceError::Unauthorized);
    assert_eq!(thief.asked().len(), 1);
}

#[tokio::test]
async fn a_registry_that_is_never_content_is_left() {
    for challenge in ["Basic realm=x", "Bearer realm=\"http://HOST/token\"", "Negotiate"] {
        let server = Server::start(move |asked, stream| {
            let host = asked.header("host").unwrap_or_default();
            let said = if asked.path().starts_with("/token") {
                Said::of(200, &[], r#"{"access_token": "t", "expires_in": 300}"#)
            } else {
                Said::of(401, &[("www-authenticate", &challenge.replace("HOST", host))], "")
            };
            said.to(stream);
        });
        let (source, who) = (Registries::everywhere().unwrap(), password(&server));
        let error = source.resolve(&reference(&server, "app:v1"), &who, in_seconds(5)).await.unwrap_err();
        assert_eq!(error, SourceError::Unauthorized, "{challenge}");
        assert!(server.asked().len() <= 3, "{challenge}: {:?}", paths(&server.asked()));
        let said = format!("{error} {error:?} {who:?}");
        assert!(!said.contains(CANARY) && !said.contains(&STANDARD.encode(CANARY)), "{said}");
    }
}

#[tokio::test]
async fn a_token_is_no_longer_than_a_header() {
    for (length, is_taken) in [(16 << 10, true), ((16 << 10) + 1, false)] {
        let holds = Holds::default();
        holds.image();
        let server = Server::start(move |asked, stream| {
            let host = asked.header("host").unwrap_or_default();
            let challenge = format!("Bearer realm=\"http://{host}/token\"");
            let said = match asked.header("authorization") {
                _ if asked.path().starts_with("/token") => {
                    Said::of(200, &[], format!(r#"{{"token": "{}"}}"#, "t".repeat(length)))
                }
                Some(_) => holds.said(asked.path()),
                None => Said::of(401, &[("www-authenticate", &challenge)], ""),
            };
            said.to(stream);
        });
        let found = resolve(&registries(&[registry(&server)]), &server, 5).await;
        let corrupt = SourceError::Corrupt("what gives out its tokens gives none");
        assert_eq!(found.map(|_| ()), if is_taken { Ok(()) } else { Err(corrupt) });
    }
}

/// A registry that gives a token to whoever asks, or wants a password, and lets in whom is said; others it refuses so.
fn generous(holds: &Holds, scheme: &'static str, refuses: u16, lets_in: &Arc<Mutex<&'static str>>) -> Server {
    let (holds, lets_in) = (holds.clone(), Arc::clone(lets_in));
    let user = |value: &str| {
        let pair = String::from_utf8(STANDARD.decode(value.trim_start_matches("Basic ")).unwrap()).unwrap();
        pair.split(':').next().unwrap().to_owned()
    };
    Server::start(move |asked, stream| {
        let host = asked.header("host").unwrap_or_default();
        let challenge = format!("{scheme} realm=\"http://{host}/token\"");
        let headers = [("www-authenticate", challenge.as_str())];
        let shown = asked.header("authorization");
        let said = match shown {
            Some(value) if asked.path().starts_with("/token") => {
                Said::of(200, &[], format!(r#"{{"token": "{}"}}"#, user(value)))
            }
            None => Said::of(401, &headers, ""),
            Some(value) => {
                let who = value.strip_prefix("Bearer ").map_or_else(|| user(value), str::to_owned);
                if who == *lets_in.lock().unwrap() {
                    holds.said(asked.path())
                } else {
                    Said::of(refuses, &headers, "")
                }
            }
        };
        said.to(stream);
    })
}

/// Credentials of two users for the repository, the one of `exact` before the one of `host`, and of a third.
fn users(server: &Server) -> CredentialSet {
    let keys = [("exact", "/app"), ("host", ""), ("third", "/other")];
    let auth = |(user, path): (&str, &str)| {
        format!(r#""{}{path}": {{"username": "{user}", "password": "{CANARY}"}}"#, server.address)
    };
    let text = format!(r#"{{"auths": {{{}}}}}"#, keys.map(auth).join(","));
    CredentialSet::of_docker_config(text.as_bytes()).unwrap()
}

#[tokio::test]
async fn the_next_credential_is_tried_where_the_registry_refuses_the_one_before() {
    for (scheme, refuses) in [("Bearer", 401), ("Bearer", 403), ("Basic", 401), ("Basic", 403)] {
        let (holds, lets_in) = (Holds::default(), Arc::new(Mutex::new("host")));
        holds.image();
        let server = generous(&holds, scheme, refuses, &lets_in);
        let (source, who) = (Registries::everywhere().unwrap(), users(&server));
        let image = reference(&server, "app:v1");
        let asked = async || source.resolve(&image, &who, in_seconds(5)).await;
        assert!(asked().await.is_ok(), "{scheme} {refuses}");
        let before = server.asked().len();
        assert!(asked().await.is_ok());
        assert_eq!(server.asked().len(), before + 1, "{scheme} {refuses}: it is known by then what to show");
        // Another one may now what that one may not any more.
        *lets_in.lock().unwrap() = "exact";
        assert!(asked().await.is_ok(), "{scheme} {refuses}");
        // Nobody may, and who may elsewhere is not tried.
        *lets_in.lock().unwrap() = "third";
        let before = server.asked().len();
        assert_eq!(asked().await.unwrap_err(), SourceError::Unauthorized);
        assert!(server.asked().len() - before <= 6, "{scheme} {refuses}: {:?}", paths(&server.asked()));
    }
}

/// A registry over TLS whose blobs lie elsewhere, and what the other place was shown.
#[tokio::test]
async fn a_redirect_carries_no_credentials_to_another_host() {
    let blobs = Server::tls(&["127.0.0.1"], |_, stream| Said::of(200, &[], "sig").to(stream));
    let holds = Holds::default();
    let image = holds.image();
    holds.legacy(&image, "sig", SIMPLE_SIGNING, &["sig"]);
    let blob = format!("/v2/app/blobs/{}", meshgate::image::Digest::of(b"sig"));
    let far = blobs.url("/stored?signature=x");
    holds.put(blob.clone(), Said::of(307, &[("location", "/near")], ""));
    holds.put("/near", Said::of(302, &[("location", &far)], ""));
    let held = holds.clone();
    let server = Server::tls(&["127.0.0.1"], move |asked, stream| {
        let said = if asked.header("authorization") == Some(basic().as_str()) {
            held.said(asked.path())
        } else {
            Said::of(401, &[("www-authenticate", "Basic realm=x")], "")
        };
        said.to(stream);
    });
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    let pems = [server.authority.clone().unwrap(), blobs.authority.clone().unwrap()].concat();
    std::fs::write(&ca, pems).unwrap();
    let entry = Registry { ca: Some(ca), ..with_file(&server, folder.path()) };
    let source = registries(&[entry]);
    let gathered = crate::kit::evidence(&source, &server, &image).await.unwrap();
    assert_eq!(gathered.evidence.len(), 1);
    let near = server.asked().into_iter().find(|asked| asked.path() == "/near").unwrap();
    assert_eq!(near.header("authorization"), Some(basic().as_str()));
    let [far] = blobs.asked().try_into().unwrap();
    assert_eq!((far.path(), far.header("authorization")), ("/stored?signature=x", None));
    // In the open nothing is followed, and not for ever.
    holds.put("/near", Said::of(302, &[("location", "http://127.0.0.1:1/x")], ""));
    let error = crate::kit::evidence(&source, &server, &image).await.unwrap_err();
    assert_eq!(error, SourceError::Corrupt("a redirect to a place without TLS"));
    holds.put("/near", Said::of(302, &[("location", &blob)], ""));
    assert_eq!(
        crate::kit::evidence(&source, &server, &image).await.unwrap_err(),
        SourceError::Limit("redirects")
    );
    assert_eq!(blobs.asked().len(), 1);
}

#[tokio::test]
async fn what_would_be_said_in_the_open_is_not_said() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(|_, stream| Said::of(200, &[("content-type", MANIFEST)], "{}").to(stream));
    // A name that leads here, and is none of this machine by itself.
    let entry = Registry { plaintext: false, ..with_file(&server, folder.path()) };
    let error = resolve(&registries(&[entry]), &server, 3).await.unwrap_err();
    assert!(matches!(error, SourceError::Transport(_)), "{error}");
    assert!(server.asked().iter().all(|asked| asked.header("authorization").is_none()));
}
