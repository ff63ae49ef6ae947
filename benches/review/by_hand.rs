//! The checks of the starter policies as somebody would write them who needed no other: the rules in `policies/`, with
//! the parameters of `policies/profiles/starter/bindings.yaml`, for Pods only. Paths, messages and remedies are made
//! where something is found. In place of `pod_security/standard`, which `benches/pod_security.rs` measures beside the
//! reference, a policy that looks for privileged containers.

use meshgate::kubernetes::image_reference::ImageReference;
use meshgate::policy::Tree;
use meshgate::source;
use serde_json::{Value, json};

/// What these checks are the baseline of.
pub(crate) fn policies() -> Tree {
    let mut tree = source::profile("starter").unwrap_or_default();
    let bindings = tree.iter().find(|(path, _)| *path == "bindings.yaml").map(|(_, content)| content);
    let text = String::from_utf8_lossy(bindings.unwrap_or_default())
        .replace("pod_security/standard", "workloads/privileged")
        .replace("  parameters:\n    level: baseline\n", "");
    tree.insert("bindings.yaml", text);
    let policy = include_str!("../../tests/fixtures/policies/privileged.rego");
    tree.insert("workloads/privileged/privileged.rego", policy);
    tree
}

/// A demand of `resources/required`.
struct Demand {
    list: &'static str,
    noun: &'static str,
    resource: &'static str,
    example: &'static str,
}

const DEMANDS: [Demand; 3] = [
    Demand { list: "requests", noun: "request", resource: "cpu", example: "100m" },
    Demand { list: "requests", noun: "request", resource: "memory", example: "128Mi" },
    Demand { list: "limits", noun: "limit", resource: "memory", example: "128Mi" },
];

const REGISTRIES: [&str; 7] =
    ["docker.io", "gcr.io", "ghcr.io", "mcr.microsoft.com", "public.ecr.aws", "quay.io", "registry.k8s.io"];

/// Binding and label of `workloads/required_label`.
const LABELS: [(&str, &str); 2] = [("owner-label", "owner"), ("name-label", "app.kubernetes.io/name")];

const LISTS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];

/// A finding, in the review's order.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Found<'a> {
    pub(crate) policy: &'a str,
    pub(crate) binding: &'a str,
    pub(crate) message: String,
    pub(crate) field: String,
    pub(crate) remedy: String,
}

/// A container, and where it stands.
struct Container<'a> {
    list: &'static str,
    index: usize,
    name: &'a str,
    written: &'a Value,
}

impl Container<'_> {
    fn kind(&self) -> &'static str {
        match (self.list, text(self.written, "restartPolicy")) {
            ("initContainers", "Always") => "sidecar",
            ("initContainers", _) => "init",
            ("ephemeralContainers", _) => "ephemeral",
            _ => "regular",
        }
    }

    fn title(&self) -> String {
        match self.kind() {
            "regular" => format!("container \"{}\"", self.name),
            kind => format!("{kind} container \"{}\"", self.name),
        }
    }

    fn field(&self, below: &str) -> String {
        format!("spec.{}[{}].{below}", self.list, self.index)
    }
}

/// What is wrong with the Pod of an AdmissionReview.
pub(crate) fn validate(review: &Value) -> Vec<Found<'static>> {
    let mut found = Vec::new();
    let Some(request) = review.get("request") else { return found };
    let Some(pod) = request.get("object") else { return found };
    let Some(spec) = pod.get("spec") else { return found };
    for list in LISTS {
        let containers = spec.get(list).and_then(Value::as_array).into_iter().flatten();
        for (index, written) in containers.enumerate() {
            let container = Container { list, index, name: text(written, "name"), written };
            privileged(&container, &mut found);
            resources(&container, spec, &mut found);
            image(&container, &mut found);
        }
    }
    if text(request, "subResource").is_empty() {
        labels(pod, &mut found);
    }
    found.sort();
    found
}

/// The JSON Patch for the Pod of an AdmissionReview: `defaults/seccomp_profile`.
pub(crate) fn mutate(review: &Value) -> Option<Value> {
    let request = review.get("request")?;
    let (pod, spec) = (request.get("object")?, request.pointer("/object/spec")?);
    let is_mirrored =
        pod.pointer("/metadata/annotations/kubernetes.io~1config.mirror").is_some_and(|v| !v.is_null());
    let is_windows = spec.pointer("/os/name").and_then(Value::as_str) == Some("windows");
    let is_made = text(request, "operation") == "CREATE" && text(request, "subResource").is_empty();
    if is_mirrored || is_windows || !is_made {
        return None;
    }
    let profile = json!({ "type": "RuntimeDefault" });
    let add = |path: &str, value: Value| Some(json!([{ "op": "add", "path": path, "value": value }]));
    match spec.get("securityContext") {
        None | Some(Value::Null) => add("/spec/securityContext", json!({ "seccompProfile": profile })),
        Some(Value::Object(context)) if context.get("seccompProfile").is_none_or(Value::is_null) => {
            add("/spec/securityContext/seccompProfile", profile)
        }
        Some(_) => None,
    }
}

fn privileged(container: &Container<'_>, found: &mut Vec<Found<'static>>) {
    let privileged = container.written.get("securityContext").and_then(|context| context.get("privileged"));
    if matches!(privileged, None | Some(Value::Null | Value::Bool(false))) {
        return;
    }
    found.push(Found {
        policy: "workloads/privileged",
        binding: "pod-security",
        message: format!("{} is privileged: who takes it over has the node", container.title()),
        field: container.field("securityContext.privileged"),
        remedy: "remove `privileged` or set it to false; add what is really needed to \
                 `securityContext.capabilities.add`"
            .to_owned(),
    });
}

