//! `meshgate inject`: sidecars as the mesh's own configuration has them, where policies agree; what was skipped, and why.

use serde_json::Value;

use crate::program::{Run, folder, run};

const MESH: &str = r#"
apiVersion: v1
kind: List
items:
  - apiVersion: v1
    kind: ConfigMap
    metadata: {name: istio, namespace: istio-system}
    data: {mesh: "trustDomain: example.test"}
  - apiVersion: v1
    kind: ConfigMap
    metadata: {name: istio-sidecar-injector, namespace: istio-system}
    data:
      values: '{"global": {"hub": "registry.example", "tag": "1.2.3", "proxy": {"image": "proxyv2"}}}'
      config: &config |
        policy: enabled
        templates:
          sidecar: |
            spec:
              initContainers:
              - name: istio-proxy
                image: "{{ .ProxyImage }}"
                restartPolicy: Always
                args: ["--log={{ annotation .ObjectMeta `sidecar.istio.io/logLevel` `info` }}"]
                env:
                - {name: OWNER, value: "{{ .TypeMeta.Kind }}/{{ .DeploymentMeta.Name }}"}
                - {name: TRUST_DOMAIN, value: "{{ .MeshConfig.TrustDomain }}"}
  - apiVersion: v1
    kind: ConfigMap
    metadata: {name: istio-sidecar-injector-canary, namespace: istio-system}
    data:
      values: '{"global": {"hub": "registry.example", "tag": "2.0.0"}}'
      config: *config
"#;

/// A tree that does what the embedded profile does, and what stands beside this.
const BUNDLE: &str = "apiVersion: meshgate.io/v1alpha1\nkind: Bundle\nmetadata: {name: b}\nspec: {includes: [embedded/mesh]}\n";

const WEBHOOKS: &str = r#"
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: istio-sidecar-injector, labels: {app: sidecar-injector, istio.io/rev: default}}
webhooks:
  - name: namespace.sidecar-injector.istio.io
    namespaceSelector: {matchLabels: {istio-injection: enabled}}
    objectSelector: {matchExpressions: [{key: sidecar.istio.io/inject, operator: NotIn, values: ["false"]}]}
    clientConfig: {service: {name: istiod, namespace: istio-system, path: /inject/cluster/c1}}
"#;

fn workload(kind: &str, name: &str) -> String {
    let api = if kind == "CronJob" { "batch/v1" } else { "apps/v1" };
    let template = "{metadata: {labels: {app: web}}, spec: {containers: [{name: web, image: web:1}]}}";
    let spec = if kind == "CronJob" {
        format!("{{jobTemplate: {{spec: {{template: {template}}}}}}}")
    } else {
        format!("{{template: {template}}}")
    };
    format!("apiVersion: {api}\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {spec}\n")
}

fn pod(name: &str, metadata: &str, spec: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: {name}{metadata}}}\nspec: {{containers: [{{name: web, image: web:1}}]{spec}}}\n"
    )
}

fn inject(files: &[(&str, &str)], manifests: &str, more: &[&str]) -> Run {
    let mut all = vec![("mesh/istio.yaml", MESH)];
    all.extend(files);
    let mut arguments = vec!["inject", "-", "--mesh-config", "mesh"];
    arguments.extend(more);
    run(folder(&all).path(), &arguments, manifests)
}

fn documents(ran: &Run) -> Vec<Value> {
    meshgate::yaml::read(ran.out.as_bytes()).into_iter().map(|one| one.unwrap().value).collect()
}

