//! Examples: `<policy>/examples/<outcome>-<why>.yaml`, each of which has, through the dry run, the outcome of its name.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use crate::context::{Images, ImagesFile, Now, Others, Subjects, World};
use crate::dry_run::{Asked, Check, Content, File, Manifests, Outcome, Requests};
use crate::engine::{self, Bundle};
use crate::mesh::NoMesh;
use crate::policy::{Draft, PolicyId, Tree};
use crate::report::{self, DocumentStatus, Effect, Report};
use crate::review::LeftOut;
use crate::yaml;

/// The time that examples see: the same on every run.
const NOW: &str = "2026-01-31T12:00:00Z";

/// A file in a policy's folder `examples`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The folder that has it: `<category>/<policy>`.
    pub policy: String,
    /// The file, as it is shown.
    pub path: String,
    /// What stands before the first hyphen of its name: `allowed`, `denied`, `warned`, `mutated`.
    pub expected: String,
    bytes: Vec<u8>,
    /// What is known of images: `images.json` beside it.
    images: Option<Vec<u8>>,
}

/// The file in a policy's folder `examples` that is the fact `images` for all of them.
const IMAGES: &str = "images.json";

/// All examples of a tree, in the order of their files.
pub(super) fn of(tree: &Tree, root: &str) -> Vec<Example> {
    let example = |(path, bytes): (&str, &[u8])| {
        let (policy, file) = path.split_once("/examples/")?;
        if file == IMAGES {
            return None;
        }
        let beside = format!("{policy}/examples/{IMAGES}");
        Some(Example {
            policy: policy.to_owned(),
            path: if root.is_empty() { path.to_owned() } else { format!("{root}/{path}") },
            expected: file.split('-').next().unwrap_or_default().to_owned(),
            bytes: bytes.to_vec(),
            images: tree.iter().find(|(path, _)| *path == beside).map(|(_, bytes)| bytes.to_vec()),
        })
    };
    tree.iter().filter_map(example).collect()
}

/// Each policy alone in force, compiled when it is asked for first.
pub struct Bundles<'a> {
    draft: &'a Draft,
    compiled: BTreeMap<&'a str, (&'a PolicyId, Compiled)>,
}

/// Why there is no bundle is asked for as often as a bundle.
type Compiled = OnceLock<Result<Bundle, String>>;

impl<'a> Bundles<'a> {
    pub(super) fn new(draft: &'a Draft) -> Self {
        let compiled = draft.policies.keys().map(|id| (id.as_str(), (id, OnceLock::new())));
        Self { draft, compiled: compiled.collect() }
    }

    /// The bundle of one policy, as its first binding has it, or without parameters if nothing binds it.
    ///
    /// # Errors
    /// Why there is none.
    pub fn of(&self, policy: &str) -> Result<&Bundle, String> {
        let Some((id, bundle)) = self.compiled.get(policy) else {
            return Err(format!("there is no policy `{policy}`; examples lie in the folder of theirs"));
        };
        let compiled = || engine::compile(self.draft.only(id)?).map_err(|faults| faults.to_string());
        bundle.get_or_init(compiled).as_ref().map_err(Clone::clone)
    }
}

impl Example {
    /// The file's name.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// What the dry run says of it.
    ///
    /// # Errors
    /// Why there is no outcome.
    pub fn outcome(&self, bundles: &Bundles<'_>) -> Result<Outcome, String> {
        check(bundles.of(&self.policy)?, self.manifests(), self.images()?)
    }

    /// What is not as its name says.
    pub fn faults(&self, bundles: &Bundles<'_>) -> Vec<String> {
        bundles.of(&self.policy).and_then(|bundle| self.compare(bundle)).unwrap_or_else(|fault| vec![fault])
    }

