//! Reading bodies: each bounded in size and time, all together bounded in size.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::limits::Limits;
use super::refusal::Refusal;

/// What permits are counted in: the semaphore counts in 32 bits.
const UNIT_BYTES: usize = 1_024;

/// The room for bodies.
pub(super) struct Bodies {
    room: Arc<Semaphore>,
    /// All the room that there is.
    units: usize,
    limit: usize,
    time: Duration,
    wait: Duration,
}

/// A body, and the room that it takes as long as it is there.
pub(super) struct Held {
    pub(super) bytes: Vec<u8>,
    pub(super) room: OwnedSemaphorePermit,
}

impl Bodies {
    pub(super) fn new(limits: &Limits) -> Self {
        let units = limits.held_bytes.div_ceil(UNIT_BYTES);
        Self {
            room: Arc::new(Semaphore::new(units)),
            units,
            limit: limits.body_bytes,
            time: limits.body,
            wait: limits.wait,
        }
    }

    /// The bytes that are held.
    pub(super) fn held(&self) -> usize {
        self.units.saturating_sub(self.room.available_permits()).saturating_mul(UNIT_BYTES)
    }

    /// Reads a body to its end.
    pub(super) async fn read(&self, body: Body) -> Result<Held, Refusal> {
        timeout(self.time, self.receive(body)).await.map_err(|_| Refusal::SlowBody)?
    }

    async fn receive(&self, mut body: Body) -> Result<Held, Refusal> {
        let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        if announced > self.limit {
            return Err(self.too_large(body).await);
        }
        let mut held = self.nothing().await?;
        while let Some(frame) = body.frame().await {
            // The other frames are trailers.
            let Ok(data) = frame.map_err(Refusal::BrokenBody)?.into_data() else { continue };
            let bytes = held.bytes.len().saturating_add(data.len());
            if bytes > self.limit {
                drop(held);
                return Err(self.too_large(body).await);
            }
            self.make_room(&mut held, bytes).await?;
            held.bytes.extend_from_slice(&data);
        }
        Ok(held)
    }

    async fn nothing(&self) -> Result<Held, Refusal> {
        let room = Arc::clone(&self.room).acquire_many_owned(0).await.map_err(|_| Refusal::Stopping)?;
        Ok(Held { bytes: Vec::new(), room })
    }

    /// Takes room for what came, not for what was announced: who only announces takes none from others.
    async fn make_room(&self, held: &mut Held, bytes: usize) -> Result<(), Refusal> {
        let more = bytes.div_ceil(UNIT_BYTES).saturating_sub(held.room.num_permits());
        let more = u32::try_from(more).map_err(|_| Refusal::NoRoom)?;
        let room = timeout(self.wait, Arc::clone(&self.room).acquire_many_owned(more)).await;
        held.room.merge(room.map_err(|_| Refusal::NoRoom)?.map_err(|_| Refusal::Stopping)?);
        Ok(())
    }

    /// Reads twice as much and throws it away, for a moment: many clients look for the answer only when they have
    /// sent all.
    async fn too_large(&self, mut body: Body) -> Refusal {
        let discard = async {
            let mut bytes = 0_usize;
            while bytes < self.limit.saturating_mul(2)
                && let Some(Ok(frame)) = body.frame().await
            {
                bytes = bytes.saturating_add(frame.data_ref().map_or(0, |data| data.len()));
            }
        };
        // Whether all of it came makes no difference to the answer.
        timeout(self.wait, discard).await.unwrap_or_default();
        Refusal::TooLarge { limit: self.limit }
    }
}
