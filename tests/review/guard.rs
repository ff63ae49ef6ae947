//! The privilege guard (R15): each guarded field, raised by a mutation, is denied unless the policy's `mayChange` names
//! it; in Pods and in the templates of all kinds.

use std::collections::BTreeSet;
use std::path::Path;

use meshgate::admission::Operation;
use meshgate::policy::GuardedField;
use serde_json::{Value, json};

use crate::world::{FLEET, Kind, POD, Policies, create, mutated, pod, request, sets, shown};

/// A Pod that has nothing that could be less.
fn plain() -> Value {
    json!({
        "metadata": { "annotations": {} },
        "spec": {
            "hostUsers": false, "serviceAccountName": "web", "automountServiceAccountToken": false,
            "runtimeClassName": "gvisor",
            "securityContext": {
                "runAsNonRoot": true, "runAsUser": 1000, "seccompProfile": { "type": "RuntimeDefault" },
                "windowsOptions": {}
            },
            "containers": [container("app")],
            "volumes": [{ "name": "data", "emptyDir": {} }, { "name": "all", "projected": { "sources": [] } }]
        }
    })
}

fn container(name: &str) -> Value {
    json!({
        "name": name, "image": "registry.example/app:1", "ports": [{ "containerPort": 80 }],
        "livenessProbe": { "httpGet": { "port": 80 } }, "lifecycle": {},
        "securityContext": {
            "privileged": false, "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"] },
            "readOnlyRootFilesystem": true, "windowsOptions": {}
        }
    })
}

/// A row: the word, the pointer that a policy sets, the value, the field that is named, from what and to what.
struct Row<'a> {
    word: &'a str,
    pointer: &'a str,
    value: Value,
    field: &'a str,
    from: &'a str,
    to: &'a str,
}

fn rows() -> Vec<Row<'static>> {
    let read = |line: &'static str| match line.split('\t').collect::<Vec<_>>().as_slice() {
        [word, pointer, value, field, from, to] => {
            Row { word, pointer, value: serde_json::from_str(value).unwrap(), field, from, to }
        }
        columns => panic!("{columns:?}"),
    };
    include_str!("guard.tsv").lines().skip(1).map(read).collect()
}

const CONTEXT: &str = "/spec/containers/0/securityContext";

const KINDS: [(Kind, &str); 11] = [
    (POD, ""),
    (("", "v1", "PodTemplate", "podtemplates"), "/template"),
    (("", "v1", "ReplicationController", "replicationcontrollers"), "/spec/template"),
    (("apps", "v1", "ReplicaSet", "replicasets"), "/spec/template"),
    (("apps", "v1", "Deployment", "deployments"), "/spec/template"),
    (("apps", "v1", "StatefulSet", "statefulsets"), "/spec/template"),
    (("apps", "v1", "DaemonSet", "daemonsets"), "/spec/template"),
    (("batch", "v1", "Job", "jobs"), "/spec/template"),
    (("batch", "v1", "CronJob", "cronjobs"), "/spec/jobTemplate/spec/template"),
    (("extensions", "v1beta1", "Deployment", "deployments"), "/spec/template"),
    (FLEET, "/spec/jobs/template"),
];

