//! A push comes in force on a running webhook; the start with and without the repository.

use std::fs;

use crate::repository::short;
use crate::server::Manner;
use crate::world::World;

#[test]
fn a_push_comes_in_force_and_every_answer_names_its_commit() {
    let (world, first) = World::new();
    let process = world.started(&first);
    let (status, answer) = process.review();
    let response = &answer["response"];
    assert_eq!((status, response["allowed"].as_bool()), (200, Some(false)), "{answer}");
    assert_eq!(response["status"]["message"].as_str().unwrap().lines().next(), Some("[x/a] first"));
    let revision = response["auditAnnotations"]["validate-revision"].as_str().unwrap();
    assert!(revision.starts_with(&format!("platform@{} tree=", short(&first))), "{revision}");
    for n in 0..5 {
        let message = format!("push {n}");
        let id = world.push(&message);
        let took = process.until("the push", |process| process.active().as_deref() == Some(id.as_str()));
        println!("a push is in force after {} ms, of which up to 500 are the poll", took.as_millis());
        let (_, answer) = process.review();
        assert_eq!(
            answer["response"]["status"]["message"].as_str().unwrap().lines().next(),
            Some(format!("[x/a] {message}").as_str())
        );
    }
    let bundle = process.bundle();
    let active = &bundle["active"];
    assert_eq!((active["kind"].as_str(), active["trust"].as_str()), (Some("git"), Some("verified")));
    assert!(active["signers"][0].as_str().unwrap().starts_with("jane@example.com SHA256:"), "{active}");
    let metrics = process.admin("/metrics").1;
    for family in [
        "bundle_stage_seconds{stage=\"tests\"}",
        "bundle_trust{state=\"verified\"} 1",
        "source_polls_total{result=\"changed\"} 6",
    ] {
        assert!(metrics.contains(&format!("meshgate_{family}")), "{family}: {metrics}");
    }
}

#[test]
fn a_first_start_without_the_repository_is_not_ready_and_a_later_one_has_the_last_good_policies() {
    let (world, first) = World::new();
    world.server.behaves(Manner::Status(503, ""));
    let process = world.start();
    process.until("the refusal", |process| process.admin("/readyz").1.contains("answers 503"));
    assert_eq!(process.admin("/readyz").0, 503);
    assert_eq!(process.review().0, 503, "nothing is allowed");
    world.server.behaves(Manner::Good);
    process.until("the policies", |process| process.active().as_deref() == Some(first.as_str()));
    assert_eq!(process.admin("/readyz").0, 200);
    process.until("kept", |_| world.kept().contains(short(&first)));
    drop(process);

    world.server.behaves(Manner::Status(500, ""));
    let process = world.started(&first);
    process.until("the note", |process| {
        process.admin("/readyz?verbose").1.contains("degraded: source unreachable since")
    });
    assert_eq!(process.admin("/readyz").0, 200);
    assert_eq!(process.review().1["response"]["allowed"], false);
    // What came meanwhile is fetched then.
    let second = world.push("second");
    world.server.behaves(Manner::Good);
    process.until("the push", |process| process.active().as_deref() == Some(second.as_str()));
}

#[test]
fn what_was_kept_is_verified_again() {
    let (world, first) = World::new();
    let second = {
        let process = world.started(&first);
        let second = world.push("second");
        process.until("the push", |process| process.active().as_deref() == Some(second.as_str()));
        process.until("kept", |_| world.kept().contains(short(&second)));
        second
    };
    world.server.behaves(Manner::Status(500, ""));
    let bundles = world.repository.path("state/bundles");
    let newest = fs::read_dir(&bundles)
        .unwrap()
        .flatten()
        .find(|entry| entry.file_name().to_string_lossy().ends_with(short(&second)));
    let archive = newest.unwrap().path().join("bundle.tar.gz");
    let mut bytes = fs::read(&archive).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&archive, bytes).unwrap();
    let process = world.started(&first);
    assert!(
        process
            .admin("/metrics")
            .1
            .contains("meshgate_bundle_rejected_total{stage=\"recover\",reason=\"corrupt\"} 1")
    );
    let names: Vec<String> = fs::read_dir(&bundles)
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    assert!(names.iter().any(|name| name.starts_with("bad-") && name.ends_with(short(&second))), "{names:?}");
    // The floor is still the second: an older commit does not come in force by a damaged disk.
    assert_eq!(process.bundle()["floor"], second.as_str());
    drop(process);

    // Nobody is trusted any more who signed what was kept.
    let other = world.repository.key("other", &["ed25519"]);
    world.repository.allow(&format!("jim@example.com {other}\n"));
    let process = world.start();
    process.until("the refusal", |process| {
        process.bundle()["refused"]["why"].to_string().contains("no allowed signer has")
    });
    assert_eq!((process.admin("/readyz").0, process.review().0), (503, 503));
}
