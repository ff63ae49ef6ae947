//! One argument, printed for one verb.

use num_bigint::BigInt;
use regorus::Value;

use super::super::number::Number;
use super::super::text::{Quote, printable, quoted, written};
use super::super::{Failure, budget, spelling};
use super::float;

/// An argument as OPA hands it to Go.
pub(super) enum Argument {
    Integer(i64),
    Big(BigInt),
    Double(f64),
    /// A string, or any other value in Rego's notation.
    Text(String),
}

/// What stands between `%` and the verb.
#[derive(Clone, Copy, Default)]
pub(super) struct Flags {
    pub(super) sharp: bool,
    pub(super) zero: bool,
    pub(super) plus: bool,
    pub(super) minus: bool,
    pub(super) space: bool,
    pub(super) width: Option<usize>,
    pub(super) precision: Option<usize>,
}

impl Flags {
    /// Pads to the width.
    pub(super) fn pad(self, text: &str) -> String {
        let missing = self.width.unwrap_or_default().saturating_sub(text.chars().count());
        if self.minus {
            format!("{text}{}", " ".repeat(missing))
        } else {
            format!("{}{text}", if self.zero { "0" } else { " " }.repeat(missing))
        }
    }

    fn without_zero(self) -> Self {
        Self { zero: false, ..self }
    }
}

impl Argument {
    pub(super) fn of(value: &Value) -> Result<Self, Failure> {
        Ok(match (value, Number::of(value)) {
            // With a point or an exponent it is a floating-point number to OPA.
            (_, Some(number @ Number::Integer(_)))
                if spelling::of_whole(value)?.is_some_and(|text| text.contains(['.', 'e', 'E'])) =>
            {
                Self::Double(number.to_double())
            }
            (_, Some(Number::Integer(integer))) => {
                i64::try_from(&integer).map_or_else(|_| Self::Big(integer), Self::Integer)
            }
            (_, Some(Number::Double(double))) => Self::Double(double),
            (Value::String(text), _) => {
                budget::bytes(text.len())?;
                Self::Text(text.to_string())
            }
            (other, _) => Self::Text(written(other)?),
        })
    }

    /// Its type in Go's words.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Integer(_) => "int64",
            Self::Big(_) => "*big.Int",
            Self::Double(_) => "float64",
            Self::Text(_) => "string",
        }
    }

    pub(super) fn print(&self, verb: char, mut flags: Flags) -> Result<String, Failure> {
        budget::bytes(flags.precision.unwrap_or_default())?;
        if verb == 'T' {
            return Ok(text_of(self.type_name(), 's', flags));
        }
        if verb == 'p' || verb == 'w' {
            return self.bad(verb, flags);
        }
        // `%#v` asks for Go's syntax, `%+v` for names of fields: no number looks different for it.
        let syntax = verb == 'v' && flags.sharp;
        if verb == 'v' {
            flags.sharp = false;
            flags.plus = false;
        }
        match self {
            Self::Integer(number) if "vdboOxXcqU".contains(verb) => Ok(integer(*number, verb, flags)),
            Self::Big(_) if syntax => unsupported("%#v", "an integer of more than 64 bits"),
            Self::Big(number) if "vsdboOxX".contains(verb) => Ok(big(number, verb, flags)),
            Self::Big(number) => Ok(format!("%!{verb}(big.Int={number})")),
            Self::Double(_) if syntax || (flags.sharp && "gGeEfF".contains(verb)) => {
                unsupported("#", "a number with a fraction")
            }
            Self::Double(_) if "bxX".contains(verb) => {
                unsupported(&format!("%{verb}"), "a number with a fraction")
            }
            Self::Double(number) if "vgGeEfF".contains(verb) => Ok(float::print(*number, verb, flags)),
            Self::Text(text) if syntax => Ok(text_of(text, 'q', flags)),
            Self::Text(text) if "vsxXq".contains(verb) => Ok(text_of(text, verb, flags)),
            _ => self.bad(verb, flags),
        }
    }

    /// A verb that this type does not know.
    fn bad(&self, verb: char, flags: Flags) -> Result<String, Failure> {
        let value = match self {
            // Not through `%v`, which takes flags away that hold here.
            Self::Integer(number) => integer(*number, 'd', flags),
            Self::Double(number) if flags.sharp => {
                let _ = number;
                return unsupported("#", "a number with a fraction");
            }
            Self::Double(number) => float::print(*number, 'v', flags),
            Self::Big(number) => big(number, 'd', flags),
            Self::Text(text) => text_of(text, 's', flags),
        };
        Ok(format!("%!{verb}({}={value})", self.type_name()))
    }
}

fn unsupported(what: &str, of: &str) -> Result<String, Failure> {
    Err(Failure::Beyond(format!("can't print {of} with `{what}`")))
}