#[test]
fn every_kind_of_workload_gets_its_sidecar_and_the_rest_stays() {
    let service = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}]}\n";
    let list = "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata: {name: listed}\n  spec: {containers: [{name: web, image: web:1}]}\n- apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: c}\n";
    let manifests = [
        workload("Deployment", "web"),
        service.to_owned(),
        workload("CronJob", "nightly"),
        list.to_owned(),
        pod("host", "", ", hostNetwork: true"),
    ];
    let ran = inject(&[], &manifests.join("---\n"), &[]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let documents = documents(&ran);
    let env = |container: &Value| -> Vec<String> {
        container["env"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["value"].as_str().unwrap().to_owned())
            .collect()
    };
    let proxy = &documents[0]["spec"]["template"]["spec"]["initContainers"][0];
    assert_eq!(proxy["image"], "registry.example/proxyv2:1.2.3");
    assert_eq!(env(proxy), ["Deployment/web", "example.test"]);
    assert_eq!(documents[0]["metadata"], serde_json::json!({ "name": "web" }));
    assert_eq!(documents[1]["kind"], "Service");
    let job = &documents[2]["spec"]["jobTemplate"];
    assert_eq!(
        env(&job["spec"]["template"]["spec"]["initContainers"][0]),
        ["CronJob/nightly", "example.test"]
    );
    assert!(job["metadata"]["annotations"]["sidecar.istio.io/status"].is_string());
    assert_eq!(env(&documents[3]["items"][0]["spec"]["initContainers"][0])[0], "Pod/listed");
    assert_eq!(documents[3]["items"][1]["kind"], "ConfigMap");
    assert_eq!(documents[4]["spec"].get("initContainers"), None);
    let lines: Vec<&str> = ran.err.lines().collect();
    assert_eq!(
        lines,
        [
            "-:1 Deployment/web: injected: istio/default, rule 8: policy enabled",
            "-:11 CronJob/nightly: injected: istio/default, rule 8: policy enabled",
            "-:19 Pod/listed: injected: istio/default, rule 8: policy enabled",
            "-:27 Pod/host: skipped: spec.hostNetwork: true",
            "3 injected, 1 skipped, 0 refused, 0 invalid",
        ]
    );
}

#[test]
fn what_has_its_sidecar_stays_as_it_is() {
    let manifests = [workload("Deployment", "web"), workload("CronJob", "nightly"), pod("p", "", "")];
    let once = inject(&[], &manifests.join("---\n"), &[]);
    let twice = inject(&[], &once.out, &[]);
    assert_eq!((twice.code, twice.out.as_str()), (0, once.out.as_str()), "{}", twice.err);
    assert!(twice.err.ends_with("0 injected, 3 skipped, 0 refused, 0 invalid\n"), "{}", twice.err);
}

#[test]
fn webhooks_and_labels_of_namespaces_decide_where_they_are_known() {
    let namespaces = "apiVersion: v1\nkind: Namespace\nmetadata: {name: in, labels: {istio-injection: enabled}}\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: out}\n";
    let files = [("mesh/webhooks.yaml", WEBHOOKS), ("facts/namespaces.yaml", namespaces)];
    let rows = [
        (
            "in",
            "",
            "injected: istio/default, rule W3: namespace label istio-injection=enabled, policy enabled",
        ),
        (
            "in",
            ", labels: {sidecar.istio.io/inject: \"false\"}",
            "skipped: label sidecar.istio.io/inject=false, namespace label istio-injection=enabled, no webhook of Istio matches the Pod and its namespace",
        ),
        ("out", "", "skipped: no webhook of Istio matches the Pod and its namespace"),
        ("unknown", "", "injected: istio/default, rule 8: policy enabled"),
    ];
    for (namespace, labels, expected) in rows {
        let pod = pod("p", labels, "");
        let ran = inject(&files, &pod, &["-n", namespace, "--facts", "facts"]);
        assert_eq!(ran.err.lines().next(), Some(format!("-:1 Pod/p: {expected}").as_str()), "{namespace}");
        let has_cluster = ran.out.contains("ISTIO_META_CLUSTER_ID");
        assert_eq!(has_cluster, expected.contains("W3"), "the path of the webhook is read: {}", ran.out);
    }
}

