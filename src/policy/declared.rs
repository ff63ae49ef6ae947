//! METADATA's `context`: the facts that a policy declares, and what of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::de::{Error, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::declared_images::DeclaredImages;
use crate::admission::GroupVersionKind;
use crate::kubernetes::kinds;

/// A fact that a policy may declare in `context` (contracts: the facts that exist so far).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FactName {
    /// HorizontalPodAutoscalers, VerticalPodAutoscalers and ScaledObjects of the namespace.
    Autoscalers,
    /// `{major, minor}` of the API server.
    #[serde(rename = "cluster.version")]
    ClusterVersion,
    /// The container view.
    Containers,
    /// PodDisruptionBudgets of the namespace.
    DisruptionBudgets,
    /// The exceptions that cover the object.
    Exceptions,
    /// Who signed the images, and what was said of them.
    Images,
    /// Gatekeeper's `data.inventory`, of the kinds that are declared.
    Inventory,
    /// LimitRanges of the namespace.
    LimitRanges,
    /// What a mesh would do with the object.
    #[serde(rename = "mesh.proposal")]
    MeshProposal,
    /// `{name, labels, annotations}`.
    Namespace,
    /// `{rfc3339, ns}`.
    Now,
    /// The top-level workload above the object, or null.
    Owner,
    /// The Pod that the object is or will make, or null.
    Pod,
    /// The Pods of a namespace whose labels change.
    Pods,
    /// ResourceQuotas of the namespace.
    ResourceQuotas,
    /// Overheads by the name of the RuntimeClass.
    RuntimeClasses,
}

impl FactName {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::Autoscalers,
        Self::ClusterVersion,
        Self::Containers,
        Self::DisruptionBudgets,
        Self::Exceptions,
        Self::Images,
        Self::Inventory,
        Self::LimitRanges,
        Self::MeshProposal,
        Self::Namespace,
        Self::Now,
        Self::Owner,
        Self::Pod,
        Self::Pods,
        Self::ResourceQuotas,
        Self::RuntimeClasses,
    ];

    /// The name under `input.context`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Autoscalers => "autoscalers",
            Self::ClusterVersion => "cluster.version",
            Self::Containers => "containers",
            Self::DisruptionBudgets => "disruption_budgets",
            Self::Exceptions => "exceptions",
            Self::Images => "images",
            Self::Inventory => "inventory",
            Self::LimitRanges => "limit_ranges",
            Self::MeshProposal => "mesh.proposal",
            Self::Namespace => "namespace",
            Self::Now => "now",
            Self::Owner => "owner",
            Self::Pod => "pod",
            Self::Pods => "pods",
            Self::ResourceQuotas => "resource_quotas",
            Self::RuntimeClasses => "runtime_classes",
        }
    }
}

/// A fact as it is declared. Policies that declare different kinds for their inventories see different ones.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeclaredFact {
    /// Which.
    pub name: FactName,
    /// Of the inventory: the kinds. Empty for all others.
    pub kinds: BTreeSet<GroupVersionKind>,
    /// Of images: what of them. As if nothing were said for all others.
    pub images: DeclaredImages,
}

impl From<FactName> for DeclaredFact {
    fn from(name: FactName) -> Self {
        Self { name, kinds: BTreeSet::new(), images: DeclaredImages::default() }
    }
}

impl fmt::Display for DeclaredFact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name.as_str())?;
        if self.kinds.is_empty() { Ok(()) } else { write!(f, " ({})", self.written().join(", ")) }
    }
}

impl DeclaredFact {
    fn written(&self) -> Vec<String> {
        self.kinds.iter().map(|kind| format!("{}/{}", kind.api_version(), kind.kind)).collect()
    }
}

/// A name; with kinds as METADATA has it.
impl Serialize for DeclaredFact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let options = BTreeMap::from([("kinds", self.written())]);
        match self.name {
            FactName::Inventory => BTreeMap::from([(self.name, options)]).serialize(serializer),
            FactName::Images if self.images != DeclaredImages::default() => {
                BTreeMap::from([(self.name, &self.images)]).serialize(serializer)
            }
            name => name.serialize(serializer),
        }
    }
}

