//! Taking the registration back, so that nothing is left that asks somebody who is gone (R57).

use kube::Client;
use kube::api::DeleteParams;

use super::installation::{Installation, InstallationError};
use super::live::kinds;
use super::state::State;
use super::watched::api;

impl Installation {
    /// Says that the registration is taken back: no leader writes the webhook configurations again. Where there is no
    /// namespace, nobody would.
    ///
    /// # Errors
    /// [`InstallationError::Api`].
    pub async fn withdraw(&self) -> Result<(), InstallationError> {
        match State::watch(&self.client()).remove().await {
            Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
            written => written.map_err(InstallationError::Api),
        }
    }

    /// Takes that word back.
    ///
    /// # Errors
    /// [`InstallationError::Api`].
    pub async fn restore(&self) -> Result<(), InstallationError> {
        State::watch(&self.client()).restore().await.map_err(InstallationError::Api)
    }
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
