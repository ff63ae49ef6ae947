//! The watches of facts where the API server is in trouble: it refuses to stream a listing, no longer knows the changes
//! since the last one, or is gone. What a real API server does is tried beside a real one (`tests/e2e`).
#![cfg(test)]

mod fake;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use meshgate::activation::Preparation;
use meshgate::cluster::{Caches, Connection, PullSecretsOfCluster};
use meshgate::context::{ContextSource, Fact, FactKey, Listed};
use meshgate::engine::{Bundle, compile};
use meshgate::image::{Lacking, PullSecrets};
use meshgate::metrics::Metrics;
use meshgate::policy::{Draft, Tree};
use serde_json::json;

use fake::{Fake, Reply, events, object, page, refused, watched};

const LIMITS: &str = "/api/v1/limitranges";

/// A bundle whose one policy reads LimitRanges.
fn bundle() -> Arc<Bundle> {
    let mut tree = Tree::default();
    tree.insert(
        "test/a/a.rego",
        "# METADATA\n# title: t\n# description: d\n# custom:\n#   context: [limit_ranges]\n#   match:\n#     rules: [{apiGroups: [\"\"], apiVersions: [v1], resources: [pods]}]\npackage policies.test.a\n\nwarn contains \"x\" if true\n",
    );
    tree.insert(
        "b.yaml",
        "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {name: b}\nspec: {policy: test/a, enforcement: deny}\n",
    );
    Arc::new(compile(Draft::read(&tree, &Tree::default())).unwrap_or_else(|faults| panic!("{faults}")))
}

async fn prepared(fake: &Fake) -> Arc<Caches> {
    let connection = Connection::by_kubeconfig(&fake.kubeconfig).await.unwrap();
    let caches = Caches::new(&connection, 1 << 20, Duration::ZERO, Metrics::new());
    let bundle = bundle();
    caches.prepare(&bundle).await.unwrap();
    caches.activated(&bundle);
    caches
}

async fn names(caches: &Caches) -> Vec<String> {
    let key = FactKey::Listed(Listed::LimitRanges, "shop".to_owned());
    let Fact::Known(objects) = caches.fetch(&key).await else { panic!("a fact in error") };
    objects
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["metadata"]["name"].as_str().unwrap().to_owned())
        .collect()
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !holds().await {
        assert!(start.elapsed() < Duration::from_secs(20), "waited too long for {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_listings_are_not_streamed_they_come_in_pages() {
    let fake = Fake::start(Arc::new(|path: &str| match path {
        _ if path.contains("sendInitialEvents") => refused(422, "sendInitialEvents is forbidden"),
        _ if path.contains("watch=true") => {
            events(vec![json!({ "type": "ADDED", "object": object("c", "8") })], true)
        }
        _ if path.contains("continue=second") => page(&["b"], "7", ""),
        _ => page(&["a"], "7", "second"),
    }));
    let caches = prepared(&fake).await;
    until("the change", async || names(&caches).await == ["a", "b", "c"]).await;
    let asked = fake.asked(LIMITS);
    let has = |number: usize, part: &str| assert!(asked[number].contains(part), "{part}: {asked:#?}");
    has(0, "sendInitialEvents=true");
    has(1, "limit=500");
    has(2, "continue=second");
    has(3, "resourceVersion=7");
    assert_eq!(asked.len(), 4, "{asked:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_all_is_listed_anew_the_old_objects_answer() {
    let (listings, released) = (AtomicUsize::new(0), Arc::new(AtomicBool::new(false)));
    let release = Arc::clone(&released);
    let script = move |path: &str| -> Reply {
        if !path.contains("sendInitialEvents") {
            return refused(500, "what is that?");
        }
        if listings.fetch_add(1, Ordering::SeqCst) > 0 {
            while !released.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(5));
            }
            return watched(&["b"], "20");
        }
        let mut first = watched(&["a"], "10");
        let status = json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": "too old resource version", "reason": "Expired", "code": 410 });
        first.lines.push(json!({ "type": "ERROR", "object": status }));
        first
    };
    let fake = Fake::start(Arc::new(script));
    let caches = prepared(&fake).await;
    until("a second listing", async || fake.asked(LIMITS).len() == 2).await;
    assert_eq!(names(&caches).await, ["a"]);
    release.store(true, Ordering::SeqCst);
    until("the new objects", async || names(&caches).await == ["b"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_old_answers_while_the_api_server_fails() {
    let listed = AtomicBool::new(false);
    let script = move |_: &str| match listed.swap(true, Ordering::SeqCst) {
        true => refused(503, "etcd is away"),
        false => Reply { holds: false, ..watched(&["a"], "10") },
    };
    let fake = Fake::start(Arc::new(script));
    let caches = prepared(&fake).await;
    until("tries", async || fake.asked(LIMITS).len() >= 8).await;
    assert_eq!(names(&caches).await, ["a"]);
    // From where it was, not all anew.
    let is_listing = |asked: &String| asked.contains("sendInitialEvents") || asked.contains("limit=");
    assert_eq!(
        fake.asked(LIMITS).iter().filter(|asked| is_listing(asked)).count(),
        1,
        "{:#?}",
        fake.asked(LIMITS)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listing_without_end_is_no_listing() {
    let fake = Fake::start(Arc::new(|path: &str| match path {
        // The API server ends it in the middle.
        _ if path.contains("sendInitialEvents") => {
            events(vec![json!({ "type": "ADDED", "object": object("a", "1") })], false)
        }
        _ if path.contains("watch=true") => events(Vec::new(), true),
        _ => page(&["a", "b"], "7", ""),
    }));
    let caches = prepared(&fake).await;
    assert_eq!(names(&caches).await, ["a", "b"]);
}

/// The API server has decided whether a namespace is exempt, by what it knows itself: what is known here may be older.
#[tokio::test(flavor = "multi_thread")]
async fn no_copy_of_a_namespace_exempts_it() {
    let labels = json!({ "meshgate.io/exempt": "true", "meshgate.io/mode": "deny" });
    let namespace =
        json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "shop", "labels": labels } });
    let fake = Fake::start(Arc::new(move |path: &str| match path {
        "/api/v1/namespaces/shop" => Reply { status: 200, lines: vec![namespace.clone()], holds: false },
        _ => watched(&[], "1"),
    }));
    let caches = prepared(&fake).await;
    let fact = caches.fetch(&FactKey::Namespace("shop".to_owned())).await;
    let expected = json!({ "name": "shop", "labels": { "meshgate.io/mode": "deny" }, "annotations": {} });
    assert_eq!(fact, Fact::Known(expected));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_with_many_pull_secrets_keeps_no_other_waiting() {
    let fake = Fake::start(Arc::new(|_: &str| refused(404, "not found")));
    let connection = Connection::by_kubeconfig(&fake.kubeconfig).await.unwrap();
    let secrets = Arc::new(PullSecretsOfCluster::new(&connection));
    let many = (0..60).map(|index| {
        let secrets = Arc::clone(&secrets);
        tokio::spawn(async move { secrets.secret("greedy", &format!("s{index}")).await.err() })
    });
    let many: Vec<_> = many.collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let start = Instant::now();
    assert_eq!(secrets.secret("shop", "regcred").await.err(), Some(Lacking::Absent));
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
    assert!(many.iter().any(|one| !one.is_finished()), "it still waits for its own turn");
    for one in many {
        assert_eq!(one.await.unwrap(), Some(Lacking::Absent));
    }
    assert_eq!(fake.asked("/api/v1/namespaces/greedy/secrets/").len(), 60);
}
