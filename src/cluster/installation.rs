//! The objects of an installation in a cluster: applied one by one, as `kubectl apply --server-side` does it, and deleted.
//!
//! Called by `cli install`, as whoever installs.

use std::time::Duration;

use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use kube::api::{ApiResource, DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::GroupVersionKind;
use kube::{Api, Client};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::connection::Connection;
use crate::kubernetes::kinds;

/// Whose fields those are that are applied.
const MANAGER: &str = "meshgate-install";

/// How long what is in a namespace may take to go with it: longer than the last request and the grace of a Pod.
const GONE: Duration = Duration::from_secs(120);

/// How often it is looked whether something has come or gone.
const PAUSE: Duration = Duration::from_millis(500);

/// An installation that is worked on.
pub struct Installation(Client);

/// What became of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was not there.
    Created,
    /// It was there, and is another now.
    Configured,
    /// It is as it was.
    Unchanged,
    /// It is no more.
    Deleted,
    /// There was none to delete.
    Absent,
}

/// Why an object is not as wanted.
#[derive(Debug, thiserror::Error)]
pub enum InstallationError {
    /// The API server refuses, or can't be reached.
    #[error("the API server did not do it")]
    Api(#[source] kube::Error),
    /// It is still there.
    #[error("it is still there after {} s; look at its finalizers, and what is left in it", GONE.as_secs())]
    Remains,
    /// No kind of Kubernetes' own.
    #[error("its kind is unknown")]
    Kind,
}

impl Installation {
    /// Over this connection.
    pub fn over(connection: &Connection) -> Self {
        Self(connection.client())
    }

    /// The client, for this module alone.
    pub(super) fn client(&self) -> Client {
        self.0.clone()
    }

    /// Who we are to the API server (authentication.k8s.io/v1 UserInfo).
    ///
    /// # Errors
    /// [`InstallationError::Api`].
    pub async fn who(&self) -> Result<Value, InstallationError> {
        let reviews: Api<SelfSubjectReview> = Api::all(self.0.clone());
        let ours = SelfSubjectReview::default();
        let review = reviews.create(&PostParams::default(), &ours).await.map_err(InstallationError::Api)?;
        let user = review.status.and_then(|status| status.user_info);
        Ok(serde_json::to_value(user).unwrap_or_default())
    }

    /// Applies an object. What others have set of it is set back: it may be what weakens it.
    ///
    /// # Errors
    /// [`InstallationError::Api`].
    pub async fn apply(&self, object: &Value) -> Result<Outcome, InstallationError> {
        let (api, name) = self.place(object)?;
        let version = |object: &DynamicObject| object.metadata.resource_version.clone();
        let before = api.get_opt(&name).await.map_err(InstallationError::Api)?;
        let after = api.patch(&name, &PatchParams::apply(MANAGER).force(), &Patch::Apply(object)).await;
        let after = after.map_err(InstallationError::Api)?;
        Ok(match before {
            None => Outcome::Created,
            Some(before) if version(&before) == version(&after) => Outcome::Unchanged,
            Some(_) => Outcome::Configured,
        })
    }

    /// Waits until the controller of a Deployment has seen it as it is now; gives how many of its Pods are ready, or None
    /// where none has looked at it for that long.
    ///
    /// # Errors
    /// [`InstallationError::Api`].
    pub async fn observed(
        &self,
        deployment: &Value,
        patience: Duration,
    ) -> Result<Option<u64>, InstallationError> {
        let (api, name) = self.place(deployment)?;
        let start = Instant::now();
        loop {
            let live = api.get(&name).await.map_err(InstallationError::Api)?;
            let number = |pointer: &str| live.data.pointer(pointer).and_then(Value::as_u64);
            let generation = live.metadata.generation.and_then(|generation| u64::try_from(generation).ok());
            if number("/status/observedGeneration") >= generation {
                return Ok(Some(number("/status/readyReplicas").unwrap_or_default()));
            }
            if start.elapsed() >= patience {
                return Ok(None);
            }
            sleep(PAUSE).await;
        }
    }

    /// Deletes an object, and waits until it is gone. One that is made anew meanwhile is deleted as well: who repairs what
    /// is deleted may learn a little later that it is not to.
    ///
    /// # Errors
    /// [`InstallationError::Api`], [`InstallationError::Remains`].
    pub async fn delete(&self, object: &Value) -> Result<Outcome, InstallationError> {
        let (api, name) = self.place(object)?;
        let (start, mut deleted) = (Instant::now(), None);
        while let Some(found) = api.get_opt(&name).await.map_err(InstallationError::Api)? {
            if start.elapsed() >= GONE {
                return Err(InstallationError::Remains);
            }
            if deleted == Some(found.metadata.uid.clone()) {
                sleep(PAUSE).await;
                continue;
            }
            match api.delete(&name, &DeleteParams::background()).await {
                Err(kube::Error::Api(status)) if status.code == 404 => {}
                Err(error) => return Err(InstallationError::Api(error)),
                Ok(_) => {}
            }
            deleted = Some(found.metadata.uid);
        }
        Ok(if deleted.is_some() { Outcome::Deleted } else { Outcome::Absent })
    }

    /// Where an object is, and under which name.
    fn place(&self, object: &Value) -> Result<(Api<DynamicObject>, String), InstallationError> {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let resource = kinds::built_in(text("/apiVersion"), text("/kind")).ok_or(InstallationError::Kind)?;
        let kind = GroupVersionKind::gvk(&resource.group, &resource.version, &resource.kind);
        let of = ApiResource::from_gvk_with_plural(&kind, &resource.plural);
        let api = match object.pointer("/metadata/namespace").and_then(Value::as_str) {
            Some(namespace) => Api::namespaced_with(self.0.clone(), namespace, &of),
            None => Api::all_with(self.0.clone(), &of),
        };
        Ok((api, text("/metadata/name").to_owned()))
    }
}
