//! A run: every manifest through both phases, its Pods likewise, and the report of it all. On all cores; what comes out
//! does not tell how many there are.

use serde_json::Value;

use super::asked::{Asked, Asking};
use super::described::Described;
use super::judge::{Judged, Mutated, Waiting, done};
use super::manifests::{Manifest, Manifests};
use super::parallel::each;
use super::reported::{about, panicked};
use super::requests::Requests;
use crate::context::{Now, Subjects, World};
use crate::engine::Bundle;
use crate::mesh::Mesh;
use crate::patch::Patch;
use crate::report::{Assumptions, DocumentResult, Explained, ObjectName, Report, ReportedFinding};
use crate::review::LeftOut;

/// What a run needs beside manifests.
pub struct Check<'a> {
    /// The policies.
    pub bundle: &'a Bundle,
    /// What `--facts` gave: its CustomResourceDefinitions name resources.
    pub facts: &'a Manifests,
    /// What is known of the world before the manifests are applied.
    pub world: World,
    /// The moment that policies see.
    pub now: Now,
    /// What is asked about the manifests.
    pub asked: Asked,
    /// The flag `-n`.
    pub namespace: Option<String>,
    /// Who sends the manifests (authentication.k8s.io/v1 UserInfo); None: nobody in particular, who may change what is
    /// guarded, because whoever applies the manifests is not known.
    pub user: Option<Value>,
    /// Who may change what is guarded.
    pub subjects: Subjects,
    /// Which missing facts leave a policy out.
    pub left_out: LeftOut,
    /// The mesh that the Pods may be in.
    pub mesh: &'a dyn Mesh,
    /// Whether the objects are kept as they would be stored, for whoever shows them.
    pub keeps_objects: bool,
    /// Whether decisions are explained, which takes longer.
    pub explains: bool,
}

/// What came out.
pub struct Outcome {
    /// The report.
    pub report: Report,
    /// The objects, as they would be stored, where that was asked for.
    pub reviewed: Vec<Reviewed>,
    /// How each document was decided, where that was asked for.
    pub explained: Vec<Explained>,
}

/// An object after mutation.
pub struct Reviewed {
    /// The file it comes from.
    pub file: String,
    /// Its first line there.
    pub line: usize,
    /// What it is.
    pub name: ObjectName,
    /// Whether it would be let in.
    pub allowed: bool,
    /// What policies changed, against the object as it was sent.
    pub patch: Patch,
    /// The object with the patch; null of what is deleted.
    pub object: Value,
}

/// An entry on its way: what became of it, or what it is and how far it came; None where it was lost on the way.
type Underway<T> = Result<(Manifest, Option<T>), Box<DocumentResult>>;

impl Check<'_> {
    /// Reviews all manifests. `progress` is called with how many are done, from any thread.
    pub fn run(&self, manifests: Manifests, progress: &(dyn Fn(usize) + Sync)) -> Outcome {
        let given = self.facts.objects().chain(self.asked.stored()).chain(manifests.objects());
        let requests = Requests::new(given, self.bundle, self.namespace.clone()).sent_by(self.user.clone());
        let asking = Asking::of(&self.asked, &requests);
        // The manifests are about to be applied over what is there.
        let mut world = self.world.clone();
        let described = Described::of(&manifests, &requests, &self.bundle.needs(), &mut world);
        let assumed = described.told(&world, &self.subjects);
        let mutated: Vec<Underway<Waiting>> = each(manifests.entries, |entry| {
            let manifest = entry?;
            let request = asking.request(&manifest, &requests)?;
            let mutated = done(self.mutate(request, &world)).map(Mutated::waiting);
            Ok((manifest, mutated))
        });
        for (namespace, object) in mutated.iter().flatten().filter_map(|(_, one)| one.as_ref()?.changed()) {
            world.insert(namespace, object);
        }
        // A manifest is let go when it is judged: what the report needs of it is in its findings.
        let judged: Vec<Result<Judged, Box<DocumentResult>>> = each(mutated, |entry| {
            let judged = entry.and_then(|(manifest, waiting)| {
                self.judged(&manifest, waiting, (&asking, &requests), &world)
            });
            progress(1);
            judged
        });
        self.outcome(judged, assumed)
    }

    /// What becomes of a manifest that is mutated, or was lost on the way.
    fn judged(
        &self,
        manifest: &Manifest,
        waiting: Option<Waiting>,
        (asking, requests): (&Asking<'_>, &Requests),
        world: &World,
    ) -> Result<Judged, Box<DocumentResult>> {
        let judged = match waiting {
            None => None,
            Some(waiting) => {
                let mutated = waiting.on(|| asking.request(manifest, requests))?;
                done(self.judge(manifest, mutated, world))
            }
        };
        judged.ok_or_else(|| Box::new(panicked(manifest)))
    }

    fn outcome(&self, judged: Vec<Result<Judged, Box<DocumentResult>>>, assumed: Assumptions) -> Outcome {
        let (mut documents, mut findings) = (Vec::new(), Vec::new());
        let (mut reviewed, mut explained) = (Vec::new(), Vec::new());
        for (index, entry) in judged.into_iter().enumerate() {
            let (document, reviews) = match entry {
                Err(rejected) => (*rejected, Vec::new()),
                Ok(judged) => {
                    let found = judged.findings.into_iter();
                    findings.extend(found.map(|one| ReportedFinding { document: index, ..one }));
                    reviewed.extend(judged.reviewed);
                    (judged.document, judged.explained)
                }
            };
            if self.explains {
                explained.push(Explained { document: document.clone(), reviews });
            }
            documents.push(document);
        }
        let policies = about(self.bundle, &findings);
        let report = Report::new(self.bundle.revision.to_string(), documents, findings, policies, assumed);
        Outcome { report, reviewed, explained }
    }
}
