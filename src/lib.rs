//! meshgate
