//! One request from end to end: a registry is rewritten, a sidecar comes, tags become digests, and what will run is
//! verified; a tag that moves on the way changes nothing.

use std::sync::Arc;

use meshgate::admission::{Operation, Request};
use meshgate::context::{Facts, Now};
use meshgate::engine::Bundle;
use meshgate::image::{Asked, Authorities, Cached, Digest, Gatherer, Limits, Remembered};
use meshgate::mesh::Injector;
use meshgate::review::{Decision, Mesh, Phase, Proposal, RenderedContainer, Rendering, complete_in};
use serde_json::{Value, json};

use crate::compiled::trust;
use crate::kit::{Holds, INDEX, MANIFEST, Said, index, registries, registry};
use crate::reviewed::{World, bound, bundle_of, pod, request};
use crate::server::Server;
use crate::sigstore::{self as kit, SIGNED, statement};

/// A mesh that puts one container into every new Pod, by its image; whoever wrote the Pod has a say in it, so it is judged.
struct Sidecar(String);

impl Sidecar {
    fn container(&self) -> Value {
        json!({ "name": "proxy", "image": self.0, "restartPolicy": "Always" })
    }
}

impl Mesh for Sidecar {
    fn reads_namespace(&self, _: &Request) -> bool {
        false
    }

    fn propose(&self, _: &Request, _: Option<&Value>) -> Result<Option<Proposal>, String> {
        let (mesh, rule, reasons) = ("istio".to_owned(), "W1".to_owned(), vec!["label".to_owned()]);
        let injector = Injector::Meshgate;
        Ok(Some(Proposal { mesh, revision: None, inject: true, rule, reasons, injector }))
    }

    fn render(&self, _: &Proposal, request: &Request, _: Option<&Value>) -> Result<Rendering, String> {
        let mut object = request.object().cloned().unwrap();
        object["spec"]["initContainers"] = json!([self.container()]);
        Ok(Rendering { object, containers: self.rendered(request, None) })
    }

    fn rendered(&self, _: &Request, _: Option<&Value>) -> Vec<RenderedContainer> {
        let (list, container) = ("initContainers".to_owned(), self.container());
        vec![RenderedContainer { list, container, plain: false }]
    }
}

/// A registry with `app:v1` and `app:proxy`, signed as is said, and everything that asks it.
struct Place {
    holds: Holds,
    registry: Server,
    digests: [Digest; 2],
    bundle: Bundle,
    world: World,
    mesh: Sidecar,
}

fn manifest(name: &str) -> Value {
    json!({ "schemaVersion": 2, "mediaType": MANIFEST, "layers": [], "annotations": { "name": name } })
}

impl Place {
    fn new(signs: [bool; 2]) -> Self {
        let (holds, key) = (Holds::default(), kit::key());
        let digests = ["v1", "proxy"].map(|tag| holds.document(tag, MANIFEST, &manifest(tag)));
        for (digest, is_signed) in digests.iter().zip(signs) {
            let bundle = kit::key_bundle(&key, &statement(digest, SIGNED, json!({})), None).to_string();
            let entries: Vec<Value> =
                is_signed.then(|| holds.referrer(digest, &bundle, Some(SIGNED))).into_iter().collect();
            let said = Said::of(200, &[("content-type", INDEX)], index(&entries));
            holds.put(format!("/v2/app/referrers/{digest}"), said);
        }
        let registry = holds.serve();
        let host = registry.address;
        let text = format!(
            "authorities: {{vendor: {{key: {{files: [k.pub], transparencyLog: none}}}}}}\nrules: [{{name: all, images: ['{host}/**'], require: {{of: [vendor]}}, enforcement: deny}}]\n"
        );
        let rewrites = format!("{{rewrites: [{{from: old.example/team, to: '{host}'}}]}}");
        let rewriting = format!(
            "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {{name: rewrites}}\nspec: {{policy: defaults/image_registry, enforcement: deny, parameters: {rewrites}}}\n"
        );
        let files = [
            ("rewrites.yaml".to_owned(), rewriting),
            bound("images/pin_digest"),
            bound("images/require_signature"),
            bound("injection/follow_mesh"),
        ];
        let pem = kit::pem_of(&key);
        let bundle = bundle_of(&text, &files, &pem);
        let authorities = Authorities::compile(&trust(&text, &[("k.pub", &pem)]).unwrap()).unwrap();
        let source = Arc::new(Cached::new(Arc::new(registries(&[self::registry(&registry)])), 1 << 20));
        let verifier = Remembered::sigstore(Limits::default(), 1 << 20);
        let world = World(Gatherer::new(
            Arc::new(authorities),
            source,
            verifier,
            Asked::default(),
            Limits::default(),
        ));
        let mesh = Sidecar(format!("{host}/app:proxy"));
        Self { holds, registry, digests, bundle, world, mesh }
    }

