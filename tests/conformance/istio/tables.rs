//! The tables by which Istio decides.

use std::path::Path;

use meshgate::mesh::istio::propose::{Webhook, is_ambient, native_sidecars, path_parameters, required};
use meshgate::mesh::istio::{Installation, Texts};
use meshgate::yaml;
use serde_json::{Value, json};

use crate::{Tally, corpus};

fn rows(root: &Path, name: &str) -> Vec<Value> {
    let path = root.join("derived-tables").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect()
}

#[test]
fn istiod_injects_where_its_table_says_so() {
    let Some(root) = corpus("istio-inject") else { return };
    let mut tally = Tally::new("istio-inject, inject_required");
    for row in rows(&root, "inject_required.json") {
        let config = json!({
            "policy": row["policy"],
            "alwaysInjectSelector": row["alwaysInjectSelector"],
            "neverInjectSelector": row["neverInjectSelector"],
        });
        let config = config.to_string();
        let installation =
            Installation::read(Texts { config: &config, values: "{}", ..Texts::default() }).unwrap();
        let pod = json!({
            "metadata": { "labels": row["labels"], "annotations": row["annotations"] },
            "spec": { "hostNetwork": row["hostNetwork"] },
        });
        let ours = required(&installation, &pod, row["namespace"].as_str().unwrap()).inject;
        tally.compare(&row, json!(ours), row["want"].clone());
    }
    tally.finish(36);
}

/// A webhook of the chart, by the table of the design.
fn chart(revision: &str, is_default: bool, enables_namespaces: bool) -> Vec<Webhook> {
    let is = |key: &str, value: &str| json!({ "key": key, "operator": "In", "values": [value] });
    let not = |key: &str, value: &str| json!({ "key": key, "operator": "NotIn", "values": [value] });
    let absent = |key: &str| json!({ "key": key, "operator": "DoesNotExist" });
    let (enabled, rev, inject) = ("istio-injection", "istio.io/rev", "sidecar.istio.io/inject");
    let mut webhooks = vec![
        ("rev.namespace", vec![is(rev, revision), absent(enabled)], vec![not(inject, "false")]),
        ("rev.object", vec![absent(rev), absent(enabled)], vec![not(inject, "false"), is(rev, revision)]),
    ];
    if is_default {
        webhooks.push(("namespace", vec![is(enabled, "enabled")], vec![not(inject, "false")]));
        webhooks.push(("object", vec![absent(enabled), absent(rev)], vec![is(inject, "true"), absent(rev)]));
    }
    if is_default && enables_namespaces {
        webhooks.push(("auto", vec![absent(enabled), absent(rev)], vec![absent(inject), absent(rev)]));
    }
    let webhooks: Vec<Value> = webhooks
        .into_iter()
        .map(|(name, namespaces, objects)| {
            json!({
                "name": format!("{name}.sidecar-injector.istio.io"),
                "namespaceSelector": { "matchExpressions": namespaces },
                "objectSelector": { "matchExpressions": objects },
            })
        })
        .collect();
    let labels = json!({ "app": "sidecar-injector", "istio.io/rev": revision });
    Webhook::of_configuration(&json!({ "metadata": { "labels": labels }, "webhooks": webhooks })).unwrap()
}

#[test]
fn webhooks_match_where_their_table_says_so() {
    let Some(root) = corpus("istio-inject") else { return };
    let mut tally = Tally::new("istio-inject, webhook_selector");
    for row in rows(&root, "webhook_selector.json") {
        let enables = row["enableNamespacesByDefault"] == true;
        let mut all = chart("default", true, enables);
        all.extend(chart("canary", false, enables));
        let pod = json!({ "metadata": { "labels": row["podLabels"] } });
        let matching: Vec<String> = all
            .iter()
            .filter(|webhook| webhook.matches(row["namespaceLabels"].as_object(), &pod))
            .map(|webhook| {
                if webhook.revision == "default" {
                    "istiod".to_owned()
                } else {
                    format!("istiod-{}", webhook.revision)
                }
            })
            .collect();
        let expected: Vec<String> = row["wantService"]
            .as_str()
            .filter(|service| !service.is_empty())
            .map(str::to_owned)
            .into_iter()
            .collect();
        tally.compare(&row, matching, expected);
    }
    tally.finish(72);
}

#[test]
fn installed_webhooks_match_where_istioctl_says_so() {
    let Some(root) = corpus("istio-inject") else { return };
    let mut tally = Tally::new("istio-inject, check_inject");
    for row in rows(&root, "check_inject.json") {
        for expected in row["expected"].as_array().unwrap() {
            let path = root.join("check-inject").join(expected["file"].as_str().unwrap());
            let text = std::fs::read(&path).unwrap();
            let configuration = yaml::read(&text).remove(0).unwrap().value;
            let webhooks = Webhook::of_configuration(&configuration).unwrap();
            let pod = json!({ "metadata": { "labels": row["podLabels"] } });
            let ours =
                webhooks.iter().any(|webhook| webhook.matches(row["namespaceLabels"].as_object(), &pod));
            tally.compare(
                format!("{} {}", row["name"], expected["webhook"]),
                json!(ours),
                expected["injected"].clone(),
            );
        }
    }
    tally.finish(33);
}

#[test]
fn sidecars_are_native_where_nodes_can_do_it() {
    let Some(root) = corpus("istio-inject") else { return };
    let mut tally = Tally::new("istio-inject, detect_native_sidecar");
    for row in rows(&root, "detect_native_sidecar.json") {
        let ours = native_sidecars(row["ENABLE_NATIVE_SIDECARS"].as_str(), None, &texts(&row["kubelets"]));
        tally.compare(&row, json!(ours), row["want"].clone());
    }
    tally.finish(6);
}

#[test]
fn ambient_captures_where_its_table_says_so() {
    let Some(root) = corpus("istio-inject") else { return };
    let mut tally = Tally::new("istio-inject, ambient_enrolment");
    for row in rows(&root, "ambient_enrolment.json") {
        let mut pod = json!({ "metadata": { "labels": row["podLabels"] }, "spec": { "hostNetwork": row["hostNetwork"] } });
        if row["hasSidecarStatusAnnotation"] == true {
            pod["metadata"]["annotations"] = json!({ "sidecar.istio.io/status": "{}" });
        }
        let ours = is_ambient(row["namespaceLabels"].as_object(), &pod);
        tally.compare(&row, json!(ours), row["want"].clone());
    }
    tally.finish(9);
}

#[test]
fn a_path_has_the_parameters_that_its_table_says() {
    let Some(root) = corpus("istio-inject") else { return };
    let mut tally = Tally::new("istio-inject, parse_inject_path");
    for row in rows(&root, "parse_inject_path.json") {
        let ours = path_parameters(row["path"].as_str().unwrap());
        tally.compare(&row, json!(ours), row["want"].clone());
    }
    tally.finish(14);
}
