//! An installation in a cluster of its own: applied and applied again, what its admission policies refuse while no
//! meshgate runs at all, and removed.

use std::process::Command;

use http::Method;
use serde_json::{Value, json};

use crate::environment::{Answer, Environment, User, wait_until};

const MERGE: &str = "application/merge-patch+json";
const OWN: &str = "/api/v1/namespaces/meshgate-system";
const CONFIGURATION: &str = "apiVersion: meshgate.io/v1alpha1\nkind: Configuration\n\
    subjects: {users: [bob], groups: ['system:masters']}\nguard: {also: [pod-security.kubernetes.io/enforce]}\n";

/// Who writes in every namespace because it is his task.
const CONTROL_PLANE: [&str; 5] = [
    "system:apiserver",
    "system:kube-controller-manager",
    "system:kube-scheduler",
    "system:serviceaccount:kube-system:replicaset-controller",
    "system:serviceaccount:meshgate-system:meshgate",
];

/// `meshgate install` as a user: exit code and the last words of its lines, by object.
fn install(user: &User, arguments: &[&str]) -> (i32, Vec<(String, String)>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshgate"));
    command.arg("install").args(arguments).arg("--kubeconfig").arg(&user.kubeconfig);
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let lines = text(output.stdout);
    let words = lines.lines().map(|line| {
        let (object, outcome) = line.split_once(' ').unwrap();
        (object.to_owned(), outcome.to_owned())
    });
    (output.status.code().unwrap(), words.collect(), text(output.stderr))
}

#[test]
fn an_installation_from_first_to_last() {
    let Some(environment) = Environment::fresh() else { return };
    environment.namespace("shop", &json!({ "meshgate.io/mode": "deny" }));
    environment.bind("bob", "cluster-admin", "User", "bob");
    let bob = environment.user("bob", None);
    for user in CONTROL_PLANE {
        environment.bind(&format!("{user}:everything"), "cluster-admin", "User", user);
    }

    let (code, _, err) = install(&environment.alice, &["--apply"]);
    assert!(code == 2 && err.starts_with("error: you are \"alice\" of the groups [\"developers\","), "{err}");
    assert_eq!(environment.admin.get(OWN).status, 404, "who may not change it afterwards installs nothing");

    applied(&environment.admin);
    guarded(&environment, "shop", &environment.admin, &environment.alice);
    own_namespace(&environment, &environment.admin, &environment.alice);

    // Others may, and more is guarded.
    let folder = environment.folder("installation");
    let file = folder.join("meshgate.yaml");
    std::fs::write(&file, CONFIGURATION).unwrap();
    let (code, words, err) = install(&environment.admin, &["--apply", "--config", file.to_str().unwrap()]);
    assert_eq!(code, 0, "{err}");
    let changed: Vec<&str> =
        words.iter().filter(|(_, word)| word == "configured").map(|(object, _)| object.as_str()).collect();
    let expected = [
        "configmap/meshgate",
        "deployment/meshgate",
        "validatingadmissionpolicy/meshgate-guard",
        "validatingadmissionpolicy/meshgate-own",
    ];
    assert_eq!(changed, expected);
    let label = json!({ "metadata": { "labels": { "pod-security.kubernetes.io/enforce": "baseline" } } });
    let path = "/api/v1/namespaces/shop?dryRun=All";
    wait_until("the label is guarded", || {
        (environment.alice.request(&Method::PATCH, path, MERGE, &label).status == 403).then_some(())
    });
    let map = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "new" } });
    wait_until("bob may write", || {
        (bob.create(&format!("{OWN}/configmaps?dryRun=All"), &map).status == 201).then_some(())
    });
    guarded(&environment, "shop", &bob, &environment.alice);
    own_namespace(&environment, &bob, &environment.alice);

    removed(&environment);
}

