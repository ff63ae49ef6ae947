//! Whether a policy whose Rego is another lets in more or less: both are asked about the examples of both.

use crate::changes::Verdict;
use crate::dry_run::Outcome;
use crate::policy::{Faults, PolicyId, Tree};
use crate::report::DocumentStatus;
use crate::source;
use crate::suite::{Bundles, Suite};

/// Both trees, with their examples.
pub(super) struct Sides {
    old: Suite,
    new: Suite,
}

impl Sides {
    /// Reads both.
    pub(super) fn read(old: &Tree, new: &Tree) -> Result<Self, Faults> {
        let catalogue = source::catalogue();
        Ok(Self { old: Suite::read(old, &catalogue, "")?, new: Suite::read(new, &catalogue, "")? })
    }

    /// What the examples tell. Each policy alone, as its first binding of that tree has it. An example that came with
    /// the change was chosen beside it, so what is denied in it alone does not say that the policy is stricter.
    pub(super) fn verdict(&self, policy: &PolicyId) -> Verdict {
        let (before, after) = (self.old.bundles(), self.new.bundles());
        let known = self.old.examples().iter().map(|example| (example, true));
        let examples = known.chain(self.new.examples().iter().map(|example| (example, false)));
        let (mut allowed, mut denied, mut known_denied) = (false, false, false);
        for (example, is_known) in examples.filter(|(example, _)| example.policy == policy.as_str()) {
            let outcome = |bundles: &Bundles<'_>| example.outcome(bundles).ok().and_then(decided);
            let (Some(was), Some(is)) = (outcome(&before), outcome(&after)) else { return Verdict::Unknown };
            if was.patches != is.patches || was.denied.len() != is.denied.len() {
                return Verdict::Unknown;
            }
            for (was, is) in was.denied.iter().zip(&is.denied) {
                allowed |= *was && !is;
                denied |= !was && *is;
                known_denied |= !was && *is && is_known;
            }
        }
        match (allowed, denied, known_denied) {
            (true, false, _) => Verdict::Weakened,
            (false, _, true) => Verdict::Strengthened,
            _ => Verdict::Unknown,
        }
    }
}

/// What was decided of the documents of an example.
struct Decided {
    denied: Vec<bool>,
    patches: Vec<serde_json::Value>,
}

/// None where a document was not judged.
fn decided(outcome: Outcome) -> Option<Decided> {
    let denied = |status: DocumentStatus| match status {
        DocumentStatus::Denied => Some(true),
        DocumentStatus::Passed | DocumentStatus::Warned => Some(false),
        _ => None,
    };
    let denied =
        outcome.report.documents.iter().map(|document| denied(document.status)).collect::<Option<_>>()?;
    Some(Decided { denied, patches: outcome.reviewed.iter().map(|one| one.patch.to_value()).collect() })
}
