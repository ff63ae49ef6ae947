//! What an API server sets in a new Pod before it asks for admission, as far as policies judge it. The dry run calls it
//! for Pods and for the Pods that it makes of templates; never the webhook, which is sent Pods that have it.
//! Nothing else is added, and what an API server would refuse to read is left as it is.
//!
//! Source: `k8s.io/kubernetes`, `pkg/apis/core/v1/defaults.go` (`SetDefaults_Pod`, `SetDefaults_Volume`).

mod pod_level;

use serde_json::{Map, Value, json};

use crate::kubernetes::quantity::Quantity;

/// Sets the defaults of a whole Pod, `{metadata, spec}`.
pub(crate) fn apply(pod: &mut Value) {
    let Some(spec) = pod.get_mut("spec").and_then(Value::as_object_mut) else { return };
    let host_network = spec.get("hostNetwork") == Some(&Value::Bool(true));
    for list in ["containers", "initContainers"] {
        for container in objects(spec, list) {
            request_what_is_limited(container);
            if host_network {
                objects(container, "ports").for_each(take_host_port);
            }
        }
    }
    // It reads the containers' requests.
    pod_level::apply(spec);
    objects(spec, "volumes").for_each(make_empty_dir);
}

/// The objects of a list; none where it is no list.
fn objects<'a>(
    owner: &'a mut Map<String, Value>,
    list: &str,
) -> impl Iterator<Item = &'a mut Map<String, Value>> {
    owner.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut)
}

/// A container requests what it is limited to, resource by resource.
fn request_what_is_limited(container: &mut Map<String, Value>) {
    let Some(resources) = container.get_mut("resources").and_then(Value::as_object_mut) else { return };
    let limits = resources.get("limits").and_then(Value::as_object).into_iter().flatten();
    let limits = limits.filter(|(_, amount)| Quantity::from_json(amount).is_ok());
    let limits: Vec<_> = limits.map(|(name, amount)| (name.clone(), amount.clone())).collect();
    supply(resources, "requests", limits);
}

/// Adds members to an object that is itself a member, and need not be there. Those that are there stay.
fn supply(owner: &mut Map<String, Value>, name: &str, members: Vec<(String, Value)>) {
    if members.is_empty() {
        return;
    }
    let target = owner.entry(name).or_insert(Value::Null);
    if target.is_null() {
        *target = json!({});
    }
    let Some(target) = target.as_object_mut() else { return };
    for (name, value) in members {
        target.entry(name).or_insert(value);
    }
}

/// In the host's network a container's port is the host's.
fn take_host_port(port: &mut Map<String, Value>) {
    let is_unset = |port: &Value| port.is_null() || port.as_i64() == Some(0);
    let container_port = port.get("containerPort").filter(|port| port.is_i64() && !is_unset(port)).cloned();
    if port.get("hostPort").is_none_or(is_unset)
        && let Some(container_port) = container_port
    {
        port.insert("hostPort".to_owned(), container_port);
    }
}

