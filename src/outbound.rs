//! The one HTTP client: what registries and repositories are read with. HTTP/1.1 over TLS by rustls, every wait and every
//! body bounded, no redirect followed, no cookie kept, nothing decompressed, no proxy taken from the environment.
//!
//! Called by `image` and `source`. A [`Client`] is cheap to clone and shares its connections; whoever must not share
//! what a connection has seen (another set of credentials) makes another. Which host may be asked at all, and with whose
//! credentials, is its callers' business; that a redirect leads nowhere private is decided here, because only here the
//! address is known ([`Reach::Public`]). From a thread without a runtime: [`Blocking`].
//!
//! ```no_run
//! # async fn read() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::{Duration, Instant};
//! use meshgate::outbound::{Client, Request, Settings, Url};
//! let client = Client::new(&Settings::default())?;
//! let url = Url::parse("https://registry.example.com/v2/")?;
//! let until = Instant::now() + Duration::from_secs(5);
//! let response = client.send(Request::get(&url, until).header("accept", "application/json")).await?;
//! let body = response.body.read(64 * 1024).await?;
//! # Ok(()) }
//! ```

mod addresses;
mod blocking;
mod body;
mod client;
mod connect;
mod error;
mod request;
mod settings;
mod url;

pub use blocking::{Blocking, BlockingResponse};
pub use body::Body;
pub use client::Client;
pub use error::{OutboundError, SettingsError};
pub use request::{Reach, Request, Response};
pub use settings::{Plaintext, Settings, Waits};
pub use url::{Origin, Url, UrlError};
