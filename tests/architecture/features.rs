//! Features that change what a `serde_json::Value` is, for every crate in the build. One dependency that asks for them
//! is enough.

use std::{collections::BTreeSet, process::Command};

use crate::{Fault, assert_faults, assert_none, root};

/// With `arbitrary_precision` an object `{"$serde_json::private::Number": "7"}` is read as the number 7, so policies
/// would not see what is stored (docs/adr/0001-engine.md). With `preserve_order` equal objects differ as text.
const FORBIDDEN: &[&str] = &["arbitrary_precision", "preserve_order"];

/// The platforms of the images. What others need may not be on this machine, and nothing is fetched here.
const PLATFORMS: &[&str] = &["aarch64-unknown-linux-gnu", "x86_64-unknown-linux-gnu"];

#[test]
fn a_value_is_what_the_request_says() {
    let tree = tree();
    assert!(tree.contains("serde_json feature \"std\""), "the tree is not as expected:\n{tree}");
    assert_none(&forbidden(&tree));
}

/// The features of all packages, for all kinds of dependencies, as cargo puts them together.
fn tree() -> String {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["tree", "--offline", "--locked", "--color=never", "--edges=features", "--prefix=none"]);
    cargo.args(["--format={p} {f}"]);
    cargo.args(PLATFORMS.iter().map(|platform| format!("--target={platform}")));
    let output = cargo.current_dir(root()).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "cargo tree: if crates are missing, run `cargo fetch --locked`: {errors}"
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Lines `serde_json feature "x"` and `serde_json v1.0.1 a,b,c` with a forbidden feature.
fn forbidden(tree: &str) -> Vec<Fault> {
    let lines = tree.lines().filter(|line| line.starts_with("serde_json "));
    let enabled: BTreeSet<&str> = lines.flat_map(|line| line.split([' ', ',', '"'])).collect();
    let fault = |feature: &&str| {
        let what = format!("serde_json is built with `{feature}`");
        let remedy = "find who asks with `cargo tree -e features -i serde_json`, and turn it off there";
        Fault { file: "Cargo.toml".to_owned(), line: 1, what, remedy }
    };
    FORBIDDEN.iter().filter(|feature| enabled.contains(*feature)).map(fault).collect()
}

#[test]
fn a_feature_that_changes_values_is_a_fault() {
    let good = "meshgate v0.1.0\nserde_json feature \"float_roundtrip\" (*)\nserde_json v1.0.1 default,std\n\
        toml v0.9.0 preserve_order\nserde_json5 feature \"arbitrary_precision\"";
    assert_none(&forbidden(good));
    for line in ["serde_json feature \"preserve_order\" (*)", "serde_json v1.0.1 alloc,preserve_order,std"] {
        assert_faults(&forbidden(&format!("{good}\n{line}")), &["built with `preserve_order`"]);
    }
    let line = "serde_json feature \"arbitrary_precision\"";
    assert_faults(&forbidden(&format!("{good}\n{line}")), &["built with `arbitrary_precision`"]);
}
