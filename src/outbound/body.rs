//! The body of an answer, piece by piece: at most so many bytes, and never waited for too long.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use tokio::time::{Instant, timeout_at};

use super::error::OutboundError;

/// A body of which more can come.
#[derive(Debug)]
pub struct Body {
    pub(super) incoming: Incoming,
    pub(super) until: Instant,
    pub(super) idle: Duration,
}

impl Body {
    /// The next piece; None at the end.
    ///
    /// # Errors
    /// It does not come in time, or it does not come at all.
    pub async fn piece(&mut self) -> Result<Option<Bytes>, OutboundError> {
        let idle = Instant::now().checked_add(self.idle).unwrap_or(self.until);
        loop {
            let frame = timeout_at(self.until.min(idle), self.incoming.frame());
            match frame.await.map_err(|_| OutboundError::Deadline)? {
                None => return Ok(None),
                Some(Err(_)) => return Err(OutboundError::Broken),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) if data.is_empty() => {}
                    Ok(data) => return Ok(Some(data)),
                    // Trailers.
                    Err(_) => {}
                },
            }
        }
    }

    /// All of it, where it has at most so many bytes. One that is announced to be larger is not read at all.
    ///
    /// # Errors
    /// [`OutboundError::Limit`], or those of [`Body::piece`].
    pub async fn read(mut self, limit: u64) -> Result<Bytes, OutboundError> {
        if self.incoming.size_hint().lower() > limit {
            return Err(OutboundError::Limit { bytes: limit });
        }
        let mut all = BytesMut::new();
        while let Some(piece) = self.piece().await? {
            let length = u64::try_from(all.len().saturating_add(piece.len())).unwrap_or(u64::MAX);
            if length > limit {
                return Err(OutboundError::Limit { bytes: limit });
            }
            all.extend_from_slice(&piece);
        }
        Ok(all.freeze())
    }
}
