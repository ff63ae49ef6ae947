//! How numbers are written. OPA keeps `1.0`, `1e3` and `0.10` as they stand: they are equal to 1, 1000 and 0.1, but a text
//! that is made of them is not the same. Whole numbers in another spelling than their digits are held as doubles, which
//! no other whole number is; what each double is written as is kept beside the evaluation. Where that is not known, a
//! text is an error.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use regorus::Value;

use super::{Failure, decimal, doubles};

/// The spellings of some numbers.
#[derive(Clone, Debug, Default)]
pub(in crate::engine) struct Spellings {
    /// Whole numbers that are held as doubles, by the bits of these; None where there are several spellings.
    whole: BTreeMap<u64, Option<String>>,
    /// The same of numbers with a fraction, also of those that are written as everybody does.
    fractions: BTreeMap<u64, Option<String>>,
    /// The digits of whole numbers that are held as integers, but are written in another way somewhere.
    lost: BTreeSet<String>,
}

#[derive(Default)]
struct Known {
    /// Those of the program, and those of the input if it was read as a text.
    given: Vec<Arc<Spellings>>,
    /// Whether the input is among them.
    has_input: bool,
    /// Those of what builtins read and gave.
    met: Spellings,
}

thread_local! {
    static KNOWN: RefCell<Known> = RefCell::default();
}

impl Spellings {
    /// Notes how a number with a fraction is written.
    pub(in crate::engine) fn add_fraction(&mut self, double: f64, text: &str) {
        add(&mut self.fractions, double, text);
    }

    /// Notes that a whole number is written in another way than its digits somewhere, where that is not kept.
    pub(in crate::engine) fn lose(&mut self, text: &str) {
        if let Ok(integer) = decimal::whole(text) {
            self.lost.insert(integer.to_string());
        }
    }

    /// Adds those of others.
    pub(in crate::engine) fn extend(&mut self, others: &Self) {
        let all = [(&mut self.whole, &others.whole), (&mut self.fractions, &others.fractions)];
        for (mine, theirs) in all {
            for (bits, text) in theirs {
                let known = mine.entry(*bits).or_insert_with(|| text.clone());
                if known != text {
                    *known = None;
                }
            }
        }
        self.lost.extend(others.lost.iter().cloned());
    }
}

fn add(to: &mut BTreeMap<u64, Option<String>>, double: f64, text: &str) {
    let known = to.entry(double.to_bits()).or_insert_with(|| Some(text.to_owned()));
    if known.as_deref() != Some(text) {
        *known = None;
    }
}

/// Begins an evaluation with the spellings of a program, and of an input that was read as a text.
pub(in crate::engine) fn begin(program: &Arc<Spellings>, input: Option<&Arc<Spellings>>) {
    let given = [program].into_iter().chain(input).map(Arc::clone).collect();
    KNOWN.set(Known { given, has_input: input.is_some(), met: Spellings::default() });
}

/// Forgets all.
pub(super) fn forget() {
    KNOWN.take();
}

/// What was read on this thread since all was forgotten.
pub(in crate::engine) fn taken() -> Spellings {
    KNOWN.take().met
}

/// Notes that a builtin gave a number with a fraction, which OPA then writes as Go does.
pub(super) fn computed(double: f64) {
    let text = decimal::plain(double);
    KNOWN.with_borrow_mut(|known| add(&mut known.met.fractions, double, &text));
}

/// A number that was read as a text, so that it keeps its spelling.
pub(super) fn kept(text: &str, value: Value) -> Value {
    let Value::Number(number) = &value else { return value };
    if number.is_integer() {
        let digits = number.format_decimal();
        if digits == text {
            return value;
        }
        let double: f64 = text.parse().unwrap_or(f64::NAN);
        let held = Value::from(double);
        if held != value {
            KNOWN.with_borrow_mut(|known| known.met.lost.insert(digits));
            return value;
        }
        doubles::meet(double);
        KNOWN.with_borrow_mut(|known| add(&mut known.met.whole, double, text));
        return held;
    }
    if let Some(double) = number.as_f64() {
        KNOWN.with_borrow_mut(|known| add(&mut known.met.fractions, double, text));
    }
    value
}

/// What a whole number is written as, if not in its digits.
///
/// # Errors
/// It is not known.
pub(in crate::engine) fn of_whole(value: &Value) -> Result<Option<String>, Failure> {
    let Value::Number(number) = value else { return Ok(None) };
    KNOWN.with_borrow(|known| {
        if known.all().any(|spellings| !spellings.lost.is_empty()) {
            let digits = number.format_decimal();
            if known.all().any(|spellings| spellings.lost.contains(&digits)) {
                return Err(unknown());
            }
        }
        if known.all().all(|spellings| spellings.whole.is_empty()) {
            return Ok(None);
        }
        // Only a double is given a digit behind the point.
        match number.as_f64() {
            Some(double) if number.format_decimal_with_width(1).contains('.') => {
                known.find(double, |spellings| &spellings.whole)
            }
            _ => Ok(None),
        }
    })
}

/// What a number with a fraction is written as.
///
/// # Errors
/// It is not known.
pub(in crate::engine) fn of_fraction(double: f64) -> Result<String, Failure> {
    let (found, has_input) =
        KNOWN.with_borrow(|known| (known.find(double, |spellings| &spellings.fractions), known.has_input));
    let of_json = decimal::of_json(double);
    match found? {
        Some(text) if text == of_json => Ok(text),
        Some(text) if has_input || !doubles::is_input(double) => Ok(text),
        Some(_) => Err(unknown()),
        None => Ok(of_json),
    }
}

impl Known {
    fn all(&self) -> impl Iterator<Item = &Spellings> {
        self.given.iter().map(|given| &**given).chain([&self.met])
    }

    fn find(
        &self,
        double: f64,
        of: fn(&Spellings) -> &BTreeMap<u64, Option<String>>,
    ) -> Result<Option<String>, Failure> {
        let mut found: Option<&String> = None;
        for text in self.all().filter_map(|spellings| of(spellings).get(&double.to_bits())) {
            let text = text.as_ref().ok_or_else(unknown)?;
            if found.is_some_and(|found| found != text) {
                return Err(unknown());
            }
            found = Some(text);
        }
        Ok(found.cloned())
    }
}

fn unknown() -> Failure {
    Failure::Beyond("makes a text of a number that is written in several ways, such as 1 and 1.0".to_owned())
}
