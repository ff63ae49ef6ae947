//! `meshgate images save`: what registries have about images, in a directory.

use std::path::PathBuf;

use anyhow::{Context, anyhow};
use clap::Args;
use tokio::time::Instant;

use super::super::inputs::{PolicyFlags, clock};
use super::super::{FAILED, output, registries};
use super::LONGEST;
use crate::image::{Authorities, Pack};
use crate::kubernetes::image_reference::ImageReference;

/// Flags of `images save`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meshgate images save registry.example.com/app:v1 -o evidence
  meshgate check -p policies --images layout:evidence pod.yaml

Exit codes: 0 saved, 2 something can't be read or written, 3 a registry gives no answer; then nothing is written")]
pub(super) struct Save {
    /// Images, as in a Pod
    #[arg(value_name = "REF", required = true)]
    references: Vec<String>,
    #[command(flatten)]
    policies: PolicyFlags,
    /// The directory; what a layout has there already stays
    #[arg(short = 'o', long, value_name = "DIR")]
    output: PathBuf,
}

/// Runs the command.
pub(super) fn run(save: &Save) -> anyhow::Result<u8> {
    let bundle = save.policies.bundle(clock())?;
    let trust = bundle.image_trust.as_deref().map(Authorities::compile).transpose();
    let authorities = trust.map_err(|faults| anyhow!("{faults}"))?.unwrap_or_default();
    let user = registries::OfUser::new()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("can't start")?;
    let (mut pack, mut text) = (Pack::default(), String::new());
    for reference in &save.references {
        let image = ImageReference::parse(reference).with_context(|| reference.clone())?;
        let until = Instant::now().checked_add(LONGEST).context("no clock")?;
        let saving = user.registries.save(&image, &authorities, &user.user, &mut pack, until);
        match runtime.block_on(saving) {
            Ok(digest) => text.push_str(&format!("{reference}: {digest}\n")),
            Err(why) => {
                output::complain(&anyhow!("{reference}: {why}"));
                return Ok(FAILED);
            }
        }
    }
    pack.write(&save.output).with_context(|| format!("--output {}", save.output.display()))?;
    output::print(&text)?;
    Ok(0)
}
