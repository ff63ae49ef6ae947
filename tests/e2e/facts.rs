//! What is kept of the API server: the same facts as from files with the same objects, soon after a change, and within our
//! rights.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use meshgate::activation::Preparation;
use meshgate::admission::GroupVersionKind;
use meshgate::cluster::{Caches, Connection};
use meshgate::context::{ContextSource, Fact, FactKey, Listed, Others, OwnerReference, World};
use meshgate::engine::{Bundle, compile};
use meshgate::metrics::Metrics;
use meshgate::policy::{Draft, Tree};
use serde_json::{Value, json};

use crate::environment::{Environment, RUNTIME, User, wait_until};

const MIB: u64 = 1 << 20;

/// A bundle of one policy that declares these facts.
fn bundle(context: &str) -> Arc<Bundle> {
    let mut tree = Tree::default();
    let policy = format!(
        "# METADATA\n# title: t\n# description: d\n# custom:\n#   context: {context}\n#   match:\n#     rules: [{{apiGroups: [\"\"], apiVersions: [v1], resources: [pods]}}]\npackage policies.test.a\n\nwarn contains \"x\" if true\n"
    );
    tree.insert("test/a/a.rego", policy);
    tree.insert(
        "b.yaml",
        "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {name: b}\nspec: {policy: test/a, enforcement: deny}\n",
    );
    Arc::new(compile(Draft::read(&tree, &Tree::default())).unwrap_or_else(|faults| panic!("{faults}")))
}

fn caches(user: &User, max_bytes: u64) -> Arc<Caches> {
    RUNTIME.block_on(async {
        let connection = Connection::by_kubeconfig(&user.kubeconfig).await.unwrap();
        Caches::new(&connection, max_bytes, Duration::ZERO, Metrics::new())
    })
}

fn prepared(caches: &Caches, bundle: &Arc<Bundle>) -> Result<(), String> {
    RUNTIME.block_on(caches.prepare(bundle))?;
    caches.activated(bundle);
    Ok(())
}

/// Caches of the administrator for these facts.
fn with(environment: &Environment, context: &str) -> Arc<Caches> {
    let caches = caches(&environment.admin, 64 * MIB);
    prepared(&caches, &bundle(context)).unwrap();
    caches
}

fn fetch(source: &dyn ContextSource, key: &FactKey) -> Fact {
    RUNTIME.block_on(source.fetch(key))
}

fn names(source: &dyn ContextSource, key: &FactKey) -> Vec<String> {
    let objects = fetch(source, key).known().unwrap();
    objects
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["metadata"]["name"].as_str().unwrap().to_owned())
        .collect()
}

fn limits(name: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "LimitRange", "metadata": { "name": name, "labels": { "a": "b" } },
        "spec": { "limits": [{ "type": "Container", "default": { "cpu": "500m" } }] } })
}

fn deployment(name: &str) -> Value {
    let labels = json!({ "app": name });
    json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": name },
        "spec": { "replicas": 2, "selector": { "matchLabels": labels }, "template": {
            "metadata": { "labels": labels }, "spec": { "containers": [{ "name": "a", "image": "a:1" }] } } } })
}

const ALL: &str = "{autoscalers: , cluster.version: , disruption_budgets: , limit_ranges: , owner: , resource_quotas: , \
    runtime_classes: , inventory: {kinds: [Namespace, apps/v1/Deployment, apps/v1/ReplicaSet]}}";

/// The collections that those facts are computed from.
const COLLECTIONS: [&str; 8] = [
    "/api/v1/namespaces",
    "/apis/node.k8s.io/v1/runtimeclasses",
    "/api/v1/limitranges",
    "/api/v1/resourcequotas",
    "/apis/autoscaling/v2/horizontalpodautoscalers",
    "/apis/policy/v1/poddisruptionbudgets",
    "/apis/apps/v1/deployments",
    "/apis/apps/v1/replicasets",
];

/// What files would say that hold what the API server has now.
fn world(environment: &Environment) -> World {
    let mut world = World::new(Others::Unknown);
    for path in COLLECTIONS {
        let list = environment.admin.get(path).body;
        let kind = list["kind"].as_str().unwrap().strip_suffix("List").unwrap();
        for mut object in list["items"].as_array().unwrap().clone() {
            object["apiVersion"] = list["apiVersion"].clone();
            object["kind"] = json!(kind);
            let namespace = object["metadata"]["namespace"].as_str().map(str::to_owned);
            world.insert(namespace.as_deref(), &object);
        }
    }
    world
}

