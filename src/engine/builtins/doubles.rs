//! The doubles that are numbers themselves in an evaluation: of literals, of the data, of the input, and of what builtins
//! give. None of them can stand for a number with more digits beside that ([`decimal::remember`](super::decimal)): the
//! two would be equal.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::Arc;

use regorus::Value;

/// Doubles by their bits.
#[derive(Clone, Debug, Default)]
pub(in crate::engine) struct Doubles(BTreeSet<u64>);

#[derive(Default)]
struct Known {
    /// Those of the program.
    written: Arc<Doubles>,
    /// The input until somebody asks: most evaluations never do.
    input: Option<Value>,
    /// Those of the input.
    given: Doubles,
    /// Those that builtins gave.
    met: Doubles,
}

thread_local! {
    static KNOWN: RefCell<Known> = RefCell::default();
}

impl Doubles {
    /// Adds those in a value, and what a minus before it makes of them.
    pub(in crate::engine) fn add(&mut self, value: &Value) {
        match value {
            Value::Number(number) if number.as_big().is_none() => {
                let both = number.as_f64().map(|double| [double.to_bits(), (-double).to_bits()]);
                self.0.extend(both.into_iter().flatten());
            }
            Value::Array(items) => items.iter().for_each(|item| self.add(item)),
            Value::Set(items) => items.iter().for_each(|item| self.add(item)),
            Value::Object(members) => members.iter().for_each(|(key, member)| {
                self.add(key);
                self.add(member);
            }),
            _ => {}
        }
    }
}

/// Begins an evaluation of a program with those doubles.
pub(in crate::engine) fn begin(written: &Arc<Doubles>, input: Value) {
    KNOWN.set(Known { written: Arc::clone(written), input: Some(input), ..Known::default() });
}

/// Forgets all.
pub(super) fn forget() {
    KNOWN.take();
}

/// Notes a double that a builtin gives.
pub(super) fn meet(double: f64) {
    KNOWN.with_borrow_mut(|known| known.met.0.insert(double.to_bits()));
}

/// Whether a double is a number itself.
pub(super) fn is_known(double: f64) -> bool {
    is_input(double)
        || KNOWN.with_borrow(|known| {
            let bits = double.to_bits();
            known.met.0.contains(&bits) || known.written.0.contains(&bits)
        })
}

/// Whether a double is in the input.
pub(super) fn is_input(double: f64) -> bool {
    KNOWN.with_borrow_mut(|known| {
        if let Some(input) = known.input.take() {
            known.given.add(&input);
        }
        known.given.0.contains(&double.to_bits())
    })
}
