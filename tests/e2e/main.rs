//! meshgate beside the real API server: etcd, kube-apiserver, kube-controller-manager and kubectl on loopback, started once
//! for all tests of a run. Without those programs the tests say that they are left out; CI does not accept that.
#![cfg(test)]
#![expect(clippy::print_stdout, reason = "the numbers of a run are its result")]
#![expect(clippy::arithmetic_side_effects, reason = "an overflow fails the test")]

mod api_servers;
mod audit_log;
mod available;
mod balancer;
mod bundles;
mod certificates;
mod corpus;
mod drift;
mod environment;
mod events;
mod facts;
mod injection;
mod install_command;
mod installation;
mod installed;
#[path = "../http/istio.rs"]
mod istio;
mod large;
mod load;
#[path = "../http/manifests.rs"]
mod manifests;
mod messages;
mod namespaces;
mod operations;
mod pod_security;
#[path = "../images/programs.rs"]
#[expect(dead_code, reason = "other registries and signers are shown in the tests of images")]
mod programs;
mod pull_secrets;
#[path = "../differential/random.rs"]
mod random;
mod registration;
#[path = "../git/repository.rs"]
#[expect(dead_code, reason = "signatures are judged in the tests of Git")]
mod repository;
mod rights;
#[path = "../git/server.rs"]
#[expect(dead_code, reason = "the faults of servers are shown in the tests of Git")]
mod server;
mod webhook;
