//! Resources of the Pod as a whole (`spec.resources`): where a Pod states some, an API server derives the others from
//! its containers.
//!
//! Source: `k8s.io/kubernetes` v1.37, `pkg/api/pod` (`DefaultPodLevelResources`); how containers add up:
//! `k8s.io/component-helpers`, `resource` (`AggregateContainerRequests`).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::supply;
use crate::kubernetes::quantity::Quantity;

/// Amounts by the name of the resource.
type Amounts = BTreeMap<String, Quantity>;

/// The `resources` of a container or a Pod.
#[derive(Default)]
struct Resources {
    requests: Amounts,
    limits: Amounts,
}

/// A container's resources, and when it runs.
struct Container {
    runs: Runs,
    resources: Resources,
}

/// When a container runs: together with which others.
enum Runs {
    /// With all other regular containers and all sidecars.
    Regular,
    /// With those, and with the init containers behind it.
    Sidecar,
    /// With the sidecars before it.
    Init,
}

/// Completes the Pod's own resources, if it states any and all amounts in it can be read. The containers must have
/// their defaults.
pub(super) fn apply(spec: &mut Map<String, Value>) {
    let Some(Resources { requests, limits }) = completed(spec) else { return };
    let Some(own) = spec.get_mut("resources").and_then(Value::as_object_mut) else { return };
    for (name, amounts) in [("requests", requests), ("limits", limits)] {
        let members = amounts.into_iter().map(|(name, amount)| (name, Value::from(amount.canonical())));
        supply(own, name, members.collect());
    }
}

/// What the Pod's own resources will be. The order is upstream's: what was derived is derived from.
fn completed(spec: &Map<String, Value>) -> Option<Resources> {
    let Resources { mut requests, mut limits } = Resources::read(spec)?;
    if requests.is_empty() && limits.is_empty() {
        return None;
    }
    let containers = containers(spec)?;
    let requested = total(&containers, |resources| &resources.requests);
    let limited = total(&containers, |resources| &resources.limits);
    for (name, amount) in limited.iter().filter(|(name, _)| is_huge_pages(name)) {
        if !requests.contains_key(name) {
            limits.entry(name.clone()).or_insert_with(|| amount.clone());
        }
    }
    for (name, amount) in requested.into_iter().filter(|(name, _)| is_cpu_or_memory(name)) {
        requests.entry(name).or_insert(amount);
    }
    for (name, amount) in limits.iter().filter(|(name, _)| is_supported(name)) {
        requests.entry(name.clone()).or_insert_with(|| amount.clone());
    }
    for (name, request) in requests.iter().filter(|(name, _)| is_supported(name)) {
        let all_limited = containers.iter().all(|container| container.resources.limits.contains_key(name));
        if let Some(limit) = limited.get(name).filter(|_| all_limited) {
            limits.entry(name.clone()).or_insert_with(|| limit.max(request).clone());
        }
    }
    Some(Resources { requests, limits })
}

/// What containers need at once, at most: while they run, or while an init container does.
fn total(containers: &[Container], amounts: impl Fn(&Resources) -> &Amounts) -> Amounts {
    let (mut running, mut sidecars, mut starting) = (Amounts::new(), Amounts::new(), Amounts::new());
    for container in containers {
        let amounts = amounts(&container.resources);
        match container.runs {
            Runs::Regular => add(&mut running, amounts),
            Runs::Sidecar => {
                add(&mut running, amounts);
                add(&mut sidecars, amounts);
            }
            Runs::Init => {
                let mut meanwhile = amounts.clone();
                add(&mut meanwhile, &sidecars);
                raise(&mut starting, &meanwhile);
            }
        }
    }
    raise(&mut running, &starting);
    running
}

fn add(total: &mut Amounts, amounts: &Amounts) {
    for (name, amount) in amounts {
        let sum = total.get(name).map_or_else(|| amount.clone(), |sum| sum.plus(amount));
        total.insert(name.clone(), sum);
    }
}

fn raise(total: &mut Amounts, amounts: &Amounts) {
    for (name, amount) in amounts {
        if total.get(name).is_none_or(|most| amount > most) {
            total.insert(name.clone(), amount.clone());
        }
    }
}

