//! Manifests and Pods through Istio's own code, and through ours with the same ConfigMaps: those that the reference
//! `istioctl` makes of its own charts. Every line is asked of `istio-inject`, which calls what the command and the webhook
//! call; what it gives for manifests is held against the real `istioctl kube-inject` in the end.
//!
//! `MESHGATE_ISTIO=SEED:COUNT` runs so many generated manifests, and as many Pods, of the numbers from SEED on.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use k8s_openapi::api::core::v1::PodSpec;
use meshgate::mesh::istio::propose::required;
use meshgate::mesh::istio::{Installation, Istio, Target, Texts, inject};
use meshgate::yaml;
use serde_json::{Value, json};

use super::canonical::{canonical, difference, verbatim};
use super::command::{injections, policies, refused};
use super::generate;
use crate::Tally;
use crate::pod_security::{spread, tool};

/// What installations are asked for, and whether nodes run sidecars as init containers.
const INSTALLATIONS: [(bool, &[&str]); 6] = [
    (true, &[]),
    (false, &["components.cni.enabled=true", "values.global.proxy.holdApplicationUntilProxyStarts=true"]),
    (
        true,
        &[
            "components.cni.enabled=true",
            "values.cni.provider=multus",
            "values.global.network=n1",
            "values.global.multiCluster.clusterName=c1",
            "values.global.variant=distroless",
            "meshConfig.defaultConfig.image.imageType=debug",
        ],
    ),
    (
        false,
        &[
            "values.global.logAsJson=true",
            "values.global.imagePullPolicy=Always",
            "values.global.proxy.privileged=true",
            "values.global.mountMtlsCerts=true",
            "values.global.imagePullSecrets[0]=regcred",
            "values.global.proxy.startupProbe.enabled=false",
            "values.global.proxy.includeIPRanges=10.0.0.0/8",
            "values.global.proxy.seccompProfile.type=RuntimeDefault",
            "values.sidecarInjectorWebhook.rewriteAppHTTPProbe=false",
        ],
    ),
    (
        true,
        &[
            "meshConfig.defaultConfig.interceptionMode=TPROXY",
            "meshConfig.defaultConfig.holdApplicationUntilProxyStarts=true",
            "meshConfig.defaultConfig.proxyMetadata.ENVOY_SECURE_MERGED_METRICS_PORT=15091",
            "meshConfig.inboundTrafficPolicy.mode=LOCALHOST",
            "values.global.nativeNftables=true",
            "values.global.proxy_init.image=registry.example/init:1",
        ],
    ),
    (
        false,
        &[
            "meshConfig.enablePrometheusMerge=false",
            "meshConfig.defaultConfig.tracing.zipkin.address=zipkin.obs:9411",
            "meshConfig.defaultConfig.concurrency=4",
            "meshConfig.trustDomain=example.org",
            "values.global.caAddress=ca.example:15012",
            "values.pilot.env.ENABLE_CLUSTER_TRUST_BUNDLE_API=true",
        ],
    ),
];

/// An installation, as a cluster would have it.
struct Installed {
    native: bool,
    config: String,
    values: String,
    mesh: String,
    istio: Istio,
    installation: Installation,
}

/// What the real command says of its installation.
fn installed(istioctl: &Path, (native, flags): (bool, &[&str])) -> Installed {
    let sets = flags.iter().flat_map(|flag| ["--set", *flag]);
    let output = command(istioctl).args(["manifest", "generate"]).args(sets).output().unwrap();
    assert!(output.status.success(), "{flags:?}: {}", String::from_utf8_lossy(&output.stderr));
    let objects: Vec<Value> = yaml::read(&output.stdout).into_iter().map(|one| one.unwrap().value).collect();
    let map = |name: &str| {
        let mut maps = objects.iter().filter(|one| one["kind"] == "ConfigMap");
        maps.find(|one| one["metadata"]["name"] == name).unwrap().clone()
    };
    let key = |map: &Value, name: &str| map["data"][name].as_str().unwrap().to_owned();
    let (injector, mesh) = (map("istio-sidecar-injector"), map("istio"));
    let (config, values, mesh_text) =
        (key(&injector, "config"), key(&injector, "values"), key(&mesh, "mesh"));
    let version = injector["metadata"]["labels"]["app.kubernetes.io/version"].as_str();
    let texts = Texts { config: &config, values: &values, mesh: &mesh_text, version, ..Texts::default() };
    let installation = Installation::read(texts).unwrap();
    let kubelet = if native { "v1.34.0" } else { "v1.30.0" };
    let node = json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": "n" },
        "status": { "nodeInfo": { "kubeletVersion": kubelet } } });
    let istio = Istio::of_objects(&[injector, mesh, node], None).unwrap().by_hand();
    Installed { native, config, values, mesh: mesh_text, istio, installation }
}

/// A program that finds no cluster.
fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_remove("KUBECONFIG").env("HOME", "/nonexistent");
    command
}