/// A namespace with an object of each kind that a fact lists.
fn make_one_of_each(environment: &Environment, namespace: &str) {
    environment.namespace(namespace, &json!({ "team": "a" }));
    let of = |api: &str, plural: &str| format!("{api}/namespaces/{namespace}/{plural}");
    let scale = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "name": "web" });
    for (path, object) in [
        (of("/api/v1", "limitranges"), limits("a")),
        (
            of("/api/v1", "resourcequotas"),
            json!({ "apiVersion": "v1", "kind": "ResourceQuota", "metadata": { "name": "q" }, "spec": { "hard": { "pods": "9" } } }),
        ),
        (
            of("/apis/autoscaling/v2", "horizontalpodautoscalers"),
            json!({ "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": { "name": "h" }, "spec": { "maxReplicas": 3, "scaleTargetRef": scale } }),
        ),
        (
            of("/apis/policy/v1", "poddisruptionbudgets"),
            json!({ "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": { "name": "p" }, "spec": { "maxUnavailable": 1 } }),
        ),
        (of("/apis/apps/v1", "deployments"), deployment("web")),
        (
            "/apis/node.k8s.io/v1/runtimeclasses".to_owned(),
            json!({ "apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": { "name": "kata" }, "handler": "kata", "overhead": { "podFixed": { "cpu": "250m" } } }),
        ),
    ] {
        environment.made(&path, &object);
    }
}

#[test]
fn equal_objects_give_equal_facts_in_cluster_and_dry_run() {
    let Some(environment) = Environment::shared() else { return };
    let namespace = "facts-equal";
    make_one_of_each(&environment, namespace);
    let sets = format!("/apis/apps/v1/namespaces/{namespace}/replicasets");
    let set = wait_until("a ReplicaSet", || environment.admin.get(&sets).body["items"].get(0).cloned());
    let text = |pointer: &str| set.pointer(pointer).unwrap().as_str().unwrap().to_owned();
    let controller = OwnerReference {
        api_version: "apps/v1".to_owned(),
        kind: "ReplicaSet".to_owned(),
        name: text("/metadata/name"),
        uid: text("/metadata/uid"),
    };
    let caches = with(&environment, ALL);
    let kind = |group: &str, kind: &str| GroupVersionKind::new(group, "v1", kind);
    let kinds =
        BTreeSet::from([kind("", "Namespace"), kind("apps", "Deployment"), kind("apps", "ReplicaSet")]);
    let listed = |listed: Listed| FactKey::Listed(listed, namespace.to_owned());
    let keys = [
        FactKey::Namespace(namespace.to_owned()),
        FactKey::Owner { namespace: namespace.to_owned(), controller },
        listed(Listed::Autoscalers),
        listed(Listed::DisruptionBudgets),
        listed(Listed::LimitRanges),
        listed(Listed::ResourceQuotas),
        FactKey::RuntimeClasses,
        FactKey::ClusterVersion,
        FactKey::Inventory(kinds),
    ];
    for key in &keys {
        // Controllers write status meanwhile.
        wait_until(&format!("equal facts for {key:?}"), || {
            let fact = fetch(&*caches, key);
            let known = fact.clone().known().unwrap();
            assert!(!matches!(known, Value::Null) && known != json!([]), "{key:?}: {known}");
            (fact == fetch(&world(&environment), key)).then_some(())
        });
    }
    let owner = fetch(&*caches, &keys[1]).known().unwrap();
    assert_eq!(
        (&owner["kind"], &owner["name"], &owner["replicas"]),
        (&json!("Deployment"), &json!("web"), &json!(2))
    );
}

#[test]
fn what_changes_is_known_soon() {
    let Some(environment) = Environment::shared() else { return };
    environment.namespace("facts-change", &json!({}));
    let caches = with(&environment, "[limit_ranges]");
    let key = FactKey::Listed(Listed::LimitRanges, "facts-change".to_owned());
    let path = "/api/v1/namespaces/facts-change/limitranges";
    assert_eq!(names(&*caches, &key), [""; 0]);
    environment.made(path, &limits("b"));
    environment.made(path, &limits("a"));
    wait_until("both", || (names(&*caches, &key) == ["a", "b"]).then_some(()));
    let change = json!({ "metadata": { "labels": { "a": "c" } } });
    let patch = "application/merge-patch+json";
    environment.admin.request(&http::Method::PATCH, &format!("{path}/a"), patch, &change);
    let label = || fetch(&*caches, &key).known().unwrap()[0]["metadata"]["labels"]["a"].clone();
    wait_until("the change", || (label() == "c").then_some(()));
    environment.admin.delete(&format!("{path}/a"));
    wait_until("one", || (names(&*caches, &key) == ["b"]).then_some(()));
}