/// The wire form: a list of names, or a map of names to options.
#[derive(Debug, Default)]
pub(super) struct Context(pub(super) BTreeSet<DeclaredFact>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoOptions {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InventoryOptions {
    #[serde(deserialize_with = "kinds")]
    kinds: BTreeSet<GroupVersionKind>,
}

struct Kind(GroupVersionKind);

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        kind(&String::deserialize(deserializer)?).map(Self).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Context {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContextVisitor)
    }
}

fn kinds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeSet<GroupVersionKind>, D::Error> {
    let kinds = Vec::<Kind>::deserialize(deserializer)?;
    if kinds.is_empty() {
        return Err(D::Error::custom("none, so the inventory would be empty; name the kinds that are read"));
    }
    Ok(kinds.into_iter().map(|kind| kind.0).collect())
}

struct ContextVisitor;

impl<'de> Visitor<'de> for ContextVisitor {
    type Value = Context;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of facts, or a map of facts to options")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Context, A::Error> {
        let mut context = Context::default();
        while let Some(name) = all.next_element::<FactName>()? {
            if name == FactName::Inventory {
                return Err(A::Error::custom(
                    "`inventory` takes kinds; write `context: {inventory: {kinds: [v1/Pod]}}`",
                ));
            }
            context.0.insert(name.into());
        }
        Ok(context)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut all: A) -> Result<Context, A::Error> {
        let mut context = Context::default();
        // Read as text, for the path of an error names keys that are.
        while let Some(key) = all.next_key::<String>()? {
            let name = FactName::deserialize(IntoDeserializer::<A::Error>::into_deserializer(key))?;
            let mut declared = DeclaredFact::from(name);
            match name {
                FactName::Inventory => declared.kinds = all.next_value::<InventoryOptions>()?.kinds,
                FactName::Images => {
                    declared.images = all.next_value::<Option<DeclaredImages>>()?.unwrap_or_default();
                }
                _ => {
                    all.next_value::<Option<NoOptions>>()?;
                }
            }
            context.0.insert(declared);
        }
        Ok(context)
    }

    fn visit_unit<E: Error>(self) -> Result<Context, E> {
        Ok(Context::default())
    }
}

/// Reads `apps/v1/Deployment`, or `Deployment` of a kind that only one group of Kubernetes' own has.
fn kind(text: &str) -> Result<GroupVersionKind, String> {
    let kind = match text.rsplit_once('/') {
        None => by_name(text)?,
        Some((api_version, kind)) => by_version(api_version, kind)?,
    };
    // Whatever a policy reads may stand in its messages.
    if (kind.group.as_str(), kind.kind.as_str()) == ("", "Secret") {
        return Err("no policy reads Secrets; name another kind".to_owned());
    }
    Ok(kind)
}

fn by_name(name: &str) -> Result<GroupVersionKind, String> {
    let found = kinds::named(name);
    match found.as_slice() {
        [one] => Ok(GroupVersionKind::new(one.group.as_str(), one.version.as_str(), one.kind.as_str())),
        [] => Err(format!(
            "Kubernetes has no kind `{name}`; write another's with its apiVersion, as `example.com/v1/{name}`"
        )),
        [first, ..] => Err(format!(
            "`{name}` is a kind of several groups; write it with its apiVersion, as `{}/{name}`",
            GroupVersionKind::new(first.group.as_str(), first.version.as_str(), name).api_version()
        )),
    }
}

