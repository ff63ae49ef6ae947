//! Paths of fields, as Kubernetes prints them (`spec.containers[0].image`, `metadata.annotations[example.org/x]`;
//! `k8s.io/apimachinery`, `pkg/util/validation/field`), from and to JSON pointers.
//! Policies name fields by path; reports and positions in manifests are found by pointer.

use serde_json::Value;

/// The JSON pointer (RFC 6901) of the field at `path` in `object`. What a bracket holds is an index where the object
/// has an array, else a key, with or without quotes. A field that is not there has a pointer too: a finding may be
/// about its absence. None for what is no path, and where an array is entered by anything but an index.
pub fn to_pointer(path: &str, object: &Value) -> Option<String> {
    let mut pointer = String::new();
    let (mut rest, mut value) = (path, Some(object));
    while !rest.is_empty() {
        let (token, behind) = next_token(rest, pointer.is_empty())?;
        if value.is_some_and(Value::is_array) && !is_index(&token) {
            return None;
        }
        value = value.and_then(|value| match value {
            Value::Array(items) => items.get(token.parse::<usize>().ok()?),
            _ => value.get(&token),
        });
        pointer.push('/');
        pointer.push_str(&token.replace('~', "~0").replace('/', "~1"));
        rest = behind;
    }
    Some(pointer)
}

/// The path of the field at a JSON pointer. A number is printed as an index, a name with dots or the like in
/// brackets, quoted as in JSON where it would end the bracket too early.
pub fn of_pointer(pointer: &str) -> String {
    let mut path = String::new();
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        if is_name(&token) {
            let dot = if path.is_empty() { "" } else { "." };
            path.push_str(dot);
            path.push_str(&token);
        } else if is_plain_key(&token) {
            path.push_str(&format!("[{token}]"));
        } else {
            path.push_str(&format!("[{}]", Value::from(token)));
        }
    }
    path
}

/// The first name, index or key of a path, and the path behind it.
fn next_token(path: &str, is_first: bool) -> Option<(String, &str)> {
    if let Some(inside) = path.strip_prefix('[') {
        let (key, behind) = match inside.chars().next()? {
            '"' => json_string(inside)?,
            '\'' => {
                inside.strip_prefix('\'')?.split_once('\'').map(|(key, behind)| (key.to_owned(), behind))?
            }
            _ => (inside.split(']').next()?.to_owned(), inside.trim_start_matches(|c| c != ']')),
        };
        return Some((key, behind.strip_prefix(']')?)).filter(|_| !inside.starts_with(']'));
    }
    let name = if is_first { path } else { path.strip_prefix('.')? };
    let end = name.find(['.', '[']).unwrap_or(name.len());
    let (name, behind) = name.split_at_checked(end)?;
    (!name.is_empty() && !name.contains(']')).then(|| (name.to_owned(), behind))
}

/// The JSON string at the start of a text, and what follows it.
fn json_string(text: &str) -> Option<(String, &str)> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<String>();
    let string = values.next()?.ok()?;
    Some((string, text.get(values.byte_offset()..)?))
}

/// An array's index as RFC 6901 has it: decimal, without leading zeros.
fn is_index(token: &str) -> bool {
    token == "0" || (is_digits(token) && !token.starts_with('0'))
}

fn is_digits(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a token is printed behind a dot.
fn is_name(token: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '$');
    !token.is_empty() && token.chars().all(allowed) && !is_digits(token)
}

/// Whether a token is printed between brackets as it is.
fn is_plain_key(token: &str) -> bool {
    !token.is_empty() && !token.contains(']') && !token.starts_with(['"', '\''])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object() -> Value {
        json!({
            "metadata": { "annotations": { "example.org/x": "1", "8080": "a", "a]b": "", "": "", "it's": "", "~/": "" } },
            "spec": { "containers": [{ "name": "app", "image": "nginx" }], "replicas": 1 },
        })
    }

    #[test]
    fn paths_of_fields_become_pointers_and_back() {
        let rows = [
            ("", ""),
            ("spec", "/spec"),
            ("spec.replicas", "/spec/replicas"),
            ("spec.containers[0].image", "/spec/containers/0/image"),
            ("metadata.annotations[example.org/x]", "/metadata/annotations/example.org~1x"),
            ("metadata.annotations[8080]", "/metadata/annotations/8080"),
            ("metadata.annotations[\"a]b\"]", "/metadata/annotations/a]b"),
            ("metadata.annotations[\"\"]", "/metadata/annotations/"),
            ("metadata.annotations[it's]", "/metadata/annotations/it's"),
            ("metadata.annotations[~/]", "/metadata/annotations/~0~1"),
            ("metadata.annotations[~1]", "/metadata/annotations/~01"),
            ("[a.b].c", "/a.b/c"),
        ];
        for (path, pointer) in rows {
            assert_eq!(to_pointer(path, &object()).as_deref(), Some(pointer), "{path}");
            assert_eq!(of_pointer(pointer), path);
        }
    }

    #[test]
    fn keys_may_be_written_in_quotes_and_indexes_behind_dots() {
        let rows = [
            ("metadata.annotations['example.org/x']", "/metadata/annotations/example.org~1x"),
            ("metadata.annotations[\"example.org/x\"]", "/metadata/annotations/example.org~1x"),
            ("metadata.annotations[\"\\u0061]b\"]", "/metadata/annotations/a]b"),
            ("metadata.annotations.8080", "/metadata/annotations/8080"),
            ("spec.containers.0.image", "/spec/containers/0/image"),
            ("[spec][containers][0]", "/spec/containers/0"),
        ];
        for (path, pointer) in rows {
            assert_eq!(to_pointer(path, &object()).as_deref(), Some(pointer), "{path}");
        }
    }

    #[test]
    fn a_missing_field_has_a_pointer() {
        let rows = [
            (
                "spec.template.spec.containers[0].resources.requests.cpu",
                "/spec/template/spec/containers/0/resources/requests/cpu",
            ),
            ("spec.containers[7].image", "/spec/containers/7/image"),
            ("metadata.labels[app.kubernetes.io/name]", "/metadata/labels/app.kubernetes.io~1name"),
            ("spec.replicas.of", "/spec/replicas/of"),
        ];
        for (path, pointer) in rows {
            assert_eq!(to_pointer(path, &object()).as_deref(), Some(pointer), "{path}");
        }
    }

    #[test]
    fn what_is_no_path_has_no_pointer() {
        let paths = [
            ".",
            ".spec",
            "spec.",
            "spec..replicas",
            "spec[",
            "spec[]",
            "spec[a",
            "spec[a]b",
            "spec]",
            "spec.a]",
            "spec['a]",
            "spec['a'b]",
            "spec[\"a]",
            "spec[\"a\"b]",
            "spec[\"\\x\"]",
            "spec.[a]",
        ];
        for path in paths {
            assert_eq!(to_pointer(path, &object()), None, "{path}");
        }
    }

    #[test]
    fn an_array_is_entered_by_an_index_only() {
        for token in [".image", "[app]", "[*]", "[-1]", "[01]", "[+1]", "[-]", "[\"\"]"] {
            assert_eq!(to_pointer(&format!("spec.containers{token}"), &object()), None, "{token}");
        }
    }
}
