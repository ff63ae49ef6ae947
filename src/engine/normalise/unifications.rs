//! `[x, 1] = [2, y]`: where arrays or objects stand on both sides, their parts are unified one by one; the interpreter takes
//! only such as bind on one side.

use super::tree::{Body, Kind, Node, Statement, Term};

/// The statements that one stands for.
pub(super) fn parts(statement: Statement) -> Body {
    let Kind::Unify(left, right) = &statement.kind else { return vec![statement] };
    let Some(mut pairs) = pairs(left, right) else { return vec![statement] };
    // `x = y` comes when one of them is known.
    let is_variable = |term: &Term| matches!(term.node, Node::Variable(_));
    pairs.sort_by_key(|(left, right)| is_variable(left) && is_variable(right));
    let like = |kind| Statement { line: statement.line, kind, with: statement.with.clone() };
    pairs.into_iter().flat_map(|(left, right)| parts(like(Kind::Unify(left, right)))).collect()
}

/// What is unified with what; none where a side is no literal, or where they can't be the same.
fn pairs(left: &Term, right: &Term) -> Option<Vec<(Term, Term)>> {
    match (&left.node, &right.node) {
        (Node::Array(left), Node::Array(right)) if left.len() == right.len() && !left.is_empty() => {
            Some(left.iter().cloned().zip(right.iter().cloned()).collect())
        }
        (Node::Object(left), Node::Object(right)) if left.len() == right.len() && !left.is_empty() => {
            let value = |key: &Term| {
                let key = key.as_json()?;
                let mut values = right.iter().filter(|(other, _)| other.as_json().as_ref() == Some(&key));
                values.next().map(|(_, value)| value.clone())
            };
            left.iter().map(|(key, one)| Some((one.clone(), value(key)?))).collect()
        }
        _ => None,
    }
}
