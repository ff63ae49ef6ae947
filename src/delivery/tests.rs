//! What is on its way, what comes in force meanwhile, and what is damaged on disk.

mod archive;
mod board;
mod signed;

use std::fs;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::Notify;

use super::delivered::Origin;
use super::*;
use crate::activation::{Preparation, Readiness};
use crate::engine::compile;
use crate::events::Untold;
use crate::policy::{Draft, Provenance};
use crate::source::{Accepted as Files, Commit, Proof, Signed, Snapshot, Verified};

/// Prepares nothing until it is told to.
struct Gate(Arc<Notify>);

impl Preparation for Gate {
    fn prepare<'a>(
        &'a self,
        _: &'a Arc<Bundle>,
    ) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>> {
        Box::pin(async {
            self.0.notified().await;
            Ok(())
        })
    }

    fn activated(&self, _: &Arc<Bundle>) {}
}

struct World {
    runtime: Runtime,
    folder: tempfile::TempDir,
    gate: Arc<Notify>,
    activation: Arc<Activation>,
}

const ONE: &str = "1111111111111111111111111111111111111111";
const TWO: &str = "2222222222222222222222222222222222222222";

impl World {
    fn new() -> Self {
        let gate = Arc::new(Notify::new());
        let preparations: Vec<Arc<dyn Preparation>> = vec![Arc::new(Gate(Arc::clone(&gate)))];
        let activation =
            Activation::new(preparations, &Readiness::default(), Metrics::new(), Arc::new(Untold));
        let folder = tempfile::tempdir().unwrap();
        let runtime = Runtime::new().unwrap();
        Self { runtime, folder, gate, activation }
    }

    /// Of a repository that is not there.
    fn delivery(&self, trust: &str) -> Delivery {
        let root = self.folder.path().display();
        let text = format!(
            "apiVersion: meshgate.io/v1alpha1\nkind: Configuration\nsource:\n  name: p\n  git: {{url: 'http://127.0.0.1:9/p', branch: main}}\ntrust: {trust}\nstate: {root}/state\n"
        );
        let configuration = config::Configuration::read("f", text.as_bytes()).unwrap();
        let settings = Settings {
            source: configuration.source.unwrap(),
            trust: configuration.trust.unwrap(),
            state: configuration.state.unwrap(),
            trials: configuration.trials,
        };
        let around = Surroundings {
            activation: Arc::clone(&self.activation),
            condition: Readiness::default().condition("source"),
            metrics: Metrics::new(),
            events: Arc::new(Untold),
            runtime: self.runtime.handle().clone(),
            compile: Box::new(|_| panic!("a fault of our own")),
            board: None,
        };
        Delivery::open(settings, around).unwrap()
    }

    fn state(&self, name: &str) -> PathBuf {
        self.folder.path().join("state").join(name)
    }

    fn active(&self) -> Option<String> {
        let active = self.activation.active()?;
        active.revision.provenance.id.clone()
    }

    /// Lets what is on its way come in force.
    fn opens(&self) {
        self.gate.notify_one();
        let began = std::time::Instant::now();
        while self.active().is_none() && began.elapsed() < Duration::from_secs(10) {
            thread::sleep(Duration::from_millis(2));
        }
        assert!(self.active().is_some());
    }
}

/// A commit that nobody signed, and its bundle.
fn commit(id: &str) -> (Verified, Bundle) {
    let commit = Commit {
        tree: id.to_owned(),
        parents: Vec::new(),
        committer: "Jane <jane@example.com>".to_owned(),
        time: 1_769_860_800,
        signed: Signed::No,
    };
    let provenance = Provenance { id: Some(id.to_owned()), ..Provenance::default() };
    let tree = tree().coming_from(provenance);
    let bundle = compile(Draft::read(&tree, &Tree::default())).unwrap_or_else(|faults| panic!("{faults}"));
    let snapshot =
        Snapshot { id: id.to_owned(), commit, accepted: Files::default(), proof: Proof::default() };
    (Verified { snapshot, tree, signer: None }, bundle)
}

