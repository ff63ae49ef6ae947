//! What there is to know about the source, for people: in `/bundle`, in `/readyz?verbose`.

use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Delivery;
use crate::activation::SourceStatus;
use crate::events::Reason as Event;
use crate::source::verify_kept;

/// What is known.
#[derive(Default)]
pub(super) struct Notes {
    last_check: Option<OffsetDateTime>,
    last_success: Option<OffsetDateTime>,
    next: Option<OffsetDateTime>,
    /// Since when the source does not answer, and why.
    failing: Option<(OffsetDateTime, String)>,
    /// How often in a row it did not answer.
    failures: u32,
    /// How often in a row the machine had no time to judge what it has.
    busy: u32,
    pub(super) head: Option<String>,
    pub(super) floor: Option<String>,
    /// What is not known of other replicas.
    pub(super) alone: Option<String>,
    pub(super) unkept: Option<String>,
    /// Why new Pods do not find what is in force.
    pub(super) unshared: Option<String>,
    /// That what is in force was found where others kept it, until the source answers.
    pub(super) borrowed: Option<String>,
    /// Why what others kept is not used, as long as nothing is in force.
    pub(super) unusable: Option<String>,
    pub(super) trust: Option<String>,
    pub(super) stale: Option<String>,
}

impl Notes {
    pub(super) fn asked(&mut self) {
        self.last_check = Some(OffsetDateTime::now_utc());
    }

    pub(super) fn answered(&mut self) {
        self.last_success = Some(OffsetDateTime::now_utc());
        self.failing = None;
        self.borrowed = None;
        self.failures = 0;
    }

    /// Whether this is news.
    pub(super) fn fails(&mut self, why: &str) -> bool {
        let since = self.failing.as_ref().map_or_else(OffsetDateTime::now_utc, |(since, _)| *since);
        let is_news = self.failing.as_ref().is_none_or(|(_, before)| before != why);
        self.failing = Some((since, why.to_owned()));
        is_news
    }

    /// Half as long again after each error.
    pub(super) fn wait_after_errors(&mut self, interval: Duration, longest: Duration) -> Duration {
        let before = self.failures;
        self.failures = before.saturating_add(1);
        backed_off(interval, before, longest)
    }

    /// What the source has was judged, or the machine had no time for it.
    pub(super) fn judged(&mut self, is_busy: bool) {
        self.busy = if is_busy { self.busy.saturating_add(1) } else { 0 };
    }

    /// Half as long again each time in a row that the machine had no time: what is tried takes its time as well.
    pub(super) fn wait_while_busy(&self, interval: Duration, longest: Duration) -> Duration {
        backed_off(interval, self.busy, longest)
    }

    pub(super) fn asks_again_in(&mut self, wait: Duration) {
        self.next = OffsetDateTime::now_utc().checked_add(wait.try_into().unwrap_or(time::Duration::ZERO));
    }

    fn status(&self) -> SourceStatus {
        let notes = [
            &self.unkept,
            &self.unshared,
            &self.borrowed,
            &self.unusable,
            &self.trust,
            &self.stale,
            &self.alone,
        ];
        SourceStatus {
            last_check: self.last_check.map(shown),
            last_success: self.last_success.map(shown),
            last_error: self.failing.as_ref().map(|(_, why)| why.clone()),
            next: self.next.map(shown),
            head: self.head.clone(),
            floor: self.floor.clone(),
            notes: notes.into_iter().flatten().cloned().collect(),
        }
    }

    /// What is not as it should be.
    fn faults(&self) -> Vec<String> {
        let failing = self.failing.as_ref().map(|(since, why)| {
            let next = self.next.map(shown).unwrap_or_default();
            format!("degraded: source unreachable since {}: {why}; asked again at {next}", shown(*since))
        });
        failing.into_iter().chain(self.status().notes).collect()
    }
}

impl Delivery {
    /// Tells what is known.
    pub(super) fn say(&mut self) {
        self.around.activation.source(self.notes.status());
        let faults = self.notes.faults();
        if faults.is_empty() {
            let last = self.notes.last_success.map(shown).unwrap_or_default();
            self.around.condition.holds(format!("{} answered at {last}", self.settings.source.name));
        } else {
            self.around.condition.fails(faults.join("\n"));
        }
    }

    /// Whether who signed what is in force is still trusted. It stays in force all the same: to put nothing in its place
    /// would be no answer.
    pub(super) fn vouch(&mut self) {
        let Some(active) = &self.active else { return };
        let snapshot = active.verified.snapshot.clone();
        let again = verify_kept(snapshot, &self.settings.source, &self.trust, OffsetDateTime::now_utc());
        let state = match &again {
            Ok(verified) if verified.signer.is_some() => "verified",
            Ok(_) => "none",
            Err(_) => "stale",
        };
        self.around.metrics.bundle_trust(state);
        let stale = again
            .err()
            .map(|refusal| format!("stale trust: what is in force stays, but {}", refusal.message));
        if let Some(note) = stale.as_ref().filter(|note| self.notes.stale.as_ref() != Some(*note)) {
            tracing::warn!(note, "who signed what is in force is not trusted any more");
            self.around.events.tell(Event::TrustStale, note);
        }
        self.notes.stale = stale;
    }
}

/// Half as long again each time.
fn backed_off(interval: Duration, times: u32, longest: Duration) -> Duration {
    let exponent = i32::try_from(times.min(30)).unwrap_or(30);
    Duration::try_from_secs_f64(interval.as_secs_f64() * 1.5_f64.powi(exponent))
        .unwrap_or(longest)
        .min(longest.max(interval))
}

/// To the second.
fn shown(time: OffsetDateTime) -> String {
    time.replace_nanosecond(0).unwrap_or(time).format(&Rfc3339).unwrap_or_default()
}
