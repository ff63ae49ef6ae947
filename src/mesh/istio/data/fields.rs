//! The fields of a Pod that templates read, with the zero values of Go (k8s.io/api/core/v1).

/// A field.
pub(super) struct Field {
    /// Its name in JSON.
    pub(super) name: &'static str,
    pub(super) kind: Kind,
}

/// What a field holds.
pub(super) enum Kind {
    Text,
    Bool,
    Integer,
    /// A map of strings.
    Texts,
    List(&'static [Field]),
    /// What is shown as it is.
    Any,
}

const fn field(name: &'static str, kind: Kind) -> Field {
    Field { name, kind }
}

/// Of `metadata`.
pub(super) const METADATA: &[Field] = &[
    field("annotations", Kind::Texts),
    field("creationTimestamp", Kind::Any),
    field("finalizers", Kind::Any),
    field("generateName", Kind::Text),
    field("labels", Kind::Texts),
    field("name", Kind::Text),
    field("namespace", Kind::Text),
    field(
        "ownerReferences",
        Kind::List(&[
            field("apiVersion", Kind::Text),
            field("controller", Kind::Any),
            field("kind", Kind::Text),
            field("name", Kind::Text),
            field("uid", Kind::Text),
        ]),
    ),
    field("uid", Kind::Text),
];

/// Of a container's port.
pub(super) const CONTAINER_PORT: &[Field] = &[
    field("containerPort", Kind::Integer),
    field("hostIP", Kind::Text),
    field("hostPort", Kind::Integer),
    field("name", Kind::Text),
    field("protocol", Kind::Text),
];

const CONTAINER: &[Field] = &[
    field("args", Kind::Any),
    field("command", Kind::Any),
    field(
        "env",
        Kind::List(&[field("name", Kind::Text), field("value", Kind::Text), field("valueFrom", Kind::Any)]),
    ),
    field("envFrom", Kind::Any),
    field("image", Kind::Text),
    field("imagePullPolicy", Kind::Text),
    field("lifecycle", Kind::Any),
    field("livenessProbe", Kind::Any),
    field("name", Kind::Text),
    field("ports", Kind::List(CONTAINER_PORT)),
    field("readinessProbe", Kind::Any),
    field("resources", Kind::Any),
    field("restartPolicy", Kind::Any),
    field("securityContext", Kind::Any),
    field("startupProbe", Kind::Any),
    field("stdin", Kind::Bool),
    field("tty", Kind::Bool),
    field("volumeDevices", Kind::Any),
    field(
        "volumeMounts",
        Kind::List(&[
            field("mountPath", Kind::Text),
            field("name", Kind::Text),
            field("readOnly", Kind::Bool),
            field("subPath", Kind::Text),
        ]),
    ),
    field("workingDir", Kind::Text),
];

/// Of `spec`.
pub(super) const SPEC: &[Field] = &[
    field("affinity", Kind::Any),
    field("automountServiceAccountToken", Kind::Any),
    field("containers", Kind::List(CONTAINER)),
    field("dnsConfig", Kind::Any),
    field("dnsPolicy", Kind::Text),
    field("hostIPC", Kind::Bool),
    field("hostNetwork", Kind::Bool),
    field("hostPID", Kind::Bool),
    field("hostname", Kind::Text),
    field("imagePullSecrets", Kind::List(&[field("name", Kind::Text)])),
    field("initContainers", Kind::List(CONTAINER)),
    field("nodeName", Kind::Text),
    field("nodeSelector", Kind::Texts),
    field("priorityClassName", Kind::Text),
    field("restartPolicy", Kind::Text),
    field("runtimeClassName", Kind::Any),
    field("schedulerName", Kind::Text),
    field("securityContext", Kind::Any),
    field("serviceAccountName", Kind::Text),
    field("subdomain", Kind::Text),
    field("terminationGracePeriodSeconds", Kind::Any),
    field("tolerations", Kind::Any),
    field("volumes", Kind::Any),
];

/// The name in Go of a field of JSON.
pub(super) fn go_name(name: &str) -> String {
    match name {
        "uid" => return "UID".to_owned(),
        "tty" => return "TTY".to_owned(),
        "ip" => return "IP".to_owned(),
        _ => {}
    }
    for (prefix, go) in
        [("api", "API"), ("http", "HTTP"), ("tcp", "TCP"), ("dns", "DNS"), ("se", "SE"), ("fs", "FS")]
    {
        if let Some(rest) = name.strip_prefix(prefix).filter(|rest| rest.starts_with(char::is_uppercase)) {
            return format!("{go}{rest}");
        }
    }
    let mut characters = name.chars();
    let first = characters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(characters).collect()
}