/// The answers of Istio's code to lines, in order.
fn answers(program: &Path, native: bool, lines: &[Value]) -> Vec<Value> {
    let mut child = command(program)
        .env("ENABLE_NATIVE_SIDECARS", native.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        scope.spawn(move || lines.iter().for_each(|line| writeln!(stdin, "{line}").unwrap()));
        child.wait_with_output().unwrap()
    });
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), lines.len());
    answers
}

/// The documents of a text.
fn documents(text: &str) -> Vec<Value> {
    yaml::read(text.as_bytes())
        .into_iter()
        .map(|one| one.unwrap().value)
        .filter(|one| !one.is_null())
        .collect()
}

/// A document with Pods that are decoded and written again, as the reference does it: a field that no Pod has is left out,
/// one of another type is a refusal.
fn decoded(mut document: Value) -> Result<Value, String> {
    if let Some(items) = document["items"].as_array() {
        let items: Result<Vec<Value>, String> = items.iter().cloned().map(decoded).collect();
        document["items"] = Value::Array(items?);
        return Ok(document);
    }
    for place in ["/spec", "/spec/template/spec", "/spec/jobTemplate/spec/template/spec"] {
        if let Some(spec) = document.pointer_mut(place).filter(|spec| spec["containers"].is_array()) {
            let read: PodSpec = serde_json::from_value(spec.take()).map_err(|why| why.to_string())?;
            *spec = serde_json::to_value(read).unwrap();
        }
    }
    Ok(document)
}

/// Where two lists of documents differ; a refusal is one on both sides.
fn compared(ours: &Result<Vec<Value>, String>, theirs: &Result<Vec<Value>, String>) -> Option<String> {
    let all_decoded = |all: &Result<Vec<Value>, String>| -> Result<Vec<Value>, String> {
        all.clone()?.into_iter().map(decoded).collect()
    };
    match (&all_decoded(ours), &all_decoded(theirs)) {
        (Ok(ours), Ok(theirs)) => {
            let seen = |all: &[Value]| Value::from_iter(all.iter().map(canonical));
            let texts = |all: &[Value]| Value::from_iter(all.iter().flat_map(verbatim));
            difference(&seen(ours), &seen(theirs), "")
                .or_else(|| difference(&texts(ours), &texts(theirs), "texts"))
        }
        (Err(_), Err(_)) => None,
        (Err(why), Ok(_)) => Some(format!("refused here alone: {why}")),
        (Ok(_), Err(why)) => Some(format!("refused there alone: {why}")),
    }
}

fn tools() -> Option<(PathBuf, PathBuf)> {
    Some((tool("istioctl")?, tool("istio-inject")?))
}

fn range() -> (u64, u64) {
    let text = std::env::var("MESHGATE_ISTIO").unwrap_or_else(|_| "1:300".to_owned());
    let (seed, count) = text.split_once(':').expect("MESHGATE_ISTIO is SEED:COUNT");
    (seed.parse().unwrap(), count.parse().unwrap())
}

