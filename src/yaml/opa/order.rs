//! The order in which go-yaml v3 writes keys (sorter.go): numbers within texts by their values, letters behind all else.

use std::cmp::Ordering;

use unicode_general_category::{GeneralCategory, get_general_category};

/// Sorts by name. Go's order is none in the strict sense where numbers have more than 18 digits, which the sorting of the
/// standard library may answer with a panic: hence our own, by merging.
pub(super) fn sorted<T>(mut items: Vec<(String, T)>) -> Vec<(String, T)> {
    if items.len() < 2 {
        return items;
    }
    let right = items.split_off(items.len() / 2);
    let (mut left, mut right) = (sorted(items).into_iter().peekable(), sorted(right).into_iter().peekable());
    let mut merged = Vec::with_capacity(left.len().saturating_add(right.len()));
    while let (Some((a, _)), Some((b, _))) = (left.peek(), right.peek()) {
        merged.extend(if is_less(b, a) { right.next() } else { left.next() });
    }
    merged.extend(left);
    merged.extend(right);
    merged
}

fn is_less(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let common = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let (Some(first_a), Some(first_b)) = (a.get(common), b.get(common)) else { return a.len() < b.len() };
    let before = a.get(..common).unwrap_or_default();
    match (is_letter(*first_a), is_letter(*first_b)) {
        (true, true) => return first_a < first_b,
        (false, false) => {}
        (letter_a, letter_b) => {
            return if before.last().copied().is_some_and(is_digit) { letter_a } else { letter_b };
        }
    }
    // A zero is no leading one behind another digit.
    let digits_before = before.iter().rev().take_while(|letter| is_digit(**letter));
    let is_inner =
        (*first_a == '0' || *first_b == '0') && digits_before.into_iter().any(|digit| *digit != '0');
    let number = |text: &[char]| {
        let digits = text.iter().skip(common).take_while(|letter| is_digit(**letter));
        digits.fold((i64::from(is_inner), 0_usize), |(number, length), digit| {
            let digit = i64::from(u32::from(*digit)).wrapping_sub(i64::from(u32::from('0')));
            (number.wrapping_mul(10).wrapping_add(digit), length.saturating_add(1))
        })
    };
    number(&a).cmp(&number(&b)).then(first_a.cmp(first_b)) == Ordering::Less
}

/// Go's unicode.IsLetter.
fn is_letter(letter: char) -> bool {
    use GeneralCategory::{LowercaseLetter, ModifierLetter, OtherLetter, TitlecaseLetter, UppercaseLetter};
    matches!(
        get_general_category(letter),
        LowercaseLetter | ModifierLetter | OtherLetter | TitlecaseLetter | UppercaseLetter
    )
}

/// Go's unicode.IsDigit.
fn is_digit(letter: char) -> bool {
    get_general_category(letter) == GeneralCategory::DecimalNumber
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_by_value_letters_last() {
        let names = ["b", "a10", "a2", "a", "a-", "1", "A", "_", "a02", "10", "9", "é", "a1b", "a12"];
        let ordered: Vec<String> = sorted(names.iter().map(|name| ((*name).to_owned(), ())).collect())
            .into_iter()
            .map(|(name, ())| name)
            .collect();
        assert_eq!(
            ordered,
            ["_", "1", "9", "10", "A", "a", "a-", "a1b", "a2", "a02", "a10", "a12", "b", "é"]
        );
    }
}
