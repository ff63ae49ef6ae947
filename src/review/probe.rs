//! The leader's question whether answers come (cluster: registration): a ConfigMap that is made as a dry run in meshgate's
//! own namespace. It is answered by a warning with its nonce, in both phases, and by no policy.

use serde_json::Value;

use super::decision::{Finding, Phase};
use crate::admission::{Operation, Request};
use crate::config::NAMESPACE;

/// The name of the ConfigMap.
pub const NAME: &str = "meshgate-probe";

/// The member of its data whose value comes back.
pub const NONCE: &str = "nonce";

/// Both phases.
pub const PHASES: [Phase; 2] = [Phase::Mutate, Phase::Validate];

/// More than this is no nonce: nobody is to be shown what somebody else wrote at length.
const LONGEST: usize = 64;

/// The path that a phase is asked at.
pub fn path(phase: Phase) -> &'static str {
    match phase {
        Phase::Mutate => "/mutate",
        Phase::Validate => "/validate",
    }
}

/// The warning by which a phase answers.
pub fn answer(phase: Phase, nonce: &str) -> String {
    format!("meshgate answers at {}: {nonce}", path(phase))
}

/// The answer, where a request asks for it.
pub(super) fn findings(request: &Request, phase: Phase) -> Option<Finding> {
    nonce(request).map(|nonce| Finding::of_probe(answer(phase, nonce)))
}

/// The nonce of a request that is the question.
pub(super) fn nonce(request: &Request) -> Option<&str> {
    let resource = request.resource();
    let is_map =
        resource.group.is_empty() && resource.resource == "configmaps" && request.sub_resource().is_none();
    let is_it = is_map
        && request.dry_run()
        && request.operation() == Operation::Create
        && request.namespace() == Some(NAMESPACE)
        && request.name() == Some(NAME);
    let nonce = request.object().filter(|_| is_it)?.pointer("/data/nonce").and_then(Value::as_str)?;
    (nonce.len() <= LONGEST && nonce.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(nonce)
}