    fn compare(&self, bundle: &Bundle) -> Result<Vec<String>, String> {
        let outcome = check(bundle, self.manifests(), self.images()?)?;
        let report = &outcome.report;
        let rests = self.expected != "mutated" || self.rests(bundle, &outcome)?;
        let named = self.path.ends_with(".yaml");
        let demands = [
            (named, "the name does not end with .yaml"),
            (self.concerns(bundle), "no object that the policy is asked about"),
            (are_all_judged(report), "a document is not judged"),
            (report.findings.iter().all(|finding| finding.policy == self.policy), "another policy speaks"),
            (rests, "what was changed is changed again"),
        ];
        let broken = demands.into_iter().filter(|(holds, _)| !holds).map(|(_, what)| what);
        let faults = broken.chain(unlike(&self.expected, report));
        let faults: Vec<String> = faults.map(str::to_owned).collect();
        // What was said instead is shown once, below.
        let said = (!faults.is_empty()).then(|| report::text(report));
        Ok(faults.into_iter().chain(said).collect())
    }

    /// Whether the policy is asked about one of its objects; an example of anything else would show nothing.
    fn concerns(&self, bundle: &Bundle) -> bool {
        let requests = Requests::new(std::iter::empty(), bundle, None);
        let manifests = self.manifests();
        let mut objects = manifests.objects().filter_map(|manifest| requests.create(manifest).ok());
        objects.any(|request| {
            bundle.bound.iter().any(|bound| bound.policy.metadata.matches.mismatch(&request).is_none())
        })
    }

    /// Who is asked about images.
    fn images(&self) -> Result<Images, String> {
        let Some(bytes) = &self.images else { return Ok(Images::default()) };
        let file = ImagesFile::parse(bytes).map_err(|why| format!("{IMAGES}: {why}"))?;
        Ok(Images::of(Arc::new(file)))
    }

    /// Whether nothing is left to change in what was changed.
    fn rests(&self, bundle: &Bundle, outcome: &Outcome) -> Result<bool, String> {
        let objects = outcome.reviewed.iter().map(|one| format!("---\n{}", yaml::write(&one.object)));
        let again = manifests(&self.path, objects.collect::<String>().into_bytes());
        let again = check(bundle, again, self.images()?)?;
        let mut pairs = again.reviewed.iter().zip(&outcome.reviewed);
        Ok(again.reviewed.len() == outcome.reviewed.len()
            && pairs.all(|(again, first)| again.patch.is_empty() && again.object == first.object))
    }

    fn manifests(&self) -> Manifests {
        manifests(&self.path, self.bytes.clone())
    }
}

fn manifests(path: &str, bytes: Vec<u8>) -> Manifests {
    Manifests::read(&[File { name: path.to_owned(), content: Content::Bytes(bytes), named: true }])
}

fn check(bundle: &Bundle, manifests: Manifests, images: Images) -> Result<Outcome, String> {
    let now = Now::parse(NOW).map_err(|error| error.to_string())?;
    let world = World::new(Others::Fresh).with_images(images);
    let facts = Manifests::default();
    let check = Check {
        bundle,
        facts: &facts,
        world,
        now,
        asked: Asked::Creation,
        namespace: None,
        left_out: LeftOut::default(),
        mesh: &NoMesh,
        keeps_objects: true,
        explains: false,
        user: None,
        subjects: Subjects::default(),
    };
    Ok(check.run(manifests, &|_| ()))
}

fn are_all_judged(report: &Report) -> bool {
    report.documents.iter().all(|document| {
        !matches!(document.status, DocumentStatus::Error | DocumentStatus::Invalid | DocumentStatus::Skipped)
    })
}

/// What a report has that its name does not say.
fn unlike(expected: &str, report: &Report) -> Option<&'static str> {
    let any = |wanted: DocumentStatus| report.documents.iter().any(|document| document.status == wanted);
    let is_mutated = report.documents.iter().any(|document| document.mutated);
    let is_silent = report.findings.is_empty();
    let is_quiet = report.findings.iter().all(|finding| finding.effect != Effect::Deny);
    let (holds, what) = match expected {
        "allowed" => (is_silent && !is_mutated, "something is found or changed"),
        "denied" => (any(DocumentStatus::Denied) && !is_mutated, "nothing is denied, or something changed"),
        "warned" => (
            any(DocumentStatus::Warned) && is_quiet && !is_mutated,
            "nothing is warned of, or there is more than warnings",
        ),
        "mutated" => (is_silent && is_mutated, "nothing is changed, or something is found"),
        _ => (false, "the name begins with none of allowed-, denied-, warned-, mutated-"),
    };
    (!holds).then_some(what)
}
