//! What is attested in a registry, and what policies ask of it: by the rules of an `ImageTrust`, and by the parameters of
//! bindings. What cosign says of a type beside a statement is a hint for what to read, and nobody misses what it asks for.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use meshgate::admission::Operation;
use meshgate::context::{Facts, Now};
use meshgate::engine::Bundle;
use meshgate::image::{Authorities, Cached, Gatherer, Limits, Remembered};
use meshgate::review::{Phase, complete};
use serde_json::{Value, json};

use crate::compiled::{HEAD, trust};
use crate::kit::{Holds, INDEX, Said, index, registries, registry};
use crate::programs::{Kind, Program, Signer, tools};
use crate::reviewed::{World, bound, bundle_of, pod, request};
use crate::sigstore::{self as kit, Kit, statement};

const SPDX: &str = "https://spdx.dev/Document";
const VULN: &str = "https://cosign.sigstore.dev/attestation/vuln/v1";

/// cosign's names of types, what they are called in statements, and a predicate.
const TYPES: [(&str, &str, &str); 5] = [
    ("spdxjson", SPDX, r#"{"spdxVersion": "SPDX-2.3", "packages": []}"#),
    ("cyclonedx", "https://cyclonedx.org/bom", r#"{"bomFormat": "CycloneDX", "specVersion": "1.5"}"#),
    ("slsaprovenance1", "https://slsa.dev/provenance/v1", r#"{"buildDefinition": {}, "runDetails": {}}"#),
    (
        "vuln",
        VULN,
        r#"{"invocation": {}, "scanner": {"uri": "s", "result": {}}, "metadata": {"scanStartedOn": "2026-01-01T00:00:00Z", "scanFinishedOn": "2026-01-01T00:00:00Z"}}"#,
    ),
    ("custom", "https://cosign.sigstore.dev/attestation/v1", r#"{"a": 1}"#),
];

/// Policies that ask for each type by a rule and by a binding, and for no other.
fn policies(folder: &Path, address: &str, key: &str) {
    let rule = |(name, kind, _): &(&str, &str, &str)| {
        format!(
            "- {{name: {name}, images: ['{address}/**'], require: {{of: [{{authority: vendor, attested: ['{kind}']}}]}}, enforcement: deny}}\n"
        )
    };
    let rules: String = TYPES.iter().map(rule).collect();
    let authority = "authorities: {vendor: {key: {files: [k.pub], transparencyLog: none}}}\n";
    let bundle = "apiVersion: meshgate.io/v1alpha1\nkind: Bundle\nmetadata: {name: b}\nspec: {includes: [images], defaultMode: deny}\n";
    let binding = |name: &str, policy: &str, parameters: &str| {
        format!(
            "---\napiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {{name: {name}}}\nspec: {{policy: images/{policy}, enforcement: deny, parameters: {parameters}}}\n"
        )
    };
    let sboms: String = TYPES
        .iter()
        .map(|(name, kind, _)| {
            binding(&format!("sbom-{name}"), "require_sbom", &format!("{{types: ['{kind}']}}"))
        })
        .collect();
    let files = [
        ("trust.yaml", format!("{HEAD}{authority}rules:\n{rules}")),
        ("k.pub", key.to_owned()),
        ("bundle.yaml", bundle.to_owned()),
        ("bindings.yaml", sboms + &binding("signed", "require_signature", "{}")),
    ];
    fs::create_dir_all(folder).unwrap();
    files.iter().for_each(|(name, text)| fs::write(folder.join(name), text).unwrap());
}

/// Which bindings, and which rules, deny an image.
fn denied(folder: &Path, image: &str) -> Vec<String> {
    let object = pod(&[image]);
    fs::write(folder.join("pod.json"), object.to_string()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshgate"));
    command.current_dir(folder).env("DOCKER_CONFIG", folder);
    command.args(["check", "-p", "p", "--mode", "deny", "-o", "json", "pod.json"]);
    let output = command.output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|why| panic!("{why}: {}", String::from_utf8_lossy(&output.stderr)));
    let mut all = Vec::new();
    findings(&report, &mut all);
    all.sort();
    all
}

fn findings(value: &Value, all: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| findings(item, all)),
        Value::Object(members) => {
            if let (Some(Value::String(binding)), Some(Value::String(message))) =
                (members.get("binding"), members.get("message"))
            {
                let rule = message.split("the rule \"").nth(1).and_then(|rest| rest.split('"').next());
                all.push(rule.unwrap_or(binding).to_owned());
            }
            members.values().for_each(|member| findings(member, all));
        }
        _ => {}
    }
}

#[test]
fn what_cosign_attests_is_let_in_and_nothing_else() {
    let Some(tools) = tools() else { return };
    let signer = Signer::new(&tools);
    let key = fs::read_to_string(signer.directory.path().join("cosign.pub")).unwrap();
    for kind in [Kind::Referrers, Kind::Crane] {
        let Some(registry) = Program::start(kind, &tools) else { continue };
        let folder = tempfile::tempdir().unwrap();
        policies(&folder.path().join("p"), &registry.address, &key);
        for legacy in [false, true] {
            for (name, _, predicate) in &TYPES {
                let image = signer.image(&registry.address, &format!("{name}-{legacy}"));
                signer.attest_as(&image, legacy, name, predicate);
                let others = TYPES.iter().map(|(other, _, _)| *other).filter(|other| other != name);
                let mut expected: Vec<String> =
                    others.flat_map(|other| [other.to_owned(), format!("sbom-{other}")]).collect();
                expected.sort();
                assert_eq!(denied(folder.path(), &image), expected, "{kind:?} legacy: {legacy} {name}");
            }
        }
        println!("{kind:?}: of five types in both forms each is read where it is asked for");
    }
}

/// The messages of the denials.
async fn judged(bundle: &Bundle, gatherer: Gatherer, image: &str, now: &str) -> Vec<String> {
    let create = request(Operation::Create, pod(&[image]), None);
    let facts = Facts::at(Now::parse(now).unwrap());
    let decision = complete(bundle, &World(gatherer), facts, &create, Phase::Validate).await;
    decision.findings.iter().map(|one| one.message.clone()).collect()
}

#[tokio::test]
async fn the_age_of_what_a_binding_names_is_known() {
    let (kit, holds) = (Kit::new(), Holds::default());
    let image = holds.image();
    let of = |kind: &str| {
        let leaf = kit.authority.leaf();
        let bundle = kit::keyless_bundle(&kit, &leaf, &statement(&image, kind, json!({}))).to_string();
        holds.referrer(&image, &bundle, Some(kind))
    };
    let entries = [of(VULN), of("https://spdx.dev/Document/v2.3"), of("https://other.example/t")];
    holds.put(
        format!("/v2/app/referrers/{image}"),
        Said::of(200, &[("content-type", INDEX)], index(&entries)),
    );
    let server = holds.serve();
    let text = "trustRoots: {kit: {file: r.json}}\nauthorities: {ci: {keyless: {trustRoot: kit, identities: [{issuer: 'https://issuer.example', subjectRegExp: '.*'}]}}}\n";
    let root = kit.root().to_string();
    let files =
        [bound("images/attestation_age"), bound("images/require_sbom"), ("r.json".to_owned(), root.clone())];
    let bundle = bundle_of(text, &files, "");
    let gatherer = || {
        let authorities = Authorities::compile(&trust(text, &[("r.json", &root)]).unwrap()).unwrap();
        let source = Arc::new(Cached::new(Arc::new(registries(&[registry(&server)])), 1 << 20));
        let verifier = Remembered::sigstore(Limits::default(), 1 << 20);
        let asked = meshgate::image::Asked {
            predicate_types: bundle.predicate_types(),
            authorities: bundle.image_authorities(),
            ..meshgate::image::Asked::default()
        };
        Gatherer::new(Arc::new(authorities), source, verifier, asked, Limits::default())
    };
    let name = format!("{}/app@{image}", server.address);
    let now = kit::now();
    assert_eq!(judged(&bundle, gatherer(), &name, &now).await, Vec::<String>::new());
    let read = server.asked().iter().filter(|asked| asked.path().contains("/blobs/")).count();
    assert_eq!(read, 2, "what nobody asks for is not read");
    let late = judged(&bundle, gatherer(), &name, "2199-01-01T00:00:00Z").await;
    assert!(late.len() == 1 && late[0].contains("has no attestation"), "{late:?}");
}

#[test]
fn a_parameter_that_names_no_types_is_refused() {
    let text = "# METADATA\n# title: t\n# description: d\n# custom:\n#   context: {images: {typesIn: [types, kinds, text]}}\n#   parameters:\n#     properties:\n#       kinds: {type: array}\n#       text: {type: string}\n#   match:\n#     rules: [{apiGroups: [\"\"], apiVersions: [v1], resources: [pods]}]\npackage policies.images.own\n\ndeny contains {\"msg\": \"m\"} if input.request.name == \"x\"\n";
    let mut tree = meshgate::policy::Tree::default();
    tree.insert("images/own/own.rego", text.as_bytes());
    let draft = meshgate::policy::Draft::read(&tree, &meshgate::source::catalogue());
    let faults = meshgate::engine::compile(draft).err().unwrap().to_string();
    for name in ["types", "text"] {
        let expected =
            format!("context.images.typesIn: `{name}`: no parameter of the type `array` or `object`");
        assert!(faults.contains(&expected), "{faults}");
    }
    assert!(!faults.contains("`kinds`"), "{faults}");
}
