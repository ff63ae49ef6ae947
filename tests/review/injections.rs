//! The seam to a mesh: policies narrow what it proposes, what it renders is known by what it is, and is no gain of powers.

use std::collections::BTreeSet;

use meshgate::admission::{Operation, Request};
use meshgate::context::Facts;
use meshgate::engine::Bundle;
use meshgate::mesh::Injector;
use meshgate::review::{
    Decision, Mesh, Phase, Progress, Proposal, RenderedContainer, Rendering, explain, review_in,
};
use serde_json::{Value, json};

use crate::world::{ALL, POD, Policies, create, facts, pod, request, sets, shown};

/// A mesh for tests: one container and one volume for each Pod, unless it has an annotation.
pub(crate) struct Sidecar {
    inject: bool,
    /// What the mesh puts into the Pod beside the sidecar.
    beside: Option<(&'static str, Value)>,
    plain: bool,
    /// Whether there is a second container.
    agent: bool,
    /// Who injects.
    injector: Injector,
}

pub(crate) const MESH: Sidecar =
    Sidecar { inject: true, beside: None, plain: true, agent: false, injector: Injector::Meshgate };

pub(crate) fn sidecar() -> Value {
    json!({
        "name": "proxy", "image": "mesh.example/proxy:1", "restartPolicy": "Always",
        "securityContext": { "privileged": true }, "resources": { "limits": { "cpu": "1000m" } },
        "volumeMounts": [{ "name": "identity", "mountPath": "/identity" }]
    })
}

impl Mesh for Sidecar {
    fn reads_namespace(&self, _: &Request) -> bool {
        false
    }

    fn propose(&self, request: &Request, _: Option<&Value>) -> Result<Option<Proposal>, String> {
        if request.resource().resource != "pods" || request.operation() != Operation::Create {
            return Ok(None);
        }
        let revision = Some("canary".to_owned());
        let (mesh, rule) = ("istio".to_owned(), "W1".to_owned());
        let (reasons, injector) = (vec!["label".to_owned()], self.injector.clone());
        Ok(Some(Proposal { mesh, revision, inject: self.inject, rule, reasons, injector }))
    }

    fn render(&self, _: &Proposal, request: &Request, _: Option<&Value>) -> Result<Rendering, String> {
        let mut object = request.object().cloned().unwrap();
        if object.pointer("/metadata/annotations/mesh.example~1port") == Some(&json!("x")) {
            return Err("invalid value 'x' for annotation 'mesh.example/port'".to_owned());
        }
        object["spec"]["initContainers"] =
            self.rendered(request, None).into_iter().map(|one| one.container).collect();
        let identity = json!({ "name": "identity", "projected": { "sources": [{ "serviceAccountToken": { "path": "t" } }] } });
        object["spec"]["volumes"] = json!([identity]);
        if let Some((member, value)) = &self.beside {
            object["spec"][*member] = value.clone();
        }
        Ok(Rendering { object, containers: self.rendered(request, None) })
    }

