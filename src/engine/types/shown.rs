//! Types as people read them: "an array of strings".

use super::{Known, Type};

/// How deep a type is described.
const DEPTH: u8 = 3;

/// A type in words.
pub(in crate::engine) fn shown(known: &Known) -> String {
    described(known, DEPTH)
}

fn described(known: &Known, depth: u8) -> String {
    let Some(of) = known else { return "anything".to_owned() };
    let deeper = depth.saturating_sub(1);
    match of {
        Type::Null => "null".to_owned(),
        Type::Boolean => "a boolean".to_owned(),
        Type::Number => "a number".to_owned(),
        Type::Text => "a string".to_owned(),
        Type::Array(_) if depth == 0 => "an array".to_owned(),
        Type::Array(array) => match (array.items.as_slice(), &array.rest) {
            ([], None) => "an empty array".to_owned(),
            ([], rest) => format!("an array of {}", described(rest, deeper)),
            (items, _) => {
                format!("an array of {}", listed(items.iter().map(|item| described(item, deeper)), ", "))
            }
        },
        Type::Object(_) if depth == 0 => "an object".to_owned(),
        Type::Object(object) => match (object.members.is_empty(), &object.rest) {
            (true, None) => "an empty object".to_owned(),
            (true, Some((_, value))) => format!("an object of {}", described(value, deeper)),
            (false, _) => {
                let member =
                    |(key, value): (&super::Key, &Known)| format!("{key}: {}", described(value, deeper));
                format!("an object {{{}}}", listed(object.members.iter().map(member), ", "))
            }
        },
        Type::Set(_) if depth == 0 => "a set".to_owned(),
        Type::Set(set) if set.of.is_none() => "an empty set".to_owned(),
        Type::Set(set) => format!("a set of {}", described(&set.of, deeper)),
        Type::Union(union) if union.of.is_empty() => "anything".to_owned(),
        Type::Union(union) => {
            listed(union.of.iter().map(|one| described(&Some(one.clone()), deeper)), " or ")
        }
        Type::Function(_) => "a function".to_owned(),
    }
}

/// At most four of them.
fn listed(all: impl Iterator<Item = String>, between: &str) -> String {
    let mut all: Vec<String> = all.take(5).collect();
    if all.len() > 4 {
        all.truncate(4);
        all.push("…".to_owned());
    }
    all.join(between)
}

impl std::fmt::Display for super::Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Integer(value) => write!(f, "{value}"),
            Self::Number(text) => f.write_str(text),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Array(items) => {
                let items: Vec<String> = items.iter().map(ToString::to_string).collect();
                write!(f, "[{}]", items.join(", "))
            }
            Self::Object(members) => {
                let members: Vec<String> =
                    members.iter().map(|(key, value)| format!("{key}: {value}")).collect();
                write!(f, "{{{}}}", members.join(", "))
            }
        }
    }
}
