//! What exceptions and bindings may do to a decision, whatever they are.
#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{LazyLock, Mutex, PoisonError};

use meshgate::admission::{
    GroupVersionKind, GroupVersionResource, Operation, Request, RequestParts, respond,
};
use meshgate::context::{Fact, FactKey, Facts, Now};
use meshgate::engine::{Bundle, compile};
use meshgate::policy::{Draft, Exception, Tree};
use meshgate::review::{Action, Decision, Phase, Progress, review};
use meshgate::source;
use proptest::prelude::*;
use serde_json::{Value, json};

const NOW: &str = "2026-01-31T12:00:00Z";

/// A policy that judges each container alone, under two controls, and by a parameter.
const EACH: &str = r#"# METADATA
# title: t
# description: d
# custom:
#   context: [containers]
#   controls: [privileged, root]
#   parameters: {type: object, properties: {word: {type: string, default: none}}}
#   match:
#     rules: [{apiGroups: [""], apiVersions: [v1], resources: [pods]}]
package policies.view.each

import data.lib.containers

deny contains {"msg": sprintf("%s: %s is privileged", [input.parameters.word, container.name]), "field": container.path} if {
	some container in containers.of("privileged")
	container.container.securityContext.privileged == true
}

deny contains {"msg": sprintf("%s: %s is root", [input.parameters.word, container.name]), "field": container.path} if {
	some container in containers.of("root")
	container.container.securityContext.runAsUser == 0
}
"#;

/// A policy that judges the whole object.
const WHOLE: &str = r#"# METADATA
# title: t
# description: d
# custom:
#   match:
#     rules: [{apiGroups: [""], apiVersions: [v1], resources: [pods]}]
package policies.view.whole

deny contains "no owner" if not input.request.object.metadata.labels.owner

deny contains "on the host" if input.request.object.spec.hostNetwork == true
"#;

/// The bindings that a tree may have.
const BINDINGS: [(&str, &str, &str); 4] = [
    ("one", "view/each", "parameters: {word: one}"),
    ("two", "view/each", "parameters: {word: two}, match: {objectSelector: {matchLabels: {app: web}}}"),
    ("three", "view/whole", "templates: deny"),
    ("four", "view/whole", "match: {namespaceSelector: {matchLabels: {tier: front}}}"),
];

fn tree(bindings: impl Iterator<Item = usize>, exceptions: &[String]) -> Tree {
    let mut tree = Tree::default();
    tree.insert("view/each/each.rego", EACH);
    tree.insert("view/whole/whole.rego", WHOLE);
    for (name, policy, rest) in bindings.map(|index| BINDINGS[index]) {
        let spec = format!("{{policy: {policy}, enforcement: deny, {rest}}}");
        tree.insert(format!("{name}.yaml"), document("PolicyBinding", name, &spec));
    }
    for (index, exception) in exceptions.iter().enumerate() {
        tree.insert(format!("exception-{index}.yaml"), exception.as_str());
    }
    tree
}

fn document(kind: &str, name: &str, spec: &str) -> String {
    format!("apiVersion: meshgate.io/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {spec}\n")
}

static LIBRARY: LazyLock<Tree> = LazyLock::new(|| {
    let mut tree = Tree::default();
    source::catalogue().below("lib").for_each(|(path, content)| tree.insert(path, content));
    tree
});

fn compiled(tree: &Tree) -> Bundle {
    compile(Draft::read(tree, &LIBRARY)).unwrap_or_else(|faults| panic!("{faults}"))
}

/// All bindings, with whatever exceptions are to hold.
static ALL: LazyLock<Mutex<Bundle>> = LazyLock::new(|| Mutex::new(compiled(&tree(0..4, &[]))));

/// The bundle of each set of bindings, by its bits; none has no bundle.
static SOME: LazyLock<BTreeMap<usize, Bundle>> = LazyLock::new(|| {
    let members = |bits: usize| (0..4).filter(move |index| bits & (1 << index) != 0);
    (1..16).map(|bits| (bits, compiled(&tree(members(bits), &[])))).collect()
});

/// Exceptions as they are read from their files.
fn read(exceptions: &[String]) -> Vec<Exception> {
    let draft = Draft::read(&tree(0..4, exceptions), &LIBRARY);
    assert_eq!(draft.faults, []);
    draft.exceptions
}

