//! Manifests that are judged as a cluster would, and the flags that say how: what `check` and `explain` share.

use clap::Args;

use super::guard::{GuardFlags, UserFlags};
use super::inputs::{FactFlags, PolicyFlags};
use super::paths;
use super::progress::Progress;
use crate::context::Others;
use crate::dry_run::{Check, File, Manifests, Outcome};

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
}

impl ManifestFlags {
    /// The files that are named.
    pub(super) fn files(&self) -> anyhow::Result<Vec<File>> {
        let paths: Vec<String> = self.paths.iter().chain(&self.filenames).cloned().collect();
        paths::read(&paths)
    }

    /// What is decided about them, and if it `explains`, how that came about.
    pub(super) fn judged(&self, files: &[File], explains: bool) -> anyhow::Result<Outcome> {
        let bundle = self.policies.bundle(self.facts.now())?;
        let facts = self.facts.manifests()?;
        let manifests = Manifests::read(files);
        let check = Check {
            bundle: &bundle,
            facts: &facts,
            world: self.facts.world(&bundle, &facts, Others::Fresh)?,
            now: self.facts.now(),
            namespace: self.namespace.clone(),
            user: self.user.info(),
            subjects: self.guard.subjects(),
            explains,
        };
        let progress = Progress::of(manifests.entries.len());
        let outcome = check.run(&manifests, &|done| progress.add(done));
        progress.end();
        Ok(outcome)
    }
}
