//! `sprintf`, as Go's fmt has it: what a policy gets wrong is said in the text (`%!d(string=x)`), not an error.

mod float;
mod print;

use regorus::Value;

use super::arguments::{array, string};
use super::text::written;
use super::{Failure, budget, strings};
use print::{Argument, Flags};

/// Widths and precisions that Go takes for a number at all.
const LARGEST: usize = 1_000_000;

/// The format of an expression in a template string: a text as it is, anything else in Rego's notation, in which a number
/// has all its digits. Its verb is for private use.
pub(in crate::engine) const SHOWN: &str = "%\u{f8ff}";

pub(super) fn sprintf(arguments: &[Value]) -> Result<Value, Failure> {
    let format = string(arguments, 0)?;
    let values = array(arguments, 1)?;
    if let (SHOWN, Some(shown)) = (format.as_ref(), values.first()) {
        return Ok(if matches!(shown, Value::String(_)) { shown.clone() } else { written(shown)?.into() });
    }
    let values = values.iter().map(Argument::of).collect::<Result<Vec<_>, _>>()?;
    let mut printer = Printer {
        rest: format,
        arguments: &values,
        next: 0,
        text: String::new(),
        after_index: false,
        good_index: true,
        reordered: false,
    };
    printer.print()?;
    strings::made(printer.text)
}

struct Printer<'a> {
    /// What of the format is still to be read.
    rest: &'a str,
    arguments: &'a [Argument],
    /// The argument that the next verb takes.
    next: usize,
    text: String,
    /// The last thing read was an index, `[3]`.
    after_index: bool,
    /// The indices of this verb were all right.
    good_index: bool,
    /// Some verb chose its argument.
    reordered: bool,
}

impl Printer<'_> {
    fn print(&mut self) -> Result<(), Failure> {
        while let Some((before, after)) = self.rest.split_once('%') {
            self.text.push_str(before);
            self.rest = after;
            if !self.verb()? {
                return self.extra();
            }
        }
        self.text.push_str(self.rest);
        self.extra()
    }

    /// Prints one verb; false where the format ends within it.
    fn verb(&mut self) -> Result<bool, Failure> {
        let mut flags = self.flags();
        self.good_index = true;
        self.after_index = false;
        self.index();
        self.width(&mut flags)?;
        self.precision(&mut flags);
        if !self.after_index {
            self.index();
        }
        let mut letters = self.rest.chars();
        let Some(verb) = letters.next() else {
            self.text.push_str("%!(NOVERB)");
            return Ok(false);
        };
        self.rest = letters.as_str();
        if verb == '%' {
            self.text.push('%');
        } else if !self.good_index {
            self.text.push_str(&format!("%!{verb}(BADINDEX)"));
        } else if let Some(argument) = self.arguments.get(self.next) {
            let text = argument.print(verb, flags)?;
            budget::bytes(text.len())?;
            self.text.push_str(&text);
            self.next = self.next.saturating_add(1);
        } else {
            self.text.push_str(&format!("%!{verb}(MISSING)"));
        }
        Ok(true)
    }

    fn flags(&mut self) -> Flags {
        let mut flags = Flags::default();
        while let Some(flag) = self.rest.chars().next() {
            match flag {
                '#' => flags.sharp = true,
                '0' => flags.zero = true,
                '+' => flags.plus = true,
                '-' => flags.minus = true,
                ' ' => flags.space = true,
                _ => break,
            }
            self.skip(1);
        }
        flags
    }

    fn width(&mut self, flags: &mut Flags) -> Result<(), Failure> {
        if self.rest.starts_with('*') {
            self.skip(1);
            match self.number_from_arguments() {
                Some(width) => {
                    flags.width = Some(width.unsigned_abs());
                    if width < 0 {
                        flags.minus = true;
                        flags.zero = false;
                    }
                }
                None => self.text.push_str("%!(BADWIDTH)"),
            }
            self.after_index = false;
        } else {
            flags.width = self.digits();
            if self.after_index && flags.width.is_some() {
                self.good_index = false;
            }
        }
        budget::bytes(flags.width.unwrap_or_default())
    }

    fn precision(&mut self, flags: &mut Flags) {
        if !self.rest.starts_with('.') {
            return;
        }
        self.skip(1);
        if self.after_index {
            self.good_index = false;
        }
        self.after_index = false;
        self.index();
        if self.rest.starts_with('*') {
            self.skip(1);
            flags.precision =
                self.number_from_arguments().and_then(|precision| usize::try_from(precision).ok());
            if flags.precision.is_none() {
                self.text.push_str("%!(BADPREC)");
            }
            self.after_index = false;
        } else {
            flags.precision = Some(self.digits().unwrap_or_default());
        }
    }

    /// An index, `[3]`, if there is one.
    fn index(&mut self) {
        let Some(inner) = self.rest.strip_prefix('[') else { return };
        self.reordered = true;
        // At least three characters, as Go wants them.
        let Some((number, after)) = inner.split_once(']').filter(|_| self.rest.len() >= 3) else {
            self.good_index = false;
            self.skip(1);
            return;
        };
        self.rest = after;
        let index = whole(number).and_then(|index| index.checked_sub(1));
        match index.filter(|index| *index < self.arguments.len()) {
            Some(index) => {
                self.next = index;
                self.after_index = true;
            }
            None => {
                self.good_index = false;
                self.after_index = whole(number).is_some();
            }
        }
    }

    /// A width or a precision that is an argument.
    fn number_from_arguments(&mut self) -> Option<isize> {
        let argument = self.arguments.get(self.next)?;
        self.next = self.next.saturating_add(1);
        let Argument::Integer(number) = argument else { return None };
        isize::try_from(*number).ok().filter(|number| number.unsigned_abs() <= LARGEST)
    }

    /// A number in the format. One that is too large ends the format, as in Go.
    fn digits(&mut self) -> Option<usize> {
        let end = self.rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, after) = self.rest.split_at_checked(end)?;
        if digits.is_empty() {
            return None;
        }
        let number = whole(digits);
        self.rest = if number.is_some() { after } else { "" };
        number
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    /// Arguments that no verb took.
    fn extra(&mut self) -> Result<(), Failure> {
        let extra = self.arguments.get(self.next..).unwrap_or_default();
        if self.reordered || extra.is_empty() {
            return Ok(());
        }
        self.text.push_str("%!(EXTRA ");
        for (count, argument) in extra.iter().enumerate() {
            let text = argument.print('v', Flags::default())?;
            let separator = if count == 0 { "" } else { ", " };
            self.text.push_str(&format!("{separator}{}={text}", argument.type_name()));
        }
        self.text.push(')');
        Ok(())
    }
}

/// A number of digits only; none where Go finds it too large.
fn whole(digits: &str) -> Option<usize> {
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    // Go looks before each digit whether what it has is too large.
    let before = digits.get(..digits.len().saturating_sub(1)).unwrap_or_default();
    let too_large = !before.is_empty() && before.parse::<usize>().map_or(true, |number| number > LARGEST);
    if too_large { None } else { digits.parse().ok() }
}