fn by_version(api_version: &str, kind: &str) -> Result<GroupVersionKind, String> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    if kind.is_empty() || version.is_empty() || version.contains('/') {
        return Err(format!("`{api_version}/{kind}` is no kind; write one as `apps/v1/Deployment`"));
    }
    if let Some(meant) = kinds::misspelt(api_version, kind) {
        return Err(format!("no kind `{kind}` in {api_version}; did you mean `{meant}`?"));
    }
    let is_served = kinds::built_in(api_version, kind).is_some();
    let own = group.is_empty() || kinds::is_built_in(group, kind);
    match kinds::successor(api_version, kind) {
        Some(served) if !is_served => {
            let of = GroupVersionKind::new(served.group, served.version, kind).api_version();
            Err(format!("Kubernetes serves no {kind} in {api_version}; write `{of}/{kind}`"))
        }
        None if own && !is_served => Err(format!("Kubernetes has no kind `{kind}` in {api_version}")),
        _ => Ok(GroupVersionKind::new(group, version, kind)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::files::typed;
    use super::*;

    fn read(value: Value) -> Result<BTreeSet<DeclaredFact>, Vec<String>> {
        typed::<Context>(&value, "context")
            .map(|context| context.0)
            .map_err(|misfits| misfits.into_iter().map(|misfit| misfit.message).collect())
    }

    #[test]
    fn a_list_and_a_map_say_the_same() {
        let facts = BTreeSet::from([FactName::Now.into(), FactName::ClusterVersion.into()]);
        assert_eq!(read(json!(["now", "cluster.version"])), Ok(facts.clone()));
        assert_eq!(read(json!({ "now": null, "cluster.version": {} })), Ok(facts));
        assert_eq!(read(json!(null)), Ok(BTreeSet::new()));
    }

    #[test]
    fn every_name_is_read_as_it_is_written() {
        for name in FactName::ALL {
            assert_eq!(serde_json::to_value(name).unwrap(), json!(name.as_str()));
        }
    }

    #[test]
    fn kinds_have_a_group_and_a_version() {
        let kinds = json!(["Pod", "apps/v1/Deployment", "Ingress", "example.com/v1alpha1/Widget"]);
        let declared = read(json!({ "inventory": { "kinds": kinds } })).unwrap();
        let kind = |group: &str, version: &str, kind: &str| GroupVersionKind::new(group, version, kind);
        let expected = BTreeSet::from([
            kind("", "v1", "Pod"),
            kind("apps", "v1", "Deployment"),
            kind("networking.k8s.io", "v1", "Ingress"),
            kind("example.com", "v1alpha1", "Widget"),
        ]);
        assert_eq!(
            declared,
            BTreeSet::from([DeclaredFact { kinds: expected, ..FactName::Inventory.into() }])
        );
    }

    #[test]
    fn what_can_not_be_meant_is_refused_with_a_remedy() {
        let kinds = |kind: &str| json!({ "inventory": { "kinds": [kind] } });
        for (value, message) in [
            (
                json!(["inventory"]),
                "context: `inventory` takes kinds; write `context: {inventory: {kinds: [v1/Pod]}}`",
            ),
            (
                json!({ "inventory": { "kinds": [] } }),
                "context.inventory.kinds: none, so the inventory would be empty; name the kinds that are read",
            ),
            (
                json!({ "inventory": { "kind": ["Pod"] } }),
                "context.inventory.kind: unknown field `kind`, expected `kinds`; did you mean `kinds`?",
            ),
            (
                json!({ "now": { "kinds": [] } }),
                "context.now.kinds: unknown field `kinds`, there are no fields",
            ),
            (kinds("Secret"), "context.inventory.kinds.0: no policy reads Secrets; name another kind"),
            (kinds("v1/Secret"), "context.inventory.kinds.0: no policy reads Secrets; name another kind"),
            (kinds("v1/secret"), "context.inventory.kinds.0: no kind `secret` in v1; did you mean `Secret`?"),
            (
                kinds("Widget"),
                "context.inventory.kinds.0: Kubernetes has no kind `Widget`; write another's with its apiVersion, as `example.com/v1/Widget`",
            ),
            (
                kinds("Event"),
                "context.inventory.kinds.0: `Event` is a kind of several groups; write it with its apiVersion, as `v1/Event`",
            ),
            (kinds("v1/Deployment"), "context.inventory.kinds.0: Kubernetes has no kind `Deployment` in v1"),
            (
                kinds("apps/v1beta1/Deployment"),
                "context.inventory.kinds.0: Kubernetes serves no Deployment in apps/v1beta1; write `apps/v1/Deployment`",
            ),
            (
                kinds("a/b/v1/Deployment"),
                "context.inventory.kinds.0: `a/b/v1/Deployment` is no kind; write one as `apps/v1/Deployment`",
            ),
        ] {
            let found = read(value).unwrap_err();
            assert!(found.iter().any(|one| one == message), "{found:#?}: not {message}");
        }
        let unknown = read(json!(["nows"])).unwrap_err();
        assert!(unknown[0].starts_with("context.0: unknown variant `nows`"), "{unknown:?}");
        assert!(unknown[0].ends_with("did you mean `now`?"), "{unknown:?}");
        assert!(read(json!("now")).is_err());
    }
}
