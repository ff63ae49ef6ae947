//! A page for each policy, from its METADATA, the bindings that it has and its examples: what people read before they
//! bind it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::policy::{Binding, FailurePolicy, Policy, Rule, RuleOperation, Severity};

/// What a page is written from.
#[derive(Clone, Debug)]
pub struct Described<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// Who binds it: the name of a tree, such as `embedded/starter`, and the binding.
    pub bindings: Vec<(&'a str, &'a Binding)>,
    /// The names and texts of its examples.
    pub examples: Vec<(&'a str, &'a str)>,
}

/// The pages by their paths: `<category>/<policy>.md` and an index, `README.md`.
pub fn catalogue(policies: &[Described<'_>]) -> BTreeMap<String, String> {
    let pages = policies.iter().map(|described| (format!("{}.md", described.policy.id), page(described)));
    let index = ("README.md".to_owned(), index(policies));
    pages.chain([index]).collect()
}

fn index(policies: &[Described<'_>]) -> String {
    let mut text =
        "# Catalogue\n\nWritten by `meshgate policies docs` from the policies themselves.\n".to_owned();
    let mut category = "";
    for Described { policy, .. } in policies {
        let (own, _) = policy.id.as_str().split_once('/').unwrap_or_default();
        if own != category {
            category = own;
            text.push_str(&format!(
                "\n## {own}\n\n| policy | what it asks for | severity |\n|---|---|---|\n"
            ));
        }
        let (id, metadata) = (&policy.id, &policy.metadata);
        text.push_str(&format!(
            "| [{id}]({id}.md) | {} | {} |\n",
            cell(&metadata.title),
            severity(metadata.severity)
        ));
    }
    text
}

fn page(described: &Described<'_>) -> String {
    let Described { policy, bindings, examples } = described;
    let metadata = &policy.metadata;
    let mut text = format!(
        "# {}\n\n`{}` · severity {}{}\n\n{}\n",
        metadata.title,
        policy.id,
        severity(metadata.severity),
        if metadata.failure_policy == FailurePolicy::Ignore { " · an error of it is a warning" } else { "" },
        metadata.description.trim_end()
    );
    if let Some(docs) = &metadata.docs {
        text.push_str(&format!("\nMore: <{docs}>\n"));
    }
    text.push_str(&asked(policy));
    text.push_str(&parameters(metadata.parameters.schema()));
    text.push_str(&bound(bindings, metadata.parameters.schema()));
    for (name, example) in examples {
        let outcome = name.split('-').next().unwrap_or_default();
        text.push_str(&format!(
            "\n## Example: {outcome}\n\n`{name}`\n\n```yaml\n{}\n```\n",
            example.trim_end()
        ));
    }
    text
}

/// What it is asked about, and what it reads beside that.
fn asked(policy: &Policy) -> String {
    let metadata = &policy.metadata;
    let mut text =
        "\n## Asked about\n\n| groups | versions | resources | operations |\n|---|---|---|---|\n".to_owned();
    for rule in &metadata.matches.rules {
        text.push_str(&rule_row(rule));
    }
    let facts: Vec<String> =
        metadata.context.iter().map(|fact| format!("`{}`", fact.name.as_str())).collect();
    if !facts.is_empty() {
        text.push_str(&format!("\nIt reads the facts {}.\n", facts.join(", ")));
    }
    let raised: Vec<String> =
        metadata.may_change.iter().map(|field| format!("`{}`", field.as_str())).collect();
    if !raised.is_empty() {
        text.push_str(&format!("\nIt may raise the guarded fields {}.\n", raised.join(", ")));
    }
    text
}

fn rule_row(rule: &Rule) -> String {
    let names = |names: &[String]| {
        let quoted = names.iter().map(|name| if name.is_empty() { "core".to_owned() } else { code(name) });
        quoted.collect::<Vec<_>>().join(", ")
    };
    let operations: Vec<&str> = rule.operations.iter().map(|operation| operation_name(*operation)).collect();
    format!(
        "| {} | {} | {} | {} |\n",
        names(&rule.api_groups),
        names(&rule.api_versions),
        names(&rule.resources),
        operations.join(", ")
    )
}

fn operation_name(operation: RuleOperation) -> &'static str {
    match operation {
        RuleOperation::Create => "CREATE",
        RuleOperation::Update => "UPDATE",
        RuleOperation::Delete => "DELETE",
        RuleOperation::Connect => "CONNECT",
        RuleOperation::All => "all",
    }
}

fn parameters(schema: &Value) -> String {
    let properties =
        schema.get("properties").and_then(Value::as_object).filter(|members| !members.is_empty());
    let Some(properties) = properties else { return "\n## Parameters\n\nNone.\n".to_owned() };
    let required = |name: &str| {
        let names = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        names.filter_map(Value::as_str).any(|other| other == name)
    };
    let rows = properties.iter().map(|(name, property)| {
        let default = match property.get("default") {
            Some(value) => code(&value.to_string()),
            None if required(name) => "must be set".to_owned(),
            None => "none".to_owned(),
        };
        let said = property.get("description").and_then(Value::as_str).unwrap_or_default();
        format!("| {} | {} | {default} | {} |\n", code(name), kind(property), cell(said))
    });
    let head = "\n## Parameters\n\n| name | value | default | meaning |\n|---|---|---|---|\n".to_owned();
    std::iter::once(head).chain(rows).collect()
}

/// What a value is: its type, or the words that it may be.
fn kind(property: &Value) -> String {
    let words = |schema: &Value| {
        let words = schema.get("enum").and_then(Value::as_array)?;
        Some(words.iter().map(|word| code(&word.to_string())).collect::<Vec<_>>().join(", "))
    };
    let item =
        || property.get("items").and_then(|items| words(items).map(|words| format!("array of {words}")));
    let kind = || property.get("type").and_then(Value::as_str).map(str::to_owned);
    words(property).or_else(item).or_else(kind).unwrap_or_else(|| "any".to_owned())
}

fn bound(bindings: &[(&str, &Binding)], schema: &Value) -> String {
    if bindings.is_empty() {
        return "\n## Bound by\n\nNo profile: it is in force where a binding of your own says so.\n"
            .to_owned();
    }
    let rows = bindings.iter().map(|(tree, binding)| {
        format!("- `{tree}`, as `{}`{}\n", binding.name, with(&binding.parameters, schema))
    });
    std::iter::once("\n## Bound by\n\n".to_owned()).chain(rows).collect()
}

/// What a binding says that is not the default.
fn with(parameters: &Value, schema: &Value) -> String {
    let default = |name: &str| schema.get("properties")?.get(name)?.get("default");
    let given = parameters.as_object().into_iter().flatten();
    let own = given.filter(|(name, value)| default(name) != Some(value));
    let members: Vec<String> = own.map(|(name, value)| code(&format!("{name}: {value}"))).collect();
    if members.is_empty() { String::new() } else { format!(", with {}", members.join(", ")) }
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::High => "high",
        Severity::Medium => "medium",
        Severity::Low => "low",
    }
}

/// A text as code in a cell of a table.
fn code(text: &str) -> String {
    let fence = if text.contains('`') { "``" } else { "`" };
    format!("{fence}{}{fence}", cell(text))
}

/// A text in a cell of a table.
fn cell(text: &str) -> String {
    text.trim_end().replace('\n', " ").replace('|', "\\|")
}
