//! What policies see of an image. Every key is always there, and everything is sorted: an operand that is undefined would
//! silence a rule under `not`, and replicas have to say the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::authority::{Authorities, Authority, Basis, Rule};
use super::compliance::Time;
use super::digest::Digest;
use super::evidence::Evidence;
use super::limits::Limits;
use super::reject::Class;
use super::signer::Signer;
use super::source::{Resolved, SourceError};
use super::verdicts::{Asked, Verdicts};
use super::verifier::{Kind, Verified};
use crate::kubernetes::image_reference::ImageReference;
use crate::policy::image_trust::{Attested, Demand, Held, Static};

/// Evidence that was verified and that an authority stands for. Made by `Authority::accept` alone.
#[derive(Clone, Debug)]
pub(super) struct Fact {
    pub(super) authority: String,
    pub(super) verified: Arc<Verified>,
}

/// Evidence that does not count for an authority.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rejected {
    /// The authority.
    pub(super) authority: String,
    /// The digest of the evidence.
    pub(super) evidence: Digest,
    /// The check that it did not pass.
    pub(super) class: Class,
}

/// What was found out of a digest.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    /// What counts.
    pub(super) facts: Vec<Fact>,
    /// What does not, sorted.
    pub(super) rejected: Vec<Rejected>,
    /// Whether it is of what was read before, because a registry is away. It is still what counts: more evidence can only
    /// add to it. But for a rule's own module of Rego, which may say no because of more.
    pub(super) is_stale: bool,
}

/// What of evidence is verified: each piece once by each trust, and only in the forms that an authority takes.
pub(super) fn questions(evidence: &[(&Authority, Evidence)]) -> BTreeMap<Asked, Evidence> {
    let asked = evidence.iter().filter(|(authority, piece)| authority.takes(piece.form()));
    let of = |(authority, piece): &(&Authority, Evidence)| {
        Some(((piece.digest(), Arc::clone(authority.trust()?)), piece.clone()))
    };
    asked.filter_map(of).collect()
}

/// What of it counts, by what verification found. What is there twice counts once.
pub(super) fn judge(evidence: &[(&Authority, Evidence)], verdicts: &Verdicts) -> Found {
    let mut seen: BTreeSet<(&str, Digest)> = BTreeSet::new();
    let mut found = Found::default();
    for (authority, piece) in evidence {
        let id = piece.digest();
        let Some(trust) = authority.trust() else { continue };
        if !authority.takes(piece.form()) || !seen.insert((authority.name(), id)) {
            continue;
        }
        // What nobody verified proves nothing.
        let Some(verdict) = verdicts.get(&(id, Arc::clone(trust))) else { continue };
        match verdict.clone().and_then(|verified| authority.accept(&verified)) {
            Ok(fact) => found.facts.push(fact),
            Err(why) => {
                tracing::debug!(authority = authority.name(), evidence = %id, why = %why, "evidence refused");
                let authority = authority.name().to_owned();
                found.rejected.push(Rejected { authority, evidence: id, class: why.class });
            }
        }
    }
    found.facts.sort_by(|one, other| one.order().cmp(&other.order()));
    found.rejected.sort();
    found
}

impl Fact {
    fn order(&self) -> (&str, &'static str, Digest) {
        (&self.authority, self.verified.form.as_str(), self.verified.evidence)
    }

    /// What signatures and attestations have in common.
    fn common(&self) -> Map<String, Value> {
        let (checked, mut members) = (&self.verified.checked, Map::new());
        let (issuer, subject, key, claims) = match &checked.signer {
            Signer::Key { id } => (Value::Null, Value::Null, json!(id.to_string()), json!({})),
            Signer::Certificate(one) => {
                (json!(one.issuer), json!(one.subject), Value::Null, json!(one.claims))
            }
        };
        let written = |moment: &OffsetDateTime| moment.format(&Rfc3339).unwrap_or_default();
        let all = [
            ("authority", json!(self.authority)),
            ("format", json!(self.verified.form.as_str())),
            ("evidence", json!(self.verified.evidence.to_string())),
            ("issuer", issuer),
            ("subject", subject),
            ("key", key),
            ("log", json!(checked.log)),
            ("sct", json!(checked.sct)),
            ("timestamps", json!(checked.timestamps.iter().map(written).collect::<Vec<_>>())),
            ("claims", claims),
        ];
        members.extend(all.map(|(name, value)| (name.to_owned(), value)));
        members
    }

