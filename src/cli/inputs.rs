//! The flags that several commands share, and what they bring: policies, facts, the clock.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use clap::Args;
use time::OffsetDateTime;

use super::references::{Read, Reference};
use crate::config::Configuration;
use crate::context::{Now, Others, World};
use crate::dry_run::{Manifests, Requests};
use crate::engine::{self, Bundle};
use crate::image::Authorities;
use crate::policy::{Draft, Fault, Faults, MODE_LABEL, Mode, Tree};
use crate::report::{DocumentResult, DocumentStatus};
use crate::source;

/// The policies where nobody says which.
const DEFAULT: &str = "embedded/starter";

/// Which policies decide.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct PolicyFlags {
    /// The policies: a directory, an archive, oci:DIR[:TAG], git::URL//PATH?ref=REF, a revision, or an embedded profile [default: embedded/starter]
    #[arg(short = 'p', long, value_name = "DIR")]
    policies: Option<String>,
    /// Who has to have signed policies from a repository: a file of allowed signers, as git reads it
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
}

/// What stands in for the cluster.
#[derive(Clone, Debug, Args)]
pub(super) struct FactFlags {
    /// Kubernetes objects (namespaces, workloads, CustomResourceDefinitions) that stand in for the cluster
    #[arg(long, value_name = "DIR")]
    pub(super) facts: Option<PathBuf>,
    /// The mode of namespaces that say none: off, audit, warn or deny [default: the policies' defaultMode]
    #[arg(long, value_name = "MODE", value_parser = mode)]
    pub(super) mode: Option<Mode>,
    /// The version of Kubernetes that policies see, as 1.33 [default: the newest that is known]
    #[arg(long, value_name = "VERSION", value_parser = version)]
    pub(super) cluster_version: Option<(u64, u64)>,
    /// The time that policies see, as 2026-01-31T12:00:00Z [default: the clock]
    #[arg(long, value_name = "TIME", value_parser = now)]
    pub(super) now: Option<Now>,
}

impl PolicyFlags {
    /// The policies of a DIR argument, which says the same, where there is one.
    pub(super) fn or_in(&self, directory: Option<&String>) -> Self {
        Self { policies: directory.or(self.policies.as_ref()).cloned(), ..self.clone() }
    }

    /// The same where no flag names policies and the configuration does.
    pub(super) fn or_configured(&self, configured: &str) -> Self {
        Self { policies: Some(self.policies.as_deref().unwrap_or(configured).to_owned()), ..self.clone() }
    }

    /// The same where no flag names policies and there is a configuration.
    pub(super) fn or_of(&self, configuration: Option<&Configuration>) -> Self {
        configuration.map_or_else(|| self.clone(), |one| self.or_configured(&one.policies))
    }

    /// What the flag says.
    pub(super) fn named(&self) -> Option<&str> {
        self.policies.as_deref()
    }

    /// What is said, or the default.
    pub(super) fn name(&self) -> &str {
        self.policies.as_deref().unwrap_or(DEFAULT)
    }

    /// The policies' tree as it is.
    pub(super) fn tree(&self) -> anyhow::Result<Tree> {
        Ok(self.read()?.tree)
    }

    /// The policies' tree, and what came with it.
    pub(super) fn read(&self) -> anyhow::Result<Read> {
        let read = Reference::of(self.name()).and_then(|named| named.read(self.trust.as_deref()));
        read.with_context(|| format!("--policies {}: no policies", self.name()))
    }

    /// The policies, compiled, or all that is wrong with them at that time.
    pub(super) fn bundle(&self, now: Now) -> anyhow::Result<Bundle> {
        self.compile(&self.tree()?, now)
    }

    /// A tree of these policies, compiled, or all that is wrong with it at that time.
    pub(super) fn compile(&self, tree: &Tree, now: Now) -> anyhow::Result<Bundle> {
        let draft = Draft::read(tree, &source::catalogue()).at(now);
        let bundle = engine::compile(draft).map_err(|faults| self.unusable(&faults))?;
        // A key or a trust root that can't be used is a fault of the tree, whoever asks for images.
        let trust = bundle.image_trust.as_deref().map(Authorities::compile);
        trust.transpose().map_err(|faults| self.unusable(&faults))?;
        Ok(bundle)
    }

    /// The directory that they are in; None where they are in none.
    pub(super) fn directory(&self) -> Option<&Path> {
        match Reference::of(self.name()).ok()? {
            Reference::Directory(path) => Some(path),
            _ => None,
        }
    }

