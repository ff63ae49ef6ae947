//! Words that several formats share.

use serde_json::Value;

use super::{DocumentStatus, Effect, ObjectName, ReportedException, ReportedFinding, Summary};

impl Effect {
    /// What it does, in a word.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Deny => "denied",
            Self::Error => "error",
            Self::Warn => "warning",
            Self::Audit => "audit",
            Self::Excused => "excused",
            Self::Skipped => "not judged",
        }
    }
}

impl DocumentStatus {
    /// As it is in the JSON report.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Denied => "denied",
            Self::Warned => "warned",
            Self::Error => "error",
            Self::Skipped => "skipped",
            Self::Invalid => "invalid",
        }
    }
}

impl ObjectName {
    /// `Kind/namespace/name`, without the namespace where there is none.
    pub fn path(&self) -> String {
        let parts = [self.kind.as_str(), self.namespace.as_str(), self.name.as_str()];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/")
    }
}

impl ReportedFinding {
    /// What it does: the effect, and what softens it or whom it is about.
    pub(super) fn does(&self) -> String {
        let effect = if self.suspended { "warning (denial suspended)" } else { self.effect.word() };
        format!("{effect}{}", if self.its_pods { " (its Pods)" } else { "" })
    }

    /// The container, where the message does not name it: most do.
    pub(super) fn unnamed_container(&self) -> Option<&str> {
        self.container.as_deref().filter(|name| !self.message.contains(&format!("\"{name}\"")))
    }

    /// What there has to be, where the message does not say it.
    pub(super) fn required_unsaid(&self) -> Option<&str> {
        self.required.as_deref().filter(|required| !self.message.contains(*required))
    }

    /// What there is and what there has to be, as a line for formats without a place of their own for it; None where the
    /// policy does not say what there has to be, or the message does.
    pub(super) fn compared(&self) -> Option<String> {
        let required = self.required_unsaid()?;
        let observed = match &self.observed {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => return Some(format!("required {required}")),
        };
        Some(format!("observed {observed}, required {required}"))
    }

    /// The exception that covers it, in parentheses and with a space before; empty without one.
    pub(super) fn excuse(&self) -> String {
        let by = |exception: &ReportedException| {
            let ReportedException { name, expires, .. } = exception;
            format!(" (exception {name}, until {expires})")
        };
        self.exception.as_ref().map(by).unwrap_or_default()
    }
}

impl Summary {
    /// What is to be known of the run as a whole: the numbers, then what was assumed; a line each.
    pub(super) fn lines(&self) -> Vec<String> {
        let Self { documents, passed, denied, warned, mutated, skipped, invalid, errors, .. } = self;
        let how = if *mutated > 0 { " (--show patch prints how)" } else { "" };
        let noun = if *documents == 1 { "document" } else { "documents" };
        let mut lines = vec![format!(
            "{documents} {noun}: {passed} passed, {denied} denied, {warned} warned, {errors} in error, \
             {skipped} skipped, {invalid} invalid; {mutated} mutated{how}"
        )];
        if self.excused > 0 {
            lines.push(format!("excused by exceptions: {}", self.excused));
        }
        if self.not_judged > 0 {
            lines.push(format!("not judged, because a fact is missing: {}", self.not_judged));
        }
        if documents == skipped {
            lines.push("nothing was judged: there is no Kubernetes object in it".to_owned());
        }
        for (what, all) in [
            ("modes that these manifests set", &self.manifest_modes),
            ("namespaces not given, taken as freshly made", &self.assumed_namespaces),
            ("not judged: in namespaces that policies leave alone", &self.left_alone_namespaces),
            ("resources guessed from kinds", &self.guessed_resources),
            ("objects that are given more than once, each judged as it stands", &self.repeated_objects),
        ] {
            if !all.is_empty() {
                lines.push(format!("{what}: {}", all.join(", ")));
            }
        }
        lines.extend(self.unserved_kinds.iter().map(|kind| format!("notice: {kind}")));
        lines
    }
}

/// A line of text whose parts are a manifest's: it must neither begin a line of its own nor steer a terminal.
pub(super) fn plain(line: &str) -> String {
    line.replace(char::is_control, " ")
}
