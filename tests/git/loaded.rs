//! Pushes come in force while reviews are answered: none fails, and each answer is what another process says of the same
//! request under the commit that the answer names.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::asked::{Said, quantile, tell, while_asked};
use crate::process::Process;
use crate::repository::{Repository, short};
use crate::world::World;

/// How many commits are pushed: what CI has time for, or what is asked for.
fn pushes() -> usize {
    std::env::var("MESHGATE_GIT_PUSHES").map_or(8, |text| text.parse().unwrap())
}

/// Each push has words of its own, and every second one also an opinion of its own on images.
fn commit(repository: &Repository, number: usize) -> String {
    let policy = format!(
        "# METADATA\n# title: t\n# description: d\n# custom:\n#   match: {{rules: [{{apiGroups: [\"\"], apiVersions: [v1], resources: [pods]}}]}}\npackage policies.x.a\n\ndeny contains sprintf(\"push {number}: %s is privileged\", [container.name]) if {{\n\tsome container in input.request.object.spec.containers\n\tcontainer.securityContext.privileged == true\n}}\n\ndeny contains sprintf(\"push {number}: %s has no tag\", [container.name]) if {{\n\t{number} % 2 == 1\n\tsome container in input.request.object.spec.containers\n\tnot contains(container.image, \":\")\n}}\n"
    );
    let test = format!(
        "package policies.x.a_test\n\nimport data.policies.x.a\n\ntest_denied if {{\n\ta.deny == {{\"push {number}: c is privileged\"}} with input as {{\"request\": {{\"object\": {{\"spec\": {{\"containers\": [{{\"name\": \"c\", \"image\": \"i:1\", \"securityContext\": {{\"privileged\": true}}}}]}}}}}}}}\n}}\n"
    );
    let files = [("policies/x/a/a.rego", policy.as_str()), ("policies/x/a/a_test.rego", &test)];
    repository.commit_at(&files, &["-S"], OffsetDateTime::now_utc().unix_timestamp())
}

/// A Pod that no commit denies, one that all do, and one that every second does.
fn bodies() -> Vec<String> {
    let body = |name: &str, image: &str, privileged: bool| {
        json!({
            "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
            "request": {
                "uid": name, "kind": { "group": "", "version": "v1", "kind": "Pod" },
                "resource": { "group": "", "version": "v1", "resource": "pods" },
                "name": name, "namespace": "shop", "operation": "CREATE", "userInfo": { "username": "jane" },
                "object": { "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name, "namespace": "shop" },
                    "spec": { "containers": [
                        { "name": "c", "image": image, "securityContext": { "privileged": privileged } },
                    ] } },
            },
        })
        .to_string()
    };
    vec![body("good", "i:1", false), body("bad", "i:1", true), body("untagged", "i", false)]
}

/// What the program says of a request under a commit of the repository, in a process of its own.
fn fresh(repository: &Repository, id: &str, body: &str) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshgate"));
    command.args(["review", "-", "--phase", "validate", "--mode", "deny", "-q", "-p"]);
    command.arg(format!("git::{}//policies?ref={id}", repository.url()));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(body.as_bytes()).unwrap();
    let said = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    // On the command line a repository has the name of its folder.
    let said = said.replace("work@", "platform@");
    serde_json::from_str::<Value>(&said).unwrap()["response"].take()
}

/// A push that came in force: its commit, when it was asked for, and when the first answer named it.
struct Came {
    id: String,
    polled: Instant,
    active: Instant,
}

impl Came {
    fn took(&self) -> Duration {
        self.active.saturating_duration_since(self.polled)
    }

    fn has(&self, said: &Said) -> bool {
        said.due >= self.polled && said.due <= self.active
    }
}

#[test]
fn no_answer_fails_and_each_is_a_fresh_review_under_the_commit_that_it_names() {
    let (world, _) = World::new();
    let first = commit(&world.repository, 0);
    world.push_head();
    let (process, bodies) = (world.started(&first), bodies());
    let (pushed, said) = while_asked(&process, &bodies, || {
        (1..=pushes()).map(|number| push(&world, &process, number)).collect::<Vec<_>>()
    });
    let failed: Vec<&str> =
        said.iter().filter_map(|said| said.response.as_ref().err()).map(String::as_str).collect();
    assert!(failed.is_empty(), "{} of {} failed, as {}", failed.len(), said.len(), failed[0]);
    let named = compared(&world.repository, &bodies, &said, &first, &pushed);
    let came: Vec<Came> = pushed.iter().map(|(id, done)| came(&world, &said, id, *done)).collect();
    print(&came, &said, named);
}

/// Pushes, waits until it is in force and some were answered by it; the commit, and when the push had ended.
fn push(world: &World, process: &Process, number: usize) -> (String, Instant) {
    let id = commit(&world.repository, number);
    world.push_head();
    let done = Instant::now();
    process.until("the push", |process| process.active().as_deref() == Some(id.as_str()));
    sleep(Duration::from_millis(100));
    (id, done)
}

/// Compares each answer with a fresh one; how many commits were named.
fn compared(
    repository: &Repository,
    bodies: &[String],
    said: &[Said],
    first: &str,
    pushed: &[(String, Instant)],
) -> usize {
    let ids = std::iter::once(first).chain(pushed.iter().map(|(id, _)| id.as_str()));
    let ids: BTreeMap<&str, &str> = ids.map(|id| (short(id), id)).collect();
    let mut expected: BTreeMap<(&str, usize), Value> = BTreeMap::new();
    let (mut named, mut denied) = (std::collections::BTreeSet::new(), 0_usize);
    for said in said {
        let commit = said.commit().unwrap_or_else(|| panic!("{:?} names no commit", said.response));
        let id = ids.get(commit).unwrap_or_else(|| panic!("{commit} was never pushed"));
        let fresh =
            expected.entry((id, said.body)).or_insert_with(|| fresh(repository, id, &bodies[said.body]));
        assert_eq!(said.response.as_ref().ok(), Some(&*fresh), "{commit}");
        denied += usize::from(fresh["allowed"] == false);
        named.insert(commit);
    }
    assert!(denied > said.len() / 4 && denied < said.len(), "{denied} of {} denied", said.len());
    assert_eq!(named.len(), ids.len(), "each commit answered");
    named.len()
}

fn came(world: &World, said: &[Said], id: &str, done: Instant) -> Came {
    let polled = world.server.asked().into_iter().find(|at| *at >= done).unwrap();
    let named = said.iter().filter(|said| said.commit() == Some(short(id)));
    Came { id: id.to_owned(), polled, active: named.map(|said| said.came).min().unwrap() }
}

/// How long it takes the machine decides, so it is printed.
fn print(came: &[Came], said: &[Said], named: usize) {
    let slowest = came.iter().max_by_key(|came| came.took()).unwrap();
    println!(
        "{} pushes, {} answers of {named} commits, 0 failed, 0 other than a fresh review; from the poll to the first answer: median {} ms, slowest {} ms ({})",
        came.len(),
        said.len(),
        quantile(came.iter().map(Came::took), 500).as_millis(),
        slowest.took().as_millis(),
        short(&slowest.id),
    );
    let during = |said: &&Said| came.iter().any(|came| came.has(said));
    for (when, is_during) in [("while a push comes in force", true), ("else", false)] {
        tell(when, said.iter().filter(|said| during(said) == is_during));
    }
}
