//! `meshgate install`: what it prints, what it refuses, and that it meets our own policies.

use serde_json::{Value, json};

use crate::program::{Run, folder, meshgate, run};

/// What restricted Pods and bounded resources of known images come to, all denied.
const STRICT: &str = "\
apiVersion: meshgate.io/v1alpha1
kind: PolicyBinding
metadata: {name: restricted}
spec: {policy: pod_security/standard, enforcement: deny, templates: deny, parameters: {level: restricted}}
---
apiVersion: meshgate.io/v1alpha1
kind: PolicyBinding
metadata: {name: resources}
spec: {policy: resources/required, enforcement: deny, templates: deny}
---
apiVersion: meshgate.io/v1alpha1
kind: PolicyBinding
metadata: {name: registries}
spec: {policy: images/allowed_registries, enforcement: deny, templates: deny, parameters: {registries: [ghcr.io/meshgate]}}
---
apiVersion: meshgate.io/v1alpha1
kind: PolicyBinding
metadata: {name: no-latest}
spec: {policy: images/no_latest, enforcement: deny, templates: deny}
";

const STRICT_BUNDLE: &str = "\
apiVersion: meshgate.io/v1alpha1
kind: Bundle
metadata: {name: strict}
spec: {includes: [pod_security, resources, images]}
";

const POLICY: &str = "\
# METADATA
# title: t
# description: d
# custom:
#   context: [owner, limit_ranges]
#   match:
#     rules:
#       - {apiGroups: [\"\"], apiVersions: [v1], resources: [pods]}
package policies.workloads.calm

deny contains \"never\" if input.request.object.metadata.labels.never == \"calm\"
";

const BINDING: &str = "\
apiVersion: meshgate.io/v1alpha1
kind: PolicyBinding
metadata: {name: calm}
spec: {policy: workloads/calm, enforcement: deny}
";

