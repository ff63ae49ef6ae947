//! Policies of policy-controller that bring Rego along: what of verified statements it sees, that nothing but `true` counts,
//! and that it is stopped.

use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use meshgate::image::{Asked, Authorities, CredentialSet, Gatherer, Limits, Remembered};
use meshgate::policy::{Draft, Tree};
use serde_json::{Value, json};

use crate::facts::Shelf;
use crate::programs::{Kind, Program, Signer, tools};
use crate::sigstore::{self as kit, SIGNED, digest, statement};
use crate::wired::pod;

const BUILT: &str = "https://slsa.dev/provenance/v1";
const IMAGE: &str = "registry.example/app:1";

/// A policy for all images; `more` beside its authorities.
fn policy(authority: &Value, more: &Value) -> String {
    let mut spec = json!({ "images": [{ "glob": "**" }], "authorities": [authority] });
    for (name, value) in more.as_object().unwrap() {
        spec[name] = value.clone();
    }
    json!({ "apiVersion": "policy.sigstore.dev/v1beta1", "kind": "ClusterImagePolicy", "metadata": { "name": "p" }, "spec": spec })
        .to_string()
}

/// An authority that has to have said how the image was built, in words that a module takes.
fn attesting(pem: &str, rego: &str) -> Value {
    let check = json!({ "type": "rego", "data": format!("package sigstore\n{rego}\n") });
    let attestations = json!([{ "name": "built", "predicateType": BUILT, "policy": check }]);
    json!({ "name": "a", "key": { "data": pem }, "attestations": attestations })
}

fn gatherer(policy: &str, pieces: &[Value]) -> Gatherer {
    let mut tree = Tree::default();
    tree.insert("p.yaml", policy.as_bytes());
    let draft = Draft::read_unbound(&tree, &Tree::default());
    assert!(draft.faults.is_empty(), "{:?}", draft.faults);
    let authorities = Authorities::compile(&draft.image_trust.unwrap()).unwrap_or_else(|why| panic!("{why}"));
    let evidence = pieces.iter().map(kit::bundle_evidence).collect();
    let shelf = Arc::new(Shelf { evidence, ..Shelf::default() });
    let verifier = Remembered::sigstore(Limits::default(), 1 << 20);
    Gatherer::new(Arc::new(authorities), shelf, verifier, Asked::default(), Limits::default())
}

/// Whether the policy holds, within a time; it ends when nothing of it runs any more.
fn within(policy: &str, pieces: &[Value], time: Duration) -> Result<bool, String> {
    let gatherer = gatherer(policy, pieces);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let until = tokio::time::Instant::now() + time;
    let entry = runtime.block_on(gatherer.entry(IMAGE, &CredentialSet::none(), until))?;
    assert_eq!((&entry["status"], &entry["rules"][0]["name"]), (&json!("ok"), &json!("p")));
    Ok(entry["rules"][0]["holds"] == true)
}

fn holds(policy: &str, pieces: &[Value]) -> bool {
    within(policy, pieces, Duration::from_secs(20)).unwrap()
}

#[test]
fn a_statement_is_judged_as_it_was_signed_and_nothing_but_true_counts() {
    let (signer, other) = (kit::key(), kit::key());
    let pem = kit::pem_of(&signer);
    let said =
        |key, kind: &str, predicate| kit::key_bundle(key, &statement(&digest(), kind, predicate), None);
    let good = said(&signer, BUILT, json!({ "builder": "ours" }));
    let bad = said(&signer, BUILT, json!({ "builder": "theirs" }));
    let module = format!(
        "isCompliant {{ input.predicateType == \"{BUILT}\"; input.subject[_].digest.sha256 == \"{}\"; input._type == \"https://in-toto.io/Statement/v1\"; input.predicate.builder == \"ours\" }}",
        digest().hex()
    );
    let judged = |rego: &str, pieces: &[Value]| holds(&policy(&attesting(&pem, rego), &json!({})), pieces);
    let foreign = said(&other, BUILT, json!({ "builder": "ours" }));
    let of_another_type = said(&signer, "https://other.example", json!({ "builder": "ours" }));
    for (pieces, expected) in [
        (vec![good.clone()], true),
        (vec![bad.clone()], false),
        (vec![], false),
        (vec![foreign], false),
        (vec![of_another_type], false),
        (vec![said(&signer, SIGNED, json!({ "builder": "ours" }))], false),
        // One of several is enough, as there.
        (vec![bad, good.clone()], true),
    ] {
        assert_eq!(judged(&module, &pieces), expected, "{pieces:?}");
    }
    for (rego, expected) in [
        ("isCompliant = true", true),
        ("isCompliant = \"true\"", false),
        ("isCompliant = 1", false),
        ("isCompliant = [true]", false),
        ("isCompliant { input.nowhere }", false),
        ("default isCompliant = true\nisCompliant = false { input.predicate.builder }", false),
        // Two values, which is an error, and a builtin that fails.
        ("isCompliant = true\nisCompliant = false { input.predicate.builder }", false),
        ("isCompliant { to_number(input.predicate.builder) }", false),
        ("iscompliant = true", false),
    ] {
        assert_eq!(judged(rego, std::slice::from_ref(&good)), expected, "{rego}");
    }
}

