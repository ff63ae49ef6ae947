//! Policies from a repository on three replicas: they are told of a push by each other, say what they have, and a new one
//! that has nothing on disk knows which commit was accepted last.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Mutex;
use std::thread::sleep;
use std::time::{Duration, Instant};

use http::Method;
use meshgate::config::NAMESPACE;
use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::balancer::Balancer;
use crate::environment::{Answer, Environment, wait_until};
use crate::installation::{Installed, PACE, account, says};
use crate::load::{is_long, under_load};
use crate::repository::{Repository, short};
use crate::server::{GitServer, Manner, bare};

const MAP: &str = "/api/v1/namespaces/meshgate-system/configmaps/meshgate-bundle";

/// Which message each commit has, by the first digits of its id.
static MESSAGES: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());

/// How long a push may take where all else runs beside it.
const PATIENCE: Duration = Duration::from_secs(180);

/// How many pushes under load: what CI has time for, or what is asked for.
fn pushes() -> usize {
    std::env::var("MESHGATE_GIT_PUSHES").map_or(2, |text| text.parse().unwrap())
}

struct World {
    repository: Repository,
    installed: Installed,
    server: GitServer,
}

impl World {
    /// Three replicas, of which only the first looks for itself before a test ends.
    fn start(environment: Environment) -> (Self, String) {
        let repository = Repository::new();
        let public = repository.key("key", &["ed25519"]);
        repository.allow(&format!("jane@example.com {public}\n"));
        let first = committed(&repository, "first");
        let root = repository.path("served");
        fs::create_dir(&root).unwrap();
        bare(&repository.work(), &root);
        let server = GitServer::start(&root);
        fs::write(repository.path("ca.pem"), &server.pem).unwrap();
        fs::write(repository.path("token"), "secret\n").unwrap();
        let path = |name: &str| repository.path(name).display().to_string();
        let more = format!(
            "source:\n  name: platform\n  git: {{url: \"{}\", branch: main, path: policies}}\n  interval: INTERVAL\n  credentials: {{username: git, file: {}}}\n  ca: {}\ntrust: {{allowedSigners: {}}}\nstate: {}\n",
            server.url(),
            path("token"),
            path("ca.pem"),
            path("allowed"),
            path("state-REPLICA"),
        );
        let account = environment.user(&account(), None);
        let installed =
            Installed::of_ones_own(environment, Balancer::start(Vec::new()), account, (&more, PACE));
        (Self { repository, installed, server }, first)
    }

    fn push(&self, message: &str) -> String {
        let id = committed(&self.repository, message);
        MESSAGES.lock().unwrap().insert(short(&id).to_owned(), message.to_owned());
        self.push_head();
        id
    }

    fn push_head(&self) {
        let bare: PathBuf = self.repository.path("served/policies.git");
        let mut command = Command::new("git");
        command
            .current_dir(self.repository.work())
            .args(["push", "-q", "--force"])
            .arg(bare)
            .arg("HEAD:main");
        assert!(command.status().unwrap().success());
    }

