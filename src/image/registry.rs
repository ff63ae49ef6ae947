//! Registries as a source of evidence: which of them may be asked, and through whom. What is not matched by the
//! configuration is not connected to, its name is not even looked up.
//!
//! Source: the OCI distribution specification 1.1; what registries make of it is in `docs/registries.md`.

mod challenge;
pub(super) mod document;
pub(super) mod evidence;
mod gate;
pub(super) mod instance;
mod instances;
mod login;
mod referrers;
mod reply;
mod spelled;
pub(super) mod user;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::credentials::{CredentialSet, DockerConfigError};
use super::digest::Digest;
use super::evidence::Repository;
use super::source::{Answer, EvidenceSource, Resolved, SourceError, Wanted};
use crate::config::{ImageLimits, Images, PullFrom, Registry};
use crate::kubernetes::image_reference::ImageReference;
use crate::kubernetes::registry_pattern::{RegistryPattern, RegistryPatternError};
use crate::outbound::{Client, Plaintext, Reach, Settings, SettingsError, Url, UrlError};

use document::{Blob, Descriptor};
use gate::Gates;
use instance::{Instance, Manifest, Place};
use instances::Instances;

/// Who holds manifests and blobs by repositories: a registry, a directory.
pub(super) trait Holder: Send + Sync {
    /// The manifest or the index under a tag or a digest; its digest is that of its bytes.
    fn manifest<'a>(&'a self, name: &'a str, reference: &'a str, until: Instant) -> Answer<'a, Manifest>;

    /// The bytes that a document names, which have their digest, where they are at most so many.
    fn blob<'a>(&'a self, name: &'a str, blob: Blob, most: u64, until: Instant) -> Answer<'a, Bytes>;

    /// A manifest that an index names.
    fn child<'a>(
        &'a self,
        name: &'a str,
        descriptor: &'a Descriptor,
        until: Instant,
    ) -> Answer<'a, Manifest> {
        Box::pin(async move {
            let digest = descriptor.digest()?.to_string();
            self.manifest(name, &digest, until).await
        })
    }

    /// The manifests that say of themselves that they are about a digest.
    fn referrers<'a>(
        &'a self,
        name: &'a str,
        digest: &'a Digest,
        until: Instant,
    ) -> Answer<'a, Vec<Descriptor>>;
}

/// The registries that may be asked.
pub struct Registries {
    entries: Vec<Arc<Entry>>,
    limits: ImageLimits,
    gates: Arc<Gates>,
    instances: Instances,
}

/// A registry of the configuration, ready to be asked.
struct Entry {
    pattern: RegistryPattern,
    client: Client,
    endpoint: Option<Url>,
    /// Whether it is spoken to without TLS. None: where it is on this machine.
    plaintext: Option<bool>,
    credentials: Credentials,
    token_hosts: Vec<RegistryPattern>,
    redirect_hosts: Vec<RegistryPattern>,
    /// Where it may be. Whoever names an image names the host where every registry is meant, so that private addresses
    /// are out of it.
    reach: Reach,
}

/// Whose credentials an entry may be shown.
struct Credentials {
    /// Those of a file, read anew each time.
    file: Option<PathBuf>,
    /// Whether the caller's are, before those.
    of_caller: bool,
}