    fn rendered(&self, _: &Request, _: Option<&Value>) -> Vec<RenderedContainer> {
        let agent = self.agent.then(|| json!({ "name": "agent", "image": "mesh.example/agent:1" }));
        let all = std::iter::once(sidecar()).chain(agent);
        let list = "initContainers".to_owned();
        all.map(|container| RenderedContainer { list: list.clone(), container, plain: self.plain }).collect()
    }
}

fn decided(mesh: &Sidecar, bundle: &Bundle, request: &Request, phase: Phase) -> Decision {
    let facts: Facts = facts(json!({}));
    match review_in(mesh, bundle, &facts, request, phase) {
        Progress::Done(decision) => *decision,
        Progress::Need(keys) => panic!("asks for {keys:?}"),
    }
}

const FACT: &str = "context: [mesh.proposal]";
const FOLLOW: &str =
    "inject := object.filter(input.context.mesh.proposal, [\"mesh\", \"revision\", \"inject\", \"reasons\"])";

pub(crate) fn follow() -> Policies {
    Policies::default().with("follow", &[FACT], FOLLOW)
}

pub(crate) fn app() -> Value {
    pod(json!({}), json!({ "containers": [{ "name": "app", "image": "a:1" }] }))
}

fn is_injected(decision: &Decision) -> bool {
    decision.object.as_ref().is_some_and(|object| object["spec"]["initContainers"] == json!([sidecar()]))
}

/// Whether a sidecar came, and what was found.
fn outcome(mesh: &Sidecar, policies: &Policies) -> (bool, Vec<String>) {
    let decision = decided(mesh, &policies.compiled(), &create(app()), Phase::Mutate);
    (is_injected(&decision), shown(&decision.findings))
}

#[test]
fn policies_may_turn_an_injection_off_and_do_nothing_else_with_it() {
    let shape = "Deny error test/says: the policy's answer can't be used: `inject`";
    let another =
        format!("{shape} names another mesh or revision than is proposed; it may only turn an injection off");
    let on =
        format!("{shape} turns on an injection that no mesh proposes; it may only turn an injection off");
    let rows = [
        (true, "{\"mesh\": \"istio\", \"revision\": \"canary\", \"inject\": true}", true, vec![]),
        (true, "object.union(input.context.mesh.proposal, {\"reasons\": {\"a\"}})", true, vec![]),
        (true, "{\"inject\": false}", false, vec![]),
        (true, "object.union(input.context.mesh.proposal, {\"inject\": false})", false, vec![]),
        (true, "{\"inject\": true}", false, vec![another.clone()]),
        (
            true,
            "{\"mesh\": \"linkerd\", \"revision\": \"canary\", \"inject\": true}",
            false,
            vec![another.clone()],
        ),
        (
            true,
            "{\"mesh\": \"istio\", \"revision\": \"stable\", \"inject\": true}",
            false,
            vec![another.clone()],
        ),
        (true, "{\"mesh\": \"linkerd\", \"inject\": false}", false, vec![another]),
        (true, "true", false, vec![format!("{shape} is not an object")]),
        (
            true,
            "{\"inject\": true, \"image\": \"a\"}",
            false,
            vec![format!(
                "{shape} has the member `image`; the members are mesh, revision, inject and reasons"
            )],
        ),
        (false, "{\"mesh\": \"istio\", \"revision\": \"canary\", \"inject\": true}", false, vec![on]),
        (false, "input.context.mesh.proposal", false, vec![]),
    ];
    for (proposed, answer, injected, findings) in rows {
        let mesh = Sidecar { inject: proposed, ..MESH };
        let policies = Policies::default().with("says", &[FACT], &format!("inject := {answer}"));
        assert_eq!(outcome(&mesh, &policies), (injected, findings), "{proposed} {answer}");
    }
}

#[test]
fn who_says_nothing_injects_nothing_and_one_no_is_enough() {
    let opts_out = "inject := {\"inject\": false} if input.request.object.metadata.name == \"web\"";
    let silent = "inject := {\"inject\": false} if input.request.object.metadata.name == \"other\"";
    let label = sets("/metadata/generateName", &json!("a-"));
    let rows = [
        (Policies::default().with("label", &[], &label), false),
        (Policies::default().with("silent", &[], silent), false),
        (follow(), true),
        (follow().with("silent", &[], silent), true),
        (follow().with("opts_out", &[], opts_out), false),
    ];
    for (policies, injected) in rows {
        assert_eq!(outcome(&MESH, &policies), (injected, vec![]), "{policies:?}");
    }
    let audit = Policies::default().file("test", "follow", ALL, &[FACT], FOLLOW).bound(
        "test/follow",
        "b",
        "enforcement: audit",
    );
    assert_eq!(outcome(&MESH, &audit), (false, vec![]), "what only records changes nothing");
    let fails = follow().with(
        "fails",
        &["failurePolicy: Ignore"],
        "inject := {\"inject\": 1 / (count(input.request.object.metadata.name) - 3) == 1}",
    );
    let (injected, findings) = outcome(&MESH, &fails);
    assert_eq!((injected, findings.len()), (true, 1), "{findings:?}");
}

#[test]
fn without_a_mesh_nothing_is_proposed() {
    let body = format!("{FOLLOW}\n\ndeny contains json.marshal(input.context.mesh.proposal)");
    let bundle = Policies::default().with("follow", &[FACT], &body).compiled();
    let judged = crate::world::decided(&bundle, &create(app()), Phase::Validate);
    assert_eq!(shown(&judged.findings), ["Deny test/follow: {\"inject\":false,\"mesh\":null}"]);
    let mutated = crate::world::mutated(&bundle, &create(app()));
    assert_eq!((shown(&mutated.findings), mutated.patch.len()), (vec![], 0));
}

#[test]
fn what_the_mesh_refuses_is_denied_in_its_words() {
    let mut object = app();
    object["metadata"]["annotations"] = json!({ "mesh.example/port": "x" });
    let decision = decided(&MESH, &follow().compiled(), &create(object), Phase::Mutate);
    let text = "Deny test/follow: the sidecar of istio can't be injected: invalid value 'x' for annotation 'mesh.example/port'";
    assert_eq!((shown(&decision.findings), decision.patch.len()), (vec![text.to_owned()], 0));
}

#[test]
fn the_sidecar_is_no_gain_of_powers_and_what_comes_beside_it_is() {
    let decision = decided(&MESH, &follow().compiled(), &create(app()), Phase::Mutate);
    assert_eq!((shown(&decision.findings), is_injected(&decision)), (vec![], true));
    assert_eq!(decision.annotations.get("mutate-injected").map(String::as_str), Some("istio/canary"));
    let beside = [
        ("hostNetwork", json!(true), "spec.hostNetwork"),
        ("volumes", json!([{ "name": "root", "hostPath": { "path": "/" } }]), "spec.volumes[0]"),
        (
            "containers",
            json!([{ "name": "app", "image": "a:1", "securityContext": { "privileged": true } }]),
            "spec.containers[0].securityContext.privileged",
        ),
    ];
    for (member, value, field) in beside {
        let mesh = Sidecar { beside: Some((member, value)), ..MESH };
        let decision = decided(&mesh, &follow().compiled(), &create(app()), Phase::Mutate);
        let fields: Vec<Option<String>> =
            decision.findings.iter().map(|finding| finding.field.clone()).collect();
        assert_eq!((fields, decision.patch.len()), (vec![Some(field.to_owned())], 0), "{member}");
    }
}

const NAMES: &str =
    "deny contains sprintf(\"%s\", [container.name]) if some container in lib.of(\"privileged\")";

/// What policies of a category say of containers, with the library as it stands in the catalogue.
pub(crate) fn judging(category: &str) -> Policies {
    let library = "package lib.seen\n\nof(control) := [container |\n\tsome container in input.context.containers\n\tnot container.name in object.get(input.exempt, control, [])\n]\n";
    let mut policies = Policies::default().file(
        category,
        "names",
        ALL,
        &["context: [containers]", "controls: [privileged]"],
        &format!("import data.lib.seen as lib\n\n{NAMES}"),
    );
    policies.0.insert("lib/seen/seen.rego", library);
    policies.bound(&format!("{category}/names"), "b", "enforcement: deny")
}

#[test]
fn a_sidecar_is_exempt_by_what_it_is() {
    let injected = decided(&MESH, &follow().compiled(), &create(app()), Phase::Mutate).object.unwrap();
    let mut changed = injected.clone();
    changed["spec"]["initContainers"][0]["image"] = json!("evil.example/proxy:1");
    let mut stored = injected.clone();
    stored["spec"]["initContainers"][0]["resources"]["limits"]["cpu"] = json!("1");
    stored["spec"]["initContainers"][0]["terminationMessagePath"] = json!("/dev/termination-log");
    let mut twice = injected.clone();
    twice["spec"]["containers"][0]["name"] = json!("proxy");
    let rows: [(&str, &Value, bool, &[&str]); 7] = [
        ("pod_security", &injected, true, &["app"]),
        ("images", &stored, true, &["app"]),
        ("workloads", &injected, true, &["app", "proxy"]),
        ("pod_security", &injected, false, &["app", "proxy"]),
        ("pod_security", &changed, true, &["app", "proxy"]),
        ("pod_security", &app(), true, &["app"]),
        ("pod_security", &twice, true, &["proxy"]),
    ];
    for (category, object, plain, expected) in rows {
        let mesh = Sidecar { plain, ..MESH };
        let judged = decided(&mesh, &judging(category).compiled(), &create(object.clone()), Phase::Validate);
        let names: Vec<String> = judged.findings.iter().map(|finding| finding.message.clone()).collect();
        assert_eq!(names, expected, "{category} {plain} {object}");
    }
    let rendered =
        "deny contains container.name if { some container in input.context.containers; container.rendered }";
    let policies = Policies::default().with("rendered", &["context: [containers]"], rendered);
    let of = |object: &Value| {
        decided(&MESH, &policies.compiled(), &create(object.clone()), Phase::Validate).findings.len()
    };
    assert_eq!([of(&injected), of(&stored), of(&changed), of(&app())], [1, 1, 0, 0]);
}

#[test]
fn what_was_injected_is_not_injected_again_nor_changed() {
    let unprivileged = "_lists := [\"containers\", \"initContainers\"]\n\npatch := [{\"op\": \"add\", \"path\": sprintf(\"/spec/%s/%d/securityContext\", [list, i]), \"value\": {\"privileged\": false}} |\n\tsome list in _lists\n\tsome i, container in object.get(input.request.object.spec, list, [])\n\tobject.get(container, [\"securityContext\", \"privileged\"], true) != false\n]";
    let policies = follow().with("unprivileged", &[], unprivileged);
    let bundle = policies.compiled();
    let first = decided(&MESH, &bundle, &create(app()), Phase::Mutate);
    assert_eq!((shown(&first.findings), is_injected(&first)), (vec![], true));
    let object = first.object.unwrap();
    assert_eq!(object["spec"]["containers"][0]["securityContext"], json!({ "privileged": false }));
    let second = decided(&MESH, &bundle, &create(object), Phase::Mutate);
    assert_eq!((shown(&second.findings), second.patch.to_value()), (vec![], json!([])));
}

#[test]
fn a_part_of_a_sidecar_is_not_one() {
    let bundle = follow().compiled();
    let mut object = app();
    object["spec"]["initContainers"] = json!([sidecar()]);
    let of = |mesh: &Sidecar| {
        let decision = decided(mesh, &bundle, &create(object.clone()), Phase::Mutate);
        (shown(&decision.findings), decision.annotations.contains_key("mutate-injected"))
    };
    assert_eq!(of(&MESH), (vec![], false));
    assert_eq!(
        of(&Sidecar { agent: true, ..MESH }),
        (vec![], true),
        "who writes one container gets the other"
    );
}

#[test]
fn policies_that_fight_do_not_keep_a_sidecar_away() {
    let ignore = &["failurePolicy: Ignore"];
    let side = |side: &str| sets("/metadata/labels/side", &json!(side));
    let policies = follow().with("left", ignore, &side("left")).with("right", ignore, &side("right"));
    let mut object = app();
    object["metadata"]["labels"] = json!({ "a": "1" });
    let decision = decided(&MESH, &policies.compiled(), &create(object.clone()), Phase::Mutate);
    assert_eq!((decision.allowed(), decision.findings.len(), is_injected(&decision)), (true, 2, true));
    assert_eq!(decision.object.unwrap()["metadata"], object["metadata"], "nothing of the fight is left");
}

#[test]
fn a_template_and_an_update_are_not_injected() {
    let bundle = follow().compiled();
    let kinds: BTreeSet<&str> = ["deployments", "jobs"].into();
    for resource in kinds {
        let template = json!({ "metadata": { "name": "web" }, "spec": { "template": { "spec": { "containers": [] } } } });
        let workload =
            request(("apps", "v1", "Deployment", resource), None, Operation::Create, Some(template), None);
        assert_eq!(decided(&MESH, &bundle, &workload, Phase::Mutate).patch.len(), 0);
    }
    let mut old = app();
    old["metadata"]["labels"] = json!({ "a": "1" });
    let update = request(POD, None, Operation::Update, Some(app()), Some(old));
    assert_eq!(decided(&MESH, &bundle, &update, Phase::Mutate).patch.len(), 0);
}

#[test]
fn an_explanation_tells_what_was_said_of_the_injection_where_that_is_asked() {
    let body = format!("{FOLLOW}\n\ndeny contains \"no\" if input.request.uid == \"8\"");
    let bundle = Policies::default().with("follow", &[FACT], &body).compiled();
    for (phase, expected) in [(Phase::Mutate, "inject"), (Phase::Validate, "deny")] {
        let Progress::Done(decision) = explain(&bundle, &facts(json!({})), &create(app()), phase) else {
            panic!("asks for facts")
        };
        let trace = decision.trace.unwrap();
        let asked = trace.bindings[&0].outcome.as_ref().unwrap();
        let said: Vec<&str> =
            asked.rules.as_ref().unwrap().iter().map(|said| said.entry_point.as_str()).collect();
        assert_eq!(said, [expected]);
    }
}
