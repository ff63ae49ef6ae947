//! Files → objects, each with its place. Every document becomes an object or is accounted for.

use std::sync::{Arc, LazyLock};

use serde_json::{Map, Value};

use super::parallel::each;
use super::sources::{self, Place, Sources};
use crate::report::{DocumentResult, DocumentStatus, ObjectName, Rendered};
use crate::yaml::{self, Position};

/// What has a NUL byte this early is no text (git's rule).
const HEAD_BYTES: usize = 8_000;

/// A file that was read.
#[derive(Clone, Debug)]
pub struct File {
    /// As it is shown in findings; `-` for standard input.
    pub name: String,
    /// Its content.
    pub content: Content,
    /// Whether it was named itself, not found by walking a directory. What is no Kubernetes object is then a fault.
    pub named: bool,
}

/// What is in a file.
#[derive(Clone, Debug)]
pub enum Content {
    /// All of it.
    Bytes(Vec<u8>),
    /// It was not looked into, and why: no fault, unless somebody has named it.
    LeftOut(String),
    /// It can't be read, and why.
    Unreadable(String),
}

impl Content {
    /// What was read.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::LeftOut(_) | Self::Unreadable(_) => &[],
        }
    }
}

/// A Kubernetes object in a file.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The file's name; of a document that Helm has rendered onto standard input, the name of its template.
    pub file: String,
    /// Where it was read, if that is another file.
    pub(super) rendered: Option<Rendered>,
    /// The object, where it is not as it is written: an item of a typed list may leave out what the list says.
    completed: Option<Map<String, Value>>,
    /// JSON pointer of the object in its document: empty, or the way to an item of a List.
    prefix: String,
    document: Arc<yaml::Document>,
}

/// All documents of some files, in their order.
#[derive(Clone, Debug, Default)]
pub struct Manifests {
    /// What became of each document: an object, or why it is none ([`DocumentStatus::Skipped`]) or none that can be read
    /// ([`DocumentStatus::Invalid`]).
    pub entries: Vec<Result<Manifest, Box<DocumentResult>>>,
}

impl Manifests {
    /// Reads all documents of `files`. Lists are unrolled.
    pub fn read(files: &[File]) -> Self {
        let entries = each(files.iter().collect(), |file| Self::of_file(file).entries);
        Self { entries: entries.into_iter().flatten().collect() }
    }

    fn of_file(file: &File) -> Self {
        let mut manifests = Self::default();
        match &file.content {
            Content::Bytes(bytes) => manifests.file(file, bytes),
            Content::LeftOut(why) => manifests.not_an_object(&Place::of(file), 1, why),
            Content::Unreadable(why) => {
                manifests.reject(&Place::of(file), 1, DocumentStatus::Invalid, why.clone())
            }
        }
        manifests
    }

    fn file(&mut self, file: &File, bytes: &[u8]) {
        let before = self.entries.len();
        if bytes.iter().take(HEAD_BYTES).any(|byte| *byte == 0) {
            let why = "not text: it has NUL bytes; a manifest is YAML or JSON in UTF-8";
            return self.reject(&Place::of(file), 1, DocumentStatus::Invalid, why.to_owned());
        }
        let sources = Sources::of(file, bytes);
        for document in yaml::read(bytes) {
            match document {
                Ok(document) => {
                    let place = sources.place(file, document.line);
                    let document = Arc::new(document);
                    self.object(&place, &document.value, String::new(), &document, None);
                }
                Err(fault) => {
                    let line = fault.position.line;
                    self.reject(&sources.place(file, line), line, DocumentStatus::Invalid, fault.message);
                }
            }
        }
        if self.entries.len() == before {
            self.not_an_object(&Place::of(file), 1, "there is no document in it");
        }
    }

    /// The objects.
    pub fn objects(&self) -> impl Iterator<Item = &Manifest> {
        self.entries.iter().filter_map(|entry| entry.as_ref().ok())
    }

    /// `value` stands at `prefix` of the document; `listed` are apiVersion and kind that a list says for it.
    fn object(
        &mut self,
        place: &Place<'_>,
        value: &Value,
        prefix: String,
        document: &Arc<yaml::Document>,
        listed: Option<(&str, &str)>,
    ) {
        let line = if prefix.is_empty() { document.line } else { document.position(&prefix).line };
        let Some(object) = value.as_object() else {
            return self.not_an_object(place, line, "not a mapping; a manifest has apiVersion and kind");
        };
        let completed = listed.map(|listed| completed(object, listed));
        let object = completed.as_ref().unwrap_or(object);
        let text = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default();
        let (api_version, kind) = (text("apiVersion"), text("kind"));
        if api_version.is_empty() || kind.is_empty() {
            return self.not_an_object(place, line, "no apiVersion or no kind; a manifest has both");
        }
        if api_version.starts_with("kustomize.config.k8s.io/") {
            return self.not_an_object(
                place,
                line,
                "a file for kustomize; check the output of `kustomize build`",
            );
        }
        if matches!(object.get("metadata"), Some(metadata) if !metadata.is_object() && !metadata.is_null()) {
            return self.reject(place, line, DocumentStatus::Invalid, "metadata is not a mapping".to_owned());
        }
        // Whatever has `items` is a list for kubectl, whatever it calls itself (apimachinery, UnstructuredJSONScheme).
        match object.get("items") {
            Some(Value::Array(items)) => self.list(place, items, (api_version, kind), &prefix, document),
            Some(Value::Null) => {
                self.reject(place, line, DocumentStatus::Skipped, format!("an empty {kind}"))
            }
            Some(_) => self.reject(place, line, DocumentStatus::Invalid, "`items` is not a list".to_owned()),
            None => self.entries.push(Ok(Manifest {
                file: place.name().to_owned(),
                rendered: place.rendered.clone(),
                completed,
                prefix,
                document: Arc::clone(document),
            })),
        }
    }

