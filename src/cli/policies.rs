//! `meshgate policies`: what policies there are, and what each demands.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::globals::Globals;
use super::inputs::{PolicyFlags, clock};
use super::output;
use crate::engine::{Bound, Bundle};
use crate::policy::{Binding, Policy, Tree, remedy};
use crate::report::{self, Described};
use crate::{source, yaml};

/// Flags of `policies`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// All policies of the tree, a line each
    List {
        #[command(flatten)]
        policies: PolicyFlags,
    },
    /// What one policy demands, its parameters, and where it is in force
    Show {
        /// The policy: CATEGORY/POLICY
        #[arg(value_name = "POLICY")]
        id: String,
        #[command(flatten)]
        policies: PolicyFlags,
    },
    /// A page for each policy, written into a directory
    Docs {
        /// The directory, which is made where there is none
        #[arg(value_name = "DIR")]
        into: PathBuf,
        #[command(flatten)]
        policies: PolicyFlags,
    },
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments, globals: &Globals) -> anyhow::Result<u8> {
    let text = match &arguments.command {
        Command::List { policies } => list(&globals.policies(policies)?.bundle(clock())?),
        Command::Show { id, policies } => show(&globals.policies(policies)?.bundle(clock())?, id)?,
        Command::Docs { into, policies } => docs(&globals.policies(policies)?, into)?,
    };
    output::print(&text)?;
    Ok(0)
}

fn list(bundle: &Bundle) -> String {
    let width = bundle.policies.keys().map(|id| id.as_str().len()).max().unwrap_or_default();
    let line = |policy: &Policy| {
        let bindings = bound(bundle, policy).count();
        let in_force = match bindings {
            0 => "not bound".to_owned(),
            1 => "bound".to_owned(),
            count => format!("bound {count} times"),
        };
        format!("{:width$}  {in_force:13}  {}\n", policy.id.as_str(), policy.metadata.title)
    };
    bundle.policies.values().map(|policy| line(policy)).collect()
}

fn show(bundle: &Bundle, id: &str) -> anyhow::Result<String> {
    let Some(policy) = bundle.policies.values().find(|policy| policy.id.as_str() == id) else {
        let known = bundle.policies.keys().map(|id| id.as_str());
        bail!("there is no policy `{id}`; {}", remedy(id, known));
    };
    let metadata = &policy.metadata;
    let bindings: Vec<Value> = bound(bundle, policy)
        .map(|bound| {
            let binding = &bound.binding;
            let (enforcement, templates) = (binding.enforcement, binding.templates);
            json!({ "name": binding.name, "enforcement": enforcement, "templates": templates, "parameters": binding.parameters })
        })
        .collect();
    let about = json!({
        "policy": policy.id.as_str(),
        "title": metadata.title,
        "description": metadata.description.trim_end(),
        "severity": metadata.severity,
        "failurePolicy": metadata.failure_policy,
        "context": metadata.context,
        "parameters": metadata.parameters.schema(),
        "bindings": bindings,
        "file": policy.module.path,
    });
    Ok(yaml::write(&about))
}

fn docs(flags: &PolicyFlags, into: &Path) -> anyhow::Result<String> {
    let tree = flags.tree()?;
    // Who asks for an embedded profile wants to know of all of them.
    let profiles: Vec<String> = match flags.are_embedded() {
        false => vec![flags.name().to_owned()],
        true => source::profiles().iter().map(|name| format!("embedded/{name}")).collect(),
    };
    let bundles = profiles.iter().map(|name| {
        let named = flags.or_in(Some(name));
        Ok((name.as_str(), named.bundle(clock())?))
    });
    let bundles: Vec<(&str, Bundle)> = bundles.collect::<anyhow::Result<_>>()?;
    let policies = bundles.first().map(|(_, bundle)| &bundle.policies).into_iter().flatten();
    let described: Vec<Described<'_>> = policies
        .map(|(_, policy)| Described {
            policy,
            bindings: bindings(&bundles, policy),
            examples: examples(&tree, policy.id.as_str()),
        })
        .collect();
    let pages = report::catalogue(&described);
    for (path, page) in &pages {
        let path = into.join(path);
        let folder = path.parent().unwrap_or(into);
        let written = fs::create_dir_all(folder).and_then(|()| fs::write(&path, page));
        written.with_context(|| format!("can't write {}", path.display()))?;
    }
    Ok(format!("{}: {} pages\n", into.display(), pages.len()))
}

fn bindings<'a>(bundles: &'a [(&str, Bundle)], policy: &Policy) -> Vec<(&'a str, &'a Binding)> {
    let of = |(name, bundle): &'a (&str, Bundle)| {
        let own = bundle.bound.iter().filter(|bound| bound.policy.id == policy.id);
        own.map(|bound| (*name, &bound.binding)).collect::<Vec<_>>()
    };
    bundles.iter().flat_map(of).collect()
}

/// Those of a policy, by name.
fn examples<'a>(tree: &'a Tree, id: &str) -> Vec<(&'a str, &'a str)> {
    let folder = format!("{id}/examples/");
    let example = |(path, content): (&'a str, &'a [u8])| {
        Some((path.strip_prefix(&folder)?, std::str::from_utf8(content).ok()?))
    };
    tree.iter().filter_map(example).collect()
}

fn bound<'a>(bundle: &'a Bundle, policy: &'a Policy) -> impl Iterator<Item = &'a Bound> {
    bundle.bound.iter().filter(|bound| bound.policy.id == policy.id)
}
