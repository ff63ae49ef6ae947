//! What the gate found: collected, each with its code and place.

use std::collections::BTreeSet;

use super::reading::Module;
use super::terms::Place;
use crate::policy::Fault;

/// Faults of several modules.
#[derive(Default)]
pub(super) struct Found(Vec<Fault>);

impl Found {
    /// Adds a fault at a place of a module.
    pub(super) fn add(
        &mut self,
        module: &Module<'_>,
        code: &'static str,
        place: Place,
        message: impl Into<String>,
    ) {
        let mut fault = module.parsed.fault(place.start, message);
        let text = module.parsed.text(place.start..place.end);
        fault.code = Some(code);
        fault.length = text.lines().next().unwrap_or_default().chars().count();
        self.0.push(fault);
    }

    /// The files that they are in.
    pub(super) fn files(&self) -> BTreeSet<String> {
        self.0.iter().map(|fault| fault.file.clone()).collect()
    }

    /// All of them.
    pub(super) fn into_faults(self) -> Vec<Fault> {
        self.0
    }
}
