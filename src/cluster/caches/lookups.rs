//! One GET for an object that a watch has not shown yet: a Namespace of a moment ago, the ReplicaSet whose Pod is made.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::Shared;
use kube::core::Request;
use kube::{Client, Error};
use serde_json::Value;
use tokio::time::{sleep, timeout};

use super::said;
use crate::kubernetes::label_selector::is_dns_subdomain;

/// How long a GET may take, and how many there may be in a second (cluster: caches).
const PATIENCE: Duration = Duration::from_secs(1);
const A_SECOND: usize = 50;

/// How long who can wait for a look-up waits before asking again.
const TURN: Duration = Duration::from_millis(50);

/// What a GET comes to: the object, None where there is none, or why that can't be told.
pub(super) type Answer<T = Value> = Result<Option<T>, String>;

type Asked<T> = Shared<Pin<Box<dyn Future<Output = Answer<T>> + Send>>>;

/// What is made of an answer, and what is said of an error.
pub(super) struct Reading<T> {
    /// Of the object as the API server wrote it.
    pub(super) read: fn(String) -> Result<T, String>,
    pub(super) said: fn(&Error) -> String,
}

/// Those that are under way. Whoever asks for the same object waits for the same answer.
pub(super) struct Lookups<T = Value> {
    client: Client,
    reading: Reading<T>,
    under_way: Arc<Mutex<BTreeMap<String, Asked<T>>>>,
    begun: Mutex<Begun>,
}

/// What was begun since when, and by whom of those who wait for their turn.
struct Begun {
    since: Instant,
    all: usize,
    by: BTreeMap<String, usize>,
}

impl Begun {
    fn now() -> Self {
        Self { since: Instant::now(), all: 0, by: BTreeMap::new() }
    }

    /// Whether one more may begin. `whose`: None where it is for everybody. Who waits for its turn has at the most as many as
    /// are left for all others, so that whoever comes late finds some: alone half of them, two of them a third each.
    fn one_more(&mut self, whose: Option<&str>) -> bool {
        let left = A_SECOND.saturating_sub(self.all);
        let own = whose.map_or(0, |whose| self.by.get(whose).copied().unwrap_or_default());
        let may = left > 0 && (whose.is_none() || own < left);
        if may {
            self.all = self.all.saturating_add(1);
            whose.map(|whose| self.by.insert(whose.to_owned(), own.saturating_add(1)));
        }
        may
    }
}

impl Lookups {
    /// Of objects, read as they are.
    pub(super) fn new(client: Client) -> Self {
        let read = |text: String| serde_json::from_str(&text).map_err(|why| format!("no JSON: {why}"));
        Self::reading(client, Reading { read, said })
    }

    /// The object `name` below `path`. The name may come from a request: what no object can be called (a DNS subdomain;
    /// apimachinery, pkg/api/validation) has a meaning in a path, and is not asked for.
    pub(super) async fn get(&self, path: &str, name: &str) -> Answer {
        if !is_dns_subdomain(name) {
            return Ok(None);
        }
        let asked = self.begin(path, name, None);
        asked.ok_or_else(|| format!("more than {A_SECOND} look-ups in a second"))?.await
    }
}

