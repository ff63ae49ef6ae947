//! The engine against the interpreter below it: a case for each row of the table of what the interpreter does in another
//! way than OPA, so that an upgrade that changes a row is seen.
#![cfg(test)]

mod bindings;
mod raw;
mod rows;
