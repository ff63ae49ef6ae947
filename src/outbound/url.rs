//! Where to ask: `http` or `https`, a host, a port, a path and a query. Neither user information nor fragment.

use core::net::IpAddr;
use std::fmt;

use hyper::Uri;

/// An absolute URL. Its text leaves the query out, which may hold a signature that is as good as a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Url {
    origin: Origin,
    /// Path and query, from the slash on.
    path: String,
}

/// Who is asked: what credentials are bound to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    https: bool,
    host: String,
    port: u16,
}

/// Why a text is no URL that can be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Of another scheme, or of none.
    #[error("a URL begins with https:// or http://")]
    Scheme,
    /// With a user or a password.
    #[error("a URL holds no user and no password; credentials have a place of their own")]
    UserInfo,
    /// Not of the form.
    #[error("a URL is https://host[:port]/path, in ASCII and without spaces")]
    Format,
}

impl Url {
    /// Reads an absolute URL; a fragment is cut off.
    ///
    /// # Errors
    /// [`UrlError`].
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let (scheme, rest) = text.split_once("://").ok_or(UrlError::Scheme)?;
        let https = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(UrlError::Scheme),
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(end).ok_or(UrlError::Format)?;
        Ok(Self { origin: Origin::parse(https, authority)?, path: checked_path(path)? })
    }

    /// The place that a `Location` or a `Link` means (RFC 3986, 5.2), without dots in its path.
    ///
    /// # Errors
    /// [`UrlError`].
    pub fn join(&self, reference: &str) -> Result<Self, UrlError> {
        let reference = reference.split('#').next().unwrap_or_default();
        let scheme_end = reference.find("://").filter(|end| {
            reference.get(..*end).is_some_and(|scheme| scheme.bytes().all(|b| b.is_ascii_alphanumeric()))
        });
        if scheme_end.is_some() {
            return Self::parse(reference);
        }
        let scheme = if self.origin.https { "https" } else { "http" };
        if reference.starts_with("//") {
            return Self::parse(&format!("{scheme}:{reference}"));
        }
        let own = self.path.split('?').next().unwrap_or_default();
        let path = match reference.chars().next() {
            None => self.path.clone(),
            Some('/') => reference.to_owned(),
            Some('?') => format!("{own}{reference}"),
            Some(_) => {
                let directory = own.rsplit_once('/').map_or("", |(directory, _)| directory);
                format!("{directory}/{reference}")
            }
        };
        Ok(Self { origin: self.origin.clone(), path: checked_path(&path)? })
    }

    /// The same place with another path, from its slash on, and perhaps a query.
    ///
    /// # Errors
    /// [`UrlError::Format`].
    pub fn at(&self, path: &str) -> Result<Self, UrlError> {
        Ok(Self { origin: self.origin.clone(), path: checked_path(path)? })
    }

    /// Who is asked.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Path and query, from the slash on.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The same for hyper.
    pub(super) fn uri(&self) -> Result<Uri, UrlError> {
        format!("{}{}", self.origin, self.path).parse().map_err(|_| UrlError::Format)
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.path.split('?').next().unwrap_or_default())
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Origin {
    fn parse(https: bool, authority: &str) -> Result<Self, UrlError> {
        if authority.contains('@') {
            return Err(UrlError::UserInfo);
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']').ok_or(UrlError::Format)?;
                host.parse::<core::net::Ipv6Addr>().map_err(|_| UrlError::Format)?;
                (host, port)
            }
            None => {
                let end = authority.find(':').unwrap_or(authority.len());
                authority.split_at_checked(end).ok_or(UrlError::Format)?
            }
        };
        let is_host = |host: &str| {
            host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':'))
        };
        if host.is_empty() || !is_host(host) {
            return Err(UrlError::Format);
        }
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => Self::default_port(https),
            // Digits alone: the parser of numbers takes a sign, too.
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
                digits.parse().map_err(|_| UrlError::Format)?
            }
            _ => return Err(UrlError::Format),
        };
        Ok(Self { https, host: host.to_ascii_lowercase(), port })
    }

    fn default_port(https: bool) -> u16 {
        if https { 443 } else { 80 }
    }

    /// Whether what is said to it is encrypted.
    pub fn is_https(&self) -> bool {
        self.https
    }

    /// The host in lower case, an IPv6 address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, also where none was written.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether it is this machine, by its address or as `localhost`. What a name leads to is not looked at.
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// Host and port as a registry is written, without the default port.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == Self::default_port(self.https) { host } else { format!("{host}:{}", self.port) }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.https { "https" } else { "http" }, self.authority())
    }
}

