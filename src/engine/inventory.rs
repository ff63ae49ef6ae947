//! The fact `inventory` in the interpreter's form. What was converted is kept beside the objects: of thousands only those
//! that changed since the last request are converted again.

use std::collections::BTreeMap;

use regorus::Value as Rego;

use super::input;
use crate::context::{Inventory, Names, Stored};

/// The same value as [`Inventory::value`].
pub(super) fn to_rego(inventory: &Inventory) -> Rego {
    inventory.made.or_make(|| {
        let (mut cluster, mut namespaces) = (None, BTreeMap::new());
        for (namespace, versions) in inventory.namespaces() {
            let value = map(versions.iter().map(|(version, kinds)| {
                (version.as_str(), map(kinds.iter().map(|(kind, objects)| (*kind, names(objects)))))
            }));
            if namespace.is_empty() {
                cluster = Some(value);
            } else {
                namespaces.insert(Rego::from(namespace), value);
            }
        }
        let namespaces = (!namespaces.is_empty()).then(|| Rego::from(namespaces));
        let members = [("cluster", cluster), ("namespace", namespaces)];
        map(members.into_iter().filter_map(|(name, value)| Some((name, value?))))
    })
}

fn names(names: &Names) -> Rego {
    names.made.or_make(|| map(names.iter().map(|(name, stored)| (name, object(stored)))))
}

fn object(stored: &Stored) -> Rego {
    stored.made.or_make(|| input::to_rego(&stored.value()))
}

fn map<'a>(members: impl Iterator<Item = (&'a str, Rego)>) -> Rego {
    Rego::from(members.map(|(name, value)| (Rego::from(name), value)).collect::<BTreeMap<_, _>>())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use crate::admission::GroupVersionKind;
    use crate::context::Objects;

    fn objects(all: &[(&str, &str)]) -> Arc<Objects> {
        let mut objects = Objects::default();
        for (namespace, name) in all {
            objects.insert(namespace, name, &json!({ "metadata": { "name": name } }));
        }
        Arc::new(objects)
    }

    fn value(inventory: &Inventory) -> Value {
        serde_json::to_value(to_rego(inventory)).unwrap()
    }

    #[test]
    fn it_is_gatekeepers_shape_in_both_forms() {
        let kind = |group: &str, kind: &str| GroupVersionKind::new(group, "v1", kind);
        let named = |name: &str| json!({ "metadata": { "name": name } });
        let inventory = Inventory::new(vec![
            (kind("", "Namespace"), objects(&[("", "shop")])),
            (kind("apps", "Deployment"), objects(&[("shop", "web"), ("bank", "web")])),
            (kind("apps", "DaemonSet"), objects(&[("shop", "log")])),
        ]);
        let expected = json!({
            "cluster": { "v1": { "Namespace": { "shop": named("shop") } } },
            "namespace": {
                "bank": { "apps/v1": { "Deployment": { "web": named("web") } } },
                "shop": { "apps/v1": { "Deployment": { "web": named("web") }, "DaemonSet": { "log": named("log") } } },
            },
        });
        assert_eq!((value(&inventory), inventory.value()), (expected.clone(), expected));
        let nothing = Inventory::new(vec![(kind("", "Pod"), objects(&[]))]);
        assert_eq!((value(&nothing), nothing.value()), (json!({}), json!({})));
    }

    #[test]
    fn a_change_is_seen() {
        let kind = GroupVersionKind::new("", "v1", "Pod");
        let mut pods = objects(&[("shop", "a")]);
        let first = Inventory::new(vec![(kind.clone(), Arc::clone(&pods))]);
        assert_eq!(value(&first), first.value());
        Arc::make_mut(&mut pods).insert("shop", "b", &json!({ "metadata": { "name": "b" } }));
        assert!(!first.is_of(&[(kind.clone(), Arc::clone(&pods))]));
        let second = Inventory::new(vec![(kind, pods)]);
        assert_eq!(value(&second), second.value());
        assert_ne!(first, second);
    }
}
