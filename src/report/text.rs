//! The report as people read it: a line a finding, a line a document that was not judged, the numbers at the end.

use super::{DocumentStatus, Effect, ObjectName, Report, ReportedException, ReportedFinding, Summary};

/// Writes the report for a terminal or a log.
pub fn text(report: &Report) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        push(&mut text, &line(finding));
        if let Some(remedy) = &finding.remedy {
            push(&mut text, &format!("    {remedy}"));
        }
    }
    for document in &report.documents {
        if let Some(reason) = &document.reason {
            let status = match document.status {
                DocumentStatus::Invalid => "invalid",
                DocumentStatus::Error => "error",
                _ => "skipped",
            };
            push(&mut text, &format!("{}:{}: {status}: {reason}", document.file, document.line));
        }
    }
    if !text.is_empty() {
        text.push('\n');
    }
    summary(&mut text, &report.summary);
    text
}

fn line(finding: &ReportedFinding) -> String {
    let effect = match finding.effect {
        Effect::Deny => "denied",
        Effect::Error => "error",
        Effect::Warn => "warning",
        Effect::Audit => "audit",
        Effect::Excused => "excused",
    };
    let its_pods = if finding.its_pods { " (its Pods)" } else { "" };
    let ReportedFinding { file, line, object, policy, message, .. } = finding;
    // Most messages name the container themselves.
    let unnamed = finding.container.as_ref().filter(|name| !message.contains(&format!("\"{name}\"")));
    let container = unnamed.map(|name| format!(", container {name}")).unwrap_or_default();
    let by = finding.exception.as_ref().map(|exception| {
        let ReportedException { name, expires, .. } = exception;
        format!(" (exception {name}, until {expires})")
    });
    let by = by.unwrap_or_default();
    let effect = if finding.suspended { "warning (denial suspended)" } else { effect };
    format!("{file}:{line}: {effect}{its_pods}: {}{container}: [{policy}] {message}{by}", name(object))
}

/// `Kind/namespace/name`, without the namespace where there is none.
fn name(object: &ObjectName) -> String {
    let parts = [object.kind.as_str(), object.namespace.as_str(), object.name.as_str()];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/")
}

fn summary(text: &mut String, summary: &Summary) {
    let Summary { documents, passed, denied, warned, mutated, skipped, invalid, errors, .. } = summary;
    let how = if *mutated > 0 { " (--show patch prints how)" } else { "" };
    let noun = if *documents == 1 { "document" } else { "documents" };
    push(
        text,
        &format!(
            "{documents} {noun}: {passed} passed, {denied} denied, {warned} warned, {errors} in error, \
             {skipped} skipped, {invalid} invalid; {mutated} mutated{how}"
        ),
    );
    if summary.excused > 0 {
        push(text, &format!("excused by exceptions: {}", summary.excused));
    }
    if documents == skipped {
        push(text, "nothing was judged: there is no Kubernetes object in it");
    }
    if !summary.manifest_modes.is_empty() {
        push(text, &format!("modes that these manifests set: {}", summary.manifest_modes.join(", ")));
    }
    if !summary.assumed_namespaces.is_empty() {
        let names = summary.assumed_namespaces.join(", ");
        push(text, &format!("namespaces not given, taken as freshly made: {names}"));
    }
    if !summary.guessed_resources.is_empty() {
        push(text, &format!("resources guessed from kinds: {}", summary.guessed_resources.join(", ")));
    }
}

/// Names and messages are a manifest's: they must neither begin a line of their own nor steer a terminal.
fn push(text: &mut String, line: &str) {
    text.push_str(&line.replace(char::is_control, " "));
    text.push('\n');
}