    /// The policies' tree that a server begins with.
    pub(super) fn served(&self, is_plain: bool) -> anyhow::Result<Tree> {
        let Some(directory) = self.directory() else { return self.tree() };
        source::whole(directory, is_plain).with_context(|| format!("--policies {}: no policies", self.name()))
    }

    /// Whether they are of the binary.
    pub(super) fn are_embedded(&self) -> bool {
        matches!(Reference::of(self.name()), Ok(Reference::Embedded(_)))
    }

    /// Refuses a commit of a repository, which a server verifies and follows.
    pub(super) fn can_be_served(&self) -> anyhow::Result<()> {
        if matches!(Reference::of(self.name()), Ok(Reference::Git(_))) {
            bail!(
                "a server reads a repository as `source` of its configuration says, and verifies it; write it there"
            );
        }
        Ok(())
    }

    /// What is wrong with the policies, as an error.
    pub(super) fn unusable(&self, faults: &Faults) -> anyhow::Error {
        let lines: Vec<String> = faults.iter().map(|fault| self.line(fault)).collect();
        anyhow!("--policies {}: the policies can't be used\n{}", self.name(), lines.join("\n"))
    }

    /// A file of the tree as seen from here.
    pub(super) fn shown(&self, file: &str) -> String {
        let path = Path::new(self.name()).join(file);
        if path.is_file() { path.display().to_string() } else { file.to_owned() }
    }

    /// A fault with its file as seen from here.
    fn line(&self, fault: &Fault) -> String {
        let root = Path::new(self.name());
        if root.join(&fault.file).is_file() {
            root.join(fault.to_string()).display().to_string()
        } else {
            fault.to_string()
        }
    }
}

impl FactFlags {
    /// The objects below `--facts`; nothing of them is left out.
    pub(super) fn manifests(&self) -> anyhow::Result<Manifests> {
        let directory = self.facts.as_ref().map(|path| path.display().to_string());
        directory.map_or_else(|| Ok(Manifests::default()), |path| given("--facts", &path))
    }

    /// What is known of the world. `others`: what is said of namespaces that `--facts` does not give.
    pub(super) fn world(&self, bundle: &Bundle, facts: &Manifests, others: Others) -> anyhow::Result<World> {
        let mut world = World::new(others);
        if let Some(mode) = self.mode {
            world = world.with_label(MODE_LABEL, mode.as_str());
        }
        if let Some(version) = self.cluster_version {
            world = world.of_version(version);
        }
        Requests::new(facts.objects(), bundle, None)
            .describe(facts.objects(), &mut world)
            .map_err(|rejected| anyhow!("--facts: {}", reason(&rejected)))?;
        Ok(world)
    }

    /// The time of the run.
    pub(super) fn now(&self) -> Now {
        self.now.unwrap_or_else(clock)
    }
}

/// The objects that a flag names; what can't be read of them would be missing.
///
/// # Errors
/// The path is not there, or something below it can't be read.
pub(super) fn given(flag: &str, path: &str) -> anyhow::Result<Manifests> {
    let mut files = super::paths::read(&[path.to_owned()])?;
    files.iter_mut().for_each(|file| file.named = true);
    let manifests = Manifests::read(&files);
    let faulty = manifests.entries.iter().filter_map(|entry| entry.as_ref().err());
    let faults: Vec<String> = faulty
        .filter(|rejected| rejected.status == DocumentStatus::Invalid)
        .map(|rejected| format!("{}:{}: {}", rejected.file, rejected.line, reason(rejected)))
        .collect();
    if !faults.is_empty() {
        bail!("{flag}: can't be read\n{}", faults.join("\n"));
    }
    Ok(manifests)
}

/// The time of day.
pub(super) fn clock() -> Now {
    Now::at(OffsetDateTime::now_utc())
}

/// Why a document was rejected.
pub(super) fn reason(rejected: &DocumentResult) -> &str {
    rejected.reason.as_deref().unwrap_or_default()
}

fn version(text: &str) -> Result<(u64, u64), String> {
    let parts = text.strip_prefix('v').unwrap_or(text).split('.').map(str::parse);
    match parts.collect::<Result<Vec<u64>, _>>().as_deref() {
        // The patch release makes no difference to an API.
        Ok([major, minor] | [major, minor, _]) => Ok((*major, *minor)),
        _ => Err("write a version of Kubernetes, as 1.33".to_owned()),
    }
}

fn mode(word: &str) -> Result<Mode, String> {
    Mode::parse(word).ok_or_else(|| "write off, audit, warn or deny".to_owned())
}

fn now(text: &str) -> Result<Now, String> {
    Now::parse(text).map_err(|error| format!("{error}; write an RFC 3339 time, as 2026-01-31T12:00:00Z"))
}
