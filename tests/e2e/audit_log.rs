//! What is found in the API server's audit log afterwards: which policies were asked, in which revision, and what they found.

use serde_json::{Value, json};

use crate::environment::{AUDITED, Environment, wait_until};
use crate::load::admitted;
use crate::webhook::{Webhook, strict};

#[test]
fn the_audit_log_says_which_policies_decided() {
    let Some(environment) = Environment::shared() else { return };
    let webhook = Webhook::start(&environment, AUDITED, &json!({}), &strict());
    let pod = admitted(0, true);
    let refused = environment.admin.create(&webhook.path("pods?dryRun=All"), &pod);
    assert_eq!(refused.status, 403, "{}", refused.body);

    let is_ours = |event: &Value| {
        event["objectRef"]["namespace"] == AUDITED && event["objectRef"]["name"] == pod["metadata"]["name"]
    };
    let event = wait_until("an event", || {
        let log = environment.audit_log();
        log.lines().filter_map(|line| serde_json::from_str(line).ok()).find(is_ours)
    });
    let said = |key: &str| event["annotations"][format!("workloads.meshgate.io/{key}")].as_str();
    let greeting = webhook.replicas[0].program.said();
    let revision = greeting.split("revision ").nth(1).and_then(|rest| rest.lines().next());
    assert!(revision.is_some(), "{greeting}");
    let named = |key: &str| said(key).and_then(|said| said.split(" tree=").next());
    assert_eq!((named("mutate-revision"), named("validate-revision")), (revision, revision), "{event}");
    assert_eq!(said("validate-policies"), Some("deny: pod_security/standard"), "{event}");
}
