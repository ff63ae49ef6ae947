//! Quantities against the results of Kubernetes' own implementation.

use std::{cmp::Ordering, fs};

use meshgate::kubernetes::quantity::{Format, Quantity, QuantityError};
use serde_json::{Value, json};

use super::{Tally, corpus};

/// The cases of one kind; none without the data.
fn cases(kind: &str) -> Option<Vec<Value>> {
    let text = fs::read_to_string(corpus("quantity")?.join("vectors.json")).unwrap();
    let mut vectors: Value = serde_json::from_str(&text).unwrap();
    Some(serde_json::from_value(vectors[kind].take()).unwrap())
}

fn text<'a>(case: &'a Value, member: &str) -> &'a str {
    case[member].as_str().unwrap_or_else(|| panic!("no text {member} in {case}"))
}

fn quantity(case: &Value, member: &str) -> Quantity {
    Quantity::parse(text(case, member)).unwrap_or_else(|error| panic!("{case}: {error}"))
}

fn error_of(text: &str) -> QuantityError {
    if text.contains("suffix") { QuantityError::Suffix } else { QuantityError::Format }
}

fn format_of(text: &str) -> Format {
    match text {
        "BinarySI" => Format::BinarySi,
        "DecimalSI" => Format::DecimalSi,
        "DecimalExponent" => Format::DecimalExponent,
        _ => panic!("unknown format {text}"),
    }
}

#[test]
fn parse() {
    let Some(cases) = cases("parse") else { return };
    let (mut tally, mut counts, mut kept) = (Tally::new("quantity parse"), Tally::new("quantity counts"), 0);
    for case in &cases {
        let input = text(case, "input");
        let parsed = Quantity::parse(input);
        if case["ok"] == json!(false) {
            tally.compare(format!("{input:?}"), parsed.err(), Some(error_of(text(case, "error"))));
            continue;
        }
        let Ok(quantity) = parsed else {
            tally.compare(format!("{input:?}"), parsed.err(), None);
            continue;
        };
        let format = format_of(text(case, "format"));
        if case["nanos"].is_null() {
            tally.compare(input, quantity.format(), format);
            continue;
        }
        // Where Kubernetes repeats the input, that is another text of the same amount.
        let mut canonical = quantity.canonical();
        if canonical != text(case, "canonical") && input == text(case, "canonical") {
            kept += 1;
            canonical = input.to_owned();
        }
        let sign = match quantity.cmp(&Quantity::default()) {
            Ordering::Less => -1,
            Ordering::Equal => 0,
            Ordering::Greater => 1,
        };
        let ours = json!([quantity.nanos().to_string(), sign, canonical]);
        let theirs = json!([case["nanos"], case["sign"], case["canonical"]]);
        tally.compare(input, (quantity.format(), ours), (format, theirs));
        compare_counts(&mut counts, case, &quantity);
    }
    println!(
        "quantity parse: in {kept} cases Kubernetes repeats the input where we write the canonical text"
    );
    assert_eq!(kept, 29);
    tally.finish(658);
    counts.finish(1118);
}

/// Kubernetes' counts wrap around at 64 bits, and round negative ones now up and now down: what it counts right is
/// compared.
fn compare_counts(tally: &mut Tally, case: &Value, quantity: &Quantity) {
    if quantity < &Quantity::default() {
        return;
    }
    for (member, ours) in [("value", quantity.value()), ("milliValue", quantity.milli_value())] {
        if let Some(ours) = ours {
            tally.compare(
                format!("{} {member}", case["input"]),
                ours.to_string(),
                text(case, member).to_owned(),
            );
        }
    }
    if let Some(exact) = case["asInt64"].as_str() {
        tally.compare(&case["input"], quantity.value(), exact.parse().ok());
    }
}

#[test]
fn cmp() {
    let Some(cases) = cases("cmp") else { return };
    let mut tally = Tally::new("quantity cmp");
    for case in &cases {
        let (a, b) = (quantity(case, "a"), quantity(case, "b"));
        let theirs = case["result"].as_i64().unwrap().cmp(&0);
        tally.compare(case, (a.cmp(&b), a == b), (theirs, theirs.is_eq()));
    }
    tally.finish(417);
}

#[test]
fn add_and_sub() {
    for (kind, name) in [("add", "quantity add"), ("sub", "quantity sub")] {
        let Some(cases) = cases(kind) else { return };
        let mut tally = Tally::new(name);
        for case in &cases {
            let (a, b) = (quantity(case, "a"), quantity(case, "b"));
            let ours = if kind == "add" { a.plus(&b) } else { a.minus(&b) };
            tally.compare(case, ours.canonical(), text(case, "result").to_owned());
        }
        tally.finish(417);
    }
}

#[test]
fn round_up() {
    let Some(cases) = cases("roundUp") else { return };
    let mut tally = Tally::new("quantity roundUp");
    for case in &cases {
        let quantity = quantity(case, "in");
        let rounded = quantity.round_up(case["scale"].as_i64().unwrap().try_into().unwrap());
        let ours = json!([rounded == quantity, rounded.canonical(), rounded.nanos().to_string()]);
        tally.compare(case, ours, json!([case["ok"], case["canonical"], case["nanos"]]));
    }
    tally.finish(104);
}

#[test]
fn json() {
    let Some(cases) = cases("json") else { return };
    let mut tally = Tally::new("quantity json");
    for case in &cases {
        let value: Value = serde_json::from_str(text(case, "json")).unwrap();
        let ours = Quantity::from_json(&value);
        if case["ok"] == json!(false) {
            tally.compare(case, ours.err(), Some(error_of(text(case, "error"))));
        } else if value.is_f64() {
            // How a float was written is lost before we see it; its amount is not.
            tally.compare(case, ours, Ok(quantity(case, "canonical")));
        } else {
            tally.compare(case, ours.map(|q| q.canonical()), Ok(text(case, "canonical").to_owned()));
        }
    }
    tally.finish(20);
}
