//! meshgate: a Kubernetes admission webhook whose core is a pure function,
//! [`review`](review::review), that the webhook and the dry run call alike.
//!
//! Modules stand in dependency order: each names only modules of an earlier level
//! (`docs/architecture.md`; `tests/architecture/` enforces it).

// Level 0: bytes and fields.
pub mod admission;
pub mod events;
pub mod kubernetes;
pub mod metrics;
pub mod patch;
pub mod yaml;

// Level 1: what a decision needs to know of the world.
pub mod context;

// Level 2: what the files of a policies' tree say; how others are asked.
pub mod outbound;
pub mod policy;

// Level 3: policies made ready to evaluate; how the process is set up.
pub mod config;
pub mod engine;
pub mod mesh;

// Level 4: the pipeline, and what the API server is to send to it.
pub mod registration;
pub mod review;

// Level 5: which bundle answers, and what goes in and out beside a request.
pub mod activation;
pub mod certificates;
pub mod changes;
pub mod install;
pub mod record;
pub mod report;
pub mod source;

// Level 6: how policies come in force from a repository; what was said about images, and by whom.
pub mod delivery;
pub mod image;

// Level 7: the callers of the pipeline, and the cluster that they serve.
pub mod cluster;
pub mod dry_run;
pub mod webhook;

// Level 8: what runs runs of the callers.
pub mod suite;

// Level 9: the command line.
pub mod cli;
