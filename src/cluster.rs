//! The API server: how it is reached, and the facts that it holds.
//!
//! Called by `cli`; a review asks it through [`ContextSource`](crate::context::ContextSource) and in no other way. What
//! can't be learnt is a fact in error, never an absent one.

mod connection;
mod objects;

pub use connection::{Connection, ConnectionError};
pub use objects::Objects;