    fn signature(&self) -> Option<Value> {
        let Kind::Signature { annotations, claimed_reference } = &self.verified.kind else { return None };
        let mut members = self.common();
        members.insert("annotations".to_owned(), json!(annotations));
        members.insert("claimedReference".to_owned(), json!(claimed_reference));
        Some(Value::Object(members))
    }

    fn attestation(&self, limits: &Limits) -> Option<Value> {
        let Kind::Attestation { predicate_type, predicate, bytes, .. } = &self.verified.kind else {
            return None;
        };
        let size = u64::try_from(*bytes).unwrap_or(u64::MAX);
        let shown = if size > limits.predicate_bytes { &Value::Null } else { predicate };
        let mut members = self.common();
        members.insert("predicateType".to_owned(), json!(predicate_type));
        members.insert("bytes".to_owned(), json!(bytes));
        members.insert("predicate".to_owned(), shown.clone());
        Some(Value::Object(members))
    }

    fn predicate_type(&self) -> Option<&str> {
        match &self.verified.kind {
            Kind::Signature { .. } => None,
            Kind::Attestation { predicate_type, .. } => Some(predicate_type),
        }
    }
}

/// What is known of an image: which bytes it is, what was found about them, and what could not be read.
#[derive(Debug)]
pub(super) struct Known<'a> {
    /// Its text in an object.
    pub(super) text: &'a str,
    /// What it means; None where that could not be learnt, or nobody looks at its bytes.
    pub(super) resolved: Option<&'a Resolved>,
    /// What is seen of its own configuration.
    pub(super) config: &'a Value,
    /// What was found.
    pub(super) found: &'a Found,
    /// What could not be read, and at which stage: `resolve`, `evidence`, `verify`.
    pub(super) errors: &'a [(&'static str, SourceError)],
    /// What modules that its rules bring along may take.
    pub(super) time: &'a Time,
}

/// The entry of an image in `input.context.images`, but for what only the object says: `fields`, `pinned`, `unchanged`.
pub(super) fn entry(known: &Known<'_>, authorities: &Authorities, limits: &Limits) -> Value {
    let Known { text, resolved, config, found, errors, .. } = known;
    let is_denied = errors.iter().any(|(_, error)| error.code() == "denied");
    let is_complete = errors.is_empty();
    let is_known = is_complete || found.is_stale;
    let status = match (is_denied, is_known) {
        (true, _) => "denied",
        (false, true) => "ok",
        (false, false) => "error",
    };
    // Nobody is called unsigned because of an outage, nor signed.
    let facts = if is_known { found.facts.as_slice() } else { &[] };
    let rejected = found.rejected.iter().filter(|_| is_known);
    let rejected = rejected.map(|one| {
        json!({ "authority": one.authority, "evidence": one.evidence.to_string(), "reason": one.class.as_str() })
    });
    let written = text.split_once('@').map_or(*text, |(written, _)| written);
    let pinned = resolved.map(|resolved| format!("{written}@{}", resolved.digest));
    let named = authorities.iter().map(|one| (one.name().to_owned(), standing(one, facts)));
    json!({
        "reference": reference(text),
        "digest": resolved.map(|resolved| resolved.digest.to_string()),
        "mediaType": resolved.map(|resolved| resolved.media_type.as_str()).filter(|text| !text.is_empty()),
        "config": config,
        "pinnedReference": pinned,
        "status": status,
        "complete": is_complete,
        "errors": errors.iter().map(|(stage, error)| said(text, stage, error, found.is_stale)).collect::<Vec<_>>(),
        "rules": rules(known, authorities, is_known.then_some(facts)),
        "authorities": named.collect::<Map<_, _>>(),
        "signatures": facts.iter().filter_map(Fact::signature).collect::<Vec<_>>(),
        "attestations": facts.iter().filter_map(|fact| fact.attestation(limits)).collect::<Vec<_>>(),
        "rejected": rejected.collect::<Vec<_>>(),
    })
}

