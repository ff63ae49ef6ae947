//! Two hundred admissions a second while something happens to meshgate or to what it lives by: none fails, none is wrong.

use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::environment::{Environment, wait_until};
use crate::load::{by_the_starter_profile, under_load};
use crate::webhook::{Webhook, pod, strict};

#[test]
fn nothing_happens() {
    let Some(environment) = Environment::alone() else { return };
    let webhook = Webhook::start(&environment, "available-steady", &json!({}), &strict());
    under_load(&webhook, by_the_starter_profile, || {}).assert_clean("nothing happens");
}

/// Who is gone without a word fails what it was asked at that moment, and no more.
#[test]
fn a_replica_is_killed() {
    let Some(environment) = Environment::alone() else { return };
    let mut webhook = Webhook::start(&environment, "available-killed", &json!({}), &strict());
    webhook.start_replicas(2);
    let tally = under_load(&webhook, by_the_starter_profile, || {
        sleep(Duration::from_secs(1));
        webhook.replicas[1].program.kill();
        webhook.balancer.set(vec![webhook.replicas[0].address, webhook.replicas[2].address]);
    });
    println!("a replica is killed: {tally}");
    // It has at most what all have: 64 at once among three.
    assert!(tally.failures() <= 64 && tally.wrong.is_empty(), "{tally:?}");
}

#[test]
fn the_api_server_is_restarted() {
    let Some(environment) = Environment::alone() else { return };
    let webhook = Webhook::start(&environment, "available-api-server", &json!({}), &strict());
    let tally = under_load(&webhook, by_the_starter_profile, || {
        sleep(Duration::from_secs(1));
        environment.restart_api_server();
        sleep(Duration::from_secs(1));
    });
    tally.assert_clean("the API server is restarted");
}

/// The API server waits for etcd; meshgate answers meanwhile.
#[test]
fn etcd_stands_still() {
    let Some(environment) = Environment::alone() else { return };
    let webhook = Webhook::start(&environment, "available-etcd", &json!({}), &strict());
    let tally = under_load(&webhook, by_the_starter_profile, || {
        sleep(Duration::from_secs(1));
        environment.etcd.signal("STOP");
        sleep(Duration::from_secs(5));
        environment.etcd.signal("CONT");
        sleep(Duration::from_secs(1));
    });
    tally.assert_clean("etcd stands still for 5 s");
}

/// What is judged is refused while all are away; what the cluster lives by goes on; nobody has to do anything when they are
/// back.
#[test]
fn all_replicas_are_away_and_back() {
    let Some(environment) = Environment::alone() else { return };
    let webhook = Webhook::start(&environment, "available-away", &json!({}), &strict());
    let replica = &webhook.replicas[0];
    let create = |namespace: &str, name: &str| {
        let path = format!("/api/v1/namespaces/{namespace}/pods?dryRun=All");
        let start = Instant::now();
        (environment.admin.create(&path, &pod(name, &json!({}))).status, start.elapsed())
    };
    replica.program.kill();
    let (status, took) = create("available-away", "web");
    assert!((status, took < Duration::from_secs(1)) == (500, true), "{status} after {took:?}");
    assert_eq!(create("kube-system", "web").0, 201);
    assert_eq!(create("meshgate-system", "web").0, 201);
    let back = webhook.replica("back");
    webhook.balancer.set(vec![back.address]);
    let start = Instant::now();
    wait_until("a Pod", || (create("available-away", "web").0 == 403).then_some(()));
    println!("all replicas are away and back: judged again after {} ms", start.elapsed().as_millis());
    assert!(start.elapsed() < Duration::from_secs(1));
}
