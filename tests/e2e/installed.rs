//! An installation with three replicas, as its operator has it, whose registration and certificates are its own, under two
//! hundred admissions a second.

use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::{Duration, Instant};

use http::Method;
use meshgate::policy::Tree;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::environment::{Answer, wait_until};
use crate::installation::{Installed, current, previous};
use crate::load::{admitted, by_the_starter_profile, duration, is_long, under_load};
use crate::webhook::{pod, policies, strict};

const CONFIGURATIONS: &str = "/apis/admissionregistration.k8s.io/v1";
const SECRET: &str = "/api/v1/namespaces/meshgate-system/secrets/meshgate-certificates";
const MERGE: &str = "application/merge-patch+json";

const KINDS: [(&str, &str); 2] = [
    ("mutatingwebhookconfigurations", "meshgate-mutating"),
    ("validatingwebhookconfigurations", "meshgate-validating"),
];

/// How soon what somebody changed is set back.
const REPAIRED: Duration = Duration::from_secs(2);

fn path((kind, name): (&str, &str)) -> String {
    format!("{CONFIGURATIONS}/{kind}/{name}")
}

/// The entries of a configuration.
fn entries(installed: &Installed, configuration: (&str, &str)) -> Value {
    installed.environment.admin.get(&path(configuration)).body["webhooks"].clone()
}

/// The entries once nothing that went before changes them any more.
fn settled(installed: &Installed, configuration: (&str, &str)) -> Value {
    wait_until("a registration that stays as it is", || {
        let seen = entries(installed, configuration);
        sleep(Duration::from_secs(1));
        (entries(installed, configuration) == seen).then_some(seen)
    })
}

#[test]
fn the_certificate_is_renewed() {
    Installed::with(|installed| {
        let admin = installed.environment.admin.clone();
        let (start, mut renewals) = (Instant::now(), 0);
        let least = if is_long() { 20 } else { 1 };
        let tally = under_load(&admin, &installed.pods(), by_the_starter_profile, || {
            while renewals < least || start.elapsed() < duration() {
                let former = admin.get(SECRET).body["data"]["current.crt"].clone();
                assert!(former.is_string(), "{}", admin.get(SECRET).body);
                let annotation = json!({ "meshgate.io/renew-after": "2020-01-01T00:00:00Z" });
                let change = json!({ "metadata": { "annotations": annotation } });
                assert_eq!(admin.request(&Method::PATCH, SECRET, MERGE, &change).status, 200);
                wait_until("a new certificate alone", || {
                    let secret = admin.get(SECRET).body;
                    let stable = secret["metadata"]["annotations"]["meshgate.io/phase"] == "stable";
                    (stable && secret["data"]["current.crt"] != former).then_some(())
                });
                renewals += 1;
            }
        });
        tally.assert_clean(&format!("{renewals} renewals of the certificate"));
    });
}

/// New replicas take over from old ones, the leader among them: those of another version, where there is one, from ours,
/// and ours from them (R58).
#[test]
fn replicas_are_replaced_one_by_one() {
    let mut old = Vec::new();
    Installed::with(|installed| {
        let (admin, pods) = (installed.environment.admin.clone(), installed.pods());
        let mut born = 0;
        for program in previous().into_iter().chain([current()]) {
            let (start, first) = (Instant::now(), born);
            let tally = under_load(&admin, &pods, by_the_starter_profile, || {
                while born < first + 3 || start.elapsed() < duration() {
                    installed.start_replica_of(&program, &format!("new-{born}"));
                    old.push(installed.end_oldest());
                    born += 1;
                }
            });
            tally.assert_clean(&format!("{} replicas are replaced, by {}", born - first, program.display()));
        }
    });
    // Others use the installation meanwhile.
    for program in &old {
        assert_eq!(program.ended(), Some(0), "{}", program.said());
    }
}

/// Refuses something else in each version, asks about something else in every other one, and says which one it is.
fn versioned(number: usize) -> Tree {
    let (resources, condition) = if number.is_multiple_of(2) {
        ("[pods]", "is_privileged")
    } else {
        ("[pods, configmaps]", "not is_privileged")
    };
    let policy = format!(
        "# METADATA\n# title: v\n# description: v\n# custom:\n#   match:\n#     rules:\n#       - {{apiGroups: [\"\"], \
         apiVersions: [v1], resources: {resources}}}\npackage policies.workloads.versioned\n\n\
         is_pod if input.request.kind.kind == \"Pod\"\n\n\
         is_privileged if input.request.object.spec.containers[_].securityContext.privileged\n\nwarn contains \"version {number}\" if is_pod\n\ndeny contains \"version {number}\" if {{\n\tis_pod\n\t{condition}\n}}\n"
    );
    let binding = "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {name: v}\n\
        spec: {policy: workloads/versioned, enforcement: deny}\n";
    policies(&[("workloads/versioned/versioned.rego", &policy), ("bindings.yaml", binding)])
}

