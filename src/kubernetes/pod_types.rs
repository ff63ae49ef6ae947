//! The types of those fields of a Pod that the shipped policies about Pods read. Called by the facts `containers` and
//! `pod`: an API server does not decode a Pod in which one of them is something else, and to a rule that looks for
//! `true` the text "true" would be as good as nothing.

use serde_json::{Map, Value};

use super::containers::LISTS;

/// What a field holds. Null is the same as nothing, but within a list of objects.
enum Type {
    Boolean,
    /// An integer of so many bits, with sign.
    Integer(u32),
    Text,
    Texts,
    /// An object whose members are all texts.
    TextMap,
    /// An object of which nothing is read.
    Any,
    Object(&'static [(&'static str, Type)]),
    Objects(&'static [(&'static str, Type)]),
}

use Type::{Any, Boolean, Integer, Object, Objects, Text, TextMap, Texts};

const PROFILE: Type = Object(&[("type", Text)]);
const SE_LINUX_OPTIONS: Type = Object(&[("level", Text), ("role", Text), ("type", Text), ("user", Text)]);
const WINDOWS_OPTIONS: Type = Object(&[("hostProcess", Boolean)]);

const METADATA: Type = Object(&[("annotations", TextMap)]);

const SPEC: Type = Object(&[
    ("hostIPC", Boolean),
    ("hostNetwork", Boolean),
    ("hostPID", Boolean),
    ("hostUsers", Boolean),
    ("os", Object(&[("name", Text)])),
    (
        "securityContext",
        Object(&[
            ("appArmorProfile", PROFILE),
            ("runAsNonRoot", Boolean),
            ("runAsUser", Integer(64)),
            ("seLinuxOptions", SE_LINUX_OPTIONS),
            ("seccompProfile", PROFILE),
            ("sysctls", Objects(&[("name", Text)])),
            ("windowsOptions", WINDOWS_OPTIONS),
        ]),
    ),
    ("volumes", Objects(VOLUME)),
]);

const VOLUME: &[(&str, Type)] = &[
    ("awsElasticBlockStore", Any),
    ("azureDisk", Any),
    ("azureFile", Any),
    ("cephfs", Any),
    ("cinder", Any),
    ("configMap", Any),
    ("csi", Any),
    ("downwardAPI", Any),
    ("emptyDir", Any),
    ("ephemeral", Any),
    ("fc", Any),
    ("flexVolume", Any),
    ("flocker", Any),
    ("gcePersistentDisk", Any),
    ("gitRepo", Any),
    ("glusterfs", Any),
    ("hostPath", Any),
    ("image", Any),
    ("iscsi", Any),
    ("name", Text),
    ("nfs", Any),
    ("persistentVolumeClaim", Any),
    ("photonPersistentDisk", Any),
    ("portworxVolume", Any),
    ("projected", Any),
    ("quobyte", Any),
    ("rbd", Any),
    ("scaleIO", Any),
    ("secret", Any),
    ("storageos", Any),
    ("vsphereVolume", Any),
];

/// Of a probe, and of a handler of the lifecycle.
const ACTION: Type = Object(&[
    ("exec", Any),
    ("grpc", Any),
    ("httpGet", Object(&[("host", Text)])),
    ("tcpSocket", Object(&[("host", Text)])),
]);

const CONTAINER: Type = Object(&[
    ("lifecycle", Object(&[("postStart", ACTION), ("preStop", ACTION)])),
    ("livenessProbe", ACTION),
    ("ports", Objects(&[("hostPort", Integer(32))])),
    ("readinessProbe", ACTION),
    (
        "securityContext",
        Object(&[
            ("allowPrivilegeEscalation", Boolean),
            ("appArmorProfile", PROFILE),
            ("capabilities", Object(&[("add", Texts), ("drop", Texts)])),
            ("privileged", Boolean),
            ("procMount", Text),
            ("runAsNonRoot", Boolean),
            ("runAsUser", Integer(64)),
            ("seLinuxOptions", SE_LINUX_OPTIONS),
            ("seccompProfile", PROFILE),
            ("windowsOptions", WINDOWS_OPTIONS),
        ]),
    ),
    ("startupProbe", ACTION),
]);

