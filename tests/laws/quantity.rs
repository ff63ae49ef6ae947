//! Quantities against exact rational numbers, which know nothing of how quantities are kept.
#![cfg(test)]
#![expect(clippy::arithmetic_side_effects, reason = "exact numbers do not overflow")]

use meshgate::kubernetes::quantity::{Format, Quantity};
use num_bigint::BigInt;
use num_rational::Ratio;
use proptest::prelude::*;

type Rational = Ratio<BigInt>;

/// A text, and the number that it says before any rounding.
fn texts() -> impl Strategy<Value = (String, Rational)> {
    let named = prop_oneof![
        prop::sample::select(vec![
            ("n", 10, -9),
            ("u", 10, -6),
            ("m", 10, -3),
            ("", 10, 0),
            ("k", 10, 3),
            ("M", 10, 6),
            ("G", 10, 9),
            ("T", 10, 12),
            ("P", 10, 15),
            ("E", 10, 18),
            ("Ki", 2, 10),
            ("Mi", 2, 20),
            ("Gi", 2, 30),
            ("Ti", 2, 40),
            ("Pi", 2, 50),
            ("Ei", 2, 60),
        ])
        .prop_map(|(suffix, base, exponent)| (suffix.to_owned(), base, exponent)),
        ("[eE]", -40..40).prop_map(|(e, exponent)| (format!("{e}{exponent}"), 10, exponent)),
    ];
    ("[+-]?", "[0-9]{1,25}", "[0-9]{0,25}", any::<bool>(), named).prop_map(
        |(sign, whole, fraction, point, (suffix, base, exponent))| {
            let point = if point || !fraction.is_empty() { "." } else { "" };
            let digits: BigInt = format!("{whole}{fraction}").parse().unwrap();
            let places = i32::try_from(fraction.len()).unwrap();
            let number = Rational::from(digits) * power(base, exponent) * power(10, -places);
            let number = if sign == "-" { -number } else { number };
            (format!("{sign}{whole}{point}{fraction}{suffix}"), number)
        },
    )
}

fn power(base: i32, exponent: i32) -> Rational {
    Rational::from(BigInt::from(base)).pow(exponent)
}

/// To a multiple of a power of ten, away from zero.
fn rounded(number: &Rational, exponent: i32) -> Rational {
    let step = power(10, exponent);
    let steps = number / &step;
    (if steps < Rational::from(BigInt::ZERO) { steps.floor() } else { steps.ceil() }) * step
}

fn amount(quantity: &Quantity) -> Rational {
    Rational::from(quantity.nanos().clone()) * power(10, -9)
}

fn quantity(text: &str) -> Quantity {
    Quantity::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

proptest! {
    #[test]
    fn a_text_is_its_number_rounded_to_nanos_and_capped_if_binary((text, number) in texts()) {
        let cap = Rational::from(BigInt::from(i64::MAX));
        let mut expected = rounded(&number, -9);
        if text.ends_with('i') {
            expected = expected.clamp(-cap.clone(), cap);
        }
        prop_assert_eq!(amount(&quantity(&text)), expected);
    }

    #[test]
    fn canonical_text_says_the_same_and_is_its_own((text, _) in texts()) {
        let quantity = quantity(&text);
        let canonical = quantity.canonical();
        let again = Quantity::parse(&canonical).unwrap();
        prop_assert_eq!(&again, &quantity);
        // Binary amounts that need a decimal text have lost their format.
        if again.format() == quantity.format() {
            prop_assert_eq!(again.canonical(), canonical.clone());
        }
        prop_assert!(!canonical.contains(['.', '+']), "{}", canonical);
        prop_assert!(canonical.len() == 1 || !canonical.starts_with('0'), "{}", canonical);
    }

    #[test]
    fn order_is_that_of_the_numbers((a, _) in texts(), (b, _) in texts()) {
        let (a, b) = (quantity(&a), quantity(&b));
        prop_assert_eq!(a.cmp(&b), amount(&a).cmp(&amount(&b)));
        prop_assert_eq!(a == b, amount(&a) == amount(&b));
    }

    #[test]
    fn sums_and_differences_are_those_of_the_numbers((a, _) in texts(), (b, _) in texts()) {
        let (a, b) = (quantity(&a), quantity(&b));
        prop_assert_eq!(amount(&a.plus(&b)), amount(&a) + amount(&b));
        prop_assert_eq!(amount(&a.minus(&b)), amount(&a) - amount(&b));
        prop_assert_eq!(a.plus(&b).minus(&b), a.clone());
        prop_assert_eq!(a.plus(&b), b.plus(&a));
        let zero = Quantity::default();
        prop_assert_eq!(zero.plus(&a).format(), a.format());
        if a != zero {
            prop_assert_eq!(a.plus(&b).format(), a.format());
        }
    }

    #[test]
    fn rounding_goes_away_from_zero_and_no_further((text, _) in texts(), exponent in -12_i8..30) {
        let quantity = quantity(&text);
        let up = quantity.round_up(exponent);
        prop_assert_eq!(amount(&up), rounded(&amount(&quantity), i32::from(exponent).max(-9)));
        prop_assert_eq!(up.round_up(exponent), up);
    }

    #[test]
    fn counts_are_exact_or_absent((text, _) in texts()) {
        let quantity = quantity(&text);
        for (count, exponent) in [(quantity.value(), 0), (quantity.milli_value(), -3)] {
            let exact = rounded(&amount(&quantity), exponent) / power(10, exponent);
            prop_assert_eq!(count, i64::try_from(exact.to_integer()).ok());
        }
    }

    #[test]
    fn no_text_is_too_much(text in "[+-]?[0-9.]{0,300}[eEinumkKMGTP]{0,3}[+-]?[0-9]{0,12}|\\PC{0,40}") {
        if let Ok(quantity) = Quantity::parse(&text) {
            prop_assert!(quantity.format() != Format::BinarySi || quantity.value().is_some());
            prop_assert!(quantity.canonical().len() <= 512);
        }
    }
}
