//! Pages of the book that are written from the program: the commands and their flags, as the parser knows them, and the
//! file kinds.

use clap::{Arg, Command};

use crate::config::Configuration;
use crate::policy::{self, Member};

/// Writes the page, Markdown.
pub(super) fn reference(mut root: Command) -> String {
    root.build();
    let mut text = "# All commands and flags\n\n\
        Written from the program by `tests/cli/reference.rs`; [The commands](cli.md) tells what they promise.\n\n\
        ## Every command\n\n"
        .to_owned();
    let globals: Vec<&Arg> = root.get_arguments().filter(|arg| arg.is_global_set()).collect();
    table(&mut text, &globals);
    let examples = root.get_after_help().map(ToString::to_string);
    fenced(&mut text, examples);
    for command in visible(&root) {
        section(&mut text, command, "meshgate");
    }
    text
}

/// The page about file kinds, Markdown.
pub(super) fn kinds() -> String {
    let mut text = "# All file kinds\n\n\
        Written from the code that reads them, by `tests/cli/reference.rs`: each document has `apiVersion: meshgate.io/v1alpha1`, `kind` and, but for `Configuration` and \
        `ImageTrust`, `metadata.name`. A member that is not here is an error with its line. `[]` is an element of a list, `<name>` any name.\n"
        .to_owned();
    for (kind, members) in
        policy::file_kinds().into_iter().chain([("Configuration", Configuration::members())])
    {
        let page = match kind {
            "PolicyBinding" => "policies.md#a-binding",
            "PolicyException" => "policies.md#an-exception",
            "Bundle" => "policies.md#bundle",
            "ImageTrust" => "images.md#whom-to-trust",
            "MeshSettings" => "policies.md#imagetrust-meshsettings",
            _ => "cli.md#serve",
        };
        text.push_str(&format!("\n## {kind}\n\n[What they mean]({page})\n\n| member | is |\n|---|---|\n"));
        for Member { path, what } in members {
            text.push_str(&format!("| `{}` | {} |\n", cell(&path), cell(&what)));
        }
    }
    text
}

fn visible(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|one| !one.is_hide_set() && one.get_name() != "help")
}

fn section(text: &mut String, command: &Command, parent: &str) {
    let name = format!("{parent} {}", command.get_name());
    text.push_str(&format!("\n## {name}\n"));
    if let Some(about) = command.get_about() {
        text.push_str(&format!("\n{about}.\n"));
    }
    let own: Vec<&Arg> = command
        .get_arguments()
        .filter(|arg| !arg.is_hide_set() && !arg.is_global_set() && arg.get_id() != "help")
        .collect();
    if !own.is_empty() {
        text.push('\n');
        table(text, &own);
    }
    fenced(text, command.get_after_help().map(ToString::to_string));
    visible(command).for_each(|one| section(text, one, &name));
}

fn table(text: &mut String, arguments: &[&Arg]) {
    text.push_str("| | |\n|---|---|\n");
    for argument in arguments {
        text.push_str(&format!("| {} | {} |\n", cell(&title(argument)), cell(&meaning(argument))));
    }
}

/// As it is typed.
fn title(argument: &Arg) -> String {
    let takes_value = argument.get_action().takes_values();
    let values = argument.get_value_names().unwrap_or_default();
    let values: Vec<&str> = values.iter().map(|name| name.as_str()).filter(|_| takes_value).collect();
    let values = values.join(" ");
    if argument.is_positional() {
        return format!("`{values}`{}", if argument.is_required_set() { "" } else { " (may be left out)" });
    }
    let short = argument.get_short().map(|short| format!("-{short}"));
    let long = argument.get_long().map(|long| format!("--{long}"));
    let names: Vec<String> = short.into_iter().chain(long).collect();
    let value = if values.is_empty() { String::new() } else { format!(" {values}") };
    format!("`{}{value}`", names.join("`, `"))
}

/// What its help says, the words that it takes, and what holds without it.
fn meaning(argument: &Arg) -> String {
    let mut parts: Vec<String> = argument.get_help().map(ToString::to_string).into_iter().collect();
    let words = argument.get_possible_values();
    let word = |word: &clap::builder::PossibleValue| match word.get_help() {
        Some(help) => format!("`{}`: {help}", word.get_name()),
        None => format!("`{}`", word.get_name()),
    };
    let shown = words.iter().filter(|word| !word.is_hide_set() && argument.get_action().takes_values());
    let words: Vec<String> = shown.map(word).collect();
    if !words.is_empty() {
        parts.push(words.join("; "));
    }
    let defaults = argument.get_default_values().iter().map(|value| format!("`{}`", value.to_string_lossy()));
    let defaults: Vec<String> = defaults.filter(|_| argument.get_action().takes_values()).collect();
    if !defaults.is_empty() {
        parts.push(format!("default {}", defaults.join(", ")));
    }
    parts.join(". ")
}

fn fenced(text: &mut String, examples: Option<String>) {
    if let Some(examples) = examples {
        text.push_str(&format!("\n```text\n{}\n```\n", examples.trim_end()));
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
