//! The injections of release-1.30 of Istio, and the tables by which it decides (`istio-inject/MANIFEST.md`).
#![expect(clippy::arithmetic_side_effects, reason = "an overflow fails the test")]

mod canonical;
mod cases;
mod command;
mod generate;
mod hostile;
mod proofs;
mod recognised;
mod reference;
mod tables;

use crate::pod_security::random;
