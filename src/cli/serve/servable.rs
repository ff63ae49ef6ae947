//! What this release decides in `check` and `inject`, and a server does not: a bundle that asks for it is not put in
//! force, because Pods would go without the sidecars that it speaks of.

use anyhow::bail;

use crate::engine::Bundle;
use crate::policy::{MeshMode, MeshSettings};

/// The bundle, where a server can do all that it asks for.
///
/// # Errors
/// What it asks for beyond that.
pub(super) fn servable(bundle: Bundle) -> anyhow::Result<Bundle> {
    const WHERE: &str = "`meshgate check` and `meshgate inject` do in this release, and the webhook does not";
    if let Some(bound) = bundle.bound.iter().find(|bound| bound.injects()) {
        let (binding, policy) = (&bound.binding, &bound.policy.id);
        bail!(
            "{}:{}: the policy {policy} has `inject`, which {WHERE}; remove the binding {} from what is served",
            binding.origin.file,
            binding.origin.line,
            binding.name
        );
    }
    if bundle.meshes.as_ref().is_some_and(is_in_use) {
        bail!(
            "MeshSettings name a mesh whose mode is not `off`, which {WHERE}; remove them from what is served"
        );
    }
    Ok(bundle)
}

fn is_in_use(settings: &MeshSettings) -> bool {
    let mut revisions = settings.meshes.iter().flat_map(|entry| &entry.revisions);
    revisions.any(|revision| revision.mode != MeshMode::Off)
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
            "apiVersion: meshgate.io/v1alpha1\nkind: MeshSettings\nmetadata: {{name: m}}\nspec:\n  meshes: [{{mesh: istio, revisions: [{{revision: default, mode: {mode}, namespace: istio-system}}]}}]\n"
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
        assert_eq!(with(&latest, Some("off")), "served");
        assert!(
            with(&latest, Some("render")).starts_with("MeshSettings name a mesh whose mode is not `off`")
        );
        assert!(
            with(&latest, Some("verify")).starts_with("MeshSettings name a mesh whose mode is not `off`")
        );
        let refused = with(&follow, None);
        assert!(
            refused.starts_with("bindings.yaml:1: the policy injection/follow_mesh has `inject`"),
            "{refused}"
        );
    }
}
