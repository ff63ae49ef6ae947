//! The privilege guard (R15): each guarded field, raised by a mutation, is denied unless the policy's `mayChange` names
//! it; in Pods and in the templates of all kinds.

use std::collections::BTreeSet;
use std::path::Path;

use meshgate::admission::Operation;
use meshgate::policy::GuardedField;
use serde_json::{Value, json};

use crate::world::{Kind, POD, Policies, create, mutated, pod, request, sets, shown};

/// A Pod that has nothing that could be less.
fn plain() -> Value {
    json!({
        "metadata": { "annotations": {} },
        "spec": {
            "hostUsers": false, "serviceAccountName": "web", "automountServiceAccountToken": false,
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
            "windowsOptions": {}
        }
    })
}

/// A row: the word, the pointer that a policy sets and the value, the field that is reported, from what and to what.
type Row = (&'static str, &'static str, Value, &'static str, &'static str, &'static str);

const CONTEXT: &str = "/spec/containers/0/securityContext";

fn of_containers() -> Vec<Row> {
    let context = |field: &str| -> &'static str { format!("{CONTEXT}/{field}").leak() };
    let path = |field: &str| -> &'static str { format!("spec.containers[0].securityContext.{field}").leak() };
    let (user, profile) = (path("runAsUser"), path("seccompProfile"));
    vec![
        ("privileged", context("privileged"), json!(true), path("privileged"), "false", "true"),
        (
            "allowPrivilegeEscalation",
            context("allowPrivilegeEscalation"),
            json!(true),
            path("allowPrivilegeEscalation"),
            "false",
            "true",
        ),
        (
            "allowPrivilegeEscalation",
            context("allowPrivilegeEscalation"),
            Value::Null,
            path("allowPrivilegeEscalation"),
            "false",
            "nothing",
        ),
        (
            "capabilities",
            context("capabilities"),
            json!({ "drop": ["ALL"], "add": ["NET_ADMIN"] }),
            path("capabilities"),
            "{\"drop\":[\"ALL\"]}",
            "{\"add\":[\"NET_ADMIN\"],\"drop\":[\"ALL\"]}",
        ),
        (
            "capabilities",
            context("capabilities"),
            json!({ "drop": ["CHOWN"] }),
            path("capabilities"),
            "{\"drop\":[\"ALL\"]}",
            "{\"drop\":[\"CHOWN\"]}",
        ),
        (
            "capabilities",
            context("capabilities"),
            Value::Null,
            path("capabilities"),
            "{\"drop\":[\"ALL\"]}",
            "nothing",
        ),
        ("procMount", context("procMount"), json!("Unmasked"), path("procMount"), "nothing", "\"Unmasked\""),
        ("runAsNonRoot", context("runAsNonRoot"), json!(false), path("runAsNonRoot"), "true", "false"),
        ("runAsUser", context("runAsUser"), json!(0), user, "1000", "0"),
        (
            "seccompProfile",
            context("seccompProfile"),
            json!({ "type": "Unconfined" }),
            profile,
            "{\"type\":\"RuntimeDefault\"}",
            "{\"type\":\"Unconfined\"}",
        ),
        (
            "seccompProfile",
            context("seccompProfile"),
            json!({ "localhostProfile": "a", "type": "Localhost" }),
            profile,
            "{\"type\":\"RuntimeDefault\"}",
            "{\"localhostProfile\":\"a\",\"type\":\"Localhost\"}",
        ),
        (
            "appArmorProfile",
            context("appArmorProfile"),
            json!({ "type": "Unconfined" }),
            path("appArmorProfile"),
            "nothing",
            "{\"type\":\"Unconfined\"}",
        ),
        (
            "seLinuxOptions",
            context("seLinuxOptions"),
            json!({ "type": "spc_t" }),
            path("seLinuxOptions"),
            "nothing",
            "{\"type\":\"spc_t\"}",
        ),
        (
            "seLinuxOptions",
            context("seLinuxOptions"),
            json!({ "user": "root" }),
            path("seLinuxOptions"),
            "nothing",
            "{\"user\":\"root\"}",
        ),
        (
            "hostProcess",
            context("windowsOptions/hostProcess"),
            json!(true),
            path("windowsOptions.hostProcess"),
            "nothing",
            "true",
        ),
        (
            "hostPort",
            "/spec/containers/0/ports/0/hostPort",
            json!(80),
            "spec.containers[0].ports",
            "[{\"containerPort\":80}]",
            "[{\"containerPort\":80,\"hostPort\":80}]",
        ),
        (
            "hostProbes",
            "/spec/containers/0/livenessProbe/httpGet/host",
            json!("10.0.0.1"),
            "spec.containers[0]",
            "nothing",
            "livenessProbe.httpGet.host: \"10.0.0.1\"",
        ),
        (
            "hostProbes",
            "/spec/containers/0/lifecycle/preStop",
            json!({ "tcpSocket": { "host": "a", "port": 1 } }),
            "spec.containers[0]",
            "nothing",
            "lifecycle.preStop.tcpSocket.host: \"a\"",
        ),
        (
            "images",
            "/spec/containers/0/image",
            json!("registry.example/app:2"),
            "spec.containers[0].image",
            "\"registry.example/app:1\"",
            "\"registry.example/app:2\"",
        ),
        (
            "images",
            "/spec/containers/0/image",
            json!("evil.example/app:1"),
            "spec.containers[0].image",
            "\"registry.example/app:1\"",
            "\"evil.example/app:1\"",
        ),
        (
            "containers",
            "/spec/initContainers",
            json!([container("new")]),
            "spec.initContainers[0].name",
            "nothing",
            "\"new\"",
        ),
        (
            "containers",
            "/spec/ephemeralContainers",
            json!([container("new")]),
            "spec.ephemeralContainers[0].name",
            "nothing",
            "\"new\"",
        ),
    ]
}

fn of_pods() -> Vec<Row> {
    let of_container =
        |field: &str| -> &'static str { format!("spec.containers[0].securityContext.{field}").leak() };
    let context = |field: &str| -> &'static str { format!("/spec/securityContext/{field}").leak() };
    vec![
        ("hostNetwork", "/spec/hostNetwork", json!(true), "spec.hostNetwork", "nothing", "true"),
        ("hostPID", "/spec/hostPID", json!(true), "spec.hostPID", "nothing", "true"),
        ("hostIPC", "/spec/hostIPC", json!(true), "spec.hostIPC", "nothing", "true"),
        ("hostUsers", "/spec/hostUsers", json!(true), "spec.hostUsers", "false", "true"),
        ("hostUsers", "/spec/hostUsers", Value::Null, "spec.hostUsers", "false", "nothing"),
        (
            "serviceAccountName",
            "/spec/serviceAccountName",
            json!("admin"),
            "spec.serviceAccountName",
            "\"web\"",
            "\"admin\"",
        ),
        (
            "serviceAccountName",
            "/spec/serviceAccountName",
            Value::Null,
            "spec.serviceAccountName",
            "\"web\"",
            "nothing",
        ),
        (
            "automountServiceAccountToken",
            "/spec/automountServiceAccountToken",
            json!(true),
            "spec.automountServiceAccountToken",
            "false",
            "true",
        ),
        (
            "automountServiceAccountToken",
            "/spec/volumes/1/projected/sources",
            json!([{ "serviceAccountToken": { "path": "t" } }]),
            "spec.volumes[1].projected",
            "{\"sources\":[]}",
            "{\"sources\":[{\"serviceAccountToken\":{\"path\":\"t\"}}]}",
        ),
        (
            "sysctls",
            "/spec/securityContext/sysctls",
            json!([{ "name": "kernel.msgmax", "value": "1" }]),
            "spec.securityContext.sysctls",
            "nothing",
            "[{\"name\":\"kernel.msgmax\",\"value\":\"1\"}]",
        ),
        (
            "volumes",
            "/spec/volumes/0/hostPath",
            json!({ "path": "/" }),
            "spec.volumes[0]",
            "nothing",
            "hostPath {\"path\":\"/\"}",
        ),
        (
            "volumes",
            "/spec/volumes/0/nfs",
            json!({ "server": "a" }),
            "spec.volumes[0]",
            "nothing",
            "nfs {\"server\":\"a\"}",
        ),
        (
            "images",
            "/spec/volumes/0/image",
            json!({ "reference": "a:1" }),
            "spec.volumes[0].image.reference",
            "nothing",
            "\"a:1\"",
        ),
        (
            "runAsNonRoot",
            context("runAsNonRoot"),
            Value::Null,
            of_container("runAsNonRoot"),
            "true",
            "nothing",
        ),
        ("runAsUser", context("runAsUser"), json!(0), of_container("runAsUser"), "1000", "0"),
        ("runAsUser", context("runAsUser"), Value::Null, of_container("runAsUser"), "1000", "nothing"),
        (
            "seccompProfile",
            context("seccompProfile"),
            Value::Null,
            of_container("seccompProfile"),
            "{\"type\":\"RuntimeDefault\"}",
            "nothing",
        ),
        (
            "hostProcess",
            context("windowsOptions/hostProcess"),
            json!(true),
            of_container("windowsOptions.hostProcess"),
            "nothing",
            "true",
        ),
        (
            "appArmorProfile",
            "/metadata/annotations/container.apparmor.security.beta.kubernetes.io~1app",
            json!("unconfined"),
            "metadata.annotations",
            "nothing",
            "[\"container.apparmor.security.beta.kubernetes.io/app: \\\"unconfined\\\"\"]",
        ),
    ]
}

const KINDS: [(Kind, &str); 10] = [
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
    let bundle = Policies::default().with("raises", custom, &body).compiled();
    let object = object(kind, template, plain());
    let decision = mutated(&bundle, &request(kind, None, Operation::Create, Some(object), None));
    (shown(&decision.findings), decision.patch.len())
}

#[test]
fn each_guarded_field_is_raised_only_by_who_names_it() {
    let rows: Vec<Row> = of_containers().into_iter().chain(of_pods()).collect();
    let words: BTreeSet<&str> = rows.iter().map(|(word, ..)| *word).collect();
    assert_eq!(words, GuardedField::ALL.map(GuardedField::as_str).into_iter().collect(), "a row for each");
    let mut wrong = Vec::new();
    for (kind, template) in KINDS {
        for (word, pointer, value, field, from, to) in &rows {
            let prefix = template.trim_start_matches('/').replace('/', ".");
            let path = if prefix.is_empty() { (*field).to_owned() } else { format!("{prefix}.{field}") };
            let whose = match *field {
                field if field.contains("ontainers[0]") && *word == "containers" => {
                    " of the container \"new\""
                }
                field if field.starts_with("spec.containers[0]") => " of the container \"app\"",
                field if field.starts_with("spec.volumes[0]") => " of the volume \"data\"",
                field if field.starts_with("spec.volumes[1]") => " of the volume \"all\"",
                _ => "",
            };
            let text = format!(
                "Deny error test/raises: its change raises `{path}`{whose} from {from} to {to}, which only a policy may do whose METADATA names `{word}` in `mayChange`"
            );
            // Whatever failurePolicy says, and what else it may.
            let others: Vec<&str> = GuardedField::ALL
                .map(GuardedField::as_str)
                .into_iter()
                .filter(|other| other != word)
                .collect();
            let others = format!("mayChange: [{}]", others.join(", "));
            let found = outcome((kind, template), pointer, value, &["failurePolicy: Ignore", &others]);
            if found != (vec![text], 0) {
                wrong.push(format!("{kind:?} {pointer} {value}: {found:?}"));
            }
            let allowed = outcome((kind, template), pointer, value, &[&format!("mayChange: [{word}]")]);
            if allowed != (vec![], 1) {
                wrong.push(format!("{kind:?} {pointer} {value}, named: {allowed:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
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
