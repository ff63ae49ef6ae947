//! `semver.*`: versions as SemVer 2.0.0 writes them, with a `v` before them or not, their numbers of 63 bits, as in OPA.

use std::cmp::Ordering;

use regorus::Value;
use semver::Version;

use super::Failure;
use super::arguments::{any, string};

/// `semver.is_valid`
pub(super) fn is_valid(arguments: &[Value]) -> Result<Value, Failure> {
    let version = any(arguments, 0)?.as_string().ok().and_then(|text| read(text));
    Ok(Value::from(version.is_some()))
}

/// `semver.compare`
pub(super) fn compare(arguments: &[Value]) -> Result<Value, Failure> {
    let (a, b) = (version(arguments, 0)?, version(arguments, 1)?);
    // OPA takes all numbers beyond 64 bits for one, and may find no end.
    if [&a, &b].into_iter().any(has_large_number) {
        return Err(Failure::Beyond("is given pre-releases with numbers beyond 64 bits".to_owned()));
    }
    Ok(Value::from(match a.cmp_precedence(&b) {
        Ordering::Less => -1_i64,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    }))
}

fn version(arguments: &[Value], index: usize) -> Result<Version, Failure> {
    let text = string(arguments, index)?;
    read(text).ok_or_else(|| Failure::Wrong(format!("`{text}` is no version of the form 1.2.3")))
}

fn read(text: &str) -> Option<Version> {
    let version = Version::parse(text.strip_prefix('v').unwrap_or(text)).ok()?;
    let is_small = |number: u64| i64::try_from(number).is_ok();
    [version.major, version.minor, version.patch].into_iter().all(is_small).then_some(version)
}

fn has_large_number(version: &Version) -> bool {
    let is_large =
        |part: &str| part.bytes().all(|byte| byte.is_ascii_digit()) && part.parse::<i64>().is_err();
    !version.pre.is_empty() && version.pre.split('.').any(is_large)
}