#[test]
fn a_namespace_of_this_moment_is_known_and_one_that_is_not_there_is_an_error() {
    let Some(environment) = Environment::shared() else { return };
    let caches = with(&environment, "[namespace]");
    for number in 0..20 {
        let name = format!("facts-new-{number}");
        let object = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name, "labels": { "n": "1" } } });
        environment.made("/api/v1/namespaces", &object);
        let fact = fetch(&*caches, &FactKey::Namespace(name.clone())).known().unwrap();
        let labels = json!({ "kubernetes.io/metadata.name": name, "n": "1" });
        assert_eq!(fact, json!({ "name": name, "labels": labels, "annotations": {} }));
        environment.admin.delete(&format!("/api/v1/namespaces/{name}"));
    }
    let missing = |name: &str| fetch(&*caches, &FactKey::Namespace(name.to_owned()));
    assert_eq!(missing("facts-none"), Fact::Unknown("there is no namespace `facts-none`".to_owned()));
    assert_eq!(missing("a/../b"), Fact::Unknown("there is no namespace `a/../b`".to_owned()));
    // Whoever asks for many that are not there does not make us flood the API server.
    let keys = (0..200).map(|number| FactKey::Namespace(format!("facts-none-{number}")));
    let refused = keys.filter(
        |key| matches!(fetch(&*caches, key), Fact::Unknown(why) if why.contains("more than 50 look-ups")),
    );
    assert!(refused.count() >= 1);
}

#[test]
fn what_is_not_served_or_not_watched_is_an_error_where_it_was_meant() {
    let Some(environment) = Environment::shared() else { return };
    let context = "{autoscalers: , owner: , inventory: {kinds: [example.com/v1/Widget]}}";
    let caches = with(&environment, context);
    let none = FactKey::Listed(Listed::Autoscalers, "facts-none".to_owned());
    assert_eq!(fetch(&*caches, &none), Fact::Known(json!([])), "no VPA and no KEDA: there are none");
    let widgets = BTreeSet::from([GroupVersionKind::new("example.com", "v1", "Widget")]);
    let why = "the API server serves no example.com/v1/Widget";
    assert_eq!(fetch(&*caches, &FactKey::Inventory(widgets)), Fact::Unknown(why.to_owned()));
    let pods = FactKey::Inventory(BTreeSet::from([GroupVersionKind::new("", "v1", "Pod")]));
    assert_eq!(fetch(&*caches, &pods), Fact::Unknown("v1/Pod is not watched".to_owned()));
    let owner = |api_version: &str, kind: &str| {
        let [api_version, kind, name] = [api_version, kind, "web"].map(str::to_owned);
        let controller = OwnerReference { api_version, kind, name, uid: "7".to_owned() };
        fetch(&*caches, &FactKey::Owner { namespace: "default".to_owned(), controller })
    };
    assert_eq!(owner("apps/v1", "ReplicaSet"), Fact::Known(Value::Null));
    let why = "the owner Rollout web is of a kind that is not watched; add argoproj.io/v1alpha1/Rollout to the kinds of the policy's `inventory`";
    assert_eq!(owner("argoproj.io/v1alpha1", "Rollout"), Fact::Unknown(why.to_owned()));
}

#[test]
fn a_bundle_whose_rights_are_missing_or_whose_facts_are_too_large_is_not_prepared() {
    let Some(environment) = Environment::shared() else { return };
    let rule = json!({ "apiGroups": [""], "resources": ["namespaces"], "verbs": ["get", "list", "watch"] });
    let role = json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "metadata": { "name": "facts-namespaces" }, "rules": [rule] });
    environment.made("/apis/rbac.authorization.k8s.io/v1/clusterroles", &role);
    environment.bind("facts-namespaces", "facts-namespaces", "User", "facts-reader");
    let reader = environment.user("facts-reader", None);
    let few = caches(&reader, 64 * MIB);
    wait_until("the right to read Namespaces", || prepared(&few, &bundle("[namespace]")).ok());
    let expected = "the service account may not read what the policies declare; add to its ClusterRole, as `meshgate install` does:\n\
        - {apiGroups: [\"\"], resources: [limitranges], verbs: [get, list, watch]}\n\
        - {apiGroups: [\"policy\"], resources: [poddisruptionbudgets], verbs: [get, list, watch]}";
    let declares = bundle("[limit_ranges, disruption_budgets]");
    assert_eq!(prepared(&few, &declares), Err(expected.to_owned()));
    let small = caches(&environment.admin, 100);
    let expected =
        "what the policies declare takes more than caches.maxBytes, 100 bytes; declare less, or raise it";
    assert_eq!(prepared(&small, &declares), Err(expected.to_owned()));
}

#[test]
fn what_a_bundle_no_longer_needs_is_let_go() {
    let Some(environment) = Environment::shared() else { return };
    let caches = with(&environment, "[limit_ranges]");
    let key = FactKey::Listed(Listed::LimitRanges, "default".to_owned());
    assert_eq!(fetch(&*caches, &key), Fact::Known(json!([])));
    prepared(&caches, &bundle("[resource_quotas]")).unwrap();
    let gone = Fact::Unknown("v1/LimitRange is not watched".to_owned());
    wait_until("the watch to end", || (fetch(&*caches, &key) == gone).then_some(()));
    let kept = FactKey::Listed(Listed::ResourceQuotas, "default".to_owned());
    assert_eq!(fetch(&*caches, &kept), Fact::Known(json!([])));
}
