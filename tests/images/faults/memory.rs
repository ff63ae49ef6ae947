//! What a server takes while registries answer without end.

use std::fs;

use meshgate::image::Digest;
use serde_json::json;

use super::rows::endless;
use crate::kit::{BUNDLE, Holds, INDEX, MANIFEST, Said, index};
use crate::server::Server;
use crate::sigstore as kit;
use crate::wired::{Place, Serving};

/// Registries that answer at once, so that as many bodies are read at a time as may be (`images.limits.concurrency`).
const REGISTRIES: usize = 4;
/// Pods at once, each with an image of its own; three bodies for each. Twice.
const PODS: usize = 32;
/// Of 32 bodies at a time each is read up to 4 MiB, which are there twice while a buffer grows, beside what is on its way.
const MOST_KIB: u64 = 32 * 3 * 4 * 1024;

/// KiB that the process has had at the most.
fn peak(serving: &Serving) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", serving.process())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn endless_bodies_take_what_the_limits_allow() {
    let server = || Server::start(|_, stream| endless(stream, MANIFEST));
    let others: Vec<Server> = (1..REGISTRIES).map(|_| server()).collect();
    let place = Place::of(server(), &kit::key(), Digest::of(b"x"), tempfile::tempdir().unwrap());
    let servers: Vec<&Server> = others.iter().chain([&place.registry]).collect();
    let entries: Vec<String> =
        servers.iter().map(|one| format!("{{host: '{}', plaintext: true}}", one.address)).collect();
    let text = format!(
        "apiVersion: meshgate.io/v1alpha1\nkind: Configuration\nimages: {{registries: [{}]}}\n",
        entries.join(", ")
    );
    fs::write(place.folder.path().join("meshgate.yaml"), text).unwrap();
    let trust = fs::read_to_string(place.folder.path().join("p/trust.yaml")).unwrap();
    let hosts: String = servers.iter().map(|one| format!("'{}/**', ", one.address)).collect();
    fs::write(
        place.folder.path().join("p/trust.yaml"),
        trust.replace("images: [", &format!("images: [{hosts}")),
    )
    .unwrap();
    let serving = Serving::start(&place, &["--config", "meshgate.yaml"]);
    let before = peak(&serving);
    let mut answers = Vec::new();
    for wave in 0..2 {
        let asked = (0..PODS).map(|index| {
            let (host, digest) = (servers[index % REGISTRIES].address, Digest::of(&[wave, index as u8]));
            let (image, serving) = (format!("{host}/app@{digest}"), &serving);
            async move { serving.asked(&image).await }
        });
        answers.extend(futures_util::future::join_all(asked).await);
        println!("{PODS} Pods at once: {before} KiB before, {} KiB at the most", peak(&serving));
    }
    assert!(answers.iter().all(|(code, _)| *code != 200), "{answers:?}");
    let read = servers.iter().map(|one| one.asked().len()).sum::<usize>();
    let after = peak(&serving);
    println!("{read} endless bodies took {} KiB at the most", after - before);
    let cause =
        answers.iter().filter(|(_, message)| message.contains("more than is read: bytes of a")).count();
    assert!(read >= 2 * PODS && cause > PODS, "{answers:?}");
    assert!(after - before < MOST_KIB, "{before} KiB before, {after} KiB at the most");
}

/// Referrers of an image, each of a manifest as large as is read, whose only layer says more than anybody asks for.
const REFERRERS: usize = 16;
/// Of 8 bodies at a time (`images.limits.perRegistry`), each in buffers that grow; kept whole, one manifest would take 60 MiB.
const MOST_OF_ONE_KIB: u64 = 8 * 6 * 4 * 1024;

#[tokio::test]
async fn what_nobody_asks_for_takes_nothing() {
    let members = [
        ("platform", format!("{{\"x\": [{}0]}}", "0,".repeat(2_080_000))),
        (
            "annotations",
            format!(
                "{{{}\"\": \"\"}}",
                (0..240_000).map(|n| format!("\"{n:x}\":\"vvvvvv\",")).collect::<String>()
            ),
        ),
    ];
    for (member, value) in members {
        let (holds, image) = (Holds::default(), Digest::of(member.as_bytes()));
        let blob = Digest::of(b"none");
        let text = format!(
            r#"{{"subject": {{"digest": "{image}", "size": 1}}, "layers": [{{"mediaType": "{BUNDLE}", "digest": "{blob}", "size": 1, "{member}": {value}}}]}}"#
        );
        assert!(text.len() < 4 << 20 && text.len() > 3 << 20, "{} bytes", text.len());
        let entry = json!({ "mediaType": MANIFEST, "digest": Digest::of(text.as_bytes()).to_string(), "size": text.len() });
        let said = Said::of(200, &[("content-type", MANIFEST)], text);
        holds.put(format!("/v2/app/manifests/{}", Digest::of(&said.body)), said);
        let list = Said::of(200, &[("content-type", INDEX)], index(&vec![entry; REFERRERS]));
        holds.put(format!("/v2/app/referrers/{image}"), list);
        let place = Place::of(holds.serve(), &kit::key(), image, tempfile::tempdir().unwrap());
        let serving = Serving::start(&place, &["--config", "meshgate.yaml"]);
        let before = peak(&serving);
        let (code, message) = serving.asked(&format!("{}/app@{image}", place.registry.address)).await;
        let took = peak(&serving) - before;
        println!("{REFERRERS} manifests with {member} took {took} KiB at the most");
        assert_eq!(code, 403, "{message}");
        assert!(message.contains("a manifest of evidence that is not there"), "{message}");
        assert!(took < MOST_OF_ONE_KIB, "{member}: {took} KiB");
    }
}
