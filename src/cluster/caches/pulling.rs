//! Pull secrets as the API server has them: read by name, never listed or watched, and kept for a moment.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kube::{Client, Error};
use serde_json::Value;
use tokio::time::{Instant, sleep};
use zeroize::{Zeroize, Zeroizing};

use super::super::connection::Connection;
use super::lookups::{Lookups, Reading};
use crate::image::{CredentialSet, Lacking, Looked, PullSecrets, of_account, of_secret};
use crate::kubernetes::label_selector::is_dns_subdomain;

/// How long one is kept.
const KEPT: Duration = Duration::from_secs(60);
/// How long it is kept that there is none: it often follows within seconds.
const LACKED: Duration = Duration::from_secs(3);
/// How many are kept.
const MOST: usize = 512;

/// The Secrets and service accounts of the cluster that Pods name.
pub struct PullSecretsOfCluster {
    lookups: Lookups<Arc<Wiped>>,
    secrets: Arc<Kept<CredentialSet>>,
    accounts: Arc<Kept<Vec<String>>>,
}

/// What was read, by its path, and when.
type Kept<T> = Mutex<BTreeMap<String, (Instant, Result<T, Lacking>)>>;

/// An object whose texts are overwritten when nobody needs it any more.
struct Wiped(Value);

impl Drop for Wiped {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

/// Objects of the API server are not deep: it takes none that are.
fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(members) => members.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Nothing of what was answered is in an error.
fn read(text: String) -> Result<Arc<Wiped>, String> {
    let text = Zeroizing::new(text);
    let object = serde_json::from_str(&text).map_err(|_| "what the API server says is no JSON".to_owned())?;
    Ok(Arc::new(Wiped(object)))
}

fn said(error: &Error) -> String {
    match error {
        // Of an answer that is no Status.
        Error::Api(status) if status.code == 0 => "the API server fails".to_owned(),
        Error::Api(status) => format!("the API server says {}", status.code),
        Error::FromUtf8(_) => "what the API server says is no text".to_owned(),
        error => error.to_string(),
    }
}

impl PullSecretsOfCluster {
    /// Asks the API server.
    pub fn new(connection: &Connection) -> Self {
        Self::of(connection.client())
    }

    fn of(client: Client) -> Self {
        let lookups = Lookups::reading(client, Reading { read, said });
        Self { lookups, secrets: Arc::default(), accounts: Arc::default() }
    }

    /// The object of a resource in a namespace, and what is made of it.
    async fn found<T: Clone + Send + 'static>(
        &self,
        kept: &Arc<Kept<T>>,
        (namespace, resource, name): (&str, &str, &str),
        made: impl FnOnce(&Value) -> Result<T, Lacking>,
    ) -> Result<T, Lacking> {
        if !is_dns_subdomain(namespace) || !is_dns_subdomain(name) {
            return Err(Lacking::Absent);
        }
        let path = format!("/api/v1/namespaces/{namespace}/{resource}");
        let key = format!("{path}/{name}");
        if let Some(known) = known(kept, &key) {
            return known;
        }
        let found = match self.lookups.get_in_turn(&path, name, namespace).await {
            Ok(Some(object)) => made(&object.0),
            Ok(None) => Err(Lacking::Absent),
            Err(why) => {
                // What the API server did not say is asked again.
                tracing::warn!(namespace, resource, name, why, "a pull secret can't be read");
                return Err(Lacking::Unreadable);
            }
        };
        keep(kept, key, found.clone(), longest(&found));
        found
    }
}

fn longest<T>(found: &Result<T, Lacking>) -> Duration {
    if found.is_ok() { KEPT } else { LACKED }
}

fn known<T: Clone>(kept: &Kept<T>, key: &str) -> Option<Result<T, Lacking>> {
    let all = kept.lock().unwrap_or_else(PoisonError::into_inner);
    let (at, found) = all.get(key)?;
    (at.elapsed() < longest(found)).then(|| found.clone())
}

/// Keeps it for its time, and no longer, whether or not somebody asks again.
fn keep<T: Send + 'static>(kept: &Arc<Kept<T>>, key: String, found: Result<T, Lacking>, longest: Duration) {
    let now = Instant::now();
    {
        let mut all = kept.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST {
            let oldest = all.iter().min_by_key(|(_, (at, _))| *at).map(|(key, _)| key.clone());
            oldest.map(|oldest| all.remove(&oldest));
        }
        all.insert(key.clone(), (now, found));
    }
    let kept = Arc::downgrade(kept);
    tokio::spawn(async move {
        sleep(longest).await;
        let Some(kept) = kept.upgrade() else { return };
        let mut all = kept.lock().unwrap_or_else(PoisonError::into_inner);
        // It may have been read again.
        if all.get(&key).is_some_and(|(at, _)| *at == now) {
            all.remove(&key);
        }
    });
}

