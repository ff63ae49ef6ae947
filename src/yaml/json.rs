//! JSON values at the head of a stream, as k8s.io/apimachinery's YAMLOrJSONDecoder reads them: a stream that begins
//! with `{` is JSON until it is not; after the first value at the latest it is YAML then.

use serde_json::{Map, Number, Value};

use super::places::{Child, Place, Places};
use super::{DEPTH, Document, Fault, Position, duplicate_key, refused_name, split, too_deep};

/// What is JSON of a stream.
#[derive(Default)]
pub(super) struct Head {
    pub(super) documents: Vec<Result<Document, Fault>>,
    /// The offset from which on the stream is YAML.
    pub(super) rest: usize,
    /// Why what is there is not JSON, where it might have been meant as JSON.
    pub(super) attempt: Option<Fault>,
}

/// Reads the JSON of a stream.
pub(super) fn read(bytes: &[u8]) -> Head {
    let mut head = Head::default();
    let text = bytes.utf8_chunks().next().map(|chunk| chunk.valid()).unwrap_or_default();
    if !text.trim_start().starts_with('{') {
        return head;
    }
    let mut reader = Reader::new(text);
    let mut count = 0_usize;
    loop {
        let before = reader.offset;
        reader.skip_space();
        if reader.offset >= bytes.len() {
            head.rest = bytes.len();
            return head;
        }
        match reader.document() {
            Ok(Some(document)) => head.documents.push(document),
            Ok(None) => {}
            Err(Stop::Syntax(fault)) if count < 2 => match yaml_begins(bytes, before) {
                Some(rest) => return Head { rest, attempt: Some(fault), ..head },
                None => {
                    head.documents.push(Err(fault));
                    head.rest = bytes.len();
                    return head;
                }
            },
            Err(Stop::Syntax(fault) | Stop::Refused(fault)) => {
                head.documents.push(Err(fault));
                head.rest = split::next_separator(bytes, before);
                return head;
            }
        }
        count = count.saturating_add(1);
    }
}

/// Where kubectl begins to read YAML behind JSON: on the next line, or at the next character that is no space. It looks
/// at four bytes at a time and gives up where there are fewer.
fn yaml_begins(bytes: &[u8], from: usize) -> Option<usize> {
    let mut offset = from;
    let text = bytes.get(from..)?.utf8_chunks().next().map(|chunk| chunk.valid()).unwrap_or_default();
    for character in text.chars() {
        bytes.get(offset..offset.saturating_add(4))?;
        if !character.is_whitespace() {
            break;
        }
        offset = offset.saturating_add(character.len_utf8());
        if character == '\n' {
            break;
        }
    }
    Some(offset)
}

/// Why a value can't be read.
enum Stop {
    /// It is not JSON; it may be YAML.
    Syntax(Fault),
    /// It is JSON that we don't take, and its end is not known.
    Refused(Fault),
}