/// Right is what the version says that is named: even ones refuse what is privileged, odd ones all else.
fn by_its_version(violating: bool, answer: &Answer) -> bool {
    let number = |text: &str| text.rsplit("version ").next()?.lines().next()?.parse::<usize>().ok();
    match (answer.status, answer.warnings.as_slice()) {
        (403, _) => number(answer.message()).is_some_and(|number| number.is_multiple_of(2) == violating),
        (201, [said]) => number(said).is_some_and(|number| number.is_multiple_of(2) != violating),
        _ => false,
    }
}

#[test]
fn policies_are_replaced() {
    Installed::with(|installed| {
        let (admin, pods) = (installed.environment.admin.clone(), installed.pods());
        let says = |number: usize| {
            let answer =
                admin.create(&pods, &pod("web", &json!({ "privileged": !number.is_multiple_of(2) })));
            answer.warnings == [format!("[workloads/versioned] version {number}")]
        };
        let everywhere = |number: usize| {
            installed.replace_policies(number, &versioned(number));
            // Each replica takes them in its time; what the others say meanwhile is judged by the version that they name.
            wait_until("the new policies", || says(number).then_some(()));
        };
        everywhere(2);
        // The others look at the directory each second.
        sleep(Duration::from_secs(3));
        let (start, mut number) = (Instant::now(), 2);
        let least = if is_long() { 50 } else { 1 };
        let tally = under_load(&admin, &pods, by_its_version, || {
            while number - 2 < least || start.elapsed() < duration() {
                number += 1;
                everywhere(number);
            }
        });
        tally.assert_clean(&format!("policies are replaced {} times", number - 2));
        installed.replace_policies(number + 1, &strict());
        let starter = || by_the_starter_profile(true, &admin.create(&pods, &admitted(0, true)));
        wait_until("the former policies", || starter().then_some(()));
        sleep(Duration::from_secs(3));
    });
}

#[test]
fn what_somebody_changes_is_set_back() {
    Installed::with(|installed| {
        let admin = &installed.environment.admin;
        let json_patch = "application/json-patch+json";
        let unsigned = json!([{ "op": "remove", "path": "/webhooks/0/clientConfig/caBundle" }]);
        let ignoring = json!([{ "op": "replace", "path": "/webhooks/0/failurePolicy", "value": "Ignore" }]);
        // Not more than five in a minute: then repairs come each 30 s, so that two who disagree do not write without end.
        for (what, configuration, method, content, change) in [
            ("deleted", KINDS[0], Method::DELETE, "", Value::Null),
            ("without caBundle", KINDS[0], Method::PATCH, json_patch, unsigned),
            ("emptied", KINDS[1], Method::PATCH, MERGE, json!({ "webhooks": [] })),
            ("fails open", KINDS[1], Method::PATCH, json_patch, ignoring),
        ] {
            let before = settled(installed, configuration);
            let path = path(configuration);
            let mut repaired = Duration::ZERO;
            let tally = under_load(admin, &installed.pods(), by_the_starter_profile, || {
                let answer = admin.request(&method, &path, content, &change);
                assert_eq!(answer.status, 200, "{}", answer.body);
                let start = Instant::now();
                wait_until("the repair", || (entries(installed, configuration) == before).then_some(()));
                repaired = start.elapsed();
            });
            println!("{} {what}: repaired in {} ms; {tally}", configuration.1, repaired.as_millis());
            assert!(repaired < REPAIRED, "{what}: {repaired:?}");
            assert_eq!(tally.wrongly_denied, 0, "{tally:?}");
            // Who can't be trusted is not asked, and nothing passes; who is not registered can't be.
            assert!(what != "without caBundle" || tally.wrongly_allowed == 0, "{tally:?}");
        }
        // What passed meanwhile is known to whoever asks.
        let gaps = gaps(installed);
        assert!(gaps.len() >= 4, "{gaps:?}");
    });
}

/// What passed while nobody led is known as well: since somebody led last.
#[test]
fn what_is_changed_while_nobody_leads_is_a_gap() {
    Installed::with(|installed| {
        let admin = installed.environment.admin.clone();
        let before = settled(installed, KINDS[1]);
        let led = OffsetDateTime::now_utc();
        installed.resign_all();
        let resigned = OffsetDateTime::now_utc();
        // Later than the word that nobody leads, and noticed later still.
        sleep(Duration::from_secs(2));
        let ignoring = json!([{ "op": "replace", "path": "/webhooks/0/failurePolicy", "value": "Ignore" }]);
        let answer = admin.request(&Method::PATCH, &path(KINDS[1]), "application/json-patch+json", &ignoring);
        assert_eq!(answer.status, 200, "{}", answer.body);
        for name in ["after-1", "after-2", "after-3"] {
            installed.start_replica(name);
        }
        wait_until("the repair", || (entries(installed, KINDS[1]) == before).then_some(()));
        let gap = wait_until("a gap", || {
            let what = "meshgate-validating: failurePolicy of workloads.meshgate.io is another";
            gaps(installed).into_iter().rev().find(|gap| gap["what"] == what && moment(gap, "to") > resigned)
        });
        assert!(led <= moment(&gap, "from") && moment(&gap, "from") <= resigned, "{led} {gap} {resigned}");
    });
}

