//! `regex.globs_match`: whether two globs have a text in common. The globs have `.`, `[a-z]`, `*`, `+` and `\`;
//! the procedure is that of the library which OPA uses, because it does not find every text that there is.

use std::collections::BTreeSet;

use regorus::Value;

use super::super::arguments::string;
use super::super::{Failure, budget};

#[derive(Clone, PartialEq, Eq)]
enum Letters {
    One(char),
    Any,
    Some(BTreeSet<char>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Times {
    Once,
    /// `+`
    Often,
    /// `*`
    AnyNumber,
}

#[derive(Clone)]
struct Token {
    letters: Letters,
    times: Times,
}

pub(in crate::engine::builtins) fn globs_match(arguments: &[Value]) -> Result<Value, Failure> {
    let (left, right) =
        (simplified(tokens(string(arguments, 0)?)?), simplified(tokens(string(arguments, 1)?)?));
    let Some((left, right)) = trimmed(&left, &right) else { return Ok(Value::from(false)) };
    in_common(left, right).map(Value::from)
}

fn invalid(what: &str) -> Failure {
    Failure::Wrong(format!("the glob is invalid: {what}"))
}

fn tokens(glob: &str) -> Result<Vec<Token>, Failure> {
    let mut tokens = Vec::new();
    let mut letters = glob.chars().peekable();
    while let Some(letter) = letters.next() {
        budget::bytes(32)?;
        let letters_of_token = match letter {
            '\\' => Letters::One(letters.next().ok_or_else(|| invalid("it ends with a backslash"))?),
            '.' => Letters::Any,
            '[' => Letters::Some(set(&mut letters)?),
            ']' => return Err(invalid("`]` without `[`")),
            '+' | '*' => return Err(invalid("nothing to repeat")),
            letter => Letters::One(letter),
        };
        let times = match letters.peek() {
            Some('+') => Times::Often,
            Some('*') => Times::AnyNumber,
            _ => Times::Once,
        };
        if times != Times::Once {
            letters.next();
        }
        tokens.push(Token { letters: letters_of_token, times });
    }
    Ok(tokens)
}

fn set(letters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<BTreeSet<char>, Failure> {
    let mut set = BTreeSet::new();
    let mut before = None;
    loop {
        let mut escaped = false;
        let mut letter = letters.next().ok_or_else(|| invalid("`[` without `]`"))?;
        if letter == '\\' {
            escaped = true;
            letter = letters.next().ok_or_else(|| invalid("it ends with a backslash"))?;
        }
        match (letter, escaped) {
            (']', false) => return Ok(set),
            ('-', false) => {
                let low = before.take().ok_or_else(|| invalid("a range without a beginning"))?;
                let mut high = letters.next().ok_or_else(|| invalid("a range without an end"))?;
                // The library wants something after the end of a range.
                letters.peek().ok_or_else(|| invalid("a range without an end"))?;
                if high == '\\' {
                    high = letters.next().ok_or_else(|| invalid("it ends with a backslash"))?;
                } else if matches!(high, ']' | '-') {
                    return Err(invalid("a range without an end"));
                }
                if high < low {
                    return Err(invalid("a range that is out of order"));
                }
                for letter in low..=high {
                    budget::bytes(8)?;
                    set.insert(letter);
                }
            }
            (letter, _) => {
                set.insert(letter);
                before = Some(letter);
            }
        }
    }
}

/// Repetitions of the same letters beside each other are one.
fn simplified(tokens: Vec<Token>) -> Vec<Token> {
    let mut simple: Vec<Token> = Vec::new();
    for token in tokens {
        match simple.last_mut() {
            Some(last)
                if last.times != Times::Once
                    && token.times != Times::Once
                    && last.letters == token.letters =>
            {
                if token.times == Times::Often {
                    last.times = Times::Often;
                }
            }
            _ => simple.push(token),
        }
    }
    simple
}

fn overlap(a: &Token, b: &Token) -> bool {
    match (&a.letters, &b.letters) {
        (Letters::Any, _) | (_, Letters::Any) => true,
        (Letters::One(a), Letters::One(b)) => a == b,
        (Letters::One(one), Letters::Some(set)) | (Letters::Some(set), Letters::One(one)) => {
            set.contains(one)
        }
        (Letters::Some(a), Letters::Some(b)) => !a.is_disjoint(b),
    }
}

/// Both without what fits at their ends but for one token; none where an end does not fit.
fn trimmed<'a>(left: &'a [Token], right: &'a [Token]) -> Option<(&'a [Token], &'a [Token])> {
    let plain = |(a, b): &(&Token, &Token)| a.times == Times::Once && b.times == Times::Once;
    let begin = left.iter().zip(right).take_while(plain).count();
    if !left.iter().zip(right).take(begin).all(|(a, b)| overlap(a, b)) {
        return None;
    }
    let begin = begin.saturating_sub(1);
    let (left, right) = (left.get(begin..)?, right.get(begin..)?);
    let end = left.iter().rev().zip(right.iter().rev()).take_while(plain).count();
    if !left.iter().rev().zip(right.iter().rev()).take(end).all(|(a, b)| overlap(a, b)) {
        return None;
    }
    let end = end.saturating_sub(1);
    Some((left.get(..left.len().saturating_sub(end))?, right.get(..right.len().saturating_sub(end))?))
}

fn in_common(left: &[Token], right: &[Token]) -> Result<bool, Failure> {
    let (mut left, mut right) = (left, right);
    loop {
        budget::steps(10)?;
        let (Some((a, after_a)), Some((b, after_b))) = (left.split_first(), right.split_first()) else {
            return Ok(left.is_empty() && right.is_empty());
        };
        match (a.times, b.times) {
            (Times::Once, Times::Once) if overlap(a, b) => (left, right) = (after_a, after_b),
            (Times::Once, Times::Once) => return Ok(false),
            (Times::Once, _) => return repeated(b, after_b, left),
            _ => return repeated(a, after_a, right),
        }
    }
}

/// One side begins with the repeated token `first`, after which comes `after`.
fn repeated(first: &Token, after: &[Token], other: &[Token]) -> Result<bool, Failure> {
    if first.times == Times::AnyNumber {
        return any_number(first, after, other);
    }
    let Some((head, tail)) = other.split_first() else { return Ok(false) };
    if !overlap(first, head) {
        return Ok(false);
    }
    // Either it takes the other's head, or the other's head, being repeated, takes it whole.
    if any_number(first, after, tail)? {
        return Ok(true);
    }
    if head.times == Times::Once { Ok(false) } else { in_common(after, other) }
}

fn any_number(first: &Token, after: &[Token], other: &[Token]) -> Result<bool, Failure> {
    let next = after.first();
    let mut rest = other;
    while let Some((token, tail)) = rest.split_first() {
        budget::steps(10)?;
        if next.is_some_and(|next| overlap(token, next)) && in_common(after, rest)? {
            return Ok(true);
        }
        if !overlap(token, first) {
            return Ok(false);
        }
        rest = tail;
    }
    Ok(next.is_none())
}