/// Applied twice, by us and by kubectl: the second time nothing changes.
fn applied(admin: &User) {
    let (code, first, err) = install(admin, &["--apply"]);
    assert_eq!(code, 0, "{err}");
    let (last, objects) = first.split_last().unwrap();
    assert_eq!(*last, ("deployment/meshgate:".to_owned(), "0 of 3 Pods ready".to_owned()));
    assert!(objects.len() == 16 && objects.iter().all(|(_, word)| word == "created"), "{objects:?}");
    let (code, second, _) = install(admin, &["--apply"]);
    let unchanged = second.iter().filter(|(_, word)| word == "unchanged").count();
    assert_eq!((code, unchanged), (0, objects.len()), "{second:?}");

    let printed = Command::new(env!("CARGO_BIN_EXE_meshgate")).arg("install").output().unwrap().stdout;
    let printed = String::from_utf8(printed).unwrap();
    let run = admin.kubectl(&["apply", "--server-side", "-f", "-"], &printed);
    assert_eq!((run.code, run.out.lines().count()), (Some(0), objects.len()), "{}", run.err);
    let run = admin.kubectl(&["diff", "--server-side", "-f", "-"], &printed);
    assert_eq!((run.code, run.out.as_str(), run.err.as_str()), (Some(0), "", ""));

    // What somebody changed since is set back.
    let run = admin.kubectl(&["scale", "-n", "meshgate-system", "deployment/meshgate", "--replicas=1"], "");
    assert_eq!(run.code, Some(0), "{}", run.err);
    let (code, third, _) = install(admin, &["--apply"]);
    let last =
        third.iter().filter(|(_, word)| word != "unchanged").map(|(object, word)| format!("{object} {word}"));
    let expected = ["deployment/meshgate configured", "deployment/meshgate: 0 of 3 Pods ready"];
    assert_eq!((code, last.collect::<Vec<_>>()), (0, expected.map(str::to_owned).to_vec()));
}

/// Each way to change what is guarded: `may` may, `may_not` is refused. Nothing is kept: all are dry runs.
fn guarded(environment: &Environment, namespace: &str, may: &User, may_not: &User) {
    let path = format!("/api/v1/namespaces/{namespace}");
    let refused = |answer: &Answer| {
        (answer.status, answer.message().contains("ValidatingAdmissionPolicy 'meshgate-guard'"))
            == (403, true)
    };
    let changes = [
        json!({ "labels": { "meshgate.io/exempt": "true" } }),
        json!({ "labels": { "meshgate.io/mode": "off" } }),
        json!({ "labels": { "meshgate.io/mode": null } }),
        json!({ "annotations": { "meshgate.io/suspend": "2100-01-01T00:00:00Z" } }),
    ];
    let mut run = 0;
    for change in &changes {
        let patch = json!({ "metadata": change });
        let mut whole = environment.admin.get(&path).body;
        for (member, words) in change.as_object().unwrap() {
            for (key, value) in words.as_object().unwrap() {
                whole["metadata"][member][key] = value.clone();
            }
        }
        whole["metadata"]["labels"].as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let mut new = whole.clone();
        new["metadata"] = json!({ "name": "new", "labels": whole["metadata"]["labels"] });
        for (method, path, content, object) in [
            (Method::PATCH, path.clone(), MERGE, &patch),
            (Method::PUT, path.clone(), "application/json", &whole),
            (Method::PATCH, format!("{path}/status"), MERGE, &patch),
            (Method::PUT, format!("{path}/status"), "application/json", &whole),
            (Method::PUT, format!("{path}/finalize"), "application/json", &whole),
        ] {
            let dry = format!("{path}?dryRun=All");
            let answer = may_not.request(&method, &dry, content, object);
            assert!(refused(&answer), "{method} {path} {change}: {}", answer.body);
            let answer = may.request(&method, &dry, content, object);
            assert_eq!(answer.status, 200, "{method} {path} {change}: {}", answer.body);
            run += 1;
        }
    }
    let new = json!({ "apiVersion": "v1", "kind": "Namespace",
        "metadata": { "name": "new", "labels": { "meshgate.io/exempt": "true" } } });
    assert!(refused(&may_not.create("/api/v1/namespaces?dryRun=All", &new)));
    assert_eq!(may.create("/api/v1/namespaces?dryRun=All", &new).status, 201);
    let other = json!({ "metadata": { "labels": { "a": "b" }, "annotations": { "a": "b" } } });
    let answer = may_not.request(&Method::PATCH, &format!("{path}?dryRun=All"), MERGE, &other);
    assert_eq!(answer.status, 200, "what is not guarded: {}", answer.body);
    println!("guarded changes refused and allowed: {run}");
}