/// A volume that doesn't say what it is made of is an empty directory.
fn make_empty_dir(volume: &mut Map<String, Value>) {
    if volume.iter().all(|(name, value)| name == "name" || value.is_null()) {
        volume.insert("emptyDir".to_owned(), json!({}));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn defaulted(spec: Value) -> Value {
        let mut pod = json!({ "metadata": {}, "spec": spec });
        apply(&mut pod);
        assert_eq!(pod["metadata"], json!({}));
        let again = {
            let mut pod = pod.clone();
            apply(&mut pod);
            pod
        };
        assert_eq!(again, pod, "defaults are set once");
        pod["spec"].take()
    }

    #[test]
    fn requests_become_limits_where_they_are_missing() {
        let rows = [
            (
                json!({ "limits": { "cpu": "1" } }),
                json!({ "limits": { "cpu": "1" }, "requests": { "cpu": "1" } }),
            ),
            (
                json!({ "limits": { "cpu": 1.5 } }),
                json!({ "limits": { "cpu": 1.5 }, "requests": { "cpu": 1.5 } }),
            ),
            (
                json!({ "limits": { "cpu": "1", "memory": "1Gi" }, "requests": { "cpu": "0" } }),
                json!({ "limits": { "cpu": "1", "memory": "1Gi" }, "requests": { "cpu": "0", "memory": "1Gi" } }),
            ),
            (
                json!({ "limits": { "cpu": "1", "example.org/card": 1 }, "requests": { "cpu": null } }),
                json!({
                    "limits": { "cpu": "1", "example.org/card": 1 },
                    "requests": { "cpu": null, "example.org/card": 1 },
                }),
            ),
            (
                json!({ "limits": { "cpu": "1" }, "requests": null }),
                json!({ "limits": { "cpu": "1" }, "requests": { "cpu": "1" } }),
            ),
            (
                json!({ "limits": { "cpu": "1", "memory": "many" } }),
                json!({ "limits": { "cpu": "1", "memory": "many" }, "requests": { "cpu": "1" } }),
            ),
        ];
        for list in ["containers", "initContainers"] {
            for (before, after) in &rows {
                let spec = |resources: &Value| json!({ list: [{ "name": "a", "resources": resources }] });
                assert_eq!(defaulted(spec(before)), spec(after), "{list} {before}");
            }
        }
    }

    #[test]
    fn containers_without_limits_and_ephemeral_ones_stay() {
        let limited = json!([{ "name": "a", "resources": { "limits": { "cpu": "1" } } }]);
        let specs = [
            json!({ "containers": [{ "name": "a" }, { "name": "b", "resources": {} }] }),
            json!({ "containers": [{ "name": "a", "resources": { "limits": {}, "requests": null } }] }),
            json!({ "containers": [{ "name": "a", "resources": { "limits": null, "requests": { "cpu": "1" } } }] }),
            json!({ "containers": [], "ephemeralContainers": limited }),
        ];
        for spec in specs {
            assert_eq!(defaulted(spec.clone()), spec);
        }
    }

    #[test]
    fn in_the_hosts_network_ports_are_the_hosts() {
        let before = json!([
            { "containerPort": 80 },
            { "containerPort": 81, "hostPort": 0, "protocol": "UDP" },
            { "containerPort": 82, "hostPort": null },
            { "containerPort": 83, "hostPort": 8083 },
            { "containerPort": 0 },
            { "containerPort": "84" },
            { "name": "none" },
        ]);
        let after = json!([
            { "containerPort": 80, "hostPort": 80 },
            { "containerPort": 81, "hostPort": 81, "protocol": "UDP" },
            { "containerPort": 82, "hostPort": 82 },
            { "containerPort": 83, "hostPort": 8083 },
            { "containerPort": 0 },
            { "containerPort": "84" },
            { "name": "none" },
        ]);
        for list in ["containers", "initContainers"] {
            let spec =
                |network: Value, ports: &Value| json!({ "hostNetwork": network, list: [{ "ports": ports }] });
            assert_eq!(defaulted(spec(json!(true), &before)), spec(json!(true), &after), "{list}");
            for network in [json!(false), json!(null), json!("true")] {
                assert_eq!(defaulted(spec(network.clone(), &before)), spec(network, &before), "{list}");
            }
        }
        let ephemeral = json!({ "hostNetwork": true, "ephemeralContainers": [{ "ports": before }] });
        assert_eq!(defaulted(ephemeral.clone()), ephemeral);
    }

    #[test]
    fn a_volume_without_a_source_is_an_empty_directory() {
        let before = json!([
            { "name": "a" },
            { "name": "b", "hostPath": null, "emptyDir": null },
            { "name": "c", "emptyDir": { "medium": "Memory" } },
            { "name": "d", "hostPath": { "path": "/" } },
            { "name": "e", "csi": {} },
        ]);
        let after = json!([
            { "name": "a", "emptyDir": {} },
            { "name": "b", "hostPath": null, "emptyDir": {} },
            { "name": "c", "emptyDir": { "medium": "Memory" } },
            { "name": "d", "hostPath": { "path": "/" } },
            { "name": "e", "csi": {} },
        ]);
        assert_eq!(defaulted(json!({ "volumes": before })), json!({ "volumes": after }));
    }

    #[test]
    fn what_is_malformed_stays() {
        let limited = |resources: Value| json!({ "containers": [{ "name": "a", "resources": resources }] });
        let specs = [
            json!(null),
            json!([]),
            json!("spec"),
            json!({ "containers": { "name": "a" }, "initContainers": null, "volumes": "all", "resources": [] }),
            json!({ "containers": [null, "a", [], 5], "volumes": [null, "a", []] }),
            json!({ "hostNetwork": true, "containers": [{ "ports": { "containerPort": 80 } }, { "ports": [80, null] }] }),
            limited(json!("1")),
            limited(json!({ "limits": ["cpu"] })),
            limited(json!({ "limits": { "cpu": "1" }, "requests": ["cpu"] })),
            limited(json!({ "limits": { "cpu": {}, "memory": true, "storage": "1 Gi" } })),
        ];
        for spec in specs {
            assert_eq!(defaulted(spec.clone()), spec);
        }
        for pod in [json!(null), json!([]), json!({}), json!({ "metadata": {} })] {
            let mut same = pod.clone();
            apply(&mut same);
            assert_eq!(same, pod);
        }
    }
}
