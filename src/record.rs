//! Decisions as JSON lines, in the shape of OPA's decision logs (its `plugins/logs`, EventV1), so that what reads those
//! reads these. Never objects; messages of findings only where that is configured, masked (R42).
//!
//! Called by `webhook` for each decision, also of `dryRun` requests, which the line says: it is the record of what was
//! asked, not of what was changed.

mod line;
mod masked;

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use crate::metrics::Metrics;
pub use line::Record;

/// Lines that may wait for the disk; more are lost, and counted, rather than hold an answer up.
const WAITING: usize = 1_024;

/// Where decisions are written.
pub struct Decisions {
    /// Names this process.
    id: String,
    messages: bool,
    metrics: Metrics,
    /// None only while it ends.
    lines: Option<SyncSender<String>>,
    writer: Option<JoinHandle<()>>,
}

impl Decisions {
    /// Adds lines to `file`; `-` is standard output. `id` names this process.
    ///
    /// # Errors
    /// The file can't be written to, or there is no thread to do it.
    pub fn open(file: &Path, messages: bool, id: String, metrics: Metrics) -> io::Result<Self> {
        let to: Box<dyn Write + Send> = if file == Path::new("-") {
            Box::new(io::stdout())
        } else {
            Box::new(OpenOptions::new().append(true).create(true).open(file)?)
        };
        let (lines, waiting) = sync_channel(WAITING);
        let counted = metrics.clone();
        let writer = thread::Builder::new()
            .name("decisions".to_owned())
            .spawn(move || write(to, &waiting, &counted))?;
        Ok(Self { id, messages, metrics, lines: Some(lines), writer: Some(writer) })
    }

    /// Writes a decision down, soon.
    pub fn record(&self, record: &Record<'_>) {
        let line = line::line(record, &self.id, self.messages);
        if self.lines.as_ref().is_none_or(|lines| lines.try_send(line).is_err()) {
            self.metrics.decision_lost();
        }
    }
}

impl Drop for Decisions {
    /// What waits is written before the process ends.
    fn drop(&mut self) {
        drop(self.lines.take());
        if self.writer.take().is_some_and(|writer| writer.join().is_err()) {
            tracing::error!("the decision log ended early");
        }
    }
}

fn write(mut to: impl Write, lines: &Receiver<String>, metrics: &Metrics) {
    for line in lines {
        match to.write_all(line.as_bytes()).and_then(|()| to.flush()) {
            Ok(()) => metrics.decision_written(),
            Err(error) => {
                metrics.decision_lost();
                tracing::error!(%error, "a decision can't be written down");
            }
        }
    }
}
