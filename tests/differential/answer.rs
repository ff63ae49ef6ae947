//! Answers of the batch protocol, and what makes two of them different.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use crate::tally::reason;

/// What a program says to a question.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    /// The value, as JSON text in one form.
    Result(String),
    Undefined,
    Error(String),
    Refused(String),
    /// It stopped, or had to be stopped.
    Died(String),
}

/// How ours is other than OPA's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    Equal,
    /// OPA evaluates it, we refuse to load it.
    OnlyWeRefuse,
    /// OPA's compiler knows of types that they can't fit, where we evaluate.
    OnlyOpaKnowsTypes,
    /// We know of types that they can't fit, where OPA evaluates.
    OnlyWeKnowTypes,
    /// OPA ran out of time or failed within, so there is nothing to compare with.
    NoAnswer,
    /// Both give the same value, but write a number in it in another way, such as 1 and 1.0.
    OtherSpelling,
    /// The kinds of the answers, OPA's and ours.
    Different(&'static str, &'static str),
    /// Both give a value, but not the same one.
    OtherValue,
    /// Both give the same value but for the last digits of a number.
    OtherNumber,
}

impl Verdict {
    pub(crate) fn is_different(self) -> bool {
        self.is_of_types() || matches!(self, Self::Different(..) | Self::OtherValue | Self::OtherNumber)
    }
}

impl Verdict {
    /// Whether ours says less than OPA, or something else: what OPA denies could pass. An error and a refusal can't.
    pub(crate) fn is_open(self) -> bool {
        matches!(self, Self::OtherValue | Self::OtherNumber | Self::Different(_, "value" | "undefined"))
    }

    pub(crate) fn is_of_types(self) -> bool {
        matches!(self, Self::OnlyOpaKnowsTypes | Self::OnlyWeKnowTypes)
    }
}

impl Answer {
    /// Reads a line of the protocol.
    pub(crate) fn read(line: &str) -> Self {
        let text = line.trim();
        if let Some(result) = text.strip_prefix(r#"{"result":"#).and_then(|text| text.strip_suffix('}')) {
            return Self::Result(in_one_form(result));
        }
        let Ok(Value::Object(members)) = serde_json::from_str(text) else {
            return Self::Died(format!("not an answer: {text}"));
        };
        match members.iter().next() {
            Some((name, Value::Bool(true))) if name == "undefined" => Self::Undefined,
            Some((name, Value::String(message))) if name == "error" => Self::Error(message.clone()),
            Some((name, Value::String(message))) if name == "refused" => Self::Refused(message.clone()),
            Some((name, message)) if name == "refused" => Self::Refused(message.to_string()),
            _ => Self::Died(format!("not an answer: {text}")),
        }
    }

    /// Whether OPA refuses it for its types alone.
    pub(crate) fn is_of_types(&self) -> bool {
        matches!(self, Self::Refused(why) if is_of_types(why))
    }

    /// The places of sides and arguments that do not fit, and whether there are references that lead to nothing, of a
    /// refusal for types by either program. (OPA says another place of references that stand in several.) None where
    /// something else is wrong, or the first place is before the line.
    pub(crate) fn places_of_types(&self, line: usize) -> Option<(BTreeSet<usize>, bool)> {
        let Self::Refused(why) = self else { return None };
        let faults = match serde_json::from_str(why) {
            Ok(Value::Array(faults)) => faults.iter().map(of_ours).collect::<Option<Vec<_>>>()?,
            _ => of_opa(why)?,
        };
        if faults.iter().any(|(place, _)| *place < line) {
            return None;
        }
        let sides = faults.iter().filter(|(_, is_reference)| !is_reference).map(|(line, _)| *line).collect();
        Some((sides, faults.iter().any(|(_, is_reference)| *is_reference)))
    }

    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Result(_) => "value",
            Self::Undefined => "undefined",
            Self::Error(_) => "error",
            Self::Refused(_) => "refused",
            Self::Died(_) => "died",
        }
    }

    /// Compares OPA's answer with ours.
    pub(crate) fn compare(&self, ours: &Self) -> Verdict {
        match (self, ours) {
            (Self::Error(message), _) if is_no_answer(message) => Verdict::NoAnswer,
            (Self::Result(theirs), Self::Result(ours)) if theirs == ours => Verdict::Equal,
            (Self::Result(theirs), Self::Result(ours)) => {
                if exact(theirs) == exact(ours) {
                    Verdict::OtherSpelling
                } else if rounded(theirs) == rounded(ours) {
                    Verdict::OtherNumber
                } else {
                    Verdict::OtherValue
                }
            }
            (Self::Undefined, Self::Undefined)
            | (Self::Error(_), Self::Error(_))
            | (Self::Refused(_), Self::Refused(_)) => Verdict::Equal,
            (Self::Result(_) | Self::Undefined | Self::Error(_), Self::Refused(why)) => {
                let is_of_types = TYPES.contains(&reason(why).as_str());
                if is_of_types { Verdict::OnlyWeKnowTypes } else { Verdict::OnlyWeRefuse }
            }
            (Self::Refused(why), Self::Result(_) | Self::Undefined | Self::Error(_)) if is_of_types(why) => {
                Verdict::OnlyOpaKnowsTypes
            }
            _ => Verdict::Different(self.kind(), ours.kind()),
        }
    }
}