fn resources(container: &Container<'_>, spec: &Value, found: &mut Vec<Found<'static>>) {
    if container.kind() == "ephemeral" {
        return;
    }
    for demand in &DEMANDS {
        let Demand { list, noun, resource, example } = *demand;
        if is_satisfied(container.written, demand) || is_satisfied(spec, demand) {
            continue;
        }
        let problem = match quantity(container.written, list, resource) {
            None => format!("has no {resource} {noun}"),
            Some(Value::String(text)) => format!("has a {resource} {noun} of {text}: it must be above zero"),
            Some(other) => format!("has a {resource} {noun} of {other}: it must be above zero"),
        };
        found.push(Found {
            policy: "resources/required",
            binding: "requests-and-limits",
            message: format!("{} {problem}", container.title()),
            field: container.field(&format!("resources.{list}.{resource}")),
            remedy: format!("set `resources.{list}.{resource}`, for example to {example}"),
        });
    }
}

/// A container and a Pod's spec both have `resources`; a limit is also a request that is left out.
fn is_satisfied(holder: &Value, demand: &Demand) -> bool {
    match quantity(holder, demand.list, demand.resource) {
        Some(quantity) => is_positive(quantity),
        None => {
            demand.list == "requests" && quantity(holder, "limits", demand.resource).is_some_and(is_positive)
        }
    }
}

fn quantity<'a>(holder: &'a Value, list: &str, resource: &str) -> Option<&'a Value> {
    holder.get("resources")?.get(list)?.get(resource)
}

fn is_positive(quantity: &Value) -> bool {
    match quantity {
        Value::Number(number) => number.as_f64().is_some_and(|number| number > 0.0),
        Value::String(text) => is_positive_text(text.trim()),
        _ => false,
    }
}

/// Digits of which one is not zero, and a suffix that quantities have.
fn is_positive_text(text: &str) -> bool {
    let unsigned = text.strip_prefix('+').unwrap_or(text);
    let suffix = unsigned.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let digits = unsigned.strip_suffix(suffix).unwrap_or(unsigned);
    let is_suffix = match suffix {
        "" | "n" | "u" | "m" | "k" | "M" | "G" | "T" | "P" | "E" | "Ki" | "Mi" | "Gi" | "Ti" | "Pi"
        | "Ei" => true,
        _ => suffix.strip_prefix(['e', 'E']).is_some_and(|exponent| {
            let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
        }),
    };
    is_suffix && digits.contains(|c: char| matches!(c, '1'..='9'))
}

/// `images/allowed_registries` and `images/no_latest`, on the reference read once.
fn image(container: &Container<'_>, found: &mut Vec<Found<'static>>) {
    let text = text(container.written, "image");
    let read = match ImageReference::parse(text) {
        _ if text.is_empty() => Err("there is no image".to_owned()),
        read => read.map_err(|error| error.to_string()),
    };
    let (place, tag) = match &read {
        Err(error) => (
            Some(format!("has the image \"{text}\", which can't be read: {error}")),
            Some(format!("whose tag can't be read: {error}")),
        ),
        Ok(image) => (
            (!is_allowed(image)).then(|| {
                format!("has an image from {}/{}, which is not allowed", image.registry(), image.repository())
            }),
            match (image.digest(), image.tag()) {
                (None, None) => Some("which has neither tag nor digest and so is `latest`".to_owned()),
                (None, Some("latest")) => Some("whose tag `latest` can be another image tomorrow".to_owned()),
                _ => None,
            },
        ),
    };
    if let Some(problem) = place {
        let wish =
            if read.is_ok() { "take the image from" } else { "write it as registry/repository:tag, from" };
        found.push(Found {
            policy: "images/allowed_registries",
            binding: "allowed-registries",
            message: format!("{} {problem}", container.title()),
            field: container.field("image"),
            remedy: format!("{wish} {}", REGISTRIES.join(", ")),
        });
    }
    if let Some(problem) = tag {
        found.push(Found {
            policy: "images/no_latest",
            binding: "no-latest",
            message: format!("{} has the image \"{text}\", {problem}", container.title()),
            field: container.field("image"),
            remedy: "name a version, as in `nginx:1.29.1`, or a digest, as in `nginx@sha256:…`".to_owned(),
        });
    }
}

fn is_allowed(image: &ImageReference) -> bool {
    REGISTRIES.iter().any(|entry| {
        let mut parts = entry.split('/');
        let mut repository = image.repository().split('/');
        parts.next() == Some(image.registry()) && parts.all(|part| repository.next() == Some(part))
    })
}

fn labels(pod: &Value, found: &mut Vec<Found<'static>>) {
    let labels = pod.pointer("/metadata/labels");
    for (binding, label) in LABELS {
        if labels.is_some_and(|labels| !text(labels, label).is_empty()) {
            continue;
        }
        found.push(Found {
            policy: "workloads/required_label",
            binding,
            message: format!("the label {label} is missing or empty"),
            field: format!("metadata.labels[{label}]"),
            remedy: "give it a value in `metadata.labels`".to_owned(),
        });
    }
}

/// A member that is a text; empty where there is none.
fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}
