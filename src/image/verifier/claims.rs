//! What a certificate of Fulcio says of a build: the extensions 1.3.6.1.4.1.57264.1.9 to .24 by the names that Fulcio's
//! documentation gives them (docs/oid-info.md), in camel case.

use serde_json::{Map, Value};
use sigstore_crypto::{DeprecatedGitHubClaims, FulcioCiClaims};

/// Absent ones are left out.
pub(super) fn claims(claims: &FulcioCiClaims) -> Map<String, Value> {
    let all = [
        ("buildSignerURI", &claims.build_signer_uri),
        ("buildSignerDigest", &claims.build_signer_digest),
        ("runnerEnvironment", &claims.runner_environment),
        ("sourceRepositoryURI", &claims.source_repository_uri),
        ("sourceRepositoryDigest", &claims.source_repository_digest),
        ("sourceRepositoryRef", &claims.source_repository_ref),
        ("sourceRepositoryIdentifier", &claims.source_repository_identifier),
        ("sourceRepositoryOwnerURI", &claims.source_repository_owner_uri),
        ("sourceRepositoryOwnerIdentifier", &claims.source_repository_owner_identifier),
        ("buildConfigURI", &claims.build_config_uri),
        ("buildConfigDigest", &claims.build_config_digest),
        ("buildTrigger", &claims.build_trigger),
        ("runInvocationURI", &claims.run_invocation_uri),
        ("sourceRepositoryVisibilityAtSigning", &claims.source_repository_visibility_at_signing),
        ("deploymentEnvironment", &claims.deployment_environment),
        ("tokenSubject", &claims.token_subject),
    ];
    let mut said = present(&all);
    let deprecated = deprecated(&claims.deprecated_github);
    if !deprecated.is_empty() {
        said.insert("deprecatedGithub".to_owned(), Value::Object(deprecated));
    }
    said
}

fn deprecated(claims: &DeprecatedGitHubClaims) -> Map<String, Value> {
    present(&[
        ("workflowTrigger", &claims.workflow_trigger),
        ("workflowSha", &claims.workflow_sha),
        ("workflowName", &claims.workflow_name),
        ("workflowRepository", &claims.workflow_repository),
        ("workflowRef", &claims.workflow_ref),
    ])
}

fn present(claims: &[(&str, &Option<String>)]) -> Map<String, Value> {
    let said = |(name, value): &(&str, &Option<String>)| {
        let value = value.as_ref()?;
        Some(((*name).to_owned(), Value::from(value.as_str())))
    };
    claims.iter().filter_map(said).collect()
}