/// The answer to one question under the given exceptions.
fn under(exceptions: &[Exception], request: &Request) -> Decision {
    // Only data differs: what is compiled is the same.
    let mut bundle = ALL.lock().unwrap_or_else(PoisonError::into_inner);
    bundle.exceptions = exceptions.to_vec();
    decided(&bundle, request)
}

fn decided(bundle: &Bundle, request: &Request) -> Decision {
    let namespace = json!({ "name": "shop", "labels": { "tier": "front" }, "annotations": {} });
    let key = FactKey::Namespace("shop".to_owned());
    let mut facts = Facts::at(Now::parse(NOW).unwrap());
    facts.extend(BTreeSet::from([key.clone()]), BTreeMap::from([(key, Fact::Known(namespace))]));
    match review(bundle, &facts, request, Phase::Validate) {
        Progress::Done(decision) => *decision,
        Progress::Need(keys) => panic!("{keys:?}"),
    }
}

/// What is denied: binding and message.
fn denials(decision: &Decision) -> BTreeSet<(String, String)> {
    let denied = decision.findings.iter().filter(|finding| finding.action == Action::Deny);
    denied.map(|finding| (finding.binding.clone(), finding.message.clone())).collect()
}

fn pod(object: &Value) -> Request {
    Request::new(RequestParts {
        uid: "7".to_owned(),
        kind: GroupVersionKind::new("", "v1", "Pod"),
        resource: GroupVersionResource::new("", "v1", "pods"),
        sub_resource: None,
        name: "web-1".to_owned(),
        namespace: Some("shop".to_owned()),
        operation: Operation::Create,
        user_info: json!({ "username": "alice" }),
        object: Some(object.clone()),
        old_object: None,
        dry_run: false,
    })
}

prop_compose! {
    fn container()(
        name in prop::sample::select(vec!["a", "b", "c"]),
        image in prop::sample::select(vec!["nginx:1", "quay.io/team/app", "quay.io/team/sub/app:2", "nginx@bad", ""]),
        privileged in prop::sample::select(vec![json!(true), json!(false), Value::Null]),
        user in prop::sample::select(vec![json!(0), json!(7), Value::Null]),
    ) -> Value {
        json!({ "name": name, "image": image, "securityContext": { "privileged": privileged, "runAsUser": user } })
    }
}

prop_compose! {
    fn objects()(
        lists in prop::collection::vec(prop::collection::vec(container(), 0..3), 3),
        app in prop::sample::select(vec!["web", "db"]),
        owner in prop::option::of(Just("me")),
        host in any::<bool>(),
    ) -> Value {
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": { "name": "web-1", "namespace": "shop", "labels": { "app": app, "owner": owner } },
            "spec": { "initContainers": lists[0], "containers": lists[1], "ephemeralContainers": lists[2], "hostNetwork": host },
        })
    }
}

/// `spec` of an exception, but for its containers: of either policy, for some or all controls and objects, in force or not.
fn scope() -> impl Strategy<Value = String> {
    let matches = prop::sample::select(vec![
        "{}",
        "{name: web-*}",
        "{name: db-*}",
        "{namespace: shop}",
        "{namespace: pay}",
        "{labels: {app: web}}",
        "{namespace: shop, labels: {app: db}}",
    ]);
    let expires =
        prop::sample::select(vec!["2026-01-31T12:00:00Z", "2026-01-31T12:00:01Z", "2027-01-01T00:00:00Z"]);
    (matches, expires)
        .prop_map(|(matches, expires)| format!("match: {matches}, owner: o, reason: r, expires: '{expires}'"))
}

fn whole() -> impl Strategy<Value = String> {
    (scope(), prop::sample::select(vec!["view/each", "view/whole"]))
        .prop_map(|(scope, policy)| format!("{{policy: {policy}, {scope}}}"))
}

fn of_containers() -> impl Strategy<Value = String> {
    let one = (
        prop::sample::select(vec!["a", "b", "c"]),
        prop::sample::select(vec![
            "nginx",
            "nginx:1",
            "quay.io/team/*",
            "quay.io/**",
            "quay.io/team/sub/app:*",
        ]),
    );
    let one = one.prop_map(|(name, image)| format!("{{name: {name}, image: '{image}'}}"));
    let controls = prop::sample::select(vec![
        "",
        "controls: [root], ",
        "controls: [privileged], ",
        "controls: [privileged, root], ",
    ]);
    (scope(), controls, prop::collection::vec(one, 1..3)).prop_map(|(scope, controls, containers)| {
        format!("{{policy: view/each, {controls}containers: [{}], {scope}}}", containers.join(", "))
    })
}

