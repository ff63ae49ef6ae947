//! Where etcd, kube-apiserver, kube-controller-manager and kubectl are.

use std::path::PathBuf;

/// The directory of the programs. `KUBEBUILDER_ASSETS` as controller-runtime's envtest reads it, else ours.
#[derive(Clone, Debug)]
pub(crate) struct Tools(PathBuf);

const NEEDED: [&str; 4] = ["etcd", "kube-apiserver", "kube-controller-manager", "kubectl"];

impl Tools {
    /// None where there are none, which is said, and which CI does not accept.
    pub(crate) fn find() -> Option<Self> {
        let variables = ["KUBEBUILDER_ASSETS", "MESHGATE_REFERENCE_TOOLS"];
        let directory = variables.iter().find_map(std::env::var_os).map(PathBuf::from);
        let absent = |directory: &PathBuf| NEEDED.iter().any(|name| !directory.join(name).is_file());
        if directory.as_ref().is_none_or(absent) {
            println!(
                "left out: all tests against the API server: no {} in {directory:?}; set MESHGATE_REFERENCE_TOOLS \
                 (tests/reference/build.sh builds them) or KUBEBUILDER_ASSETS",
                NEEDED.join(", ")
            );
            assert!(std::env::var_os("CI").is_none(), "CI needs the API server");
            return None;
        }
        directory.map(Self)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}
