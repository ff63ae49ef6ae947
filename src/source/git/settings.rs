//! A repository as the process's configuration names it.

use std::fs;

use super::{Credentials, GitSource, PATIENCE, Reference};
use crate::config::{self, GitReference, Source};
use crate::outbound::{Blocking, Plaintext, Settings, Url, Waits};

impl GitSource {
    /// Reads what the configuration names. Not within a runtime.
    ///
    /// # Errors
    /// What can't be used, by its place in the configuration.
    pub fn of(source: &Source) -> Result<Self, String> {
        let reference = match &source.reference {
            GitReference::Branch(name) => Reference::Branch(name.clone()),
            GitReference::Tag(name) => Reference::Tag(name.clone()),
            GitReference::Commit(id) => Reference::Commit(id.clone()),
        };
        let credentials = source.credentials.as_ref().map(|credentials| match credentials {
            config::Credentials::Basic { file, username } => {
                Credentials::Basic { username: username.clone(), file: file.clone() }
            }
            config::Credentials::Bearer(file) => Credentials::Bearer(file.clone()),
        });
        let client = if source.url.starts_with("http") { Some(client(source)?) } else { None };
        Ok(Self { url: source.url.clone(), reference, folder: source.path.clone(), client, credentials })
    }
}

fn client(source: &Source) -> Result<Blocking, String> {
    let url = Url::parse(&source.url).map_err(|error| format!("source.git.url: {error}"))?;
    let authorities = source.ca.as_ref().map(fs::read).transpose();
    let authorities = authorities.map_err(|error| format!("source.ca: can't be read: {error}"))?;
    let plaintext = if source.plaintext { Plaintext::Anywhere } else { Plaintext::Loopback };
    let of_environment = || proxy_of_environment(url.origin().host());
    let proxy = source.proxy.clone().or_else(of_environment);
    let proxy = proxy.map(|proxy| Url::parse(&proxy).map_err(|error| format!("source.proxy: {error}")));
    let waits = Waits { request: PATIENCE, ..Waits::default() };
    let settings = Settings { authorities, plaintext, proxy: proxy.transpose()?, waits };
    Blocking::new(&settings).map_err(|error| format!("source.ca: {error}"))
}

/// As other programs read the environment: `HTTPS_PROXY`, but not for hosts that `NO_PROXY` names by their ending.
fn proxy_of_environment(host: &str) -> Option<String> {
    let variable = |name: &str| {
        let value = std::env::var(name).or_else(|_| std::env::var(name.to_lowercase()));
        value.ok().filter(|value| !value.is_empty())
    };
    let proxy = variable("HTTPS_PROXY")?;
    let without = variable("NO_PROXY").unwrap_or_default();
    let is_without = without.split(',').map(|name| name.trim().trim_start_matches('.')).any(|name| {
        name == "*"
            || host == name
            || (!name.is_empty() && host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.')))
    });
    if is_without { None } else { Some(proxy) }
}
