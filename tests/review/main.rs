//! The pipeline as a whole, through `review`: what bindings together make of a request.
#![cfg(test)]
#![expect(clippy::print_stdout, reason = "the numbers of a run are its result")]

mod annotations;
mod guard;
mod injections;
mod laws;
mod mutations;
mod pins;
mod proofs;
mod refusals;
mod updates;
mod world;
