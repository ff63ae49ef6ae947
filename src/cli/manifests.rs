//! Manifests that are judged as a cluster would, and the flags that say how: what `check` and `explain` share.

use std::path::PathBuf;

use anyhow::{anyhow, bail};
use clap::{Args, ValueEnum};

use super::globals::Globals;
use super::guard::{GuardFlags, UserFlags};
use super::inputs::{FactFlags, PolicyFlags, given, reason};
use super::missing::MissingFlags;
use super::paths;
use super::progress::Progress;
use crate::config::Configuration;
use crate::context::World;
use crate::dry_run::{Asked, Check, File, Manifests, Outcome, Requests};
use crate::engine::Bundle;
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
    /// What is asked about each object [default: create, with --old what kubectl apply would ask]
    #[arg(long, value_enum, value_name = "OPERATION")]
    operation: Option<Operation>,
    /// What is stored before: an object that is there by that name is updated, any other created
    #[arg(long, value_name = "PATH")]
    old: Option<String>,
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
    #[command(flatten)]
    missing: MissingFlags,
    /// The mesh's own configuration: what policies inject is rendered from it
    #[arg(long, value_name = "PATH")]
    mesh_config: Option<PathBuf>,
    #[arg(skip)]
    configured: Option<Configuration>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Operation {
    /// That it be made
    Create,
    /// That it take the place of the one of its name in --old, which has to be there
    Update,
    /// That it be deleted: the manifests are what is stored
    Delete,
}

impl ManifestFlags {
    /// Takes what a configuration says where no flag says it.
    ///
    /// # Errors
    /// It can't be read.
    pub(super) fn complete(&mut self, globals: &Globals) -> anyhow::Result<()> {
        self.configured = globals.configuration(self.policies.named().is_some())?;
        self.policies = self.policies.or_of(self.configured.as_ref());
        Ok(())
    }

    /// The files that are named.
    ///
    /// # Errors
    /// One of them is not there.
    pub(super) fn files(&self) -> anyhow::Result<Vec<File>> {
        let paths: Vec<String> = self.paths.iter().chain(&self.filenames).cloned().collect();
        paths::read(&paths)
    }

    /// What is decided about them; if it `keeps_objects`, as they would be stored, and if it `explains`, how that came
    /// about.
    pub(super) fn judged(
        &self,
        files: &[File],
        (keeps_objects, explains): (bool, bool),
        globals: &Globals,
    ) -> anyhow::Result<Outcome> {
        let bundle = self.policies.bundle(self.facts.now())?;
        let facts = self.facts.manifests()?;
        let asked = self.asked()?;
        let manifests = Manifests::read(files);
        let settings = bundle.meshes.as_ref();
        let istio = match &self.mesh_config {
            Some(path) => Some(super::inject::installed(path, &facts, &manifests, settings)?),
            None => None,
        };
        let configured = self.configured.as_ref();
        let stated = ([&facts, &manifests], self.namespace.as_deref());
        let images = self.missing.images(&bundle, configured, stated)?;
        let check = Check {
            bundle: &bundle,
            facts: &facts,
            world: self.world(&bundle, &facts, &asked)?.with_images(images),
            now: self.facts.now(),
            asked,
            namespace: self.namespace.clone(),
            user: self.user.info(),
            subjects: self.guard.subjects(configured),
            left_out: self.missing.left_out(&bundle),
            mesh: istio.as_ref().map_or(&NoMesh, |istio| istio),
            keeps_objects,
            explains,
        };
        let progress = Progress::of(manifests.entries.len(), globals.detail());
        let outcome = check.run(manifests, &|done| progress.add(done));
        progress.end();
        Ok(outcome)
    }

    /// What is asked about the manifests.
    fn asked(&self) -> anyhow::Result<Asked> {
        let stored = self.old.as_deref().map(|path| given("--old", path)).transpose()?;
        Ok(match (self.operation, stored) {
            (None | Some(Operation::Create), None) => Asked::Creation,
            (None, Some(stored)) => Asked::Application { stored },
            (Some(Operation::Update), Some(stored)) => Asked::Change { stored },
            (Some(Operation::Update), None) => {
                bail!("--operation update: name what is stored before with --old")
            }
            (Some(Operation::Delete), None) => Asked::Deletion,
            (Some(Operation::Create), Some(_)) => {
                bail!("--operation create: what is created is not there before; leave --old out")
            }
            (Some(Operation::Delete), Some(_)) => {
                bail!("--operation delete: the manifests are what is stored; leave --old out")
            }
        })
    }

    /// What is known before the manifests are applied: the facts, and what is stored.
    fn world(&self, bundle: &Bundle, facts: &Manifests, asked: &Asked) -> anyhow::Result<World> {
        let mut world = self.facts.world(bundle, facts, self.missing.others())?;
        Requests::new(facts.objects().chain(asked.stored()), bundle, self.namespace.clone())
            .describe(asked.stored(), &mut world)
            .map_err(|rejected| {
                anyhow!("--old: {}:{}: {}", rejected.file, rejected.line, reason(&rejected))
            })?;
        Ok(world)
    }
}
