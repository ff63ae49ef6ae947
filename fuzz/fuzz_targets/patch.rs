//! Two JSON texts, one a line: their diff leads from one to the other; and the second, taken as a patch, applies to the
//! first wholly or not at all.

#![no_main]

use libfuzzer_sys::fuzz_target;
use meshgate::admission::strict_json;
use meshgate::patch::Patch;

fuzz_target!(|bytes: &[u8]| {
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else { return };
    let (Ok(from), Ok(to)) = (strict_json(&bytes[..end]), strict_json(&bytes[end..])) else { return };

    let mut document = from.clone();
    let diff = Patch::diff(&from, &to);
    diff.apply(&mut document).expect("a diff applies");
    assert_eq!(document, to);
    assert_eq!(Patch::from_value(&diff.to_value()).expect("a diff is a patch"), diff);

    let mut document = from.clone();
    if Patch::from_value(&to).is_ok_and(|patch| patch.apply(&mut document).is_err()) {
        assert_eq!(document, from);
    }
});
