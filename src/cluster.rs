//! The API server: how it is reached, the facts that it holds, and the objects of an installation in it.
//!
//! Called by `cli`; a review asks it through [`ContextSource`](crate::context::ContextSource) and in no other way. What
//! can't be learnt is a fact in error, never an absent one.

mod connection;
mod installation;
mod objects;

pub use connection::{Connection, ConnectionError};
pub use installation::{Installation, InstallationError, Outcome};
pub use objects::Objects;
