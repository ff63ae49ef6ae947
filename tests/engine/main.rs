//! The engine against the interpreter below it: a case for each row of the table of what the interpreter does in another
//! way than OPA, so that an upgrade that changes a row is seen.
#![cfg(test)]
#![expect(clippy::arithmetic_side_effects, reason = "an overflow fails the test")]
#![expect(clippy::print_stdout, reason = "the numbers of a run are its result")]

mod bindings;
mod excepted;
mod failures;
mod included;
mod left_alone;
mod needs;
mod numbers;
mod raw;
mod rows;
mod tenants;