/// Looks at a container at that path.
///
/// # Errors
/// The first field that is of another type.
pub(super) fn container(container: &Value, path: &str) -> Result<(), String> {
    judge(container, &CONTAINER).map_err(|problem| format!("{path}{problem}"))
}

/// Looks at a Pod's spec at that path, but for its containers.
///
/// # Errors
/// As [`container`].
pub(super) fn spec(spec: &Value, path: &str) -> Result<(), String> {
    judge(spec, &SPEC).map_err(|problem| format!("{path}{problem}"))
}

/// Looks at a Pod's metadata at that path.
///
/// # Errors
/// As [`container`].
pub(super) fn metadata(metadata: &Value, path: &str) -> Result<(), String> {
    judge(metadata, &METADATA).map_err(|problem| format!("{path}{problem}"))
}

/// What the checks read of a Pod's spec: those fields, and the names of containers; with the runtime class, by which Pods are
/// let off. What is not of its type stays as it is.
pub fn read_of_spec(spec: &Value) -> Value {
    let mut kept = part(spec, &SPEC);
    let (Some(members), Some(spec)) = (kept.as_object_mut(), spec.as_object()) else { return kept };
    let mut keep = |name: &str, make: fn(&Value) -> Value| {
        let member = spec.get(name).filter(|member| !member.is_null());
        members.extend(member.map(|member| (name.to_owned(), make(member))));
    };
    keep("runtimeClassName", Value::clone);
    LISTS.into_iter().for_each(|list| keep(list, |containers| each_part(containers, read_of_container)));
    kept
}

fn read_of_container(container: &Value) -> Value {
    let mut kept = part(container, &CONTAINER);
    if let (Some(members), Some(name)) = (kept.as_object_mut(), container.get("name")) {
        members.insert("name".to_owned(), name.clone());
    }
    kept
}

/// The value without members that are not read; an object of which nothing is read is empty.
fn part(value: &Value, wanted: &Type) -> Value {
    match (wanted, value) {
        (Any, Value::Object(_)) => Value::Object(Map::new()),
        (Object(fields), Value::Object(members)) => {
            let kept = fields.iter().filter_map(|(name, wanted)| {
                let member = members.get(*name).filter(|member| !member.is_null())?;
                Some(((*name).to_owned(), part(member, wanted)))
            });
            Value::Object(kept.collect())
        }
        (Objects(fields), _) => each_part(value, |item| part(item, &Object(fields))),
        _ => value.clone(),
    }
}

fn each_part(list: &Value, part: impl Fn(&Value) -> Value) -> Value {
    list.as_array().map_or_else(|| list.clone(), |items| items.iter().map(part).collect())
}

/// The problem begins with the rest of the path.
fn judge(value: &Value, wanted: &Type) -> Result<(), String> {
    let fits = |fits: bool, what: &str| if fits { Ok(()) } else { Err(format!(" is not {what}")) };
    match (wanted, value) {
        (_, Value::Null) => Ok(()),
        (Boolean, _) => fits(value.is_boolean(), "a boolean"),
        (Integer(bits), _) => fits(is_integer(value, *bits), &format!("an integer of {bits} bits")),
        (Text, _) => fits(value.is_string(), "a string"),
        (Any, _) => fits(value.is_object(), "an object"),
        (Object(fields), _) => object(value, fields),
        (TextMap, Value::Object(members)) => members
            .iter()
            .try_for_each(|(key, value)| judge(value, &Text).map_err(|problem| format!("[{key}]{problem}"))),
        (TextMap, _) => fits(false, "an object"),
        (Texts, Value::Array(items)) => each(items, |item| judge(item, &Text)),
        (Objects(fields), Value::Array(items)) => each(items, |item| object(item, fields)),
        (Texts | Objects(_), _) => fits(false, "an array"),
    }
}

fn object(value: &Value, fields: &[(&str, Type)]) -> Result<(), String> {
    let members = value.as_object().ok_or(" is not an object")?;
    // A member that is not read can be anything: a newer API server may know it.
    let known = fields.iter().filter_map(|(name, wanted)| Some((name, members.get(*name)?, wanted)));
    for (name, value, wanted) in known {
        judge(value, wanted).map_err(|problem| format!(".{name}{problem}"))?;
    }
    Ok(())
}