#[test]
fn a_policy_judges_what_all_its_authorities_said() {
    let signer = kit::key();
    let pem = kit::pem_of(&signer);
    let outer =
        |rego: &str| json!({ "policy": { "type": "rego", "data": format!("package sigstore\n{rego}\n") } });
    let piece = |kind| kit::key_bundle(&signer, &statement(&digest(), kind, json!({})), None);
    let signs = json!({ "name": "a", "key": { "data": pem } });
    let one = "isCompliant { count(input.authorityMatches.a.signatures) == 1; startswith(input.authorityMatches.a.signatures[0].id, \"sha256:\") }";
    assert!(holds(&policy(&signs, &outer(one)), &[piece(SIGNED)]));
    assert!(!holds(&policy(&signs, &outer(one)), &[piece(BUILT)]));
    assert!(!holds(&policy(&signs, &outer("isCompliant { input.authorityMatches.b }")), &[piece(SIGNED)]));
    let attests = attesting(&pem, "isCompliant = true");
    let built = format!(
        "isCompliant {{ input.authorityMatches.a.attestations.built[_].predicateType == \"{BUILT}\" }}"
    );
    assert!(holds(&policy(&attests, &outer(&built)), &[piece(BUILT)]));
    // Both have to say yes.
    let refuses = attesting(&pem, "isCompliant = false");
    assert!(!holds(&policy(&refuses, &outer("isCompliant = true")), &[piece(BUILT)]));
    assert!(!holds(&policy(&attests, &outer("isCompliant = false")), &[piece(BUILT)]));
}

#[test]
fn what_does_not_end_is_stopped_and_lets_nothing_in() {
    let signer = kit::key();
    let endless = "isCompliant { n := numbers.range(1, input.predicate.n); x := n[_]; y := n[_]; z := n[_]; x + y + z == 0 }\nisCompliant { input.predicate.n }";
    let policy = policy(&attesting(&kit::pem_of(&signer), endless), &json!({}));
    let piece = |index: usize| {
        let predicate = json!({ "n": 2000, "index": index });
        kit::key_bundle(&signer, &statement(&digest(), BUILT, predicate), None)
    };
    let pieces: Vec<Value> = (0..8).map(piece).collect();
    for (patience, longest) in [(Duration::from_secs(20), 4), (Duration::from_millis(200), 3)] {
        let began = Instant::now();
        let said = within(&policy, &pieces, patience);
        assert_eq!(said, Err("the policies in Rego of its rules take too long".to_owned()));
        let took = began.elapsed();
        assert!(took < Duration::from_secs(longest), "{took:?} with {patience:?}");
    }
}

#[test]
fn what_cosign_attests_is_let_in_as_its_policy_says() {
    let Some(tools) = tools() else { return };
    let signer = Signer::new(&tools);
    let key = fs::read_to_string(signer.directory.path().join("cosign.pub")).unwrap();
    let registry = Program::start(Kind::Referrers, &tools).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let module = "isCompliant { input.predicate.buildDefinition.buildType == \"https://build.example/v1\" }";
    let bundle = "apiVersion: meshgate.io/v1alpha1\nkind: Bundle\nmetadata: {name: b}\nspec: {includes: [images], defaultMode: deny}\n---\napiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {name: signed}\nspec: {policy: images/require_signature, enforcement: deny}\n";
    fs::create_dir(folder.path().join("p")).unwrap();
    fs::write(folder.path().join("p/p.yaml"), policy(&attesting(&key, module), &json!({}))).unwrap();
    fs::write(folder.path().join("p/bundle.yaml"), bundle).unwrap();
    let judged = |image: &str| {
        fs::write(folder.path().join("pod.json"), pod(image).to_string()).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_meshgate"));
        command.current_dir(folder.path()).env("DOCKER_CONFIG", folder.path());
        let output = command.args(["check", "-p", "p", "--mode", "deny", "pod.json"]).output().unwrap();
        let said = format!("{output:?}");
        assert!(matches!(output.status.code(), Some(0 | 1)), "{said}");
        (output.status.code() == Some(0), said)
    };
    for legacy in [false, true] {
        for (kind, expected) in [("https://build.example/v1", true), ("https://other.example/v1", false)] {
            let image = signer.image(&registry.address, &format!("app-{legacy}-{expected}"));
            let predicate = json!({ "buildDefinition": { "buildType": kind, "externalParameters": {} }, "runDetails": { "builder": { "id": "b" } } });
            signer.attest_as(&image, legacy, "slsaprovenance1", &predicate.to_string());
            let (is_let_in, said) = judged(&image);
            assert_eq!(is_let_in, expected, "legacy {legacy}: {said}");
        }
        let signed = signer.image(&registry.address, &format!("signed-{legacy}"));
        signer.sign(&signed, legacy);
        assert!(!judged(&signed).0, "a signature is no attestation");
    }
}
