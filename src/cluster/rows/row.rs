//! What one replica says of itself.

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::activation::Status;

/// How much of a refusal's reason is told; all of it is in `/bundle` of the replica.
const WHY: usize = 400;

/// A replica's row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// The revision in force, as `platform@1626ad5c80cd`; None: none is.
    pub revision: Option<String>,
    /// Its full id.
    pub id: Option<String>,
    /// The digest of its files.
    pub tree: Option<String>,
    /// Since when, as RFC 3339.
    pub since: Option<String>,
    /// The revision that is being prepared.
    pub candidate: Option<String>,
    /// The commit that the source named last, whatever comes of it.
    pub head: Option<String>,
    /// What is not put in force: its revision, the stage, and why, on one line.
    pub refused: Option<(Option<String>, String, String)>,
}

impl Row {
    /// As things stand.
    pub(super) fn of(status: &Status) -> Self {
        let active = status.active.as_ref();
        let text = |name: &str| active?.record.get(name)?.as_str().map(str::to_owned);
        let refused = status.refused.as_ref().map(|refused| {
            let why: String = refused.why.lines().collect::<Vec<_>>().join("; ").chars().take(WHY).collect();
            (refused.revision.clone(), format!("{}/{}", refused.stage, refused.reason), why)
        });
        Self {
            revision: active.map(|active| active.revision.clone()),
            id: text("id"),
            tree: text("tree"),
            since: active.map(|active| active.since.clone()),
            candidate: status.candidate.clone(),
            head: status.source.as_ref().and_then(|source| source.head.clone()),
            refused,
        }
    }

    /// In a word: `active`, `candidate` where one is being prepared beside it, `refused` where one is not put in force,
    /// `none` where nothing is.
    pub fn state(&self) -> &'static str {
        match self {
            Self { candidate: Some(_), .. } => "candidate",
            Self { refused: Some(_), .. } => "refused",
            Self { revision: Some(_), .. } => "active",
            _ => "none",
        }
    }

    /// The text of its key. `at` is when it was written, so that a row that nobody renews is known.
    pub(super) fn text(&self) -> String {
        let now = OffsetDateTime::now_utc();
        let at = now.replace_nanosecond(0).unwrap_or(now).format(&Rfc3339).unwrap_or_default();
        let refused = self
            .refused
            .as_ref()
            .map(|(revision, stage, why)| json!({ "revision": revision, "stage": stage, "why": why }));
        json!({
            "state": self.state(), "revision": self.revision, "id": self.id, "tree": self.tree, "since": self.since,
            "candidate": self.candidate, "head": self.head, "refused": refused, "at": at,
        })
        .to_string()
    }

    /// Reads a key's text; None: it is no row.
    pub(super) fn read(text: &str) -> Option<Self> {
        Some(Self::from_value(&serde_json::from_str(text).ok()?))
    }

    fn from_value(value: &Value) -> Self {
        let text = |pointer: &str| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let refused = value.get("refused").filter(|refused| refused.is_object()).map(|_| {
            let of = |member: &str| text(&format!("/refused/{member}"));
            (of("revision"), of("stage").unwrap_or_default(), of("why").unwrap_or_default())
        });
        Self {
            revision: text("/revision"),
            id: text("/id"),
            tree: text("/tree"),
            since: text("/since"),
            candidate: text("/candidate"),
            head: text("/head"),
            refused,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activation::{Activated, Refused, SourceStatus};

    #[test]
    fn a_row_says_what_is_in_force_what_comes_and_what_is_refused() {
        let mut status = Status::default();
        assert_eq!((Row::of(&status), Row::of(&status).state()), (Row::default(), "none"));
        status.active = Some(Activated {
            revision: "p@1".to_owned(),
            bindings: 1,
            since: "2026-01-31T12:00:00Z".to_owned(),
            record: json!({ "id": "sha1:1", "tree": "2" }),
        });
        status.source = Some(SourceStatus { head: Some("sha1:3".to_owned()), ..SourceStatus::default() });
        let active = Row::of(&status);
        assert_eq!((active.state(), active.head.as_deref()), ("active", Some("sha1:3")));
        assert_eq!(Row::read(&active.text()), Some(active.clone()));
        status.refused = Some(Refused {
            revision: Some("p@3".to_owned()),
            at: String::new(),
            stage: "verify",
            reason: "unsigned",
            why: "a\nb".to_owned(),
        });
        let refused = Row::of(&status);
        let why = (Some("p@3".to_owned()), "verify/unsigned".to_owned(), "a; b".to_owned());
        assert_eq!((refused.state(), refused.refused.clone()), ("refused", Some(why)));
        assert_eq!(Row::read(&refused.text()), Some(refused));
        status.candidate = Some("p@4".to_owned());
        assert_eq!(Row::of(&status).state(), "candidate");
        assert_eq!(Row::read("no row"), None);
    }
}
