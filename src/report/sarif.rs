//! The report as SARIF 2.1.0 (OASIS), for code scanning: a rule a policy, a result a finding.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{
    AboutPolicy, DocumentResult, DocumentStatus, Effect, ObjectName, Report, ReportedException,
    ReportedFinding,
};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// Makes the log.
pub fn sarif(report: &Report) -> Value {
    let rules: Vec<&String> = report.policies.keys().collect();
    let result = |finding: &ReportedFinding| {
        let index = rules.iter().position(|id| **id == finding.policy);
        result(finding, index)
    };
    let results: Vec<Value> = report.findings.iter().map(result).collect();
    let notifications: Vec<Value> = report.documents.iter().filter_map(notification).collect();
    let read = |document: &DocumentResult| {
        !matches!(document.status, DocumentStatus::Invalid | DocumentStatus::Error)
    };
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "meshgate",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": report.policies.iter().map(rule).collect::<Vec<_>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": report.documents.iter().all(read),
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
            "properties": { "revision": report.revision },
        }],
    })
}

fn rule((id, about): (&String, &AboutPolicy)) -> Value {
    let AboutPolicy { title, description, severity, docs } = about;
    let category = id.split('/').next().unwrap_or_default();
    let mut rule = json!({
        "id": id,
        "shortDescription": { "text": title },
        "fullDescription": { "text": description.trim_end() },
        "properties": { "tags": [category], "severity": severity },
    });
    if let (Some(docs), Some(members)) = (docs, rule.as_object_mut()) {
        members.insert("helpUri".to_owned(), Value::from(docs.as_str()));
    }
    rule
}

fn result(finding: &ReportedFinding, rule_index: Option<usize>) -> Value {
    let ReportedFinding { policy, object, message, file, line, column, .. } = finding;
    let level = match finding.effect {
        Effect::Deny | Effect::Error => "error",
        Effect::Warn => "warning",
        Effect::Audit | Effect::Excused | Effect::Skipped => "note",
    };
    let said = finding.compared().into_iter().chain(finding.remedy.clone());
    let said: String = said.map(|text| format!("\n{text}")).collect();
    let text = format!("{}: {message}{said}", object.path());
    let mut result = json!({
        "ruleId": policy,
        "level": level,
        "message": { "text": text },
        "locations": [location(file, *line, Some(*column), object)],
        "partialFingerprints": { "meshgate/v1": fingerprint(finding) },
        "properties": properties(finding),
    });
    if let Some(members) = result.as_object_mut() {
        if let Some(index) = rule_index {
            members.insert("ruleIndex".to_owned(), Value::from(index));
        }
        if let Some(ReportedException { name, expires, .. }) = &finding.exception {
            let justification = format!("exception {name}, until {expires}");
            let suppression = json!([{ "kind": "external", "justification": justification }]);
            members.insert("suppressions".to_owned(), suppression);
        }
    }
    result
}

fn properties(finding: &ReportedFinding) -> Map<String, Value> {
    let mut members = Map::new();
    members.insert("effect".to_owned(), json!(finding.effect));
    members.insert("binding".to_owned(), Value::from(finding.binding.as_str()));
    // Beside what is required, which no policy says of a secret.
    if let (Some(observed), Some(_)) = (&finding.observed, &finding.required) {
        members.insert("observed".to_owned(), observed.clone());
    }
    let ReportedFinding { container, field, required, .. } = finding;
    for (name, value) in [("container", container), ("field", field), ("required", required)] {
        if let Some(value) = value {
            members.insert(name.to_owned(), Value::from(value.as_str()));
        }
    }
    members
}

fn notification(document: &DocumentResult) -> Option<Value> {
    let reason = document.reason.as_ref()?;
    let level = if document.status == DocumentStatus::Skipped { "note" } else { "error" };
    Some(json!({
        "level": level,
        "message": { "text": format!("{}: {reason}", document.status.word()) },
        "locations": [location(&document.file, document.line, None, &document.object)],
    }))
}

fn location(file: &str, line: usize, column: Option<usize>, object: &ObjectName) -> Value {
    let mut region = json!({ "startLine": line });
    if let (Some(column), Some(members)) = (column, region.as_object_mut()) {
        members.insert("startColumn".to_owned(), Value::from(column));
    }
    let mut location =
        json!({ "physicalLocation": { "artifactLocation": { "uri": uri(file) }, "region": region } });
    if let (false, Some(members)) = (object.kind.is_empty(), location.as_object_mut()) {
        let logical = json!([{ "fullyQualifiedName": object.path(), "kind": "resource" }]);
        members.insert("logicalLocations".to_owned(), logical);
    }
    location
}

/// What stays the same where a manifest is moved or lines are put before it.
fn fingerprint(finding: &ReportedFinding) -> String {
    let ReportedFinding { policy, binding, object, field, message, .. } = finding;
    let object = object.path();
    let parts = [policy, binding, &object, field.as_deref().unwrap_or_default(), message];
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// A path as a URI reference (RFC 3986): what is not unreserved is escaped; a slash parts segments.
fn uri(path: &str) -> String {
    let path = path.strip_prefix("./").unwrap_or(path);
    let mut uri = if path.starts_with('/') { "file://".to_owned() } else { String::new() };
    for byte in path.bytes() {
        match byte {
            b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(char::from(byte)),
            byte if byte.is_ascii_alphanumeric() => uri.push(char::from(byte)),
            byte => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_uri_whatever_is_in_it() {
        for (path, expected) in [
            ("deploy/a.yaml", "deploy/a.yaml"),
            ("./a b/ü#?:%.yaml", "a%20b/%C3%BC%23%3F%3A%25.yaml"),
            ("/tmp/a.yaml", "file:///tmp/a.yaml"),
            ("-", "-"),
        ] {
            assert_eq!(uri(path), expected);
        }
    }
}
