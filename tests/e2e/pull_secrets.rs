//! Images of a registry that asks for a password, for Pods that the real API server is asked for: their signatures are read
//! with the Pod's own pull secrets, where the configuration says so and the right to read them is given.

use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use meshgate::config::{NAMESPACE, SERVICE};
use meshgate::yaml;
use serde_json::{Value, json};

use crate::environment::{Environment, wait_until};
use crate::programs::{Program, Signer, tools};
use crate::webhook::{Webhook, policies};

const PASSWORD: &str = "canary-of-the-registry";
const MERGE: &str = "application/merge-patch+json";
const BINDING: &str = "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {name: signed}\nspec: {policy: images/require_signature, enforcement: deny}\n";
const BUNDLE: &str = "apiVersion: meshgate.io/v1alpha1\nkind: Bundle\nmetadata: {name: b}\nspec: {includes: [images], defaultMode: deny}\n";

/// A Docker configuration for a registry.
fn docker_config(address: &str) -> String {
    let auth = STANDARD.encode(format!("robot:{PASSWORD}"));
    json!({ "auths": { address: { "auth": auth } } }).to_string()
}

/// Gives meshgate what `meshgate install` gives where the configuration is this one.
fn granted(environment: &Environment, configuration: &std::path::Path) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshgate"));
    let output = command.args(["install", "--config"]).arg(configuration).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let objects = yaml::read(&output.stdout).into_iter().map(|one| one.unwrap().value);
    let mut role = objects.into_iter().find(|object| object["kind"] == "ClusterRole").unwrap();
    role["metadata"] = json!({ "name": "pulling" });
    environment.made("/apis/rbac.authorization.k8s.io/v1/clusterroles", &role);
    let name = format!("system:serviceaccount:{NAMESPACE}:{SERVICE}");
    environment.bind("pulling", "pulling", "User", &name);
}

fn pod(name: &str, image: &str, secrets: &[&str]) -> Value {
    let secrets: Vec<Value> = secrets.iter().map(|name| json!({ "name": name })).collect();
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name },
        "spec": { "containers": [{ "name": "web", "image": image }], "imagePullSecrets": secrets },
    })
}

#[test]
fn a_pod_is_judged_with_its_own_pull_secrets() {
    let (Some(tools), Some(environment)) = (tools(), Environment::shared()) else { return };
    let Some(registry) = Program::guarded(&tools, PASSWORD) else { return };
    let signer = Signer::new(&tools);
    let folder = signer.directory.path();
    std::fs::write(folder.join("config.json"), docker_config(&registry.address)).unwrap();
    let image = signer.image(&registry.address, "app");
    signer.sign(&image, false);
    let key = std::fs::read_to_string(folder.join("cosign.pub")).unwrap();
    let trust = format!(
        "apiVersion: meshgate.io/v1alpha1\nkind: ImageTrust\nauthorities: {{vendor: {{key: {{files: [k.pub], transparencyLog: none}}}}}}\nrules: [{{name: all, images: ['{}/**'], require: {{of: [vendor]}}, enforcement: deny}}]\n",
        registry.address
    );
    let files = [
        ("trust.yaml", trust.as_str()),
        ("k.pub", &key),
        ("bundle.yaml", BUNDLE),
        ("bindings.yaml", BINDING),
    ];
    let configuration = format!(
        "apiVersion: meshgate.io/v1alpha1\nkind: Configuration\nimages: {{pullSecrets: pod, registries: [{{host: '{}', plaintext: true}}]}}\n",
        registry.address
    );
    let tree = policies(&files);
    let webhook = Webhook::configured(&environment, "pulling", &json!({}), &tree, Some(&configuration));
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "regcred" }, "type": "kubernetes.io/dockerconfigjson",
        "data": { ".dockerconfigjson": STANDARD.encode(docker_config(&registry.address)) },
    });
    environment.made(&webhook.path("secrets"), &secret);
    let asked = |pod: &Value| environment.alice.create(&webhook.path("pods?dryRun=All"), pod);
    let named = pod("named", &image, &["regcred"]);
    // Without the right to read it nothing is open, and who is denied learns why.
    let refused = asked(&named);
    assert_eq!(refused.status, 403, "{}", refused.body);
    assert!(
        refused.message().contains("its pull secret `regcred` can't be read by meshgate"),
        "{}",
        refused.message()
    );
    granted(&environment, &webhook.folder.join("meshgate.yaml"));
    wait_until("the right, and what was known without it to be forgotten", || {
        (asked(&named).status == 201).then_some(())
    });
    let refused = asked(&pod("none", &image, &[]));
    assert_eq!(refused.status, 403, "{}", refused.body);
    let refused = asked(&pod("absent", &image, &["absent"]));
    assert!(refused.message().contains("its pull secret `absent` is not there"), "{}", refused.message());
    // The API server writes those of the service account into a Pod that names none; of a Deployment's Pods, too.
    let account = json!({ "imagePullSecrets": [{ "name": "regcred" }] });
    let path = webhook.path("serviceaccounts/default");
    assert_eq!(environment.admin.request(&Method::PATCH, &path, MERGE, &account).status, 200);
    wait_until("the account's pull secrets", || {
        (asked(&pod("by-account", &image, &[])).status == 201).then_some(())
    });
    let log = webhook.replicas[0].program.said();
    assert!(!log.contains(PASSWORD) && !log.contains(&STANDARD.encode(format!("robot:{PASSWORD}"))), "{log}");
}
