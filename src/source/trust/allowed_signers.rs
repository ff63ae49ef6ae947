//! Who may sign: the file that `gpg.ssh.allowedSignersFile` of git names (ssh-keygen(1), ALLOWED SIGNERS), and the file of
//! keys that no longer may. All that is wrong with them is told at once.

use time::{Date, Month, PrimitiveDateTime, Time};

use super::key::Key;
use super::signature::NAMESPACE;
use crate::policy::{Fault, Faults};

/// The lines of a file of allowed signers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedSigners(Vec<Signer>);

/// One line: whose key, and when and for what it signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Signer {
    /// As the line says it.
    pub(super) principals: String,
    namespaces: Option<String>,
    valid_after: Option<i64>,
    valid_before: Option<i64>,
    key: Key,
}

/// Keys that no longer may sign, whenever they did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revoked(Vec<Key>);

/// Why a known key does not sign this.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// No line has this key.
    Unknown,
    /// Its lines are for something else.
    Elsewhere,
    /// Its lines begin later or ended before.
    OutOfTime,
    /// Its line takes none of its own names.
    Nobody,
}

impl AllowedSigners {
    /// Reads a file's content; `file` is its name in faults.
    ///
    /// # Errors
    /// All lines that say what is not taken, or that can't be read.
    pub fn read(file: &str, content: &[u8]) -> Result<Self, Faults> {
        let signers = lines(file, content, "allowed signers", signer)?;
        if signers.is_empty() {
            let message = "nobody may sign, so nothing could be put in force; add a line for each signer: `jane@example.com ssh-ed25519 AAAA…`";
            return Err(Fault::of_file(file, message).into());
        }
        Ok(Self(signers))
    }

    /// The line by which this key may sign commits made at that time. As git has it from ssh-keygen: the first line that
    /// is valid then says by which names, and any line may let one of those names sign (git, `gpg-interface.c`,
    /// `verify_ssh_signed_buffer`).
    pub(super) fn signer(&self, key: &Key, time: i64) -> Result<&Signer, Unfit> {
        let of_key = || self.0.iter().filter(|signer| signer.key == *key);
        let Some(first) = of_key().find(|signer| signer.is_valid_at(time)) else {
            return Err(if of_key().next().is_none() { Unfit::Unknown } else { Unfit::OutOfTime });
        };
        let mut unfit = Unfit::Nobody;
        for name in first.principals.split(',').take_while(|name| !name.is_empty()) {
            for signer in of_key().filter(|signer| signer.is(name)) {
                if !signer.namespaces.as_ref().is_none_or(|list| matches(list, NAMESPACE)) {
                    unfit = Unfit::Elsewhere;
                } else if signer.is_valid_at(time) {
                    return Ok(signer);
                }
            }
        }
        Err(unfit)
    }
}

impl Signer {
    fn is_valid_at(&self, time: i64) -> bool {
        self.valid_after.is_none_or(|after| after <= time)
            && self.valid_before.is_none_or(|before| time <= before)
    }

    /// Whether the line is for this name.
    pub(super) fn is(&self, name: &str) -> bool {
        matches(&self.principals, name)
    }
}

impl Revoked {
    /// Reads a file of public keys, one a line.
    ///
    /// # Errors
    /// A list in OpenSSH's own binary form, and all lines that can't be read.
    pub fn read(file: &str, content: &[u8]) -> Result<Self, Faults> {
        if content.starts_with(b"SSHKRL\n\0") {
            let message = "a KRL is not read; write the public keys, one a line";
            return Err(Fault::of_file(file, message).into());
        }
        let key = |line: &str| {
            let (kind, rest) = word(line);
            Key::read(kind, word(rest).0)
        };
        lines(file, content, "revoked keys", key).map(Self)
    }

    pub(super) fn has(&self, key: &Key) -> bool {
        self.0.contains(key)
    }
}

/// The lines that say something, each read.
fn lines<T>(
    file: &str,
    content: &[u8],
    what: &str,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, Faults> {
    let Ok(text) = std::str::from_utf8(content) else {
        return Err(Fault::of_file(file, format!("not UTF-8; write the {what} as text")).into());
    };
    let (mut found, mut faults) = (Vec::new(), Vec::new());
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match read(line) {
            Ok(one) => found.push(one),
            Err(message) => faults.push(Fault::new(file, (number, 0), message)),
        }
    }
    Faults::or(faults, found)
}

fn signer(line: &str) -> Result<Signer, String> {
    let (principals, rest) = quoted(line)?;
    if principals.is_empty() {
        return Err("no principal; begin with an address, as jane@example.com".to_owned());
    }
    let (first, after) = options(rest)?;
    let (options, rest) = if is_kind(first) { ("", rest) } else { (first, after) };
    let (kind, rest) = word(rest);
    let key = Key::read(kind, word(rest).0)?;
    let mut signer = Signer {
        principals: principals.to_owned(),
        namespaces: None,
        valid_after: None,
        valid_before: None,
        key,
    };
    signer.take(options)?;
    match (signer.valid_after, signer.valid_before) {
        (Some(after), Some(before)) if before <= after => {
            Err("valid-before is not later than valid-after; the key would never be valid".to_owned())
        }
        _ => Ok(signer),
    }
}

