//! `glob.match`: globs as gobwas has them, written as regular expressions.

use regorus::Value;

use super::arguments::{any, array, of_elements, of_type, string};
use super::{Failure, regex};

pub(super) fn matches(arguments: &[Value]) -> Result<Value, Failure> {
    let pattern = string(arguments, 0)?;
    let separators = separators(arguments)?;
    let text = string(arguments, 2)?;
    let expression = expression(pattern, &separators)?;
    regex::matches_whole(&expression, text).map(Value::from)
}

/// Null: none; an empty array: the dot.
fn separators(arguments: &[Value]) -> Result<Vec<char>, Failure> {
    match any(arguments, 1)? {
        Value::Null => return Ok(Vec::new()),
        Value::Array(_) => {}
        other => return Err(of_type(1, other, &["array", "null"])),
    }
    let letter = |item: &Value| {
        let Value::String(text) = item else { return Err(of_elements(arguments, 1, item, "string")) };
        let mut letters = text.chars();
        match (letters.next(), letters.next()) {
            (Some(letter), None) => Ok(letter),
            _ => Err(of_elements(arguments, 1, item, "rune")),
        }
    };
    let separators = array(arguments, 1)?.iter().map(letter).collect::<Result<Vec<char>, _>>()?;
    Ok(if separators.is_empty() { vec!['.'] } else { separators })
}

fn invalid(what: &str) -> Failure {
    Failure::Wrong(format!("the glob is invalid: {what}"))
}

fn expression(glob: &str, separators: &[char]) -> Result<String, Failure> {
    let codes: String = separators.iter().map(|letter| regex::code(*letter)).collect();
    let one = if codes.is_empty() { "(?s:.)".to_owned() } else { format!("[^{codes}]") };
    let mut result = String::new();
    let mut letters = glob.chars().peekable();
    let mut open = 0_usize;
    while let Some(letter) = letters.next() {
        match letter {
            '*' => {
                let mut many = false;
                while letters.next_if_eq(&'*').is_some() {
                    many = true;
                }
                result.push_str(if many { "(?s:.)" } else { &one });
                result.push('*');
            }
            '?' => result.push_str(&one),
            '[' => result.push_str(&class(&mut letters)?),
            '{' => {
                open = open.saturating_add(1);
                result.push_str("(?:");
            }
            ',' if open > 0 => result.push('|'),
            '}' if open > 0 => {
                open = open.saturating_sub(1);
                result.push(')');
            }
            '\\' => {
                let letter = letters.next().ok_or_else(|| invalid("it ends with a backslash"))?;
                result.push_str(&regex::code(letter));
            }
            letter => result.push_str(&regex::code(letter)),
        }
    }
    if open > 0 { Err(invalid("`{` without `}`")) } else { Ok(result) }
}

/// What comes after `[`: one range, or letters, either of them negated by `!`.
fn class(letters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<String, Failure> {
    let end = || invalid("`[` without `]`");
    let negated = if letters.next_if_eq(&'!').is_some() { "^" } else { "" };
    let first = letters.next().ok_or_else(end)?;
    if letters.next_if_eq(&'-').is_some() {
        let last = letters.next().ok_or_else(end)?;
        if letters.next() != Some(']') || last < first {
            return Err(invalid("a range that has no end"));
        }
        return Ok(format!("[{negated}{}-{}]", regex::code(first), regex::code(last)));
    }
    let mut codes = String::new();
    let mut next = Some(first);
    loop {
        match next.ok_or_else(end)? {
            ']' if codes.is_empty() => return Err(invalid("`[]`")),
            ']' => return Ok(format!("[{negated}{codes}]")),
            '\\' => codes.push_str(&regex::code(letters.next().ok_or_else(end)?)),
            letter => codes.push_str(&regex::code(letter)),
        }
        next = letters.next();
    }
}