/// Manifests through the command, one a line, and at last those that it took through the real one.
fn manifests(name: &'static str, installations: usize, of: impl Fn(usize, bool) -> Vec<String>) {
    let Some((istioctl, program)) = tools() else { return };
    let bundle = policies();
    let mut tally = Tally::new(name);
    let (mut count, mut kinds, mut refusals) = (0, BTreeMap::<String, usize>::new(), 0);
    for (number, wanted) in INSTALLATIONS.into_iter().enumerate().take(installations) {
        let mesh = installed(&istioctl, wanted);
        let texts = of(number, mesh.native);
        let line = |text: &String| json!({ "config": mesh.config, "values": mesh.values, "mesh": mesh.mesh, "manifest": text });
        let lines: Vec<Value> = texts.iter().map(line).collect();
        let answers = answers(&program, mesh.native, &lines);
        let ours = spread(&texts, |text| {
            let injections = injections(&bundle, &mesh.istio, text.as_bytes());
            let documents = Vec::from_iter(injections.documents.iter().map(|one| one.after.clone()));
            refused(&injections).map_or(Ok(documents), Err)
        });
        let mut taken = (String::new(), String::new());
        for ((text, ours), answer) in texts.iter().zip(&ours).zip(&answers) {
            let theirs = match answer["manifest"].as_str() {
                Some(manifest) => Ok(documents(manifest)),
                None => Err(answer["refused"].to_string()),
            };
            if let Some(manifest) = answer["manifest"].as_str() {
                taken.0.push_str(&format!("{}\n---\n", text.trim_end()));
                taken.1.push_str(manifest);
            }
            refusals += usize::from(theirs.is_err());
            for document in theirs.iter().flatten() {
                *kinds.entry(document["kind"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
            }
            tally.compare(format!("{wanted:?} {text}"), compared(ours, &theirs), None);
            count += 1;
        }
        assert_eq!(kube_injected(&istioctl, &mesh, &taken.0), taken.1, "{wanted:?}: the real command");
    }
    println!("  refused {refusals}; {kinds:?}");
    tally.finish(count);
}

/// The output of the real command.
fn kube_injected(istioctl: &Path, mesh: &Installed, text: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.into_os_string()
    };
    let output = command(istioctl)
        .env("ENABLE_NATIVE_SIDECARS", mesh.native.to_string())
        // A revision that is given is not looked for in a cluster.
        .args(["kube-inject", "--revision", "default", "-f"])
        .arg(file("manifests.yaml", text))
        .arg("--injectConfigFile")
        .arg(file("config.yaml", &mesh.config))
        .arg("--valuesFile")
        .arg(file("values.json", &mesh.values))
        .arg("--meshConfigFile")
        .arg(file("mesh.yaml", &mesh.mesh))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn generated_manifests_are_injected_as_by_kube_inject() {
    let (seed, count) = range();
    let installations = u64::try_from(INSTALLATIONS.len()).unwrap();
    manifests("istioctl kube-inject, generated", INSTALLATIONS.len(), |number, native| {
        let numbers =
            (seed..seed + count).filter(|one| one % installations == u64::try_from(number).unwrap());
        numbers.map(|seed| generate::manifest(seed, native).to_string()).collect()
    });
}

#[test]
fn generated_pods_are_injected_as_by_the_webhook() {
    let Some((istioctl, program)) = tools() else { return };
    let (seed, count) = range();
    let mut tally = Tally::new("the webhook of istiod, generated");
    let installations = INSTALLATIONS.map(|wanted| installed(&istioctl, wanted));
    for (number, mesh) in installations.iter().enumerate() {
        let seeds: Vec<u64> =
            (seed..seed + count).filter(|one| *one % 6 == u64::try_from(number).unwrap()).collect();
        let pods: Vec<Value> = seeds.iter().map(|seed| generate::pod(*seed, mesh.native)).collect();
        let line = |pod: &Value| {
            let request = json!({ "uid": "u", "namespace": "shop", "object": pod });
            let review =
                json!({ "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request });
            json!({ "config": mesh.config, "values": mesh.values, "mesh": mesh.mesh, "review": review })
        };
        let lines: Vec<Value> = pods.iter().map(line).collect();
        let answers = answers(&program, mesh.native, &lines);
        for (pod, answer) in pods.iter().zip(&answers) {
            let theirs = match answer.get("object") {
                Some(object) => Ok(vec![object.clone()]),
                None => Err(answer["refused"].to_string()),
            };
            tally.compare(format!("{number} {pod}"), compared(&webhook(mesh, pod), &theirs), None);
        }
    }
    tally.finish(usize::try_from(count).unwrap());
}

/// What we make of a Pod where the webhook is asked.
fn webhook(mesh: &Installed, pod: &Value) -> Result<Vec<Value>, String> {
    if !required(&mesh.installation, pod, "shop").inject {
        return Ok(vec![pod.clone()]);
    }
    let parameters = BTreeMap::new();
    let target = Target {
        pod,
        namespace: pod["metadata"]["namespace"].as_str().unwrap(),
        namespace_annotations: None,
        workload: None,
        path_parameters: &parameters,
        native_sidecars: mesh.native,
        proxy_configs: &[],
        by_hand: false,
    };
    inject(&mesh.installation, &target).map(|injected| vec![injected.pod])
}

/// The manifests of real projects, document by document.
#[test]
fn manifests_of_projects_are_injected_as_by_kube_inject() {
    let Some(root) = projects() else { return };
    let mut texts = Vec::new();
    let mut directories = vec![root];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|one| one == "yaml" || one == "yml") {
                let read = yaml::read(&std::fs::read(&path).unwrap());
                // What can't be read is refused on its own; see the tests of YAML.
                texts.extend(read.into_iter().filter_map(Result::ok).map(|one| one.value));
            }
        }
    }
    // A name such as `vttablet-{{uid}}` is for another tool to fill.
    let is_filled = |one: &&Value| !one["metadata"]["name"].as_str().is_some_and(|name| name.contains("{{"));
    let texts = texts.iter().filter(|one| one.is_object()).filter(is_filled);
    let texts: Vec<String> = texts.map(ToString::to_string).collect();
    assert!(texts.len() > 300, "{}", texts.len());
    manifests("istioctl kube-inject, projects", 1, |_, _| texts.clone());
}

/// The directory of projects, beside that of the data.
fn projects() -> Option<PathBuf> {
    let data = crate::corpus("istio-inject")?;
    let found = std::env::var_os("MESHGATE_CORPUS").map_or_else(|| data.join("../../corpus"), PathBuf::from);
    assert!(found.is_dir(), "there is no {}; set MESHGATE_CORPUS", found.display());
    Some(found)
}
