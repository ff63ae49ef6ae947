//! A policies' tree of two files, any text each: the policy up to the first NUL, the bindings behind it. What is wrong
//! with it is listed: not more faults than there are characters, each in a line that the file can have.

#![no_main]

use libfuzzer_sys::fuzz_target;
use meshgate::policy::{Draft, Tree};

fuzz_target!(|text: &str| {
    let (policy, bindings) = text.split_once('\0').unwrap_or((text, ""));
    let mut tree = Tree::default();
    tree.insert("a/b/b.rego", policy);
    tree.insert("bindings.yaml", bindings);
    let draft = Draft::read(&tree, &Tree::default());
    if draft.faults.is_empty() {
        assert_eq!(draft.policies.len(), 1);
        assert!(!draft.bindings.is_empty());
    }
    let bound = text.chars().count() + 1;
    assert!(draft.faults.len() <= bound);
    for fault in &draft.faults {
        assert!(fault.line <= bound && fault.column <= bound, "{fault}");
    }
});
