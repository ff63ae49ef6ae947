//! Signed images over the network: the client, registries as they are and as they should not be.
#![cfg(test)]

mod kit;
mod logins;
mod outbound;
mod registry;
mod server;
