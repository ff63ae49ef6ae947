//! JSON texts as values, with all digits of their numbers, as OPA reads them: of a key that is there twice the last
//! counts, half a surrogate is U+FFFD. `serde_json` would make doubles of integers beyond 64 bits.

use std::collections::BTreeMap;

use regorus::Value;

use super::builtins::{Failure, decimal};

/// As deep as whatever else reads JSON here.
const DEPTH: usize = 127;

/// Reads a text.
///
/// # Errors
/// It is not JSON; or JSON that is too deep, or has a number that can't be kept.
pub(super) fn read(text: &str) -> Result<Value, Failure> {
    let mut reader = Reader { rest: text, depth: 0 };
    let value = reader.value()?;
    reader.space();
    if reader.rest.is_empty() { Ok(value) } else { Err(reader.wrong()) }
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn value(&mut self) -> Result<Value, Failure> {
        self.space();
        match self.rest.bytes().next() {
            Some(b'{') => self.nested(Self::object),
            Some(b'[') => self.nested(Self::array),
            Some(b'"') => self.string().map(Value::from),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => {
                let words =
                    [("null", Value::Null), ("true", Value::from(true)), ("false", Value::from(false))];
                let word = words.into_iter().find(|(word, _)| self.take(word));
                word.map(|(_, value)| value).ok_or_else(|| self.wrong())
            }
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Value, Failure>) -> Result<Value, Failure> {
        if self.depth >= DEPTH {
            return Err(Failure::Beyond(format!("is given JSON that is deeper than {DEPTH} levels")));
        }
        self.depth = self.depth.saturating_add(1);
        let value = read(self)?;
        self.depth = self.depth.saturating_sub(1);
        Ok(value)
    }

    fn array(&mut self) -> Result<Value, Failure> {
        let mut items = Vec::new();
        self.take("[");
        self.space();
        if self.take("]") {
            return Ok(Value::from(items));
        }
        loop {
            items.push(self.value()?);
            self.space();
            if self.take("]") {
                return Ok(Value::from(items));
            }
            self.expect(",")?;
        }
    }

    fn object(&mut self) -> Result<Value, Failure> {
        let mut members = BTreeMap::new();
        self.take("{");
        self.space();
        if self.take("}") {
            return Ok(Value::from(members));
        }
        loop {
            self.space();
            let name = self.string()?;
            self.space();
            self.expect(":")?;
            members.insert(Value::from(name), self.value()?);
            self.space();
            if self.take("}") {
                return Ok(Value::from(members));
            }
            self.expect(",")?;
        }
    }

    fn string(&mut self) -> Result<String, Failure> {
        self.expect("\"")?;
        let mut text = String::new();
        loop {
            let plain = self.rest.find(|letter: char| letter == '"' || letter == '\\' || letter < ' ');
            let (before, rest) =
                plain.and_then(|at| self.rest.split_at_checked(at)).ok_or_else(|| self.wrong())?;
            text.push_str(before);
            self.rest = rest;
            if self.take("\"") {
                return Ok(text);
            }
            text.push(self.escape()?);
        }
    }

    fn escape(&mut self) -> Result<char, Failure> {
        self.expect("\\")?;
        if self.rest.starts_with('u') {
            let first = self.unit()?;
            let is_high = (0xD800..0xDC00).contains(&first);
            let before = self.rest;
            if is_high && self.rest.starts_with("\\u") {
                self.expect("\\")?;
                let second = self.unit()?;
                let low = second.checked_sub(0xDC00).filter(|low| *low < 0x400);
                if let Some(low) = low {
                    let high = first.saturating_sub(0xD800).saturating_mul(0x400);
                    return Ok(char::from_u32(0x1_0000_u32.saturating_add(high).saturating_add(low))
                        .unwrap_or(char::REPLACEMENT_CHARACTER));
                }
                self.rest = before;
            }
            return Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let known = [
            ("\"", '"'),
            ("\\", '\\'),
            ("/", '/'),
            ("b", '\u{8}'),
            ("f", '\u{c}'),
            ("n", '\n'),
            ("r", '\r'),
            ("t", '\t'),
        ];
        known
            .into_iter()
            .find(|(name, _)| self.take(name))
            .map(|(_, letter)| letter)
            .ok_or_else(|| self.wrong())
    }

    /// `uXXXX`
    fn unit(&mut self) -> Result<u32, Failure> {
        self.expect("u")?;
        let (digits, rest) = self.rest.split_at_checked(4).ok_or_else(|| self.wrong())?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(self.wrong());
        }
        self.rest = rest;
        u32::from_str_radix(digits, 16).map_err(|_| self.wrong())
    }

    fn number(&mut self) -> Result<Value, Failure> {
        let is_part = |letter: char| letter.is_ascii_digit() || matches!(letter, '-' | '+' | '.' | 'e' | 'E');
        let end = self.rest.find(|letter| !is_part(letter)).unwrap_or(self.rest.len());
        let (text, rest) = self.rest.split_at_checked(end).ok_or_else(|| self.wrong())?;
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let mantissa = unsigned.split(['e', 'E']).next().unwrap_or_default();
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, "0"));
        let are_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !are_digits(whole) || !are_digits(fraction) || whole.len() > 1 && whole.starts_with('0') {
            return Err(self.wrong());
        }
        self.rest = rest;
        decimal::read(text).ok_or_else(|| self.wrong())?
    }

    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn take(&mut self, token: &str) -> bool {
        let rest = self.rest.strip_prefix(token);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn expect(&mut self, token: &str) -> Result<(), Failure> {
        if self.take(token) { Ok(()) } else { Err(self.wrong()) }
    }

    fn wrong(&self) -> Failure {
        let near: String = self.rest.chars().take(16).collect();
        Failure::Wrong(format!("not JSON, at `{near}`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_as_serde_json_reads_them() {
        let texts = [
            r#"{"a":[1,-2.5,1e3,{"b":null}],"c":"x\n\u00e9\ud83d\ude00\/\\","":true}"#,
            " [ ] ",
            "{\"a\":1,\"a\":2}",
            "\"\"",
            "0",
            "-0.0",
        ];
        for text in texts {
            let theirs: serde_json::Value = serde_json::from_str(text).unwrap();
            assert_eq!(read(text), Ok(super::super::input::to_rego(&theirs)), "{text}");
        }
        let wrong = [
            "",
            "[1,]",
            "{\"a\"}",
            "01",
            "1.",
            ".5",
            "+1",
            "1e",
            "--1",
            "\"\u{1}\"",
            "\"\\x\"",
            "\"\\u12\"",
            "[1] 2",
            "nul",
            "{a:1}",
            "\"",
        ];
        for text in wrong {
            assert!(matches!(read(text), Err(Failure::Wrong(_))), "{text}");
            assert!(serde_json::from_str::<serde_json::Value>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_serde_json_can_t_read() {
        let big = read("[18446744073709551617]").unwrap();
        assert_eq!(super::super::output_json::text(&big).as_deref(), Some("[18446744073709551617]"));
        assert_eq!(read(r#""\ud800\ud800\udc00""#), Ok(Value::from("\u{fffd}\u{10000}")));
        let deep = format!("{}{}", "[".repeat(128), "]".repeat(128));
        for text in [deep.as_str(), "0.33333333333333333334", "1e99999"] {
            assert!(matches!(read(text), Err(Failure::Beyond(_))), "{text}");
        }
    }
}
