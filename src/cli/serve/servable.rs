//! What would leave Pods without the sidecars that policies speak of: a bundle that asks for it is not put in force.

use anyhow::bail;

use crate::engine::Bundle;
use crate::policy::MeshMode;

/// The bundle, where it says all that a server must know to inject.
///
/// # Errors
/// What is missing.
pub(super) fn servable(bundle: Bundle) -> anyhow::Result<Bundle> {
    let injects = bundle.bound.iter().find(|bound| bound.injects());
    if let (Some(bound), None) = (injects, &bundle.meshes) {
        let (binding, policy) = (&bound.binding, &bound.policy.id);
        bail!(
            "{}:{}: the policy {policy} has `inject`, and no MeshSettings say which mesh there is; add MeshSettings, or remove the binding {} from what is served",
            binding.origin.file,
            binding.origin.line,
            binding.name
        );
    }
    let in_use = bundle.meshes.iter().flat_map(|settings| settings.in_use());
    let selects_nothing =
        in_use.filter(|revision| revision.mode == MeshMode::Render).find(|one| one.webhooks.is_empty());
    if let Some(revision) = selects_nothing {
        bail!(
            "MeshSettings: the revision `{0}` has the mode render and no `webhooks`, so nobody knows for which Pods it is meant; write the namespaceSelector and objectSelector of the mesh's own webhooks there (`kubectl get mutatingwebhookconfiguration -l app=sidecar-injector,istio.io/rev={0} -o yaml`), and let those match no more",
            revision.revision
        );
    }
    Ok(bundle)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::compile;
    use crate::policy::{Draft, Tree};
    use crate::source;

    fn asked(files: &[(&str, &str)]) -> String {
        let mut tree = Tree::default();
        files.iter().for_each(|(path, text)| tree.insert(*path, *text));
        let bundle = compile(Draft::read(&tree, &source::catalogue())).unwrap();
        servable(bundle).map_or_else(|why| why.to_string(), |_| "served".to_owned())
    }

    fn settings(mode: &str) -> String {
        format!(
            "apiVersion: meshgate.io/v1alpha1\nkind: MeshSettings\nmetadata: {{name: m}}\nspec:\n  meshes: [{{mesh: istio, revisions: [{{revision: default, namespace: istio-system, mode: {mode}}}]}}]\n"
        )
    }

    #[test]
    fn what_a_server_would_leave_undone_is_not_put_in_force() {
        const BUNDLE: &str = "apiVersion: meshgate.io/v1alpha1\nkind: Bundle\nmetadata: {name: b}\nspec: {includes: [images, injection]}\n";
        let binding = |policy: &str| {
            format!(
                "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {{name: a}}\nspec: {{policy: {policy}, enforcement: deny}}\n"
            )
        };
        let (latest, follow) = (binding("images/no_latest"), binding("injection/follow_mesh"));
        let with = |binding: &str, mode: Option<&str>| {
            let settings = mode.map(settings);
            let mut files = vec![("bundle.yaml", BUNDLE), ("bindings.yaml", binding)];
            files.extend(settings.as_deref().map(|text| ("meshes.yaml", text)));
            asked(&files)
        };
        assert_eq!(with(&latest, None), "served");
        for mode in ["off", "verify", "render, webhooks: [{name: w}]"] {
            assert_eq!(
                (with(&latest, Some(mode)), with(&follow, Some(mode))),
                ("served".into(), "served".into())
            );
        }
        let refused = with(&follow, Some("render"));
        assert!(refused.starts_with("MeshSettings: the revision `default` has the mode render"), "{refused}");
        let refused = with(&follow, None);
        assert!(
            refused.starts_with("bindings.yaml:1: the policy injection/follow_mesh has `inject`"),
            "{refused}"
        );
    }
}
