//! What a run over manifests found: the one shape that every output format is written from
//! (contracts: the JSON report).
//!
//! Made by `dry_run`, printed by `cli`. Knows nothing of how anything was decided.

mod catalogue;
mod excerpt;
mod explained;
mod faults;
mod github;
mod junit;
mod markdown;
mod paint;
mod pretty;
mod sarif;
mod summary;
mod table;
mod text;
mod words;
mod xml;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::policy::Severity;

pub use catalogue::{Described, catalogue};
pub use excerpt::Sources;
pub use explained::{Explained, ExplainedReview, explained_json, explained_text};
pub use faults::{Level, faults};
pub use github::github;
pub use junit::junit;
pub use markdown::markdown;
pub use paint::Paint;
pub use pretty::pretty;
pub use sarif::sarif;
pub use summary::{Assumptions, Summary};
pub use table::table;
pub use text::text;
pub use xml::escaped as xml_escaped;

/// A run's result. Serialised, it is the JSON report.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    api_version: &'static str,
    kind: &'static str,
    /// The bundle that decided.
    pub revision: String,
    /// Every document, in the order of files and lines.
    pub documents: Vec<DocumentResult>,
    /// Every finding, in the order of documents; within one, denials first.
    pub findings: Vec<ReportedFinding>,
    /// The numbers.
    pub summary: Summary,
    /// What the policies with findings say of themselves, by their ids. Formats that list rules need it.
    #[serde(skip)]
    pub policies: BTreeMap<String, AboutPolicy>,
}

/// A policy in its author's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AboutPolicy {
    /// One line.
    pub title: String,
    /// What is demanded and why.
    pub description: String,
    /// How bad a violation is.
    pub severity: Severity,
    /// Where more is said: a URL.
    pub docs: Option<String>,
}

/// How much is said to people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// Only what is wrong.
    Faults,
    /// That, what was left out, and the numbers.
    #[default]
    Usual,
    /// That, and what passed.
    All,
}

/// From what on a run fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FailOn {
    /// A denial.
    #[default]
    Deny,
    /// A warning, too.
    Warn,
}

/// What became of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DocumentStatus {
    /// Nothing to say.
    Passed,
    /// Refused, or its Pods would be.
    Denied,
    /// Let in with warnings.
    Warned,
    /// A policy was in error or a fact was missing.
    Error,
    /// Not a Kubernetes object.
    Skipped,
    /// Can't be read.
    Invalid,
}

/// One document of a file; each item of a List is one.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DocumentResult {
    /// The file as it was named; `-` for standard input.
    pub file: String,
    /// Where it begins, from 1.
    pub line: usize,
    /// What it is.
    #[serde(flatten)]
    pub object: ObjectName,
    /// What became of it.
    pub status: DocumentStatus,
    /// Why it was skipped or is invalid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether policies change it.
    pub mutated: bool,
    /// Where it was read, if that is another file.
    #[serde(skip)]
    pub rendered: Option<Rendered>,
}

/// What was read of a template's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The file that was read.
    pub stream: String,
    /// The lines of it before the template's text.
    pub before: usize,
}

impl DocumentResult {
    /// Where a line of the document was read: the file, and the line there.
    fn read_at(&self, line: usize) -> (&str, usize) {
        self.rendered.as_ref().map_or((self.file.as_str(), line), |rendered| {
            (rendered.stream.as_str(), line.saturating_add(rendered.before))
        })
    }
}

/// Names an object. Empty where a document has no such member.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectName {
    /// Group and version.
    pub api_version: String,
    /// The kind.
    pub kind: String,
    /// The namespace it would be created in; empty for objects of the cluster.
    pub namespace: String,
    /// `metadata.name`, or `metadata.generateName` as it is.
    pub name: String,
}

/// What a finding does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// The object, or its Pods, would be refused.
    Deny,
    /// A policy was in error, so nothing is known.
    Error,
    /// The object would be let in with a warning.
    Warn,
    /// The object would be let in; it is recorded.
    Audit,
    /// An exception covers it.
    Excused,
    /// The policy could not be asked, because a fact is missing, and that is left out on request.
    Skipped,
}

