//! Tags become digests, as the last change, where a binding of `images/pin_digest` asks for it.

use std::collections::{BTreeMap, BTreeSet};

use meshgate::admission::{Operation, Request};
use meshgate::context::{Fact, FactKey};
use meshgate::review::{Decision, Phase, Progress, review};
use serde_json::{Value, json};

use crate::world::{ALL, FLEET, Kind, POD, Policies, create, facts, pod, request, sets, shown};

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn pinning(parameters: &str) -> Policies {
    let schema = "parameters: {type: object, properties: {pinTemplates: {type: boolean, default: false}}}";
    Policies::default()
        .file(
            "images",
            "pin_digest",
            ALL,
            &[schema],
            "audit contains \"seen\" if input.parameters.pinTemplates",
        )
        .bound(
            "images/pin_digest",
            "b",
            &format!("enforcement: deny, templates: deny, parameters: {{{parameters}}}"),
        )
}

/// The decision where those images have that digest, and others can't be asked about; and the images asked about.
fn decided(policies: &Policies, known: &[&str], request: &Request) -> (Decision, BTreeSet<String>) {
    let (bundle, mut facts, mut all) = (policies.compiled(), facts(json!({})), BTreeSet::new());
    loop {
        match review(&bundle, &facts, request, Phase::Mutate) {
            Progress::Done(decision) => return (*decision, all),
            Progress::Need(keys) => {
                let answer = |key: &FactKey| match key {
                    FactKey::Image(image) if known.contains(&image.text.as_str()) => {
                        Fact::Known(json!({ "digest": DIGEST }))
                    }
                    _ => Fact::Unknown("the registry does not answer".to_owned()),
                };
                let answers: BTreeMap<_, _> = keys.iter().map(|key| (key.clone(), answer(key))).collect();
                all.extend(keys.iter().filter_map(|key| match key {
                    FactKey::Image(image) => Some(image.text.clone()),
                    _ => None,
                }));
                facts.extend(keys, answers);
            }
        }
    }
}

fn spec() -> Value {
    json!({
        "initContainers": [{ "name": "init", "image": "registry.example:5000/a/init:1.2" }],
        "containers": [{ "name": "app", "image": "nginx" }, { "name": "pinned", "image": format!("a:1@{DIGEST}") }],
        "ephemeralContainers": [{ "name": "debug", "image": "nginx" }],
        "volumes": [{ "name": "model", "image": { "reference": "models.example/m:3" } }, { "name": "tmp", "emptyDir": {} }]
    })
}

const IMAGES: [&str; 3] = ["registry.example:5000/a/init:1.2", "nginx", "models.example/m:3"];

#[test]
fn every_image_is_pinned_and_stays_as_it_was_written_before_the_digest() {
    let policies = pinning("");
    let (decision, asked) = decided(&policies, &IMAGES, &create(pod(json!({}), spec())));
    let replace = |path: &str, image: &str| json!({ "op": "replace", "path": path, "value": format!("{image}@{DIGEST}") });
    let expected = json!([
        replace("/spec/containers/0/image", "nginx"),
        replace("/spec/ephemeralContainers/0/image", "nginx"),
        replace("/spec/initContainers/0/image", IMAGES[0]),
        replace("/spec/volumes/0/image/reference", IMAGES[2]),
    ]);
    assert_eq!((shown(&decision.findings), decision.patch.to_value()), (vec![], expected));
    assert_eq!(asked, IMAGES.map(str::to_owned).into(), "each once, and none that is pinned");
    let (again, asked) = decided(&policies, &[], &create(decision.object.unwrap()));
    assert_eq!((shown(&again.findings), again.patch.len(), asked.len()), (vec![], 0, 0));
}

#[test]
fn a_digest_that_is_not_known_is_an_error_and_nothing_is_pinned() {
    let (decision, _) = decided(&pinning(""), &IMAGES[..2], &create(pod(json!({}), spec())));
    let text = "Deny error images/pin_digest: the fact `images` is missing: `models.example/m:3`: the registry does not answer";
    assert_eq!((shown(&decision.findings), decision.patch.len()), (vec![text.to_owned()], 0));
    let wrong = json!({ "containers": [{ "name": "app", "image": "NGINX:" }] });
    let (decision, asked) = decided(&pinning(""), &[], &create(pod(json!({}), wrong)));
    assert_eq!((decision.allowed(), asked.len()), (false, 0), "{:?}", decision.findings);
}

