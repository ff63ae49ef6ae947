//! Manifests that are judged as a cluster would, and the flags that say how: what `check` and `explain` share.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::guard::{GuardFlags, UserFlags};
use super::image_facts::ImageFacts;
use super::inputs::{FactFlags, PolicyFlags};
use super::paths;
use super::progress::Progress;
use crate::context::Others;
use crate::dry_run::{Check, File, Manifests, Outcome};
use crate::mesh::NoMesh;

/// The manifests, and all that their judgement hangs on.
#[derive(Debug, Args)]
pub(super) struct ManifestFlags {
    /// Manifests: files, directories, globs, - for standard input
    #[arg(value_name = "PATH", required_unless_present = "filenames")]
    paths: Vec<String>,
    /// The same as PATH, as in kubectl
    #[arg(short = 'f', long = "filename", value_name = "PATH")]
    filenames: Vec<String>,
    #[command(flatten)]
    pub(super) policies: PolicyFlags,
    #[command(flatten)]
    facts: FactFlags,
    #[command(flatten)]
    guard: GuardFlags,
    #[command(flatten)]
    user: UserFlags,
    /// The namespace of objects that name none [default: default]
    #[arg(short = 'n', long, value_name = "NAME")]
    namespace: Option<String>,
    /// What becomes of facts that nobody gives
    #[arg(long, value_enum, value_name = "HOW", default_value_t)]
    missing_facts: MissingFacts,
    /// Who is asked about images: registry, layout:DIR, facts:FILE, or skip, which leaves out the policies that look at them
    /// [default: registry where the policies have an ImageTrust, else skip]
    #[arg(long, value_name = "FROM", value_parser = ImageFacts::parse)]
    images: Option<ImageFacts>,
    /// The mesh's own configuration: what policies inject is rendered from it
    #[arg(long, value_name = "PATH")]
    mesh_config: Option<PathBuf>,
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

impl ManifestFlags {
    /// The files that are named.
    ///
    /// # Errors
    /// One of them is not there.
    pub(super) fn files(&self) -> anyhow::Result<Vec<File>> {
        let paths: Vec<String> = self.paths.iter().chain(&self.filenames).cloned().collect();
        paths::read(&paths)
    }

    /// What is decided about them, and if it `explains`, how that came about.
    pub(super) fn judged(&self, files: &[File], explains: bool) -> anyhow::Result<Outcome> {
        let bundle = self.policies.bundle(self.facts.now())?;
        let facts = self.facts.manifests()?;
        let manifests = Manifests::read(files);
        let others = match self.missing_facts {
            MissingFacts::Assume => Others::Fresh,
            MissingFacts::Error | MissingFacts::Skip => Others::Unknown,
        };
        let settings = bundle.meshes.as_ref();
        let istio = match &self.mesh_config {
            Some(path) => Some(super::inject::installed(path, &facts, &manifests, settings)?),
            None => None,
        };
        let images = ImageFacts::or_default(self.images.as_ref(), &bundle);
        let asked = images.images(&bundle)?;
        let check = Check {
            bundle: &bundle,
            facts: &facts,
            world: self.facts.world(&bundle, &facts, others)?.with_images(asked),
            now: self.facts.now(),
            namespace: self.namespace.clone(),
            user: self.user.info(),
            subjects: self.guard.subjects(),
            skips_missing_facts: self.missing_facts == MissingFacts::Skip,
            skips_images: images == ImageFacts::Skip,
            mesh: istio.as_ref().map_or(&NoMesh, |istio| istio),
            explains,
        };
        let progress = Progress::of(manifests.entries.len());
        let outcome = check.run(&manifests, &|done| progress.add(done));
        progress.end();
        Ok(outcome)
    }
}
