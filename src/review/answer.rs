//! From a decision to what the API server is told.

use std::collections::{BTreeMap, BTreeSet};

use super::decision::{Action, Decision, Finding, Phase};
use crate::admission::{Answer, Cause, Status};
use crate::engine::Refusal;
use crate::policy::Revision;

/// Warnings of one answer: at most this many …
const WARNINGS: usize = 10;
/// … and together at most so many bytes (the API server truncates beyond 4,096 of all webhooks together; k8s.io/apiserver,
/// pkg/endpoints/filters/warning.go).
const WARNINGS_BYTES: usize = 3_500;
/// What each is cut to where they don't fit.
const WARNING_BYTES: usize = 256;
/// How many denials an answer spells out. Nobody reads more, and an object may have ten thousand.
const CAUSES: usize = 100;
/// What each is cut to …
const CAUSE_BYTES: usize = 1_024;
/// … but in the message, where all together have no more.
const MESSAGE_BYTES: usize = 16 * 1_024;
/// Bound of an audit annotation's value.
const ANNOTATION_BYTES: usize = 1_024;

impl Decision {
    /// The answer to the API server.
    pub fn answer(&self) -> Answer {
        let shown = |action: Action| self.findings.iter().filter(move |finding| finding.action == action);
        let warnings = within_limits(shown(Action::Warn).map(line).collect());
        let audit_annotations = self.audit_annotations();
        let denials: Vec<&Finding> = shown(Action::Deny).collect();
        if denials.is_empty() {
            let patch = (!self.patch.is_empty()).then(|| self.patch.to_value());
            return Answer::Allowed { patch, warnings, audit_annotations };
        }
        Answer::Denied { status: status(&denials, &self.revision), warnings, audit_annotations }
    }

    fn audit_annotations(&self) -> BTreeMap<String, String> {
        let mut annotations = self.annotations.clone();
        let revision = match self.phase {
            Phase::Mutate => "mutate-revision",
            Phase::Validate => "validate-revision",
        };
        annotations.insert(revision.to_owned(), self.revision.annotation());
        if self.phase == Phase::Validate && !self.findings.is_empty() {
            annotations.insert("validate-policies".to_owned(), cut(&self.policies(), ANNOTATION_BYTES));
        }
        annotations
    }

    /// The policies that found something, by what it does: `deny: a/b, c/d; excused by legacy: e/f`.
    fn policies(&self) -> String {
        let mut by_effect: BTreeMap<(Action, String), BTreeSet<&str>> = BTreeMap::new();
        for finding in &self.findings {
            by_effect.entry((finding.action, effect(finding))).or_default().insert(finding.policy.as_str());
        }
        let group = |((_, effect), policies): (&(Action, String), &BTreeSet<&str>)| {
            format!("{effect}: {}", policies.iter().copied().collect::<Vec<_>>().join(", "))
        };
        by_effect.iter().map(group).collect::<Vec<_>>().join("; ")
    }
}

/// What a finding does, in a word or two.
fn effect(finding: &Finding) -> String {
    let word = match finding.action {
        Action::Deny => "deny",
        Action::Warn => "warn",
        Action::Audit => "audit",
        Action::Excused => "excused",
    };
    let error = if finding.is_error { " (error)" } else { "" };
    let by = finding.excuse.as_ref().map(|excuse| format!(" by {}", excuse.exception)).unwrap_or_default();
    let suspended = if finding.suspended { " (suspended)" } else { "" };
    format!("{word}{error}{suspended}{by}")
}

