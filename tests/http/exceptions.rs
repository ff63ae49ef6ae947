//! An exception ends at the same moment for webhook and dry run, and is told to the API server (R28).

use meshgate::context::{Now, Others, Subjects, World};
use meshgate::dry_run::{Check, File, Manifests};
use meshgate::engine::Bundle;
use meshgate::policy::Tree;
use meshgate::webhook::Limits;
use serde_json::{Value, json};

use crate::bundle;
use crate::client::review;
use crate::server::Server;
use crate::source::Namespaces;

/// The time of the tests' server.
const NOW: &str = "2026-01-31T12:00:00Z";

fn excepting(expires: &str) -> Bundle {
    let mut tree = Tree::default();
    let document = |kind: &str, spec: &str| {
        format!("apiVersion: meshgate.io/v1alpha1\nkind: {kind}\nmetadata: {{name: legacy}}\nspec: {spec}\n")
    };
    tree.insert("bundle.yaml", document("Bundle", "{includes: [pod_security]}"));
    tree.insert("a.yaml", document("PolicyBinding", "{policy: pod_security/privileged, enforcement: deny}"));
    let exception = format!(
        "{{policy: pod_security/privileged, owner: o, reason: r, expires: '{expires}', containers: [{{name: app, image: registry.example/**}}]}}"
    );
    tree.insert("b.yaml", document("PolicyException", &exception));
    bundle::compiled(&tree)
}

fn spec() -> Value {
    json!({ "containers": [{ "name": "app", "image": "registry.example/app:1", "securityContext": { "privileged": true } }] })
}

/// The exit code of a dry run of the same Pod.
fn checked(bundle: &Bundle) -> u8 {
    let pod = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "a", "namespace": "shop" }, "spec": spec() });
    let file = File { name: "a.json".to_owned(), bytes: pod.to_string().into_bytes(), named: true };
    let check = Check {
        bundle,
        facts: &Manifests::default(),
        world: World::new(Others::Fresh),
        now: Now::parse(NOW).unwrap(),
        namespace: None,
        explains: false,
        user: None,
        subjects: Subjects::default(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(check.run(&Manifests::read(&[file]))).report.exit_code()
}

#[test]
fn an_exception_ends_for_webhook_and_dry_run_alike() {
    for (expires, is_excused) in [
        ("2026-01-31T11:59:59Z", false),
        ("2026-01-31T12:00:00Z", false),
        ("2026-01-31T13:00:00+01:00", false),
        ("2026-01-31T12:00:00.000000001Z", true),
        ("2026-01-31T12:00:00-01:00", true),
    ] {
        let server = Server::start(excepting(expires), Namespaces, Limits::default());
        let answer = server.client().review("/validate", &review("7", "shop", &spec())).json();
        let response = &answer["response"];
        assert_eq!(response["allowed"], is_excused, "{expires}: {answer}");
        let word = if is_excused { "excused by legacy" } else { "deny" };
        let expected = format!("{word}: pod_security/privileged");
        assert_eq!(response["auditAnnotations"]["validate-policies"], expected, "{expires}");
        assert_eq!(checked(&excepting(expires)), u8::from(!is_excused), "{expires}");
    }
}
