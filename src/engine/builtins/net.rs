//! `net.cidr_*`: networks and addresses, read as Go reads them. Nothing asks the network.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::collections::BTreeSet;

use ipnet::{IpNet, Ipv4Net};
use regorus::Value;

use super::arguments::{any, string};
use super::{Failure, budget};

/// What an address in a set costs.
const ADDRESS: usize = 96;

/// A network; the address as it was written may have bits beyond the prefix.
fn network(text: &str) -> Result<IpNet, Failure> {
    let invalid = || Failure::Wrong(format!("invalid CIDR address: {text}"));
    let (address, prefix) = text.split_once('/').ok_or_else(invalid)?;
    let digits = !prefix.is_empty() && prefix.bytes().all(|digit| digit.is_ascii_digit());
    let prefix: u8 = prefix.parse().ok().filter(|_| digits).ok_or_else(invalid)?;
    // No zone; the crate takes none either.
    let address: IpAddr = address.parse().map_err(|_| invalid())?;
    IpNet::new(address, prefix).map(|network| network.trunc()).map_err(|_| invalid())
}

fn operand(arguments: &[Value], index: usize) -> Result<IpNet, Failure> {
    network(string(arguments, index)?)
}

fn address(text: &str) -> Option<IpAddr> {
    // Go knows no zones here.
    text.parse().ok().map(plain)
}

/// An address of the fourth version, however it is written.
fn plain(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(six) => six.to_ipv4_mapped().map_or(address, IpAddr::V4),
        four => four,
    }
}

pub(super) fn cidr_is_valid(arguments: &[Value]) -> Result<Value, Failure> {
    Ok(Value::from(string(arguments, 0).is_ok_and(|text| network(text).is_ok())))
}

pub(super) fn cidr_intersects(arguments: &[Value]) -> Result<Value, Failure> {
    let (a, b) = (operand(arguments, 0)?, operand(arguments, 1)?);
    Ok(Value::from(has(a, b.network()) || has(b, a.network())))
}

/// As Go's Contains: an address that is one of the fourth version belongs to networks of the fourth version only.
fn has(network: IpNet, address: IpAddr) -> bool {
    match (network, plain(address)) {
        (IpNet::V4(network), IpAddr::V4(address)) => network.contains(&address),
        (IpNet::V6(network), IpAddr::V6(address)) => network.contains(&address),
        // A network written as `::ffff:1.2.3.0/120`.
        (IpNet::V6(network), IpAddr::V4(address)) => {
            network.network().to_ipv4_mapped().is_some() && network.contains(&address.to_ipv6_mapped())
        }
        (IpNet::V4(_), IpAddr::V6(_)) => false,
    }
}

pub(super) fn cidr_contains(arguments: &[Value]) -> Result<Value, Failure> {
    let network = operand(arguments, 0)?;
    contains(network, string(arguments, 1)?).map(Value::from)
}

fn contains(outer: IpNet, text: &str) -> Result<bool, Failure> {
    if let Some(address) = address(text) {
        return Ok(has(outer, address));
    }
    let inner = network(text).map_err(|_| {
        Failure::Wrong(format!("not a valid textual representation of an IP address or CIDR: {text}"))
    })?;
    if let (IpNet::V6(a), IpNet::V6(b)) = (outer, inner) {
        return Ok(a.contains(&b));
    }
    Ok(has(outer, inner.network()) && has(outer, inner.broadcast()))
}

pub(super) fn cidr_contains_matches(arguments: &[Value]) -> Result<Value, Failure> {
    let outer = matched(arguments, 0)?;
    // With nothing to contain it, the other argument is not looked at.
    let inner = if outer.is_empty() { Vec::new() } else { matched(arguments, 1)? };
    let mut found = BTreeSet::new();
    for (outer, outer_index) in &outer {
        for (inner, inner_index) in &inner {
            let network = network(text(outer)?)?;
            budget::steps(100)?;
            if contains(network, text(inner)?)? {
                budget::bytes(ADDRESS)?;
                found.insert(Value::from(vec![outer_index.clone(), inner_index.clone()]));
            }
        }
    }
    Ok(Value::from(found))
}

fn text(value: &Value) -> Result<&str, Failure> {
    string(std::slice::from_ref(value), 0).map(AsRef::as_ref)
}

