//! Policies from Git, with the real `git` and `ssh-keygen`: what they sign, serve and refuse.
#![cfg(test)]
#![expect(clippy::print_stdout, reason = "the numbers of a run are its result")]
#![expect(clippy::arithmetic_side_effects, reason = "an overflow fails the test")]

mod asked;
mod damaged;
mod fetched;
mod flipped;
mod headers;
mod killed;
mod large;
mod loaded;
mod process;
mod refusals;
mod refused_files;
mod refused_history;
mod refused_signers;
mod refused_state;
mod refused_transport;
mod repository;
mod served;
mod server;
mod signatures;
mod stricter;
mod swapped;
mod trials;
mod walk;
mod world;