    /// Items of a typed list may leave out what the list says (apimachinery, UnstructuredList decoding).
    fn list(
        &mut self,
        place: &Place<'_>,
        items: &[Value],
        (api_version, kind): (&str, &str),
        prefix: &str,
        document: &Arc<yaml::Document>,
    ) {
        if items.is_empty() {
            return self.reject(place, document.line, DocumentStatus::Skipped, format!("an empty {kind}"));
        }
        let item_kind = kind.strip_suffix("List").filter(|kind| !kind.is_empty());
        for (index, item) in items.iter().enumerate() {
            let says_neither = |members: &Map<String, Value>| {
                !members.contains_key("apiVersion") && !members.contains_key("kind")
            };
            let listed = item_kind.filter(|_| item.as_object().is_some_and(says_neither));
            let listed = listed.map(|kind| (api_version, kind));
            self.object(place, item, format!("{prefix}/items/{index}"), document, listed);
        }
    }

    fn not_an_object(&mut self, place: &Place<'_>, line: usize, reason: &str) {
        let status = if place.file.named { DocumentStatus::Invalid } else { DocumentStatus::Skipped };
        self.reject(place, line, status, reason.to_owned());
    }

    fn reject(&mut self, place: &Place<'_>, line: usize, status: DocumentStatus, reason: String) {
        let (file, object) = (place.name().to_owned(), ObjectName::default());
        let (rendered, line) = (place.rendered.clone(), place.line(line));
        let reason = Some(reason);
        let result = DocumentResult { file, line, object, status, reason, mutated: false, rendered };
        self.entries.push(Err(Box::new(result)));
    }
}

/// An item with what its list says for it.
fn completed(item: &Map<String, Value>, (api_version, kind): (&str, &str)) -> Map<String, Value> {
    let mut item = item.clone();
    item.insert("apiVersion".to_owned(), Value::from(api_version));
    item.insert("kind".to_owned(), Value::from(kind));
    item
}

impl Manifest {
    /// The object, as kubectl would send it.
    pub fn object(&self) -> &Map<String, Value> {
        static NOTHING: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);
        let written = || self.document.value.pointer(&self.prefix).and_then(Value::as_object);
        self.completed.as_ref().or_else(written).unwrap_or(&NOTHING)
    }

    /// A member of the object as text; empty where it is absent or something else.
    pub fn text(&self, name: &str) -> &str {
        self.object().get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// A member of `metadata` as text; empty where it is absent or something else.
    pub fn metadata(&self, name: &str) -> &str {
        self.object()
            .get("metadata")
            .and_then(|metadata| metadata.get(name))
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// Where a JSON pointer into the object stands in the file; where there is no such field, what is nearest above it.
    pub fn position(&self, pointer: &str) -> Position {
        let position = self.document.position(&format!("{}{pointer}", self.prefix));
        Position { line: sources::line(self.rendered.as_ref(), position.line), ..position }
    }

    /// The line in which the object begins.
    pub fn line(&self) -> usize {
        let line = if self.prefix.is_empty() {
            self.document.line
        } else {
            self.document.position(&self.prefix).line
        };
        sources::line(self.rendered.as_ref(), line)
    }

    /// The document that it is written in, and the JSON pointer to it there.
    pub(super) fn written(&self) -> (&Arc<yaml::Document>, &str) {
        (&self.document, &self.prefix)
    }

    /// The object is no use after all.
    pub(super) fn reject(&self, reason: String) -> Box<DocumentResult> {
        let object = ObjectName {
            api_version: self.text("apiVersion").to_owned(),
            kind: self.text("kind").to_owned(),
            namespace: self.metadata("namespace").to_owned(),
            name: self.metadata("name").to_owned(),
        };
        let (file, line, status) = (self.file.clone(), self.line(), DocumentStatus::Invalid);
        let (reason, rendered) = (Some(reason), self.rendered.clone());
        Box::new(DocumentResult { file, line, object, status, reason, mutated: false, rendered })
    }
}