/// The networks of an argument with what the result names them by.
fn matched(arguments: &[Value], index: usize) -> Result<Vec<(Value, Value)>, Failure> {
    let first = |value: &Value| match value {
        Value::String(_) => Ok(value.clone()),
        Value::Array(items) if !items.is_empty() => Ok(items.first().cloned().unwrap_or(Value::Undefined)),
        _ => {
            let operand = index.saturating_add(1);
            Err(Failure::Wrong(format!("operand {operand}: element must be string or non-empty array")))
        }
    };
    match any(arguments, index)? {
        value @ Value::String(_) => Ok(vec![(value.clone(), value.clone())]),
        Value::Array(items) => {
            items.iter().enumerate().map(|(count, item)| Ok((first(item)?, Value::from(count)))).collect()
        }
        Value::Set(items) => items.iter_sorted().map(|item| Ok((first(item)?, item.clone()))).collect(),
        Value::Object(members) => {
            members.iter_sorted().map(|(key, item)| Ok((first(item)?, key.clone()))).collect()
        }
        _ => Ok(Vec::new()),
    }
}

pub(super) fn cidr_expand(arguments: &[Value]) -> Result<Value, Failure> {
    let network = operand(arguments, 0)?;
    let bits = u32::from(network.max_prefix_len().saturating_sub(network.prefix_len()));
    let count = 1_usize.checked_shl(bits).unwrap_or(usize::MAX);
    budget::bytes(count.saturating_mul(ADDRESS))?;
    let addresses: BTreeSet<Value> = match network {
        IpNet::V4(network) => {
            let range = u32::from(network.network())..=u32::from(network.broadcast());
            range.map(|number| Value::from(Ipv4Addr::from(number).to_string())).collect()
        }
        IpNet::V6(network) => {
            let range = u128::from(network.network())..=u128::from(network.broadcast());
            range.map(|number| Value::from(written(IpAddr::V6(Ipv6Addr::from(number))))).collect()
        }
    };
    Ok(Value::from(addresses))
}

/// As Go writes addresses.
fn written(address: IpAddr) -> String {
    plain(address).to_string()
}

pub(super) fn cidr_merge(arguments: &[Value]) -> Result<Value, Failure> {
    let items: Vec<&Value> = match any(arguments, 0)? {
        Value::Array(items) => items.iter().collect(),
        Value::Set(items) => items.iter_sorted().collect(),
        _ => return Err(Failure::Wrong("operand must be an array".to_owned())),
    };
    budget::steps(items.len().saturating_mul(items.len()))?;
    let networks = items.into_iter().map(mergeable).collect::<Result<Vec<_>, _>>()?;
    let masked: Vec<IpNet> = networks.iter().map(IpNet::trunc).collect();
    let merged = IpNet::aggregate(&masked).into_iter().map(|network| {
        // An address that was merged with nothing stays as it was written.
        let own = networks.iter().find(|own| **own != network && own.trunc() == network);
        own.filter(|own| alone(own, &masked)).copied().unwrap_or(network)
    });
    let merged: BTreeSet<Value> = merged.map(|network| Value::from(network.to_string())).collect();
    Ok(Value::from(merged))
}

/// Whether no other network lies in this one or right beside it.
fn alone(network: &IpNet, all: &[IpNet]) -> bool {
    let IpNet::V4(network) = network else { return true };
    let (first, last) = (u32::from(network.network()), u32::from(network.broadcast()));
    let near = |other: &&IpNet| match other {
        IpNet::V4(other) => {
            u32::from(other.network()) <= last.saturating_add(1)
                && u32::from(other.broadcast()) >= first.saturating_sub(1)
        }
        IpNet::V6(_) => false,
    };
    all.iter().filter(near).count() <= 1
}

/// A network, or an address of the fourth version, which stands for its class A, B or C.
fn mergeable(item: &Value) -> Result<IpNet, Failure> {
    let Value::String(text) = item else { return Err(Failure::Wrong("element must be string".to_owned())) };
    match address(text) {
        None => network(text),
        Some(IpAddr::V6(_)) => Err(Failure::Wrong("IPv6 invalid: needs prefix length".to_owned())),
        Some(IpAddr::V4(address)) => {
            let prefix = match address.octets() {
                [0..=127, ..] => 8,
                [128..=191, ..] => 16,
                _ => 24,
            };
            let network = Ipv4Net::new(address, prefix).map_err(|error| Failure::Wrong(error.to_string()))?;
            Ok(IpNet::V4(network))
        }
    }
}
