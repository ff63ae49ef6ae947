//! Answers of the batch protocol, and what makes two of them different.

use std::fmt;

use serde_json::Value;

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
    /// It ran out of time in OPA, so there is nothing to compare with.
    NoAnswer,
    /// The kinds of the answers, OPA's and ours.
    Different(&'static str, &'static str),
    /// Both give a value, but not the same one.
    OtherValue,
    /// Both give the same value but for how a number in it is written.
    OtherNumber,
}

impl Verdict {
    pub(crate) fn is_different(self) -> bool {
        matches!(self, Self::Different(..) | Self::OtherValue | Self::OtherNumber)
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
            (Self::Error(message), _) if is_timeout(message) => Verdict::NoAnswer,
            (Self::Result(theirs), Self::Result(ours)) if theirs == ours => Verdict::Equal,
            (Self::Result(theirs), Self::Result(ours)) => {
                if rounded(theirs) == rounded(ours) {
                    Verdict::OtherNumber
                } else {
                    Verdict::OtherValue
                }
            }
            (Self::Undefined, Self::Undefined)
            | (Self::Error(_), Self::Error(_))
            | (Self::Refused(_), Self::Refused(_)) => Verdict::Equal,
            (Self::Result(_) | Self::Undefined | Self::Error(_), Self::Refused(_)) => Verdict::OnlyWeRefuse,
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

fn is_timeout(message: &str) -> bool {
    message.contains("eval_cancel_error") || message.contains("no answer within")
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
    let token = |token: Token| match token {
        Token::Text(text) => text.to_owned(),
        Token::Number(text) => text.parse::<f64>().map_or_else(|_| text.to_owned(), |n| format!("{n:.12e}")),
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
        let (length, is_number) = match first {
            '"' => (end_of_string(rest), false),
            '-' | '0'..='9' => (rest.find([',', ']', '}', ':', ' ', '\n']).unwrap_or(rest.len()), true),
            _ => (0, false),
        };
        if length == 0 {
            rest = &rest[first.len_utf8()..];
            return Some(Token::Sign(first));
        }
        let (token, after) = rest.split_at(length);
        rest = after;
        Some(if is_number { Token::Number(token) } else { Token::Text(token) })
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
    let timeout = Answer::Error("eval_cancel_error: y".to_owned());
    let expected = [
        (result("1"), result("1"), Verdict::Equal),
        (result("[1]"), result("[2]"), Verdict::OtherValue),
        (result("[1.0]"), result("[1]"), Verdict::OtherNumber),
        (result("[\"1.0\"]"), result("[\"1\"]"), Verdict::OtherValue),
        (Answer::Undefined, Answer::Undefined, Verdict::Equal),
        (error.clone(), error.clone(), Verdict::Equal),
        (error.clone(), Answer::Undefined, Verdict::Different("error", "undefined")),
        (Answer::Undefined, error.clone(), Verdict::Different("undefined", "error")),
        (error, refused.clone(), Verdict::OnlyWeRefuse),
        (refused.clone(), refused.clone(), Verdict::Equal),
        (refused.clone(), result("1"), Verdict::Different("refused", "value")),
        (timeout, result("1"), Verdict::NoAnswer),
        (result("1"), Answer::Died("x".to_owned()), Verdict::Different("value", "died")),
    ];
    for (theirs, ours, verdict) in expected {
        assert_eq!(theirs.compare(&ours), verdict, "{theirs:?} {ours:?}");
    }
}
