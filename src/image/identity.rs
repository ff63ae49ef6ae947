//! Who may sign by certificate: issuer and subject, each exactly or by a pattern of the whole (R19).

use super::signer::Certificate;
use crate::policy::image_trust::{Identity as Written, Pattern};

/// One who may sign.
#[derive(Clone, Debug)]
pub struct Identity {
    issuer: Match,
    subject: Match,
}

#[derive(Clone, Debug)]
enum Match {
    Exactly(String),
    Fits(Pattern),
}

impl Match {
    fn parse(name: &str, exact: Option<&str>, pattern: Option<&str>) -> Result<Self, String> {
        match (exact, pattern) {
            (Some(text), None) if !text.is_empty() => Ok(Self::Exactly(text.to_owned())),
            (None, Some(pattern)) => Pattern::parse(pattern).map(Self::Fits),
            _ => Err(format!("write one of `{name}` and `{name}RegExp`")),
        }
    }

    /// Whether it is meant. What the certificate does not say fits nothing.
    fn matches(&self, text: Option<&str>) -> bool {
        text.is_some_and(|text| match self {
            Self::Exactly(wanted) => wanted == text,
            Self::Fits(pattern) => pattern.matches(text),
        })
    }
}

impl Identity {
    /// Reads one as `ImageTrust` has it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(written: &Written) -> Result<Self, String> {
        let Written { issuer, issuer_reg_exp, subject, subject_reg_exp } = written;
        Ok(Self {
            issuer: Match::parse("issuer", issuer.as_deref(), issuer_reg_exp.as_deref())?,
            subject: Match::parse("subject", subject.as_deref(), subject_reg_exp.as_deref())?,
        })
    }

    /// Whether the certificate is for it.
    pub fn matches(&self, certificate: &Certificate) -> bool {
        self.issuer.matches(certificate.issuer.as_deref())
            && self.subject.matches(certificate.subject.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(issuer: &str, subject: &str) -> Identity {
        let text = |text: &str| (!text.starts_with('~')).then(|| text.to_owned());
        let pattern = |text: &str| text.strip_prefix('~').map(str::to_owned);
        let written = Written {
            issuer: text(issuer),
            issuer_reg_exp: pattern(issuer),
            subject: text(subject),
            subject_reg_exp: pattern(subject),
        };
        Identity::parse(&written).unwrap()
    }

    #[test]
    fn issuer_and_subject_are_both_needed() {
        let of = |issuer: Option<&str>, subject: Option<&str>| Certificate {
            issuer: issuer.map(str::to_owned),
            subject: subject.map(str::to_owned),
            claims: serde_json::Map::new(),
        };
        let (good, any) = (of(Some("https://i"), Some("a@b")), identity("~.*", "~.*"));
        for (wanted, certificate, expected) in [
            (identity("https://i", "a@b"), &good, true),
            (identity("~https://.", "~.@b"), &good, true),
            (identity("https://i", "a@bc"), &good, false),
            (identity("https://I", "a@b"), &good, false),
            (identity("https://i", "~@b"), &good, false),
            (identity("~i", "a@b"), &good, false),
            (any.clone(), &good, true),
            (any.clone(), &of(None, Some("a@b")), false),
            (any.clone(), &of(Some("https://i"), None), false),
        ] {
            assert_eq!(wanted.matches(certificate), expected, "{wanted:?} {certificate:?}");
        }
    }

    #[test]
    fn an_identity_without_either_is_none() {
        for (issuer, subject) in [(None, Some("s")), (Some("i"), None), (Some(""), Some("s"))] {
            let [issuer, subject] = [issuer, subject].map(|text: Option<&str>| text.map(str::to_owned));
            let written = Written { issuer, subject, issuer_reg_exp: None, subject_reg_exp: None };
            assert!(Identity::parse(&written).is_err(), "{written:?}");
        }
    }
}
