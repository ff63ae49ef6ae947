//! Whether the API server gets answers of the webhook: a ConfigMap that is made as a dry run comes back with the warnings
//! of both phases and with the nonce that was put in it. Network, certificate and answer then work from where it counts.

use std::time::Duration;

use aws_lc_rs::rand;
use kube::Client;
use kube::api::{PostParams, Request};
use kube::client::Body;
use serde_json::json;
use tokio::time::timeout;

use crate::config::NAMESPACE;
use crate::review::probe;

/// Both phases have 2 s each.
const PATIENCE: Duration = Duration::from_secs(6);

/// Asks once.
///
/// # Errors
/// Why it is not known that answers come.
pub(super) async fn ask(client: &Client) -> Result<(), String> {
    let mut bytes = [0_u8; 16];
    rand::fill(&mut bytes).map_err(|_| "there is no randomness".to_owned())?;
    let nonce: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let map = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": { "name": probe::NAME },
        "data": { probe::NONCE: nonce },
    });
    let parameters = PostParams { dry_run: true, ..PostParams::default() };
    let request = Request::new(format!("/api/v1/namespaces/{NAMESPACE}/configmaps"))
        .create(&parameters, map.to_string().into_bytes())
        .map_err(|error| error.to_string())?;
    let sent = timeout(PATIENCE, client.send(request.map(Body::from)));
    let response = sent.await.map_err(|_| "the API server does not answer".to_owned())?;
    let response = response.map_err(|error| error.to_string())?;
    let status = response.status();
    let warnings: Vec<&str> =
        response.headers().get_all("warning").iter().filter_map(|value| value.to_str().ok()).collect();
    let has = |phase| warnings.iter().any(|warning| warning.contains(&probe::answer(phase, &nonce)));
    if !status.is_success() {
        return Err(format!("the API server refuses the ConfigMap {}: {status}", probe::NAME));
    }
    match probe::PHASES.into_iter().find(|phase| !has(*phase)) {
        None => Ok(()),
        Some(phase) => Err(format!(
            "no answer of {} comes back through the API server; it must reach the Service {NAMESPACE}/{} on its port",
            probe::path(phase),
            crate::config::SERVICE
        )),
    }
}