/// One policy, and its binding.
fn tree() -> Tree {
    let mut tree = Tree::default();
    let rules = "[{apiGroups: [\"\"], apiVersions: [v1], resources: [pods]}]";
    tree.insert(
        "x/a/a.rego",
        format!(
            "# METADATA\n# title: t\n# description: d\n# custom:\n#   match: {{rules: {rules}}}\npackage policies.x.a\n\ndeny contains \"no\" if input.request.uid\n"
        ),
    );
    tree.insert(
        "b.yaml",
        "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {name: b}\nspec: {policy: x/a, enforcement: deny}\n",
    );
    tree
}

/// A line of allowed signers; nobody has the key.
const ALLOWED: &str =
    "jane@example.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n";

#[test]
fn what_is_on_its_way_and_is_refused_meanwhile_never_comes_in_force() {
    let world = World::new();
    let mut delivery = world.delivery("{mode: none}");
    let (verified, bundle) = commit(ONE);
    delivery.deliver(verified, bundle, Origin::Source(Vec::new()));
    // It was not fetched, so it is refused.
    delivery.judge(ONE, time::OffsetDateTime::now_utc());
    assert!(delivery.pending.is_none());
    assert!(world.activation.status().refused.is_some());

    // Whoever signed it is trusted no more; also what was kept.
    let allowed = world.folder.path().join("allowed");
    fs::write(&allowed, ALLOWED).unwrap();
    for origin in [Origin::Source(Vec::new()), Origin::Kept] {
        let (verified, bundle) = commit(ONE);
        delivery.deliver(verified, bundle, origin);
        let signers = config::TrustedSigners { allowed: allowed.clone(), revoked: None, is_committer: false };
        delivery.settings.trust.signers = config::SignedBy::Commit(signers);
        delivery.trust = Trust::None;
        delivery.round();
        assert!(delivery.pending.is_none());
    }
    world.gate.notify_one();
    thread::sleep(Duration::from_millis(50));
    assert_eq!(world.active(), None);
}

#[test]
fn what_came_in_force_during_a_round_is_the_floor_of_what_is_judged_in_it() {
    let world = World::new();
    let mut delivery = world.delivery("{mode: none}");
    let (verified, bundle) = commit(ONE);
    delivery.deliver(verified, bundle, Origin::Source(Vec::new()));
    world.opens();
    delivery.judge(TWO, time::OffsetDateTime::now_utc());
    assert_eq!(delivery.past().floor.map(|floor| floor.id).as_deref(), Some(ONE));
    assert_eq!(delivery.active.as_ref().map(|active| active.id()), Some(ONE));

    // Also where another one took its place before that was known.
    let (verified, bundle) = commit(TWO);
    delivery.deliver(verified, bundle, Origin::Source(Vec::new()));
    world.gate.notify_one();
    thread::sleep(Duration::from_millis(50));
    delivery.stop();
    assert_eq!(delivery.past().floor.map(|floor| floor.id), world.active());
}

#[test]
fn a_floor_that_can_not_be_read_is_not_none() {
    let world = World::new();
    let preset = format!("{{mode: none, floor: '{ONE}'}}");
    drop(world.delivery("{mode: none}"));
    for (text, is_lost) in [(None, false), (Some(""), true), (Some("{\"key\":"), true)] {
        drop(fs::remove_file(world.state("floor.json")));
        if let Some(text) = text {
            fs::write(world.state("floor.json"), text).unwrap();
        }
        let mut delivery = world.delivery("{mode: none}");
        delivery.recover();
        delivery.judge(TWO, time::OffsetDateTime::now_utc());
        let why = world.activation.status().refused.unwrap().why;
        let names = why.contains("floor.json: the commit accepted last can't be read: ")
            && why
                .ends_with("until trust.floor, or source.rollback, names the one that all others come after");
        assert_eq!(names, is_lost, "{why}");
        drop(delivery);
        let mut delivery = world.delivery(&preset);
        delivery.recover();
        delivery.judge(TWO, time::OffsetDateTime::now_utc());
        let why = world.activation.status().refused.unwrap().why;
        assert_eq!(why, format!("{TWO} was not fetched"));
    }
}

