//! The chart for Helm: the same objects, with expressions of its templates where an installation has values, and what
//! belongs to a chart beside them.
//!
//! Called by `meshgate install --chart`. What is checked in as `deploy/helm/meshgate` is what it writes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::slots::{PoliciesSlot, Slots, VolumeSlot, When};
use super::{IMAGE, REPLICAS, removal, rights, slots};
use crate::context::ReadRule;
use crate::registration::Lists;
use crate::yaml;

/// A file of the chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChartFile {
    /// Its path in the chart.
    pub path: String,
    /// Its content.
    pub text: String,
}

const WRITTEN: &str = "# Written by `meshgate install --chart`.\n";

/// The whole chart, sorted by path. `facts`: what the policies read that are in force where no others are named.
pub fn chart(facts: &BTreeSet<ReadRule>) -> Vec<ChartFile> {
    let slots = Slots::of_the_chart();
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    let mut add = |object: &Value, before: &str, after: &str| {
        let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default().to_lowercase();
        let text = files.entry(format!("templates/{kind}.yaml")).or_insert_with(|| WRITTEN.to_owned());
        text.push_str(&format!("{before}---\n{}{after}", template(object)));
    };
    for object in super::objects(&slots).iter().chain([&removal::job(&slots)]) {
        add(object, "", "");
    }
    // One in each namespace of the list.
    for object in rights::in_namespace("{{ .namespace | toRawJson }}", &"{{ .rules | toRawJson }}".into()) {
        add(&object, "{{- range .Values.roles }}\n", &format!("{}\n", slots::END));
    }
    for (path, text) in [
        ("Chart.yaml", description()),
        ("values.schema.json", schema()),
        ("values.yaml", values(facts)),
        ("templates/NOTES.txt", NOTES.to_owned()),
    ] {
        files.insert(path.to_owned(), text);
    }
    files.into_iter().map(|(path, text)| ChartFile { path, text }).collect()
}

impl Slots {
    /// Expressions of templates. They have no `"`, so that they stand in any text of YAML; their own texts are in
    /// backquotes, and what a value has of quotes and backslashes is written as JSON.
    fn of_the_chart() -> Self {
        let configuration = "omit .Values.configuration `apiVersion` `kind`";
        Self {
            image: "{{ .Values.image | toRawJson }}".into(),
            replicas: "{{ .Values.replicas | int }}".into(),
            resources: "{{ .Values.resources | toRawJson }}".into(),
            service_port: "{{ dig `registration` `servicePort` 443 .Values.configuration | int }}".into(),
            lists: Lists {
                users: "{{ dig `subjects` `users` list .Values.configuration | uniq | sortAlpha | toRawJson }}".to_owned(),
                // Where nobody is named, the default; where users are, no group is.
                groups: "{{ dig `subjects` `groups` (ternary list (list `system:masters`) \
                         (hasKey .Values.configuration `subjects`)) .Values.configuration | uniq | sortAlpha | toRawJson }}"
                    .to_owned(),
                labels: "['{{ concat (list `meshgate.io/exempt` `meshgate.io/mode`) \
                         (dig `guard` `also` list .Values.configuration) | uniq | sortAlpha | join `', '` }}']"
                    .to_owned(),
            },
            configuration: format!(
                "{{{{ merge (dict `apiVersion` `meshgate.io/v1alpha1` `kind` `Configuration`) \
                 ({configuration}) | toYaml | toRawJson }}}}"
            )
            .into(),
            fingerprint: format!("{{{{ {configuration} | toRawJson | sha256sum | quote }}}}").into(),
            rules: ["{{- range .Values.rules }}", "{{ . | toRawJson }}", slots::END].map(Value::from).to_vec(),
            pulls: When::If(
                "{{- if eq (dig `images` `pullSecrets` `none` .Values.configuration) `pod` }}",
            ),
            roles: Vec::new(),
            state: When::If("{{- if .Values.configuration.source }}"),
            names: When::If(
                "{{- if or .Values.configuration.source (dig `images` `registries` list .Values.configuration) }}",
            ),
            policies: PoliciesSlot::Volume(VolumeSlot {
                name: "{{ .Values.policies.configMap | toRawJson }}".into(),
                items: "{{ .Values.policies.items | toRawJson }}".into(),
                data: None,
                only_if: Some("{{- if .Values.policies.configMap }}"),
            }),
        }
    }
}

