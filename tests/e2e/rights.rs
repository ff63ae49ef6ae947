//! What an installation may ask of the API server: as much as it asks, and nothing else. The API server's own audit log says
//! what its service account asked.

use std::collections::BTreeSet;
use std::process::Command;

use http::Method;
use meshgate::config::{NAMESPACE, SERVICE};
use serde_json::{Value, json};

use crate::environment::{User, wait_until};
use crate::installation::Installed;

const MERGE: &str = "application/merge-patch+json";
const SECRET: &str = "/api/v1/namespaces/meshgate-system/secrets/meshgate-certificates";
const PROOF: &str = "/api/v1/namespaces/meshgate-system/secrets/meshgate-proof";
const STATE: &str = "/api/v1/namespaces/meshgate-system/configmaps/meshgate-state";
const CONFIGURATIONS: [&str; 2] = [
    "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/meshgate-mutating",
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/meshgate-validating",
];

/// A verb, of a resource of a group, of one name or of any (empty).
type Right = (String, String, String, String);

#[test]
fn every_right_is_used_and_none_is_missing() {
    Installed::with(|installed| {
        renewed_and_repaired(&installed.environment.admin);
        // As the Job of the chart does before Helm deletes the rest.
        let account =
            installed.environment.user(&format!("system:serviceaccount:{NAMESPACE}:{SERVICE}"), None);
        let mut removal = Command::new(env!("CARGO_BIN_EXE_meshgate"));
        removal.args(["install", "--remove=registration", "--kubeconfig"]).arg(&account.kubeconfig);
        let removal = removal.output().unwrap();
        assert!(removal.status.success(), "{}", String::from_utf8_lossy(&removal.stderr));
        installed.is_gone = true;

        let granted = granted(
            &installed
                .environment
                .admin
                .kubectl(
                    &["get", "-o", "json", "clusterrole/meshgate", "-n", "meshgate-system", "role/meshgate"],
                    "",
                )
                .out,
        );
        let (used, refused) = asked(&installed.environment.audit_log());
        assert_eq!(refused, BTreeSet::new(), "asked for and not granted");
        let is_used = |(verb, group, resource, name): &&Right| {
            used.iter().any(|used| {
                (&used.0, &used.1, &used.2) == (verb, group, resource) && (name.is_empty() || used.3 == *name)
            })
        };
        let unused: Vec<&Right> = granted.iter().filter(|right| !is_used(right)).collect();
        assert_eq!(unused, Vec::<&Right>::new(), "granted and never asked for");
        println!(
            "rights of an installation: {} granted, all used, by {} kinds of requests",
            granted.len(),
            used.len()
        );
    });
}

/// What a leader does now and then.
fn renewed_and_repaired(admin: &User) {
    // Renewed, so that the other replicas are looked for.
    let former = admin.get(SECRET).body["data"]["current.crt"].clone();
    let annotation =
        json!({ "metadata": { "annotations": { "meshgate.io/renew-after": "2020-01-01T00:00:00Z" } } });
    assert_eq!(admin.request(&Method::PATCH, SECRET, MERGE, &annotation).status, 200);
    wait_until("a new certificate alone", || {
        let secret = admin.get(SECRET).body;
        let stable = secret["metadata"]["annotations"]["meshgate.io/phase"] == "stable";
        (stable && secret["data"]["current.crt"] != former).then_some(())
    });
    // Keys that are gone from their Secret are made anew in it.
    assert_eq!(admin.request(&Method::PATCH, PROOF, MERGE, &json!({ "data": null })).status, 200);
    wait_until("another key", || {
        admin.get(PROOF).body["data"].as_object().filter(|data| !data.is_empty()).map(drop)
    });
    // A foreign entry survives an apply, so the configuration is replaced. It is written down how long it was there.
    for configuration in CONFIGURATIONS {
        let entries = || admin.get(configuration).body["webhooks"].as_array().cloned().unwrap_or_default();
        let mut foreign = entries()[0].clone();
        foreign["name"] = json!("foreign.example.com");
        let added = json!([{ "op": "add", "path": "/webhooks/-", "value": foreign }]);
        let answer = admin.request(&Method::PATCH, configuration, "application/json-patch+json", &added);
        assert_eq!(answer.status, 200, "{}", answer.body);
        wait_until("the repair", || {
            (!entries().iter().any(|entry| entry["name"] == "foreign.example.com")).then_some(())
        });
    }
    wait_until("a gap", || admin.get(STATE).body["data"]["gaps"].is_string().then_some(()));
    wait_until("an Event", || {
        let events = admin.get("/apis/events.k8s.io/v1/namespaces/meshgate-system/events").body;
        events["items"].as_array()?.iter().any(|one| one["reason"] == "RegistrationRepaired").then_some(())
    });
}

/// The rights of roles.
fn granted(roles: &str) -> BTreeSet<Right> {
    let roles: Value = serde_json::from_str(roles).unwrap();
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let mut rights = BTreeSet::new();
    for rule in roles["items"].as_array().unwrap().iter().flat_map(|role| role["rules"].as_array().unwrap()) {
        let mut names = texts(&rule["resourceNames"]);
        if names.is_empty() {
            names.push(String::new());
        }
        for verb in texts(&rule["verbs"]) {
            for group in texts(&rule["apiGroups"]) {
                for resource in texts(&rule["resources"]) {
                    let right = |name: &String| (verb.clone(), group.clone(), resource.clone(), name.clone());
                    rights.extend(names.iter().map(right));
                }
            }
        }
    }
    rights
}

/// What was asked with success, and what RBAC refused.
fn asked(audit: &str) -> (BTreeSet<Right>, BTreeSet<Right>) {
    let (mut used, mut refused) = (BTreeSet::new(), BTreeSet::new());
    for line in audit.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        let text =
            |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        // Whether it may do something is asked before a bundle is put in force, which is refused where it may not.
        let own = "/requestObject/spec/resourceAttributes";
        if event.pointer(own).is_some() {
            let of = |member: &str| text(&format!("{own}/{member}"));
            used.insert((of("verb"), of("group"), of("resource"), of("name")));
            continue;
        }
        let of = |member: &str| text(&format!("/objectRef/{member}"));
        // A watch of one name is of that name: RBAC looks at the field selector.
        let right = (text("/verb"), of("apiGroup"), of("resource"), of("name"));
        if text("/annotations/authorization.k8s.io~1decision") == "forbid" {
            refused.insert(right);
            continue;
        }
        let code = event.pointer("/responseStatus/code").and_then(Value::as_u64);
        // Applied to what was not there: the right to create it is asked for on the way.
        if code == Some(201) && right.0 == "patch" {
            used.insert(("create".to_owned(), right.1.clone(), right.2.clone(), right.3.clone()));
        }
        used.insert(right);
    }
    (used, refused)
}
