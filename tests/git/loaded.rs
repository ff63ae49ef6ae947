//! Pushes come in force while requests are answered: none fails, and each answer says what the commit says that it names.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::repository::short;
use crate::world::World;

/// How many commits are pushed.
const PUSHES: usize = 12;

/// How many ask at the same time.
const CLIENTS: usize = 2;

#[test]
fn no_answer_fails_or_says_what_another_commit_says() {
    let (world, first) = World::new();
    let process = world.started(&first);
    let mut messages = BTreeMap::from([(short(&first).to_owned(), "[x/a] first".to_owned())]);
    let is_done = AtomicBool::new(false);
    let ask = || {
        let mut said = Vec::new();
        while !is_done.load(Ordering::SeqCst) {
            let (status, answer) = process.review();
            let response = &answer["response"];
            let revision = response["auditAnnotations"]["validate-revision"].as_str().unwrap_or_default();
            let message = response["status"]["message"].as_str().unwrap_or_default();
            said.push((status, revision.to_owned(), message.to_owned()));
        }
        said
    };
    let said: Vec<(u16, String, String)> = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(ask)).collect();
        for n in 0..PUSHES {
            let message = format!("push {n}");
            let id = world.push(&message);
            messages.insert(short(&id).to_owned(), format!("[x/a] {message}"));
            process.until("the push", |process| process.active().as_deref() == Some(id.as_str()));
        }
        is_done.store(true, Ordering::SeqCst);
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    for (status, revision, message) in &said {
        let id = revision.strip_prefix("platform@").and_then(|rest| rest.get(..12)).unwrap_or_default();
        assert_eq!(*status, 200, "{revision}: {message}");
        assert_eq!(message.lines().next(), messages.get(id).map(String::as_str), "{revision}");
    }
    let named: std::collections::BTreeSet<&str> =
        said.iter().map(|(_, revision, _)| revision.as_str()).collect();
    assert!(
        named.len() > PUSHES / 2 && said.len() > 100,
        "{} commits in {} answers",
        named.len(),
        said.len()
    );
}
