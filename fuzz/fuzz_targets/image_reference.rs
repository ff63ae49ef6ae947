//! No text is too much for an image reference, and the canonical text of one is the same reference.
#![no_main]

use libfuzzer_sys::fuzz_target;
use meshgate::kubernetes::image_reference::ImageReference;

fuzz_target!(|text: &str| {
    if let Ok(image) = ImageReference::parse(text) {
        assert!(text.is_ascii());
        assert_eq!(ImageReference::parse(&image.canonical()), Ok(image), "{text:?}");
    }
});
