//! `graph.*`: nodes that are reached, and the ways to them, of which there can be more than anybody can list.

use std::collections::BTreeSet;

use regorus::Value;
use regorus::value::Object;

use super::arguments::{any, object, of_type};
use super::{Failure, budget, order};

pub(super) fn reachable(arguments: &[Value]) -> Result<Value, Failure> {
    let graph = object(arguments, 0)?;
    let mut waiting = starts(arguments)?;
    let mut reached: BTreeSet<Value> = BTreeSet::new();
    while let Some(node) = waiting.pop() {
        budget::steps(100)?;
        if let Some(edges) = graph.get(node)
            && reached.insert(node.clone())
        {
            budget::bytes(32)?;
            waiting.extend(neighbours(edges));
        }
    }
    Ok(Value::from(reached))
}

pub(super) fn reachable_paths(arguments: &[Value]) -> Result<Value, Failure> {
    let graph = object(arguments, 0)?;
    let mut paths = BTreeSet::new();
    for start in starts(arguments)? {
        let Some(edges) = graph.get(start) else { continue };
        let edges = neighbours(edges);
        if edges.is_empty() {
            paths.insert(Value::from(vec![start.clone()]));
        }
        for next in edges {
            follow(graph, next, &mut vec![start], &mut paths)?;
        }
    }
    Ok(Value::from(paths))
}

fn starts(arguments: &[Value]) -> Result<Vec<&Value>, Failure> {
    match any(arguments, 1)? {
        Value::Array(items) => Ok(items.iter().collect()),
        Value::Set(items) => Ok(order::sorted(items.iter())),
        other => Err(of_type(1, other, &["{array, set}"])),
    }
}

/// Anything but an array or a set has none.
fn neighbours(edges: &Value) -> Vec<&Value> {
    match edges {
        Value::Array(items) => items.iter().collect(),
        Value::Set(items) => order::sorted(items.iter()),
        _ => Vec::new(),
    }
}

fn follow<'a>(
    graph: &'a Object,
    node: &'a Value,
    path: &mut Vec<&'a Value>,
    paths: &mut BTreeSet<Value>,
) -> Result<(), Failure> {
    // As deep as a worker's stack allows with ease; nobody draws such a graph.
    if path.len() > 2_000 {
        return Err(Failure::Beyond("follows a path of more than 2000 nodes".to_owned()));
    }
    let Some(edges) = graph.get(node) else { return found(path, paths) };
    path.push(node);
    let edges = neighbours(edges);
    if edges.is_empty() {
        found(path, paths)?;
    }
    for next in edges {
        budget::steps(path.len())?;
        // A way that comes back to itself ends there.
        if path.contains(&next) {
            found(path, paths)?;
        } else {
            follow(graph, next, path, paths)?;
        }
    }
    path.pop();
    Ok(())
}

fn found(path: &[&Value], paths: &mut BTreeSet<Value>) -> Result<(), Failure> {
    budget::bytes(path.len().saturating_mul(24))?;
    paths.insert(Value::from(path.iter().map(|node| (*node).clone()).collect::<Vec<Value>>()));
    Ok(())
}
