//! Strings: looking into them, cutting and joining them. Positions are counted in characters.

use regorus::Value;

use super::arguments::{big_base, integer, string, strings as texts};
use super::number::of_count;
use super::{Failure, budget};

/// What an array costs for each string in it, beside the string's bytes.
const ELEMENT: usize = 48;

/// A new string.
pub(super) fn made(text: impl Into<String>) -> Result<Value, Failure> {
    let text = text.into();
    budget::bytes(text.len())?;
    Ok(Value::from(text))
}

/// A new array of strings.
pub(super) fn made_array<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Value, Failure> {
    let mut items = Vec::new();
    for text in texts {
        budget::bytes(text.len().saturating_add(ELEMENT))?;
        items.push(Value::from(text));
    }
    Ok(Value::from(items))
}

pub(super) fn format_int(arguments: &[Value]) -> Result<Value, Failure> {
    let (integer, radix) = big_base(arguments)?;
    made(integer.to_str_radix(radix))
}

pub(super) fn concat(arguments: &[Value]) -> Result<Value, Failure> {
    let separator = string(arguments, 0)?;
    let parts = texts(arguments, 1, &["set", "array"])?;
    let separators = separator.len().saturating_mul(parts.len().saturating_sub(1));
    let length = parts.iter().map(|part| part.len()).fold(separators, usize::saturating_add);
    budget::bytes(length)?;
    Ok(Value::from(parts.join(separator)))
}

pub(super) fn indexof(arguments: &[Value]) -> Result<Value, Failure> {
    let (text, wanted) = (string(arguments, 0)?, searched(arguments)?);
    let before = text.find(wanted).and_then(|at| text.get(..at));
    Ok(before.map_or(Value::from(-1_i64), |before| of_count(before.chars().count())))
}

pub(super) fn indexof_n(arguments: &[Value]) -> Result<Value, Failure> {
    let (text, wanted) = (string(arguments, 0)?, searched(arguments)?);
    budget::steps(text.len().saturating_mul(wanted.len().min(64)))?;
    let starts = text.char_indices().enumerate();
    let here = |at: usize| text.get(at..).is_some_and(|rest| rest.starts_with(wanted));
    let found: Vec<Value> =
        starts.filter(|(_, (at, _))| here(*at)).map(|(count, _)| of_count(count)).collect();
    budget::bytes(found.len().saturating_mul(ELEMENT))?;
    Ok(Value::from(found))
}

fn searched(arguments: &[Value]) -> Result<&str, Failure> {
    let wanted = string(arguments, 1)?;
    if wanted.is_empty() {
        return Err(Failure::Wrong("empty search character".to_owned()));
    }
    Ok(wanted)
}

pub(super) fn substring(arguments: &[Value]) -> Result<Value, Failure> {
    let text = string(arguments, 0)?;
    let (start, length) = (integer(arguments, 1)?, integer(arguments, 2)?);
    let start = usize::try_from(start).map_err(|_| Failure::Wrong("negative offset".to_owned()))?;
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    made(text.chars().skip(start).take(length).collect::<String>())
}

pub(super) fn count(arguments: &[Value]) -> Result<Value, Failure> {
    let (text, wanted) = (string(arguments, 0)?, string(arguments, 1)?);
    // As in Go, the empty string is once before each character and once at the end.
    let count = if wanted.is_empty() {
        text.chars().count().saturating_add(1)
    } else {
        text.matches(wanted.as_ref()).count()
    };
    Ok(of_count(count))
}

pub(super) fn split(arguments: &[Value]) -> Result<Value, Failure> {
    made_array(pieces(string(arguments, 0)?, string(arguments, 1)?))
}

/// The pieces as Go has them: nothing as separator gives the characters.
fn pieces<'a>(text: &'a str, separator: &'a str) -> Vec<&'a str> {
    if separator.is_empty() {
        text.split("").filter(|piece| !piece.is_empty()).collect()
    } else {
        text.split(separator).collect()
    }
}

pub(super) fn split_n(arguments: &[Value]) -> Result<Value, Failure> {
    let all = pieces(string(arguments, 0)?, string(arguments, 1)?);
    let count = integer(arguments, 2)?;
    let size = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    let skipped = if count < 0 { all.len().saturating_sub(size) } else { 0 };
    made_array(all.into_iter().skip(skipped).take(size))
}

pub(super) fn lower(arguments: &[Value]) -> Result<Value, Failure> {
    // Character by character as in Go: no final sigma, and the one letter of which Unicode makes two is one.
    let lower =
        |letter: char| if letter == 'İ' { 'i' } else { letter.to_lowercase().next().unwrap_or(letter) };
    made(string(arguments, 0)?.chars().map(lower).collect::<String>())
}

pub(super) fn upper(arguments: &[Value]) -> Result<Value, Failure> {
    made(string(arguments, 0)?.chars().map(upper_letter).collect::<String>())
}

/// One letter for one letter as in Go: where Unicode's full mapping makes several, its simple mapping holds.
fn upper_letter(letter: char) -> char {
    let mut mapped = letter.to_uppercase();
    match (mapped.next(), mapped.next()) {
        (Some(one), None) => one,
        // Greek letters with an iota beneath have a form of their own with the iota beside.
        _ => match letter {
            '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => shifted(letter, 8),
            '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => shifted(letter, 9),
            other => other,
        },
    }
}

fn shifted(letter: char, by: u32) -> char {
    u32::from(letter).checked_add(by).and_then(char::from_u32).unwrap_or(letter)
}

pub(super) fn reverse(arguments: &[Value]) -> Result<Value, Failure> {
    made(string(arguments, 0)?.chars().rev().collect::<String>())
}

pub(super) fn any_prefix_match(arguments: &[Value]) -> Result<Value, Failure> {
    Ok(Value::from(any_starts_with_any(some(arguments, 0)?, &some(arguments, 1)?)))
}

pub(super) fn any_suffix_match(arguments: &[Value]) -> Result<Value, Failure> {
    let (texts, suffixes) = (some(arguments, 0)?, some(arguments, 1)?);
    let backwards = |texts: Vec<Vec<u8>>| {
        texts.into_iter().map(|text| text.into_iter().rev().collect()).collect::<Vec<Vec<u8>>>()
    };
    Ok(Value::from(any_starts_with_any(backwards(texts), &backwards(suffixes))))
}

/// An argument as bytes: a string, or an array or a set of strings.
fn some(arguments: &[Value], index: usize) -> Result<Vec<Vec<u8>>, Failure> {
    if let Some(Value::String(text)) = arguments.get(index) {
        return Ok(vec![text.as_bytes().to_vec()]);
    }
    let texts = texts(arguments, index, &["string", "set", "array"])?;
    Ok(texts.into_iter().map(|text| text.as_bytes().to_vec()).collect())
}

/// Texts that share a prefix are neighbours once sorted, right after the prefix itself.
fn any_starts_with_any(mut texts: Vec<Vec<u8>>, prefixes: &[Vec<u8>]) -> bool {
    texts.sort_unstable();
    prefixes.iter().any(|prefix| {
        let at = texts.partition_point(|text| text < prefix);
        texts.get(at).is_some_and(|text| text.starts_with(prefix))
    })
}

/// A glob that matches the text and nothing else.
pub(super) fn glob_quote_meta(arguments: &[Value]) -> Result<Value, Failure> {
    let mut glob = String::new();
    for letter in string(arguments, 0)?.chars() {
        if matches!(letter, '*' | '?' | '\\' | '[' | ']' | '{' | '}') {
            glob.push('\\');
        }
        glob.push(letter);
    }
    made(glob)
}