impl Signer {
    /// The options of a line: words separated by commas, each once.
    fn take(&mut self, options: &str) -> Result<(), String> {
        let mut rest = options;
        while !rest.is_empty() {
            let at = rest.find(['=', ',']).unwrap_or(rest.len());
            let (name, after) = rest.split_at_checked(at).unwrap_or((rest, ""));
            let (value, after) = match after.strip_prefix("=\"") {
                Some(value) => {
                    let (value, after) = value.split_once('"').ok_or("a quotation mark is missing")?;
                    (Some(value), after)
                }
                None => (None, after),
            };
            self.set(&name.to_ascii_lowercase(), value)?;
            rest = match after.strip_prefix(',') {
                Some(next) if !next.is_empty() => next,
                None if after.is_empty() => after,
                _ => {
                    return Err(format!(
                        "the options can't be read from `{after}` on; write a=\"b\",c=\"d\""
                    ));
                }
            };
        }
        Ok(())
    }

    fn set(&mut self, name: &str, value: Option<&str>) -> Result<(), String> {
        let value = match (name, value) {
            ("cert-authority", _) => {
                return Err(
                    "certificates are not taken; remove the line, and name the keys themselves".to_owned()
                );
            }
            ("namespaces" | "valid-after" | "valid-before", Some(value)) => value,
            ("namespaces" | "valid-after" | "valid-before", None) => {
                return Err(format!("`{name}` without a value; write {name}=\"…\""));
            }
            _ => {
                return Err(format!(
                    "the option `{name}` is not known; there are namespaces, valid-after, valid-before"
                ));
            }
        };
        let is_first = match name {
            "namespaces" => self.namespaces.replace(value.to_owned()).is_none(),
            "valid-after" => self.valid_after.replace(instant(value)?).is_none(),
            _ => self.valid_before.replace(instant(value)?).is_none(),
        };
        if is_first { Ok(()) } else { Err(format!("`{name}` twice; write it once")) }
    }
}

/// The first word, which may stand in quotation marks, and the rest.
fn quoted(line: &str) -> Result<(&str, &str), String> {
    match line.strip_prefix('"') {
        Some(inner) => inner.split_once('"').ok_or_else(|| "a quotation mark is missing".to_owned()),
        None => Ok(word(line)),
    }
}

/// The first word, in which blanks within quotation marks are no end, and the rest.
fn options(line: &str) -> Result<(&str, &str), String> {
    let line = line.trim_start();
    let mut within = false;
    for (at, letter) in line.char_indices() {
        match letter {
            '"' => within = !within,
            ' ' | '\t' if !within => return Ok(line.split_at_checked(at).unwrap_or((line, ""))),
            _ => {}
        }
    }
    if within { Err("a quotation mark is missing".to_owned()) } else { Ok((line, "")) }
}

fn word(line: &str) -> (&str, &str) {
    let line = line.trim_start();
    line.split_once([' ', '\t']).unwrap_or((line, ""))
}

/// Whether a word names a kind of key, and so is no list of options.
fn is_kind(word: &str) -> bool {
    !word.contains('=') && ["ssh-", "ecdsa-", "sk-"].iter().any(|start| word.starts_with(start))
}

/// `YYYYMMDD[HHMM[SS]][Z|UTC]`, in UTC, in seconds since 1970.
fn instant(text: &str) -> Result<i64, String> {
    let fault = || format!("`{text}` is no time; write YYYYMMDD, YYYYMMDDHHMM or YYYYMMDDHHMMSS, in UTC");
    let is_zone =
        |at: &usize| matches!(text.get(*at..).map(str::to_ascii_lowercase).as_deref(), Some("z" | "utc"));
    let end = [1, 3].iter().filter_map(|length| text.len().checked_sub(*length)).find(is_zone);
    let digits = text.get(..end.unwrap_or(text.len())).unwrap_or(text);
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || ![8, 12, 14].contains(&digits.len()) {
        return Err(fault());
    }
    let part = |from: usize, to: usize| digits.get(from..to).map_or(Some(0), |part| part.parse::<u8>().ok());
    let read = || {
        let year = digits.get(..4)?.parse().ok()?;
        let month = Month::try_from(part(4, 6)?).ok()?;
        let date = Date::from_calendar_date(year, month, part(6, 8)?).ok()?;
        let time = Time::from_hms(part(8, 10)?, part(10, 12)?, part(12, 14)?).ok()?;
        Some(PrimitiveDateTime::new(date, time).assume_utc().unix_timestamp())
    };
    read().ok_or_else(fault)
}

/// Whether a list of patterns, separated by commas, has the name; one after `!` that fits says no (ssh_config(5),
/// PATTERNS).
fn matches(list: &str, name: &str) -> bool {
    let mut found = false;
    for pattern in list.split(',') {
        match pattern.strip_prefix('!') {
            Some(pattern) if fits(pattern.as_bytes(), name.as_bytes()) => return false,
            Some(_) => {}
            None => found |= fits(pattern.as_bytes(), name.as_bytes()),
        }
    }
    found
}

/// `*` is anything, `?` one byte. Takes time in proportion to both lengths.
fn fits(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut of, mut star) = (0_usize, 0_usize, None);
    while let Some(byte) = name.get(of) {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, of));
                at = at.saturating_add(1);
            }
            Some(letter) if *letter == b'?' || letter == byte => {
                (at, of) = (at.saturating_add(1), of.saturating_add(1));
            }
            _ => match star {
                Some((before, taken)) => {
                    let next = taken.saturating_add(1);
                    (at, of, star) = (before.saturating_add(1), next, Some((before, next)));
                }
                None => return false,
            },
        }
    }
    pattern.get(at..).is_some_and(|rest| rest.iter().all(|letter| *letter == b'*'))
}