/// Why registries can't be set up; `at` is the registry as the configuration writes it.
#[derive(Debug, thiserror::Error)]
pub enum RegistriesError {
    /// A file can't be read.
    #[error("images.registries {at}: can't read {}: {source}", path.display())]
    Unreadable {
        /// The registry.
        at: String,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Its authorities can't be used.
    #[error("images.registries {at}: ca: {source}")]
    Client {
        /// The registry.
        at: String,
        /// Why.
        source: SettingsError,
    },
    /// Its credentials can't be used.
    #[error("images.registries {at}: credentials: {source}")]
    Credentials {
        /// The registry.
        at: String,
        /// Why.
        source: DockerConfigError,
    },
    /// A name that is none.
    #[error("images.registries {at}: {source}")]
    Pattern {
        /// The registry.
        at: String,
        /// Why.
        source: RegistryPatternError,
    },
    /// A URL that is none.
    #[error("images.registries {at}: {source}")]
    Url {
        /// The registry.
        at: String,
        /// Why.
        source: UrlError,
    },
}

impl Registries {
    /// The registries of a configuration, each with its own credentials or none.
    ///
    /// # Errors
    /// All that can't be used of it now: a file that is not there, no PEM, no Docker configuration.
    pub fn new(images: &Images) -> Result<Self, Vec<RegistriesError>> {
        let (mut entries, mut errors) = (Vec::new(), Vec::new());
        for registry in &images.registries {
            match Entry::new(registry, images.pull_secrets == PullFrom::Pod) {
                Ok(entry) => entries.push(Arc::new(entry)),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() { Ok(Self::of(entries, images.limits)) } else { Err(errors) }
    }

    /// Every registry, with the caller's credentials, and without TLS on this machine: what a person at a terminal
    /// expects. Not for a server, whose callers name the images.
    ///
    /// # Errors
    /// TLS can't be set up.
    pub fn everywhere() -> Result<Self, Vec<RegistriesError>> {
        let registry = Registry { host: "*".to_owned(), ..Registry::default() };
        let entry = Entry::new(&registry, false).map_err(|error| vec![error])?;
        let credentials = Credentials { file: None, of_caller: true };
        let entry = Entry { plaintext: None, credentials, reach: Reach::Any, ..entry };
        Ok(Self::of(vec![Arc::new(entry)], ImageLimits::default()))
    }

    fn of(entries: Vec<Arc<Entry>>, limits: ImageLimits) -> Self {
        let gates = Arc::new(Gates::new(limits.concurrency, limits.per_registry));
        Self { entries, limits, gates, instances: Instances::default() }
    }

    /// Whoever is asked for a repository on behalf of a caller.
    pub(super) fn instance(
        &self,
        at: &Repository,
        who: &CredentialSet,
    ) -> Result<Arc<Instance>, SourceError> {
        let registry = at.registry();
        let (index, entry) = self.entry(registry)?;
        let place = entry.place(registry)?;
        let shown = place.shown(&entry.shown(who)?, at.name());
        let key = (index, registry.to_owned(), shown.id());
        Ok(self.instances.get(key, |weight| {
            Instance::new(Arc::clone(entry), place, shown, Arc::clone(&self.gates), weight)
        }))
    }

    /// The entry of a registry: exact hosts before patterns, the first of either.
    fn entry(&self, registry: &str) -> Result<(usize, &Arc<Entry>), SourceError> {
        let fitting = || (0..).zip(&self.entries).filter(|(_, entry)| entry.pattern.matches_host(registry));
        let exact = fitting().find(|(_, entry)| entry.pattern.is_exact());
        exact.or_else(|| fitting().next()).ok_or(SourceError::Denied)
    }
}

impl Entry {
    /// `pulls`: with the credentials of who pulls an image.
    fn new(registry: &Registry, pulls: bool) -> Result<Self, RegistriesError> {
        let at = || registry.host.clone();
        let pattern = |text: &String| {
            RegistryPattern::parse(text).map_err(|source| RegistriesError::Pattern { at: at(), source })
        };
        let url = |text: &Option<String>| {
            let url = text.as_deref().map(Url::parse).transpose();
            url.map_err(|source| RegistriesError::Url { at: at(), source })
        };
        let read = |path: &PathBuf| {
            fs::read(path).map_err(|source| RegistriesError::Unreadable {
                at: at(),
                path: path.clone(),
                source,
            })
        };
        let settings = Settings {
            authorities: registry.ca.as_ref().map(read).transpose()?,
            plaintext: if registry.plaintext { Plaintext::Anywhere } else { Plaintext::Loopback },
            proxy: url(&registry.proxy)?,
            ..Settings::default()
        };
        if let Some(from) = &registry.credentials {
            // What is wrong with it is said at start; later it is an error of what needs it.
            let content = Zeroizing::new(read(&from.file)?);
            CredentialSet::of_docker_config(&content)
                .map_err(|source| RegistriesError::Credentials { at: at(), source })?;
        }
        let (host, endpoint) = (pattern(&registry.host)?, url(&registry.endpoint)?);
        let is_open = host.is_any() && endpoint.is_none();
        Ok(Self {
            reach: if is_open { Reach::Public } else { Reach::Any },
            pattern: host,
            client: Client::new(&settings).map_err(|source| RegistriesError::Client { at: at(), source })?,
            endpoint,
            plaintext: Some(registry.plaintext),
            credentials: Credentials {
                file: registry.credentials.as_ref().map(|from| from.file.clone()),
                // Where every registry is meant it is asked as anybody may ask it.
                of_caller: pulls && !is_open,
            },
            token_hosts: registry.token_hosts.iter().map(pattern).collect::<Result<_, _>>()?,
            redirect_hosts: registry.redirect_hosts.iter().map(pattern).collect::<Result<_, _>>()?,
        })
    }

    /// What may be shown on behalf of a caller.
    fn shown(&self, who: &CredentialSet) -> Result<CredentialSet, SourceError> {
        let Credentials { file, of_caller } = &self.credentials;
        let own = if *of_caller { who.clone() } else { CredentialSet::none() };
        let Some(path) = file else { return Ok(own) };
        let content = fs::read(path).ok().map(Zeroizing::new);
        let read = content.and_then(|content| CredentialSet::of_docker_config(&content).ok());
        Ok(CredentialSet::joined(&[own, read.ok_or(SourceError::Credentials)?]))
    }

    fn place(&self, registry: &str) -> Result<Place, SourceError> {
        if let Some(endpoint) = &self.endpoint {
            return Ok(Place::of_endpoint(endpoint));
        }
        Place::of_registry(registry, self.plaintext)
            .ok_or(SourceError::Corrupt("a registry whose name makes no URL"))
    }
}

impl EvidenceSource for Registries {
    fn resolve<'a>(
        &'a self,
        image: &'a ImageReference,
        who: &'a CredentialSet,
        until: Instant,
    ) -> Answer<'a, Resolved> {
        Box::pin(async move {
            let at = Repository::of(image);
            let reference = image.digest().or(image.tag()).unwrap_or("latest");
            if image.digest().is_some_and(|digest| digest.parse::<Digest>().is_err()) {
                return Err(SourceError::Corrupt("images by other digests than SHA-256 are not read"));
            }
            let instance = self.instance(&at, who)?;
            let manifest = instance.manifest(at.name(), reference, until).await?;
            Ok(Resolved { digest: manifest.digest, media_type: manifest.document.media_type })
        })
    }

    fn evidence<'a>(
        &'a self,
        at: &'a Repository,
        digest: &'a Digest,
        want: &'a Wanted,
        who: &'a CredentialSet,
        until: Instant,
    ) -> Answer<'a, super::source::Gathered> {
        Box::pin(async move {
            let instance = self.instance(at, who)?;
            evidence::gather(&*instance, &self.limits, at, digest, want, until).await
        })
    }

    fn user<'a>(
        &'a self,
        at: &'a Repository,
        digest: &'a Digest,
        who: &'a CredentialSet,
        until: Instant,
    ) -> Answer<'a, Option<String>> {
        Box::pin(async move {
            let instance = self.instance(at, who)?;
            user::user(&*instance, at.name(), digest, until).await
        })
    }

    fn counting(&self, at: &Repository, who: &CredentialSet) -> CredentialSet {
        let Ok((_, entry)) = self.entry(at.registry()) else { return CredentialSet::none() };
        let place = entry.place(at.registry()).ok().filter(|_| entry.credentials.of_caller);
        place.map(|place| place.shown(who, at.name())).unwrap_or_default()
    }
}
