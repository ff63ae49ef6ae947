//! The command line: one file a subcommand. Reads files, prints, and gives the exit code; decides nothing.

mod bundle;
mod check;
mod completions;
mod config;
mod diff;
mod eval;
mod explain;
mod formats;
mod globals;
mod guard;
mod image_facts;
mod images;
mod init;
mod inject;
mod inputs;
mod install;
mod lint;
mod manifests;
mod missing;
mod output;
mod paths;
mod policies;
mod progress;
mod reference;
mod references;
mod registries;
mod repository;
mod review;
mod run_tests;
mod serve;
mod terminal;
mod test;

use std::ffi::OsString;
use std::process::ExitCode;
use std::thread;

use clap::{CommandFactory, Parser, Subcommand};
use globals::Globals;

/// Stack of the threads that evaluate: Rego recurses as deep as its data, 127 levels of JSON and what policies nest.
const STACK_BYTES: usize = 16 * 1024 * 1024;

/// The exit code of a usage, configuration, policies or manifest error (contracts: exit codes).
const UNUSABLE: u8 = 2;
/// The exit code where something failed that nothing is known of.
const FAILED: u8 = 3;

/// Kubernetes admission with Rego policies: one decision, on a laptop as in the cluster.
#[derive(Debug, Parser)]
#[command(name = "meshgate", version, max_term_width = 100, after_help = EXAMPLES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    globals: Globals,
}

const EXAMPLES: &str = "\
Examples:
  meshgate check deploy/                     what the embedded policies say of your manifests
  meshgate check -p policies deploy/         … and what yours say
  meshgate inject deploy/ --mesh-config m/   your manifests with the sidecars of your mesh
  meshgate explain deploy/web.yaml           … and why: who was asked, and which rule said what
  meshgate review --phase validate r.json    answer an AdmissionReview, as the webhook does
  meshgate test policies                     the tests and examples of your policies
  meshgate serve --dev                       the webhook on https://localhost:8443
  meshgate install | kubectl apply -f -      … and in your cluster

Exit codes: 0 passed, 1 denied, 2 something can't be read, 3 a policy was in error or a fact is missing";

#[derive(Debug, Subcommand)]
enum Command {
    /// Mutate and validate manifests as the cluster would
    Check(check::Arguments),
    /// Answer an AdmissionReview as the webhook would
    Review(review::Arguments),
    /// Print manifests with the sidecars that their mesh would inject
    Inject(inject::Arguments),
    /// Tell how decisions about manifests come about
    Explain(explain::Arguments),
    /// Evaluate one rule of any Rego on any input
    Eval(eval::Arguments),
    /// Judge a policies' tree, its tests too
    Lint(lint::Arguments),
    /// Serve the webhook over HTTPS
    Serve(serve::Arguments),
    /// Print the manifests of an installation
    Install(install::Arguments),
    /// Run the tests and the examples of policies
    Test(test::Arguments),
    /// The catalogue of policies
    Policies(policies::Arguments),
    /// Write a policy repository to start from
    Init(init::Arguments),
    /// Who signed images
    Images(images::Arguments),
    /// Policies as artifacts, and what changed between two
    Bundle(bundle::Arguments),
    /// Run the tests of an archive for the server
    #[command(name = crate::delivery::COMMAND, hide = true)]
    RunTests(run_tests::Arguments),
    /// The process's own configuration
    Config(config::Arguments),
    /// Print the completions of a shell
    Completions(completions::Arguments),
    /// Print the version
    Version,
}

impl Command {
    /// Whether it reads `--config`.
    fn asks_a_configuration(&self) -> bool {
        match self {
            Self::Check(_) | Self::Review(_) | Self::Inject(_) | Self::Explain(_) | Self::Lint(_) => true,
            Self::Serve(_) | Self::Install(_) | Self::Test(_) | Self::Policies(_) => true,
            Self::Eval(_) | Self::Init(_) | Self::Images(_) | Self::Bundle(_) | Self::RunTests(_) => false,
            Self::Config(_) | Self::Completions(_) | Self::Version => false,
        }
    }
}

/// Runs one command and gives its exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are errors too for the parser; it knows where to print them.
            let code = if error.use_stderr() { UNUSABLE } else { 0 };
            return if error.print().is_ok() { ExitCode::from(code) } else { ExitCode::from(FAILED) };
        }
    };
    let worker = thread::Builder::new().stack_size(STACK_BYTES).spawn(move || dispatch(arguments));
    match worker.map(thread::JoinHandle::join) {
        Ok(Ok(Ok(code))) => ExitCode::from(code),
        Ok(Ok(Err(error))) => {
            output::complain(&error);
            ExitCode::from(UNUSABLE)
        }
        // A panic has been printed by the runtime; a thread that can't be started has not.
        Ok(Err(_)) => ExitCode::from(FAILED),
        Err(error) => {
            output::complain(&anyhow::Error::new(error).context("can't start a thread"));
            ExitCode::from(FAILED)
        }
    }
}

/// The page of the book about all commands and flags, Markdown.
pub fn reference() -> String {
    reference::reference(Arguments::command())
}

/// The page of the book about all file kinds, Markdown.
pub fn kinds() -> String {
    reference::kinds()
}

fn dispatch(arguments: Arguments) -> anyhow::Result<u8> {
    let Arguments { command, globals } = arguments;
    if !command.asks_a_configuration() {
        globals.without_configuration()?;
    }
    match command {
        Command::Check(arguments) => check::run(arguments, &globals),
        Command::Review(arguments) => review::run(&arguments, &globals),
        Command::Inject(arguments) => inject::run(&arguments, &globals),
        Command::Explain(arguments) => explain::run(arguments, &globals),
        Command::Eval(arguments) => eval::run(&arguments),
        Command::Lint(arguments) => lint::run(&arguments, &globals),
        Command::Serve(arguments) => serve::run(&arguments, &globals),
        Command::Install(arguments) => install::run(&arguments),
        Command::Test(arguments) => test::run(&arguments, &globals),
        Command::Policies(arguments) => policies::run(&arguments, &globals),
        Command::Init(arguments) => init::run(&arguments),
        Command::Images(arguments) => images::run(&arguments),
        Command::Bundle(arguments) => bundle::run(&arguments),
        Command::RunTests(arguments) => run_tests::run(&arguments),
        Command::Config(arguments) => config::run(&arguments),
        Command::Completions(arguments) => completions::run(&arguments, &mut Arguments::command()),
        Command::Version => output::print(&format!("meshgate {}\n", env!("CARGO_PKG_VERSION"))).map(|()| 0),
    }
}
