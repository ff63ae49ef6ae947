//! Registries as a person at a terminal asks them: all, with the credentials of the user's own Docker configuration.

use std::fs;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use tokio::runtime::Runtime;
use tokio::time::Instant;
use zeroize::Zeroizing;

use crate::config::Configuration;
use crate::context::{ContextSource, Fact, FactKey};
use crate::image::{
    Answer, Cached, CredentialSet, Digest, EvidenceSource, Gathered, Gatherer, Registries, RegistriesError,
    Repository, Resolved, Wanted,
};
use crate::kubernetes::image_reference::ImageReference;

/// What a command keeps of what it read, and of what it verified, in bytes each.
pub(super) const KEPT: u64 = 64 << 20;

/// All registries, on behalf of the user.
pub(super) struct OfUser {
    pub(super) registries: Registries,
    pub(super) user: CredentialSet,
}

/// All registries, on behalf of the user; what was read of them is kept.
///
/// # Errors
/// The Docker configuration, or TLS, can't be used.
pub(super) fn of_user() -> anyhow::Result<Arc<dyn EvidenceSource>> {
    Ok(Arc::new(Cached::new(Arc::new(OfUser::new()?), KEPT)))
}

impl OfUser {
    /// All registries, on behalf of the user.
    ///
    /// # Errors
    /// The Docker configuration, or TLS, can't be used.
    pub(super) fn new() -> anyhow::Result<Self> {
        let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".docker"));
        let directory = std::env::var_os("DOCKER_CONFIG").map(PathBuf::from).or(home);
        let file = directory.map(|directory| directory.join("config.json")).filter(|file| file.is_file());
        let user = match &file {
            None => CredentialSet::none(),
            Some(file) => {
                let read = || anyhow::Ok(CredentialSet::of_docker_config(&Zeroizing::new(fs::read(file)?))?);
                read().with_context(|| {
                    format!("{}: can't be used; DOCKER_CONFIG names another directory", file.display())
                })?
            }
        };
        let registries = Registries::everywhere().map_err(|errors| unusable(&errors))?;
        Ok(Self { registries, user })
    }
}

/// The registries that a configuration names, with what it says to them; else all, on behalf of the user.
///
/// # Errors
/// A configuration, or TLS, can't be used.
pub(super) fn of(configured: Option<&Configuration>) -> anyhow::Result<Arc<dyn EvidenceSource>> {
    match configured.map(|configuration| &configuration.images) {
        Some(images) if !images.registries.is_empty() => {
            let registries = Registries::new(images).map_err(|errors| unusable(&errors))?;
            Ok(Arc::new(Cached::new(Arc::new(registries), KEPT)))
        }
        _ => of_user(),
    }
}

/// Why registries can't be asked, all of it.
pub(super) fn unusable(errors: &[RegistriesError]) -> anyhow::Error {
    anyhow!(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

impl EvidenceSource for OfUser {
    fn resolve<'a>(
        &'a self,
        image: &'a ImageReference,
        _: &'a CredentialSet,
        until: Instant,
    ) -> Answer<'a, Resolved> {
        self.registries.resolve(image, &self.user, until)
    }

    fn evidence<'a>(
        &'a self,
        at: &'a Repository,
        digest: &'a Digest,
        want: &'a Wanted,
        _: &'a CredentialSet,
        until: Instant,
    ) -> Answer<'a, Gathered> {
        self.registries.evidence(at, digest, want, &self.user, until)
    }

    fn user<'a>(
        &'a self,
        at: &'a Repository,
        digest: &'a Digest,
        _: &'a CredentialSet,
        until: Instant,
    ) -> Answer<'a, Option<String>> {
        self.registries.user(at, digest, &self.user, until)
    }
}

/// A gatherer with threads of its own: whoever judges manifests waits for it wherever that is.
pub(super) struct Live {
    gatherer: Gatherer,
    runtime: Runtime,
}

impl Live {
    /// Starts them.
    ///
    /// # Errors
    /// They can't be started.
    pub(super) fn start(gatherer: Gatherer) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        Ok(Self { gatherer, runtime: runtime.context("can't start")? })
    }
}

impl ContextSource for Live {
    fn fetch<'a>(&'a self, key: &'a FactKey) -> Pin<Box<dyn Future<Output = Fact> + Send + 'a>> {
        let (gatherer, key) = (self.gatherer.clone(), key.clone());
        let asked = self.runtime.spawn(async move { gatherer.fetch(&key).await });
        Box::pin(async move {
            asked.await.unwrap_or_else(|_| Fact::Unknown("asking for it failed inside meshgate".to_owned()))
        })
    }
}
