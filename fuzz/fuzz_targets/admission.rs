//! Bytes from outside: refused or understood, never a panic; what is understood is understood again the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use meshgate::admission::decode;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(request) = decode(bytes) {
        let again = decode(request.to_review().to_string().as_bytes()).expect("what was understood");
        assert_eq!(again, request);
        assert_eq!(again.to_review().to_string(), request.to_review().to_string());
    }
});
