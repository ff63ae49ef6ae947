//! The same cases by the way of `meshgate inject`: manifests are read, policies asked, and what is printed compared.

use std::collections::BTreeSet;
use std::path::Path;

use meshgate::context::{Now, Others, Subjects, World};
use meshgate::dry_run::{Content, File, Inject, InjectOutcome, Injections, Manifests};
use meshgate::engine::{Bundle, compile};
use meshgate::mesh::istio::Istio;
use meshgate::policy::Draft;
use meshgate::review::LeftOut;
use meshgate::source;
use serde_json::{Map, Value, json};

use super::canonical::{canonical, difference, verbatim};
use super::cases::{cases, config, documents, file, shipped};
use crate::{Tally, corpus};

/// The mesh of a case, and the Namespace that it is in.
pub(super) fn installed(root: &Path, case: &Value, shipped: &Map<String, Value>) -> Istio {
    let map = |name: &str, data: Value| json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name }, "data": data });
    let injector = json!({ "config": config(root, case, shipped), "values": file(root, case, "values") });
    let mut objects = vec![
        map("istio-sidecar-injector", injector),
        map("istio", json!({ "mesh": file(root, case, "mesh") })),
    ];
    if case["nativeSidecars"] == false {
        let status = json!({ "nodeInfo": { "kubeletVersion": "v1.28.0" } });
        objects.push(
            json!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": "n" }, "status": status }),
        );
    }
    let annotations = &case["openshift"]["namespaceAnnotations"];
    if annotations.is_object() {
        for name in ["default", "test-ns"] {
            let metadata = json!({ "name": name, "annotations": annotations });
            objects.push(json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": metadata }));
        }
    }
    Istio::of_objects(&objects, None).unwrap()
}

/// The policies of the command.
pub(super) fn policies() -> Bundle {
    let tree = source::profile("mesh").unwrap();
    compile(Draft::read(&tree, &source::catalogue())).unwrap()
}

/// What the command makes of manifests.
pub(super) fn injections(bundle: &Bundle, mesh: &Istio, manifests: &[u8]) -> Injections {
    let content = Content::Bytes(manifests.to_vec());
    let manifests = Manifests::read(&[File { name: "manifests.yaml".to_owned(), content, named: true }]);
    let inject = Inject {
        bundle,
        mesh,
        facts: &Manifests::default(),
        world: World::new(Others::Fresh),
        now: Now::parse("2026-01-31T12:00:00Z").unwrap(),
        left_out: LeftOut::default(),
        subjects: Subjects::default(),
        namespace: None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(inject.run(&manifests))
}

pub(super) fn refused(injections: &Injections) -> Option<String> {
    injections.notes.iter().find_map(|note| match &note.outcome {
        InjectOutcome::Refused(why) | InjectOutcome::Invalid(why) => Some(why.to_lowercase()),
        InjectOutcome::Injected(_) | InjectOutcome::Skipped(_) => None,
    })
}

/// Where documents differ first.
fn first(ours: &[Value], theirs: &[Value]) -> Option<String> {
    let seen = |all: &[Value]| Value::from_iter(all.iter().map(canonical));
    let texts = |all: &[Value]| Vec::from_iter(all.iter().flat_map(verbatim));
    let of_texts = (texts(ours) != texts(theirs)).then(|| "a text that is compared byte for byte".to_owned());
    difference(&seen(ours), &seen(theirs), "").or(of_texts)
}

#[test]
fn the_command_prints_what_istiod_would_make() {
    let Some(root) = corpus("istio-inject") else { return };
    let shipped = shipped(&root);
    let bundle = policies();
    let mut tally = Tally::new("istio-inject, cases of 1.30 through the command");
    let mut kinds = BTreeSet::new();
    for (number, case) in cases(&root).iter().enumerate() {
        let at = |file: &Value| root.join(file.as_str().unwrap());
        let injections = {
            let manifests = std::fs::read(at(&case["input"])).unwrap();
            injections(&bundle, &installed(&root, case, &shipped).by_hand(), &manifests)
        };
        let name = format!("{number} {} → {}", case["input"], case["golden"]);
        let refused = refused(&injections);
        let input = documents(&at(&case["input"]));
        let has_status = input.iter().any(|one| one.to_string().contains("sidecar.istio.io/status"));
        // Who writes the annotation of an injection gets none here.
        let refusal =
            if has_status { Some("remove the annotation") } else { case["expectedErrorContains"].as_str() };
        let outcome = match refusal {
            Some(part) => {
                (!refused.as_deref().is_some_and(|why| why.contains(part))).then(|| format!("{refused:?}"))
            }
            None => {
                let ours = Vec::from_iter(injections.documents.iter().map(|one| one.after.clone()));
                kinds.extend(ours.iter().map(|one| one["kind"].as_str().unwrap_or_default().to_owned()));
                refused.or_else(|| first(&ours, &documents(&at(&case["golden"]))))
            }
        };
        tally.compare(name, outcome, None);
    }
    println!("kinds: {kinds:?}");
    tally.finish(125);
}
