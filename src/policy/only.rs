//! One policy alone in force, to see what it does.

use super::binding::{Binding, Enforcement, Templates};
use super::draft::Draft;
use super::id::PolicyId;
use super::matching::Match;
use super::origin::Origin;

impl Draft {
    /// The same draft with only this policy in force: as often as it is bound, with those parameters, or once without
    /// any. It denies workloads as well as Pods, whatever it matches itself, and nothing is
    /// excepted.
    ///
    /// # Errors
    /// Parameters that it can't do without.
    pub fn only(&self, policy: &PolicyId) -> Result<Self, String> {
        let mut bindings: Vec<Binding> =
            self.bindings.iter().filter(|binding| binding.policy == *policy).cloned().collect();
        if bindings.is_empty() {
            bindings.extend(self.binding_without_parameters(policy)?);
        }
        for binding in &mut bindings {
            binding.enforcement = Enforcement::Deny;
            binding.templates = Templates::Deny;
            binding.matches = Match::default();
            binding.tenant = None;
        }
        Ok(Self { bindings, exceptions: Vec::new(), ..self.clone() })
    }

    fn binding_without_parameters(&self, policy: &PolicyId) -> Result<Option<Binding>, String> {
        let Some(found) = self.policies.get(policy) else { return Ok(None) };
        let parameters = found.metadata.parameters.complete(None).map_err(|misfits| {
            let misfits: Vec<String> = misfits.into_iter().map(|misfit| misfit.message).collect();
            format!("{policy} is not bound, and can't be without parameters: {}", misfits.join("; "))
        })?;
        Ok(Some(Binding {
            name: "only".to_owned(),
            policy: policy.clone(),
            parameters,
            enforcement: Enforcement::Deny,
            matches: Match::default(),
            templates: Templates::Deny,
            tenant: None,
            origin: Origin::default(),
        }))
    }
}
