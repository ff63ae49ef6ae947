//! Who an image runs as by its own configuration, where a policy declares that it sees it.

use std::fs;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use meshgate::context::{ContextSource, Fact, FactKey, ImageKey, Puller};
use meshgate::image::{Asked, Authorities, Cached, Digest, Gatherer, Limits, Remembered};
use serde_json::{Value, json};

use crate::compiled::trust;
use crate::kit::{Holds, INDEX, MANIFEST, Said, paths, registries, registry};
use crate::reviewed::{bound, policy};
use crate::server::Server;
use crate::wired::{Place, pod};

const CONFIG: &str = "application/vnd.oci.image.config.v1+json";

/// Whoever asks about an image, and whether for its configuration.
fn gatherer(server: &Server, configs: bool) -> Gatherer {
    let text = "authorities: {a: {static: pass}}\nrules: [{name: r, images: ['**'], require: {of: [a]}, enforcement: deny}]\n";
    let authorities = Authorities::compile(&trust(text, &[]).unwrap()).unwrap();
    let source = Arc::new(Cached::new(Arc::new(registries(&[registry(server)])), 1 << 20));
    let asked = Asked { configs, ..Asked::default() };
    let verifier = Remembered::sigstore(Limits::default(), 1 << 20);
    Gatherer::new(Arc::new(authorities), source, verifier, asked, Limits::default())
}

async fn entry(gatherer: &Gatherer, text: String) -> Value {
    let key = FactKey::Signatures(ImageKey { text, puller: Puller::default() });
    let Fact::Known(entry) = gatherer.fetch(&key).await else { panic!("a fault") };
    assert_eq!((&entry["status"], &entry["complete"]), (&json!("ok"), &json!(true)), "{entry}");
    entry
}

/// A manifest with a configuration of a type, under its digest.
fn typed(holds: &Holds, media_type: &str, text: &str) -> Digest {
    let blob = holds.blob(text.as_bytes());
    let config = json!({ "mediaType": media_type, "digest": blob.to_string(), "size": text.len() });
    holds.document("x", MANIFEST, &json!({ "mediaType": MANIFEST, "config": config, "layers": [] }))
}

fn of_user(holds: &Holds, user: &str) -> Digest {
    typed(holds, CONFIG, &json!({ "config": { "User": user } }).to_string())
}

/// An index of some, each for a platform.
fn index(holds: &Holds, children: &[(Digest, &str)]) -> Digest {
    let entry = |(digest, os): &(Digest, &str)| {
        let length = holds.said(&format!("/v2/app/manifests/{digest}")).body.len();
        let architecture = if *os == "unknown" { "unknown" } else { "amd64" };
        let platform = json!({ "os": os, "architecture": architecture });
        json!({ "mediaType": MANIFEST, "digest": digest.to_string(), "size": length, "platform": platform })
    };
    let manifests: Vec<Value> = children.iter().map(entry).collect();
    holds.document("index", INDEX, &json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests }))
}

/// What is wrong with a blob, or with what leads to it.
fn spoiled(holds: &Holds, said: Said) -> Digest {
    let text = json!({ "config": { "User": "65532" } }).to_string();
    let digest = typed(holds, CONFIG, &text);
    holds.put(format!("/v2/app/blobs/{}", Digest::of(text.as_bytes())), said);
    digest
}

