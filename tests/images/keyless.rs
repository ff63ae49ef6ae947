//! `meshgate images verify` beside `cosign verify`, on images that the kit signed by certificates: the same trust root, the
//! same identity, the same registries as they are. What is different is listed, with the side that is the stricter one.

mod bundles;
mod layers;

use std::fs;
use std::path::Path;
use std::process::Command;

use meshgate::image::Digest;
use serde_json::Value;

use crate::compiled::HEAD;
use crate::programs::{Kind, Program, Signer, tools};
use crate::pushed::Pushed;
use crate::sigstore::{self as kit, Kit};
use crate::wired::{BINDING, BUNDLE};

/// Whom both are asked for, but where a case says another.
const NAMED: (&str, &str) = (kit::ISSUER, kit::SUBJECT);

/// Puts evidence beside an image: where, the image as it is described, and its digest.
type Make = dyn Fn(&Pushed<'_>, &Value, &Digest);

/// What lies about an image, and what is asked.
struct Case {
    what: &'static str,
    make: Box<Make>,
    legacy: bool,
    /// Issuer and subject that are asked for.
    who: (&'static str, &'static str),
    root: Value,
    /// Whether a timestamp has to be there, and what log may be missing.
    stamped: bool,
    good: bool,
    /// Why cosign says otherwise, where it does.
    otherwise: Option<&'static str>,
}

impl Case {
    fn of(what: &'static str, root: Value, make: impl Fn(&Pushed<'_>, &Value, &Digest) + 'static) -> Self {
        let make = Box::new(make);
        Self { what, make, legacy: false, who: NAMED, root, stamped: false, good: false, otherwise: None }
    }

    fn good(self) -> Self {
        Self { good: true, ..self }
    }

    fn legacy(self) -> Self {
        Self { legacy: true, ..self }
    }

    fn by(self, issuer: &'static str, subject: &'static str) -> Self {
        Self { who: (issuer, subject), ..self }
    }

    fn stamped(self) -> Self {
        Self { stamped: true, ..self }
    }

    fn otherwise(self, why: &'static str) -> Self {
        Self { otherwise: Some(why), ..self }
    }
}

/// A trust root that names another authority of certificates, and nothing else than it did.
fn of_another_authority(kit: &Kit) -> Value {
    let mut root = kit.root();
    root["certificateAuthorities"] = Kit::new().root()["certificateAuthorities"].clone();
    root
}

/// cosign's verdict, and the last line of what it says.
fn theirs(by: &Signer, case: &Case, image: &str) -> (bool, String) {
    fs::write(by.directory.path().join("root.json"), case.root.to_string()).unwrap();
    let (issuer, subject) = case.who;
    let mut arguments = vec!["verify", "--trusted-root", "root.json", "--certificate-oidc-issuer", issuer];
    arguments.extend(["--certificate-identity", subject]);
    if case.legacy {
        arguments.push("--new-bundle-format=false");
    }
    if case.stamped {
        arguments.extend(["--use-signed-timestamps", "--insecure-ignore-tlog=true"]);
    }
    arguments.push(image);
    let output = by.run("cosign", &arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
    (output.status.success(), last.to_owned())
}

/// Our verdict, and the reasons.
fn ours(folder: &Path, case: &Case, image: &str) -> (bool, String) {
    let (issuer, subject) = case.who;
    let more = if case.stamped { ", transparencyLog: none, timestamp: required" } else { "" };
    let trust = format!(
        "{HEAD}trustRoots: {{kit: {{file: root.json}}}}\nauthorities:\n  ci: {{keyless: {{trustRoot: kit, identities: [{{issuer: '{issuer}', subject: '{subject}'}}]{more}}}}}\nrules: [{{name: all, images: ['**'], require: {{of: [ci]}}, enforcement: deny}}]\n"
    );
    let policies = folder.join("p");
    fs::create_dir_all(&policies).unwrap();
    let files = [("trust.yaml", trust.as_str()), ("binding.yaml", BINDING), ("bundle.yaml", BUNDLE)];
    files.iter().for_each(|(name, text)| fs::write(policies.join(name), text).unwrap());
    fs::write(policies.join("root.json"), case.root.to_string()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshgate"));
    command.current_dir(folder).env("DOCKER_CONFIG", folder);
    let output = command.args(["images", "verify", image, "-p", "p", "-o", "json"]).output().unwrap();
    let code = output.status.code();
    assert!(matches!(code, Some(0 | 1)), "{image}: {code:?} {}", String::from_utf8_lossy(&output.stderr));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    let rejected = said["images"][0]["entry"]["rejected"].as_array().unwrap();
    let reasons: Vec<&str> = rejected.iter().map(|one| one["reason"].as_str().unwrap()).collect();
    (code == Some(0), reasons.join(" "))
}

#[test]
fn certificates_are_judged_as_cosign_judges_them() {
    let Some(tools) = tools() else { return };
    let (signer, folder) = (Signer::new(&tools), tempfile::tempdir().unwrap());
    let (mut table, mut run, mut equal, mut wrong) = (String::new(), 0, 0, Vec::new());
    for kind in Kind::ALL {
        let Some(registry) = Program::start(kind, &tools) else { continue };
        let kit = Box::leak(Box::new(Kit::new()));
        let cases = bundles::of(kit).into_iter().chain(layers::of(kit));
        // What is spoiled is so in every registry: one is shown all of it.
        let all = kind == Kind::Referrers || std::env::var_os("MESHGATE_EVERY_REGISTRY").is_some();
        let is_shown = |case: &Case| all || case.good || case.otherwise.is_some();
        for (index, case) in cases.filter(is_shown).enumerate() {
            let place = Pushed { address: &registry.address, name: format!("app{index}"), kind };
            let (image, said) = place.image();
            (case.make)(&place, &said, &said["digest"].as_str().unwrap().parse().unwrap());
            let (theirs, why) = theirs(&signer, &case, &image);
            let (ours, reason) = ours(folder.path(), &case, &image);
            let form = if case.legacy { "legacy" } else { "bundle" };
            run += 1;
            equal += usize::from(theirs == ours);
            let is_right = ours == case.good && (theirs == ours) == case.otherwise.is_none();
            let line =
                format!("{kind:?} {form} {}: cosign {theirs} ({why}), meshgate {ours} ({reason})", case.what);
            if !is_right {
                wrong.push(line.clone());
            }
            let mark = if theirs == ours { ' ' } else { '*' };
            table.push_str(&format!(
                "{mark} {:9} {form} {:52} {theirs:6} {ours:6} {reason}\n",
                format!("{kind:?}"),
                case.what
            ));
        }
    }
    println!(
        "  registry  form   case                                                 cosign meshgate\n{table}"
    );
    println!("{run} run, {equal} equal, {} different, each listed in docs/conformance.md", run - equal);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
