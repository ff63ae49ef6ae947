//! How etcd, kube-apiserver and kube-controller-manager are started.

use std::ffi::OsString;
use std::path::Path;

use meshgate::config::{NAMESPACE, SERVICE};
use serde_json::json;

use super::program::Program;
use super::tools::Tools;
use super::{ApiServer, free_port};

/// What makes Pods of workloads, cleans up after them, and makes service accounts.
const CONTROLLERS: &str = "deployment-controller,replicaset-controller,replicationcontroller-controller,\
    statefulset-controller,daemonset-controller,job-controller,cronjob-controller,namespace-controller,\
    garbage-collector-controller,serviceaccount-controller,serviceaccount-token-controller,\
    root-ca-certificate-publisher-controller";

pub(super) fn start_etcd(tools: &Tools, directory: &Path) -> (Program, String) {
    let [client, peer] = [0; 2].map(|_| format!("http://127.0.0.1:{}", free_port()));
    let mut command = vec![tools.path("etcd").into_os_string()];
    let data = directory.join("etcd").display().to_string();
    let initial = format!("e2e={peer}");
    // Nothing of it is to outlive us, so nothing has to reach the disk; one member need not wait for votes.
    for (flag, value) in [
        ("name", "e2e"),
        ("data-dir", &data),
        ("unsafe-no-fsync", "true"),
        ("listen-client-urls", &client),
        ("advertise-client-urls", &client),
        ("listen-peer-urls", &peer),
        ("initial-advertise-peer-urls", &peer),
        ("initial-cluster", &initial),
        ("heartbeat-interval", "20"),
        ("election-timeout", "200"),
        ("log-level", "warn"),
    ] {
        command.push(format!("--{flag}={value}").into());
    }
    (Program::start(directory, "etcd", command), client)
}

/// `name`: of its log, and of its audit log beside it. `more`: flags of its own.
pub(super) fn start_api_server(
    tools: &Tools,
    directory: &Path,
    etcd: &str,
    name: &str,
    more: &[(&str, &str)],
) -> ApiServer {
    let port = free_port();
    let mut command = vec![tools.path("kube-apiserver").into_os_string()];
    let file = |name: &str| directory.join(name).display().to_string();
    std::fs::write(file("audit.json"), audit_policy().to_string()).unwrap();
    let flags = [
        ("etcd-servers", etcd),
        ("bind-address", "127.0.0.1"),
        ("secure-port", &port.to_string()),
        ("advertise-address", "127.0.0.1"),
        ("endpoint-reconciler-type", "none"),
        ("tls-cert-file", &file("apiserver.crt")),
        ("tls-private-key-file", &file("apiserver.key")),
        ("client-ca-file", &file("ca.crt")),
        ("anonymous-auth", "false"),
        ("authorization-mode", "RBAC"),
        ("service-account-issuer", "https://e2e.invalid"),
        ("service-account-key-file", &file("tokens.pub")),
        ("service-account-signing-key-file", &file("tokens.key")),
        ("service-cluster-ip-range", "10.96.0.0/24"),
        // A privileged Pod is to be refused by a policy, not by validation.
        ("allow-privileged", "true"),
        ("audit-policy-file", &file("audit.json")),
        ("audit-log-path", &file(&format!("{name}-audit.log"))),
    ];
    for (flag, value) in flags.iter().chain(more) {
        command.push(format!("--{flag}={value}").into());
    }
    let program = Program::start(directory, name, command);
    ApiServer { program, server: format!("https://127.0.0.1:{port}") }
}

/// The namespace in which all requests are in the audit log.
pub(crate) const AUDITED: &str = "audited";

/// Of what an installation asks; of reviews of its rights also the content.
fn audit_policy() -> serde_json::Value {
    let users = [format!("system:serviceaccount:{NAMESPACE}:{SERVICE}")];
    let reviews = [json!({ "group": "authorization.k8s.io", "resources": ["selfsubjectaccessreviews"] })];
    json!({
        "apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"],
        "rules": [
            { "level": "Request", "users": users, "resources": reviews },
            { "level": "Metadata", "users": users },
            { "level": "Metadata", "namespaces": [AUDITED] },
            { "level": "None" },
        ],
    })
}

pub(super) fn start_controllers(tools: &Tools, directory: &Path) -> Program {
    let file = |name: &str| directory.join(name).display().to_string();
    let kubeconfig = file("system-kube-controller-manager.kubeconfig");
    let mut command: Vec<OsString> = vec![tools.path("kube-controller-manager").into_os_string()];
    for (flag, value) in [
        ("kubeconfig", kubeconfig.as_str()),
        ("authentication-kubeconfig", &kubeconfig),
        ("authorization-kubeconfig", &kubeconfig),
        // Each controller is the service account that reviews show in a real cluster.
        ("use-service-account-credentials", "true"),
        ("service-account-private-key-file", &file("tokens.key")),
        ("root-ca-file", &file("ca.crt")),
        ("leader-elect", "false"),
        ("bind-address", "127.0.0.1"),
        ("secure-port", "0"),
        ("controllers", CONTROLLERS),
    ] {
        command.push(format!("--{flag}={value}").into());
    }
    Program::start(directory, "kube-controller-manager", command)
}
