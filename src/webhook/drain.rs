//! How a server ends (cluster: deadlines, limits, drain). Whoever balances load needs a while to learn that it ends, and
//! sends requests meanwhile.

/// How much time a server has to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It goes on taking requests for [`Limits::leave`](super::Limits::leave), until no more are sent.
    Leave,
    /// Nobody but those who wait for answers is sent here: it ends as soon as they have them.
    Now,
}

/// How far the end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// It is not in sight.
    Serving,
    /// Every answer is the last one on its connection.
    Leaving,
    /// No connection is taken any more; those that are quiet are closed.
    Closing,
}
