//! `meshgate install`: the objects of an installation.

mod cluster;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{ArgGroup, Args, ValueEnum};

use super::inputs::{PolicyFlags, clock};
use super::output;
use crate::install::{self, ConfigurationText, IMAGE, Packed, Policies, REPLICAS, Settings};
use crate::kubernetes::image_reference::ImageReference;

/// Flags of `install`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("in_cluster").args(["apply", "remove"]))]
#[command(after_help = "\
Examples:
  meshgate install | kubectl apply -f -
  meshgate install --apply                 … the same without kubectl
  meshgate install --remove                … and all of it deleted
  meshgate install --config meshgate.yaml -p policies | kubectl apply --server-side -f -

It prints neither webhook configurations nor certificates: meshgate writes them once it can answer.")]
pub(super) struct Arguments {
    /// The container image
    #[arg(long, value_name = "IMAGE", default_value = IMAGE, value_parser = image)]
    image: String,
    /// The process's own configuration, meshgate.yaml
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    policies: PolicyFlags,
    /// How many Pods
    #[arg(long, value_name = "COUNT", default_value_t = REPLICAS, value_parser = clap::value_parser!(u32).range(1..))]
    replicas: u32,
    /// Write the chart for Helm into a new directory instead
    #[arg(long, value_name = "DIR", conflicts_with_all = ["image", "config", "policies", "replicas"])]
    chart: Option<PathBuf>,
    /// Apply the objects instead, as whom the kubeconfig says
    #[arg(long, conflicts_with = "chart")]
    apply: bool,
    /// Delete an installation instead, or, before something else does, only what makes the API server ask it
    #[arg(
        long, value_name = "WHAT", num_args = 0..=1, require_equals = true, default_missing_value = "all",
        conflicts_with_all = ["chart", "image", "config", "policies", "replicas"]
    )]
    remove: Option<Removal>,
    /// How the API server is reached [default: as kubectl does, else as the Pod that this is]
    #[arg(long, value_name = "FILE", requires = "in_cluster")]
    kubeconfig: Option<PathBuf>,
}

/// What is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Removal {
    /// All that was installed.
    All,
    /// The webhook configurations.
    Registration,
}

/// Prints the objects, or does what is asked for instead.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    if let Some(directory) = &arguments.chart {
        return write_chart(directory).map(|()| 0);
    }
    let kubeconfig = arguments.kubeconfig.as_deref();
    if let Some(what) = arguments.remove {
        return cluster::remove(what, kubeconfig).map(|()| 0);
    }
    let settings = arguments.settings()?;
    let objects = install::manifests(&settings);
    if arguments.apply {
        let subjects = &settings.configuration.configuration().subjects;
        return cluster::apply(&objects, subjects, kubeconfig).map(|()| 0);
    }
    output::print(&install::text(&objects)).map(|()| 0)
}

impl Arguments {
    fn settings(&self) -> anyhow::Result<Settings> {
        let configuration = match &self.config {
            None => ConfigurationText::default(),
            Some(path) => {
                let name = path.display().to_string();
                let content = fs::read(path)
                    .with_context(|| format!("--config {name}: can't be read; check that it exists"))?;
                ConfigurationText::read(&name, &content)
                    .with_context(|| "the configuration can't be installed")?
            }
        };
        let in_force = self.policies.or_configured(&configuration.configuration().policies);
        // What the Pods would refuse at their start is refused here.
        let facts = in_force.bundle(clock())?.needs().rules();
        let policies = match self.policies.named() {
            // They come from the repository; what is named says only what they read.
            Some(_) if configuration.configuration().source.is_some() => Policies::Configured,
            None => Policies::Configured,
            Some(name) if name.starts_with("embedded/") => Policies::Embedded(name.to_owned()),
            Some(name) => Policies::Packed(
                Packed::of(&self.policies.tree()?)
                    .with_context(|| format!("--policies {name}: can't be packed into a ConfigMap"))?,
            ),
        };
        Ok(Settings { image: self.image.clone(), replicas: self.replicas, configuration, policies, facts })
    }
}

/// Writes into a directory that is not there, so that nothing of another version is left in it.
fn write_chart(directory: &Path) -> anyhow::Result<()> {
    let shown = directory.display();
    fs::create_dir(directory).with_context(|| format!("--chart {shown}: name a directory to be made"))?;
    let facts = PolicyFlags::default().bundle(clock())?.needs().rules();
    for file in install::chart(&facts) {
        let path = directory.join(file.path);
        let written =
            path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| fs::write(&path, file.text));
        written.with_context(|| format!("--chart {shown}: can't write {}", path.display()))?;
    }
    output::note(&format!("the chart is in {shown}; set its values there or with --set\n"))
}

fn image(text: &str) -> Result<String, String> {
    ImageReference::parse(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}