#[tokio::test]
async fn the_user_is_that_of_the_bytes_or_is_not_known() {
    type Make = fn(&Holds) -> Digest;
    let rows: [(&str, Make, Value); 15] = [
        ("a number", |holds| of_user(holds, "65532:0"), json!("65532:0")),
        ("a name", |holds| of_user(holds, "nonroot"), json!("nonroot")),
        ("none", |holds| typed(holds, CONFIG, "{}"), json!("")),
        (
            "an index of one user",
            |holds| index(holds, &[(of_user(holds, "7"), "linux"), (of_user(holds, "7"), "windows")]),
            json!("7"),
        ),
        (
            "beside it an attestation",
            |holds| index(holds, &[(of_user(holds, "7"), "linux"), (of_user(holds, "0"), "unknown")]),
            json!("7"),
        ),
        (
            "an index of two users",
            |holds| index(holds, &[(of_user(holds, "7"), "linux"), (of_user(holds, "8"), "windows")]),
            Value::Null,
        ),
        ("an index of nothing", |holds| index(holds, &[]), Value::Null),
        ("sixteen", |holds| index(holds, &[(of_user(holds, "7"), "linux"); 16]), json!("7")),
        ("seventeen", |holds| index(holds, &[(of_user(holds, "7"), "linux"); 17]), Value::Null),
        (
            "one of an index is not there",
            |holds| index(holds, &[(of_user(holds, "7"), "linux"), (Digest::of(b"gone"), "linux")]),
            Value::Null,
        ),
        (
            "other bytes",
            |holds| spoiled(holds, Said::of(200, &[], r#"{"config": {"User": "1"}}"#)),
            Value::Null,
        ),
        ("no bytes", |holds| spoiled(holds, Said::of(404, &[], "")), Value::Null),
        ("a registry that fails", |holds| spoiled(holds, Said::of(500, &[], "")), Value::Null),
        (
            "of another type",
            |holds| typed(holds, "application/vnd.cncf.helm.config.v1+json", "{}"),
            Value::Null,
        ),
        ("larger than what is read", |holds| of_user(holds, &"1".repeat(1 << 20)), Value::Null),
    ];
    for (what, make, user) in rows {
        is_of(what, make, &user).await;
    }
}

/// Who it is said that an image runs as.
async fn is_of(what: &str, make: impl FnOnce(&Holds) -> Digest, user: &Value) {
    let holds = Holds::default();
    let digest = make(&holds);
    let server = holds.serve();
    let text = format!("{}/app@{digest}", server.address);
    let found = entry(&gatherer(&server, true), text).await;
    assert_eq!(found["config"], json!({ "user": user }), "{what}");
}

/// A manifest or an index as it is written, in which `<A>` and `<B>` are the members that name configurations, or images, of two users.
fn written(holds: &Holds, media_type: &str, text: &str) -> Digest {
    let mut text = text.to_owned();
    for (name, user) in [("A", "7"), ("B", "0")] {
        let config = json!({ "config": { "User": user } }).to_string();
        let named = if media_type == MANIFEST {
            (CONFIG, holds.blob(config.as_bytes()), config.len())
        } else {
            let child = of_user(holds, user);
            (MANIFEST, child, holds.said(&format!("/v2/app/manifests/{child}")).body.len())
        };
        let (kind, digest, length) = named;
        let members = format!("\"mediaType\": \"{kind}\", \"size\": {length}, \"digest\": \"{digest}\"");
        text = text
            .replace(&format!("<{name}>"), &members)
            .replace(&format!("<digest {name}>"), &digest.to_string());
    }
    let digest = Digest::of(text.as_bytes());
    holds.put(format!("/v2/app/manifests/{digest}"), Said::of(200, &[("content-type", media_type)], text));
    digest
}

/// What has two meanings: what it is, its type, and how it is written.
#[rustfmt::skip]
const AMBIGUOUS: [(&str, &str, &str); 8] = [
    ("Config", MANIFEST, r#"{"config": {<A>}, "Config": {<B>}}"#),
    ("Digest", MANIFEST, r#"{"config": {<A>, "Digest": "<digest B>"}}"#),
    ("a letter that is like an s", INDEX, r#"{"manifests": [{<A>}], "manife\u017ft\u017f": [{<B>}]}"#),
    ("Manifests", INDEX, r#"{"manifests": [{<A>}], "Manifests": [{<B>}]}"#),
    ("Digest of an index", INDEX, r#"{"manifests": [{<A>, "Digest": "<digest B>"}]}"#),
    ("Platform", INDEX, r#"{"manifests": [{<A>}, {<B>, "platform": {"os": "unknown", "architecture": "unknown"}, "Platform": {"os": "linux"}}]}"#),
    ("OS", INDEX, r#"{"manifests": [{<A>}, {<B>, "platform": {"os": "unknown", "architecture": "unknown", "OS": "linux"}}]}"#),
    ("an index with a configuration", INDEX, r#"{"manifests": [{<A>}], "config": {<B>}}"#),
];

#[tokio::test]
async fn what_others_may_read_differently_is_not_read() {
    for (what, media_type, text) in AMBIGUOUS {
        is_of(what, |holds| written(holds, media_type, text), &Value::Null).await;
    }
    for (media_type, text) in [(MANIFEST, r#"{"config": {<A>}}"#), (INDEX, r#"{"manifests": [{<A>}]}"#)] {
        is_of(media_type, |holds| written(holds, media_type, text), &json!("7")).await;
    }
    let other = |holds: &Holds| {
        let kind = "application/vnd.docker.distribution.manifest.v2+json";
        let child = of_user(holds, "7");
        let text = format!(r#"{{"manifests": [{{"mediaType": "{kind}", "digest": "{child}", "size": 1}}]}}"#);
        written(holds, INDEX, &text)
    };
    is_of("another type than its index says", other, &Value::Null).await;
}

/// An index of eight images whose blobs come late.
fn late(pause: Duration) -> (Server, String) {
    let holds = Holds::default();
    let digest = index(&holds, &[(of_user(&holds, "7"), "linux"); 8]);
    let server = Server::start(move |asked, stream| {
        if asked.path().contains("/blobs/") {
            sleep(pause);
        }
        holds.said(asked.path()).to(stream);
    });
    let text = format!("{}/app@{digest}", server.address);
    (server, text)
}

#[tokio::test]
async fn one_that_hangs_is_waited_for_three_seconds() {
    let (server, text) = late(Duration::from_secs(10));
    let start = Instant::now();
    assert_eq!(entry(&gatherer(&server, true), text).await["config"], json!({ "user": null }));
    let took = start.elapsed();
    assert!((3..5).contains(&took.as_secs()), "{took:?}");
    // Passes are left for others.
    let blobs = server.asked().iter().filter(|one| one.path().contains("/blobs/")).count();
    assert_eq!(blobs, 2);
}

#[tokio::test]
async fn what_came_too_late_for_one_serves_the_next() {
    let (server, text) = late(Duration::from_secs(1));
    let asks = gatherer(&server, true);
    assert_eq!(entry(&asks, text.clone()).await["config"], json!({ "user": null }));
    let start = Instant::now();
    assert_eq!(entry(&asks, text).await["config"], json!({ "user": "7" }));
    assert!(start.elapsed() < Duration::from_millis(2500), "it was not begun again");
    let blobs = server.asked().iter().filter(|one| one.path().contains("/blobs/")).count();
    assert_eq!(blobs, 8);
}

/// What a tag means is asked again by whoever pulls it.
#[tokio::test]
async fn of_a_tag_no_user_is_told() {
    let holds = Holds::default();
    let digest = of_user(&holds, "7");
    holds.put("/v2/app/manifests/v7", holds.said(&format!("/v2/app/manifests/{digest}")));
    let server = holds.serve();
    let image = format!("{}/app:v7", server.address);
    let mut seen = entry(&gatherer(&server, true), image.clone()).await;
    assert_eq!(seen["config"], json!({ "user": null }));
    seen["config"] = Value::Null;
    assert_eq!(seen, entry(&gatherer(&server, false), image.clone()).await);
    assert_eq!(server.asked().len(), 0);
    let pinned = entry(&gatherer(&server, true), format!("{image}@{digest}")).await;
    assert_eq!(pinned["config"], json!({ "user": "7" }));
}

#[tokio::test]
async fn it_is_read_once_and_only_where_somebody_asks() {
    let holds = Holds::default();
    let digest = of_user(&holds, "7");
    let server = holds.serve();
    let text = format!("{}/app@{digest}", server.address);
    assert_eq!(entry(&gatherer(&server, false), text.clone()).await["config"], Value::Null);
    assert_eq!(paths(&server.asked()), Vec::<String>::new());
    let asks = gatherer(&server, true);
    for _ in 0..2 {
        assert_eq!(entry(&asks, text.clone()).await["config"], json!({ "user": "7" }));
    }
    assert_eq!(server.asked().len(), 2, "{:?}", paths(&server.asked()));
}

#[test]
fn who_declares_it_sees_it_and_nobody_else() {
    let mut digest = None;
    let place = Place::with(|holds, _, _| {
        let named = index(holds, &[(of_user(holds, "7"), "linux"), (of_user(holds, "7"), "windows")]);
        holds.put("/v2/app/manifests/v7", holds.said(&format!("/v2/app/manifests/{named}")));
        digest = Some(named);
    });
    let folder = place.folder.path();
    let tells = "deny contains {\"msg\": sprintf(\"NAME sees %v\", [entry.config])} if some entry in input.context.images";
    for (name, context) in
        [("sees", "{images: {config: true, partial: true}}"), ("blind", "{images: {partial: true}}")]
    {
        let files = [policy(name, context, &tells.replace("NAME", name)), bound(&format!("images/{name}"))];
        for (path, text) in files {
            fs::create_dir_all(folder.join("p").join(&path).parent().unwrap()).unwrap();
            fs::write(folder.join("p").join(path), text).unwrap();
        }
    }
    let image = format!("{}@{}", place.image("v7"), digest.unwrap());
    fs::write(folder.join("pod.json"), pod(&image).to_string()).unwrap();
    assert_eq!(place.run(&["images", "save", &image, "-p", "p", "-o", "layout"]).0, Some(0));
    let mut said = Vec::new();
    for source in ["registry", "layout:layout"] {
        let written =
            place.run(&["images", "facts", &image, "-p", "p", "--images", source, "-o", "images.json"]);
        assert_eq!(written.0, Some(0), "{}", written.1);
        let facts: Value = serde_json::from_slice(&fs::read(folder.join("images.json")).unwrap()).unwrap();
        assert_eq!(facts[&image]["config"], json!({ "user": "7" }), "{source}");
        said.push((source.to_owned(), "{\"user\": \"7\"}"));
    }
    said.push(("facts:images.json".to_owned(), "{\"user\": \"7\"}"));
    // As files are that were written before there was such a member.
    let mut older: Value = serde_json::from_slice(&fs::read(folder.join("images.json")).unwrap()).unwrap();
    older[&image].as_object_mut().unwrap().remove("config");
    fs::write(folder.join("older.json"), older.to_string()).unwrap();
    said.push(("facts:older.json".to_owned(), "null"));
    for (source, seen) in said {
        let (code, told) =
            place.run(&["check", "-p", "p", "--mode", "deny", "--images", &source, "pod.json"]);
        assert_eq!(code, Some(1), "{told}");
        for line in [format!("sees sees {seen}"), "blind sees null".to_owned()] {
            assert!(told.contains(&line), "{source}: {line}: {told}");
        }
    }
}
