//! The cases of upstream's own test of its injector: manifests, configurations, and what comes of them.

use std::collections::BTreeMap;
use std::path::Path;

use meshgate::mesh::istio::propose::required;
use meshgate::mesh::istio::{Installation, Target, Texts, Workload, inject};
use meshgate::yaml;
use serde_json::{Map, Value, json};

use super::canonical::{canonical, verbatim};
use crate::{Tally, corpus};

/// The templates that a case takes from the ConfigMap that lies beside the cases.
const TEMPLATES: [&str; 4] = ["sidecar", "gateway", "grpc-simple", "grpc-agent"];

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The documents of a file.
pub(super) fn documents(path: &Path) -> Vec<Value> {
    let text = read(path);
    let read = yaml::read(text.as_bytes());
    read.into_iter()
        .map(|one| one.unwrap_or_else(|fault| panic!("{}: {fault}", path.display())).value)
        .collect()
}

/// The templates of the ConfigMap of 1.30.
pub(super) fn shipped(root: &Path) -> Map<String, Value> {
    shipped_with(root, "release-1.30")
}

fn shipped_with(root: &Path, release: &str) -> Map<String, Value> {
    let path = root.join(format!("manifest-generate/sidecar_template.{release}.golden.yaml"));
    let map =
        documents(&path).into_iter().find(|one| one["metadata"]["name"] == "istio-sidecar-injector").unwrap();
    let config = yaml::read(map["data"]["config"].as_str().unwrap().as_bytes()).remove(0).unwrap().value;
    let all = config["templates"].as_object().unwrap().clone();
    all.into_iter().filter(|(name, _)| TEMPLATES.contains(&name.as_str())).collect()
}

/// All cases of 1.30.
pub(super) fn cases(root: &Path) -> Vec<Value> {
    cases_of(root, "release-1.30")
}

fn cases_of(root: &Path, release: &str) -> Vec<Value> {
    let mut cases: Vec<Value> = serde_json::from_str(&read(&root.join(release).join("cases.json"))).unwrap();
    for case in &mut cases {
        for name in ["input", "golden", "values", "mesh"] {
            if let Some(path) = case[name].as_str() {
                case[name] = json!(format!("{release}/{path}"));
            }
        }
    }
    cases
}

/// The text of a case's `values` or `mesh`.
pub(super) fn file(root: &Path, case: &Value, name: &str) -> String {
    read(&root.join(case[name].as_str().unwrap()))
}

/// The key `config` of a case's ConfigMap.
pub(super) fn config(root: &Path, case: &Value, shipped: &Map<String, Value>) -> String {
    let values: Value = serde_json::from_str(&file(root, case, "values")).unwrap();
    let webhook = &values["sidecarInjectorWebhook"];
    let mut templates = shipped.clone();
    templates.extend(webhook["templates"].as_object().cloned().unwrap_or_default());
    json!({
        "policy": "enabled",
        "templates": templates,
        "defaultTemplates": webhook["defaultTemplates"],
        "neverInjectSelector": webhook["neverInjectSelector"],
        "alwaysInjectSelector": webhook["alwaysInjectSelector"],
        "injectedAnnotations": webhook["injectedAnnotations"],
    })
    .to_string()
}

/// The installation of a case.
fn installation(root: &Path, case: &Value, shipped: &Map<String, Value>) -> Installation {
    let (config, values, mesh) =
        (config(root, case, shipped), file(root, case, "values"), file(root, case, "mesh"));
    let environment = case["environment"].as_object().into_iter().flatten();
    let environment =
        environment.map(|(name, text)| (name.clone(), text.as_str().unwrap().to_owned())).collect();
    let texts = Texts { config: &config, values: &values, mesh: &mesh, environment, ..Texts::default() };
    Installation::read(texts).unwrap()
}

