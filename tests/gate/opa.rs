//! The real `opa check`.

use std::{env, fs, path::PathBuf, process::Command};

use meshgate::policy::Module;

pub(crate) struct Opa(PathBuf);

impl Opa {
    /// The program; None where there is none, which a CI run must not accept.
    pub(crate) fn find() -> Option<Self> {
        let direct = env::var_os("MESHGATE_OPA").map(PathBuf::from);
        let inside =
            || env::var_os("MESHGATE_REFERENCE_TOOLS").map(|directory| PathBuf::from(directory).join("opa"));
        let path = direct.or_else(inside);
        if path.is_none() {
            assert!(env::var_os("CI").is_none(), "no opa; set MESHGATE_OPA");
            println!("left out: no opa; set MESHGATE_OPA or MESHGATE_REFERENCE_TOOLS");
        }
        path.map(Self)
    }

    /// What `opa check` says of modules.
    pub(crate) fn check(&self, modules: &[Module], v0: bool) -> Result<(), String> {
        let directory = tempfile::tempdir().unwrap();
        for module in modules {
            fs::write(directory.path().join(&module.path), &module.text).unwrap();
        }
        let version = if v0 { "--v0-compatible" } else { "--v1-compatible" };
        let output = Command::new(&self.0).args(["check", version]).arg(directory.path()).output().unwrap();
        if output.status.success() {
            return Ok(());
        }
        Err(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    }
}
