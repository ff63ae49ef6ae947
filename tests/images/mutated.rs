//! Every member of accepted bundles, changed in every simple way: nothing panics, and what is still accepted is what no
//! signature covers.

use std::collections::BTreeSet;
use std::sync::Arc;

use meshgate::image::{SignatureVerifier, Sigstore, Trust, Window};
use serde_json::{Value, json};

use crate::sigstore::{self as kit, Kit, SIGNED, digest, statement};

/// The pointers of all members.
fn pointers(value: &Value, at: &str, all: &mut Vec<String>) {
    let below: Vec<(String, &Value)> = match value {
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(index, value)| (index.to_string(), value)).collect()
        }
        _ => Vec::new(),
    };
    for (name, value) in below {
        let pointer = format!("{at}/{name}");
        pointers(value, &pointer, all);
        all.push(pointer);
    }
}

/// What becomes of a value; None: it is removed.
fn mutants(value: &Value) -> Vec<Option<Value>> {
    let mut mutants =
        vec![None, Some(Value::Null), Some(json!("")), Some(json!([])), Some(json!({})), Some(json!(7))];
    match value {
        Value::String(text) => {
            let characters: Vec<char> = text.chars().collect();
            for place in [0, characters.len() / 2, characters.len().saturating_sub(3)] {
                let mut changed = characters.clone();
                if let Some(one) = changed.get_mut(place) {
                    *one = if *one == 'A' { 'B' } else { 'A' };
                }
                mutants.push(Some(json!(changed.into_iter().collect::<String>())));
            }
            mutants.push(Some(json!(characters[..characters.len() / 2].iter().collect::<String>())));
            mutants.push(Some(json!(format!("{text}{text}"))));
        }
        Value::Array(items) => mutants.push(Some(json!([&items[..], &items[..]].concat()))),
        _ => {}
    }
    mutants.retain(|mutant| mutant.as_ref() != Some(value));
    mutants
}

fn put(bundle: &Value, pointer: &str, mutant: Option<Value>) -> Value {
    let mut changed = bundle.clone();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match (changed.pointer_mut(parent).unwrap(), mutant) {
        (Value::Object(members), Some(value)) => drop(members.insert(name.to_owned(), value)),
        (Value::Object(members), None) => drop(members.remove(name)),
        (Value::Array(items), Some(value)) => items[name.parse::<usize>().unwrap()] = value,
        (Value::Array(items), None) => drop(items.remove(name.parse().unwrap())),
        _ => panic!("{pointer} has no parent"),
    }
    changed
}

/// The members of which some mutant is accepted, and how many mutants there were.
fn accepted(bundle: &Value, trust: &Arc<Trust>) -> (BTreeSet<String>, usize) {
    let (mut all, mut found, mut count) = (Vec::new(), BTreeSet::new(), 0);
    pointers(bundle, "", &mut all);
    for pointer in all {
        for mutant in mutants(bundle.pointer(&pointer).unwrap()) {
            count += 1;
            let changed = kit::bundle_evidence(&put(bundle, &pointer, mutant));
            if Sigstore::default().verify(&changed, trust, &digest()).is_ok() {
                found.insert(pointer.clone());
            }
        }
    }
    (found, count)
}

#[test]
fn what_no_signature_covers_is_known() {
    let kit = Kit::new();
    let payload = statement(&digest(), SIGNED, json!({}));
    let keyless = kit::keyless_bundle(&kit, &kit.authority.leaf(), &payload);
    let (found, count) = accepted(&keyless, &kit.trust());
    let entry = "/verificationMaterial/tlogEntries";
    let expected = [
        "/dsseEnvelope/signatures/0/keyid".to_owned(),
        // Absent: the oldest version, whose rules it keeps as well.
        "/mediaType".to_owned(),
        // The same entry twice.
        entry.to_owned(),
    ];
    assert_eq!(found, BTreeSet::from(expected), "of {count}");
    assert!(count > 200, "{count}");
    let key = kit::key();
    let trust = kit::logged_key(&key, &kit.root(), Window::default());
    let (found, _) = accepted(&kit::key_bundle(&key, &payload, Some(&kit.log)), &trust);
    let expected = [
        "/dsseEnvelope/signatures/0/keyid".to_owned(),
        "/mediaType".to_owned(),
        entry.to_owned(),
        format!("{entry}/0/inclusionPromise"),
        "/verificationMaterial/publicKey".to_owned(),
        "/verificationMaterial/publicKey/hint".to_owned(),
    ];
    assert_eq!(found, BTreeSet::from(expected));
    let alone = kit::key_trust(&key, meshgate::policy::image_trust::HashAlgorithm::Sha256);
    let (found, _) = accepted(&kit::key_bundle(&key, &payload, None), &alone);
    let envelope =
        found.iter().filter(|pointer| pointer.starts_with("/dsse")).cloned().collect::<BTreeSet<_>>();
    assert_eq!(envelope, BTreeSet::from(["/dsseEnvelope/signatures/0/keyid".to_owned()]));
}
