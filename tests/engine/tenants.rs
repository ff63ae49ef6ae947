//! What a tenant may not bind.

use meshgate::engine::compile;
use meshgate::policy::{Draft, Tree};
use meshgate::source;

use crate::excepted::document;

#[test]
fn a_tenant_has_no_inventory_of_other_namespaces() {
    let policy = "# METADATA\n# title: t\n# description: d\n# custom:\n#   context: {inventory: {kinds: [Pod]}}\n#   match:\n#     rules: [{apiGroups: [\"\"], apiVersions: [v1], resources: [pods]}]\npackage policies.CATEGORY.own\n\ndeny contains \"no\" if input.context.inventory.cluster\n";
    let mut tree = Tree::default();
    tree.insert(
        "bundle.yaml",
        document("Bundle", "b", "{tenants: [{path: teams/shop, namespaces: [shop]}]}"),
    );
    tree.insert("teams/shop/own/own.rego", policy.replace("CATEGORY", "tenant_shop"));
    tree.insert("test/own/own.rego", policy.replace("CATEGORY", "test"));
    tree.insert("own.yaml", document("PolicyBinding", "own", "{policy: test/own, enforcement: warn}"));
    compile(Draft::read(&tree, &Tree::default())).unwrap_or_else(|faults| panic!("{faults}"));
    let binding = |policy: &str| {
        document("PolicyBinding", "theirs", &format!("{{policy: {policy}, enforcement: warn}}"))
    };
    for policy in ["tenant_shop/own", "test/own"] {
        tree.insert("teams/shop/own.yaml", binding(policy));
        let faults = compile(Draft::read(&tree, &Tree::default())).err().map(|faults| faults.to_string());
        let expected = format!(
            "teams/shop/own.yaml:1: binding theirs: {policy} reads the inventory of all namespaces, and the tenant `shop` has its own; let the platform bind it"
        );
        assert_eq!(faults.unwrap_or_default(), expected);
    }
}

#[test]
fn a_tenant_changes_objects_only_with_leave() {
    let head = "# METADATA\n# title: t\n# description: d\n# custom:\n#   match:\n#     rules: [{apiGroups: [\"\"], apiVersions: [v1], resources: [pods]}]\npackage policies.tenant_shop.own\n\n";
    let patch = "patch := [{\"op\": \"add\", \"path\": \"/metadata/labels/a\", \"value\": \"b\"}] if not input.request.object.metadata.labels.a\n";
    let inject = "inject := {\"inject\": false}\n";
    let compiled = |rule: &str, may: &str| {
        let settings =
            format!("{{includes: [pod_security], tenants: [{{path: teams/shop, namespaces: [shop]{may}}}]}}");
        let mut tree = Tree::default();
        tree.insert("bundle.yaml", document("Bundle", "b", &settings));
        tree.insert("teams/shop/own/own.rego", format!("{head}{rule}"));
        tree.insert(
            "teams/shop/own.yaml",
            document("PolicyBinding", "own", "{policy: tenant_shop/own, enforcement: warn}"),
        );
        compile(Draft::read(&tree, &source::catalogue()))
    };
    let expected = "teams/shop/own.yaml:1: binding own: tenant_shop/own changes objects, which the tenant `shop` may not; let the platform set its `mayMutate` in the Bundle";
    for rule in [patch, inject] {
        let faults = compiled(rule, "").err().map(|faults| faults.to_string()).unwrap_or_default();
        assert_eq!(faults, expected, "{rule}");
        assert!(compiled(rule, ", mayMutate: true").is_ok(), "{rule}");
    }
}

/// Also what the platform wrote: its parameters would be the tenant's.
#[test]
fn a_tenant_binds_nothing_that_raises_privileges() {
    let policy = "# METADATA\n# title: t\n# description: d\n# custom:\n#   mayChange: [images, privileged]\n#   match:\n#     rules: [{apiGroups: [\"\"], apiVersions: [v1], resources: [pods]}]\npackage policies.CATEGORY.own\n\npatch := []\n";
    let mut tree = Tree::default();
    let settings = "{tenants: [{path: teams/shop, namespaces: [shop], mayMutate: true}]}";
    tree.insert("bundle.yaml", document("Bundle", "b", settings));
    tree.insert("teams/shop/own/own.rego", policy.replace("CATEGORY", "tenant_shop"));
    tree.insert("test/own/own.rego", policy.replace("CATEGORY", "test"));
    tree.insert("own.yaml", document("PolicyBinding", "own", "{policy: test/own, enforcement: warn}"));
    compile(Draft::read(&tree, &Tree::default())).unwrap_or_else(|faults| panic!("{faults}"));
    for policy in ["tenant_shop/own", "test/own"] {
        let theirs = format!("{{policy: {policy}, enforcement: warn}}");
        tree.insert("teams/shop/own.yaml", document("PolicyBinding", "theirs", &theirs));
        let faults = compile(Draft::read(&tree, &Tree::default())).err().map(|faults| faults.to_string());
        let expected = format!(
            "teams/shop/own.yaml:1: binding theirs: {policy} may change images, privileged, which is guarded, so the tenant `shop` may not bind it; remove `mayChange`, or let the platform bind the policy"
        );
        assert_eq!(faults.unwrap_or_default(), expected);
    }
}
