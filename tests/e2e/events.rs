//! What whoever runs meshgate sees of it in `kubectl events`.

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::Duration;

use http::Method;
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::environment::wait_until;
use crate::installation::Installed;
use crate::webhook::{pod, policies, strict};

const EVENTS: &str = "/apis/events.k8s.io/v1/namespaces/meshgate-system/events";
const VALIDATING: &str =
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/meshgate-validating";
const MERGE: &str = "application/merge-patch+json";

/// How often each replica said something, by the reason and what it said.
fn events(installed: &Installed, reason: &str) -> BTreeMap<String, usize> {
    let all = installed.environment.admin.get(EVENTS).body;
    let mut found = BTreeMap::new();
    for event in all["items"].as_array().unwrap_or_else(|| panic!("{all}")) {
        if event["reason"] != reason {
            continue;
        }
        assert_eq!((&event["type"], &event["regarding"]["kind"]), (&json!("Warning"), &json!("Deployment")));
        assert_eq!(event["regarding"]["name"], "meshgate", "{event}");
        let text = |member: &str| event[member].as_str().unwrap_or_default().to_owned();
        *found.entry(format!("{}: {}", text("reportingInstance"), text("note"))).or_default() += 1;
    }
    found
}

fn wait_for(installed: &Installed, reason: &str, part: &str) {
    wait_until(reason, || events(installed, reason).keys().any(|said| said.contains(part)).then_some(()));
}

/// Denials in the namespace only warn for an hour, or deny again.
fn suspend(installed: &Installed, is_suspended: bool) {
    let until = (OffsetDateTime::now_utc() + Duration::from_secs(3_600)).format(&Rfc3339).unwrap();
    let until = is_suspended.then_some(until);
    let change = json!({ "metadata": { "annotations": { "meshgate.io/suspend": until } } });
    let path = format!("/api/v1/namespaces/{}", Installed::NAMESPACE);
    let answer = installed.environment.admin.request(&Method::PATCH, &path, MERGE, &change);
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[test]
fn what_operators_are_to_know_is_an_event() {
    Installed::with(|installed| {
        let admin = installed.environment.admin.clone();
        // Two that are equal are told once.
        for _ in 0..2 {
            assert_eq!(
                admin.request(&Method::PATCH, VALIDATING, MERGE, &json!({ "webhooks": [] })).status,
                200
            );
            wait_until("the repair", || {
                (admin.get(VALIDATING).body["webhooks"].as_array()?.len() == 3).then_some(())
            });
            sleep(Duration::from_millis(1_100));
        }
        wait_for(installed, "RegistrationRepaired", "meshgate-validating was changed: entries are [], not [");

        installed.reach(false);
        wait_for(installed, "ProbeFailed", "the webhook does not answer through the API server");
        installed.reach(true);

        let faulty = policies(&[("bindings.yaml", "kind: PolicyBinding\n")]);
        installed.replace_policies(90, &faulty);
        wait_for(installed, "BundleRefused", "can't be put in force: ");
        installed.replace_policies(91, &strict());

        // A suspended namespace: what it lets through is told, and a dry run is not.
        suspend(installed, true);
        let privileged = pod("let-through", &json!({ "privileged": true }));
        let made = |query: &str| {
            let path = format!("/api/v1/namespaces/{}/pods{query}", Installed::NAMESPACE);
            admin.create(&path, &privileged).status
        };
        wait_until("a warning", || (made("?dryRun=All") == 201).then_some(()));
        sleep(Duration::from_secs(1));
        assert_eq!(events(installed, "SuspensionUsed"), BTreeMap::new(), "a dry run leaves no trace");
        assert_eq!(made(""), 201);
        wait_for(installed, "SuspensionUsed", "in the namespace shop is let through: it is suspended");
        admin.delete(&format!("/api/v1/namespaces/{}/pods/let-through", Installed::NAMESPACE));
        suspend(installed, false);

        for reason in ["RegistrationRepaired", "ProbeFailed", "BundleRefused", "SuspensionUsed"] {
            let found = events(installed, reason);
            println!("events: {reason}: {found:?}");
            assert!(found.values().all(|count| *count == 1), "{found:?}");
        }
    });
}
