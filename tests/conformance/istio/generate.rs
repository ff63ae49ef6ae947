//! Workloads for the comparison with Istio's own code: every annotation that its templates and its code read, labels,
//! containers of all kinds with ports, probes and hooks, a user's own sidecar, owners, all kinds of workloads, lists.

use serde_json::{Map, Value, json};

use super::random::Random;

/// Annotations with values that are taken, and at times one that is refused.
const ANNOTATIONS: &[(&str, &[&str])] = &[
    ("sidecar.istio.io/inject", &["true", "false", "", "yes"]),
    ("sidecar.istio.io/interceptionMode", &["REDIRECT", "TPROXY", "NONE", "none"]),
    ("sidecar.istio.io/logLevel", &["debug", "warning", ""]),
    ("sidecar.istio.io/componentLogLevel", &["misc:error,filter:debug", "ext_authz:trace"]),
    ("sidecar.istio.io/agentLogLevel", &["default:debug", "dns:debug,capture:debug"]),
    ("sidecar.istio.io/proxyImage", &["registry.example/proxy:1", "other", "auto"]),
    ("sidecar.istio.io/proxyImageType", &["distroless", "debug", "default", "", "fips"]),
    ("sidecar.istio.io/proxyCPU", &["100m", "2", "0.5", "x"]),
    ("sidecar.istio.io/proxyCPULimit", &["1", "1500m"]),
    ("sidecar.istio.io/proxyMemory", &["128Mi", "1G", "1e9"]),
    ("sidecar.istio.io/proxyMemoryLimit", &["1Gi", "0.5Gi"]),
    ("sidecar.istio.io/bootstrapOverride", &["custom-bootstrap"]),
    ("sidecar.istio.io/capNetBindService", &["true", "false"]),
    ("sidecar.istio.io/nativeSidecar", &["true", "false", "other"]),
    ("sidecar.istio.io/rewriteAppHTTPProbers", &["true", "false", "no"]),
    (
        "sidecar.istio.io/userVolume",
        &[
            r#"{"v": {"emptyDir": {}}}"#,
            r#"{"a":{"secret":{"secretName":"s"}},"b":{"emptyDir":{"medium":"Memory"}}}"#,
        ],
    ),
    ("sidecar.istio.io/userVolumeMount", &[r#"{"v": {"mountPath": "/v", "readOnly": true}}"#]),
    ("status.sidecar.istio.io/port", &["15021", "0", "15020", " 80", "99999"]),
    ("readiness.status.sidecar.istio.io/initialDelaySeconds", &["5", "-1"]),
    ("readiness.status.sidecar.istio.io/periodSeconds", &["30"]),
    ("readiness.status.sidecar.istio.io/failureThreshold", &["7", "0"]),
    ("traffic.sidecar.istio.io/includeOutboundIPRanges", &["*", "", "10.0.0.0/8,192.168.0.0/16", "10.0.0.1"]),
    ("traffic.sidecar.istio.io/excludeOutboundIPRanges", &["10.1.0.0/16", "", "*"]),
    ("traffic.sidecar.istio.io/includeInboundPorts", &["*", "", "80, 443", "http"]),
    ("traffic.sidecar.istio.io/excludeInboundPorts", &["9090", "1,15020", " 15020 ,2", "x"]),
    ("traffic.sidecar.istio.io/includeOutboundPorts", &["*", "80,443"]),
    ("traffic.sidecar.istio.io/excludeOutboundPorts", &["3306", "", "70000"]),
    ("traffic.sidecar.istio.io/kubevirtInterfaces", &["net1", "net1,net2"]),
    ("traffic.sidecar.istio.io/excludeInterfaces", &["eth1", "1eth"]),
    ("istio.io/reroute-virtual-interfaces", &["net1", "net1, net2"]),
    ("prometheus.istio.io/merge-metrics", &["true", "false", "F", "yes"]),
    ("prometheus.io/scrape", &["true", "false", "x"]),
    ("prometheus.io/port", &["9090", "15020", "0", "15090", "metrics"]),
    ("prometheus.io/path", &["/m", ""]),
    ("prometheus.istio.io/scrape-targets", &["9090,9091:/a", " 80 : /b , ,81", "x:/c", ":/d"]),
    ("prometheus.istio.io/secure-port", &["15443"]),
    (
        "k8s.v1.cni.cncf.io/networks",
        &["a, b", r#"[{"name": "a", "namespace": "b"}]"#, r#"[{"name": "istio-cni"}]"#, "istio-cni"],
    ),
    ("kubectl.kubernetes.io/default-container", &["web"]),
    ("kubectl.kubernetes.io/default-logs-container", &["web"]),
    ("apm.datadoghq.com/env", &[r#"{"DD_ENV": "prod", "DD_SERVICE": "web", "DD_N": "5"}"#]),
    ("resource.opentelemetry.io/service.version", &["1.2", ""]),
    ("resource.opentelemetry.io/service.namespace", &["shop"]),
    ("resource.opentelemetry.io/service.instance.id", &["i-1"]),
    (
        "inject.istio.io/templates",
        &["sidecar", "gateway", "grpc-agent", "grpc-simple,gateway", "sidecar, gateway", "unheard-of"],
    ),
    ("proxy.istio.io/config", CONFIGS),
    ("example.com/other", &["a\"b\\c\nd <&>", "yes"]),
];

/// Configurations of one Pod's proxy, the last ones refused.
const CONFIGS: &[&str] = &[
    "concurrency: 3",
    "concurrency: 0\nholdApplicationUntilProxyStarts: true",
    "holdApplicationUntilProxyStarts: false",
    "{\"proxyMetadata\": {\"A\": \"b\", \"ISTIO_META_X\": \"y z\", \"EMPTY\": \"\"}}",
    "proxyMetadata:\n  ENVOY_SECURE_MERGED_METRICS_PORT: \"15443\"\nimage:\n  imageType: distroless",
    "image: {}",
    "statusPort: 15099",
    "discoveryAddress: other.ns.svc:15012\nmeshId: m",
    "tracing: {sampling: 5}",
    "tracing:\n  zipkin: {address: \"zipkin.obs:9411\"}\n  tlsSettings: {mode: SIMPLE, caCertificates: /etc/certs/ca.pem}",
    "tracing: {}",
    "interceptionMode: TPROXY",
    "interceptionMode: REDIRECT\nproxyAdminPort: 15001\nstatNameLength: 200",
    "drainDuration: 90s\nterminationDrainDuration: 1.5s",
    "gatewayTopology: {numTrustedProxies: 2, forwardClientCertDetails: SANITIZE_SET}",
    "proxyHeaders: {forwardedClientCert: SANITIZE, server: {disabled: true}, requestId: {disabled: true}, envoyDebugHeaders: {disabled: true}, metadataExchangeHeaders: {mode: IN_MESH}}",
    "proxyStatsMatcher: {inclusionRegexps: [\".*a<b.*\"], inclusionPrefixes: [p]}\nextraStatTags: [one, two]",
    "connectionSettings: {profile: EDGE, httpIdleTimeout: 5s, httpMaxConcurrentStreams: 7}",
    "readinessProbe: {httpGet: {port: 80, path: /r}, periodSeconds: 3, initialDelaySeconds: 1}",
    "privateKeyProvider: {cryptomb: {pollDelay: 10ms}}",
    "caCertificatesPem: [\"a\"]\nruntimeValues: {b: \"1\", a: \"2\"}",
    "serviceCluster: mine\nenvoyAccessLogService: {address: \"als.ns:9000\"}\nfileFlushInterval: 2s\nfileFlushMinSizeKb: 64\nstatsCompression: true",
    "tracingServiceName: CANONICAL_NAME_ONLY\navailabilityZone: z",
    "unheardOf: 1",
    "concurrency: many",
    "statusPort: 0",
    "proxyAdminPort: 70000",
    "discoveryAddress: nowhere",
    "configPath: \"\"",
    "drainDuration: 0s",
];

const LABELS: &[(&str, &[&str])] = &[
    ("sidecar.istio.io/inject", &["true", "false", "", "maybe"]),
    ("app", &["web", ""]),
    ("app.kubernetes.io/name", &["web-name"]),
    ("app.kubernetes.io/version", &["v9"]),
    ("version", &["v1"]),
    ("service.istio.io/canonical-name", &["canonical"]),
    ("service.istio.io/canonical-revision", &["r2"]),
    ("service.istio.io/workload-name", &["workload"]),
    ("topology.istio.io/network", &["n2", ""]),
    ("topology.istio.io/subzone", &["z"]),
    ("istio.io/rev", &["canary"]),
    ("pod-template-hash", &["5f"]),
    ("istio", &["ingressgateway"]),
];

const KINDS: [(&str, &str); 8] = [
    ("v1", "Pod"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "DaemonSet"),
    ("apps/v1", "ReplicaSet"),
    ("v1", "ReplicationController"),
    ("batch/v1", "Job"),
    ("batch/v1", "CronJob"),
];

fn some(random: &mut Random, of: &[(&str, &[&str])], percent: usize) -> Map<String, Value> {
    let mut found = Map::new();
    for (name, values) in of {
        if random.chance(percent) {
            // What is mostly taken stands in front.
            let at = random.below(values.len()).min(random.below(values.len()));
            found.insert((*name).to_owned(), json!(values[at]));
        }
    }
    found
}

fn action(random: &mut Random) -> Value {
    match random.below(7) {
        0 => json!({ "tcpSocket": { "port": 3306 } }),
        1 => json!({ "tcpSocket": { "port": "http", "host": "localhost" } }),
        2 => json!({ "grpc": { "port": 9000 } }),
        3 => json!({ "exec": { "command": ["true"] } }),
        4 => json!({ "httpGet": { "port": "nowhere", "path": "/" } }),
        5 => json!({ "httpGet": { "port": 8443, "path": "/a?b=<c>&d", "scheme": "HTTPS", "host": "h",
            "httpHeaders": [{ "name": "X", "value": "y" }, { "name": "Z", "value": "" }] } }),
        _ => json!({ "httpGet": { "port": random.one_of(&["http", "metrics"]), "path": "/ready" } }),
    }
}

fn probe(random: &mut Random) -> Value {
    let mut probe = action(random);
    if random.chance(40) {
        probe["timeoutSeconds"] = json!(random.below(4));
        probe["periodSeconds"] = json!(3);
    }
    if random.chance(10) {
        probe["grpc"] = json!({ "port": 9001, "service": "s" });
    }
    probe
}

fn container(random: &mut Random, name: &str) -> Value {
    let images =
        ["web:1", "registry.example:5000/a/web@sha256:0011", "web", "auto", "web:2@sha256:22", "Web:x"];
    let mut container = json!({ "name": name, "image": random.one_of(&images) });
    if random.chance(50) {
        container["ports"] = json!([{ "name": "http", "containerPort": 8080 }, { "containerPort": 53, "protocol": "UDP" },
            { "name": "metrics", "containerPort": 9090, "hostPort": random.below(2) * 9090, "protocol": "TCP", "hostIP": "127.0.0.1" }]);
    }
    for name in ["readinessProbe", "livenessProbe", "startupProbe"] {
        if random.chance(25) {
            container[name] = probe(random);
        }
    }
    if random.chance(15) {
        container["lifecycle"] = json!({ "preStop": action(random), "postStart": action(random) });
        for hook in ["preStop", "postStart"] {
            container["lifecycle"][hook].as_object_mut().unwrap().remove("grpc");
        }
    }
    if random.chance(30) {
        container["env"] = json!([{ "name": "A", "value": "b" }, { "name": "POD_NAME", "value": "" }]);
    }
    if random.chance(20) {
        container["volumeMounts"] =
            json!([{ "name": "istio-token", "mountPath": "/t" }, { "name": "data", "mountPath": "/d" }]);
    }
    if random.chance(30) {
        container["resources"] = json!({ "limits": { "cpu": random.one_of(&["0.5", "1500m", "2"]) }, "requests": { "memory": "1024Mi" } });
    }
    if random.chance(30) {
        container["securityContext"] = json!({ "runAsUser": random.one_of(&[0, 1000, 1337]), "runAsGroup": 2000, "privileged": random.chance(50) });
    }
    container
}

/// A user's own word about the sidecar. Where it is no init container, a user's init container of its name would be a
/// second one.
fn own_sidecar(random: &mut Random, spec: &mut Value, is_native: bool) {
    let mut own = container(random, "istio-proxy");
    if random.chance(40) {
        own["args"] = json!(["proxy", "sidecar", "-u", "1"]);
    }
    if random.chance(30) {
        own["env"] =
            json!([{ "name": "ISTIO_META_X", "value": "y" }, { "name": "PROXY_CONFIG", "value": "{}" }]);
    }
    let list = if random.chance(70) || !is_native { "containers" } else { "initContainers" };
    if spec[list].is_null() {
        spec[list] = json!([]);
    }
    spec[list].as_array_mut().unwrap().push(own);
    if random.chance(30) {
        let init = json!({ "name": "istio-init", "image": "auto", "args": ["-u", "7"] });
        spec["initContainers"] = json!([init]);
    }
}

fn spec(random: &mut Random, is_native: bool) -> Value {
    let mut spec = json!({ "containers": [container(random, "web")] });
    if random.chance(40) {
        let second = container(random, "side");
        spec["containers"].as_array_mut().unwrap().push(second);
    }
    if random.chance(30) {
        spec["initContainers"] = json!([container(random, "first")]);
        if random.chance(40) {
            spec["initContainers"][0]["restartPolicy"] = json!("Always");
        }
    }
    if random.chance(12) {
        own_sidecar(random, &mut spec, is_native);
    }
    if random.chance(30) {
        spec["volumes"] = json!([{ "name": "data", "emptyDir": {} }, { "name": "istio-data", "configMap": { "name": "c" } }]);
    }
    let others = json!({
        "serviceAccountName": "web", "hostNetwork": random.chance(40), "automountServiceAccountToken": false,
        "imagePullSecrets": [{ "name": "regcred" }, { "name": "other" }], "dnsPolicy": "None",
        "securityContext": { "fsGroup": 5, "runAsNonRoot": true, "sysctls": [{ "name": "a", "value": "b" }] },
        "terminationGracePeriodSeconds": 5, "nodeSelector": { "a": "b" },
        "tolerations": [{ "key": "a", "operator": "Exists" }], "dnsConfig": { "searches": ["x"] },
    });
    for (name, value) in others.as_object().unwrap() {
        if random.chance(12) {
            spec[name] = value.clone();
        }
    }
    spec
}

fn owner(random: &mut Random) -> Value {
    let (kind, name) = random.one_of(&[
        ("ReplicaSet", "web-5f"),
        ("ReplicaSet", "web-6f"),
        ("StatefulSet", "db"),
        ("Job", "tick-28000000"),
        ("Job", "tick-1"),
        ("ReplicationController", "web-1"),
    ]);
    json!([{ "apiVersion": "apps/v1", "kind": kind, "name": name, "uid": "u", "controller": random.chance(80) }])
}

/// What a Pod is made of, where `native` nodes run it.
fn template(random: &mut Random, native: bool) -> Value {
    let percent = random.one_of(&[2, 6, 15]);
    let mut metadata = json!({ "labels": some(random, LABELS, percent * 2) });
    let annotations = some(random, ANNOTATIONS, percent);
    if random.chance(90) {
        metadata["annotations"] = Value::Object(annotations);
    }
    let is_native = native && metadata["annotations"]["sidecar.istio.io/nativeSidecar"].is_null();
    json!({ "metadata": metadata, "spec": spec(random, is_native) })
}

/// A Pod as the API server describes it to a webhook.
pub(super) fn pod(seed: u64, native: bool) -> Value {
    let mut random = Random::new(seed);
    let mut pod = template(&mut random, native);
    pod["apiVersion"] = json!("v1");
    pod["kind"] = json!("Pod");
    pod["metadata"]["namespace"] = json!(random.one_of(&["shop", "shop", "kube-public"]));
    if random.chance(60) {
        pod["metadata"]["generateName"] = json!("web-5f-");
        pod["metadata"]["ownerReferences"] = owner(&mut random);
    } else {
        pod["metadata"]["name"] =
            json!(random.one_of(&[
                "web",
                "a-name-that-is-longer-than-all-the-others-and-more-than-sixty-three-bytes"
            ]));
    }
    pod
}

/// A manifest.
pub(super) fn manifest(seed: u64, native: bool) -> Value {
    let mut random = Random::new(seed);
    if random.chance(6) {
        let items: Vec<Value> =
            (0..3).map(|number| manifest(seed.wrapping_mul(31).wrapping_add(number), native)).collect();
        return json!({ "apiVersion": "v1", "kind": "List", "items": items });
    }
    let (api_version, kind) = random.one_of(&KINDS);
    let template = template(&mut random, native);
    let mut metadata = json!({ "name": random.one_of(&["web", "api-server"]) });
    if random.chance(60) {
        // kube-inject looks for what is excluded at the namespace of the template, which is no one's.
        metadata["namespace"] =
            json!(if kind == "Pod" { random.one_of(&["shop", "kube-system"]) } else { "shop" });
    }
    match kind {
        "Pod" => {
            let mut pod = template;
            let members = metadata.as_object().unwrap().clone();
            pod["metadata"].as_object_mut().unwrap().extend(members);
            pod["apiVersion"] = json!(api_version);
            pod["kind"] = json!(kind);
            pod
        }
        "CronJob" => json!({ "apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": {
            "schedule": "* * * * *",
            "jobTemplate": { "metadata": template["metadata"], "spec": { "template": { "metadata": {}, "spec": template["spec"] } } } } }),
        _ => {
            let spec = match api_version {
                "apps/v1" => json!({ "selector": { "matchLabels": { "app": "web" } }, "template": template }),
                _ => json!({ "template": template }),
            };
            json!({ "apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec })
        }
    }
}
