//! Two hundred admissions a second while something happens to meshgate or to what it lives by: none fails, none is wrong.

use std::thread::sleep;
use std::time::Duration;

use serde_json::json;

use crate::environment::Environment;
use crate::load::{by_the_starter_profile, under_load};
use crate::webhook::{Webhook, strict};

#[test]
fn nothing_happens() {
    let Some(environment) = Environment::alone() else { return };
    let webhook = Webhook::start(&environment, "available-steady", &json!({}), &strict());
    under_load(&environment.admin, &webhook.path("pods?dryRun=All"), by_the_starter_profile, || {})
        .assert_clean("nothing happens");
}

/// Who is gone without a word fails what it was asked at that moment, and no more.
#[test]
fn a_replica_is_killed() {
    let Some(environment) = Environment::alone() else { return };
    let mut webhook = Webhook::start(&environment, "available-killed", &json!({}), &strict());
    webhook.start_replicas(2);
    let tally =
        under_load(&environment.admin, &webhook.path("pods?dryRun=All"), by_the_starter_profile, || {
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
    let tally =
        under_load(&environment.admin, &webhook.path("pods?dryRun=All"), by_the_starter_profile, || {
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
    let tally =
        under_load(&environment.admin, &webhook.path("pods?dryRun=All"), by_the_starter_profile, || {
            sleep(Duration::from_secs(1));
            environment.etcd.signal("STOP");
            sleep(Duration::from_secs(5));
            environment.etcd.signal("CONT");
            sleep(Duration::from_secs(1));
        });
    tally.assert_clean("etcd stands still for 5 s");
}
