//! The pull secrets of a Pod, as the kubelet takes them: those that it names, else those of its service account, of its own
//! namespace and by their names alone. One that is not there or can't be used is gone on without; what a registry then
//! refuses is an error, and says which were lacking.

mod stated;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::join_all;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroizing;

use super::credentials::CredentialSet;
use super::source::{Gathered, SourceError};
use crate::context::{Fact, Puller};
use crate::kubernetes::label_selector::is_dns_subdomain;

pub use stated::StatedPullSecrets;

/// How many are looked at for one Pod. Each is a question to the API server.
const SECRETS: usize = 16;

/// The largest configuration that is read of a Secret: it is kept for a while, and a credential has some hundred bytes.
const BYTES: usize = 64 << 10;

/// The most credentials of a Secret.
const ENTRIES: usize = 64;

/// The service account of a Pod that names none (k8s.io/api/core/v1, PodSpec).
const DEFAULT: &str = "default";

/// What a look-up will say.
pub type Looked<'a, T> = Pin<Box<dyn Future<Output = Result<T, Lacking>> + Send + 'a>>;

/// Somebody who has Secrets and service accounts.
pub trait PullSecrets: Send + Sync {
    /// The credentials in a Secret.
    fn secret<'a>(&'a self, namespace: &'a str, name: &'a str) -> Looked<'a, CredentialSet>;

    /// The names in `imagePullSecrets` of a service account, in their order.
    fn account<'a>(&'a self, namespace: &'a str, name: &'a str) -> Looked<'a, Vec<String>>;
}

/// Why there are no credentials of a pull secret. Nothing of its content is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Lacking {
    /// There is no object of the name.
    #[error("is not there")]
    Absent,
    /// Whether there is one can't be told: no right to read it, or no answer.
    #[error("can't be read by meshgate")]
    Unreadable,
    /// It is of another type than a pull secret, or holds no Docker configuration of up to 64 KiB and 64 credentials.
    #[error("is no pull secret that can be used")]
    Unusable,
}

/// What a Pod may show to registries.
#[derive(Debug, Default)]
pub(super) struct Pulled {
    pub(super) credentials: CredentialSet,
    /// What is shown where an authority keeps its evidence beside other images: nothing of a Pod's, whose author could
    /// choose as whom it is looked for, and so what is found.
    pub(super) elsewhere: CredentialSet,
    /// What was gone on without, in our words.
    lacking: Vec<String>,
    /// Whether something of it is there, or may be, and could not be read: that nothing is found then says nothing.
    is_in_part: bool,
}

/// The credentials of a Pod.
pub(super) async fn pulled(of: &dyn PullSecrets, puller: &Puller, until: Instant) -> Pulled {
    if puller.namespace.is_empty() {
        return Pulled::default();
    }
    timeout_at(until, looked_up(of, puller)).await.unwrap_or_else(|_| Pulled {
        lacking: vec!["its pull secrets were not read in time".to_owned()],
        is_in_part: true,
        ..Pulled::default()
    })
}

async fn looked_up(of: &dyn PullSecrets, puller: &Puller) -> Pulled {
    let (mut pulled, namespace) = (Pulled::default(), puller.namespace.as_str());
    let account = Some(puller.service_account.as_str()).filter(|name| !name.is_empty()).unwrap_or(DEFAULT);
    let names: Arc<[String]> = match &*puller.secrets {
        // The API server has written those of the service account into a Pod, and into no template.
        [] if puller.nameless == 0 => match of.account(namespace, account).await {
            Ok(names) => names.into(),
            Err(why) => {
                pulled.lacks("service account", account, why);
                Arc::default()
            }
        },
        _ => Arc::clone(&puller.secrets),
    };
    if puller.nameless > 0 {
        pulled.lacking.push("what names its pull secrets or service account is in part no name".to_owned());
    }
    if names.len().saturating_add(puller.nameless) > SECRETS {
        pulled.lacking.push(format!("of its pull secrets the first {SECRETS} are read"));
    }
    let looked = names.iter().take(SECRETS).map(|name| of.secret(namespace, name));
    let mut sets = Vec::new();
    for (name, found) in names.iter().zip(join_all(looked).await) {
        match found {
            Ok(own) => sets.push(own),
            Err(why) => pulled.lacks("pull secret", name, why),
        }
    }
    pulled.credentials = CredentialSet::joined(&sets);
    pulled
}

impl Pulled {
    /// Of somebody who asks for himself, with credentials that are known in full.
    pub(super) fn with(credentials: CredentialSet) -> Self {
        Self { elsewhere: credentials.clone(), credentials, ..Self::default() }
    }

    fn lacks(&mut self, what: &str, name: &str, why: Lacking) {
        self.is_in_part |= why == Lacking::Unreadable;
        self.lacking.push(format!("its {what} `{name}` {why}"));
    }

    /// What a source found, unless it is nothing and could be so for want of what was not read.
    pub(super) fn found(&self, answer: Result<Gathered, SourceError>) -> Result<Gathered, SourceError> {
        let is_nothing = |gathered: &Gathered| gathered.evidence.is_empty() && gathered.unread.is_empty();
        match answer {
            Ok(gathered) if self.is_in_part && is_nothing(&gathered) => Err(SourceError::PullSecrets),
            answer => answer,
        }
    }

