//! The program as people run it: what it prints, its exit codes, and the README word for word.
#![cfg(test)]
#![expect(clippy::print_stdout, reason = "what is left out is said")]

mod book;
mod bundle;
mod bundle_diff;
mod catalogue;
mod chart;
mod check;
mod ci;
mod closed;
mod commands;
mod config;
mod dockerfile;
mod everything;
mod explain;
mod facts;
mod faults;
mod formats;
mod globals;
mod hostile;
mod inject;
mod inputs;
mod install;
mod operations;
mod pipes;
mod pod_templates;
mod policy_repo;
mod program;
mod readme;
mod reference;
mod references;
mod slips;
mod test_command;
mod text;
