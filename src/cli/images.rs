//! `meshgate images verify`: who signed images, and whether that is enough.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::inputs::{PolicyFlags, clock};
use super::{FAILED, output, registries};
use crate::image::{Asked, Authorities, CredentialSet, Gatherer, Limits, Sigstore};
use crate::policy::image_trust::{Authority, Demand, ImageTrust, Key, Need};

/// The exit code where an image is not signed as it has to be.
const UNVERIFIED: u8 = 1;

/// How long one image may take.
const LONGEST: Duration = Duration::from_secs(20);

/// The name of the authority whose key a flag gives.
const GIVEN: &str = "key";

/// Flags of `images`.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Tell who signed images, and whether that is enough
    Verify(Verify),
}

/// Flags of `images verify`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meshgate images verify registry.example.com/app:v1 -p policies            by the rules of the ImageTrust
  meshgate images verify registry.example.com/app:v1 --key cosign.pub --insecure-ignore-tlog

Exit codes: 0 verified, 1 not, 2 something can't be read, 3 a registry gives no answer")]
struct Verify {
    /// Images, as in a Pod
    #[arg(value_name = "REF", required = true)]
    references: Vec<String>,
    #[command(flatten)]
    policies: PolicyFlags,
    /// All of these have to have signed [default: as the rules of the ImageTrust say]
    #[arg(long, value_name = "NAME", conflicts_with = "key")]
    authority: Vec<String>,
    /// The public key that has to have signed, as PEM, instead of an ImageTrust
    #[arg(long, value_name = "FILE", conflicts_with = "policies", requires = "insecure_ignore_tlog")]
    key: Option<PathBuf>,
    /// Signatures of that key need not be in a transparency log
    #[arg(long, requires = "key")]
    insecure_ignore_tlog: bool,
    /// How it is written
    #[arg(short = 'o', long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

/// Runs the command.
pub(super) fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let Command::Verify(verify) = &arguments.command;
    let trust = verify.trust()?;
    let authorities = Authorities::compile(&trust).map_err(|faults| anyhow!("{faults}"))?;
    let unknown = verify.authority.iter().find(|name| !authorities.contains(name));
    if let Some(name) = unknown {
        bail!("--authority {name}: the ImageTrust names nobody so");
    }
    let (source, who) = (registries::of_user()?, CredentialSet::none());
    let (authorities, verifier) = (Arc::new(authorities), Arc::new(Sigstore::default()));
    let asked = Asked { predicate_types: predicate_types(&trust), authorities: None };
    let gatherer = Gatherer::new(authorities, source, verifier, asked, Limits::default());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("can't start")?;
    let named: Vec<String> =
        if verify.key.is_some() { vec![GIVEN.to_owned()] } else { verify.authority.clone() };
    let (mut code, mut text, mut all) = (0, String::new(), Vec::new());
    for reference in &verify.references {
        let until = Instant::now().checked_add(LONGEST).context("no clock")?;
        let entry = runtime
            .block_on(gatherer.entry(reference, &who, until))
            .map_err(|why| anyhow!("{reference}: {why}"))?;
        let (own, why) = verdict(&entry, &named);
        code = code.max(own);
        text.push_str(&shown(reference, &entry, own, &why));
        all.push(json!({ "image": reference, "verdict": word(own), "why": why, "entry": entry }));
    }
    match verify.format {
        Format::Text => output::print(&text)?,
        Format::Json => {
            let all =
                json!({ "apiVersion": "meshgate.io/v1alpha1", "kind": "ImageVerification", "images": all });
            output::print(&format!("{}\n", serde_json::to_string_pretty(&all)?))?;
        }
    }
    Ok(code)
}

impl Verify {
    fn trust(&self) -> anyhow::Result<Arc<ImageTrust>> {
        let Some(path) = &self.key else {
            let bundle = self.policies.bundle(clock())?;
            return bundle.image_trust.clone().with_context(|| {
                format!(
                    "--policies {}: no ImageTrust says whom to trust; or name a --key",
                    self.policies.name()
                )
            });
        };
        let pem = fs::read_to_string(path).with_context(|| format!("--key {}", path.display()))?;
        let key = Key {
            files: Vec::new(),
            data: Some(pem),
            hash_algorithm: None,
            valid_for: None,
            transparency_log: Some(Need::None),
            timestamp: None,
            trust_root: None,
        };
        let authority =
            Authority { keyless: None, key: Some(key), fixed: None, formats: BTreeSet::new(), source: None };
        let authorities = [(GIVEN.to_owned(), authority)].into();
        let file = path.display().to_string();
        Ok(Arc::new(ImageTrust { authorities, file, ..ImageTrust::default() }))
    }
}

