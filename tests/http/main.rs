//! The webhook as an API server and others meet it: real TLS, real HTTP, on a port of this machine.
#![cfg(test)]
#![expect(clippy::print_stdout, reason = "the numbers of a run are its result")]
#![expect(clippy::arithmetic_side_effects, reason = "an overflow fails the test")]

mod admin;
mod bad_input;
mod bundle;
mod client;
mod clients;
mod corpus;
mod deadlines;
mod drain;
mod exceptions;
mod istio;
mod ladder;
mod limits;
mod logs;
mod manifests;
mod metrics;
mod operations;
mod pod_security;
mod process;
mod profiles;
mod reload;
mod replicas;
mod server;
mod sidecars;
mod source;
mod stress;
mod tls;
mod verdicts;