struct Reader<'a> {
    text: &'a str,
    offset: usize,
    /// The position of an earlier offset, to count on from: counting from the start each time would be quadratic.
    counted: (usize, Position),
    places: Vec<Place>,
    depth: usize,
    /// The first thing in the document that is JSON but not taken.
    refusal: Option<Fault>,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        let counted = (0, Position { line: 1, column: 1 });
        Self { text, offset: 0, counted, places: Vec::new(), depth: 0, refusal: None }
    }

    /// The next value of the stream; None if it is null.
    fn document(&mut self) -> Result<Option<Result<Document, Fault>>, Stop> {
        let (value, root) = self.value()?;
        let places = Places::new(std::mem::take(&mut self.places), root);
        if let Some(fault) = self.refusal.take() {
            return Ok(Some(Err(fault)));
        }
        Ok(if value.is_null() { None } else { Some(Ok(Document::new(value, places))) })
    }

    fn value(&mut self) -> Result<(Value, Child), Stop> {
        self.skip_space();
        let position = self.position();
        let (value, place) = match self.peek() {
            Some(b'{') => self.nested(position, Self::object)?,
            Some(b'[') => self.nested(position, Self::array)?,
            Some(b'"') => (Value::String(self.string()?), Place::Scalar),
            Some(b'-' | b'0'..=b'9') => (Value::Number(self.number(position)?), Place::Scalar),
            _ => (self.literal(position)?, Place::Scalar),
        };
        let id = self.places.len();
        self.places.push(place);
        Ok((value, (position, id)))
    }

    fn nested(
        &mut self,
        position: Position,
        below: fn(&mut Self) -> Result<(Value, Place), Stop>,
    ) -> Result<(Value, Place), Stop> {
        if self.depth >= DEPTH {
            return Err(Stop::Refused(Fault { position, message: too_deep() }));
        }
        self.depth = self.depth.saturating_add(1);
        self.offset = self.offset.saturating_add(1);
        let result = below(self);
        self.depth = self.depth.saturating_sub(1);
        result
    }

    fn object(&mut self) -> Result<(Value, Place), Stop> {
        let (mut values, mut places): (Map<String, Value>, Vec<(String, Child)>) = (Map::new(), Vec::new());
        if self.accept(b'}') {
            return Ok((Value::Object(values), Place::Members(places)));
        }
        loop {
            self.skip_space();
            let position = self.position();
            let name = self.string()?;
            self.expect(b':')?;
            let (value, (_, id)) = self.value()?;
            let refused = refused_name(&name).or_else(|| {
                // Only the first fault is told; looking for all would be quadratic.
                let is_fault = self.refusal.is_none() && values.contains_key(&name);
                let first = is_fault.then(|| places.iter().rfind(|(one, _)| *one == name)).flatten();
                let first = first.map(|(_, (first, _))| *first);
                places.push((name.clone(), (position, id)));
                Some(duplicate_key(&name, first?))
            });
            if let Some(message) = refused {
                self.refusal.get_or_insert(Fault { position, message });
            }
            values.insert(name, value);
            if self.accept(b'}') {
                return Ok((Value::Object(values), Place::Members(places)));
            }
            self.expect(b',')?;
        }
    }

    fn array(&mut self) -> Result<(Value, Place), Stop> {
        let (mut values, mut places) = (Vec::new(), Vec::new());
        if self.accept(b']') {
            return Ok((Value::Array(values), Place::Elements(places)));
        }
        loop {
            let (value, child) = self.value()?;
            values.push(value);
            places.push(child);
            if self.accept(b']') {
                return Ok((Value::Array(values), Place::Elements(places)));
            }
            self.expect(b',')?;
        }
    }

    fn string(&mut self) -> Result<String, Stop> {
        let position = self.position();
        let mut is_escaped = true;
        let end = self.rest().bytes().position(|byte| {
            let is_end = byte == b'"' && !is_escaped;
            is_escaped = byte == b'\\' && !is_escaped;
            is_end
        });
        let token = end.and_then(|end| self.rest().get(..end.saturating_add(1))).unwrap_or_default();
        if !token.starts_with('"') {
            return Err(syntax(position, "a text in double quotes is expected"));
        }
        let string = serde_json::from_str(token);
        let string =
            string.map_err(|_| syntax(position, "a text with a wrong escape or a control character"))?;
        self.offset = self.offset.saturating_add(token.len());
        Ok(string)
    }

    /// Integers stay integers up to `u64`; other numbers are doubles, rounded as exactly as Go does.
    fn number(&mut self, position: Position) -> Result<Number, Stop> {
        let rest = self.rest();
        let behind = behind_number(rest);
        let token = rest.get(..rest.len().saturating_sub(behind.len())).unwrap_or_default();
        self.offset = self.offset.saturating_add(token.len());
        let double = token.parse::<f64>();
        match (serde_json::from_str::<Number>(token), double) {
            (Ok(_), Ok(0.0)) if token == "-0" => Ok(Number::from(0)),
            (Ok(number), _) if !number.is_f64() => Ok(number),
            (Ok(number), Ok(double)) => Ok(Number::from_f64(double).unwrap_or(number)),
            (Err(_), Ok(double)) if double.is_infinite() => {
                let message = format!("`{token}` is beyond all doubles; write a smaller number, or a text");
                self.refusal.get_or_insert(Fault { position, message });
                Ok(Number::from(0))
            }
            _ => Err(syntax(position, "a number in a form that JSON doesn't have")),
        }
    }

    fn literal(&mut self, position: Position) -> Result<Value, Stop> {
        let literals = [("true", Value::Bool(true)), ("false", Value::Bool(false)), ("null", Value::Null)];
        for (literal, value) in literals {
            if self.rest().starts_with(literal) {
                self.offset = self.offset.saturating_add(literal.len());
                return Ok(value);
            }
        }
        Err(syntax(position, "a value is expected"))
    }

    fn expect(&mut self, byte: u8) -> Result<(), Stop> {
        if self.accept(byte) {
            return Ok(());
        }
        let position = self.position();
        Err(syntax(position, &format!("`{}` is expected", char::from(byte))))
    }

    /// Skips spaces, and the byte if it is next.
    fn accept(&mut self, byte: u8) -> bool {
        self.skip_space();
        let is_next = self.peek() == Some(byte);
        if is_next {
            self.offset = self.offset.saturating_add(1);
        }
        is_next
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        let skipped = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        self.offset = self.offset.saturating_add(rest.len().saturating_sub(skipped.len()));
    }

    fn peek(&self) -> Option<u8> {
        self.rest().bytes().next()
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.offset..).unwrap_or_default()
    }

    fn position(&mut self) -> Position {
        let (from, mut position) = self.counted;
        for character in self.text.get(from..self.offset).unwrap_or_default().chars() {
            position = match character {
                '\n' => Position { line: position.line.saturating_add(1), column: 1 },
                _ => Position { column: position.column.saturating_add(1), ..position },
            };
        }
        self.counted = (self.offset, position);
        position
    }
}

