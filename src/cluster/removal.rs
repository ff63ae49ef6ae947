//! Taking the registration back, so that nothing is left that asks somebody who is gone (R57).

use kube::Client;
use kube::api::DeleteParams;

use super::connection::Connection;
use super::live::kinds;
use super::state::State;
use super::watched::api;

/// Why the registration can't be taken back.
#[derive(Debug, thiserror::Error)]
#[error(
    "the webhook configurations can't be removed; delete them with kubectl: mutatingwebhookconfiguration/meshgate-mutating validatingwebhookconfiguration/meshgate-validating"
)]
pub struct RemovalError(#[source] kube::Error);

/// Says that the registration is taken back, which ends all repair, and deletes both webhook configurations.
///
/// # Errors
/// The API server does not let us, or does not answer.
pub async fn remove(connection: &Connection) -> Result<(), RemovalError> {
    let client = connection.client();
    State::watch(&client).remove().await.map_err(RemovalError)?;
    delete(&client).await.map_err(RemovalError)
}

/// Deletes both; that one is gone already is no error.
pub(super) async fn delete(client: &Client) -> Result<(), kube::Error> {
    for (kind, name) in kinds() {
        match api(client, &kind, None).delete(name, &DeleteParams::default()).await {
            Ok(_) => tracing::info!(name, "the webhook configuration is deleted"),
            Err(kube::Error::Api(status)) if status.code == 404 => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