fn gaps(installed: &Installed) -> Vec<Value> {
    let state =
        installed.environment.admin.get("/api/v1/namespaces/meshgate-system/configmaps/meshgate-state");
    let gaps = state.body["data"]["gaps"].as_str().unwrap_or("[]");
    serde_json::from_str(gaps).unwrap()
}

fn moment(gap: &Value, member: &str) -> OffsetDateTime {
    OffsetDateTime::parse(gap[member].as_str().unwrap(), &Rfc3339).unwrap()
}

/// While all are away: closed is what policies are asked about; the cluster and meshgate's own namespace are open.
#[test]
fn all_are_away_and_back() {
    Installed::with(|installed| {
        let admin = installed.environment.admin.clone();
        let status = |namespace: &str| {
            let path = format!("/api/v1/namespaces/{namespace}/pods?dryRun=All");
            let start = Instant::now();
            (admin.create(&path, &pod("web", &json!({}))).status, start.elapsed())
        };
        installed.kill_all();
        let (closed, took) = status(Installed::NAMESPACE);
        assert!((closed, took < Duration::from_secs(1)) == (500, true), "{closed} after {took:?}");
        assert_eq!(status("kube-system").0, 201);
        // Its own Pods are made again, so nobody has to help.
        let own = "/api/v1/namespaces/meshgate-system/pods";
        let pods = || {
            let pods = admin.get(own).body["items"].as_array().cloned().unwrap();
            pods.iter()
                .map(|pod| pod["metadata"]["name"].as_str().unwrap().to_owned())
                .collect::<BTreeSet<_>>()
        };
        let before = pods();
        let lost = before.first().unwrap();
        let now = json!({ "gracePeriodSeconds": 0 });
        let deleted = admin.request(&Method::DELETE, &format!("{own}/{lost}"), "application/json", &now);
        assert_eq!(deleted.status, 200, "{}", deleted.body);
        wait_until("another Pod", || (pods().len() == 3 && !pods().contains(lost)).then_some(()));

        let widened = json!({ "metadata": { "labels": { "meshgate.io/exempt": "true" } } });
        let namespace = format!("/api/v1/namespaces/{}?dryRun=All", Installed::NAMESPACE);
        let refused = installed.environment.alice.request(&Method::PATCH, &namespace, MERGE, &widened);
        assert!(refused.message().contains("ValidatingAdmissionPolicy 'meshgate-guard'"), "{}", refused.body);
        assert_eq!(admin.request(&Method::PATCH, &namespace, MERGE, &widened).status, 200);

        installed.start_replica("back");
        let start = Instant::now();
        wait_until("a Pod is judged", || (status(Installed::NAMESPACE).0 == 403).then_some(()));
        println!(
            "all are away and back: judged {} ms after the first one serves",
            start.elapsed().as_millis()
        );
        assert!(start.elapsed() < Duration::from_secs(1));
        installed.start_replica("back-2");
        installed.start_replica("back-3");
    });
}

#[test]
fn nothing_is_left_of_what_is_removed() {
    Installed::with(|installed| {
        let admin = installed.environment.admin.clone();
        let pods = format!("/api/v1/namespaces/{}/pods?dryRun=All", Installed::NAMESPACE);
        let privileged = pod("web", &json!({ "privileged": true }));
        assert_eq!(admin.create(&pods, &privileged).status, 403);
        let told = |line: &str, metric: &str| {
            wait_until(line, || {
                let is_told = |said: String| said.starts_with("HTTP/1.1 200") && said.contains(line);
                let is_counted = |said: String| said.contains(&format!("\nmeshgate_{metric}\n"));
                let all_tell = installed.say("/readyz?verbose").into_iter().all(is_told);
                (all_tell && installed.say("/metrics").into_iter().all(is_counted)).then_some(())
            });
        };
        told("[+]registration ok\n", "registration_complete 1");
        installed.install(&["--remove"]);
        let start = Instant::now();
        wait_until("a Pod is made", || (admin.create(&pods, &privileged).status == 201).then_some(()));
        println!("removed: a Pod is made {} ms later", start.elapsed().as_millis());
        assert!(start.elapsed() < Duration::from_secs(10));
        told("[!]registration not yet: ", "registration_complete 0");
        // The replicas still run, and write nothing again.
        sleep(Duration::from_secs(3));
        for configuration in KINDS {
            assert_eq!(admin.get(&path(configuration)).status, 404, "{configuration:?}");
        }
        installed.is_gone = true;
    });
}
