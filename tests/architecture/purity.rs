//! What decides does no I/O and reads no clock and no environment: what it needs of the outside is a fact.

use crate::{Fault, Source, assert_faults, assert_none, level, names::Name, sources};

/// The last level of the pure core.
const PURE: u8 = 4;

/// The module of an early level that is not pure, so that all may use it that are not pure themselves.
const OUTWARD: &str = "outbound";

/// What the pure levels may not reach. `std::time::Duration` and the types of `core::net` are values.
const OUTSIDE: &[&[&str]] = &[
    &["crate", OUTWARD, "Blocking"],
    &["crate", OUTWARD, "Client"],
    &["std", "env"],
    &["std", "fs"],
    &["std", "io", "stderr"],
    &["std", "io", "stdin"],
    &["std", "io", "stdout"],
    &["std", "net"],
    &["std", "os"],
    &["std", "process"],
    &["std", "time", "Instant"],
    &["std", "time", "SystemTime"],
    &["time", "Instant"],
    &["tokio"],
];

/// Functions that read the clock, of whatever type they are called: `OffsetDateTime::now_utc`.
const CLOCKS: &[&str] = &["now_local", "now_utc"];

/// The one file that may: what an evaluation may take can't be counted otherwise.
const TIMEKEEPER: &str = "src/engine/allowance.rs";

#[test]
fn the_pure_levels_reach_nothing_outside() {
    assert_none(&impure(&sources("src")));
}

fn impure(sources: &[Source]) -> Vec<Fault> {
    let pure = |source: &&Source| {
        source.path != TIMEKEEPER
            && source.owner() != OUTWARD
            && level(source.owner()).is_some_and(|level| level <= PURE)
    };
    let mut faults = Vec::new();
    for source in sources.iter().filter(pure) {
        for name in source.names().iter().filter(|name| is_outside(name)) {
            let what = format!("`{}`, of a pure level, names `{}`", source.owner(), name.text());
            let remedy = "let the caller pass what was read, as an argument or a fact";
            faults.push(source.fault(name.line, what, remedy));
        }
    }
    faults
}

fn is_outside(name: &Name) -> bool {
    OUTSIDE.iter().any(|outside| name.reaches(outside))
        || name.path.iter().any(|part| CLOCKS.contains(&part.as_str()))
}

#[test]
fn io_clocks_and_the_environment_are_faults_in_the_pure_levels() {
    for (text, expected) in [
        ("use std::fs;", "names `std::fs`"),
        ("use std::{fmt, fs::File};", "names `std::fs::File`"),
        ("use std::net::TcpStream;", "names `std::net::TcpStream`"),
        ("fn f() { std::env::var(\"HOME\") }", "names `std::env::var`"),
        ("fn f() { g!(std::process::exit(1)) }", "names `std::process::exit`"),
        ("use std::io::{Read, stdin};", "names `std::io::stdin`"),
        ("use std::time::{Duration, Instant};", "names `std::time::Instant`"),
        ("use std::time::*;", "names `std::time::*`"),
        ("use std::time; fn f() { time::SystemTime::now() }", "names `std::time::SystemTime::now`"),
        ("fn f() { time::OffsetDateTime::now_utc() }", "names `time::OffsetDateTime::now_utc`"),
        ("fn f() { <time::OffsetDateTime>::now_utc() }", "names `<>::now_utc`"),
        ("#[tokio::test] async fn f() {}", "names `tokio::test`"),
        ("use crate::outbound::Client;", "names `crate::outbound::Client`"),
    ] {
        assert_faults(&impure(&[Source::new("src/review/judge.rs", text)]), &[expected]);
        assert_faults(&impure(&[Source::new("src/yaml.rs", text)]), &["src/yaml.rs:1: "]);
        assert_none(&impure(&[Source::new("src/webhook.rs", text)]));
    }
}

#[test]
fn values_are_none() {
    let text = "use std::{time::Duration, io::Write, collections::*}; use core::net::IpAddr;
        use time::OffsetDateTime; fn f() { OffsetDateTime::parse(env!(\"CARGO_PKG_VERSION\"), env, fs, tokio) }";
    assert_none(&impure(&[Source::new("src/review.rs", text)]));
}
