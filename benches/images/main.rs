//! What signed images cost: the verification of each kind of evidence, from the bundle's bytes to what it says of the image,
//! beside the library that cosign verifies with, on the same bytes; and a review whose images are known already beside the
//! same review without policies of images.
//!
//! `benches/images/run` builds the other side and runs both; `cargo bench --bench images` leaves it out.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "without evidence there is nothing to measure; what the other side takes is told"
)]

mod kinds;
mod reference;
mod reviews;

/// The Sigstore of the tests: its own certificate authority, logs and timestamp authority.
#[expect(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::indexing_slicing,
    dead_code,
    unused_imports,
    reason = "that of the tests, which use more of it"
)]
#[path = "../../tests/images"]
mod kit {
    pub(crate) mod sigstore;
}

use criterion::Criterion;
use kit::sigstore;

/// That of the binary (docs/adr/0004-allocator.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let kinds = kinds::all();
    for kind in &kinds {
        kind.check();
        criterion
            .bench_function(&format!("images/{}", kind.name), |bencher| bencher.iter(|| kind.verified()));
    }
    criterion.final_summary();
    reviews::measure();
    reference::measure(&kinds);
}
