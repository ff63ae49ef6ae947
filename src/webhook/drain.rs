//! How a server ends (cluster: deadlines, limits, drain). Whoever balances load needs a while to learn that it ends, and
//! sends requests meanwhile. What an API server keeps open without using it is left to it: it closes that after 90 s, and
//! a request that meets a connection as it is closed here is lost (HTTP/1.1 has no word for it, and a POST is not sent again).

use std::time::Duration;

/// How much time a server has to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It goes on taking requests for [`Limits::leave`](super::Limits::leave), until no more are sent, and keeps what is open
    /// for [`Limits::linger`](super::Limits::linger), until it is closed.
    Leave,
    /// Nobody but those who wait for answers is sent here: it ends as soon as they have them.
    Now,
}

/// How far the end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It is not in sight.
    Serving,
    /// Every answer is the last one on its connection.
    Leaving,
    /// No connection is taken any more; those that were idle for so long are closed.
    Closing(Duration),
}