/// The predicate types that rules ask for.
fn predicate_types(trust: &ImageTrust) -> BTreeSet<String> {
    let demands = trust.rules.iter().flat_map(|rule| &rule.require.of);
    let types = demands.filter_map(|demand| match demand {
        Demand::Signed(_) => None,
        Demand::Attested(one) => Some(one.attested.clone()),
    });
    types.flatten().collect()
}

/// The exit code of one image, and why it is not 0.
fn verdict(entry: &Value, named: &[String]) -> (u8, String) {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    if entry["status"] != "ok" {
        let errors = list(&entry["errors"]);
        let messages: Vec<&str> = errors.iter().filter_map(|error| error["message"].as_str()).collect();
        return (FAILED, messages.join("; "));
    }
    // As `lib.images` has it: who answers for an image whatever it is has attested nothing of it.
    let has = |name: &str, attested: &[Value]| {
        let standing = entry["authorities"].get(name).unwrap_or(&Value::Null);
        if attested.is_empty() {
            return standing["signed"] == true || standing["static"] == "pass";
        }
        let known = list(&standing["attested"]);
        attested.iter().all(|one| known.contains(one))
    };
    let mut lacking: Vec<String> = named.iter().filter(|name| !has(name, &[])).cloned().collect();
    let rules = list(&entry["rules"]);
    if named.is_empty() {
        if rules.is_empty() {
            return (UNVERIFIED, "no rule of the ImageTrust is about it".to_owned());
        }
        for rule in &rules {
            let of = list(&rule["of"]);
            let name = |demand: &Value| demand["authority"].as_str().unwrap_or_default().to_owned();
            let count = of.iter().filter(|demand| has(&name(demand), &list(&demand["attested"]))).count();
            if u64::try_from(count).ok() < rule["atLeast"].as_u64() {
                lacking.push(of.iter().map(name).collect::<Vec<_>>().join(" or "));
            }
        }
    }
    match lacking.as_slice() {
        [] => (0, String::new()),
        lacking => (UNVERIFIED, format!("nothing that counts by {}", lacking.join(", "))),
    }
}

fn word(code: u8) -> &'static str {
    match code {
        0 => "verified",
        UNVERIFIED => "unverified",
        _ => "unknown",
    }
}

fn shown(reference: &str, entry: &Value, code: u8, why: &str) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let mut shown = format!("{reference}: {}", word(code));
    if !why.is_empty() {
        shown.push_str(&format!(": {why}"));
    }
    shown.push_str(&format!("\n  digest       {}\n", text(&entry["digest"])));
    for (kind, member) in [("signature  ", "signatures"), ("attestation", "attestations")] {
        for one in entry[member].as_array().into_iter().flatten() {
            let signer = match one["key"].as_str() {
                Some(key) => format!("key {key}"),
                None => format!("{} ({})", text(&one["subject"]), text(&one["issuer"])),
            };
            let log = if one["log"] == true { "in a log" } else { "in no log" };
            let times = one["timestamps"].as_array().into_iter().flatten().map(text).collect::<Vec<_>>();
            let predicate = one["predicateType"].as_str().map(|name| format!("  {name}")).unwrap_or_default();
            let times = if times.is_empty() { String::new() } else { format!("  {}", times.join(" ")) };
            let (authority, format) = (text(&one["authority"]), text(&one["format"]));
            shown.push_str(&format!("  {kind}  {authority}  {format}{predicate}  {signer}  {log}{times}\n"));
        }
    }
    for one in entry["rejected"].as_array().into_iter().flatten() {
        let [authority, evidence, reason] = ["authority", "evidence", "reason"].map(|name| text(&one[name]));
        shown.push_str(&format!("  refused      {authority}  {reason}  {evidence}\n"));
    }
    // What a signer wrote must not look like a line of ours.
    let lines = shown.lines().map(|line| line.replace(char::is_control, " "));
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_answers_for_any_image_has_signed_it_and_attested_nothing() {
        let entry = |attested: &[&str], standing: Value| {
            json!({
                "status": "ok", "authorities": { "ours": standing },
                "rules": [{ "name": "a", "atLeast": 1, "of": [{ "authority": "ours", "attested": attested }] }],
            })
        };
        let pass = json!({ "signed": false, "attested": [], "static": "pass" });
        let attests = json!({ "signed": false, "attested": ["sbom"], "static": null });
        let code = |attested: &[&str], standing: &Value| verdict(&entry(attested, standing.clone()), &[]).0;
        assert_eq!([code(&[], &pass), code(&["sbom"], &pass)], [0, UNVERIFIED]);
        assert_eq!([code(&[], &attests), code(&["sbom"], &attests)], [UNVERIFIED, 0]);
        assert_eq!(verdict(&entry(&[], pass), &["ours".to_owned()]).0, 0);
    }
}