/// An object as a template: an expression that is a whole value loses its quotes, one that controls is a line of its own.
fn template(object: &Value) -> String {
    let mut text = String::new();
    for line in yaml::write(object).lines() {
        let bare = line.strip_suffix("}}\"").and_then(|line| line.split_once("\"{{"));
        match bare {
            Some((before, expression)) if expression.starts_with('-') => {
                let indent = before.strip_suffix("- ").unwrap_or(before);
                text.push_str(&format!("{indent}{{{{{expression}}}}}\n"));
            }
            Some((before, expression)) => text.push_str(&format!("{before}{{{{{expression}}}}}\n")),
            None => text.push_str(&format!("{line}\n")),
        }
    }
    text
}

fn description() -> String {
    let version = env!("CARGO_PKG_VERSION");
    let about = json!({
        "apiVersion": "v2",
        "name": "meshgate",
        "description": "Kubernetes admission with policies in Rego",
        "type": "application",
        "version": version,
        "appVersion": version,
        // Admission policies and matchConditions are stable from there on.
        "kubeVersion": ">=1.30.0-0",
    });
    format!("{WRITTEN}{}", yaml::write(&about))
}

fn values(facts: &BTreeSet<ReadRule>) -> String {
    let resources = yaml::write(&json!({ "resources": slots::resources() }));
    let rules = yaml::write(&json!({ "rules": rights::of_facts(facts) }));
    let roles = yaml::write(&json!({ "roles": rights::read_in(facts) }));
    format!(
        "\
{WRITTEN}
# The container image.
image: {IMAGE}

# How many Pods.
replicas: {REPLICAS}

# What each Pod has. A limit of CPU would slow writes to the cluster down where there is CPU to spare.
{resources}
# meshgate.yaml (docs/cli.md), read by each Pod at its start. Who may write in the namespace meshgate-system, and so upgrade,
# is named here, too: configuration: {{subjects: {{users: [jane], groups: [system:masters]}}}}
configuration: {{}}

# Policies of your own, as a ConfigMap in the namespace meshgate-system; which of its keys is which file stands in `items`, as in
# [{{key: bindings.yaml, path: bindings.yaml}}]. `meshgate install -p DIR` prints both. Without a name: as the configuration says.
policies:
  configMap: \"\"
  items: []

# Rules of the ClusterRole for the facts that policies declare: those of embedded/starter. `meshgate install -p DIR` prints them.
{rules}
# Rules of Roles in other namespaces, for facts that are read in these alone, as the configuration of a mesh:
# [{{namespace: istio-system, rules: [{{apiGroups: [\"\"], resources: [configmaps], verbs: [get, list, watch]}}]}}].
# `meshgate install -p DIR` prints these Roles, too.
{roles}"
    )
}

fn schema() -> String {
    let object = json!({ "type": "object" });
    let objects = json!({ "type": "array", "items": object });
    // Both admission policies are made of them: with nobody in it, no mend would be let through.
    let names = json!({ "type": "array", "minItems": 1, "items": { "type": "string", "minLength": 1 } });
    let subjects = json!({
        "type": "object",
        "additionalProperties": false,
        "minProperties": 1,
        "properties": { "users": names, "groups": names },
    });
    let schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "additionalProperties": false,
        "properties": {
            // What a chart that has this one as a part hands on.
            "global": object,
            "image": { "type": "string", "minLength": 1 },
            "replicas": { "type": "integer", "minimum": 1 },
            "resources": object,
            "configuration": { "type": "object", "properties": { "subjects": subjects } },
            "policies": {
                "type": "object",
                "additionalProperties": false,
                "properties": { "configMap": { "type": "string" }, "items": objects },
            },
            "rules": objects,
            "roles": {
                "type": "array",
                "items": {
                    "type": "object",
                    "additionalProperties": false,
                    "required": ["namespace", "rules"],
                    "properties": { "namespace": { "type": "string", "minLength": 1 }, "rules": objects },
                },
            },
        },
    });
    format!("{schema:#}\n")
}

const NOTES: &str = "\
meshgate registers itself once it can answer. Whether it has:
  kubectl get validatingwebhookconfiguration meshgate-validating
";
