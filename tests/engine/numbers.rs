//! A number with more digits than a double is held as the nearest double. Where that double is there as a number itself,
//! the two would be equal, and a denial that hangs on their difference lost: an error instead. (OPA gives `["no"]`.)

use meshgate::engine::{Document, EvaluationError, Program, ProgramSettings};
use meshgate::policy::Module;
use serde_json::{Value, json};

fn answer(body: &str, input: &Value) -> Result<Option<Value>, EvaluationError> {
    let text = format!("package p\n\ndeny contains \"no\" if {{\n\t{body}\n}}\n");
    let module = Module { path: "p.rego".to_owned(), text };
    let data = if body.contains("data.") { json!({ "most": 3.3 }) } else { json!({}) };
    let settings = ProgramSettings { data, ..ProgramSettings::default() };
    Program::load(&[module], &settings).unwrap().evaluate("data.p.deny", Some(input))
}

#[test]
fn no_number_takes_the_place_of_another() {
    let input = |body: &str| match body.contains("input.most") || body.contains("input.all") {
        true => json!({ "three": 3, "most": 3.3, "all": { "x": [{ "y": -3.3 }] } }),
        false => json!({ "three": 3 }),
    };
    let equal_to_a_double = [
        "input.three * 1.1 != 3.3",
        "input.three * 1.1 > data.most",
        "not input.three * 1.1 == input.most",
        "-3 * 1.1 != input.all.x[0].y",
        "x := json.unmarshal(\"[3.3]\")[0]\n\tinput.three * 1.1 != x",
        "x := yaml.unmarshal(\"- 3.3\")[0]\n\tinput.three * 1.1 != x",
        "x := 33 / 10\n\tinput.three * 1.1 != x",
        "x := units.parse(\"3.3\")\n\tinput.three * 1.1 != x",
        "y := 3 * 1.1\n\ty != to_number(\"3.3\")",
        "y := 3 * 1.1\n\ty != units.parse(\"3.3\")",
        "y := 3 * 1.1\n\ty != yaml.unmarshal(\"- 3.3\")[0]",
    ];
    for body in equal_to_a_double {
        let answer = answer(body, &input(body));
        let Err(EvaluationError::Policy(why)) = &answer else { panic!("{body}: {answer:?}") };
        assert!(why.contains("more digits than are kept"), "{body}: {why}");
    }
    assert_eq!(answer("7 * 1.1 > 2.3\n\t7 / 3 > 2.3", &json!({})), Ok(Some(json!(["no"]))));
}

#[test]
fn an_evaluation_says_nothing_of_the_numbers_of_the_next() {
    assert_eq!(answer("1 / 3 > 0", &json!({})), Ok(Some(json!(["no"]))));
    assert_eq!(Document::read("0.3333333333333333"), Ok(Document::from(&json!(0.333_333_333_333_333_3))));
}