impl fmt::Display for Answer {
    /// The line of the protocol.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Result(text) => write!(f, r#"{{"result":{text}}}"#),
            Self::Undefined => f.write_str(r#"{"undefined":true}"#),
            Self::Error(message) => write!(f, r#"{{"error":{}}}"#, Value::from(message.as_str())),
            Self::Refused(message) => write!(f, r#"{{"refused":{}}}"#, Value::from(message.as_str())),
            Self::Died(message) => f.write_str(message),
        }
    }
}

/// The gate's codes of types.
const TYPES: [&str; 3] = ["MG117", "MG118", "MG119"];

/// Out of time; or what only a fault of OPA's own gives.
fn is_no_answer(message: &str) -> bool {
    ["eval_cancel_error", "no answer within", "that requires evaluation"]
        .iter()
        .any(|part| message.contains(part))
}

/// Whether only OPA's type checker is against it; numbers of arguments and conflicts have the same code. A function that
/// does not check is then an undefined one, too.
fn is_of_types(why: &str) -> bool {
    let mut codes = why.split_whitespace().filter(|word| word.starts_with("rego_"));
    let of_types = ["match error", "invalid argument(s)", "undefined ref"];
    let other = ["conflict", "has arity"];
    codes.all(|code| code == "rego_type_error:")
        && of_types.iter().any(|part| why.contains(part))
        && !other.iter().any(|part| why.contains(part))
}

/// The line of a fault, and whether it is of a reference; none of one that is not of types.
fn of_ours(fault: &Value) -> Option<(usize, bool)> {
    let line = fault["line"].as_u64().and_then(|line| usize::try_from(line).ok())?;
    let code =
        fault["code"].as_str().filter(|code| TYPES.contains(code) || ["MG103", "MG115"].contains(code))?;
    Some((line, code == "MG119"))
}

/// The same of OPA's errors; none if one has no place.
fn of_opa(why: &str) -> Option<Vec<(usize, bool)>> {
    let (_, errors) = why.split_once("occurred:")?;
    let errors = errors.lines().filter(|line| line.contains("rego_type_error: "));
    let error = |line: &str| {
        let line_number = line.trim().strip_prefix("p.rego:")?.split(':').next()?.parse().ok()?;
        Some((line_number, line.contains("undefined ref")))
    };
    errors.map(error).collect()
}

/// JSON without white space and with one way to write a string. Numbers stay as they are written, which a reader of JSON
/// would not keep. Both programs write members in the order of their names.
fn in_one_form(text: &str) -> String {
    let token = |token: Token| match token {
        Token::Text(text) => {
            let decoded: Result<String, _> = serde_json::from_str(text);
            decoded.map_or_else(|_| text.to_owned(), |text| Value::from(text).to_string())
        }
        Token::Number(text) => text.to_owned(),
        Token::Sign(sign) => sign.to_string(),
    };
    tokens(text).map(token).collect()
}

/// The same, with numbers as the nearest double, of which a few last digits may differ.
fn rounded(text: &str) -> String {
    with_numbers(text, |number| {
        number.parse().map_or_else(|_| number.to_owned(), |n: f64| format!("{n:.12e}"))
    })
}

/// The same, with one way to write a number.
fn exact(text: &str) -> String {
    with_numbers(text, |number| {
        let (digits, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all = format!("{whole}{fraction}");
        let (sign, all) = all.strip_prefix('-').map_or(("", all.as_str()), |all| ("-", all));
        let significant = all.trim_end_matches('0');
        let dropped = i64::try_from(all.len() - significant.len()).unwrap();
        let exponent = exponent.parse::<i64>().unwrap() + dropped - i64::try_from(fraction.len()).unwrap();
        match significant.trim_start_matches('0') {
            "" => "0".to_owned(),
            digits => format!("{sign}{digits}e{exponent}"),
        }
    })
}

fn with_numbers(text: &str, write: impl Fn(&str) -> String) -> String {
    let token = |token: Token| match token {
        Token::Text(text) => text.to_owned(),
        Token::Number(text) => write(text),
        Token::Sign(sign) => sign.to_string(),
    };
    tokens(text).map(token).collect()
}

enum Token<'a> {
    Text(&'a str),
    Number(&'a str),
    Sign(char),
}

fn tokens(text: &str) -> impl Iterator<Item = Token<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start();
        let first = rest.chars().next()?;
        let length = match first {
            '"' => end_of_string(rest),
            '-' | '0'..='9' => rest.find([',', ']', '}', ':', ' ', '\n']).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        rest = after;
        Some(match first {
            '"' => Token::Text(token),
            '-' | '0'..='9' => Token::Number(token),
            sign => Token::Sign(sign),
        })
    })
}

/// The length of the string literal at the start of a text.
fn end_of_string(text: &str) -> usize {
    let mut is_escaped = true;
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            b'"' if !is_escaped => return index + 1,
            b'\\' => is_escaped = !is_escaped,
            _ => is_escaped = false,
        }
    }
    text.len()
}

