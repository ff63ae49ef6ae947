//! Whether we may read what a bundle needs: asked before it is put in force, never by a request.

use futures_util::future::try_join_all;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::api::PostParams;
use kube::{Api, Client};

use super::said;
use crate::context::ReadRule;

/// Asks for each verb of each rule.
///
/// # Errors
/// The rules that are missing, as they stand in a ClusterRole; or why that can't be told.
pub(super) async fn check(client: &Client, rules: impl Iterator<Item = ReadRule>) -> Result<(), String> {
    let asked = rules.map(|rule| async {
        let verbs = ReadRule::VERBS.map(|verb| is_allowed(client, &rule, verb));
        try_join_all(verbs).await.map(|allowed| (!allowed.into_iter().all(|one| one)).then_some(rule))
    });
    let missing =
        try_join_all(asked).await.map_err(|error| format!("can't ask for our rights: {}", said(&error)))?;
    let missing: Vec<String> = missing.into_iter().flatten().map(|rule| written(&rule)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!(
        "the service account may not read what the policies declare; add to its ClusterRole, as `meshgate install` does:\n{}",
        missing.join("\n")
    ))
}

fn written(rule: &ReadRule) -> String {
    let verbs = ReadRule::VERBS.join(", ");
    let of =
        rule.namespace.as_ref().map(|one| format!(" in a Role of the namespace {one}")).unwrap_or_default();
    format!("- {{apiGroups: [\"{}\"], resources: [{}], verbs: [{verbs}]}}{of}", rule.group, rule.resource)
}

async fn is_allowed(client: &Client, rule: &ReadRule, verb: &str) -> Result<bool, kube::Error> {
    let attributes = ResourceAttributes {
        group: Some(rule.group.clone()),
        resource: Some(rule.resource.clone()),
        namespace: rule.namespace.clone(),
        verb: Some(verb.to_owned()),
        ..ResourceAttributes::default()
    };
    let review = SelfSubjectAccessReview {
        spec: SelfSubjectAccessReviewSpec {
            resource_attributes: Some(attributes),
            ..SelfSubjectAccessReviewSpec::default()
        },
        ..SelfSubjectAccessReview::default()
    };
    let answer = Api::all(client.clone()).create(&PostParams::default(), &review).await?;
    Ok(answer.status.is_some_and(|status| status.allowed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_written_as_in_a_role() {
        let rule = ReadRule { group: String::new(), resource: "limitranges".to_owned(), namespace: None };
        let expected = "- {apiGroups: [\"\"], resources: [limitranges], verbs: [get, list, watch]}";
        assert_eq!(written(&rule), expected);
        let there = ReadRule { namespace: Some("mesh".to_owned()), ..rule };
        assert_eq!(written(&there), format!("{expected} in a Role of the namespace mesh"));
    }
}