fn object((group, version, kind, _): Kind, pointer: &str, plain: Value) -> Value {
    let mut object =
        pointer.rsplit('/').filter(|name| !name.is_empty()).fold(plain, |inner, name| json!({ name: inner }));
    object["apiVersion"] =
        json!(if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") });
    object["kind"] = json!(kind);
    object["metadata"]["name"] = json!("web");
    object["metadata"]["namespace"] = json!("shop");
    object
}

/// What becomes of a mutation that sets a value, in a policy with these lines of METADATA.
fn outcome(
    (kind, template): (Kind, &str),
    pointer: &str,
    value: &Value,
    custom: &[&str],
) -> (Vec<String>, usize) {
    let body = sets(&format!("{template}{pointer}"), value);
    let bundle = Policies::default().with("raises", custom, &body).with_fleets().compiled();
    let object = object(kind, template, plain());
    let decision = mutated(&bundle, &request(kind, None, Operation::Create, Some(object), None));
    (shown(&decision.findings), decision.patch.len())
}

/// What a row's finding says in that kind.
fn text(row: &Row<'_>, template: &str) -> String {
    let Row { word, field, from, to, .. } = row;
    let prefix = template.trim_start_matches('/').replace('/', ".");
    let path = if prefix.is_empty() { (*field).to_owned() } else { format!("{prefix}.{field}") };
    let whose = match *field {
        _ if *word == "containers" => " of the container \"new\"",
        field if field.starts_with("spec.containers[0]") => " of the container \"app\"",
        field if field.starts_with("spec.volumes[0]") => " of the volume \"data\"",
        field if field.starts_with("spec.volumes[1]") => " of the volume \"all\"",
        _ => "",
    };
    format!(
        "Deny error test/raises: its change raises `{path}`{whose} from {from} to {to}, which only a policy may do whose METADATA names `{word}` in `mayChange`"
    )
}

#[test]
fn each_guarded_field_is_raised_only_by_who_names_it() {
    let rows = rows();
    let all = GuardedField::ALL.map(GuardedField::as_str);
    let words: BTreeSet<&str> = rows.iter().map(|row| row.word).collect();
    assert_eq!(words, all.into_iter().collect(), "a row for each");
    let mut wrong = Vec::new();
    for (kind, template) in KINDS {
        for row in &rows {
            let Row { word, pointer, value, .. } = row;
            // Whatever failurePolicy says, and what else it may.
            let others: Vec<&str> = all.into_iter().filter(|other| other != word).collect();
            let others = format!("mayChange: [{}]", others.join(", "));
            let found = outcome((kind, template), pointer, value, &["failurePolicy: Ignore", &others]);
            let allowed = outcome((kind, template), pointer, value, &[&format!("mayChange: [{word}]")]);
            if (&found, &allowed) != (&(vec![text(row, template)], 0), &(vec![], 1)) {
                wrong.push(format!("{kind:?} {pointer} {value}: {found:?}; named: {allowed:?}"));
            }
        }
    }
    println!("guard: {} kinds × {} rows, {} wrong", KINDS.len(), rows.len(), wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_lowered_or_stays_is_nobodys_business() {
    let rows = [
        (format!("{CONTEXT}/privileged"), Value::Null),
        (format!("{CONTEXT}/runAsUser"), json!(2000)),
        (format!("{CONTEXT}/seccompProfile"), json!({ "type": "RuntimeDefault" })),
        (format!("{CONTEXT}/appArmorProfile"), json!({ "type": "RuntimeDefault" })),
        (format!("{CONTEXT}/seLinuxOptions"), json!({ "level": "s0:c1,c2" })),
        (format!("{CONTEXT}/procMount"), json!("Default")),
        ("/spec/hostNetwork".to_owned(), json!(false)),
        ("/spec/shareProcessNamespace".to_owned(), json!(false)),
        ("/spec/runtimeClassName".to_owned(), json!("gvisor")),
        ("/spec/containers/0/ports/0/hostPort".to_owned(), json!(0)),
        ("/spec/containers/0/livenessProbe/httpGet/host".to_owned(), json!("")),
        ("/spec/volumes/0/secret".to_owned(), json!({ "secretName": "a" })),
        ("/spec/initContainers".to_owned(), json!([])),
        (
            "/metadata/annotations/container.apparmor.security.beta.kubernetes.io~1app".to_owned(),
            json!("runtime/default"),
        ),
    ];
    for (pointer, value) in rows {
        let (findings, _) = outcome((POD, ""), &pointer, &value, &[]);
        assert_eq!(findings, Vec::<String>::new(), "{pointer} {value}");
    }
}

/// What is denied where a Pod with that spec is changed by a policy that may not.
fn denied(spec: Value, body: &str) -> Vec<String> {
    let bundle = Policies::default().with("raises", &[], body).compiled();
    let decision = mutated(&bundle, &create(pod(json!({}), spec)));
    decision.findings.into_iter().filter_map(|one| one.field).collect()
}

#[test]
fn the_service_account_has_an_old_name() {
    // An API server reads it where the new one says nothing (pkg/apis/core/v1, Convert_v1_PodSpec_To_core_PodSpec).
    let (new, old) = ("serviceAccountName", "serviceAccount");
    let rows = [
        (json!({}), old, json!("admin"), vec!["spec.serviceAccount"]),
        (json!({ new: "" }), old, json!("admin"), vec!["spec.serviceAccount"]),
        (json!({ old: "web" }), old, json!("admin"), vec!["spec.serviceAccount"]),
        (json!({ new: "web", old: "admin" }), new, Value::Null, vec!["spec.serviceAccount"]),
        (json!({ new: "web", old: "admin" }), new, json!("admin"), vec!["spec.serviceAccountName"]),
        (json!({ old: "web" }), old, Value::Null, vec!["spec.serviceAccountName"]),
        (json!({ old: "web" }), new, json!("web"), vec![]),
        (json!({ new: "web" }), old, json!("web"), vec![]),
        (json!({ new: "web" }), old, json!("admin"), vec![]),
    ];
    for (spec, member, value, expected) in rows {
        let body = sets(&format!("/spec/{member}"), &value);
        assert_eq!(denied(spec.clone(), &body), expected, "{spec} {member} {value}");
    }
}

#[test]
fn runtimes_read_names_of_capabilities_in_any_case() {
    let container = |drop: Value| json!({ "containers": [{ "name": "app", "image": "a:1", "securityContext": { "capabilities": { "drop": drop } } }] });
    let path = format!("{CONTEXT}/capabilities");
    let rows = [
        (json!(["all"]), json!([]), true),
        (json!(["net_raw"]), json!([]), true),
        // Pod Security knows capital letters only.
        (json!(["ALL"]), json!(["all"]), true),
        (json!(["all"]), json!(["ALL"]), false),
    ];
    for (before, after, raised) in rows {
        let found = denied(container(before.clone()), &sets(&path, &json!({ "drop": after })));
        assert_eq!(!found.is_empty(), raised, "{before} {after}: {found:?}");
    }
}

#[test]
fn a_name_that_stands_twice_hides_nothing() {
    let twin = "{\"name\": \"app\", \"image\": \"a:1\", \"securityContext\": {\"privileged\": true}}";
    let body = format!(
        "patch := [{{\"op\": \"add\", \"path\": \"/spec/initContainers\", \"value\": [{twin}]}}] if not input.request.object.spec.initContainers"
    );
    let spec = json!({ "containers": [{ "name": "app", "image": "a:1" }] });
    assert_eq!(denied(spec, &body), ["spec.initContainers[0].securityContext.privileged"]);
    let volume = "patch := [{\"op\": \"add\", \"path\": \"/spec/volumes/0\", \"value\": {\"name\": \"v\", \"hostPath\": {\"path\": \"/\"}}}] if count(input.request.object.spec.volumes) == 1";
    let spec = json!({ "containers": [], "volumes": [{ "name": "v", "emptyDir": {} }] });
    assert_eq!(denied(spec, volume), ["spec.volumes[0]"]);
}

#[test]
fn who_mounts_a_volume_of_the_node_has_what_it_gives() {
    let mount = |rest: Value| {
        let mut mount = json!({ "name": "node", "mountPath": "/node", "readOnly": true });
        mount.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        mount
    };
    let spec = |mounts: Value| {
        json!({
            "containers": [{ "name": "app", "image": "a:1", "volumeMounts": mounts }],
            "volumes": [{ "name": "node", "hostPath": { "path": "/" } }, { "name": "tmp", "emptyDir": {} }]
        })
    };
    let pointer = "/spec/containers/0/volumeMounts";
    let rows = [
        (json!([]), json!([mount(json!({}))]), true),
        (json!([mount(json!({}))]), json!([mount(json!({ "readOnly": false }))]), true),
        (json!([mount(json!({}))]), json!([mount(json!({ "mountPropagation": "Bidirectional" }))]), true),
        (json!([mount(json!({ "subPath": "a" }))]), json!([mount(json!({}))]), true),
        (json!([mount(json!({ "readOnly": null }))]), json!([mount(json!({}))]), false),
        (json!([mount(json!({}))]), json!([mount(json!({ "mountPath": "/other" }))]), false),
        (json!([]), json!([mount(json!({ "name": "tmp", "readOnly": false }))]), false),
    ];
    for (before, after, raised) in rows {
        let expected = if raised { vec!["spec.containers[0].volumeMounts"] } else { vec![] };
        assert_eq!(denied(spec(before.clone()), &sets(pointer, &after)), expected, "{before} {after}");
    }
}

#[test]
fn an_image_that_comes_by_way_of_no_container_is_his_who_brought_it() {
    let images = |image: &str| format!("[{{\"name\": \"app\", \"image\": \"{image}\"}}]");
    let sets = |value: &str, when: &str| {
        format!(
            "patch := [{{\"op\": \"add\", \"path\": \"/spec/containers\", \"value\": {value}}}] if {{\n\tlabels := input.request.object.metadata.labels\n\t{when}\n}}\n"
        )
    };
    let label = |key: &str, rest: &str| {
        format!(
            "patch := [{{\"op\": \"add\", \"path\": \"/metadata/labels/{key}\", \"value\": \"1\"}}{rest}] if not input.request.object.metadata.labels.{key}"
        )
    };
    let empties = ", {\"op\": \"replace\", \"path\": \"/spec/containers\", \"value\": []}";
    let policies = Policies::default()
        .with("a_removes", &["order: 1"], &label("one", empties))
        .with(
            "b_brings",
            &["order: 2"],
            &sets(&images("evil:1"), "labels.one\n\tcount(input.request.object.spec.containers) == 0"),
        )
        .with("c_may", &["order: 3", "mayChange: [images]"], &label("two", ""));
    let spec = json!({ "containers": [{ "name": "app", "image": "a:1" }] });
    let decision = mutated(&policies.compiled(), &create(pod(json!({ "labels": { "a": "1" } }), spec)));
    let found: Vec<String> = decision.findings.iter().map(|one| one.policy.to_string()).collect();
    assert_eq!(
        (found, decision.patch.len()),
        (vec!["test/b_brings".to_owned()], 0),
        "{:?}",
        decision.findings
    );
}

#[test]
fn who_raised_it_last_answers_for_it() {
    let privileged = format!("{CONTEXT}/privileged");
    let lower = format!(
        "patch := [{{\"op\": \"replace\", \"path\": \"{privileged}\", \"value\": false}}] if {{ input.request.object.spec.containers[0].securityContext.privileged; not input.request.object.metadata.labels.done }}"
    );
    let raise = |label: &str| {
        format!(
            "patch := [{{\"op\": \"add\", \"path\": \"{privileged}\", \"value\": true}}, {{\"op\": \"add\", \"path\": \"/metadata/labels/{label}\", \"value\": \"1\"}}] if not input.request.object.metadata.labels.{label}"
        )
    };
    let may: &[&str] = &["mayChange: [privileged]", "order: 1"];
    let object = || {
        let mut object = object(POD, "", plain());
        object["metadata"]["labels"] = json!({});
        create(object)
    };
    let lowered = Policies::default().with("may", may, &raise("one")).with("lowers", &["order: 2"], &lower);
    let decision = mutated(&lowered.compiled(), &object());
    assert_eq!(shown(&decision.findings), Vec::<String>::new());
    let none = Policies::default().with("secret", &["order: 1"], &raise("one")).with(
        "lowers",
        &["order: 2"],
        &lower,
    );
    assert_eq!(
        shown(&mutated(&none.compiled(), &object()).findings),
        Vec::<String>::new(),
        "what is undone was not done"
    );
    let again = lowered.with("again", &["order: 3"], &raise("done"));
    let decision = mutated(&again.compiled(), &object());
    let findings = shown(&decision.findings);
    assert!(
        matches!(findings.as_slice(), [one] if one.starts_with("Deny error test/again: its change raises")),
        "{findings:?}"
    );
    assert!(decision.patch.is_empty());
}

#[test]
fn a_container_that_moves_is_the_same_and_one_that_comes_has_nothing_before() {
    let shift = "patch := [{\"op\": \"add\", \"path\": \"/spec/containers/0\", \"value\": {\"name\": \"bare\", \"image\": \"a:1\"}}] if count(input.request.object.spec.containers) == 1";
    let bundle = Policies::default().with("adds", &["mayChange: [containers]"], shift).compiled();
    let found: BTreeSet<String> = mutated(&bundle, &create(object(POD, "", plain())))
        .findings
        .into_iter()
        .filter_map(|one| one.field)
        .collect();
    let context = |field: &str| format!("spec.containers[0].securityContext.{field}");
    let expected = ["allowPrivilegeEscalation", "capabilities"].map(context);
    assert_eq!(found, expected.into(), "the Pod's user and profile hold for it too");
    let bare = create(pod(json!({}), json!({ "containers": [{ "name": "app", "image": "a:1" }] })));
    let moved = "patch := [{\"op\": \"add\", \"path\": \"/spec/initContainers\", \"value\": input.request.object.spec.containers}, {\"op\": \"replace\", \"path\": \"/spec/containers\", \"value\": []}] if not input.request.object.spec.initContainers";
    let bundle = Policies::default().with("moves", &[], moved).compiled();
    assert_eq!(shown(&mutated(&bundle, &bare).findings), Vec::<String>::new());
}

#[test]
fn the_documentation_has_every_word() {
    let page =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/policies.md")).unwrap();
    let (_, section) = page.split_once("## Guarded fields").unwrap();
    let rows = section
        .lines()
        .skip_while(|line| !line.starts_with("| `"))
        .take_while(|line| line.starts_with("| `"));
    let words: Vec<&str> = rows.map(|row| row.split('`').nth(1).unwrap()).collect();
    assert_eq!(words, GuardedField::ALL.map(GuardedField::as_str));
}

#[test]
fn an_unknown_word_is_a_fault_of_the_policy() {
    let policies = Policies::default().with("a", &["mayChange: [image]"], "patch := []");
    let draft = meshgate::policy::Draft::read(&policies.0, &meshgate::policy::Tree::default());
    let faults = meshgate::engine::compile(draft).err().unwrap().to_string();
    assert!(
        faults.contains("a.rego:5")
            && faults.contains("mayChange")
            && faults.contains("unknown variant `image`"),
        "{faults}"
    );
}
