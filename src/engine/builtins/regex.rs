//! `regex.*`: Go's regular expressions, in linear time, with a bound on text times expression.

mod globs;
mod syntax;

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use regex::{Error, Regex, RegexBuilder};
use regorus::Value;

use super::arguments::{integer, string};
use super::{Failure, budget, strings};

pub(super) use globs::globs_match;
pub(super) use syntax::code;

/// Sizes of compiled expressions. The smallest that holds one says what a byte of text costs with it at worst.
const SIZES: [usize; 4] = [64 * 1024, 512 * 1024, 4 * 1024 * 1024, 32 * 1024 * 1024];
/// Bytes of a compiled expression that are worth one step: a state has about as many.
const STATE: usize = 512;
/// Of compiled expressions, a thread keeps so many bytes.
const KEPT: usize = 64 * 1024 * 1024;

struct Compiled {
    regex: Regex,
    size: usize,
}

#[derive(Default)]
struct Cache {
    expressions: HashMap<String, Arc<Compiled>>,
    bytes: usize,
}

thread_local! {
    /// Expressions are few, and the same for all requests.
    static CACHE: RefCell<Cache> = RefCell::default();
}

/// The expression, ready for a text of that length.
fn compiled(pattern: &str, text: &str) -> Result<Regex, Failure> {
    let known = CACHE.with_borrow(|cache| cache.expressions.get(pattern).cloned());
    let compiled = match known {
        Some(compiled) => compiled,
        None => {
            let compiled = Arc::new(compile(pattern)?);
            CACHE.with_borrow_mut(|cache| keep(cache, pattern, &compiled));
            compiled
        }
    };
    let states = compiled.size.checked_div(STATE).unwrap_or_default();
    budget::steps(text.len().saturating_mul(states).saturating_add(1))?;
    Ok(compiled.regex.clone())
}

fn keep(cache: &mut Cache, pattern: &str, compiled: &Arc<Compiled>) {
    if cache.bytes.saturating_add(compiled.size) > KEPT {
        *cache = Cache::default();
    }
    cache.bytes = cache.bytes.saturating_add(compiled.size);
    cache.expressions.insert(pattern.to_owned(), Arc::clone(compiled));
}

fn compile(pattern: &str) -> Result<Compiled, Failure> {
    let translated = syntax::translated(pattern)?;
    for size in SIZES {
        budget::steps(size)?;
        match RegexBuilder::new(&translated).size_limit(size).nest_limit(1_000).build() {
            Ok(regex) => return Ok(Compiled { regex, size }),
            Err(Error::CompiledTooBig(_)) => {}
            Err(_) => return Err(Failure::Wrong(format!("error parsing regexp: `{pattern}`"))),
        }
    }
    Err(Failure::Beyond("is asked for an expression of more than 32 MiB".to_owned()))
}

pub(super) fn is_valid(arguments: &[Value]) -> Result<Value, Failure> {
    let Ok(pattern) = string(arguments, 0) else { return Ok(Value::from(false)) };
    match compiled(pattern, "") {
        Ok(_) => Ok(Value::from(true)),
        Err(Failure::Wrong(_)) => Ok(Value::from(false)),
        Err(beyond) => Err(beyond),
    }
}

pub(super) fn matches(arguments: &[Value]) -> Result<Value, Failure> {
    let (pattern, text) = (string(arguments, 0)?, string(arguments, 1)?);
    Ok(Value::from(compiled(pattern, text)?.is_match(text)))
}

/// Whether the whole text is one match. The expression has letters as [`code`]s.
pub(super) fn matches_whole(expression: &str, text: &str) -> Result<bool, Failure> {
    Ok(compiled(&format!("^(?:{expression})$"), text)?.is_match(text))
}

pub(super) fn find_n(arguments: &[Value]) -> Result<Value, Failure> {
    let (pattern, text) = (string(arguments, 0)?, string(arguments, 1)?);
    let count = limit(arguments)?;
    let regex = compiled(pattern, text)?;
    strings::made_array(regex.find_iter(text).take(count).map(|found| found.as_str()))
}

