//! The binary: its allocator, and the command line.

use std::process::ExitCode;

/// The evaluator allocates small values all the time; 15–18 % of its time (docs/adr/0004-allocator.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    meshgate::cli::run(std::env::args_os())
}