/// Documents with names of their own.
fn exceptions(most: usize) -> impl Strategy<Value = Vec<String>> {
    let specs = prop::collection::vec(prop_oneof![whole(), of_containers()], 1..=most);
    specs.prop_map(|specs| {
        let named = |(index, spec): (usize, &String)| document("PolicyException", &format!("e{index}"), spec);
        specs.iter().enumerate().map(named).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn an_exception_less_never_allows_more(all in exceptions(4), object in objects(), which in any::<prop::sample::Index>()) {
        let (request, all) = (pod(&object), read(&all));
        let mut fewer = all.clone();
        fewer.remove(which.index(all.len()));
        let (with, without) = (denials(&under(&all, &request)), denials(&under(&fewer, &request)));
        prop_assert!(with.is_subset(&without), "{:?} {:?}", with, without);
    }

    /// Each unit is excused by one exception alone: what several excuse is what the one or the other does.
    #[test]
    fn two_exceptions_never_combine(all in exceptions(4), object in objects()) {
        let (request, all) = (pod(&object), read(&all));
        let mut alone = denials(&under(&[], &request));
        for one in &all {
            let denied = denials(&under(std::slice::from_ref(one), &request));
            alone.retain(|denial| denied.contains(denial));
        }
        prop_assert_eq!(denials(&under(&all, &request)), alone);
    }

    /// What is excused is not lost: it is there, with the exception that is in force.
    #[test]
    fn what_is_excused_stays_visible(all in exceptions(3), object in objects()) {
        let (request, all) = (pod(&object), read(&all));
        let (with, without) = (under(&all, &request), under(&[], &request));
        let excused = |binding: &str, message: &str| with.findings.iter().any(|finding| {
            let container = finding.container.as_deref().unwrap_or_default();
            finding.action == Action::Excused && finding.binding == binding
                && (finding.message == message || message.contains(&format!(": {container} is ")))
                && finding.excuse.as_ref().is_some_and(|excuse| excuse.until.as_str() > NOW)
        });
        let denied = denials(&with);
        for (binding, message) in denials(&without).difference(&denied) {
            prop_assert!(excused(binding, message), "{} {}", binding, message);
        }
    }

    #[test]
    fn the_order_of_files_does_not_matter(all in exceptions(4), object in objects()) {
        let request = pod(&object);
        let turned: Vec<String> = all.iter().rev().cloned().collect();
        let findings = under(&read(&all), &request).findings;
        prop_assert_eq!(&findings, &under(&read(&turned), &request).findings);
        // All in one file.
        prop_assert_eq!(&findings, &under(&read(&[all.join("---\n")]), &request).findings);
    }

    #[test]
    fn bindings_do_not_influence_each_other(object in objects(), bits in 1_usize..16) {
        let request = pod(&object);
        let alone: BTreeSet<_> = (0..4)
            .filter(|index| bits & (1 << index) != 0)
            .flat_map(|index| decided(&SOME[&(1 << index)], &request).findings)
            .collect();
        let together: BTreeSet<_> = decided(&SOME[&bits], &request).findings.into_iter().collect();
        prop_assert_eq!(together, alone);
    }

    #[test]
    fn a_binding_more_never_allows_more(object in objects(), bits in 1_usize..16, more in 0_usize..4) {
        let request = pod(&object);
        let (fewer, all) = (decided(&SOME[&bits], &request), decided(&SOME[&(bits | (1 << more))], &request));
        prop_assert!(fewer.allowed() || !all.allowed());
        prop_assert!(denials(&fewer).is_subset(&denials(&all)));
    }

    /// A replica that has read the same files says the same, byte for byte (R46).
    #[test]
    fn an_equal_bundle_answers_equally(all in exceptions(4), object in objects()) {
        let (request, all) = (pod(&object), read(&all));
        let bytes = || respond(request.uid(), &under(&all, &request).answer()).to_string();
        prop_assert_eq!(bytes(), bytes());
        let bits = 15;
        let replica = |bundle: &Bundle| respond(request.uid(), &decided(bundle, &request).answer()).to_string();
        static REPLICA: LazyLock<Bundle> = LazyLock::new(|| compiled(&tree(0..4, &[])));
        prop_assert_eq!(replica(&SOME[&bits]), replica(&REPLICA));
    }
}
