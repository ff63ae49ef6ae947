//! No text is too much for a quantity, and what is read is written back as the same amount.
#![no_main]

use libfuzzer_sys::fuzz_target;
use meshgate::kubernetes::quantity::Quantity;

fuzz_target!(|text: &str| {
    if let Ok(quantity) = Quantity::parse(text) {
        let canonical = quantity.canonical();
        // At the bounds the canonical text can be longer than what is read.
        if canonical.len() <= text.len() {
            assert_eq!(Quantity::parse(&canonical), Ok(quantity), "{text:?}");
        }
    }
});