impl<T: Clone + Send + Sync + 'static> Lookups<T> {
    /// Of what is made of objects.
    pub(super) fn reading(client: Client, reading: Reading<T>) -> Self {
        Self { client, reading, under_way: Arc::default(), begun: Mutex::new(Begun::now()) }
    }

    /// The same for who can wait: where there are too many, or too many of a namespace, it comes in its turn. Whoever asks
    /// says until when.
    pub(super) async fn get_in_turn(&self, path: &str, name: &str, namespace: &str) -> Answer<T> {
        if !is_dns_subdomain(name) {
            return Ok(None);
        }
        loop {
            if let Some(asked) = self.begin(path, name, Some(namespace)) {
                return asked.await;
            }
            sleep(TURN).await;
        }
    }

    /// What is under way for that object, or begins; None: there are too many.
    fn begin(&self, path: &str, name: &str, whose: Option<&str>) -> Option<Asked<T>> {
        let full = format!("{path}/{name}");
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(asked) = under_way.get(&full) {
            return Some(asked.clone());
        }
        self.may_begin(whose).then(|| {
            let asked = self.ask(path.to_owned(), name.to_owned(), full.clone());
            under_way.insert(full, asked.clone());
            asked
        })
    }

    fn ask(&self, path: String, name: String, full: String) -> Asked<T> {
        let (client, under_way) = (self.client.clone(), Arc::clone(&self.under_way));
        let Reading { read, said } = self.reading;
        let answer = tokio::spawn(async move {
            let answer = match timeout(PATIENCE, one(&client, &path, &name)).await {
                Ok(Ok(found)) => found.map(read).transpose(),
                Ok(Err(error)) => Err(said(&error)),
                Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
            };
            under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(&full);
            answer
        });
        let answer = async { answer.await.unwrap_or_else(|error| Err(error.to_string())) };
        let answer: Pin<Box<dyn Future<Output = Answer<T>> + Send>> = Box::pin(answer);
        answer.shared()
    }

    fn may_begin(&self, whose: Option<&str>) -> bool {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        if begun.since.elapsed() >= Duration::from_secs(1) {
            *begun = Begun::now();
        }
        begun.one_more(whose)
    }
}

/// The text of an object. Not read by the client, which logs what it can't read.
async fn one(client: &Client, path: &str, name: &str) -> Result<Option<String>, Error> {
    let request = Request::new(path).get(name, &Default::default()).map_err(Error::BuildRequest)?;
    match client.request_text(request).await {
        Ok(object) => Ok(Some(object)),
        Err(Error::Api(status)) if status.code == 404 => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use kube::Config;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn only_names_get_into_a_path() {
        for name in ["a", "web-7d9.x", "0"] {
            assert!(is_dns_subdomain(name), "{name}");
        }
        for name in ["", ".", "..", "a/b", "a%2fb", "a?b", "a#b", "A", "-a", "a-", "a..b", "a\n"] {
            assert!(!is_dns_subdomain(name), "{name:?}");
        }
    }

    /// The client of an API server that has nothing.
    async fn empty() -> Client {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let status = r#"{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404}"#;
                    let length = status.len();
                    let answer =
                        format!("HTTP/1.1 404 Not Found\r\nContent-Length: {length}\r\n\r\n{status}");
                    let mut request = [0; 4096];
                    // A request is no longer than a packet.
                    while stream.read(&mut request).await.is_ok_and(|count| count > 0) {
                        stream.write_all(answer.as_bytes()).await.unwrap();
                    }
                });
            }
        });
        Client::try_from(Config::new(url)).unwrap()
    }

    #[tokio::test]
    async fn who_can_wait_comes_in_its_turn_where_others_are_refused() {
        let names: Vec<String> = (0..60).map(|number| format!("s{number}")).collect();
        let (one, other) = (Lookups::new(empty().await), Lookups::new(empty().await));
        let at_once = join_all(names.iter().map(|name| one.get("/secrets", name))).await;
        let refused = at_once.iter().filter(|answer| answer.is_err()).count();
        assert_eq!(refused, 60 - A_SECOND);
        let in_turn = join_all(names.iter().map(|name| other.get_in_turn("/secrets", name, "shop"))).await;
        assert!(in_turn.iter().all(|answer| *answer == Ok(None)), "{in_turn:?}");
    }

    /// Who takes as many as it can leaves others some, however many of them there are.
    #[test]
    fn a_namespace_has_its_share() {
        let mut begun = Begun::now();
        let mut takes = |whose| (0..A_SECOND * 2).filter(|_| begun.one_more(Some(whose))).count();
        assert_eq!(["a", "b", "a", "c", "d"].map(&mut takes), [25, 13, 0, 6, 3]);
        // What is for everybody takes what is left.
        assert_eq!((0..A_SECOND).filter(|_| begun.one_more(None)).count(), 3);
        assert!(!begun.one_more(Some("e")));
    }
}
