//! What a registry asks for with 401: the header `WWW-Authenticate` (RFC 9110, 11.6.1).

use std::collections::BTreeMap;

/// Bytes of all its headers together that are looked at.
const BYTES: usize = 8 * 1024;

/// One of the ways in that a registry offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Challenge {
    /// In lower case.
    pub(super) scheme: String,
    /// By name in lower case.
    pub(super) parameters: BTreeMap<String, String>,
}

/// All challenges of some headers; none where one can't be read.
pub(super) fn challenges<'a>(headers: impl Iterator<Item = &'a str>) -> Vec<Challenge> {
    let (mut all, mut bytes) = (Vec::new(), 0_usize);
    for header in headers {
        bytes = bytes.saturating_add(header.len());
        let read = if bytes > BYTES { None } else { Reader(header).challenges() };
        let Some(read) = read else { return Vec::new() };
        all.extend(read);
    }
    all
}

/// The rest of a header.
struct Reader<'a>(&'a str);

impl<'a> Reader<'a> {
    fn challenges(mut self) -> Option<Vec<Challenge>> {
        let mut all: Vec<Challenge> = Vec::new();
        loop {
            self.skip(|c| matches!(c, ' ' | '\t' | ','));
            if self.0.is_empty() {
                return Some(all);
            }
            let name = self.token()?;
            self.skip(|c| matches!(c, ' ' | '\t'));
            if let Some(rest) = self.0.strip_prefix('=') {
                // A parameter of the last challenge.
                self.0 = rest;
                self.skip(|c| matches!(c, ' ' | '\t'));
                let value = self.value()?;
                let last = all.last_mut()?;
                // Said twice it means two things.
                if last.parameters.insert(name.to_ascii_lowercase(), value).is_some() {
                    return None;
                }
            } else {
                all.push(Challenge { scheme: name.to_ascii_lowercase(), parameters: BTreeMap::new() });
            }
        }
    }

    fn skip(&mut self, is_skipped: impl Fn(char) -> bool) {
        self.0 = self.0.trim_start_matches(is_skipped);
    }

    fn token(&mut self) -> Option<&'a str> {
        let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~/".contains(c);
        let end = self.0.find(|c| !is_token(c)).unwrap_or(self.0.len());
        let (token, rest) = self.0.split_at_checked(end)?;
        self.0 = rest;
        (!token.is_empty()).then_some(token)
    }

    /// A token, or a text in quotes.
    fn value(&mut self) -> Option<String> {
        let Some(rest) = self.0.strip_prefix('"') else { return self.token().map(str::to_owned) };
        let (mut value, mut escaped) = (String::new(), false);
        for (index, c) in rest.char_indices() {
            match c {
                _ if escaped => {
                    value.push(c);
                    escaped = false;
                }
                '\\' => escaped = true,
                '"' => {
                    self.0 = rest.get(index..)?.strip_prefix('"')?;
                    return Some(value);
                }
                c => value.push(c),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[&str]) -> Vec<(String, Vec<String>)> {
        let shown = |challenge: Challenge| {
            let parameters = challenge.parameters.iter().map(|(name, value)| format!("{name}={value}"));
            (challenge.scheme.clone(), parameters.collect())
        };
        challenges(headers.iter().copied()).into_iter().map(shown).collect()
    }

    #[test]
    fn challenges_are_read_by_their_grammar() {
        let bearer = ("bearer".to_owned(), vec!["realm=https://a/t".to_owned(), "service=a".to_owned()]);
        for header in [
            r#"Bearer realm="https://a/t",service="a""#,
            r#"BEARER Realm = "https://a/t" , SERVICE=a"#,
            r#", Bearer realm="https:\/\/a/t",, service="a","#,
        ] {
            assert_eq!(read(&[header]), std::slice::from_ref(&bearer), "{header}");
        }
        let basic = ("basic".to_owned(), vec![r#"realm=a "b", c"#.to_owned()]);
        let both = r#"Basic realm="a \"b\", c", Bearer realm="https://a/t", service="a""#;
        assert_eq!(read(&[both]), [basic.clone(), bearer.clone()]);
        assert_eq!(
            read(&[r#"Basic realm="a \"b\", c""#, r#"Bearer realm="https://a/t",service=a"#]),
            [basic, bearer]
        );
        assert_eq!(read(&["Negotiate"]), [("negotiate".to_owned(), Vec::new())]);
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_not_read() {
        let long = format!("Basic realm=\"{}\"", "a".repeat(BYTES));
        for header in [
            r#"Bearer realm="a"#,
            r#"realm="a""#,
            r#"Bearer realm="a",realm="b""#,
            "Bearer realm=",
            "\u{e4}",
            &long,
        ] {
            assert!(read(&[header]).is_empty(), "{header}");
        }
    }
}