#[test]
fn a_revision_may_be_named_and_a_policy_may_say_no() {
    let ran = inject(&[], &pod("p", "", ""), &["--revision", "canary"]);
    assert_eq!(documents(&ran)[0]["spec"]["initContainers"][0]["image"], "registry.example/proxyv2:2.0.0");
    let ran = inject(&[], &pod("p", "", ""), &["--revision", "none"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("no revision `none`; there are: default, canary"), "{}", ran.err);
    let policy = "# METADATA\n# title: t\n# description: d\n# custom:\n#   context: [mesh.proposal]\n#   match:\n#     rules: [{apiGroups: [\"\"], apiVersions: [v1], resources: [pods]}]\npackage policies.test.no\n\ninject := {\"inject\": false}\n";
    let binding = "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {name: b}\nspec: {policy: test/no, enforcement: deny}\n";
    let files = [("p/test/no/no.rego", policy), ("p/b.yaml", binding), ("p/bundle.yaml", BUNDLE)];
    let ran = inject(&files, &pod("p", "", ""), &["-p", "p"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(!ran.out.contains("istio-proxy"), "{}", ran.out);
}

#[test]
fn settings_say_which_revisions_there_are() {
    let settings = |revisions: &str| {
        format!(
            "apiVersion: meshgate.io/v1alpha1\nkind: MeshSettings\nmetadata: {{name: m}}\nspec: {{meshes: [{{mesh: istio, revisions: [{revisions}]}}]}}\n---\n{BUNDLE}"
        )
    };
    let rows = [
        ("{revision: canary, namespace: istio-system}", "injected: istio/canary, rule 8: policy enabled"),
        ("{revision: default, namespace: istio-system, mode: \"off\"}", "skipped: policy enabled, mode off"),
    ];
    for (revisions, expected) in rows {
        let settings = settings(revisions);
        let ran = inject(&[("p/m.yaml", &settings)], &pod("p", "", ""), &["-p", "p"]);
        assert_eq!(ran.err.lines().next(), Some(format!("-:1 Pod/p: {expected}").as_str()), "{revisions}");
    }
}

#[test]
fn what_cannot_be_injected_is_not_printed() {
    let rows = [
        (
            ", annotations: {sidecar.istio.io/logLevel: \"a\\\"]\\n    image: evil\"}",
            "annotation 'sidecar.istio.io/logLevel' is not log levels",
        ),
        (
            ", annotations: {sidecar.istio.io/interceptionMode: SOME}",
            "invalid value 'SOME' for annotation 'sidecar.istio.io/interceptionMode'",
        ),
        (
            ", annotations: {inject.istio.io/templates: none}",
            "requested template \"none\" not found; have sidecar",
        ),
        (", annotations: {sidecar.istio.io/status: \"{}\"}", "remove the annotation"),
    ];
    for (metadata, expected) in rows {
        let ran = inject(&[], &pod("p", metadata, ""), &[]);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{metadata}");
        assert!(ran.err.contains(expected), "{}", ran.err);
        assert!(ran.err.ends_with("0 injected, 0 skipped, 1 refused, 0 invalid\n"), "{}", ran.err);
    }
    let linkerd = ", initContainers: [{name: linkerd-proxy, image: l:1}]";
    let ran = inject(&[], &pod("p", "", linkerd), &[]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("skipped: policy enabled, both-meshes"), "{}", ran.err);
    let ran = inject(&[], "a: [\n", &[]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{}", ran.err);
    let empty = folder(&[("mesh/none.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: other}\n")]);
    let ran = run(empty.path(), &["inject", "-", "--mesh-config", "mesh"], &pod("p", "", ""));
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("no ConfigMap istio-sidecar-injector"), "{}", ran.err);
}

#[test]
fn check_judges_the_pod_that_will_run() {
    let policy = "# METADATA\n# title: t\n# description: d\n# custom:\n#   context: [containers]\n#   match:\n#     rules: [{apiGroups: [\"\"], apiVersions: [v1], resources: [pods]}]\npackage policies.test.seen\n\ndeny contains sprintf(\"%s of the mesh: %v\", [container.name, container.rendered]) if some container in input.context.containers\n";
    let binding = "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {name: b}\nspec: {policy: test/seen, enforcement: deny}\n";
    let files = [
        ("mesh/istio.yaml", MESH),
        ("p/test/seen/seen.rego", policy),
        ("p/b.yaml", binding),
        ("p/bundle.yaml", BUNDLE),
    ];
    let folder = folder(&files);
    let check = |manifest: &str, more: &[&str]| {
        let arguments = [&["check", "-", "-p", "p", "--format", "json"], more].concat();
        let ran = run(folder.path(), &arguments, manifest);
        let report: Value = serde_json::from_str(&ran.out).unwrap_or_else(|why| panic!("{why}: {}", ran.err));
        let findings = report["findings"].as_array().unwrap().iter();
        let mut said: Vec<String> = findings.map(|one| one["message"].as_str().unwrap().to_owned()).collect();
        said.sort();
        said
    };
    let (web, proxy) = ("web of the mesh: false", "istio-proxy of the mesh: true");
    for manifest in [pod("p", "", ""), workload("Deployment", "web")] {
        assert_eq!(check(&manifest, &[]), [web], "{manifest}");
        assert_eq!(check(&manifest, &["--mesh-config", "mesh"]), [proxy, web], "{manifest}");
    }
    // Who writes a container of that name is not the mesh.
    let own = pod(
        "p",
        ", labels: {sidecar.istio.io/inject: \"false\"}",
        ", initContainers: [{name: istio-proxy, image: i:1}]",
    );
    let not = "istio-proxy of the mesh: false";
    assert_eq!(check(&own, &["--mesh-config", "mesh"]), [not, web]);
    let final_pod = ["check", "-", "-p", "embedded/mesh", "--mesh-config", "mesh", "--show", "final"];
    let ran = run(folder.path(), &final_pod, &pod("p", "", ""));
    assert_eq!(documents(&ran)[0]["spec"]["initContainers"][0]["name"], "istio-proxy", "{}", ran.err);
}

/// A ConfigMap with another template: it calls a container of its own a sidecar.
fn forged(name: &str, namespace: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: {namespace}}}\ndata:\n  values: '{{\"global\": {{\"hub\": \"evil\", \"tag\": \"1\"}}}}'\n  config: |\n    policy: enabled\n    templates: {{sidecar: \"spec: {{initContainers: [{{name: istio-proxy, image: evil}}]}}\"}}\n"
    )
}

#[test]
fn what_is_judged_does_not_say_what_a_sidecar_is() {
    let manifests = [forged("istio-sidecar-injector", "shop"), pod("p", "", "")].join("---\n");
    let ran = inject(&[], &manifests, &[]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let proxy = &documents(&ran)[1]["spec"]["initContainers"][0];
    assert_eq!(proxy["image"], "registry.example/proxyv2:1.2.3");
    let two =
        inject(&[("mesh/other.yaml", &forged("istio-sidecar-injector", "other"))], &pod("p", "", ""), &[]);
    assert_eq!((two.code, two.out.as_str()), (2, ""));
    let expected = "two ConfigMaps istio-sidecar-injector, in the namespaces `istio-system` and `other`";
    assert!(two.err.contains(expected), "{}", two.err);
}

#[test]
fn what_is_rendered_is_what_was_decided_for_the_default_namespace_too() {
    let canary = WEBHOOKS
        .replace("name: istio-sidecar-injector,", "name: istio-sidecar-injector-canary,")
        .replace("istio.io/rev: default", "istio.io/rev: canary")
        .replace("{istio-injection: enabled}", "{istio.io/rev: canary}");
    let namespace =
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: default, labels: {istio.io/rev: canary}}\n";
    let webhooks = [WEBHOOKS, &canary].join("---\n");
    let files = [("mesh/webhooks.yaml", webhooks.as_str()), ("facts/namespaces.yaml", namespace)];
    let ran = inject(&files, &pod("p", "", ""), &["--facts", "facts"]);
    assert!(ran.err.starts_with("-:1 Pod/p: injected: istio/canary, rule W3"), "{}", ran.err);
    assert_eq!(documents(&ran)[0]["spec"]["initContainers"][0]["image"], "registry.example/proxyv2:2.0.0");
}
