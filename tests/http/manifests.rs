//! Real manifests, which several tests go through.

use std::path::{Path, PathBuf};

use meshgate::dry_run::{Content, File};

/// Where the corpus lies: beside the project, not in it. None: it is left out, which CI is not to do.
pub(crate) fn corpus() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    let directory = std::env::var_os("MESHGATE_CORPUS").map_or_else(beside, PathBuf::from);
    if directory.is_dir() {
        return Some(directory);
    }
    assert!(std::env::var_os("CI").is_none(), "no corpus at {}; set MESHGATE_CORPUS", directory.display());
    println!("left out: no corpus at {}; set MESHGATE_CORPUS", directory.display());
    None
}

/// The manifests below a directory, in their order.
pub(crate) fn files(directory: &Path, found: &mut Vec<File>) {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let extension = path.extension().and_then(std::ffi::OsStr::to_str);
        if path.is_dir() {
            files(&path, found);
        } else if matches!(extension, Some("yaml" | "yml" | "json")) {
            let (name, bytes) = (path.display().to_string(), std::fs::read(&path).unwrap());
            found.push(File { name, content: Content::Bytes(bytes), named: false });
        }
    }
}
