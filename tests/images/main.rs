//! Signed images, end to end within the process. A kit signs as Fulcio, Rekor and cosign do, with keys made at run time;
//! each refusal is for its reason, for a kit that is subtly wrong would refuse everything. And over the network: the
//! client, registries as they are and as they should not be.
#![cfg(test)]
#![expect(clippy::arithmetic_side_effects, reason = "an overflow fails the test")]
#![expect(clippy::print_stdout, reason = "the verdicts of a run, and what it left out, are told")]
#![expect(clippy::as_conversions, reason = "lengths of what is made here are small")]

mod accepted;
mod attested;
mod checks;
mod compiled;
mod compliance;
mod configured;
mod cosign;
mod facts;
mod faults;
mod flow;
mod keyless;
mod kit;
mod logins;
mod mutated;
mod outbound;
mod programs;
mod pullers;
mod pushed;
mod refused;
mod registry;
mod remembered;
mod reviewed;
mod saved;
mod secrets;
mod server;
mod sigstore;
mod stale;
mod stamped;
mod verdicts;
mod wired;
