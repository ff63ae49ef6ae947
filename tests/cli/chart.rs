//! The chart: checked in as `meshgate install --chart` writes it, and rendered by Helm to the objects of `meshgate install`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::install::checked_strictly;
use crate::program::{Run, folder, meshgate, run};

/// Any that the chart is for; the one that Helm takes where nobody is asked is none.
const KUBERNETES: &str = "1.37.2";

const SUBJECTS: &str = "{users: [\"o'neil \\\"x\\\"\", a], groups: [platform]}";

fn checked_in() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/helm/meshgate")
}

/// The program; none where there is none, which is said, and which CI does not accept.
fn helm() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let found = variable("MESHGATE_HELM")
        .or_else(|| variable("MESHGATE_REFERENCE_TOOLS").map(|directory| directory.join("helm")));
    if found.is_none() {
        println!(
            "left out: no helm; set MESHGATE_HELM or MESHGATE_REFERENCE_TOOLS (tests/reference/build.sh builds it)"
        );
        assert!(std::env::var_os("CI").is_none(), "CI needs helm");
    }
    found
}

fn files(directory: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut left = vec![directory.to_owned()];
    while let Some(next) = left.pop() {
        for path in fs::read_dir(next).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                left.push(path);
            } else {
                let name = path.strip_prefix(directory).unwrap().to_owned();
                found.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

#[test]
fn the_chart_is_what_the_program_writes() {
    let folder = folder(&[]);
    let written = folder.path().join("chart");
    let arguments = ["install", "--chart", "chart"];
    let ran = run(folder.path(), &arguments, "");
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{}", ran.err);
    let (expected, found) = (files(&written), files(&checked_in()));
    let remedy = "write it anew: rm -r deploy/helm/meshgate; meshgate install --chart deploy/helm/meshgate";
    assert!(expected.keys().eq(found.keys()), "{remedy}");
    for (name, text) in &expected {
        assert_eq!(found[name], *text, "{}: {remedy}", name.display());
    }
    let again = run(folder.path(), &arguments, "");
    assert_eq!(
        (again.code, again.err.lines().next()),
        (2, Some("error: --chart chart: name a directory to be made"))
    );
}

/// The objects by kind and name, those of other namespaces with their namespace; of `meshgate.yaml` what it says, not how
/// it is written.
fn objects(text: &str) -> BTreeMap<(String, String), Value> {
    let documents = meshgate::yaml::read(text.as_bytes()).into_iter().map(|document| document.unwrap().value);
    let mut all = BTreeMap::new();
    for mut object in documents {
        if let Some(file) = object.pointer_mut("/data/meshgate.yaml") {
            let read = meshgate::yaml::read(file.as_str().unwrap().as_bytes()).remove(0);
            *file = read.unwrap().value;
        }
        let name = |pointer: &str| object.pointer(pointer).unwrap().as_str().unwrap().to_owned();
        let elsewhere = object.pointer("/metadata/namespace").filter(|one| **one != "meshgate-system");
        let place = elsewhere.map(|one| format!("{}/", one.as_str().unwrap())).unwrap_or_default();
        let key = (name("/kind"), format!("{place}{}", name("/metadata/name")));
        assert!(all.insert(key.clone(), object).is_none(), "{key:?} twice");
    }
    all
}

fn render(helm: &Path, chart: &Path, values: &str, flags: &[&str]) -> Run {
    let folder = folder(&[("values.yaml", values)]);
    let output = Command::new(helm)
        .args(["template", "meshgate", "--kube-version", KUBERNETES, "--values"])
        .arg(folder.path().join("values.yaml"))
        .arg(chart)
        .args(flags)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Run { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

fn rendered(helm: &Path, values: &str) -> BTreeMap<(String, String), Value> {
    let run = render(helm, &checked_in(), values, &["--no-hooks"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""), "{values}");
    objects(&run.out)
}

/// Compared object by object, so that what differs can be read.
fn assert_same(found: &BTreeMap<(String, String), Value>, expected: &BTreeMap<(String, String), Value>) {
    assert!(found.keys().eq(expected.keys()), "{:?}\n{:?}", found.keys(), expected.keys());
    for (key, object) in expected {
        assert_eq!(&found[key], object, "{key:?}");
    }
}

#[test]
fn helm_renders_what_install_prints() {
    let Some(helm) = helm() else { return };
    assert_same(&rendered(&helm, "{}\n"), &objects(&meshgate(&["install"]).out));

    let head = "apiVersion: meshgate.io/v1alpha1\nkind: Configuration\n";
    let members = format!(
        "subjects: {SUBJECTS}\nguard: {{also: [z.example/z, pod-security.kubernetes.io/enforce]}}\n\
         registration: {{excludedNamespaces: [calico], servicePort: 8443}}\ncaches: {{maxBytes: 536870912}}\n\
         images: {{pullSecrets: pod, registries: [{{host: r.example}}]}}\n"
    );
    let configuration = format!("{head}{members}");
    let changed = folder(&[("m.yaml", &configuration)]);
    let arguments = [
        "install",
        "--config",
        "m.yaml",
        "--image",
        "r.example/m@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "--replicas",
        "5",
    ];
    let printed = run(changed.path(), &arguments, "");
    assert_eq!(printed.code, 0, "{}", printed.err);
    // The whole file as the value, its head too.
    let indented: String = configuration.lines().map(|line| format!("  {line}\n")).collect();
    let values = format!("image: {}\nreplicas: 5\nconfiguration:\n{indented}", arguments[4]);
    assert_same(&rendered(&helm, &values), &objects(&printed.out));
}

#[test]
fn policies_in_a_map_of_ones_own_are_mounted_alike() {
    let Some(helm) = helm() else { return };
    let bindings = "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {name: a}\nspec: {policy: images/no_latest, enforcement: deny}\n";
    let bundle =
        "apiVersion: meshgate.io/v1alpha1\nkind: Bundle\nmetadata: {name: a}\nspec: {includes: [images]}\n";
    let folder = folder(&[("p/bindings.yaml", bindings), ("p/of/bundle.yaml", bundle)]);
    let printed = run(folder.path(), &["install", "-p", "p"], "");
    assert_eq!(printed.code, 0, "{}", printed.err);
    let mut expected = objects(&printed.out);
    let key = ("ConfigMap".to_owned(), "meshgate-policies".to_owned());
    assert!(expected.remove(&key).is_some(), "it is one's own");
    let values = "policies:\n  configMap: meshgate-policies\n  items:\n  - {key: bindings.yaml, path: bindings.yaml}\n  - {key: of..bundle.yaml, path: of/bundle.yaml}\n";
    assert_same(&rendered(&helm, values), &expected);
}

#[test]
fn further_rules_are_added_to_the_role() {
    let Some(helm) = helm() else { return };
    let key = ("ClusterRole".to_owned(), "meshgate".to_owned());
    let rule = "{apiGroups: [autoscaling], resources: [horizontalpodautoscalers], verbs: [get, list, watch]}";
    let (with, without) = (rendered(&helm, &format!("rules: [{rule}]\n")), rendered(&helm, "{}\n"));
    let mut expected = without[&key].clone();
    let rule = meshgate::yaml::read(rule.as_bytes()).remove(0).unwrap().value;
    expected["rules"].as_array_mut().unwrap().push(rule);
    assert_eq!(with[&key], expected);
}

#[test]
fn roles_in_the_namespaces_of_meshes_are_those_of_install() {
    let Some(helm) = helm() else { return };
    let head = |kind: &str| {
        format!("apiVersion: meshgate.io/v1alpha1\nkind: {kind}\nmetadata: {{name: a}}\nspec:\n")
    };
    let settings = format!(
        "{}  meshes:\n  - mesh: istio\n    revisions: [{{revision: default, namespace: istio-system}}, {{revision: canary, namespace: mesh-two}}]\n",
        head("MeshSettings")
    );
    let binding = format!("{}  policy: injection/follow_mesh\n  enforcement: deny\n", head("PolicyBinding"));
    let bundle = format!("{}  includes: [injection]\n", head("Bundle"));
    let folder =
        folder(&[("p/mesh.yaml", &settings), ("p/binding.yaml", &binding), ("p/bundle.yaml", &bundle)]);
    let printed = run(folder.path(), &["install", "-p", "p"], "");
    assert_eq!(printed.code, 0, "{}", printed.err);
    let expected = objects(&printed.out);
    // What is printed is given as values.
    let (mut rules, mut roles) = (Vec::new(), Vec::new());
    for ((kind, name), object) in &expected {
        match (kind.as_str(), name.split_once('/')) {
            ("Role", Some((namespace, _))) => {
                roles.push(serde_json::json!({ "namespace": namespace, "rules": object["rules"] }));
            }
            ("ClusterRole", None) => {
                let own = rendered(&helm, "{}\n")[&(kind.clone(), name.clone())]["rules"].clone();
                let own = own.as_array().unwrap().clone();
                rules.extend(
                    object["rules"].as_array().unwrap().iter().filter(|rule| !own.contains(rule)).cloned(),
                );
            }
            _ => {}
        }
    }
    assert_eq!(roles.len(), 2, "{:?}", expected.keys());
    let maps = serde_json::json!([{ "apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list", "watch"] }]);
    assert_eq!(roles[0]["rules"].as_array().unwrap()[0], maps[0], "{roles:?}");
    let values = serde_json::json!({ "rules": rules, "roles": roles });
    let found = rendered(&helm, &values.to_string());
    for kind in ["Role", "RoleBinding", "ClusterRole"] {
        let of_kind = |all: &BTreeMap<(String, String), Value>| {
            all.iter()
                .filter(|((one, _), _)| one == kind)
                .map(|(key, object)| (key.clone(), object.clone()))
                .collect()
        };
        assert_same(&of_kind(&found), &of_kind(&expected));
    }
}

#[test]
fn before_it_is_deleted_the_registration_is_removed() {
    let Some(helm) = helm() else { return };
    let text = render(&helm, &checked_in(), "{}\n", &[]).out;
    let all = objects(&text);
    let is_hook = |object: &&Value| object["metadata"]["annotations"]["helm.sh/hook"] != Value::Null;
    let hooks: Vec<_> = all.values().filter(is_hook).collect();
    assert_eq!(hooks.len(), 1);
    assert_eq!(hooks[0]["metadata"]["annotations"]["helm.sh/hook"], "pre-delete");
    let container = |object: &Value| object["spec"]["template"]["spec"]["containers"][0].clone();
    let deployment = &all[&("Deployment".to_owned(), "meshgate".to_owned())];
    assert_eq!(container(hooks[0])["args"], serde_json::json!(["install", "--remove=registration"]));
    assert_eq!(container(hooks[0])["image"], container(deployment)["image"]);
    // In the same namespace, under the same Pod Security.
    let checked = checked_strictly(&text);
    assert_eq!(checked.code, 0, "{}", checked.out);
}

#[test]
fn a_value_that_there_is_not_is_an_error() {
    let Some(helm) = helm() else { return };
    for (values, expected) in [
        ("replica: 2\n", "additional properties 'replica' not allowed"),
        ("replicas: 0\n", "at '/replicas': minimum: got 0, want 1"),
        ("policies: {name: a}\n", "additional properties 'name' not allowed"),
        ("roles: [{namespace: a}]\n", "at '/roles/0': missing property 'rules'"),
        ("configuration: {subjects: {}}\n", "at '/configuration/subjects'"),
        ("configuration: {subjects: {user: [jane]}}\n", "additional properties 'user' not allowed"),
    ] {
        let run = render(&helm, &checked_in(), values, &[]);
        assert!(run.code == 1 && run.err.contains(expected), "{values}: {}", run.err);
    }
}
