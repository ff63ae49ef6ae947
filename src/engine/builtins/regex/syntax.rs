//! Go's regular expressions (RE2) written as this crate's, which have nearly the same syntax: `\d`, `\w`, `\s` and
//! `\b` know only ASCII in Go; `{`, `[`, `&&` and escapes mean other things in places; repetitions can't be stacked.

use super::super::Failure;

/// Repetitions that Go allows.
const MOST: u32 = 1_000;

/// The same expression for the `regex` crate.
pub(super) fn translated(pattern: &str) -> Result<String, Failure> {
    let mut reader = Reader { rest: pattern, result: String::with_capacity(pattern.len()) };
    let mut repeated = false;
    while let Some(letter) = reader.next() {
        let was_repeated = std::mem::take(&mut repeated);
        match letter {
            '\\' => reader.escape()?,
            '[' => reader.class()?,
            '(' => reader.group()?,
            '*' | '+' | '?' => repeated = reader.repetition(&letter.to_string(), was_repeated)?,
            '{' => match reader.counts()? {
                Some(counts) => repeated = reader.repetition(&counts, was_repeated)?,
                None => reader.literal('{'),
            },
            '.' | '^' | '$' | '|' | ')' => reader.result.push(letter),
            letter => reader.literal(letter),
        }
    }
    Ok(reader.result)
}

