//! The flag `--images`: who is asked about images.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, anyhow};

use super::registries::{self, Live};
use crate::context::{Images, ImagesFile};
use crate::engine::Bundle;
use crate::image::{Gatherer, Limits};

/// Who is asked about images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ImageFacts {
    /// A file that says it all.
    File(PathBuf),
    /// Registries, with the user's credentials.
    Registry,
    /// Nobody: policies that look at images are left out, which is told and counted.
    Skip,
}

impl ImageFacts {
    /// Reads `registry`, `facts:FILE` or `skip`.
    ///
    /// # Errors
    /// What may be written.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("facts", file)) if !file.is_empty() => Ok(Self::File(PathBuf::from(file))),
            None if text == "skip" => Ok(Self::Skip),
            None if text == "registry" => Ok(Self::Registry),
            _ => Err("write registry, facts:FILE or skip".to_owned()),
        }
    }

    /// What is done where nothing is said: without an `ImageTrust` nobody is trusted, and nothing could be verified.
    pub(super) fn or_default(given: Option<&Self>, bundle: &Bundle) -> Self {
        let default = if bundle.image_trust.is_none() { Self::Skip } else { Self::Registry };
        given.cloned().unwrap_or(default)
    }

    /// Whom to ask.
    pub(super) fn images(&self, bundle: &Bundle) -> anyhow::Result<Images> {
        match self {
            Self::File(path) => {
                let bytes = fs::read(path).with_context(|| format!("--images facts:{}", path.display()))?;
                let file = ImagesFile::parse(&bytes)
                    .map_err(|why| anyhow!("--images facts:{}: {why}", path.display()))?;
                Ok(Images::of(Arc::new(file)))
            }
            Self::Registry => {
                let gatherer = Gatherer::of_bundle(bundle, registries::of_user()?, Limits::default());
                let gatherer = gatherer.map_err(|faults| anyhow!("{faults}"))?;
                Ok(Images::of(Arc::new(Live::start(gatherer)?)))
            }
            Self::Skip => Ok(Images::default()),
        }
    }
}