/// The status of a denial: 403 where a policy denies, 500 where none does and some are in error; several have nothing
/// else in common.
fn status(denials: &[&Finding], revision: &Revision) -> Status {
    let only_errors = denials.iter().all(|finding| finding.is_error);
    let (code, reason) = if only_errors { (500, "InternalError") } else { (403, "Forbidden") };
    let mut lines: Vec<String> = denials.iter().take(CAUSES).map(|one| line(one)).collect();
    if lines.iter().map(String::len).fold(0, usize::saturating_add) > MESSAGE_BYTES {
        lines = lines.iter().map(|line| cut(line, CAUSE_BYTES)).collect();
    }
    if let Some(rest) = denials.len().checked_sub(CAUSES).filter(|rest| *rest > 0) {
        lines.push(format!("… and {rest} more; `meshgate check` lists all"));
    }
    // Who words a message like another program's does not want another line in it.
    if denials.iter().any(|finding| !finding.plain || finding.is_error) {
        lines.push(format!("policies: {revision}"));
    }
    let causes = denials.iter().filter(|finding| !finding.is_error).take(CAUSES).map(|finding| Cause {
        reason: "FieldValueForbidden".to_owned(),
        message: cut(&line(finding), CAUSE_BYTES),
        field: cut(finding.field.as_deref().unwrap_or_default(), CAUSE_BYTES),
    });
    let (name, kind) = (String::new(), String::new());
    let causes = causes.collect();
    let status =
        Status { code, reason: Some(reason.to_owned()), causes, message: lines.join("\n"), name, kind };
    match denials {
        [Finding { refusal: Some(refusal), .. }] => told(status, refusal),
        _ => status,
    }
}

/// The status of a single denial whose policy says how it is told.
fn told(status: Status, refusal: &Refusal) -> Status {
    let Refusal { code, reason, name, kind, causes } = refusal.clone();
    let causes = if causes.is_empty() { status.causes } else { causes };
    Status { code, reason: Some(reason), name, kind, causes, ..status }
}

/// A finding in a line: `[policy] message`.
fn line(finding: &Finding) -> String {
    if finding.plain && !finding.is_error {
        finding.message.clone()
    } else {
        format!("[{}] {}", finding.policy, finding.message)
    }
}

/// Keeps warnings within what the API server passes on; beyond that each is cut and the rest counted.
fn within_limits(mut warnings: Vec<String>) -> Vec<String> {
    warnings.dedup();
    let bytes: usize = warnings.iter().map(String::len).sum();
    if warnings.len() <= WARNINGS && bytes <= WARNINGS_BYTES {
        return warnings;
    }
    let kept = WARNINGS.saturating_sub(1);
    let rest = warnings.len().saturating_sub(kept);
    warnings.truncate(if rest > 1 { kept } else { WARNINGS });
    let mut cut: Vec<String> = warnings.iter().map(|warning| cut(warning, WARNING_BYTES)).collect();
    if rest > 1 {
        cut.push(format!("… and {rest} more warnings; `meshgate check` lists all"));
    }
    cut
}

/// The text's first bytes, cut between characters.
fn cut(text: &str, bytes: usize) -> String {
    if text.len() <= bytes {
        return text.to_owned();
    }
    let mut kept = String::new();
    for character in text.chars() {
        if kept.len().saturating_add(character.len_utf8()).saturating_add('…'.len_utf8()) > bytes {
            break;
        }
        kept.push(character);
    }
    kept.push('…');
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_that_fit_are_left_alone() {
        let long = "x".repeat(3_000);
        assert_eq!(within_limits(vec![long.clone()]), [long]);
    }

    #[test]
    fn warnings_that_do_not_fit_are_cut_and_counted() {
        let warnings = within_limits((0..40).map(|n| format!("{n}{}", "ü".repeat(300))).collect());
        assert_eq!(warnings.len(), WARNINGS);
        assert!(warnings.iter().map(String::len).sum::<usize>() <= WARNINGS_BYTES);
        assert!(warnings.last().is_some_and(|last| last.contains("31 more")));
    }

    #[test]
    fn few_long_warnings_lose_none() {
        let warnings = within_limits(vec!["a".repeat(2_000), "b".repeat(2_000)]);
        assert_eq!(warnings.len(), 2);
        assert!(warnings.iter().all(|warning| warning.len() <= WARNING_BYTES));
    }
}
