//! Forms of values.

use ipnet::IpNet;

/// How long the name of a network interface may be (IFNAMSIZ less its end).
const LONGEST_INTERFACE: usize = 15;

/// A port, between blanks.
pub(super) fn port(text: &str) -> Result<(), String> {
    let is_port = text.trim().parse::<u16>().is_ok();
    if is_port { Ok(()) } else { Err(format!("{text:?} is no port")) }
}

/// An unsigned number of 32 bits.
pub(super) fn uint32(text: &str) -> Result<(), String> {
    text.parse::<u32>().map(drop).map_err(|_| format!("{text:?} is no number of seconds or times"))
}

/// A list of ports, or nothing.
pub(super) fn ports(text: &str) -> Result<(), String> {
    if text.is_empty() { Ok(()) } else { text.split(',').try_for_each(port) }
}

/// A list of ranges of addresses, or nothing.
pub(super) fn cidrs(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Ok(());
    }
    let range = |one: &str| one.parse::<IpNet>().map(drop).map_err(|_| format!("{one:?} is no CIDR"));
    text.split(',').try_for_each(range)
}

/// A list of network interfaces, or nothing.
pub(super) fn interfaces(text: &str) -> Result<(), String> {
    let is_name = |one: &str| {
        let rest = one.strip_prefix(|first: char| first.is_ascii_alphabetic());
        one.len() <= LONGEST_INTERFACE && rest.is_some_and(|rest| of(rest, "_.-"))
    };
    match text.split(',').map(str::trim).find(|one| !is_name(one)) {
        Some(_) if text.is_empty() => Ok(()),
        Some(one) => Err(format!("{one:?} is no name of a network interface")),
        None => Ok(()),
    }
}

/// Whether a text has only ASCII letters, digits and these characters.
pub(super) fn of(text: &str, others: &str) -> bool {
    text.chars().all(|character| character.is_ascii_alphanumeric() || others.contains(character))
}

/// Whether a text ends a line, or moves the cursor, somewhere: what YAML could take for a new line.
pub(super) fn has_control(text: &str) -> bool {
    text.chars()
        .any(|character| character.is_control() || matches!(character, '\u{2028}' | '\u{2029}' | '\u{feff}'))
}

/// Whether a text is one within double quotes.
pub(super) fn is_quotable(text: &str) -> bool {
    !has_control(text) && !text.contains(['"', '\\'])
}
