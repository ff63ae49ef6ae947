//! Writing to standard output and standard error.

use std::io::{self, Write};

/// Writes to standard output. A reader that has gone (`| head`) is no error.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    written(io::stdout().lock(), text)
}

/// Writes to standard error.
pub(super) fn note(text: &str) -> anyhow::Result<()> {
    written(io::stderr().lock(), text)
}

/// Prints an error and its causes, one a line.
pub(super) fn complain(error: &anyhow::Error) {
    let mut text = format!("error: {error}\n");
    for cause in error.chain().skip(1) {
        text.push_str(&format!("  because: {cause}\n"));
    }
    // Nobody is left to tell if standard error is gone too.
    let _ = note(&text);
}

fn written(mut to: impl Write, text: &str) -> anyhow::Result<()> {
    match to.write_all(text.as_bytes()).and_then(|()| to.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}