#[test]
fn nothing_is_deleted_where_its_names_can_not_be_read() {
    let world = World::new();
    drop(world.delivery("{mode: none}"));
    let kept = world.state("bundles/0a-1b");
    for (current, is_kept) in [("", true), ("\u{1}\n", true), ("0a-1b\n", true), ("2c-3d\n", false)] {
        fs::create_dir_all(&kept).unwrap();
        fs::write(world.state("current"), current).unwrap();
        let delivery = world.delivery("{mode: none}");
        assert_eq!(kept.exists(), is_kept, "{current:?}");
        assert_eq!(delivery.state.all().is_empty(), !is_kept);
    }
    fs::create_dir_all(&kept).unwrap();
    fs::remove_file(world.state("current")).unwrap();
    drop(world.delivery("{mode: none}"));
    assert!(!kept.exists(), "without any names nothing was finished");
}

#[test]
fn what_the_machine_has_no_time_for_is_tried_again_later_each_time() {
    let mut notes = Notes::default();
    let wait = |notes: &Notes, seconds| {
        notes.wait_while_busy(Duration::from_secs(seconds), Duration::from_secs(600)).as_secs()
    };
    assert_eq!(wait(&notes, 60), 60);
    let waits: Vec<u64> = (0..8)
        .map(|_| {
            notes.judged(true);
            wait(&notes, 60)
        })
        .collect();
    assert_eq!(waits, [90, 135, 202, 303, 455, 600, 600, 600]);
    assert_eq!(wait(&notes, 3_600), 3_600, "never sooner than is asked for");
    notes.judged(false);
    assert_eq!(wait(&notes, 60), 60);
}

#[test]
fn a_source_that_went_back_to_what_is_in_force_is_asked_as_before() {
    let world = World::new();
    let mut delivery = world.delivery("{mode: none}");
    let (verified, bundle) = commit(ONE);
    delivery.deliver(verified, bundle, Origin::Source(Vec::new()));
    world.opens();
    delivery.hear();
    for found in [None, Some(ONE)] {
        delivery.judged = Some(ONE.to_owned());
        for _ in 0..6 {
            delivery.notes.judged(true);
        }
        world.activation.refuse(Some("p@2"), crate::activation::Step::Busy, "no time");
        let (verified, bundle) = commit(TWO);
        delivery.deliver(verified, bundle, Origin::Source(Vec::new()));
        delivery.take(found, time::OffsetDateTime::now_utc());
        let minute = Duration::from_secs(60);
        assert_eq!(delivery.notes.wait_while_busy(minute, 10 * minute), minute, "{found:?}");
        assert!(world.activation.status().refused.is_none(), "{found:?}");
        // What was on its way does not come in force.
        assert!(delivery.pending.is_none() && delivery.is_active(ONE), "{found:?}");
    }
}

#[test]
fn a_fault_of_our_own_is_a_failure_and_not_the_end() {
    let world = World::new();
    let mut delivery = world.delivery("{mode: none}");
    fs::write(world.state("git/half"), "").unwrap();
    delivery.judged = Some(ONE.to_owned());
    let work = |this: &mut Delivery| (this.around.compile)(&Tree::default()).map(drop);
    assert_eq!(delivery.guarded(work), None);
    let wait = delivery.fell();
    assert!(wait >= delivery.settings.source.interval);
    assert_eq!((delivery.judged.clone(), world.state("git").exists()), (None, false));
    let last = world.activation.status().source.and_then(|source| source.last_error);
    assert!(last.is_some_and(|why| why.contains("failed inside meshgate")));
    assert!(delivery.guarded(Delivery::round).is_some());
}
