//! A file that is new below `policies/` or in the policy repository is embedded, too: the macro that embeds them sees only those that it knows.

fn main() {
    println!("cargo::rerun-if-changed=policies");
    println!("cargo::rerun-if-changed=deploy/examples/policy-repo");
}