#[test]
fn answers_are_read() {
    let expected = [
        (r#"{"result":{"a": [1.0, "\u00e9\"]"]}}"#, Answer::Result(r#"{"a":[1.0,"é\"]"]}"#.to_owned())),
        (r#"{"undefined":true}"#, Answer::Undefined),
        (r#"{"error":"no"}"#, Answer::Error("no".to_owned())),
        (r#"{"refused":[{"code":"MG101"}]}"#, Answer::Refused(r#"[{"code":"MG101"}]"#.to_owned())),
        ("x", Answer::Died("not an answer: x".to_owned())),
        (r#"{"undefined":false}"#, Answer::Died(r#"not an answer: {"undefined":false}"#.to_owned())),
    ];
    for (line, answer) in expected {
        assert_eq!(Answer::read(line), answer, "{line}");
    }
}

#[test]
fn answers_are_compared() {
    let result = |text: &str| Answer::Result(text.to_owned());
    let error = Answer::Error("x".to_owned());
    let refused = Answer::Refused("x".to_owned());
    let types = |why: &str| Answer::Refused(format!("a.rego:1: rego_type_error: {why}"));
    let timeout = Answer::Error("eval_cancel_error: y".to_owned());
    let expected = [
        (result("1"), result("1"), Verdict::Equal),
        (result("[1]"), result("[2]"), Verdict::OtherValue),
        (result("[1.0,-200]"), result("[1,-2e+2]"), Verdict::OtherSpelling),
        (result("[0.10,0]"), result("[1e-1,-0.0]"), Verdict::OtherSpelling),
        (result("9007199254740993"), result("9007199254740992"), Verdict::OtherNumber),
        (result("[\"1.0\"]"), result("[\"1\"]"), Verdict::OtherValue),
        (Answer::Undefined, Answer::Undefined, Verdict::Equal),
        (error.clone(), error.clone(), Verdict::Equal),
        (error.clone(), Answer::Undefined, Verdict::Different("error", "undefined")),
        (Answer::Undefined, error.clone(), Verdict::Different("undefined", "error")),
        (error, refused.clone(), Verdict::OnlyWeRefuse),
        (refused.clone(), refused.clone(), Verdict::Equal),
        (refused.clone(), result("1"), Verdict::Different("refused", "value")),
        (types("match error"), result("1"), Verdict::OnlyOpaKnowsTypes),
        (types("undefined function f"), result("1"), Verdict::Different("refused", "value")),
        (types("conflicting rules"), result("1"), Verdict::Different("refused", "value")),
        (timeout, result("1"), Verdict::NoAnswer),
        (result("1"), Answer::Refused(r#"[{"code":"MG118"}]"#.to_owned()), Verdict::OnlyWeKnowTypes),
        (result("1"), Answer::Died("x".to_owned()), Verdict::Different("value", "died")),
    ];
    for (theirs, ours, verdict) in expected {
        assert_eq!(theirs.compare(&ours), verdict, "{theirs:?} {ours:?}");
    }
}