/// A write to the namespace of meshgate: method, path, type of content, object.
type Write = (Method, String, &'static str, Value);

fn writes() -> Vec<Write> {
    let named = |version: &str, kind: &str| json!({ "apiVersion": version, "kind": kind, "metadata": { "name": "new" } });
    let new = |path: String, object: Value| (Method::POST, path, "application/json", object);
    let change = |path: String, object: Value| (Method::PATCH, path, MERGE, object);
    let delete = |path: String| (Method::DELETE, path, "application/json", Value::Null);
    let core = |resource: &str| format!("{OWN}/{resource}");
    let of = |group: &str, resource: &str| format!("/apis/{group}/v1/namespaces/meshgate-system/{resource}");
    let deployment = of("apps", "deployments/meshgate");
    let scale = json!({ "spec": { "replicas": 0 } });
    let mut job = named("batch/v1", "Job");
    job["spec"]["template"]["spec"] =
        json!({ "restartPolicy": "Never", "containers": [{ "name": "a", "image": "a" }] });
    let mut slice = named("discovery.k8s.io/v1", "EndpointSlice");
    slice["addressType"] = json!("IPv4");
    slice["endpoints"] = json!([]);
    vec![
        new(core("configmaps"), named("v1", "ConfigMap")),
        delete(core("configmaps/meshgate")),
        new(core("secrets"), named("v1", "Secret")),
        new(core("serviceaccounts"), named("v1", "ServiceAccount")),
        new(
            core("serviceaccounts/meshgate/token"),
            json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {} }),
        ),
        change(core("services/meshgate"), json!({ "spec": { "ports": [{ "port": 1 }] } })),
        change(core("resourcequotas/meshgate-critical-pods"), json!({ "spec": { "hard": { "pods": "0" } } })),
        new(of("discovery.k8s.io", "endpointslices"), slice),
        change(of("networking.k8s.io", "networkpolicies/meshgate"), json!({ "spec": { "ingress": [] } })),
        delete(of("policy", "poddisruptionbudgets/meshgate")),
        delete(core("pods")),
        new(of("coordination.k8s.io", "leases"), named("coordination.k8s.io/v1", "Lease")),
        new(of("rbac.authorization.k8s.io", "roles"), named("rbac.authorization.k8s.io/v1", "Role")),
        new(of("batch", "jobs"), job),
        change(deployment.clone(), scale.clone()),
        change(format!("{deployment}/scale"), scale),
        delete(deployment),
        delete(OWN.to_owned()),
    ]
}

/// `may` and the control plane may write there, `may_not` is refused. Nothing is kept: all are dry runs.
fn own_namespace(environment: &Environment, may: &User, may_not: &User) {
    let by = "ValidatingAdmissionPolicy 'meshgate-own'";
    let writes = writes();
    for (method, path, content, object) in &writes {
        let dry = format!("{path}?dryRun=All");
        let refused = may_not.request(method, &dry, content, object);
        assert!(refused.status == 403 && refused.message().contains(by), "{method} {path}: {}", refused.body);
        let allowed = may.request(method, &dry, content, object);
        assert!(matches!(allowed.status, 200 | 201), "{method} {path}: {}", allowed.body);
    }
    let exec = format!("{OWN}/pods/a/exec?command=a&stdout=1");
    let exec = may_not.request(&Method::POST, &exec, "application/json", &Value::Null);
    assert!(exec.message().contains(by), "{}", exec.body);
    for user in CONTROL_PLANE {
        let create =
            ["create", "configmap", "new", "-n", "meshgate-system", "--dry-run=server", "--as", user];
        let run = environment.admin.kubectl(&create, "");
        assert_eq!(run.code, Some(0), "{user}: {}", run.err);
    }
    let map = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "new" } });
    let elsewhere = may_not.create("/api/v1/namespaces/shop/configmaps?dryRun=All", &map);
    assert_eq!(elsewhere.status, 201, "other namespaces are not its business");
    println!("writes to the own namespace refused and allowed: {}", writes.len());
}

/// By one of its subjects: what ends the repair is said in its own namespace, before anything is deleted.
fn removed(environment: &Environment) {
    let (code, _, err) = install(&environment.alice, &["--remove"]);
    assert!(code == 2 && err.contains("ValidatingAdmissionPolicy 'meshgate-own'"), "{err}");
    assert_eq!(environment.admin.get(OWN).status, 200, "who may not write there removes nothing");
    let (code, words, err) = install(&environment.admin, &["--remove"]);
    assert_eq!(code, 0, "{err}");
    let deleted = words.iter().filter(|(_, word)| word == "deleted").count();
    assert_eq!((words.len(), deleted), (10, 8), "{words:?}");
    let (code, again, _) = install(&environment.admin, &["--remove"]);
    assert!(code == 0 && again.iter().all(|(_, word)| word == "was not there"), "{again:?}");
    for path in [OWN, "/apis/rbac.authorization.k8s.io/v1/clusterroles/meshgate"] {
        assert_eq!(environment.admin.get(path).status, 404, "{path}");
    }
    let label = json!({ "metadata": { "labels": { "meshgate.io/exempt": "true" } } });
    let answer = environment.alice.request(&Method::PATCH, "/api/v1/namespaces/shop", MERGE, &label);
    assert_eq!(answer.status, 200, "{}", answer.body);
}
