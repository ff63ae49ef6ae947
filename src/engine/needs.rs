//! What a bundle needs of a cluster, by the facts that its policies in force declare.

use super::bundle::{Bound, Bundle};
use crate::admission::GroupVersionKind;
use crate::context::{Keep, Listed, Needs, runtime_class};
use crate::policy::{DeclaredFact, FactName, Fault};

/// The workloads of Kubernetes' own that control Pods, or control what does.
const WORKLOADS: [(&str, &str); 7] = [
    ("", "ReplicationController"),
    ("apps", "DaemonSet"),
    ("apps", "Deployment"),
    ("apps", "ReplicaSet"),
    ("apps", "StatefulSet"),
    ("batch", "CronJob"),
    ("batch", "Job"),
];

impl Bundle {
    /// The kinds to watch; nothing of policies that are not bound.
    pub fn needs(&self) -> Needs {
        let mut needs = Needs::default();
        // The namespaceSelectors, modes and suspensions of bindings hang on it, whatever policies declare.
        needs.add(GroupVersionKind::new("", "v1", "Namespace"), Keep::Labels);
        for fact in self.bound.iter().flat_map(|bound| &bound.policy.metadata.context) {
            add(&mut needs, fact);
        }
        match &self.meshes {
            Some(meshes) => needs.and(&meshes.needs()),
            None => needs,
        }
    }
}

fn add(needs: &mut Needs, fact: &DeclaredFact) {
    let listed = match fact.name {
        FactName::Autoscalers => Listed::Autoscalers.kinds(),
        FactName::DisruptionBudgets => Listed::DisruptionBudgets.kinds(),
        FactName::LimitRanges => Listed::LimitRanges.kinds(),
        FactName::ResourceQuotas => Listed::ResourceQuotas.kinds(),
        FactName::RuntimeClasses => vec![runtime_class()],
        FactName::Inventory => fact.kinds.iter().cloned().collect(),
        FactName::Owner => {
            let workloads = WORKLOADS.map(|(group, kind)| GroupVersionKind::new(group, "v1", kind));
            return workloads.into_iter().for_each(|kind| needs.add(kind, Keep::Owner));
        }
        FactName::Pods => {
            return Listed::Pods.kinds().into_iter().for_each(|kind| needs.add(kind, Keep::Pod));
        }
        FactName::ClusterVersion => return needs.version = true,
        // Computed from the request, the bundle or the clock, or asked of registries.
        FactName::Containers
        | FactName::Exceptions
        | FactName::Images
        | FactName::MeshProposal
        | FactName::Namespace
        | FactName::Now
        | FactName::Pod => return,
    };
    listed.into_iter().for_each(|kind| needs.add(kind, Keep::Whole));
}

/// A tenant's binding sees its own namespaces (R25); an inventory has all of them.
pub(super) fn sees_other_namespaces(bound: &Bound) -> Option<Fault> {
    let tenant = bound.binding.tenant.as_ref()?;
    let declares = |fact: &DeclaredFact| fact.name == FactName::Inventory;
    bound.policy.metadata.context.iter().find(|fact| declares(fact))?;
    let (origin, name) = (&bound.binding.origin, &bound.binding.name);
    let message = format!(
        "binding {name}: {} reads the inventory of all namespaces, and the tenant `{}` has its own; let the platform bind it",
        bound.policy.id, tenant.name
    );
    Some(Fault::new(&origin.file, (origin.line, 0), message))
}
