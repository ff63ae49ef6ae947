//! `meshgate images verify`: who signed images, and whether that is enough.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, anyhow, bail};
use clap::Args;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::super::formats::TextOrJson;
use super::super::image_facts::ImageFacts;
use super::super::inputs::{PolicyFlags, clock};
use super::super::{FAILED, output};
use super::{LONGEST, asking};
use crate::image::{Asked, Authorities, CredentialSet};
use crate::policy::image_trust::{
    Authority, Demand, ImageTrust, Key, Need, Require, TrustEnforcement, TrustRule,
};

/// The exit code where an image is not signed as it has to be.
const UNVERIFIED: u8 = 1;

/// The name of the authority whose key a flag gives.
const GIVEN: &str = "key";

/// Flags of `images verify`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meshgate images verify registry.example.com/app:v1 -p policies            by the rules of the ImageTrust
  meshgate images verify registry.example.com/app:v1 --key cosign.pub --insecure-ignore-tlog
  meshgate images verify registry.example.com/app:v1 -p policies --images layout:evidence

Exit codes: 0 verified, 1 not, 2 something can't be read, 3 a registry gives no answer")]
pub(super) struct Verify {
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
    /// Who is asked: registry, or layout:DIR as `images save` writes it
    #[arg(long, value_name = "SOURCE", default_value = "registry", value_parser = ImageFacts::of_evidence)]
    images: ImageFacts,
    /// How it is written
    #[arg(short = 'o', long, value_enum, default_value_t = TextOrJson::Text)]
    format: TextOrJson,
}

/// Runs the command.
pub(super) fn run(verify: &Verify) -> anyhow::Result<u8> {
    let (trust, predicate_types) = verify.trust()?;
    let authorities = Authorities::compile(&trust).map_err(|faults| anyhow!("{faults}"))?;
    let asked = Asked { predicate_types, ..Asked::default() };
    let (gatherer, who) = (asking(&verify.images, authorities, asked)?, CredentialSet::none());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("can't start")?;
    let (mut code, mut text, mut all) = (0, String::new(), Vec::new());
    for reference in &verify.references {
        let until = Instant::now().checked_add(LONGEST).context("no clock")?;
        let entry = runtime
            .block_on(gatherer.entry(reference, &who, until))
            .map_err(|why| anyhow!("{reference}: {why}"))?;
        let (own, why) = verdict(&entry);
        code = code.max(own);
        text.push_str(&shown(reference, &entry, own, &why));
        all.push(json!({ "image": reference, "verdict": word(own), "why": why, "entry": entry }));
    }
    match verify.format {
        TextOrJson::Text => output::print(&text)?,
        TextOrJson::Json => {
            let all =
                json!({ "apiVersion": "meshgate.io/v1alpha1", "kind": "ImageVerification", "images": all });
            output::print(&format!("{}\n", serde_json::to_string_pretty(&all)?))?;
        }
    }
    Ok(code)
}

impl Verify {
    /// Whom to trust, and the predicate types that somebody asks for.
    fn trust(&self) -> anyhow::Result<(ImageTrust, BTreeSet<String>)> {
        let Some(path) = &self.key else {
            let bundle = self.policies.bundle(clock())?;
            let trust = bundle.image_trust.as_deref().cloned().with_context(|| {
                format!(
                    "--policies {}: no ImageTrust says whom to trust; or name a --key",
                    self.policies.name()
                )
            })?;
            return Ok((self.of_named(trust)?, bundle.predicate_types()));
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
            by_url: None,
        };
        let authority = Authority {
            keyless: None,
            key: Some(key),
            fixed: None,
            formats: BTreeSet::new(),
            source: None,
            place: None,
        };
        let authorities = [(GIVEN.to_owned(), authority)].into();
        let file = path.display().to_string();
        let rules = vec![signed_by(GIVEN)];
        Ok((ImageTrust { authorities, file, rules, ..ImageTrust::default() }, BTreeSet::new()))
    }

    /// The rules of an `ImageTrust`, or instead of them that each authority that is named has to have signed.
    fn of_named(&self, mut trust: ImageTrust) -> anyhow::Result<ImageTrust> {
        if let Some(name) = self.authority.iter().find(|name| !trust.authorities.contains_key(*name)) {
            bail!("--authority {name}: the ImageTrust names nobody so");
        }
        if !self.authority.is_empty() {
            trust.rules = self.authority.iter().map(|name| signed_by(name)).collect();
        }
        Ok(trust)
    }
}

/// Somebody has to have signed, whatever the image.
fn signed_by(name: &str) -> TrustRule {
    TrustRule {
        name: name.to_owned(),
        images: vec!["**".to_owned()],
        require: Require { at_least: 1, of: vec![Demand::Signed(name.to_owned())] },
        enforcement: TrustEnforcement::Deny,
        matches: Vec::new(),
        policy: None,
    }
}

/// The exit code of one image, and why it is not 0.
fn verdict(entry: &Value) -> (u8, String) {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    if entry["status"] != "ok" {
        let errors = list(&entry["errors"]);
        let messages: Vec<&str> = errors.iter().filter_map(|error| error["message"].as_str()).collect();
        return (FAILED, messages.join("; "));
    }
    let rules = list(&entry["rules"]);
    if rules.is_empty() {
        return (UNVERIFIED, "no rule of the ImageTrust is about it".to_owned());
    }
    let names = |rule: &Value| {
        let of = list(&rule["of"]);
        let names: Vec<&str> = of.iter().filter_map(|demand| demand["authority"].as_str()).collect();
        names.join(" or ")
    };
    let lacking: Vec<String> = rules.iter().filter(|rule| rule["holds"] != true).map(names).collect();
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
