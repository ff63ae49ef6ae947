//! `uuid.parse`: what a UUID says about itself. What is none has no value, and is no error.

use std::collections::BTreeMap;

use regorus::Value;

use super::Failure;
use super::arguments::string;

/// From the calendar's reform, from which UUIDs count, to 1970, in units of 100 ns.
const TO_1970: i128 = 122_192_928_000_000_000;

pub(super) fn parse(arguments: &[Value]) -> Result<Value, Failure> {
    Ok(read(string(arguments, 0)?).map_or(Value::Undefined, described))
}

/// With or without hyphens, in braces, or as a URN.
fn read(text: &str) -> Option<u128> {
    let inner = match text.len() {
        45 => {
            text.get(..9).filter(|urn| urn.eq_ignore_ascii_case("urn:uuid:")).and_then(|_| text.get(9..))?
        }
        38 => text.get(1..37)?,
        36 => text,
        32 => return digits(text),
        _ => return None,
    };
    let hyphens = [8, 13, 18, 23].into_iter().all(|at| inner.as_bytes().get(at) == Some(&b'-'));
    if hyphens { digits(&inner.replace('-', "")) } else { None }
}

fn digits(text: &str) -> Option<u128> {
    let plain = text.len() == 32 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    if plain { u128::from_str_radix(text, 16).ok() } else { None }
}

fn described(number: u128) -> Value {
    let bytes = number.to_be_bytes();
    let part = |from: usize, count: usize| {
        bytes.iter().skip(from).take(count).fold(0_u64, |sum, byte| (sum << 8_u32) | u64::from(*byte))
    };
    let version = part(6, 1) >> 4_u32;
    let variant = match part(8, 1) {
        0x80..=0xbf => "RFC4122",
        0xc0..=0xdf => "Microsoft",
        0xe0..=0xff => "Future",
        _ => "Reserved",
    };
    let mut all = BTreeMap::new();
    let mut say = |name: &str, value: Value| all.insert(Value::from(name), value);
    say("version", Value::from(version));
    say("variant", Value::from(variant));
    if version == 1 || version == 2 {
        let node: Vec<String> = bytes.iter().skip(10).map(|byte| format!("{byte:02x}")).collect();
        let ticks = (part(6, 2) & 0xfff) << 48_u32 | part(4, 2) << 32_u32 | part(0, 4);
        let nanoseconds = i128::from(ticks).saturating_sub(TO_1970).saturating_mul(100);
        say("time", Value::from(nanoseconds));
        say("nodeid", Value::from(node.join("-")));
        say("macvariables", Value::from(mac(part(10, 1))));
        say("clocksequence", Value::from(part(8, 2) & 0x3fff));
    }
    if version == 2 {
        let domain = match part(9, 1) {
            0 => "Person".to_owned(),
            1 => "Group".to_owned(),
            2 => "Org".to_owned(),
            other => format!("Domain{other}"),
        };
        say("id", Value::from(part(0, 4)));
        say("domain", Value::from(domain));
    }
    Value::from(all)
}

/// What the first byte of an Ethernet address says.
fn mac(first: u64) -> &'static str {
    match first & 3 {
        3 => "local:multicast",
        2 => "local:unicast",
        1 => "global:multicast",
        _ => "global:unicast",
    }
}
