//! Generated Pods before the API server's own Pod Security admission and before `pod_security/standard`: the same verdicts in
//! the same words. What the API server completes (defaults, service accounts, AppArmor annotations) it completes for both.

use serde_json::{Value, json};

use crate::environment::Environment;
use crate::random::Random;
use crate::webhook::{Webhook, pod, policies};

/// How many Pods are judged at each level.
const PODS: usize = 120;

/// Changes that validation lets pass: whose place in a Pod, and what is put there.
const CHANGES: &[(&str, &str)] = &[
    ("/spec/hostNetwork", "true"),
    ("/spec/hostPID", "true"),
    ("/spec/hostIPC", "true"),
    ("/spec/hostUsers", "false"),
    ("/spec/os", r#"{"name": "linux"}"#),
    (
        "/spec/volumes",
        r#"[{"name": "a", "hostPath": {"path": "/"}}, {"name": "b", "hostPath": {"path": "/b"}}]"#,
    ),
    (
        "/spec/volumes",
        r#"[{"name": "a", "emptyDir": {}}, {"name": "c", "nfs": {"server": "a", "path": "/"}}]"#,
    ),
    (
        "/spec/volumes",
        r#"[{"name": "a", "secret": {"secretName": "a"}}, {"name": "d", "configMap": {"name": "d"}}]"#,
    ),
    ("/spec/securityContext/runAsNonRoot", "true"),
    ("/spec/securityContext/runAsNonRoot", "false"),
    ("/spec/securityContext/runAsUser", "0"),
    ("/spec/securityContext/runAsUser", "1000"),
    ("/spec/securityContext/seccompProfile", r#"{"type": "RuntimeDefault"}"#),
    ("/spec/securityContext/seccompProfile", r#"{"type": "Unconfined"}"#),
    ("/spec/securityContext/appArmorProfile", r#"{"type": "Unconfined"}"#),
    ("/spec/securityContext/seLinuxOptions", r#"{"type": "spc_t", "user": "u", "role": "r"}"#),
    ("/spec/securityContext/seLinuxOptions", r#"{"type": "container_t", "level": "s0"}"#),
    ("/spec/securityContext/sysctls", r#"[{"name": "kernel.msgmax", "value": "1"}]"#),
    ("/spec/securityContext/sysctls", r#"[{"name": "net.ipv4.tcp_syncookies", "value": "1"}]"#),
    ("/metadata/annotations", r#"{"container.apparmor.security.beta.kubernetes.io/app": "unconfined"}"#),
    ("/metadata/annotations", r#"{"container.apparmor.security.beta.kubernetes.io/app": "localhost/a"}"#),
    ("/c/securityContext/privileged", "true"),
    ("/c/securityContext/allowPrivilegeEscalation", "false"),
    ("/c/securityContext/allowPrivilegeEscalation", "true"),
    ("/c/securityContext/capabilities", r#"{"add": ["SYS_ADMIN", "NET_RAW"]}"#),
    ("/c/securityContext/capabilities", r#"{"drop": ["ALL"]}"#),
    ("/c/securityContext/capabilities", r#"{"drop": ["ALL"], "add": ["NET_BIND_SERVICE", "CHOWN"]}"#),
    ("/c/securityContext/procMount", r#""Unmasked""#),
    ("/c/securityContext/runAsNonRoot", "true"),
    ("/c/securityContext/runAsUser", "0"),
    ("/c/securityContext/seccompProfile", r#"{"type": "Localhost", "localhostProfile": "a.json"}"#),
    ("/c/securityContext/seLinuxOptions", r#"{"type": "other_t"}"#),
    ("/c/ports", r#"[{"containerPort": 80, "hostPort": 80}, {"containerPort": 81}]"#),
    ("/c/livenessProbe", r#"{"httpGet": {"port": 80, "host": "10.0.0.1"}}"#),
    ("/c/lifecycle", r#"{"preStop": {"tcpSocket": {"port": 80, "host": "10.0.0.1"}}}"#),
];

/// What `restricted` asks for, so that many Pods are near it.
const HARDENED: &[(&str, &str)] = &[
    ("/spec/securityContext/runAsNonRoot", "true"),
    ("/spec/securityContext/seccompProfile", r#"{"type": "RuntimeDefault"}"#),
    ("/spec/containers/0/securityContext/allowPrivilegeEscalation", "false"),
    ("/spec/containers/0/securityContext/capabilities", r#"{"drop": ["ALL"]}"#),
];

const BUNDLE: &str = "apiVersion: meshgate.io/v1alpha1\nkind: Bundle\nmetadata: {name: e2e}\n\
    spec: {includes: [pod_security]}\n";

#[test]
fn pod_security_admission_and_the_policy_say_the_same() {
    let Some(environment) = Environment::shared() else { return };
    for level in ["baseline", "restricted"] {
        let theirs = format!("pod-security-{level}-theirs");
        environment.namespace(&theirs, &json!({ "pod-security.kubernetes.io/enforce": level }));
        let binding = format!(
            "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {{name: standard}}\n\
             spec: {{policy: pod_security/standard, enforcement: deny, parameters: {{level: {level}}}}}\n"
        );
        let files = [("bindings.yaml", binding.as_str()), ("bundle.yaml", BUNDLE)];
        let webhook = Webhook::start(
            &environment,
            &format!("pod-security-{level}-ours"),
            &json!({}),
            &policies(&files),
        );
        let mut random = Random::new(56);
        let (mut denied, mut invalid, mut different) = (0, 0, Vec::new());
        for number in 0..PODS {
            let pod = generated(&mut random, number);
            let create = |path: &str| environment.alice.create(path, &pod);
            let theirs = create(&format!("/api/v1/namespaces/{theirs}/pods?dryRun=All"));
            let ours = create(&webhook.path("pods?dryRun=All"));
            let prefix = format!("violates PodSecurity \"{level}:latest\": ");
            let said =
                |message: &str, prefix: &str| message.split_once(prefix).map(|(_, said)| said.to_owned());
            let expected = (theirs.status, said(theirs.message(), &prefix));
            let is_equal = (ours.status, said(ours.message(), "denied the request: ")) == expected;
            invalid += usize::from(theirs.status == 422);
            denied += usize::from(theirs.status == 403);
            if !is_equal {
                different.push(format!("{pod}\n  theirs {}\n  ours   {}", theirs.body, ours.body));
            }
        }
        println!(
            "Pod Security admission, {level}: {PODS} run, {} equal, {} different; {denied} denied, {invalid} invalid",
            PODS - different.len(),
            different.len()
        );
        assert!(different.is_empty(), "{}", different.join("\n"));
        let allowed = PODS - denied - invalid;
        assert!(denied > PODS / 3 && allowed > PODS / 20, "Pods that show something");
    }
}

/// A Pod with some changes of itself, its container or its init container.
fn generated(random: &mut Random, number: usize) -> Value {
    let mut pod = pod(&format!("generated-{number}"), &json!({}));
    pod["spec"]["initContainers"] =
        json!([{ "name": "init", "image": "registry.example/init:1", "securityContext": {} }]);
    if random.chance(40) {
        HARDENED.iter().for_each(|(place, value)| put(&mut pod, place, value));
        pod["spec"]["initContainers"][0]["securityContext"] =
            pod["spec"]["containers"][0]["securityContext"].clone();
    }
    for _ in 0..random.below(4) {
        let (place, value) = random.one_of(CHANGES);
        let containers = if random.chance(60) { "/spec/containers/0" } else { "/spec/initContainers/0" };
        match place.strip_prefix("/c") {
            // Init containers that are no sidecars have neither.
            Some("/livenessProbe" | "/lifecycle") => {
                put(&mut pod, &place.replacen("/c", "/spec/containers/0", 1), value)
            }
            Some(rest) => put(&mut pod, &format!("{containers}{rest}"), value),
            None => put(&mut pod, place, value),
        }
    }
    pod
}

/// Writes JSON at a place, whose parents are made.
fn put(pod: &mut Value, place: &str, value: &str) {
    let parts = place.split('/').skip(1);
    let target = parts.fold(pod, |at, part| match part.parse::<usize>() {
        Ok(index) => &mut at[index],
        Err(_) => &mut at[part],
    });
    *target = serde_json::from_str(value).unwrap();
}
