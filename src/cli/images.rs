//! `meshgate images`: who signed images, and what is known of them, to read and to take along.

mod facts;
mod save;
mod verify;

use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::image_facts::ImageFacts;
use super::registries::KEPT;
use crate::image::{Asked, Authorities, Gatherer, Limits, Remembered};

/// How long one image may take.
const LONGEST: Duration = Duration::from_secs(20);

/// Flags of `images`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Tell who signed images, and whether that is enough
    Verify(verify::Verify),
    /// Take along what registries have about images, without their layers, as an OCI image layout
    Save(save::Save),
    /// Print what policies see of images, as `--images facts:FILE` reads it
    Facts(facts::Facts),
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    match &arguments.command {
        Command::Verify(verify) => verify::run(verify),
        Command::Save(save) => save::run(save),
        Command::Facts(facts) => facts::run(facts),
    }
}

/// Asks a source about images.
fn asking(images: &ImageFacts, authorities: Authorities, asked: Asked) -> anyhow::Result<Gatherer> {
    let (source, verifier) = (images.source(None)?, Remembered::sigstore(Limits::default(), KEPT));
    Ok(Gatherer::new(Arc::new(authorities), source, verifier, asked, Limits::default()))
}