fn containers(spec: &Map<String, Value>) -> Option<Vec<Container>> {
    let mut found = Vec::new();
    for list in ["containers", "initContainers"] {
        for container in
            present(spec.get(list)).map_or(Some(&[][..]), |list| list.as_array().map(Vec::as_slice))?
        {
            let container = container.as_object()?;
            let always = container.get("restartPolicy").and_then(Value::as_str) == Some("Always");
            let runs = match list {
                "containers" => Runs::Regular,
                _ if always => Runs::Sidecar,
                _ => Runs::Init,
            };
            found.push(Container { runs, resources: Resources::read(container)? });
        }
    }
    Some(found)
}

impl Resources {
    /// None where something can't be read.
    fn read(owner: &Map<String, Value>) -> Option<Self> {
        let Some(resources) = present(owner.get("resources")) else { return Some(Self::default()) };
        let resources = resources.as_object()?;
        let amounts = |name: &str| match present(resources.get(name)) {
            None => Some(Amounts::new()),
            // An API server rounds every amount up to a whole number of millis (SetDefaults_ResourceList).
            Some(list) => list
                .as_object()?
                .iter()
                .map(|(name, amount)| Some((name.clone(), Quantity::from_json(amount).ok()?.round_up(-3))))
                .collect(),
        };
        Some(Self { requests: amounts("requests")?, limits: amounts("limits")? })
    }
}

/// Null is as absent.
fn present(value: Option<&Value>) -> Option<&Value> {
    value.filter(|value| !value.is_null())
}

/// The resources that a Pod may state as a whole.
fn is_supported(name: &str) -> bool {
    is_cpu_or_memory(name) || is_huge_pages(name)
}

fn is_cpu_or_memory(name: &str) -> bool {
    matches!(name, "cpu" | "memory")
}

