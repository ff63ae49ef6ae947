//! Which rules read which: the order to judge them in, and what depends on a rule.

use std::collections::BTreeSet;

use crate::engine::gate::reading::Reading;

/// The rules that each rule reads, and those that read it.
pub(super) struct Graph<'a> {
    reads: &'a [BTreeSet<usize>],
    read_by: Vec<BTreeSet<usize>>,
}

impl<'a> Graph<'a> {
    pub(super) fn new(reads: &'a [BTreeSet<usize>]) -> Self {
        let mut read_by = vec![BTreeSet::new(); reads.len()];
        for (number, read) in reads.iter().enumerate() {
            for one in read {
                if let Some(readers) = read_by.get_mut(*one) {
                    readers.insert(number);
                }
            }
        }
        Self { reads, read_by }
    }

    /// Each rule after those that it reads; otherwise as they are written, files by name.
    pub(super) fn order(&self, reading: &Reading<'_>) -> Vec<usize> {
        let place = |number: &usize| {
            let rule = reading.rules.get(*number)?;
            let module = reading.modules.get(rule.module)?;
            Some((module.parsed.module.path.as_str(), rule.place))
        };
        let sorted = |numbers: &mut Vec<usize>| numbers.sort_by_key(|number| place(number));
        let mut roots: Vec<usize> = (0..self.reads.len()).collect();
        sorted(&mut roots);
        let mut seen = BTreeSet::new();
        let mut order = Vec::new();
        for root in roots {
            // A rule comes up a second time when all that it reads is done.
            let mut pending = vec![(root, false)];
            while let Some((number, is_ready)) = pending.pop() {
                if is_ready {
                    order.push(number);
                } else if seen.insert(number) {
                    pending.push((number, true));
                    let mut read: Vec<usize> =
                        self.reads.get(number).into_iter().flatten().copied().collect();
                    sorted(&mut read);
                    pending.extend(read.into_iter().rev().map(|number| (number, false)));
                }
            }
        }
        order
    }

    /// These, and all that read them, or what reads them.
    pub(super) fn dependents(&self, of: Vec<usize>) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        let mut pending = of;
        while let Some(number) = pending.pop() {
            if found.insert(number) {
                pending.extend(self.read_by.get(number).into_iter().flatten());
            }
        }
        found
    }
}
