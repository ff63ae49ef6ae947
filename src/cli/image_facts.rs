//! The flag `--images`: who is asked about images.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, anyhow};

use crate::context::{Images, ImagesFile};
use crate::engine::Bundle;

/// Who is asked about images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ImageFacts {
    /// A file that says it all.
    File(PathBuf),
    /// Nobody: policies that look at images are left out, which is told and counted.
    Skip,
}

impl ImageFacts {
    /// Reads `facts:FILE` or `skip`.
    ///
    /// # Errors
    /// What may be written.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("facts", file)) if !file.is_empty() => Ok(Self::File(PathBuf::from(file))),
            None if text == "skip" => Ok(Self::Skip),
            _ => Err("write facts:FILE or skip".to_owned()),
        }
    }

    /// What is done where nothing is said: without an `ImageTrust` nobody is trusted, and nothing could be verified.
    pub(super) fn or_default(given: Option<&Self>, bundle: &Bundle) -> Option<Self> {
        given.cloned().or_else(|| bundle.image_trust.is_none().then_some(Self::Skip))
    }

    /// Whom to ask.
    pub(super) fn images(&self) -> anyhow::Result<Images> {
        match self {
            Self::File(path) => {
                let bytes = fs::read(path).with_context(|| format!("--images facts:{}", path.display()))?;
                let file = ImagesFile::parse(&bytes)
                    .map_err(|why| anyhow!("--images facts:{}: {why}", path.display()))?;
                Ok(Images::of(Arc::new(file)))
            }
            Self::Skip => Ok(Images::default()),
        }
    }
}