pub(super) fn find_all_string_submatch_n(arguments: &[Value]) -> Result<Value, Failure> {
    let (pattern, text) = (string(arguments, 0)?, string(arguments, 1)?);
    let count = limit(arguments)?;
    let regex = compiled(pattern, text)?;
    let mut found = Vec::new();
    for captures in regex.captures_iter(text).take(count) {
        let groups = captures.iter().map(|group| group.map_or("", |group| group.as_str()));
        found.push(strings::made_array(groups)?);
    }
    Ok(Value::from(found))
}

/// Less than nothing is no limit.
fn limit(arguments: &[Value]) -> Result<usize, Failure> {
    integer(arguments, 2).map(|count| usize::try_from(count).unwrap_or(usize::MAX))
}

pub(super) fn split(arguments: &[Value]) -> Result<Value, Failure> {
    let (pattern, text) = (string(arguments, 0)?, string(arguments, 1)?);
    let regex = compiled(pattern, text)?;
    if text.is_empty() && !pattern.is_empty() {
        return strings::made_array([""]);
    }
    let mut pieces = Vec::new();
    let (mut begin, mut end) = (0, 0);
    for found in regex.find_iter(text) {
        end = found.start();
        // Nothing at the very beginning separates nothing.
        if found.end() != 0 {
            pieces.extend(text.get(begin..end));
        }
        begin = found.end();
    }
    if end != text.len() {
        pieces.extend(text.get(begin..));
    }
    strings::made_array(pieces)
}

pub(super) fn replace(arguments: &[Value]) -> Result<Value, Failure> {
    let (text, pattern, replacement) = (string(arguments, 0)?, string(arguments, 1)?, string(arguments, 2)?);
    let regex = compiled(pattern, text)?;
    let mut result = String::new();
    let mut last = 0;
    for captures in regex.captures_iter(text) {
        let Some(whole) = captures.get(0) else { continue };
        let before = text.get(last..whole.start()).unwrap_or_default();
        let length = result.len();
        result.push_str(before);
        captures.expand(replacement, &mut result);
        budget::bytes(result.len().saturating_sub(length))?;
        last = whole.end();
    }
    result.push_str(text.get(last..).unwrap_or_default());
    strings::made(result)
}

pub(super) fn template_match(arguments: &[Value]) -> Result<Value, Failure> {
    let (template, text) = (string(arguments, 0)?, string(arguments, 1)?);
    let start = delimiter("start", string(arguments, 2)?)?;
    let end = delimiter("end", string(arguments, 3)?)?;
    let pattern = from_template(template, start, end)?;
    Ok(Value::from(compiled(&pattern, text)?.is_match(text)))
}

fn delimiter(which: &str, text: &str) -> Result<char, Failure> {
    let mut letters = text.chars().filter(char::is_ascii);
    match (letters.next(), text.len()) {
        (Some(letter), 1) => Ok(letter),
        (_, length) => {
            let what = format!("{which} delimiter has to be exactly one character long but is {length} long");
            Err(Failure::Wrong(what))
        }
    }
}

/// The expression that a template stands for: what is between delimiters is one, the rest is literal.
fn from_template(template: &str, start: char, end: char) -> Result<String, Failure> {
    let unbalanced = || Failure::Wrong(format!("unbalanced braces in {template:?}"));
    let (mut pattern, mut inner) = ("^".to_owned(), String::new());
    let mut level = 0_usize;
    for letter in template.chars() {
        // With one delimiter for both, every one opens, as in OPA.
        if letter == start {
            level = level.saturating_add(1);
            if level == 1 {
                continue;
            }
        } else if letter == end {
            level = level.checked_sub(1).ok_or_else(unbalanced)?;
            if level == 0 {
                compiled(&format!("^{inner}$"), "")?;
                pattern.push_str(&format!("({})", std::mem::take(&mut inner)));
                continue;
            }
        }
        if level == 0 {
            pattern.push_str(&regex::escape(letter.encode_utf8(&mut [0; 4])));
        } else {
            inner.push(letter);
        }
    }
    if level > 0 {
        return Err(unbalanced());
    }
    pattern.push('$');
    Ok(pattern)
}