/// What follows a number, which ends where it can't go on: `01` is two.
fn behind_number(text: &str) -> &str {
    let text = text.strip_prefix('-').unwrap_or(text);
    let text = text.strip_prefix('0').unwrap_or_else(|| behind_digits(text));
    let text = text.strip_prefix('.').map_or(text, behind_digits);
    let exponent = text.strip_prefix(['e', 'E']).map(|text| text.strip_prefix(['+', '-']).unwrap_or(text));
    exponent.map_or(text, behind_digits)
}

fn behind_digits(text: &str) -> &str {
    text.trim_start_matches(|character: char| character.is_ascii_digit())
}

fn syntax(position: Position, problem: &str) -> Stop {
    Stop::Syntax(Fault { position, message: format!("not JSON: {problem}; correct the syntax") })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn values(input: &str) -> (Vec<Value>, usize, Option<Fault>) {
        let head = read(input.as_bytes());
        (
            head.documents.into_iter().map(|document| document.unwrap().value).collect(),
            head.rest,
            head.attempt,
        )
    }

    fn fault(input: &str) -> (usize, String) {
        let mut faults = read(input.as_bytes()).documents.into_iter().filter_map(Result::err);
        faults.next().map(|fault| (fault.position.column, fault.message)).unwrap()
    }

    #[test]
    fn values_may_follow_each_other() {
        let input = "{\"a\": [1, -0, 1.0, true, \"\\u00e9\"]}{} null\n{\"b\":null}\n";
        let (documents, rest, attempt) = values(input);
        assert_eq!(documents, [json!({"a": [1, 0, 1.0, true, "é"]}), json!({}), json!({"b": null})]);
        assert_eq!((rest, attempt), (input.len(), None));
    }

    #[test]
    fn what_is_not_json_is_yaml_after_one_value_at_most() {
        assert_eq!(values("a: 1").1, 0);
        assert_eq!(values("{a: 1}").1, 0);
        let (documents, rest, attempt) = values("{\"a\": 1}  \n---\nb: 1\n");
        assert_eq!((documents.len(), rest, attempt.is_some()), (1, 11, true));
        let after_two = read(b"{}{}\n---\nb: 1\n");
        assert!(after_two.documents[2].is_err());
        assert_eq!(after_two.rest, 5);
    }

    #[test]
    fn kubectl_gives_up_less_than_four_bytes_before_the_end() {
        assert_eq!(values("{}\n#ab").1, 3);
        assert_eq!(fault("{}\n#a").0, 1);
    }

    #[test]
    fn numbers_keep_what_they_are() {
        let (documents, ..) = values("{\"a\": [18446744073709551615, 18446744073709551616, 0.1e1, 1E2]} 01");
        assert_eq!(documents[0], json!({"a": [u64::MAX, 18_446_744_073_709_552_000.0, 1.0, 100.0]}));
        assert_eq!(documents[1..], [json!(0), json!(1)]);
        assert!(fault("{\"a\": 1e999}").1.contains("beyond all doubles"));
    }

    #[test]
    fn refusals_do_not_swallow_the_next_value() {
        let head = read(b"{\"a\": 1, \"a\": 2}{\"$serde_json::private::Number\": \"7\"}{\"b\": 1}");
        let results: Vec<_> =
            head.documents.iter().map(|document| document.as_ref().map(|d| &d.value).ok()).collect();
        assert_eq!(results, [None, None, Some(&json!({"b": 1}))]);
        assert_eq!(fault("{\"a\": 1, \"a\": 2}").0, 10);
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
        assert_eq!(values(&nested(DEPTH)).0.len(), 1);
        assert!(fault(&nested(DEPTH + 1)).1.contains("levels"));
        assert!(fault(&nested(1_000_000)).1.contains("levels"));
    }
}
