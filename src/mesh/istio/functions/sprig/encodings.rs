//! Functions that write a value as a text, read one, or find something in it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use regex::Regex;
use sha2::{Digest, Sha256};

use super::super::Function;
use super::super::arguments::{any, text, texts};
use crate::mesh::istio::json;
use crate::mesh::template::Value;

/// The function of that name.
pub(super) fn found(name: &str) -> Option<Function> {
    Some(match name {
        "toJson" | "mustToJson" => {
            |arguments| written(&any::<1>(arguments)?[0]).map(|document| Value::text(json::encode(&document)))
        }
        "toRawJson" | "mustToRawJson" => {
            |arguments| written(&any::<1>(arguments)?[0]).map(|document| Value::text(document.to_string()))
        }
        "toPrettyJson" | "mustToPrettyJson" => {
            |arguments| Ok(Value::text(json::escape(&format!("{:#}", written(&any::<1>(arguments)?[0])?))))
        }
        "fromJson" => |arguments| {
            let [text] = texts(arguments)?;
            Ok(serde_json::from_str(&text).map_or(Value::Absent, |read| Value::from_json(&read)))
        },
        "mustFromJson" => |arguments| {
            let [text] = texts(arguments)?;
            serde_json::from_str(&text).map(|read| Value::from_json(&read)).map_err(|why| why.to_string())
        },
        "b64enc" => |arguments| Ok(Value::text(STANDARD.encode(texts::<1>(arguments)?[0].as_bytes()))),
        // What can't be decoded gives its error as text.
        "b64dec" => |arguments| {
            let decoded = STANDARD.decode(texts::<1>(arguments)?[0].as_bytes());
            Ok(match decoded {
                Ok(bytes) => Value::text(String::from_utf8_lossy(&bytes)),
                Err(why) => Value::text(why.to_string()),
            })
        },
        "sha256sum" => |arguments| {
            let digest = Sha256::digest(texts::<1>(arguments)?[0].as_bytes());
            Ok(Value::text(digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>()))
        },
        "regexMatch" | "mustRegexMatch" => |arguments| {
            let [pattern, whole] = texts(arguments)?;
            Ok(Value::Bool(expression(&pattern)?.is_match(&whole)))
        },
        "regexReplaceAll" | "mustRegexReplaceAll" => |arguments| {
            let [pattern, whole, new] = texts(arguments)?;
            Ok(Value::text(expression(&pattern)?.replace_all(&whole, &*new)))
        },
        "regexFind" | "mustRegexFind" => |arguments| {
            let [pattern, whole] = texts(arguments)?;
            Ok(Value::text(expression(&pattern)?.find(&whole).map_or("", |found| found.as_str())))
        },
        "split" => |arguments| {
            let [separator, whole] = any(arguments)?;
            let (separator, whole) = (text(separator)?, text(whole)?);
            let parts: Vec<String> = super::parts(&separator, &whole);
            let named: Vec<(String, &str)> =
                parts.iter().enumerate().map(|(at, part)| (format!("_{at}"), part.as_str())).collect();
            Ok(Value::texts(named.iter().map(|(name, part)| (name.as_str(), *part))))
        },
        _ => return None,
    })
}

fn written(value: &Value) -> Result<serde_json::Value, String> {
    value.to_json().ok_or_else(|| format!("a {} can't be written as JSON", value.kind()))
}

fn expression(pattern: &str) -> Result<Regex, String> {
    Regex::new(pattern).map_err(|_| format!("{pattern:?} is no regular expression"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_written_and_read_as_in_sprig() {
        let rows = [
            ("toJson", json!([{ "b": "<", "a": [1, null] }]), json!("{\"a\":[1,null],\"b\":\"\\u003c\"}")),
            ("toRawJson", json!([{ "b": "<" }]), json!("{\"b\":\"<\"}")),
            ("toPrettyJson", json!([{ "b": 1 }]), json!("{\n  \"b\": 1\n}")),
            ("fromJson", json!(["{\"a\": [1]}"]), json!({ "a": [1] })),
            ("fromJson", json!(["{"]), json!(null)),
            ("b64enc", json!(["a<b"]), json!("YTxi")),
            ("b64dec", json!(["YTxi"]), json!("a<b")),
            (
                "sha256sum",
                json!([""]),
                json!("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ),
            ("regexMatch", json!(["^a+$", "aaa"]), json!(true)),
            ("regexReplaceAll", json!(["a(b)", "xab", "-${1}-"]), json!("x-b-")),
            ("regexFind", json!(["[0-9]+", "a12b"]), json!("12")),
            ("split", json!(["/", "a/b"]), json!({ "_0": "a", "_1": "b" })),
        ];
        for (name, arguments, expected) in rows {
            let arguments: Vec<Value> = arguments.as_array().unwrap().iter().map(Value::from_json).collect();
            let given = found(name).unwrap()(&arguments).unwrap();
            assert_eq!(given.to_json(), Some(expected), "{name}");
        }
        assert!(found("regexMatch").unwrap()(&[Value::text("("), Value::text("a")]).is_err());
        assert!(found("mustFromJson").unwrap()(&[Value::text("{")]).is_err());
    }
}