    /// A fact that was learnt with it, which says where a refusal may come from.
    pub(super) fn told(&self, fact: Fact) -> Fact {
        if self.lacking.is_empty() {
            return fact;
        }
        let lacking = self.lacking.join("; ");
        match fact {
            Fact::Unknown(why) if why == SourceError::NotFound.to_string() => {
                Fact::Unknown(format!("{why}; {lacking}"))
            }
            Fact::Known(mut entry) => {
                let errors = entry.get_mut("errors").and_then(Value::as_array_mut);
                let codes = [SourceError::NotFound.code(), SourceError::PullSecrets.code()];
                let is_refused = |one: &&mut Value| {
                    one.get("code").and_then(Value::as_str).is_some_and(|code| codes.contains(&code))
                };
                for error in errors.into_iter().flatten().filter(is_refused) {
                    let message = error.get("message").and_then(Value::as_str).unwrap_or_default();
                    let message = format!("{message}; {lacking}");
                    error.as_object_mut().map(|members| members.insert("message".to_owned(), message.into()));
                }
                Fact::Known(entry)
            }
            other => other,
        }
    }
}

/// The credentials in a Secret of the types `kubernetes.io/dockerconfigjson` and `kubernetes.io/dockercfg`
/// (k8s.io/api/core/v1, SecretType).
///
/// # Errors
/// It is of another type, or holds nothing that can be used.
pub fn of_secret(secret: &Value) -> Result<CredentialSet, Lacking> {
    let (key, is_bare) = match secret.get("type").and_then(Value::as_str) {
        Some("kubernetes.io/dockerconfigjson") => (".dockerconfigjson", false),
        Some("kubernetes.io/dockercfg") => (".dockercfg", true),
        _ => return Err(Lacking::Unusable),
    };
    let text = |member: &str| secret.get(member).and_then(|data| data.get(key)).and_then(Value::as_str);
    let content = match (text("stringData"), text("data")) {
        // As the API server does when it is written.
        (Some(written), _) => written.as_bytes().to_vec(),
        (None, Some(encoded)) => STANDARD.decode(encoded).map_err(|_| Lacking::Unusable)?,
        (None, None) => return Err(Lacking::Unusable),
    };
    let content = Zeroizing::new(content);
    if content.len() > BYTES {
        return Err(Lacking::Unusable);
    }
    let set = CredentialSet::of_pull_secret(&content, is_bare).map_err(|_| Lacking::Unusable)?;
    if set.len() > ENTRIES { Err(Lacking::Unusable) } else { Ok(set) }
}

/// The names in `imagePullSecrets` of a service account, as many as it takes to see that there are too many.
pub fn of_account(account: &Value) -> Vec<String> {
    let secrets = account.get("imagePullSecrets").and_then(Value::as_array).into_iter().flatten();
    let names =
        secrets.filter_map(|secret| secret.get("name")?.as_str().filter(|name| is_dns_subdomain(name)));
    names.take(SECRETS.saturating_add(1)).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use serde_json::json;

    use super::*;

    /// What each Secret comes to by its name; any other one is never answered.
    struct Named;

    impl PullSecrets for Named {
        fn secret<'a>(&'a self, _: &'a str, name: &'a str) -> Looked<'a, CredentialSet> {
            Box::pin(async move {
                match name {
                    "absent" => Err(Lacking::Absent),
                    "unreadable" => Err(Lacking::Unreadable),
                    "unusable" => Err(Lacking::Unusable),
                    _ => pending().await,
                }
            })
        }

        fn account<'a>(&'a self, _: &'a str, _: &'a str) -> Looked<'a, Vec<String>> {
            Box::pin(async { Ok(vec!["unreadable".to_owned()]) })
        }
    }

    async fn nothing_for(secrets: &[&str], nameless: usize) -> (bool, String) {
        let secrets = secrets.iter().map(|&name| name.to_owned()).collect();
        let puller = Puller { namespace: "shop".to_owned(), secrets, nameless, ..Puller::default() };
        let until = Instant::now().checked_add(std::time::Duration::from_millis(50)).unwrap();
        let pulled = pulled(&Named, &puller, until).await;
        let is_known = pulled.found(Ok(Gathered::default())).is_ok();
        (is_known, pulled.lacking.join("; "))
    }

    #[tokio::test]
    async fn nothing_is_no_answer_while_a_secret_is_not_read() {
        let rows: [(&[&str], usize, bool, &str); 6] = [
            (&["absent"], 0, true, "is not there"),
            (&["unusable"], 0, true, "can be used"),
            (&["absent", "unreadable"], 0, false, "its pull secret `unreadable` can't be read by meshgate"),
            (&["slow"], 0, false, "not read in time"),
            (&[], 0, false, "its pull secret `unreadable` can't be read by meshgate"),
            // A list of what are no names is the Pod's own list still.
            (&[], 1, true, "in part no name"),
        ];
        for (secrets, nameless, expected, lacking) in rows {
            let (is_known, said) = nothing_for(secrets, nameless).await;
            assert!(is_known == expected && said.contains(lacking), "{secrets:?} {is_known} {said}");
        }
    }

    #[test]
    fn a_secret_of_too_many_credentials_is_unusable() {
        let of = |count: usize| {
            let auths: serde_json::Map<_, _> =
                (0..count).map(|index| (format!("r{index}.io"), json!({ "auth": "YTpi" }))).collect();
            let content = json!({ "auths": auths }).to_string();
            let data = json!({ ".dockerconfigjson": content });
            of_secret(&json!({ "type": "kubernetes.io/dockerconfigjson", "stringData": data }))
        };
        assert_eq!(of(ENTRIES).map(|set| set.len()), Ok(ENTRIES));
        assert_eq!(of(ENTRIES + 1), Err(Lacking::Unusable));
    }
}
