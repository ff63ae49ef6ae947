//! The types of comprehensions, each found once.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::engine::gate::terms::Comprehension;
use crate::engine::types::Known;

/// By where they are in memory, where they are kept.
#[derive(Default)]
pub(super) struct Closures(BTreeMap<*const Comprehension, (Rc<Comprehension>, Known)>);

impl Closures {
    pub(super) fn has(&self, comprehension: &Rc<Comprehension>) -> bool {
        self.0.contains_key(&Rc::as_ptr(comprehension))
    }

    pub(super) fn get(&self, comprehension: &Rc<Comprehension>) -> Known {
        self.0.get(&Rc::as_ptr(comprehension)).and_then(|(_, known)| known.clone())
    }

    pub(super) fn put(&mut self, comprehension: &Rc<Comprehension>, known: Known) {
        self.0.insert(Rc::as_ptr(comprehension), (Rc::clone(comprehension), known));
    }
}