/// A finding with its place in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReportedFinding {
    /// What it does.
    pub effect: Effect,
    /// The place of its document in [`Report::documents`].
    #[serde(skip)]
    pub document: usize,
    /// Whether it is the object's Pods that it is about, not the object itself.
    #[serde(skip)]
    pub its_pods: bool,
    /// The policy.
    pub policy: String,
    /// The binding.
    pub binding: String,
    /// How bad, in the author's words.
    pub severity: Severity,
    /// What is wrong.
    pub message: String,
    /// The object.
    pub object: ObjectName,
    /// The container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// The field in the object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The file.
    pub file: String,
    /// The line of the field, or of what is nearest above it, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// What the policy says it found, else what stands in the field after mutation, where that is no object and no array;
    /// nothing of a Secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed: Option<Value>,
    /// Whether the policy keeps what stands in the field to itself: then the line is not shown.
    #[serde(skip)]
    pub is_untold: bool,
    /// What there has to be, where the policy says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required: Option<String>,
    /// What to write instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// The rule that says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    /// Whether it would be a denial, had the namespace not been suspended.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub suspended: bool,
    /// The exception that covers it, and until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exception: Option<ReportedException>,
}

/// The rule of a policy that a finding comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// The policy's file.
    pub file: String,
    /// The line in which the rule begins, from 1, where it can be told without asking each rule alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
}

/// The exception by which a finding is excused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReportedException {
    /// Its name.
    pub name: String,
    /// When it ends.
    pub expires: String,
    /// The control that a container was taken out of before the policy was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control: Option<String>,
}

impl Report {
    /// Puts a report together and counts.
    pub fn new(
        revision: String,
        documents: Vec<DocumentResult>,
        findings: Vec<ReportedFinding>,
        policies: BTreeMap<String, AboutPolicy>,
        assumed: Assumptions,
    ) -> Self {
        let count =
            |status: DocumentStatus| documents.iter().filter(|document| document.status == status).count();
        let summary = Summary {
            documents: documents.len(),
            passed: count(DocumentStatus::Passed),
            denied: count(DocumentStatus::Denied),
            warned: count(DocumentStatus::Warned),
            mutated: documents.iter().filter(|document| document.mutated).count(),
            skipped: count(DocumentStatus::Skipped),
            invalid: count(DocumentStatus::Invalid),
            errors: count(DocumentStatus::Error),
            excused: findings.iter().filter(|finding| finding.effect == Effect::Excused).count(),
            not_judged: findings.iter().filter(|finding| finding.effect == Effect::Skipped).count(),
            assumed_namespaces: assumed.namespaces,
            left_alone_namespaces: assumed.left_alone,
            guessed_resources: assumed.resources,
            unserved_kinds: assumed.unserved,
            manifest_modes: assumed.modes,
            repeated_objects: assumed.repeated,
        };
        let (api_version, kind) = ("meshgate.io/v1alpha1", "Report");
        Self { api_version, kind, revision, documents, findings, summary, policies }
    }

    /// The same with other names of the policies' files.
    #[must_use]
    pub fn naming_files(mut self, name: impl Fn(&str) -> String) -> Self {
        let mut names = BTreeMap::new();
        for cause in self.findings.iter_mut().filter_map(|finding| finding.cause.as_mut()) {
            let file = cause.file.clone();
            cause.file = names.entry(file).or_insert_with_key(|file: &String| name(file)).clone();
        }
        self
    }

    /// Each document with its findings, in order.
    pub fn by_document(&self) -> impl Iterator<Item = (&DocumentResult, &[ReportedFinding])> {
        let mut rest = self.findings.as_slice();
        self.documents.iter().enumerate().map(move |(index, document)| {
            let count = rest.iter().take_while(|finding| finding.document == index).count();
            let (its, others) = rest.split_at_checked(count).unwrap_or_default();
            rest = others;
            (document, its)
        })
    }

    /// The exit code of the run: the highest that occurred (contracts: exit codes). Nothing to judge is no success: what
    /// should have written manifests may have failed.
    pub fn exit_code(&self, fail_on: FailOn) -> u8 {
        let Summary { documents, denied, invalid, errors, skipped, .. } = &self.summary;
        match (errors, invalid, denied) {
            (1.., ..) => 3,
            (_, 1.., _) => 2,
            _ if documents == skipped => 2,
            _ if *denied > 0 || self.findings.iter().any(|finding| finding.effect.fails(fail_on)) => 1,
            _ => 0,
        }
    }
}

impl Effect {
    /// Whether a run with such a finding fails.
    pub fn fails(self, fail_on: FailOn) -> bool {
        match self {
            Self::Deny | Self::Error => true,
            Self::Warn => fail_on == FailOn::Warn,
            Self::Audit | Self::Excused | Self::Skipped => false,
        }
    }
}
