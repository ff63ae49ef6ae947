//! Any text as a policy: judged, normalised and loaded, or refused with a place that is in the text; never a panic,
//! and never long. Modules are parted by lines of `---`, the first byte chooses the dialect.

#![no_main]

use std::time::{Duration, Instant};

use libfuzzer_sys::fuzz_target;
use meshgate::context::Now;
use meshgate::engine::{Program, ProgramSettings, RegoVersion, lint};
use meshgate::policy::{Module, Tree};

/// Far more than what the limits leave (docs/codes/MG109.md), on a slow machine and with the fuzzer's counters.
const LONGEST: Duration = Duration::from_secs(20);

fuzz_target!(|text: &str| {
    let started = Instant::now();
    let version = if text.starts_with('0') { RegoVersion::V0 } else { RegoVersion::V1 };
    let parts = text.trim_start_matches('0').split("\n---\n").enumerate();
    let modules: Vec<Module> = parts
        .map(|(number, text)| Module { path: format!("{number}.rego"), text: text.to_owned() })
        .collect();
    if let Err(faults) = Program::load(&modules, &ProgramSettings { version, ..ProgramSettings::default() }) {
        for fault in faults.iter() {
            let module = modules.iter().find(|module| module.path == fault.file);
            let lines = module.map_or(usize::MAX, |module| module.text.split('\n').count());
            assert!(fault.code.is_some() && fault.line <= lines, "{fault:?}");
        }
    }
    let mut tree = Tree::default();
    tree.insert("a/b/b.rego", text);
    let now = Now::parse("2026-01-31T12:00:00Z").unwrap();
    lint(&tree, &Tree::default(), now);
    assert!(started.elapsed() < LONGEST, "took {:?}", started.elapsed());
});