    async fn decided(&self, object: Value, phase: Phase) -> Decision {
        let facts = Facts::at(Now::parse("2026-01-31T12:00:00Z").unwrap());
        let create = request(Operation::Create, object, None);
        complete_in(&self.mesh, &self.bundle, &self.world, facts, &create, phase).await
    }

    /// How often a tag was asked for.
    fn resolved(&self, tag: &str) -> usize {
        let path = format!("/v2/app/manifests/{tag}");
        self.registry.asked().iter().filter(|asked| asked.path() == path).count()
    }
}

fn said(decision: &Decision) -> Vec<String> {
    decision
        .findings
        .iter()
        .map(|one| format!("{} {}", one.field.as_deref().unwrap_or("-"), one.message))
        .collect()
}

#[tokio::test]
async fn what_is_rewritten_and_injected_is_pinned_and_verified() {
    let place = Place::new([true, true]);
    let host = place.registry.address;
    let mutated = place.decided(pod(&["old.example/team/app:v1"]), Phase::Mutate).await;
    assert_eq!(said(&mutated), Vec::<String>::new());
    let object = mutated.object.unwrap();
    let [app, proxy] = &place.digests;
    assert_eq!(object["spec"]["containers"][0]["image"], format!("{host}/app:v1@{app}"));
    assert_eq!(object["spec"]["initContainers"][0]["image"], format!("{host}/app:proxy@{proxy}"));
    assert_eq!((place.resolved("v1"), place.resolved("proxy")), (1, 1));
    // Between the two calls the tag moves to what nobody signed.
    place.holds.document("v1", MANIFEST, &manifest("moved"));
    let judged = place.decided(object, Phase::Validate).await;
    assert_eq!(said(&judged), Vec::<String>::new());
    assert_eq!(place.resolved("v1"), 1, "what is judged is what was pinned");
    // Whoever writes the tag itself gets what it means now.
    let mutated = place.decided(pod(&["old.example/team/app:v1"]), Phase::Mutate).await;
    let judged = place.decided(mutated.object.unwrap(), Phase::Validate).await;
    assert!(!judged.allowed() && said(&judged).len() == 1, "{:?}", said(&judged));
    let judged = place.decided(pod(&[&format!("{host}/app:v1")]), Phase::Validate).await;
    assert!(!judged.allowed() && said(&judged)[0].contains("it has no digest"), "{:?}", said(&judged));
}

#[tokio::test]
async fn a_sidecar_that_nobody_signed_is_denied_where_it_came() {
    for (signs, field) in
        [([true, false], "spec.initContainers[0].image"), ([false, true], "spec.containers[0].image")]
    {
        let place = Place::new(signs);
        let mutated = place.decided(pod(&["old.example/team/app:v1"]), Phase::Mutate).await;
        let judged = place.decided(mutated.object.unwrap(), Phase::Validate).await;
        let said = said(&judged);
        assert!(!judged.allowed() && said.len() == 1 && said[0].starts_with(field), "{said:?}");
    }
}

#[tokio::test]
async fn what_can_not_be_resolved_is_not_let_through() {
    let place = Place::new([true, true]);
    place.holds.put("/v2/app/manifests/proxy", Said::of(500, &[], ""));
    let mutated = place.decided(pod(&["old.example/team/app:v1"]), Phase::Mutate).await;
    assert!(!mutated.allowed() && mutated.findings.iter().any(|one| one.is_error), "{:?}", said(&mutated));
}
