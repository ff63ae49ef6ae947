//! Writing so that a file is the old or the new one, whenever the process or the machine ends.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

/// Writes a file and waits until it is on disk.
pub(super) fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Waits until the names in a directory are on disk.
pub(super) fn sync(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// Puts another file in the place of one, all at once.
pub(super) fn replace(root: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    let made = root.join("tmp").join(name);
    write(&made, content)?;
    fs::rename(&made, root.join(name))?;
    sync(root)
}

/// Reads a file that is not larger than that.
pub(super) fn read_limited(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    File::open(path)?.take(limit.saturating_add(1)).read_to_end(&mut content)?;
    if u64::try_from(content.len()).unwrap_or(u64::MAX) > limit {
        return Err(io::Error::other(format!("{} is larger than it was written", path.display())));
    }
    Ok(content)
}
