//! What is counted: the families of docs/server.md, with labels that no request can add to (R48).

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use meshgate::webhook::Limits;
use serde_json::json;

use crate::client::{good_spec, review};
use crate::server::Server;
use crate::source::Unknowing;

#[test]
fn the_document_has_the_families_of_the_program() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/metrics");
    let mut families = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        // The first string after each call is the name. A family without a series is in no output.
        families
            .extend(text.split(".register(").skip(1).map(|rest| rest.split('"').nth(1).unwrap().to_owned()));
    }
    let document = include_str!("../../docs/server.md");
    let row = |line: &'static str| {
        let mut cells = line.strip_prefix("| `meshgate_")?.split('|').map(str::trim);
        let (name, kind) = (cells.next()?.trim_end_matches('`'), cells.next()?);
        assert_eq!(name.ends_with("_total"), kind == "counter", "{line}");
        Some(name.trim_end_matches("_total").to_owned())
    };
    let documented: BTreeSet<String> = document.lines().filter_map(row).collect();
    assert_eq!(documented, families);
}

/// Why a policy gave no answer is counted too, in a word.
#[test]
fn errors_of_policies_are_counted_by_cause() {
    let server = Server::start(crate::bundle::inline(), Unknowing, Limits::default());
    let answer = server.client().review("/validate", &review("1", "shop", &good_spec()));
    assert_eq!(answer.status, 200);
    let (_, text) = server.admin("/metrics");
    let counted = "\nmeshgate_policy_errors_total{policy=\"workloads/privileged\",cause=\"fact\"} 1\n";
    assert!(text.contains(counted), "{text}");
    // It leaves with its policy.
    server.activate(crate::bundle::labelling());
    assert!(!server.admin("/metrics").1.contains("cause="));
}

/// The series, without their values.
fn series(server: &Server) -> BTreeSet<String> {
    let (status, text) = server.admin("/metrics");
    assert_eq!(status, 200);
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| Some(line.rsplit_once(' ')?.0.to_owned())).collect()
}

#[test]
fn what_requests_say_makes_no_series() {
    let server = Server::plain(Limits::default());
    let hostile = |n: usize| {
        let mut review = review(&format!("uid-hostile-{n}"), &format!("hostile-{n}"), &good_spec());
        let request = &mut review["request"];
        request["kind"] =
            json!({ "group": format!("hostile{n}.io"), "version": "v1", "kind": format!("Hostile{n}") });
        request["resource"] =
            json!({ "group": format!("hostile{n}.io"), "version": "v1", "resource": "hostiles" });
        request["subResource"] = json!(format!("hostile{n}"));
        request["userInfo"]["username"] = json!(format!("hostile-{n}"));
        review
    };
    let mut client = server.client();
    let mut all = BTreeSet::new();
    for n in 0..100 {
        for path in ["/mutate", "/validate"] {
            assert_eq!(client.review(path, &hostile(n)).status, 200);
            let mut wrong = hostile(n);
            wrong["request"]["operation"] = json!(format!("HOSTILE{n}"));
            assert_eq!(client.review(path, &wrong).status, 400);
        }
        let now = series(&server);
        assert!(n == 0 || now == all, "{:?}", now.difference(&all).collect::<Vec<_>>());
        all = now;
    }
    assert!(all.iter().all(|name| !name.to_lowercase().contains("hostile")));
    let counted = "meshgate_requests_total{phase=\"validate\",entry=\"workloads\",kind=\"other\",operation=\"CREATE\",outcome=\"allowed\"}";
    assert!(all.contains(counted), "{all:#?}");
}

#[test]
fn each_outcome_is_counted_by_its_word() {
    let server = Server::plain(Limits::default());
    let privileged =
        json!({ "containers": [{ "name": "app", "image": "i", "securityContext": { "privileged": true } }] });
    let mut client = server.client();
    let mut own = review("2", "meshgate-system", &good_spec());
    own["request"]["object"]["metadata"]["namespace"] = json!("meshgate-system");
    let label = json!({ "meshgate.io/mode": "off" });
    let namespace =
        json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "shop", "labels": label } });
    let mut guard = review("3", "shop", &good_spec());
    guard["request"]["kind"]["kind"] = json!("Namespace");
    guard["request"]["resource"]["resource"] = json!("namespaces");
    guard["request"]["object"] = namespace;
    for review in [review("1", "shop", &good_spec()), review("1", "shop", &privileged), own, guard] {
        assert_eq!(client.review("/validate", &review).status, 200);
    }
    client.post("/validate", &[("Content-Type", "text/plain")], b"");
    let (_, text) = server.admin("/metrics");
    let counted: Vec<&str> =
        text.lines().filter(|line| line.starts_with("meshgate_requests_total{")).collect();
    let line = |entry, kind, operation, outcome| {
        format!(
            "meshgate_requests_total{{phase=\"validate\",entry=\"{entry}\",kind=\"{kind}\",operation=\"{operation}\",outcome=\"{outcome}\"}} 1"
        )
    };
    let mut expected = [
        line("workloads", "Pod", "CREATE", "allowed"),
        line("workloads", "Pod", "CREATE", "denied"),
        line("own", "Pod", "CREATE", "allowed"),
        line("guard", "Namespace", "CREATE", "denied"),
        line("unknown", "unknown", "unknown", "error"),
    ];
    let mut counted: Vec<String> = counted.into_iter().map(str::to_owned).collect();
    counted.sort();
    expected.sort();
    assert_eq!(counted, expected);
    let result = "meshgate_policy_results_total{policy=\"workloads/privileged\",binding=\"everywhere\",result=\"deny\"} 1\n";
    assert!(text.contains(result), "{text}");

    // Policies that leave take their series along.
    server.activate(crate::bundle::slow(1));
    assert!(!server.admin("/metrics").1.contains("binding=\"everywhere\""));
}
