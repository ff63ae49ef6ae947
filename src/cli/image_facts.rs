//! The flag `--images`: who is asked about images.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, anyhow, bail};
use serde_json::Value;

use super::registries::{self, KEPT, Live};
use crate::config::{Configuration, PullFrom};
use crate::context::{Images, ImagesFile};
use crate::dry_run::Manifests;
use crate::engine::Bundle;
use crate::image::{EvidenceSource, Gatherer, Layout, Limits, PullSecrets, Remembered, StatedPullSecrets};

/// Who is asked about images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ImageFacts {
    /// A file that says it all.
    File(PathBuf),
    /// A directory, as `images save` writes it.
    Layout(PathBuf),
    /// Registries, with the user's credentials.
    Registry,
    /// Nobody: policies that look at images are left out, which is told and counted.
    Skip,
}

impl ImageFacts {
    /// Reads `registry`, `layout:DIR`, `facts:FILE` or `skip`.
    ///
    /// # Errors
    /// What may be written.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("facts", file)) if !file.is_empty() => Ok(Self::File(PathBuf::from(file))),
            Some(("layout", path)) if !path.is_empty() => Ok(Self::Layout(PathBuf::from(path))),
            None if text == "skip" => Ok(Self::Skip),
            None if text == "registry" => Ok(Self::Registry),
            _ => Err("write registry, layout:DIR, facts:FILE or skip".to_owned()),
        }
    }

    /// The same of those that have evidence: `registry`, `layout:DIR`.
    ///
    /// # Errors
    /// What may be written.
    pub(super) fn of_evidence(text: &str) -> Result<Self, String> {
        let read = Self::parse(text).ok().filter(|one| matches!(one, Self::Layout(_) | Self::Registry));
        read.ok_or_else(|| "write registry or layout:DIR".to_owned())
    }

    /// Who has evidence.
    ///
    /// # Errors
    /// The directory is no layout, registries can't be asked, or there is no evidence at all.
    pub(super) fn source(
        &self,
        configured: Option<&Configuration>,
    ) -> anyhow::Result<Arc<dyn EvidenceSource>> {
        match self {
            Self::Registry => registries::of(configured),
            Self::Layout(path) => {
                let layout =
                    Layout::open(path).with_context(|| format!("--images layout:{}", path.display()))?;
                Ok(Arc::new(layout))
            }
            Self::File(_) | Self::Skip => bail!("no evidence of images is read here"),
        }
    }

    /// What is done where nothing is said: without an `ImageTrust` nobody is trusted, and nothing could be verified.
    pub(super) fn or_default(given: Option<&Self>, bundle: &Bundle) -> Self {
        let default = if bundle.image_trust.is_none() { Self::Skip } else { Self::Registry };
        given.cloned().unwrap_or(default)
    }

    /// Whom to ask.
    /// Registries are those of a configuration that names any, else all, on behalf of the user. Where the configuration says
    /// so, it is on behalf of a Pod, with the pull secrets among objects.
    pub(super) fn images<'a>(
        &self,
        bundle: &Bundle,
        configured: Option<&Configuration>,
        (objects, namespace): (impl IntoIterator<Item = &'a Manifests>, Option<&str>),
    ) -> anyhow::Result<Images> {
        match self {
            Self::File(path) => {
                let bytes = fs::read(path).with_context(|| format!("--images facts:{}", path.display()))?;
                let file = ImagesFile::parse(&bytes)
                    .map_err(|why| anyhow!("--images facts:{}: {why}", path.display()))?;
                Ok(Images::of(Arc::new(file)))
            }
            Self::Registry | Self::Layout(_) => {
                let verifier = Remembered::sigstore(Limits::default(), KEPT);
                let gatherer =
                    Gatherer::of_bundle(bundle, self.source(configured)?, verifier, Limits::default());
                let gatherer = gatherer.map_err(|faults| anyhow!("{faults}"))?;
                let pulls = configured.is_some_and(|one| one.images.pull_secrets == PullFrom::Pod);
                let of_pod = || -> Arc<dyn PullSecrets> { Arc::new(pull_secrets_of(objects, namespace)) };
                let pulled = pulls.then(of_pod);
                let gatherer = gatherer.pulling(pulled);
                Ok(Images::of(Arc::new(Live::start(gatherer)?)))
            }
            Self::Skip => Ok(Images::default()),
        }
    }
}

/// The pull secrets among objects; of two of one name the last one counts.
pub(super) fn pull_secrets_of<'a>(
    objects: impl IntoIterator<Item = &'a Manifests>,
    namespace: Option<&str>,
) -> StatedPullSecrets {
    let mut stated = StatedPullSecrets::default();
    for object in objects.into_iter().flat_map(Manifests::objects) {
        stated.insert(namespace.unwrap_or("default"), &Value::Object(object.object().clone()));
    }
    stated
}