fn integer(number: i64, verb: char, flags: Flags) -> String {
    match verb {
        'c' => flags.pad(&letter(number).to_string()),
        'q' => flags.pad(&quoted(&letter(number).to_string(), Quote::Single, flags.plus)),
        'U' => unicode(number, flags),
        'b' | 'o' | 'O' | 'x' | 'X' => digits(&BigInt::from(number), verb, flags, true),
        _ => digits(&BigInt::from(number), 'd', flags, true),
    }
}

fn letter(number: i64) -> char {
    u32::try_from(number).ok().and_then(char::from_u32).unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn unicode(number: i64, flags: Flags) -> String {
    let precision = flags.precision.unwrap_or_default().max(4);
    // Go prints the bits of a negative number.
    let bits = u64::from_le_bytes(number.to_le_bytes());
    let mut text = format!("U+{}", zeros(format!("{bits:X}"), precision));
    if flags.sharp
        && let Some(letter) = u32::try_from(bits).ok().and_then(char::from_u32).filter(|l| printable(*l))
    {
        text.push_str(&format!(" '{letter}'"));
    }
    flags.without_zero().pad(&text)
}

fn big(number: &BigInt, verb: char, flags: Flags) -> String {
    digits(number, if matches!(verb, 'v' | 's') { 'd' } else { verb }, flags, false)
}

/// An integer in some base. Go has two such printers; they differ in where the zeros of a width go.
fn digits(number: &BigInt, verb: char, flags: Flags, small: bool) -> String {
    let radix = match verb {
        'b' => 2,
        'o' | 'O' => 8,
        'x' | 'X' => 16,
        _ => 10,
    };
    let mut digits = number.magnitude().to_str_radix(radix);
    if verb == 'X' {
        digits = digits.to_ascii_uppercase();
    }
    let sign = match () {
        () if number.sign() == num_bigint::Sign::Minus => "-",
        () if flags.plus => "+",
        () if flags.space => " ",
        () => "",
    };
    let width = flags.width.unwrap_or_default();
    match flags.precision {
        Some(0) if digits == "0" => return if small { " ".repeat(width) } else { String::new() },
        Some(precision) => digits = zeros(digits, precision),
        None if small && flags.zero && !flags.minus => {
            digits = zeros(digits, width.saturating_sub(sign.len()));
        }
        None => {}
    }
    let prefix = match verb {
        'O' if small && flags.sharp && !digits.starts_with('0') => "0o0",
        'O' => "0o",
        'b' if flags.sharp => "0b",
        'o' if flags.sharp && !(small && digits.starts_with('0')) => "0",
        'x' if flags.sharp => "0x",
        'X' if flags.sharp => "0X",
        _ => "",
    };
    if !small && flags.zero && !flags.minus && flags.precision.is_none() {
        digits = zeros(digits, width.saturating_sub(sign.len().saturating_add(prefix.len())));
    }
    flags.without_zero().pad(&format!("{sign}{prefix}{digits}"))
}

fn zeros(digits: String, length: usize) -> String {
    let missing = length.saturating_sub(digits.len());
    if missing == 0 { digits } else { format!("{}{digits}", "0".repeat(missing)) }
}

fn text_of(text: &str, verb: char, flags: Flags) -> String {
    let limit = flags.precision.unwrap_or(usize::MAX);
    let cut: String = if flags.precision.is_some() && !matches!(verb, 'x' | 'X') {
        text.chars().take(limit).collect()
    } else {
        text.to_owned()
    };
    match verb {
        'x' | 'X' => hexadecimal(text.as_bytes().get(..limit).unwrap_or(text.as_bytes()), verb, flags),
        'q' if flags.sharp && raw(&cut) => flags.pad(&format!("`{cut}`")),
        'q' => flags.pad(&quoted(&cut, Quote::Double, flags.plus)),
        _ => flags.pad(&cut),
    }
}

/// Whether Go can write it between backquotes.
fn raw(text: &str) -> bool {
    !text
        .chars()
        .any(|letter| matches!(letter, '`' | '\u{7f}' | '\u{feff}') || (letter < ' ' && letter != '\t'))
}

fn hexadecimal(bytes: &[u8], verb: char, flags: Flags) -> String {
    let byte = |byte: &u8| if verb == 'X' { format!("{byte:02X}") } else { format!("{byte:02x}") };
    let prefix = match (flags.sharp, verb) {
        (true, 'X') => "0X",
        (true, _) => "0x",
        _ => "",
    };
    let each: Vec<String> = bytes.iter().map(byte).collect();
    let text = match (each.is_empty(), flags.space) {
        (true, _) => String::new(),
        (false, true) => format!("{prefix}{}", each.join(&format!(" {prefix}"))),
        (false, false) => format!("{prefix}{}", each.concat()),
    };
    flags.pad(&text)
}
