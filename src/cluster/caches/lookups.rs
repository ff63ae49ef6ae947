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
pub(super) type Answer = Result<Option<Value>, String>;

type Asked = Shared<Pin<Box<dyn Future<Output = Answer> + Send>>>;

/// Those that are under way. Whoever asks for the same object waits for the same answer.
pub(super) struct Lookups {
    client: Client,
    under_way: Arc<Mutex<BTreeMap<String, Asked>>>,
    begun: Mutex<(Instant, usize)>,
}

impl Lookups {
    pub(super) fn new(client: Client) -> Self {
        Self { client, under_way: Arc::default(), begun: Mutex::new((Instant::now(), 0)) }
    }

    /// The object `name` below `path`. The name may come from a request: what no object can be called (a DNS subdomain;
    /// apimachinery, pkg/api/validation) has a meaning in a path, and is not asked for.
    pub(super) async fn get(&self, path: &str, name: &str) -> Answer {
        if !is_dns_subdomain(name) {
            return Ok(None);
        }
        let asked = self.begin(path, name);
        asked.ok_or_else(|| format!("more than {A_SECOND} look-ups in a second"))?.await
    }

    /// The same for who can wait: where there are too many, it comes in its turn. Whoever asks says until when.
    pub(super) async fn get_in_turn(&self, path: &str, name: &str) -> Answer {
        if !is_dns_subdomain(name) {
            return Ok(None);
        }
        loop {
            if let Some(asked) = self.begin(path, name) {
                return asked.await;
            }
            sleep(TURN).await;
        }
    }

    /// What is under way for that object, or begins; None: there are too many.
    fn begin(&self, path: &str, name: &str) -> Option<Asked> {
        let full = format!("{path}/{name}");
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(asked) = under_way.get(&full) {
            return Some(asked.clone());
        }
        self.may_begin().then(|| {
            let asked = self.ask(path.to_owned(), name.to_owned(), full.clone());
            under_way.insert(full, asked.clone());
            asked
        })
    }

    fn ask(&self, path: String, name: String, full: String) -> Asked {
        let (client, under_way) = (self.client.clone(), Arc::clone(&self.under_way));
        let answer = tokio::spawn(async move {
            let answer = match timeout(PATIENCE, one(&client, &path, &name)).await {
                Ok(Ok(object)) => Ok(object),
                Ok(Err(error)) => Err(said(&error)),
                Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
            };
            under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(&full);
            answer
        });
        let answer = async { answer.await.unwrap_or_else(|error| Err(error.to_string())) };
        let answer: Pin<Box<dyn Future<Output = Answer> + Send>> = Box::pin(answer);
        answer.shared()
    }

    fn may_begin(&self) -> bool {
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        if begun.0.elapsed() >= Duration::from_secs(1) {
            *begun = (Instant::now(), 0);
        }
        begun.1 = begun.1.saturating_add(1);
        begun.1 <= A_SECOND
    }
}

async fn one(client: &Client, path: &str, name: &str) -> Result<Option<Value>, Error> {
    let request = Request::new(path).get(name, &Default::default()).map_err(Error::BuildRequest)?;
    match client.request(request).await {
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
        let in_turn = join_all(names.iter().map(|name| other.get_in_turn("/secrets", name))).await;
        assert!(in_turn.iter().all(|answer| *answer == Ok(None)), "{in_turn:?}");
    }
}
