//! Whom to trust, compiled from `ImageTrust`: authorities by name, and which images need whom.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::compliance::Compliance;
use super::evidence::Repository;
use super::facts::Fact;
use super::identity::Identity;
use super::reject::{Class, Reject};
use super::signer::Signer;
use super::trust::Trust;
use super::verifier::{Form, Verified};
use crate::policy::image_trust::{Demand, Format, ImageGlob, Static, TrustRule};

/// All authorities and rules of a tree.
#[derive(Clone, Debug, Default)]
pub struct Authorities {
    pub(super) by_name: BTreeMap<String, Authority>,
    pub(super) rules: Vec<Rule>,
    /// What rules bring along in Rego.
    pub(super) compliance: Compliance,
}

/// Someone whose signatures count.
#[derive(Clone, Debug)]
pub struct Authority {
    pub(super) name: String,
    pub(super) basis: Basis,
    /// Whether bundles count, and whether cosign's layout before them does.
    pub(super) bundles: bool,
    pub(super) legacy: bool,
    /// Where evidence lies that is not beside the image, and what its tags begin with.
    pub(super) source: Option<(Repository, String)>,
}

/// What makes somebody an authority.
#[derive(Clone, Debug)]
pub(super) enum Basis {
    /// Signatures that are trusted; by certificate only those of the identities.
    Signatures { trust: Arc<Trust>, identities: Vec<Identity> },
    /// An answer that looks at nothing.
    Fixed(Static),
}

/// What some images need.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) written: TrustRule,
    pub(super) globs: Vec<ImageGlob>,
    /// Whether answers that look at nothing satisfy it.
    pub(super) passes: bool,
}

impl Rule {
    /// Whether an image is meant, by its text in an object.
    pub(super) fn means(&self, text: &str) -> bool {
        self.globs.iter().any(|glob| glob.matches(text, self.passes))
    }
}

impl Authorities {
    /// The authorities, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Authority> {
        self.by_name.values()
    }

    /// Of whom the rules that mean an image demand something.
    pub(super) fn demanded(&self, text: &str) -> BTreeSet<&str> {
        let rules = self.rules.iter().filter(|rule| rule.means(text));
        rules.flat_map(|rule| &rule.written.require.of).map(Demand::authority).collect()
    }
}

impl Authority {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// By what its signatures are verified; None where it looks at none.
    pub(super) fn trust(&self) -> Option<&Arc<Trust>> {
        match &self.basis {
            Basis::Signatures { trust, .. } => Some(trust),
            Basis::Fixed(_) => None,
        }
    }

    /// Whether evidence of a form counts.
    pub(super) fn takes(&self, form: Form) -> bool {
        match form {
            Form::Bundle => self.bundles,
            Form::SimpleSigning | Form::Dsse => self.legacy,
        }
    }

    /// What was verified becomes a fact where this authority is the one who signed. The only way to a [`Fact`].
    ///
    /// # Errors
    /// `identity`, or `kind` where it was verified by something else than this authority is trusted for.
    pub(super) fn accept(&self, verified: &Arc<Verified>) -> Result<Fact, Reject> {
        let Basis::Signatures { trust, identities } = &self.basis else {
            return Err(Reject::new(Class::Kind, "the authority looks at no signatures"));
        };
        if **trust != *verified.trust || !self.takes(verified.form) {
            return Err(Reject::new(Class::Kind, "verified for another authority"));
        }
        match (&**trust, &verified.checked.signer) {
            (Trust::Key(_), Signer::Key { .. }) => {}
            (Trust::Certificate(_), Signer::Certificate(certificate)) => {
                if !identities.iter().any(|identity| identity.matches(certificate)) {
                    let (issuer, subject) = (&certificate.issuer, &certificate.subject);
                    return Err(Reject::new(Class::Identity, format!("{issuer:?} {subject:?}")));
                }
            }
            _ => return Err(Reject::new(Class::Kind, "verified for another authority")),
        }
        Ok(Fact { authority: self.name.clone(), verified: Arc::clone(verified) })
    }
}

/// Whether a format is meant; all are where none is named.
pub(super) fn takes(formats: &BTreeSet<Format>, format: Format) -> bool {
    formats.is_empty() || formats.contains(&format)
}