#[test]
fn pinning_comes_after_the_patches_and_is_no_change_of_images() {
    let moves = "patch := [{\"op\": \"replace\", \"path\": \"/spec/containers/0/image\", \"value\": \"mirror.example/nginx\"}] if input.request.object.spec.containers[0].image == \"nginx\"";
    let request = create(pod(json!({}), json!({ "containers": [{ "name": "app", "image": "nginx" }] })));
    let named = pinning("").with("moves", &["mayChange: [images]"], moves);
    let (decision, asked) = decided(&named, &["mirror.example/nginx"], &request);
    assert_eq!(
        (shown(&decision.findings), asked),
        (vec![], BTreeSet::from(["mirror.example/nginx".to_owned()]))
    );
    let image = &decision.object.unwrap()["spec"]["containers"][0]["image"];
    assert_eq!(image, &json!(format!("mirror.example/nginx@{DIGEST}")));
    let (decision, _) = decided(&pinning("").with("moves", &[], moves), &["mirror.example/nginx"], &request);
    assert!(!decision.allowed(), "who moves images says so");
}

#[test]
fn templates_are_pinned_only_where_that_is_asked_for() {
    let deployment: Kind = ("apps", "v1", "Deployment", "deployments");
    let template = json!({ "spec": spec() });
    for (kind, of_kind) in
        [(deployment, json!({ "template": template })), (FLEET, json!({ "jobs": { "template": template } }))]
    {
        let object = json!({ "metadata": { "name": "web" }, "spec": of_kind });
        for (parameters, count) in [("", 0), ("pinTemplates: true", 4)] {
            let request = request(kind, None, Operation::Create, Some(object.clone()), None);
            let (decision, _) = decided(&pinning(parameters).with_fleets(), &IMAGES, &request);
            let found = (shown(&decision.findings), decision.patch.len());
            assert_eq!(found, (vec![], count), "{kind:?} {parameters}");
        }
    }
}

#[test]
fn an_update_leaves_what_was_there() {
    let mut new = pod(json!({}), spec());
    new["spec"]["containers"][0]["image"] = json!("registry.example:5000/a/init:1.2");
    let request = request(POD, None, Operation::Update, Some(new), Some(pod(json!({}), spec())));
    let (decision, asked) = decided(&pinning(""), &IMAGES, &request);
    let paths: Vec<&str> = decision.patch.paths().collect();
    assert_eq!((shown(&decision.findings), paths), (vec![], vec!["/spec/containers/0/image"]));
    assert_eq!(asked, BTreeSet::from([IMAGES[0].to_owned()]));
}

#[test]
fn policies_that_fight_do_not_keep_an_image_from_being_pinned() {
    let side = |side: &str| sets("/metadata/labels/side", &json!(side));
    let spec = json!({ "containers": [{ "name": "app", "image": "nginx" }] });
    let request = create(pod(json!({ "labels": { "a": "1" } }), spec));
    let ignored = pinning("").with("left", &["failurePolicy: Ignore"], &side("left"));
    let both = ignored.clone().with("right", &["failurePolicy: Ignore"], &side("right"));
    let (decision, _) = decided(&both, &["nginx"], &request);
    let pin =
        json!([{ "op": "replace", "path": "/spec/containers/0/image", "value": format!("nginx@{DIGEST}") }]);
    assert_eq!((decision.allowed(), decision.findings.len(), decision.patch.to_value()), (true, 2, pin));
    let (decision, _) = decided(&both, &[], &request);
    assert!(!decision.allowed(), "a digest that is not known is an error as ever: {:?}", decision.findings);
    let (decision, _) = decided(&ignored.with("right", &[], &side("right")), &["nginx"], &request);
    assert_eq!((decision.allowed(), decision.patch.len()), (false, 0));
}
