//! `meshgate bundle verify`: whether a bundle would be let in by who trusts these signers.

use std::path::PathBuf;

use clap::Args;

use crate::cli::output;
use crate::cli::references::Reference;
use crate::policy::Revision;
use crate::source::{Reason, Refusal};

/// The exit code of a bundle that is not trusted.
const UNTRUSTED: u8 = 1;

/// Flags of `bundle verify`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meshgate bundle verify 'git::https://git.acme.example/policies.git//policies?ref=main' --trust allowed_signers
  meshgate bundle verify main:policies --trust trust/allowed_signers      a branch of the repository at hand

Exit codes: 0 trusted, 1 not trusted, 2 it can't be read")]
pub(super) struct Arguments {
    /// The bundle: a commit of a repository; others have no signature that this release reads
    #[arg(value_name = "BUNDLE")]
    bundle: String,
    /// Who may sign: a file of allowed signers, as git reads it (ssh-keygen(1))
    #[arg(long, value_name = "FILE")]
    trust: PathBuf,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let Reference::Git(repository) = Reference::of(&arguments.bundle)? else {
        output::print(&format!("{}: not trusted: it has no signature that is read\n", arguments.bundle))?;
        output::note("signatures are read of commits; name one, as git::URL//PATH?ref=REF\n")?;
        return Ok(UNTRUSTED);
    };
    match repository.read(Some(&arguments.trust)) {
        Ok(verified) => {
            let revision = Revision::of(&verified.tree, &crate::policy::Tree::default());
            let signers = &revision.provenance.signers;
            output::print(&format!(
                "{revision}: trusted\nsigned by {}\nid {}\ntree {}\n",
                signers.join(", "),
                revision.id(),
                revision.tree
            ))?;
            Ok(0)
        }
        Err(error) => match error.downcast_ref::<Refusal>() {
            Some(refusal) if refusal.reason != Reason::Fetch => {
                output::print(&format!("{}: not trusted: {refusal}\n", arguments.bundle))?;
                Ok(UNTRUSTED)
            }
            _ => Err(error),
        },
    }
}
