//! What evaluations may take: the only clock of the levels that read none (R46 excepts it).

use std::time::{Duration, Instant};

/// What one evaluation may take, of many bindings or of one. A policy needs about 0.1 ms.
const ONE: Duration = Duration::from_secs(1);
/// What all evaluations of one question may take. A request has 7 s (cluster: deadlines), and asks twice at most.
const ALL: Duration = Duration::from_secs(3);
/// What is left to the last, however many went before: enough for any that does not run away.
const LEAST: Duration = Duration::from_millis(50);

/// The time that is left.
pub(super) struct Allowance(Duration);

impl Allowance {
    pub(super) fn full() -> Self {
        Self(ALL)
    }

    /// Evaluates within what one may take, or less where others have used it up. Who is fast leaves it to others.
    pub(super) fn spend<T>(&mut self, evaluate: impl FnOnce(Duration) -> T) -> T {
        let began = Instant::now();
        let result = evaluate(self.0.clamp(LEAST, ONE));
        self.0 = self.0.saturating_sub(began.elapsed());
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_slow_uses_it_up_and_who_is_fast_does_not() {
        let mut allowance = Allowance::full();
        for _ in 0..100 {
            assert_eq!(allowance.spend(|budget| budget), ONE);
        }
        let mut allowance = Allowance(Duration::from_millis(80));
        allowance.spend(|_| std::thread::sleep(Duration::from_millis(20)));
        let left = allowance.spend(|budget| budget);
        assert!(left >= LEAST && left <= Duration::from_millis(60), "{left:?}");
        assert_eq!(Allowance(Duration::ZERO).spend(|budget| budget), LEAST);
    }
}