fn each(items: &[Value], judge: impl Fn(&Value) -> Result<(), String>) -> Result<(), String> {
    let mut numbered = items.iter().enumerate();
    numbered.try_for_each(|(index, item)| judge(item).map_err(|problem| format!("[{index}]{problem}")))
}

fn is_integer(value: &Value, bits: u32) -> bool {
    match value.as_i64() {
        Some(number) if bits == 32 => i32::try_from(number).is_ok(),
        number => number.is_some(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A value of every type of JSON, and what it is not.
    fn others(wanted: &Type) -> Vec<Value> {
        let all = [json!(true), json!("true"), json!(1), json!([]), json!({})];
        let fits = |value: &Value| match wanted {
            Boolean => value.is_boolean(),
            Integer(_) => value.is_number(),
            Text => value.is_string(),
            Texts | Objects(_) => value.is_array(),
            TextMap | Any | Object(_) => value.is_object(),
        };
        all.into_iter().filter(|value| !fits(value)).collect()
    }

    /// Every field of a type, the objects around it, and what the error says before the problem.
    fn fields(wanted: &'static Type, path: &str, wrap: &dyn Fn(Value) -> Value, seen: &mut usize) {
        for value in others(wanted) {
            let problem = judge(&wrap(value.clone()), &CONTAINER_OR_SPEC).unwrap_err();
            assert!(problem.starts_with(&format!("{path} is not ")), "{path} {value}: {problem}");
            *seen = seen.saturating_add(1);
        }
        assert_eq!(judge(&wrap(Value::Null), &CONTAINER_OR_SPEC), Ok(()), "{path}");
        match wanted {
            Object(inner) => {
                for (name, wanted) in *inner {
                    let wrap = |value: Value| wrap(json!({ *name: value }));
                    fields(wanted, &format!("{path}.{name}"), &wrap, seen);
                }
            }
            Objects(inner) => {
                let problem = judge(&wrap(json!([{}, null])), &CONTAINER_OR_SPEC).unwrap_err();
                assert_eq!(problem, format!("{path}[1] is not an object"));
                for (name, wanted) in *inner {
                    let wrap = |value: Value| wrap(json!([{}, { *name: value }]));
                    fields(wanted, &format!("{path}[1].{name}"), &wrap, seen);
                }
            }
            _ => {}
        }
    }

    const CONTAINER_OR_SPEC: Type =
        Object(&[("container", CONTAINER), ("spec", SPEC), ("metadata", METADATA)]);

    #[test]
    fn a_field_of_another_type_is_named() {
        let mut seen = 0;
        fields(&CONTAINER_OR_SPEC, "", &|value| value, &mut seen);
        assert!(seen > 300, "{seen}");
    }

    #[test]
    fn items_and_members_are_looked_at() {
        let rows = [
            (json!({ "securityContext": { "capabilities": { "add": ["a", null] } } }), Ok(())),
            (
                json!({ "securityContext": { "capabilities": { "add": ["a", 5] } } }),
                Err("c.securityContext.capabilities.add[1] is not a string".to_owned()),
            ),
            (
                json!({ "securityContext": { "runAsUser": 1.0 } }),
                Err("c.securityContext.runAsUser is not an integer of 64 bits".to_owned()),
            ),
            (
                json!({ "securityContext": { "runAsUser": 9_223_372_036_854_775_808_u64 } }),
                Err("c.securityContext.runAsUser is not an integer of 64 bits".to_owned()),
            ),
            (json!({ "ports": [{ "hostPort": 2_147_483_647 }] }), Ok(())),
            (
                json!({ "ports": [{ "hostPort": 2_147_483_648_u64 }] }),
                Err("c.ports[0].hostPort is not an integer of 32 bits".to_owned()),
            ),
            (json!({ "unheardOf": 5, "securityContext": { "unheardOf": [] } }), Ok(())),
        ];
        for (value, expected) in rows {
            assert_eq!(container(&value, "c"), expected, "{value}");
        }
        assert_eq!(metadata(&json!({ "annotations": { "a": null, "b": "" } }), "metadata"), Ok(()));
        let problem = metadata(&json!({ "annotations": { "a": 5 } }), "metadata");
        assert_eq!(problem, Err("metadata.annotations[a] is not a string".to_owned()));
        assert_eq!(spec(&json!({ "hostPID": 1 }), "spec"), Err("spec.hostPID is not a boolean".to_owned()));
    }
}
