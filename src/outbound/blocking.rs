//! The same client from a thread that has no runtime. Its runtime runs only while something is waited for.

use std::io::{self, Read};
use std::sync::Arc;

use bytes::{Buf, Bytes};
use tokio::runtime::{Builder, Runtime};

use super::body::Body;
use super::client::Client;
use super::error::{OutboundError, SettingsError};
use super::request::{Request, Response};
use super::settings::Settings;

/// A client that blocks. Not to be used, nor dropped, within a runtime.
#[derive(Clone, Debug)]
pub struct Blocking {
    runtime: Arc<Runtime>,
    client: Client,
}

/// An answer whose body is read as it comes, within a limit.
#[derive(Debug)]
pub struct BlockingResponse {
    runtime: Arc<Runtime>,
    /// The head; its body is read through this value.
    head: Response,
    piece: Bytes,
    left: u64,
    limit: u64,
}

impl Blocking {
    /// A client without connections yet.
    ///
    /// # Errors
    /// The authorities can't be read, or there are no resources for a runtime.
    pub fn new(settings: &Settings) -> Result<Self, SettingsError> {
        let client = Client::new(settings)?;
        let runtime = Builder::new_current_thread().enable_all().build().map_err(SettingsError::Runtime)?;
        Ok(Self { runtime: Arc::new(runtime), client })
    }

    /// Asks once, as [`Client::send`]; of the body at most `limit` bytes are given.
    ///
    /// # Errors
    /// There is no answer.
    pub fn send(&self, request: Request<'_>, limit: u64) -> Result<BlockingResponse, OutboundError> {
        let head = self.runtime.block_on(self.client.send(request))?;
        let runtime = Arc::clone(&self.runtime);
        Ok(BlockingResponse { runtime, head, piece: Bytes::new(), left: limit, limit })
    }
}

impl BlockingResponse {
    /// The status, as in 200.
    pub fn status(&self) -> u16 {
        self.head.status
    }

    /// The first header of a name, where it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.header(name)
    }

    fn body(&mut self) -> &mut Body {
        &mut self.head.body
    }
}

impl Read for BlockingResponse {
    /// Errors have an [`OutboundError`] within.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.piece.is_empty() && !buffer.is_empty() {
            let runtime = Arc::clone(&self.runtime);
            let Some(piece) = runtime.block_on(self.body().piece()).map_err(io::Error::other)? else {
                return Ok(0);
            };
            let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
            let Some(left) = self.left.checked_sub(length) else {
                return Err(io::Error::other(OutboundError::Limit { bytes: self.limit }));
            };
            self.left = left;
            self.piece = piece;
        }
        let length = buffer.len().min(self.piece.len());
        self.piece.copy_to_slice(buffer.get_mut(..length).unwrap_or_default());
        Ok(length)
    }
}