fn is_huge_pages(name: &str) -> bool {
    name.starts_with("hugepages-")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn completed(spec: Value) -> Value {
        let mut pod = json!({ "metadata": {}, "spec": spec });
        super::super::apply(&mut pod);
        pod["spec"]["resources"].take()
    }

    fn container(requests: Value, limits: Value) -> Value {
        json!({ "name": "c", "resources": { "requests": requests, "limits": limits } })
    }

    fn sidecar(requests: Value) -> Value {
        json!({ "name": "s", "restartPolicy": "Always", "resources": { "requests": requests } })
    }

    #[test]
    fn without_resources_of_its_own_a_pod_gets_none() {
        let containers = json!([container(json!({ "cpu": "1" }), json!({ "cpu": "2" }))]);
        for own in [json!(null), json!({}), json!({ "requests": {}, "limits": null })] {
            assert_eq!(completed(json!({ "resources": own, "containers": containers })), own);
        }
        assert_eq!(completed(json!({ "containers": containers })), json!(null));
    }

    #[test]
    fn requests_are_the_containers_else_the_pods_limits() {
        let rows = [
            (
                json!([
                    container(json!({ "cpu": "100m" }), json!({})),
                    container(json!({ "cpu": "0.25" }), json!({}))
                ]),
                "350m",
                "1Gi",
            ),
            (json!([container(json!({}), json!({}))]), "2", "1Gi"),
            (json!([]), "2", "1Gi"),
            (
                json!([container(json!({}), json!({ "memory": "300Mi" })), container(json!({}), json!({}))]),
                "2",
                "300Mi",
            ),
            (
                json!([
                    container(json!({ "cpu": "0.0001" }), json!({})),
                    container(json!({ "cpu": "0.0001" }), json!({}))
                ]),
                "2m",
                "1Gi",
            ),
        ];
        for (containers, cpu, memory) in rows {
            let limits = json!({ "cpu": 2, "memory": "1Gi" });
            let expected = json!({ "limits": limits, "requests": { "cpu": cpu, "memory": memory } });
            assert_eq!(
                completed(json!({ "resources": { "limits": limits }, "containers": containers })),
                expected
            );
        }
    }

    #[test]
    fn what_the_pod_states_stays() {
        let own = json!({ "limits": { "cpu": "1" }, "requests": { "cpu": "0.5" } });
        let containers = json!([container(json!({ "cpu": "700m" }), json!({ "cpu": "3" }))]);
        assert_eq!(completed(json!({ "resources": own, "containers": containers })), own);
    }

    #[test]
    fn limits_are_the_containers_where_each_has_one() {
        let own = json!({ "requests": { "cpu": "1", "memory": "4Gi" } });
        let limited = || container(json!({}), json!({ "cpu": "1500m", "memory": "1Gi" }));
        let rows = [
            (json!([limited(), limited()]), json!([]), json!({ "cpu": "3", "memory": "4Gi" })),
            (
                json!([limited(), limited()]),
                json!([container(json!({}), json!({ "cpu": "9" }))]),
                json!({ "cpu": "9" }),
            ),
            (
                json!([limited(), container(json!({}), json!({ "memory": "4Gi" }))]),
                json!([]),
                json!({ "memory": "5Gi" }),
            ),
            (json!([limited()]), json!([sidecar(json!({ "cpu": "1" }))]), json!(null)),
        ];
        for (containers, init, limits) in rows {
            let found =
                completed(json!({ "resources": own, "containers": containers, "initContainers": init }));
            assert_eq!(found["requests"], own["requests"]);
            assert_eq!(found["limits"], limits, "{containers} {init}");
        }
    }

    #[test]
    fn init_containers_count_with_the_sidecars_before_them() {
        let init = |cpu: &str| container(json!({ "cpu": cpu }), json!({}));
        let app = json!([
            container(json!({ "cpu": "500m" }), json!({})),
            container(json!({ "cpu": "100m" }), json!({}))
        ]);
        let side = || sidecar(json!({ "cpu": "200m" }));
        let rows = [
            (json!([init("2"), side(), init("1")]), "2"),
            (json!([side(), init("2")]), "2200m"),
            (json!([init("700m"), side()]), "800m"),
            (json!([side(), side(), init("500m")]), "1"),
            (json!([]), "600m"),
        ];
        for (init, cpu) in rows {
            let spec = json!({ "resources": { "limits": { "memory": "1Gi" } }, "containers": app, "initContainers": init });
            assert_eq!(completed(spec)["requests"]["cpu"], cpu, "{init}");
        }
    }

    #[test]
    fn huge_pages_are_limits_of_the_containers_and_other_resources_are_not_the_pods() {
        let pages = json!({ "hugepages-2Mi": "4Mi", "ephemeral-storage": "1Gi", "example.org/card": "1" });
        let containers = json!([container(json!({}), pages.clone()), container(json!({}), json!({}))]);
        let found =
            completed(json!({ "resources": { "requests": { "cpu": "1" } }, "containers": containers }));
        let expected = json!({ "limits": { "hugepages-2Mi": "4Mi" }, "requests": { "cpu": "1", "hugepages-2Mi": "4Mi" } });
        assert_eq!(found, expected);
        let own = json!({ "requests": { "hugepages-2Mi": "8Mi" } });
        assert_eq!(completed(json!({ "resources": own, "containers": containers })), own);
    }

    #[test]
    fn where_an_amount_cant_be_read_nothing_is_derived() {
        let own = json!({ "limits": { "cpu": "1" } });
        let good = container(json!({ "cpu": "1" }), json!({}));
        let bad = [
            json!(null),
            json!({ "name": "c", "resources": [] }),
            container(json!({ "cpu": "much" }), json!({})),
            container(json!([]), json!({})),
        ];
        for bad in bad {
            let lists = [
                ("containers", json!([good, bad])),
                ("initContainers", json!([bad])),
                ("initContainers", json!({})),
            ];
            for (list, items) in lists {
                assert_eq!(completed(json!({ "resources": own, list: items })), own, "{list} {items}");
            }
        }
        for own in [json!([]), json!({ "limits": { "cpu": "x" } }), json!({ "limits": "x" })] {
            assert_eq!(completed(json!({ "resources": own, "containers": [good] })), own);
        }
    }
}