    /// The ids that replicas have in force, as they say themselves.
    fn active(&self) -> Vec<String> {
        self.bundles()
            .iter()
            .map(|bundle| bundle["active"]["id"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    fn bundles(&self) -> Vec<Value> {
        let read = |said: String| {
            serde_json::from_str(said.split_once("\r\n\r\n").map_or("", |(_, body)| body)).unwrap_or_default()
        };
        self.installed.say("/bundle").into_iter().map(read).collect()
    }

    fn told(&self) -> Value {
        self.installed.environment.admin.get(MAP).body["data"].clone()
    }

    fn meshgate(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_meshgate"));
        command
            .arg("bundle")
            .args(arguments)
            .arg("--kubeconfig")
            .arg(&self.installed.environment.admin.kubeconfig);
        command.output().unwrap()
    }

    /// Pushes and waits until all have it: how long that took, and how long after the first replica the last one had it.
    fn pushed(&self, number: usize) -> (String, Duration) {
        let id = self.push(&format!("push {number}"));
        let (began, wanted, mut first) = (Instant::now(), format!("sha1:{id}"), None);
        loop {
            let active = self.active();
            if active.contains(&wanted) {
                first.get_or_insert_with(Instant::now);
            }
            if active.iter().all(|id| *id == wanted) {
                break;
            }
            assert!(began.elapsed() < PATIENCE, "{active:?}, not {wanted}");
            sleep(Duration::from_millis(10));
        }
        let (took, spread) = (began.elapsed(), first.unwrap().elapsed());
        println!(
            "push {number}: in force everywhere after {} ms, {} ms after the first",
            took.as_millis(),
            spread.as_millis()
        );
        (id, spread)
    }
}

/// Refuses what is privileged, in its own words.
fn committed(repository: &Repository, message: &str) -> String {
    let rules = "[{apiGroups: [\"\"], apiVersions: [v1], resources: [pods]}]";
    let policy = format!(
        "# METADATA\n# title: t\n# description: d\n# custom:\n#   match: {{rules: {rules}}}\npackage policies.x.a\n\ndeny contains \"{message}\" if {{\n\tsome container in input.request.object.spec.containers\n\tcontainer.securityContext.privileged == true\n}}\n"
    );
    let test = format!(
        "package policies.x.a_test\n\nimport data.policies.x.a\n\ntest_denied if {{\n\ta.deny == {{\"{message}\"}} with input as {{\"request\": {{\"object\": {{\"spec\": {{\"containers\": [{{\"securityContext\": {{\"privileged\": true}}}}]}}}}}}}}\n}}\n"
    );
    let binding = "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {name: b}\nspec: {policy: x/a, enforcement: deny}\n";
    let files = [
        ("policies/x/a/a.rego", policy.as_str()),
        ("policies/x/a/a_test.rego", &test),
        ("policies/b.yaml", binding),
    ];
    repository.commit_at(&files, &["-S"], OffsetDateTime::now_utc().unix_timestamp())
}

/// Right is what the commit says that is named.
fn by_its_commit(violating: bool, answer: &Answer) -> bool {
    if !violating {
        return answer.status == 201;
    }
    let mut lines = answer.message().lines();
    let message = lines.next().and_then(|line| line.split_once("[x/a] ")).map(|(_, message)| message);
    let commit = lines.next().and_then(|line| line.strip_prefix("policies: platform@"));
    let expected = commit.and_then(|commit| MESSAGES.lock().unwrap().get(commit).cloned());
    answer.status == 403 && message.is_some() && expected.as_deref() == message && lines.next().is_none()
}

#[test]
fn replicas_tell_each_other_of_a_push_and_of_the_commit_accepted_last() {
    let Some(_turn) = Environment::turn() else { return };
    let (mut world, first) = World::start(Environment::bare());
    MESSAGES.lock().unwrap().insert(short(&first).to_owned(), "first".to_owned());
    // How long it takes the machine decides, so it is printed.
    let spreads: Vec<Duration> = (0..3).map(|number| world.pushed(number).1).collect();
    println!(
        "at rest the last replica came at most {} ms after the first",
        spreads.iter().max().unwrap().as_millis()
    );
    let mut last = world.repository.head();
    // With the load of a test's own build there is no time left for the least urgent work that there is.
    if is_long() {
        let (admin, pods) = (world.installed.environment.admin.clone(), world.installed.pods());
        let tally = under_load(&admin, &pods, by_its_commit, || {
            for number in 3..3 + pushes() {
                last = world.pushed(number).0;
            }
        });
        tally.assert_clean(&format!("policies are pushed {} times", pushes()));
    }
    everything_is_told(&world, &last);
    a_new_replica_begins_without_the_repository(&world, &last);
    a_new_replica_knows_what_was_accepted(&mut world, &first, &last);
}

/// With an empty disk, while the repository is away: what others kept, verified; and nothing where it was changed.
fn a_new_replica_begins_without_the_repository(world: &World, last: &str) {
    let kept = wait_until("the archive", || {
        world.told()["archive"].as_str().filter(|told| told.contains(last)).map(str::to_owned)
    });
    println!("kept for new replicas: {kept}");
    world.server.behaves(Manner::Status(503, ""));
    let row = |name: &str| -> Option<Value> {
        serde_json::from_str(world.told()[format!("replica.{name}")].as_str()?).ok()
    };
    let program = world.installed.start_alone("new");
    program.wait_for(|| says(&program.said(), "/readyz").starts_with("HTTP/1.1 200").then_some(()));
    let wanted = format!("sha1:{last}");
    wait_until("its row", || row("new").filter(|row| row["id"] == *wanted).map(drop));
    program.wait_for(|| {
        let verbose = says(&program.said(), "/readyz?verbose");
        let is_told = verbose.contains("degraded: source unreachable since")
            && verbose.contains("what is in force was kept by other replicas");
        is_told.then_some(())
    });
    drop(program);

    let path = format!("{MAP}-archive");
    let admin = &world.installed.environment.admin;
    let mut map = admin.get(&path).body;
    let archive = map["binaryData"]["bundle.tar.gz"].as_str().unwrap().to_owned();
    let good = map.clone();
    // Another letter in the middle of what is packed.
    let (before, after) = archive.split_at(archive.len() / 2);
    let other = if after.starts_with('A') { "B" } else { "A" };
    let changed = format!("{before}{other}{}", after.get(1..).unwrap());
    map["binaryData"]["bundle.tar.gz"] = json!(changed);
    let put = |map: &Value| {
        let data = json!({ "binaryData": map["binaryData"] });
        assert_eq!(admin.request(&Method::PATCH, &path, "application/merge-patch+json", &data).status, 200);
    };
    put(&map);
    let program = world.installed.start_alone("changed");
    program.wait_for(|| program.said().contains("what other replicas kept is not used").then_some(()));
    let row = wait_until("its row", || row("changed").filter(|row| row["state"] != "candidate"));
    assert_eq!(row["id"], Value::Null, "{row}");
    assert!(says(&program.said(), "/readyz").starts_with("HTTP/1.1 503"));
    drop(program);
    put(&good);
    world.server.behaves(Manner::Good);
    // They end without a word, as if their machines had.
    for name in ["new", "changed"] {
        let gone = json!({ "data": { (format!("replica.{name}")): null } });
        assert_eq!(admin.request(&Method::PATCH, MAP, "application/merge-patch+json", &gone).status, 200);
    }
}

fn everything_is_told(world: &World, last: &str) {
    let id = format!("sha1:{last}");
    let everywhere = format!("--for=jsonpath={{.data.activeEverywhere}}={id}");
    let waited = world
        .installed
        .environment
        .admin
        .kubectl(&["wait", &everywhere, "-n", NAMESPACE, "configmap/meshgate-bundle", "--timeout=20s"], "");
    assert_eq!(waited.code, Some(0), "{waited:?}");
    let told = world.told();
    assert_eq!(
        (told["active"].as_str(), told["activeEverywhere"].as_str()),
        (Some(id.as_str()), Some(id.as_str()))
    );
    let floors: Value = serde_json::from_str(told["floor"].as_str().unwrap()).unwrap();
    assert_eq!(floors[0]["id"], *last, "{floors}");
    for name in ["one", "two", "three"] {
        let row: Value = serde_json::from_str(told[format!("replica.{name}")].as_str().unwrap()).unwrap();
        let short = format!("platform@{}", short(last));
        assert_eq!(
            (&row["state"], &row["id"], &row["revision"]),
            (&json!("active"), &json!(id), &json!(short)),
            "{row}"
        );
        assert!(row["tree"].as_str().is_some_and(|tree| tree.len() == 64), "{row}");
    }
    let waited = world.meshgate(&["wait", last, "--timeout", "20"]);
    assert_eq!(
        (waited.status.code(), String::from_utf8_lossy(&waited.stdout).as_ref()),
        (Some(0), "in force on 3 of 3 replicas\n")
    );
    let status = world.meshgate(&["status"]);
    let text = String::from_utf8(status.stdout).unwrap();
    assert_eq!((status.status.code(), text.lines().count()), (Some(0), 6), "{text}");
    println!("{text}");
    let other = world.meshgate(&["wait", &"1".repeat(40), "--timeout", "1"]);
    assert_eq!(other.status.code(), Some(1), "{other:?}");
}

/// Without anything on disk, and a repository that shows an earlier commit.
fn a_new_replica_knows_what_was_accepted(world: &mut World, first: &str, last: &str) {
    world.repository.git(&["reset", "-q", "--hard", first]);
    world.push_head();
    drop(world.installed.end_oldest());
    wait_until("the row of who left is gone", || world.told()["replica.one"].is_null().then_some(()));
    let program = world.installed.start_alone("one-anew");
    program.wait_for(|| program.said().contains("does not come after").then_some(()));
    let row = wait_until("its row", || {
        let row: Value = serde_json::from_str(world.told()["replica.one-anew"].as_str()?).unwrap();
        (row["state"] == "refused").then_some(row)
    });
    // What others kept is in force, and not what the repository shows.
    let kept = json!(format!("sha1:{last}"));
    assert_eq!((&row["refused"]["stage"], &row["id"]), (&json!("verify/rollback"), &kept), "{row}");
    assert!(row["refused"]["why"].as_str().unwrap().contains(last), "{row}");
    let waited = world.meshgate(&["wait", first, "--timeout", "5"]);
    assert_eq!(waited.status.code(), Some(1), "{waited:?}");
    assert_eq!(world.meshgate(&["status"]).status.code(), Some(1));
    // What comes after is taken by all.
    world.repository.git(&["reset", "-q", "--hard", last]);
    let next = world.push("on from there");
    let waited = world.meshgate(&["wait", &next, "--timeout", "60"]);
    assert_eq!(waited.status.code(), Some(0), "{waited:?}");
    who_is_gone_leaves_nothing(world);
    drop(program);
}

/// Each replica that is there has written its row, one of them with what the ConfigMap goes, and all what all have.
fn who_is_gone_leaves_nothing(world: &World) {
    let map = world.installed.environment.admin.get(MAP).body;
    let fields = map["metadata"]["managedFields"].as_array().unwrap();
    let by = |operation: &str| -> Vec<&str> {
        let of = fields.iter().filter(|entry| entry["operation"] == operation);
        let mut managers: Vec<&str> = of.map(|entry| entry["manager"].as_str().unwrap()).collect();
        managers.sort_unstable();
        managers
    };
    let rows = map["data"].as_object().unwrap().keys().filter_map(|key| key.strip_prefix("replica."));
    let mut expected: Vec<String> = rows.map(|name| format!("meshgate-{name}")).collect();
    expected.push("meshgate".to_owned());
    expected.sort_unstable();
    assert_eq!(expected.len(), 4, "{expected:?}");
    assert_eq!(by("Apply"), expected, "{fields:?}");
    assert_eq!(map["metadata"]["ownerReferences"][0]["name"], "meshgate", "{map}");
}