const CONFIGURATION: &str = "\
# Who may.
apiVersion: meshgate.io/v1alpha1
kind: Configuration
subjects: {users: [\"o'neil \\\"x\\\"\"], groups: [platform]}
guard: {also: [pod-security.kubernetes.io/enforce]}
certificates: {mode: files, certificate: /etc/meshgate/files/tls.crt, key: /etc/meshgate/files/tls.key, ca: /etc/meshgate/files/ca.crt}
";

/// The objects of a run.
fn objects(text: &str) -> Vec<Value> {
    meshgate::yaml::read(text.as_bytes()).into_iter().map(|document| document.unwrap().value).collect()
}

fn object<'a>(all: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let is_it = |object: &&Value| object["kind"] == kind && object["metadata"]["name"] == name;
    all.iter().find(is_it).unwrap_or_else(|| panic!("no {kind} {name}"))
}

#[test]
fn without_flags_it_prints_a_whole_installation() {
    let ran = meshgate(&["install"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    insta::assert_snapshot!("installation", ran.out);
    assert_eq!(meshgate(&["install"]).out, ran.out);
}

#[test]
fn what_flags_say_is_in_the_objects_and_nothing_else_differs() {
    let folder =
        folder(&[("m.yaml", CONFIGURATION), ("p/workloads/calm/calm.rego", POLICY), ("p/b.yaml", BINDING)]);
    let arguments =
        ["install", "--image", "r.example/m:1", "--replicas", "5", "--config", "m.yaml", "-p", "p"];
    let ran = run(folder.path(), &arguments, "");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let (changed, default) = (objects(&ran.out), objects(&meshgate(&["install"]).out));
    let names = |all: &[Value]| -> Vec<String> {
        all.iter().map(|object| format!("{} {}", object["kind"], object["metadata"]["name"])).collect()
    };
    let mut expected = names(&default);
    let after = expected.iter().position(|name| name.contains("ConfigMap")).unwrap() + 1;
    expected.insert(after, "\"ConfigMap\" \"meshgate-policies\"".to_owned());
    assert_eq!(names(&changed), expected);

    let policies = object(&changed, "ConfigMap", "meshgate-policies");
    assert_eq!(policies["data"], json!({ "b.yaml": BINDING, "workloads..calm..calm.rego": POLICY }));
    assert_eq!(object(&changed, "ConfigMap", "meshgate")["data"], json!({ "meshgate.yaml": CONFIGURATION }));
    let mut deployment = object(&changed, "Deployment", "meshgate").clone();
    let pod = &mut deployment["spec"]["template"]["spec"];
    assert_eq!(pod["containers"][0]["image"], "r.example/m:1");
    assert_eq!(
        pod["containers"][0]["args"],
        json!([
            "serve",
            "--config=/etc/meshgate/configuration/meshgate.yaml",
            "--policies=/etc/meshgate/policies"
        ])
    );
    assert_eq!(
        (&pod["containers"][0]["volumeMounts"][3], &pod["volumes"][3]),
        (
            &json!({ "name": "policies", "mountPath": "/etc/meshgate/policies", "readOnly": true }),
            &json!({ "name": "policies", "configMap": { "name": "meshgate-policies", "items": [
                { "key": "b.yaml", "path": "b.yaml" },
                { "key": "workloads..calm..calm.rego", "path": "workloads/calm/calm.rego" },
            ]}}),
        )
    );
    assert_eq!(deployment["spec"]["replicas"], 5);
    let annotations = |all: &[Value]| {
        object(all, "Deployment", "meshgate")["spec"]["template"]["metadata"]["annotations"].clone()
    };
    assert_ne!(annotations(&changed), annotations(&default), "Pods of another configuration are other Pods");

    let guard = object(&changed, "ValidatingAdmissionPolicy", "meshgate-guard");
    let condition = guard["spec"]["matchConditions"][0]["expression"].as_str().unwrap();
    let labels =
        "['meshgate.io/exempt', 'meshgate.io/mode', 'pod-security.kubernetes.io/enforce'].exists(k, ";
    assert!(condition.starts_with(labels), "{condition}");
    assert_eq!(
        guard["spec"]["validations"][0]["expression"],
        "request.userInfo.username in [\"o'neil \\\"x\\\"\"] ||\n\
         (has(request.userInfo.groups) && request.userInfo.groups.exists(group, group in [\"platform\"]))\n"
    );
}

#[test]
fn what_policies_declare_may_be_read() {
    let folder = folder(&[("p/workloads/calm/calm.rego", POLICY), ("p/b.yaml", BINDING)]);
    let rules = |text: &str| {
        let all = objects(text);
        object(&all, "ClusterRole", "meshgate")["rules"].as_array().unwrap().clone()
    };
    let read = |group: &str, resources: &[&str]| json!({ "apiGroups": [group], "resources": resources, "verbs": ["get", "list", "watch"] });
    let facts = [
        read("", &["limitranges", "replicationcontrollers"]),
        read("apps", &["daemonsets", "deployments", "replicasets", "statefulsets"]),
        read("batch", &["cronjobs", "jobs"]),
    ];
    assert_eq!(
        rules(&run(folder.path(), &["install", "-p", "p"], "").out),
        [rules(&meshgate(&["install"]).out), facts.to_vec()].concat()
    );
}

#[test]
fn an_embedded_profile_is_named_by_a_flag() {
    let ran = meshgate(&["install", "-p", "embedded/starter"]);
    let all = objects(&ran.out);
    let container = &object(&all, "Deployment", "meshgate")["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["args"][2], "--policies=embedded/starter", "{}", ran.err);
    assert_eq!(all.len(), objects(&meshgate(&["install"]).out).len());
}

#[test]
fn what_could_not_run_there_is_refused_here() {
    let head = "apiVersion: meshgate.io/v1alpha1\nkind: Configuration\n";
    let elsewhere = format!(
        "{head}listen: {{webhook: 127.0.0.1:8443, admin: 0.0.0.0:9}}\npolicies: /p\nclientAuth: {{ca: ca.crt, names: [a]}}\n"
    );
    let folder = folder(&[
        ("elsewhere.yaml", &elsewhere),
        ("typo.yaml", &format!("{head}subject: {{}}\n")),
        ("p/workloads/calm/calm.rego", POLICY),
    ]);
    for (arguments, code, expected) in [
        (
            &["--config", "elsewhere.yaml"][..],
            2,
            "error: the configuration can't be installed\n  \
             because: elsewhere.yaml: listen.webhook: the Service and the probes look for 0.0.0.0:8443, not 127.0.0.1:8443; leave it out\n\
             elsewhere.yaml: listen.admin: the Service and the probes look for 0.0.0.0:8444, not 0.0.0.0:9; leave it out\n\
             elsewhere.yaml: policies: `/p` is no directory of the image; leave it out, and name the policies with --policies\n\
             elsewhere.yaml: clientAuth.ca: `ca.crt` is no file of the Pod; put it into the Secret meshgate-files and name it /etc/meshgate/files/<key>\n",
        ),
        (
            &["--config", "typo.yaml"],
            2,
            "error: the configuration can't be installed\n  because: typo.yaml:3:1: subject: unknown field",
        ),
        (&["--config", "none.yaml"], 2, "error: --config none.yaml: can't be read; check that it exists\n"),
        (&["-p", "p"], 2, "error: --policies p: the policies can't be used\n"),
        (&["-p", "none"], 2, "error: --policies none: no policies\n"),
        (&["--image", "Upper/Case"], 2, "error: invalid value 'Upper/Case' for '--image <IMAGE>': "),
        (&["--replicas", "0"], 2, "error: invalid value '0' for '--replicas <COUNT>': "),
        (&["--namespace", "x"], 2, "error: unexpected argument '--namespace' found\n"),
    ] {
        let ran = run(folder.path(), &[&["install"], arguments].concat(), "");
        assert_eq!((ran.code, ran.out.as_str()), (code, ""), "{arguments:?}");
        assert!(ran.err.starts_with(expected), "{arguments:?}: {}", ran.err);
    }
}

/// What our own policies say of manifests, restricted, and all of them denying.
pub(crate) fn checked_strictly(manifests: &str) -> Run {
    let folder = folder(&[("p/bindings.yaml", STRICT), ("p/bundle.yaml", STRICT_BUNDLE)]);
    run(folder.path(), &["check", "-p", "p", "-"], manifests)
}

#[test]
fn it_meets_our_own_restricted_policies() {
    let check = checked_strictly;
    let manifests = meshgate(&["install"]).out;
    let ran = check(&manifests);
    let documents = objects(&manifests).len();
    let expected = format!(
        "{documents} documents: {documents} passed, 0 denied, 0 warned, 0 in error, 0 skipped, 0 invalid; 0 mutated\n"
    );
    assert_eq!((ran.code, ran.out), (0, expected));
    // They are asked: each of these is needed.
    for (line, instead, policy) in [
        ("          allowPrivilegeEscalation: false\n", "", "pod_security/standard"),
        ("            memory: 1Gi\n", "            cpu: 1\n", "resources/required"),
        ("ghcr.io/meshgate/meshgate:", "docker.io/meshgate:", "images/allowed_registries"),
    ] {
        assert_eq!(manifests.matches(line).count(), 1, "{line}");
        let without = check(&manifests.replace(line, instead));
        // In its own namespace meshgate warns.
        assert!(without.out.contains(" 1 warned,"), "{line}: {}", without.out);
        assert!(
            without.out.contains(&format!("[{policy}]")) || policy.starts_with("pod_security"),
            "{}",
            without.out
        );
    }
}