fn reference(text: &str) -> Value {
    let parsed = ImageReference::parse(text).ok();
    let parsed = parsed.as_ref();
    json!({
        "registry": parsed.map(ImageReference::registry),
        "repository": parsed.map(ImageReference::repository),
        "tag": parsed.and_then(ImageReference::tag),
        "digest": parsed.and_then(ImageReference::digest),
    })
}

fn said(text: &str, stage: &str, error: &SourceError, is_stale: bool) -> Value {
    let message = match stage {
        _ if is_stale => format!(
            "the signatures of `{text}` could not be read: {error}; what was read of them before is used (`staleIfError`)"
        ),
        "resolve" => format!("`{text}` could not be resolved: {error}"),
        _ => format!("the signatures of `{text}` could not be read: {error}"),
    };
    json!({ "stage": stage, "code": error.code(), "message": message })
}

/// What an authority said of the image.
fn standing(authority: &Authority, facts: &[Fact]) -> Value {
    let own = || facts.iter().filter(|fact| fact.authority == authority.name());
    let attested: BTreeSet<&str> = own().filter_map(Fact::predicate_type).collect();
    let is_signed = own().any(|fact| fact.predicate_type().is_none());
    let fixed = match &authority.basis {
        Basis::Fixed(Static::Pass) => Some("pass"),
        Basis::Fixed(Static::Fail(_)) => Some("fail"),
        Basis::Signatures { .. } => None,
    };
    json!({ "signed": is_signed, "attested": attested, "static": fixed })
}

/// The rules that mean an image, and whether they hold. Where it is not known in full (None) none does, and by what was read
/// before none that has a module of its own.
fn rules(known: &Known<'_>, authorities: &Authorities, facts: Option<&[Fact]>) -> Vec<Value> {
    let of = |rule: &Rule| {
        let facts = facts.filter(|_| !known.found.is_stale || rule.written.policy.is_none());
        facts.map(|facts| authorities.held(rule, facts, known.time)).unwrap_or_default()
    };
    let meant = authorities.rules.iter().filter(|rule| rule.means(known.text));
    meant.map(|rule| rule.written.fact(of(rule))).collect()
}

impl Authorities {
    /// Whether a rule holds. This is the only place that counts.
    fn held(&self, rule: &Rule, facts: &[Fact], time: &Time) -> Held {
        let rule = &rule.written;
        let holds = |facts: &[Fact]| {
            let met = |demand| {
                let passes = self.passes(demand);
                (passes || self.meets(demand, facts, time)).then_some((demand, passes))
            };
            let met: Vec<(&Demand, bool)> = rule.require.of.iter().filter_map(met).collect();
            met.len() >= rule.require.at_least && self.compliance.takes_all(rule, &met, facts, time)
        };
        // Without facts only answers that look at nothing are left.
        Held { holds: holds(facts), holds_of_any: holds(&[]) }
    }

    /// Whether what a rule demands of somebody was said: a signature, or an attestation of each type.
    fn meets(&self, demand: &Demand, facts: &[Fact], time: &Time) -> bool {
        let own = || facts.iter().filter(|fact| fact.authority == demand.authority());
        let has = |kind: &String| own().any(|fact| fact.predicate_type() == Some(kind.as_str()));
        match demand {
            Demand::Signed(_) => own().any(|fact| fact.predicate_type().is_none()),
            Demand::Attested(Attested { attested, checks, .. }) if checks.is_empty() => {
                !attested.is_empty() && attested.iter().all(has)
            }
            Demand::Attested(Attested { checks, .. }) => {
                checks.iter().all(|check| own().any(|fact| self.compliance.meets(check, fact, time)))
            }
        }
    }

    /// Whether a demand is met whatever the bytes are. An answer that looks at nothing is no attestation.
    fn passes(&self, demand: &Demand) -> bool {
        let Demand::Signed(name) = demand else { return false };
        let answers = |authority: &Authority| matches!(authority.basis, Basis::Fixed(Static::Pass));
        self.by_name.get(name).is_some_and(answers)
    }
}