impl PullSecrets for PullSecretsOfCluster {
    fn secret<'a>(&'a self, namespace: &'a str, name: &'a str) -> Looked<'a, CredentialSet> {
        Box::pin(self.found(&self.secrets, (namespace, "secrets", name), of_secret))
    }

    fn account<'a>(&'a self, namespace: &'a str, name: &'a str) -> Looked<'a, Vec<String>> {
        let made = |account: &Value| Ok(of_account(account));
        Box::pin(self.found(&self.accounts, (namespace, "serviceaccounts", name), made))
    }
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use kube::Config;
    use serde_json::json;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tracing::field::{Field, Visit};
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Metadata, Subscriber};

    use super::*;

    const CANARY: &str = "canary-of-a-secret";

    /// The client of an API server that answers everything so.
    async fn answering(status: u16, body: Vec<u8>) -> Client {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n\r\n", body.len());
                let answer = [head.as_bytes(), &body].concat();
                tokio::spawn(async move {
                    let mut request = [0; 4096];
                    // A request is no longer than a packet.
                    while stream.read(&mut request).await.is_ok_and(|count| count > 0) {
                        stream.write_all(&answer).await.unwrap();
                    }
                });
            }
        });
        Client::try_from(Config::new(url)).unwrap()
    }

    fn secret() -> Value {
        let auths = json!({ "auths": { "a.io": { "username": "u", "password": CANARY } } }).to_string();
        let data = json!({ ".dockerconfigjson": STANDARD.encode(auths) });
        json!({ "kind": "Secret", "type": "kubernetes.io/dockerconfigjson", "data": data })
    }

    /// What is logged at any level, all of it.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<String>>);

    impl Visit for Log {
        fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
            self.0.lock().unwrap().push_str(&format!("{}={value:?}\n", field.name()));
        }
    }

    impl Subscriber for Log {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, span: &Attributes<'_>) -> Id {
            span.record(&mut self.clone());
            Id::from_u64(1)
        }

        fn record(&self, _: &Id, values: &Record<'_>) {
            values.record(&mut self.clone());
        }

        fn record_follows_from(&self, _: &Id, _: &Id) {}

        fn event(&self, event: &Event<'_>) {
            event.record(&mut self.clone());
        }

        fn enter(&self, _: &Id) {}

        fn exit(&self, _: &Id) {}
    }

    #[tokio::test]
    async fn nothing_of_a_secret_is_logged_whatever_the_api_server_says() {
        let log = Log::default();
        let _guard = tracing::subscriber::set_default(log.clone());
        let good = secret().to_string();
        let encoded = STANDARD.encode(CANARY);
        let rows: [(u16, Vec<u8>, Result<usize, Lacking>); 6] = [
            (200, good.clone().into_bytes(), Ok(1)),
            // Cut off, no JSON, no text, no object, an error that repeats it.
            (200, good.trim_end_matches('}').as_bytes().to_vec(), Err(Lacking::Unreadable)),
            (200, format!("{CANARY} {encoded}").into_bytes(), Err(Lacking::Unreadable)),
            (200, [CANARY.as_bytes(), b"\xff"].concat(), Err(Lacking::Unreadable)),
            (200, format!("\"{CANARY}\"").into_bytes(), Err(Lacking::Unusable)),
            (502, good.into_bytes(), Err(Lacking::Unreadable)),
        ];
        for (status, body, expected) in rows {
            let of = PullSecretsOfCluster::of(answering(status, body.clone()).await);
            let found = of.secret("shop", "regcred").await.map(|set| set.len());
            assert_eq!(found, expected, "{status} {}", String::from_utf8_lossy(&body));
        }
        let log = log.0.lock().unwrap().clone();
        let data = secret()["data"][".dockerconfigjson"].as_str().unwrap().to_owned();
        assert!(log.contains("a pull secret can't be read"), "{log}");
        for canary in [CANARY, &encoded, &data] {
            assert!(!log.contains(canary), "{log}");
        }
    }

    #[tokio::test]
    async fn what_was_read_is_gone_after_its_time() {
        let (kept, step) = (Arc::<Kept<u8>>::default(), Duration::from_millis(100));
        let names = || kept.lock().unwrap().keys().cloned().collect::<Vec<_>>();
        let again = |found| keep(&kept, "there".to_owned(), found, step * 4);
        again(Ok(1));
        keep(&kept, "absent".to_owned(), Err(Lacking::Absent), step);
        sleep(step * 3).await;
        assert_eq!(names(), ["there"]);
        // Read again it stays for another while.
        again(Ok(2));
        sleep(step * 2).await;
        assert_eq!((names().len(), known(&kept, "there")), (1, Some(Ok(2))));
        sleep(step * 4).await;
        assert!(names().is_empty());
    }

    #[test]
    fn texts_are_overwritten() {
        let mut object = json!({ "a": ["x", { "b": CANARY }], "c": 1 });
        wipe(&mut object);
        assert_eq!(object, json!({ "a": ["", { "b": "" }], "c": 1 }));
    }
}