struct Reader<'a> {
    rest: &'a str,
    result: String,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let mut letters = self.rest.chars();
        let letter = letters.next();
        self.rest = letters.as_str();
        letter
    }

    fn take(&mut self, text: &str) -> bool {
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn literal(&mut self, letter: char) {
        if letter.is_alphanumeric() {
            self.result.push(letter);
        } else {
            self.result.push_str(&code(letter));
        }
    }

    /// One repetition; a `?` after it makes it lazy.
    fn repetition(&mut self, operator: &str, again: bool) -> Result<bool, Failure> {
        if again {
            return Err(invalid("invalid nested repetition operator"));
        }
        self.result.push_str(operator);
        if self.take("?") {
            self.result.push('?');
        }
        Ok(true)
    }

    /// `{2}`, `{2,}`, `{2,5}` after the brace; anything else is no repetition.
    fn counts(&mut self) -> Result<Option<String>, Failure> {
        let Some((inner, rest)) = self.rest.split_once('}') else { return Ok(None) };
        let (least, most) = inner.split_once(',').unwrap_or((inner, inner));
        let number = |digits: &str| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
        // As in Go, no superfluous zeros.
        let plain = |digits: &str| number(digits) && (digits.len() == 1 || !digits.starts_with('0'));
        if !plain(least) || !(most.is_empty() || plain(most)) {
            return Ok(None);
        }
        let small =
            |digits: &str| digits.is_empty() || digits.parse::<u32>().is_ok_and(|count| count <= MOST);
        if !small(least) || !small(most) {
            return Err(invalid("invalid repeat count"));
        }
        self.rest = rest;
        Ok(Some(format!("{{{inner}}}")))
    }

    /// What comes after `(`.
    fn group(&mut self) -> Result<(), Failure> {
        self.result.push('(');
        if !self.take("?") {
            return Ok(());
        }
        self.result.push('?');
        if self.rest.starts_with("P<") || self.rest.starts_with('<') {
            let (head, rest) = self.rest.split_once('>').ok_or_else(|| invalid("invalid named capture"))?;
            let name = head.trim_start_matches('P').trim_start_matches('<');
            let fits = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
            if name.is_empty() || !name.chars().all(fits) {
                return Err(invalid("invalid named capture"));
            }
            self.result.push_str(&format!("P<{name}>"));
            self.rest = rest;
            return Ok(());
        }
        let end =
            self.rest.find([':', ')']).ok_or_else(|| invalid("missing argument to repetition operator"))?;
        let flags = self.rest.get(..end).unwrap_or_default();
        if !flags.chars().all(|flag| matches!(flag, 'i' | 'm' | 's' | 'U' | '-')) {
            return Err(invalid("invalid or unsupported Perl syntax"));
        }
        self.result.push_str(flags);
        self.rest = self.rest.get(end..).unwrap_or_default();
        if self.take(":") {
            self.result.push(':');
        }
        Ok(())
    }

    /// What comes after a backslash outside a class.
    fn escape(&mut self) -> Result<(), Failure> {
        if self.take("Q") {
            let (literal, rest) = self.rest.split_once("\\E").unwrap_or((self.rest, ""));
            self.rest = rest;
            literal.chars().for_each(|letter| self.literal(letter));
            return Ok(());
        }
        match self.rest.chars().next() {
            Some('A') => self.result.push_str("\\A"),
            Some('z') => self.result.push_str("\\z"),
            Some('b') => self.result.push_str("(?-u:\\b)"),
            Some('B') => {
                return Err(Failure::Beyond("can't match `\\B`; write what may stand there".to_owned()));
            }
            Some('C') => return Err(invalid("invalid escape sequence")),
            Some(letter) if perl(letter).is_some() => {
                self.result.push_str(&format!("[{}]", perl(letter).unwrap_or_default()));
            }
            Some('p' | 'P') => return self.unicode(),
            _ => {
                let letter = self.character()?;
                self.literal(letter);
                return Ok(());
            }
        }
        self.next();
        Ok(())
    }

    /// `\pL`, `\p{Greek}`, `\p{^Greek}`, as they are.
    fn unicode(&mut self) -> Result<(), Failure> {
        let mut negated = self.next() == Some('P');
        let name = if self.take("{") {
            let (name, rest) =
                self.rest.split_once('}').ok_or_else(|| invalid("invalid character class range"))?;
            self.rest = rest;
            name
        } else {
            let end = self.rest.char_indices().nth(1).map_or(self.rest.len(), |(end, _)| end);
            let (name, rest) = self.rest.split_at_checked(end).unwrap_or_default();
            self.rest = rest;
            name
        };
        let positive = name.strip_prefix('^');
        negated ^= positive.is_some();
        let name = positive.unwrap_or(name);
        if name.is_empty() || !name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_') {
            return Err(invalid("invalid character class range"));
        }
        self.result.push_str(&format!("\\{}{{{name}}}", if negated { 'P' } else { 'p' }));
        Ok(())
    }

    /// One escaped character, after its backslash.
    fn character(&mut self) -> Result<char, Failure> {
        let bad = || invalid("invalid escape sequence");
        let letter = self.next().ok_or_else(|| invalid("trailing backslash at end of expression"))?;
        Ok(match letter {
            'a' => '\u{7}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            'x' if self.take("{") => {
                let (digits, rest) = self.rest.split_once('}').ok_or_else(bad)?;
                self.rest = rest;
                hexadecimal(digits).ok_or_else(bad)?
            }
            'x' => {
                let (digits, rest) = self.rest.split_at_checked(2).ok_or_else(bad)?;
                self.rest = rest;
                hexadecimal(digits).ok_or_else(bad)?
            }
            '0'..='7' => {
                // `\1` would refer back to a group; `\01` and `\12` are octal.
                let octal = |letter: &char| ('0'..='7').contains(letter);
                let more: String = self.rest.chars().take(2).take_while(octal).collect();
                if letter != '0' && more.is_empty() {
                    return Err(bad());
                }
                self.rest = self.rest.get(more.len()..).unwrap_or_default();
                u32::from_str_radix(&format!("{letter}{more}"), 8)
                    .ok()
                    .and_then(char::from_u32)
                    .ok_or_else(bad)?
            }
            letter if letter.is_ascii() && !letter.is_ascii_alphanumeric() => letter,
            _ => return Err(bad()),
        })
    }

    /// What comes after `[`.
    fn class(&mut self) -> Result<(), Failure> {
        self.result.push('[');
        if self.take("^") {
            self.result.push('^');
        }
        let mut first = true;
        loop {
            if !first && self.take("]") {
                self.result.push(']');
                return Ok(());
            }
            if self.rest.is_empty() {
                return Err(invalid("missing closing ]"));
            }
            first = false;
            self.class_item()?;
        }
    }

    fn class_item(&mut self) -> Result<(), Failure> {
        if self.rest.starts_with("[:")
            && let Some((name, rest)) = self.rest.split_once(":]")
        {
            if !name.trim_start_matches("[:").trim_start_matches('^').chars().all(|c| c.is_ascii_lowercase())
            {
                return Err(invalid("invalid character class range"));
            }
            self.result.push_str(&format!("{name}:]"));
            self.rest = rest;
            return Ok(());
        }
        if let Some(escaped) = self.rest.strip_prefix('\\').and_then(|rest| rest.chars().next()) {
            if let Some(class) = perl(escaped) {
                self.rest = self.rest.get(2..).unwrap_or_default();
                self.result.push_str(&format!("[{class}]"));
                return Ok(());
            }
            if matches!(escaped, 'p' | 'P') {
                self.rest = self.rest.get(1..).unwrap_or_default();
                return self.unicode();
            }
        }
        let low = self.class_character()?;
        // `[a-]` is two characters.
        if self.rest.starts_with('-') && !self.rest.starts_with("-]") && self.rest.len() > 1 {
            self.next();
            let high = self.class_character()?;
            if high < low {
                return Err(invalid("invalid character class range"));
            }
            self.result.push_str(&format!("{}-{}", code(low), code(high)));
        } else {
            self.result.push_str(&code(low));
        }
        Ok(())
    }

    fn class_character(&mut self) -> Result<char, Failure> {
        match self.next() {
            Some('\\') => self.character(),
            Some(letter) => Ok(letter),
            None => Err(invalid("missing closing ]")),
        }
    }
}

/// Perl's classes, which know only ASCII, as what stands between brackets.
fn perl(letter: char) -> Option<&'static str> {
    Some(match letter {
        'd' => "0-9",
        'D' => "^0-9",
        's' => r"\t\n\x0C\r\x20",
        'S' => r"^\t\n\x0C\r\x20",
        'w' => "0-9A-Za-z_",
        'W' => "^0-9A-Za-z_",
        _ => return None,
    })
}

/// A letter that means only itself.
pub(in crate::engine::builtins) fn code(letter: char) -> String {
    format!("\\x{{{:X}}}", u32::from(letter))
}

fn hexadecimal(digits: &str) -> Option<char> {
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)
}

fn invalid(what: &str) -> Failure {
    Failure::Wrong(format!("error parsing regexp: {what}"))
}
