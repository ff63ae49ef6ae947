//! An exception ends at the same moment for webhook and dry run, and is told to the API server (R28).

use meshgate::admission::decode;
use meshgate::context::{Facts, Now};
use meshgate::dry_run::{Content, File, Manifests};
use meshgate::engine::Bundle;
use meshgate::policy::Tree;
use meshgate::report::{Effect, FailOn, Report};
use meshgate::review::{Action, Phase, complete};
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
    tree.insert("a.yaml", document("PolicyBinding", "{policy: pod_security/standard, enforcement: deny}"));
    let exception = format!(
        "{{policy: pod_security/standard, controls: [privileged], owner: o, reason: r, expires: '{expires}', containers: [{{name: app, image: registry.example/**}}]}}"
    );
    tree.insert("b.yaml", document("PolicyException", &exception));
    bundle::compiled(&tree)
}

fn spec() -> Value {
    json!({ "containers": [{ "name": "app", "image": "registry.example/app:1", "securityContext": { "privileged": true } }] })
}

/// The dry run of a Pod.
fn checked(bundle: &Bundle, spec: &Value) -> Report {
    let pod = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "a", "namespace": "shop" }, "spec": spec });
    let file = File {
        name: "a.json".to_owned(),
        content: Content::Bytes(pod.to_string().into_bytes()),
        named: true,
    };
    bundle::checked(bundle, Manifests::read(&[file]), NOW).report
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
        let expected = format!("{word}: pod_security/standard");
        assert_eq!(response["auditAnnotations"]["validate-policies"], expected, "{expires}");
        assert_eq!(
            checked(&excepting(expires), &spec()).exit_code(FailOn::Deny),
            u8::from(!is_excused),
            "{expires}"
        );
    }
}

/// What is excepted: containers of that name **and** image, from one of the checks, until then.
fn checks(expires: &str) -> Bundle {
    let mut tree = Tree::default();
    let document = |kind: &str, name: &str, spec: &str| {
        format!("apiVersion: meshgate.io/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {spec}\n")
    };
    tree.insert("bundle.yaml", document("Bundle", "b", "{includes: [pod_security]}"));
    let binding = "{policy: pod_security/standard, enforcement: deny}";
    tree.insert("a.yaml", document("PolicyBinding", "pss", binding));
    let exception = format!(
        "{{policy: pod_security/standard, controls: [privileged], owner: o, reason: r, expires: '{expires}', containers: [{{name: agent, image: registry.example/agents/*}}]}}"
    );
    tree.insert("b.yaml", document("PolicyException", "agents", &exception));
    bundle::compiled(&tree)
}

/// What is denied and what is excused, as the dry run, the webhook and a review of the object as it is stored say it.
fn told(expires: &str, containers: &[(&str, &str, Value)]) -> [(Vec<String>, bool); 3] {
    let containers: Vec<Value> = containers
        .iter()
        .map(|(name, image, context)| json!({ "name": name, "image": image, "securityContext": context }))
        .collect();
    let spec = json!({ "containers": containers });
    let report = checked(&checks(expires), &spec);
    let of_effect = |effect| report.findings.iter().filter(move |finding| finding.effect == effect);
    let dry_run = (
        of_effect(Effect::Deny).map(|finding| finding.message.clone()).collect(),
        of_effect(Effect::Excused).count() > 0,
    );

    let server = Server::start(checks(expires), Namespaces, Limits::default());
    let response =
        server.client().review("/validate", &review("7", "shop", &spec)).json()["response"].clone();
    let message = response["status"]["message"].as_str().map(str::to_owned);
    let record = response["auditAnnotations"]["validate-policies"].as_str().unwrap_or_default();
    let webhook =
        (message.into_iter().collect(), record.contains("excused by agents: pod_security/standard"));

    let mut live = review("7", "shop", &spec);
    let object = &mut live["request"]["object"];
    object["metadata"]["resourceVersion"] = json!("1");
    object["spec"]["nodeName"] = json!("node-1");
    object["status"] = json!({ "phase": "Running" });
    let request = decode(live.to_string().as_bytes()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let facts = Facts::at(Now::parse(NOW).unwrap());
    let bundle = checks(expires);
    let decision = runtime.block_on(complete(&bundle, &Namespaces, facts, &request, Phase::Validate));
    let of_action = |action| decision.findings.iter().filter(move |finding| finding.action == action);
    let stored = (
        of_action(Action::Deny).map(|finding| finding.message.clone()).collect(),
        of_action(Action::Excused).count() > 0,
    );
    [dry_run, webhook, stored]
}

#[test]
fn an_exception_covers_a_container_by_name_and_image_from_one_check_until_its_end() {
    const AHEAD: &str = "2026-06-30T00:00:00Z";
    const AGENT: &str = "registry.example/agents/node:1";
    let privileged = json!({ "privileged": true });
    let both = json!({ "privileged": true, "capabilities": { "add": ["SYS_ADMIN"] } });
    let denial = |names: &str| format!("privileged ({names} must not set securityContext.privileged=true)");
    let capability = "non-default capabilities (container \"agent\" must not include \"SYS_ADMIN\" in securityContext.capabilities.add)";
    let rows = [
        // Of two containers one is let off, and the other one named.
        (
            AHEAD,
            vec![("agent", AGENT, &privileged), ("app", AGENT, &privileged)],
            vec![denial("container \"app\"")],
            true,
        ),
        (AHEAD, vec![("agent", AGENT, &privileged)], vec![], true),
        // The image under another name, the name with another image.
        (AHEAD, vec![("debug", AGENT, &privileged)], vec![denial("container \"debug\"")], false),
        (
            AHEAD,
            vec![("agent", "registry.example/agents/deep/node:1", &privileged)],
            vec![denial("container \"agent\"")],
            false,
        ),
        (
            AHEAD,
            vec![("agent", "registry.example.attacker.io/agents/node:1", &privileged)],
            vec![denial("container \"agent\"")],
            false,
        ),
        // From this check and from no other.
        (AHEAD, vec![("agent", AGENT, &both)], vec![capability.to_owned()], true),
        // It has ended.
        (
            NOW,
            vec![("agent", AGENT, &privileged), ("app", AGENT, &privileged)],
            vec![denial("containers \"agent\", \"app\"")],
            false,
        ),
    ];
    for (expires, containers, denied, is_excused) in rows {
        let containers: Vec<_> =
            containers.into_iter().map(|(name, image, context)| (name, image, context.clone())).collect();
        let expected = (denied, is_excused);
        assert_eq!(
            told(expires, &containers),
            [expected.clone(), expected.clone(), expected],
            "{containers:?}"
        );
    }
}
