//! The injections of release-1.30 of Istio, and the tables by which it decides (`istio-inject/MANIFEST.md`).

mod canonical;
mod cases;
mod command;
mod hostile;
mod proofs;
mod recognised;
mod tables;