/// Injects into all Pods and templates of a document, as `istioctl kube-inject` does.
fn injected(installation: &Installation, case: &Value, mut document: Value) -> Result<Value, String> {
    if let Some(items) = document.get("items").and_then(Value::as_array) {
        let items: Result<Vec<Value>, String> =
            items.iter().map(|item| injected(installation, case, item.clone())).collect();
        document["items"] = Value::Array(items?);
        return Ok(document);
    }
    let kind = document["kind"].as_str().unwrap().to_owned();
    let place = match kind.as_str() {
        "Pod" => "",
        "CronJob" => "/spec/jobTemplate/spec/template",
        _ => "/spec/template",
    };
    // Of a CronJob `kube-inject` changes the metadata of the Job, and the spec of the Pod.
    let metadata_of = if kind == "CronJob" { "/spec/jobTemplate" } else { place };
    let Some(mut pod) = document.pointer(place).filter(|pod| pod.get("spec").is_some()).cloned() else {
        return Ok(document);
    };
    pod["metadata"] = document.pointer(metadata_of).unwrap().get("metadata").cloned().unwrap_or(json!({}));
    let namespace = document["metadata"]["namespace"].as_str().unwrap_or_default().to_owned();
    if !required(installation, &pod, &namespace).inject || kind == "Service" {
        return Ok(document);
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let parameters = BTreeMap::new();
    let target = Target {
        pod: &pod,
        namespace: &namespace,
        namespace_annotations: case["openshift"]["namespaceAnnotations"].as_object(),
        workload: (kind != "Pod").then(|| Workload {
            api_version: text(&document["apiVersion"]),
            kind: kind.clone(),
            name: text(&document["metadata"]["name"]),
        }),
        path_parameters: &parameters,
        native_sidecars: case["nativeSidecars"] == true,
        proxy_configs: &[],
        by_hand: true,
    };
    let rendered = inject(installation, &target)?.pod;
    document.pointer_mut(place).unwrap()["spec"] = rendered["spec"].clone();
    document.pointer_mut(metadata_of).unwrap()["metadata"] = rendered["metadata"].clone();
    Ok(document)
}

/// The releases that there are cases of, and how many of those that are known.
fn releases(root: &Path) -> Vec<(String, Option<usize>)> {
    let names =
        std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut found: Vec<String> = names.filter(|name| name.starts_with("release-")).collect();
    found.sort();
    found.into_iter().map(|name| (name.clone(), (name == "release-1.30").then_some(125))).collect()
}

#[test]
fn every_case_is_injected_as_istiod_does() {
    let Some(root) = corpus("istio-inject") else { return };
    let mut tally = Tally::new("istio-inject, cases");
    let mut count = 0;
    for (release, known) in releases(&root) {
        let (cases, shipped) = (cases_of(&root, &release), shipped_with(&root, &release));
        assert_eq!(known.unwrap_or(cases.len()), cases.len(), "{release}");
        count += cases.len();
        for (number, case) in cases.iter().enumerate() {
            let name = format!("{number} {} → {}", case["input"], case["golden"]);
            tally.compare(name, compared(&root, case, &shipped), Ok(()));
        }
    }
    tally.finish(count);
}

/// Where what we make of a case is not what is expected.
fn compared(root: &Path, case: &Value, shipped: &Map<String, Value>) -> Result<(), String> {
    let installation = installation(root, case, shipped);
    let at = |file: &Value| root.join(file.as_str().unwrap());
    let ours: Result<Vec<Value>, String> =
        documents(&at(&case["input"])).into_iter().map(|one| injected(&installation, case, one)).collect();
    if let Some(part) = case["expectedErrorContains"].as_str() {
        return match ours {
            Err(why) if why.to_lowercase().contains(part) => Ok(()),
            other => Err(format!("{other:?}")),
        };
    }
    let seen =
        |all: &[Value]| -> Seen { (all.iter().map(canonical).collect(), all.iter().map(verbatim).collect()) };
    first_difference(&ours.map(|ours| seen(&ours)), &seen(&documents(&at(&case["golden"]))))
}

#[test]
fn an_annotation_decides_whether_a_sidecar_is_native() {
    let Some(root) = corpus("istio-inject") else { return };
    let case = &cases(&root)[0];
    let installation = installation(&root, case, &shipped(&root));
    let rows: Vec<Value> =
        serde_json::from_str(&read(&root.join("derived-tables/native_sidecar_annotation.json"))).unwrap();
    let mut tally = Tally::new("istio-inject, native_sidecar_annotation");
    for row in rows {
        let mut pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "a", "annotations": {} },
            "spec": { "containers": [{ "name": "app", "image": "app" }] },
        });
        if row["annotation"].is_string() {
            pod["metadata"]["annotations"]["sidecar.istio.io/nativeSidecar"] = row["annotation"].clone();
        }
        let ours = injected(&installation, &json!({ "nativeSidecars": row["globalNative"] }), pod).unwrap();
        let lists = ["containers", "initContainers"].into_iter().filter(|list| {
            let containers = ours["spec"][*list].as_array().into_iter().flatten();
            containers.clone().any(|one| one["name"] == "istio-proxy")
        });
        tally.compare(&row, lists.collect::<Vec<_>>(), vec![row["proxyIn"].as_str().unwrap()]);
    }
    tally.finish(6);
}

type Seen = (Vec<Value>, Vec<Vec<String>>);

/// Where two results differ first.
fn first_difference(ours: &Result<Seen, String>, theirs: &Seen) -> Result<(), String> {
    let ours = ours.as_ref().map_err(Clone::clone)?;
    let difference = super::canonical::difference(&json!(ours.0), &json!(theirs.0), "");
    match difference {
        Some(difference) => Err(difference),
        None if ours.1 != theirs.1 => {
            let mut pairs = ours.1.iter().flatten().zip(theirs.1.iter().flatten());
            Err(format!("{:?}", pairs.find(|(ours, theirs)| ours != theirs)))
        }
        None => Ok(()),
    }
}