/// A path that means what it says: visible ASCII, from a slash on, without dots that lead up.
fn checked_path(path: &str) -> Result<String, UrlError> {
    let path = match path.chars().next() {
        None => "/".to_owned(),
        Some('?') => format!("/{path}"),
        Some(_) => path.to_owned(),
    };
    let is_visible = path.bytes().all(|b| {
        b.is_ascii_graphic() && !matches!(b, b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}')
    });
    let mut segments = path.split('?').next().unwrap_or_default().split('/');
    if !path.starts_with('/') || !is_visible || segments.any(|segment| matches!(segment, "." | "..")) {
        return Err(UrlError::Format);
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_a_host_and_nothing_secret() {
        let url = Url::parse("HTTPS://Registry.Example.com:8443/v2/?n=1#x").unwrap();
        assert_eq!((url.origin().host(), url.origin().port()), ("registry.example.com", 8443));
        assert_eq!(url.path(), "/v2/?n=1");
        assert_eq!(url.to_string(), "https://registry.example.com:8443/v2/", "queries are not shown");
        assert_eq!(format!("{url:?}"), url.to_string());
        assert_eq!(Url::parse("http://[::1]?a").unwrap().path(), "/?a");
        assert_eq!(Url::parse("http://[::1]:80/").unwrap().to_string(), "http://[::1]/");
        for (text, expected) in [
            ("ftp://a/", UrlError::Scheme),
            ("a/b", UrlError::Scheme),
            ("https://u:p@a/", UrlError::UserInfo),
            ("https:///", UrlError::Format),
            ("https://a:x/", UrlError::Format),
            ("https://a:+1/", UrlError::Format),
            ("https://a:70000/", UrlError::Format),
            ("https://a b/", UrlError::Format),
            ("https://a/ b", UrlError::Format),
            ("https://a/\r\nb", UrlError::Format),
            ("https://\u{e4}/", UrlError::Format),
            ("https://a/../b", UrlError::Format),
            ("https://[::1/", UrlError::Format),
            ("https://[a.b]/", UrlError::Format),
        ] {
            assert_eq!(Url::parse(text), Err(expected), "{text}");
        }
    }

    #[test]
    fn a_reference_is_read_from_where_it_stands() {
        let url = Url::parse("https://a.example/v2/x/manifests?n=1").unwrap();
        for (reference, expected) in [
            ("https://b.example/c?d", "https://b.example/c?d"),
            ("//b.example:1/c", "https://b.example:1/c"),
            ("/v3", "https://a.example/v3"),
            ("?n=2", "https://a.example/v2/x/manifests?n=2"),
            ("blobs", "https://a.example/v2/x/blobs"),
            ("/c?u=http://e/", "https://a.example/c?u=http://e/"),
        ] {
            let joined = url.join(reference).unwrap();
            assert_eq!(format!("{}{}", joined.origin(), joined.path()), expected, "{reference}");
        }
        assert_eq!(url.join("../x"), Err(UrlError::Format));
        assert_eq!(url.join("file://x"), Err(UrlError::Scheme));
    }

    #[test]
    fn an_origin_is_all_of_scheme_host_and_port() {
        let origin = |text: &str| Url::parse(text).unwrap().origin().clone();
        assert_eq!(origin("https://a"), origin("https://A:443/x"));
        for other in ["http://a", "https://a:444", "https://b", "https://a."] {
            assert_ne!(origin("https://a"), origin(other), "{other}");
        }
        assert!(origin("http://127.0.0.9:5000").is_loopback() && origin("http://[::1]").is_loopback());
        assert!(!origin("http://localhost.example.com").is_loopback());
        assert_eq!(origin("http://[::1]:5000").authority(), "[::1]:5000");
    }
}
