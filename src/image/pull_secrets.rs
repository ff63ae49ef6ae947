//! The pull secrets of a Pod, as the kubelet takes them: those that it names, else those of its service account, of its own
//! namespace and by their names alone. One that is not there or can't be used is gone on without; what a registry then
//! refuses is an error, and says which were lacking.

mod stated;

use std::future::Future;
use std::pin::Pin;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::{Instant, timeout_at};

use super::credentials::CredentialSet;
use super::source::SourceError;
use crate::context::{Fact, Puller};

pub use stated::StatedPullSecrets;

/// How many are looked at for one Pod. Each is a question to the API server.
const SECRETS: usize = 16;

/// The largest configuration that is read of a Secret: it is kept for a while, and a credential has some hundred bytes.
const BYTES: usize = 64 << 10;

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
    /// It is of another type than a pull secret, or holds no Docker configuration of up to 64 KiB.
    #[error("is no pull secret that can be used")]
    Unusable,
}

/// What a Pod may show to registries.
#[derive(Debug, Default)]
pub(super) struct Pulled {
    pub(super) credentials: CredentialSet,
    /// What was gone on without, in our words.
    lacking: Vec<String>,
}

/// The credentials of a Pod.
pub(super) async fn pulled(of: &dyn PullSecrets, puller: &Puller, until: Instant) -> Pulled {
    if puller.namespace.is_empty() {
        return Pulled::default();
    }
    timeout_at(until, looked_up(of, puller)).await.unwrap_or_else(|_| Pulled {
        lacking: vec!["its pull secrets were not read in time".to_owned()],
        ..Pulled::default()
    })
}

async fn looked_up(of: &dyn PullSecrets, puller: &Puller) -> Pulled {
    let (mut pulled, namespace) = (Pulled::default(), puller.namespace.as_str());
    let account = Some(puller.service_account.as_str()).filter(|name| !name.is_empty()).unwrap_or(DEFAULT);
    let names = match puller.secrets.as_slice() {
        // The API server has written those of the service account into a Pod, and into no template.
        [] => match of.account(namespace, account).await {
            Ok(names) => names,
            Err(why) => {
                pulled.lacking.push(format!("its service account `{account}` {why}"));
                Vec::new()
            }
        },
        named => named.to_vec(),
    };
    if names.len() > SECRETS {
        pulled.lacking.push(format!("of its pull secrets the first {SECRETS} are read"));
    }
    let looked = names.iter().take(SECRETS).map(|name| of.secret(namespace, name));
    for (name, found) in names.iter().zip(join_all(looked).await) {
        match found {
            Ok(own) => pulled.credentials = pulled.credentials.and(&own),
            Err(why) => pulled.lacking.push(format!("its pull secret `{name}` {why}")),
        }
    }
    pulled
}

impl Pulled {
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
                let refused = errors.into_iter().flatten().filter(|one| {
                    one.get("code").and_then(Value::as_str) == Some(SourceError::NotFound.code())
                });
                for error in refused {
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
    if content.len() > BYTES {
        return Err(Lacking::Unusable);
    }
    let content = if is_bare {
        let auths: Value = serde_json::from_slice(&content).map_err(|_| Lacking::Unusable)?;
        json!({ "auths": auths }).to_string().into_bytes()
    } else {
        content
    };
    CredentialSet::of_docker_config(&content).map_err(|_| Lacking::Unusable)
}

/// The names in `imagePullSecrets` of a service account.
pub fn of_account(account: &Value) -> Vec<String> {
    let secrets = account.get("imagePullSecrets").and_then(Value::as_array).into_iter().flatten();
    secrets.filter_map(|secret| secret.get("name")?.as_str().map(str::to_owned)).collect()
}
