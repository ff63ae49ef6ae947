//! What may be asked of a program: the path of a rule or of a document, never an expression.

use regorus::unstable::Source;

use super::evaluate::EvaluationError;
use super::syntax::{self, TokenKind, Tokens};

/// The path, if it is one: names after `data`, by dots or as strings in brackets.
pub(super) fn path(query: &str) -> Result<String, EvaluationError> {
    let wrong = || EvaluationError::Query("not the path of a rule; write data.PACKAGE.RULE".to_owned());
    let source = Source::from_contents("query".to_owned(), query.to_owned()).map_err(|_| wrong())?;
    let tokens = Tokens::read(&source, syntax::limits().max_col).map_err(|_| wrong())?;
    let mut texts =
        tokens.iter().map(|token| (&token.kind, query.get(token.range.clone()).unwrap_or_default()));
    if texts.next() != Some((&TokenKind::Ident, "data")) {
        return Err(wrong());
    }
    let mut path = "data".to_owned();
    loop {
        let part = match (texts.next(), texts.next()) {
            (None, None) => return Ok(path),
            (Some((_, ".")), Some((TokenKind::Ident, name))) => format!("[\"{name}\"]"),
            (Some((_, "[")), Some((TokenKind::String, name))) if texts.next().is_some_and(|t| t.1 == "]") => {
                format!("[{name}]")
            }
            _ => return Err(wrong()),
        };
        path.push_str(&part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_are_asked_for() {
        for (query, expected) in [
            ("data", "data"),
            ("data.a.b", "data[\"a\"][\"b\"]"),
            ("data.a[\"b-c\"].if", "data[\"a\"][\"b-c\"][\"if\"]"),
        ] {
            assert_eq!(path(query), Ok(expected.to_owned()));
        }
        for query in [
            "",
            "input",
            "data.",
            "data.a[0]",
            "data.a + 1",
            "data.a = x",
            "data.a[x]",
            "data.a(1)",
            "\"data\"",
        ] {
            assert!(path(query).is_err(), "{query}");
        }
    }
}
