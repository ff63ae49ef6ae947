//! Every Pod of the cases through `/mutate`: what was rendered is proven, injecting a second time changes nothing, with a proof
//! and without, and a changed byte in any container of the mesh is no longer proven.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use meshgate::admission::Request;
use meshgate::context::{Fact, FactKey, Facts, Now, ProofKeys};
use meshgate::engine::{Bundle, compile};
use meshgate::mesh::istio::Istio;
use meshgate::mesh::proof;
use meshgate::policy::Draft;
use meshgate::review::{Decision, Phase, Progress, review_in};
use meshgate::source;
use serde_json::{Value, json};

use super::cases::{cases, documents, shipped};
use super::command::installed;
use super::recognised::{creation, pods};
use crate::{Tally, corpus};

fn keys(secret: u8) -> ProofKeys {
    ProofKeys::default().rotated(Now::parse("2026-01-31T12:00:00Z").unwrap(), [secret; 32])
}

fn mutated(mesh: &Istio, bundle: &Bundle, request: &Request) -> Decision {
    let facts = Facts::at(Now::parse("2026-01-31T12:00:00Z").unwrap());
    let mut facts = facts.proving_with(Arc::new(keys(1)));
    let key = FactKey::Namespace("shop".to_owned());
    let namespace = json!({ "name": "shop", "labels": {}, "annotations": {} });
    facts.extend(BTreeSet::from([key.clone()]), BTreeMap::from([(key, Fact::Known(namespace))]));
    match review_in(mesh, bundle, &facts, request, Phase::Mutate) {
        Progress::Done(decision) => *decision,
        Progress::Need(keys) => panic!("asks for {keys:?}"),
    }
}

/// What is wrong with the proof of a Pod that was injected, and with what follows.
fn faults(mesh: &Istio, bundle: &Bundle, injected: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let proven = proof::check(&keys(1), "shop", injected);
    // A Pod that no API server takes: two containers of one name.
    if proven.is_none() && has_a_name_twice(injected) {
        return faults;
    }
    let Some(proven) = proven else { return vec!["no proof".to_owned()] };
    if proof::check(&keys(1), "other", injected).is_some()
        || proof::check(&keys(2), "shop", injected).is_some()
    {
        faults.push("proven in another namespace, or by another key".to_owned());
    }
    for name in proven.iter().map(proof::Proven::name) {
        let mut changed = injected.clone();
        let lists = ["containers", "initContainers"];
        let lists = lists.map(|list| changed["spec"][list].as_array().cloned().unwrap_or_default());
        for (list, mut containers) in ["containers", "initContainers"].into_iter().zip(lists) {
            if let Some(container) = containers.iter_mut().find(|one| one["name"] == name) {
                let image = container["image"].as_str().unwrap_or_default().to_owned();
                container["image"] = json!(format!("{image}x"));
                changed["spec"][list] = Value::Array(containers.clone());
            }
        }
        if proof::check(&keys(1), "shop", &changed).is_some() {
            faults.push(format!("{name} with another image is proven"));
        }
    }
    let mut bare = injected.clone();
    bare["metadata"]["annotations"].as_object_mut().unwrap().remove(proof::ANNOTATION);
    for (how, pod) in [("with a proof", injected), ("without", &bare)] {
        let again = mutated(mesh, bundle, &creation(pod.clone()));
        if !again.allowed() || !again.patch.is_empty() {
            faults.push(format!("{how}, again: {:?} {}", again.findings, again.patch.to_value()));
        }
    }
    faults
}

fn has_a_name_twice(pod: &Value) -> bool {
    let lists = ["containers", "initContainers"].into_iter().filter_map(|list| pod["spec"][list].as_array());
    let names = Vec::from_iter(lists.flatten().map(|one| one["name"].as_str().unwrap_or_default()));
    BTreeSet::from_iter(&names).len() < names.len()
}

#[test]
fn what_is_injected_is_proven_and_a_second_time_changes_nothing() {
    let Some(root) = corpus("istio-inject") else { return };
    let shipped = shipped(&root);
    let bundle = compile(Draft::read(&source::profile("mesh").unwrap(), &source::catalogue())).unwrap();
    let mut tally = Tally::new("istio-inject, proven and injected twice");
    let mut containers = 0;
    for (number, case) in cases(&root).iter().enumerate().filter(|(_, case)| case["golden"].is_string()) {
        let mesh = installed(&root, case, &shipped);
        for document in documents(&root.join(case["input"].as_str().unwrap())) {
            for pod in pods(&document) {
                let decision = mutated(&mesh, &bundle, &creation(pod));
                if !decision.annotations.contains_key("mutate-injected") {
                    continue;
                }
                let injected = decision.object.unwrap();
                containers += proof::check(&keys(1), "shop", &injected).map_or(0, |proven| proven.len());
                tally.compare(
                    format!("{number} {}", case["input"]),
                    faults(&mesh, &bundle, &injected),
                    Vec::new(),
                );
            }
        }
    }
    let expected = tally.equal.saturating_add(tally.different.len());
    println!("istio-inject, Pods proven: {expected}, with {containers} containers");
    assert!(expected > 110, "{expected}");
    tally.finish(expected);
}
