//! A run: every manifest through both phases, its Pods likewise, and the report of it all. On all cores; what comes out
//! does not tell how many there are.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::judge::{Judged, Mutated, done};
use super::manifests::{Manifest, Manifests};
use super::parallel::each;
use super::reported::{about, name, panicked};
use super::requests::Requests;
use crate::admission::Request;
use crate::context::{Now, Subjects, World};
use crate::engine::Bundle;
use crate::mesh::Mesh;
use crate::patch::Patch;
use crate::policy::{EXEMPT_LABEL, MODE_LABEL, SUSPEND_ANNOTATION};
use crate::report::{Assumptions, DocumentResult, Explained, ObjectName, Report, ReportedFinding};

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
    /// The flag `-n`.
    pub namespace: Option<String>,
    /// Who sends the manifests (authentication.k8s.io/v1 UserInfo); None: nobody in particular, who may change what is
    /// guarded, because whoever applies the manifests is not known.
    pub user: Option<Value>,
    /// Who may change what is guarded.
    pub subjects: Subjects,
    /// Whether a policy that can't be asked because a fact is missing is left out; it is an error else.
    pub skips_missing_facts: bool,
    /// Whether policies that look at images are left out where nobody is asked about them.
    pub skips_images: bool,
    /// The mesh that the Pods may be in.
    pub mesh: &'a dyn Mesh,
    /// Whether decisions are explained, which takes longer.
    pub explains: bool,
}

/// What came out.
pub struct Outcome {
    /// The report.
    pub report: Report,
    /// The objects, as they would be stored.
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
    /// The object with the patch.
    pub object: Value,
}

/// An entry on its way: what became of it, or what it is and how far it came; None where it was lost on the way.
type Underway<'m, T> = Result<(&'m Manifest, Option<T>), Box<DocumentResult>>;

impl Check<'_> {
    /// Reviews all manifests. `progress` is called with how many are done, from any thread.
    pub fn run(&self, manifests: &Manifests, progress: &(dyn Fn(usize) + Sync)) -> Outcome {
        let facts = self.facts.objects().chain(manifests.objects());
        let objects: Vec<Value> = facts.map(|manifest| Value::Object(manifest.object.clone())).collect();
        let mut requests = self.requests(&objects);
        // The manifests are about to be applied over what is there. One that can't be sent says nothing; it is reported
        // where it is judged.
        let mut world = self.world.clone();
        for manifest in manifests.objects() {
            requests.describe(std::iter::once(manifest), &mut world).unwrap_or_default();
        }
        let underway: Vec<Underway<'_, Request>> = manifests
            .entries
            .iter()
            .map(|entry| {
                let manifest = entry.as_ref().map_err(Clone::clone)?;
                requests.create(manifest).map(|request| (manifest, Some(request)))
            })
            .collect();
        let created = underway.iter().flatten().filter_map(|(_, request)| request.as_ref()?.namespace());
        let assumed: BTreeSet<String> =
            created.filter(|name| world.assumes(name)).map(str::to_owned).collect();
        let repeated = repeated(
            underway.iter().flatten().filter_map(|(manifest, one)| Some((*manifest, one.as_ref()?))),
        );
        let mutated = each(underway, |entry| {
            entry.map(|(manifest, request)| {
                (manifest, request.and_then(|request| done(self.mutate(request, &world))))
            })
        });
        for (namespace, object) in mutated.iter().flatten().filter_map(|(_, one)| one.as_ref()?.changed()) {
            world.insert(namespace, object);
        }
        let judged = each(mutated, |entry: Underway<'_, Mutated>| {
            let judged = entry.map(|(manifest, mutated)| {
                (manifest, mutated.and_then(|mutated| done(self.judge(manifest, mutated, &world))))
            });
            progress(1);
            judged
        });
        let assumed = Assumptions {
            namespaces: assumed.into_iter().collect(),
            resources: requests.guessed(),
            modes: manifests.objects().flat_map(modes).collect(),
            repeated,
        };
        self.outcome(judged, assumed)
    }

    fn outcome(&self, judged: Vec<Underway<'_, Judged>>, assumed: Assumptions) -> Outcome {
        let (mut documents, mut findings) = (Vec::new(), Vec::new());
        let (mut reviewed, mut explained) = (Vec::new(), Vec::new());
        for (index, entry) in judged.into_iter().enumerate() {
            let (document, reviews) = match entry {
                Err(rejected) => (*rejected, Vec::new()),
                Ok((manifest, None)) => (panicked(manifest), Vec::new()),
                Ok((_, Some(judged))) => {
                    let found = judged.findings.into_iter();
                    findings.extend(found.map(|one| ReportedFinding { document: index, ..one }));
                    reviewed.push(judged.reviewed);
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

    fn requests(&self, objects: &[Value]) -> Requests {
        Requests::new(objects.iter(), self.bundle, self.namespace.clone()).sent_by(self.user.clone())
    }
}

/// `Kind/namespace/name: place, place` of each object that is given more than once: a cluster would keep the last.
fn repeated<'a>(all: impl Iterator<Item = (&'a Manifest, &'a Request)>) -> Vec<String> {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (manifest, request) in all.filter(|(manifest, _)| !manifest.metadata("name").is_empty()) {
        let name = name(manifest, request);
        let group = &request.kind().group;
        let key = format!("{}\0{group}", name.path());
        places.entry(key).or_default().push(format!("{}:{}", manifest.file, manifest.line()));
    }
    let more = places.into_iter().filter(|(_, places)| places.len() > 1);
    more.map(|(key, places)| format!("{}: {}", key.split('\0').next().unwrap_or_default(), places.join(", ")))
        .collect()
}

/// `name: mode`, `name: exempt`, `name: suspended until …`: what a Namespace says of how it is judged. It is believed,
/// because whoever applies it may be allowed to say so, and therefore told.
fn modes(manifest: &Manifest) -> Vec<String> {
    let is_namespace = (manifest.text("apiVersion"), manifest.text("kind")) == ("v1", "Namespace");
    let said = |member: &str, name: &str| {
        let words = manifest.object.get("metadata").and_then(|metadata| metadata.get(member));
        let word = words.and_then(|words| words.get(name)).filter(|_| is_namespace)?;
        Some(word.as_str().unwrap_or_default())
    };
    let mode = said("labels", MODE_LABEL).map(str::to_owned);
    let exempt = said("labels", EXEMPT_LABEL).filter(|word| *word == "true").map(|_| "exempt".to_owned());
    let suspended = said("annotations", SUSPEND_ANNOTATION).map(|until| format!("suspended until {until}"));
    let all = [mode, exempt, suspended].into_iter().flatten();
    all.map(|word| format!("{}: {word}", manifest.metadata("name"))).collect()
}
