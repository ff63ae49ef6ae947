//! The API server: how it is reached, the facts that it holds, the objects of an installation in it, and what it is told:
//! that it is to ask this process, and whom to trust.
//!
//! Called by `cli`; a review asks it through [`ContextSource`](crate::context::ContextSource) and in no other way. What
//! can't be learnt is a fact in error, never an absent one.

mod authority;
mod caches;
mod connection;
mod events;
mod everywhere;
mod guards;
mod installation;
mod leader;
mod live;
mod pace;
mod probe;
mod proof;
mod registrar;
mod registration;
mod removal;
mod rows;
mod shown;
mod state;
mod told;
mod wants;
mod watched;
mod writer;

pub use caches::{Caches, PullSecretsOfCluster};
pub use connection::{Connection, ConnectionError};
pub use events::EventWriter;
pub use installation::{Installation, InstallationError, Outcome};
pub use pace::Pace;
pub use proof::{Keys, own_proof_keys};
pub use registration::{Registration, Surroundings};
pub use rows::{Row, Rows, Told, ToldError};
