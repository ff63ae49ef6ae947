//! The pipeline as a whole, through `review`: what bindings together make of a request.
#![cfg(test)]

mod guard;
mod mutations;
mod updates;
mod world;
