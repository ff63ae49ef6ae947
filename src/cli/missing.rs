//! What becomes of what policies want to know and nobody gives: flags that several commands share.

use clap::{Args, ValueEnum};

use super::image_facts::ImageFacts;
use crate::config::Configuration;
use crate::context::{Images, Others};
use crate::dry_run::Manifests;
use crate::engine::Bundle;
use crate::review::LeftOut;

/// What is asked of whom, and what becomes of what is not.
#[derive(Clone, Debug, Args)]
pub(super) struct MissingFlags {
    /// What becomes of facts that nobody gives
    #[arg(long, value_enum, value_name = "HOW", default_value_t)]
    missing_facts: MissingFacts,
    /// Who is asked about images: registry, layout:DIR, facts:FILE, or skip, which leaves out the policies that look at them
    /// [default: registry where the policies have an ImageTrust, else skip]
    #[arg(long, value_name = "FROM", value_parser = ImageFacts::parse)]
    images: Option<ImageFacts>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum MissingFacts {
    /// A namespace is taken as freshly made; whatever else is missing is an error
    #[default]
    Assume,
    /// Whatever is missing is an error
    Error,
    /// A policy that lacks one is left out, which is told and counted
    Skip,
}

impl MissingFlags {
    /// What is said of namespaces that nobody gives.
    pub(super) fn others(&self) -> Others {
        match self.missing_facts {
            MissingFacts::Assume => Others::Fresh,
            MissingFacts::Error | MissingFacts::Skip => Others::Unknown,
        }
    }

    /// Which missing facts leave a policy out.
    pub(super) fn left_out(&self, bundle: &Bundle) -> LeftOut {
        let images = ImageFacts::or_default(self.images.as_ref(), bundle) == ImageFacts::Skip;
        LeftOut { facts: self.missing_facts == MissingFacts::Skip, images }
    }

    /// Whom to ask about images; on whose behalf is said by objects, which are in a namespace where they name none.
    ///
    /// # Errors
    /// A file of facts, or what registries are asked with, can't be used.
    pub(super) fn images<'a>(
        &self,
        bundle: &Bundle,
        configured: Option<&Configuration>,
        objects: (impl IntoIterator<Item = &'a Manifests>, Option<&str>),
    ) -> anyhow::Result<Images> {
        ImageFacts::or_default(self.images.as_ref(), bundle).images(bundle, configured, objects)
    }
}
