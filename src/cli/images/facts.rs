//! `meshgate images facts`: the fact `images` as a file, to test policies with and to ask again what was asked before.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, anyhow};
use clap::Args;
use tokio::time::Instant;

use super::super::image_facts::ImageFacts;
use super::super::inputs::{PolicyFlags, clock};
use super::super::output;
use super::{LONGEST, asking};
use crate::image::{Asked, Authorities, CredentialSet};

/// Flags of `images facts`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meshgate images facts registry.example.com/app:v1 -p policies -o images.json
  meshgate check -p policies --images facts:images.json pod.yaml

An image of which something can't be read is among them, with what could not be: policies read that, too")]
pub(super) struct Facts {
    /// Images, as in a Pod
    #[arg(value_name = "REF", required = true)]
    references: Vec<String>,
    #[command(flatten)]
    policies: PolicyFlags,
    /// Who is asked: registry, or layout:DIR as `images save` writes it
    #[arg(long, value_name = "SOURCE", default_value = "registry", value_parser = ImageFacts::of_evidence)]
    images: ImageFacts,
    /// The file [default: standard output]
    #[arg(short = 'o', long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Runs the command.
pub(super) fn run(facts: &Facts) -> anyhow::Result<u8> {
    let bundle = facts.policies.bundle(clock())?;
    let trust = bundle.image_trust.as_deref().map(Authorities::compile).transpose();
    let authorities = trust.map_err(|faults| anyhow!("{faults}"))?.unwrap_or_default();
    let (predicate_types, configs) = (bundle.predicate_types(), bundle.image_configs());
    let asked = Asked { predicate_types, authorities: None, configs };
    let gatherer = asking(&facts.images, authorities, asked)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("can't start")?;
    let mut all = BTreeMap::new();
    for reference in &facts.references {
        let until = Instant::now().checked_add(LONGEST).context("no clock")?;
        let entry = runtime.block_on(gatherer.entry(reference, &CredentialSet::none(), until));
        all.insert(reference, entry.map_err(|why| anyhow!("{reference}: {why}"))?);
    }
    let text = format!("{}\n", serde_json::to_string_pretty(&all)?);
    match &facts.output {
        None => output::print(&text)?,
        Some(path) => fs::write(path, text).with_context(|| format!("--output {}", path.display()))?,
    }
    Ok(0)
}
