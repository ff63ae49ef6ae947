//! Executes a parsed template, as Go's package text/template does (exec.go), within bounds.

use std::collections::BTreeMap;
use std::sync::Arc;

use gotmpl::parse::{BranchNode, CommandNode, Expr, ListNode, Node, Number, PipeNode, Pos, TemplateNode};

use super::value::Value;
use super::{Functions, LONGEST_TEXT, builtins, print};

/// How many nodes and calls an execution may come by. Istio's longest template has some 3,000.
const MOST_STEPS: u32 = 200_000;

/// How deep lists, pipelines and templates may be nested.
const DEEPEST: u32 = 150;

/// Why an execution ended.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) line: usize,
    pub(super) message: String,
}

type Outcome<T> = Result<T, Failure>;

enum Flow {
    On,
    Break,
    Continue,
}

pub(super) struct Execution<'t> {
    defined: &'t BTreeMap<String, Arc<ListNode>>,
    functions: &'t dyn Functions,
    pub(super) output: String,
    variables: Vec<(&'t str, Value)>,
    steps: u32,
    depth: u32,
}

fn failure(at: Pos, message: impl Into<String>) -> Failure {
    Failure { line: at.line, message: message.into() }
}

impl<'t> Execution<'t> {
    pub(super) fn new(
        defined: &'t BTreeMap<String, Arc<ListNode>>,
        functions: &'t dyn Functions,
        data: Value,
    ) -> Self {
        Self { defined, functions, output: String::new(), variables: vec![("$", data)], steps: 0, depth: 0 }
    }

    pub(super) fn run(&mut self, body: &'t ListNode, dot: &Value) -> Outcome<()> {
        self.list(body, dot).map(drop)
    }

    fn step(&mut self, at: Pos) -> Outcome<()> {
        self.steps = self.steps.saturating_add(1);
        if self.steps > MOST_STEPS {
            return Err(failure(at, format!("takes more than {MOST_STEPS} steps")));
        }
        Ok(())
    }

    fn deeper<T>(&mut self, at: Pos, run: impl FnOnce(&mut Self) -> Outcome<T>) -> Outcome<T> {
        self.depth = self.depth.saturating_add(1);
        if self.depth > DEEPEST {
            return Err(failure(at, format!("is nested more than {DEEPEST} levels deep")));
        }
        let outcome = run(self);
        self.depth = self.depth.saturating_sub(1);
        outcome
    }

    fn write(&mut self, at: Pos, text: &str) -> Outcome<()> {
        if self.output.len().saturating_add(text.len()) > LONGEST_TEXT {
            return Err(failure(at, format!("gives more than {LONGEST_TEXT} bytes")));
        }
        self.output.push_str(text);
        Ok(())
    }

    fn list(&mut self, list: &'t ListNode, dot: &Value) -> Outcome<Flow> {
        self.deeper(list.pos, |this| {
            for node in &list.nodes {
                match this.node(node, dot)? {
                    Flow::On => {}
                    flow => return Ok(flow),
                }
            }
            Ok(Flow::On)
        })
    }

    fn node(&mut self, node: &'t Node, dot: &Value) -> Outcome<Flow> {
        match node {
            Node::List(list) => return self.list(list, dot),
            Node::Text(text) => {
                self.step(text.pos)?;
                self.write(text.pos, &text.text)?;
            }
            Node::Action(action) => {
                let value = self.pipeline(&action.pipe, dot)?;
                if action.pipe.decl.is_empty() {
                    self.write(action.pos, &print::action(&value))?;
                }
            }
            Node::If(branch) => return self.branch(branch, dot, false),
            Node::With(branch) => return self.branch(branch, dot, true),
            Node::Range(branch) => self.range(branch, dot)?,
            Node::Template(call) => self.template(call, dot)?,
            // The parser hoists definitions.
            Node::Define(_) => {}
            Node::Break(_) => return Ok(Flow::Break),
            Node::Continue(_) => return Ok(Flow::Continue),
        }
        Ok(Flow::On)
    }

    fn branch(&mut self, branch: &'t BranchNode, dot: &Value, with: bool) -> Outcome<Flow> {
        let mark = self.variables.len();
        let value = self.pipeline(&branch.pipe, dot)?;
        let flow = match (value.is_true(), &branch.else_body) {
            (true, _) => self.list(&branch.body, if with { &value } else { dot })?,
            (false, Some(list)) => self.list(list, dot)?,
            (false, None) => Flow::On,
        };
        self.variables.truncate(mark);
        Ok(flow)
    }

    fn range(&mut self, branch: &'t BranchNode, dot: &Value) -> Outcome<()> {
        let mark = self.variables.len();
        let value = self.pipeline(&branch.pipe, dot)?;
        let numbered = |number: usize| Value::Int(i64::try_from(number).unwrap_or(i64::MAX));
        let items: Vec<(Value, Value)> = match &value {
            Value::List(items) => (0..).map(numbered).zip(items.iter().cloned()).collect(),
            Value::Map(members) | Value::Texts(members) => {
                members.iter().map(|(name, value)| (Value::Text(Arc::clone(name)), value.clone())).collect()
            }
            Value::Int(count) => {
                let most = i64::from(MOST_STEPS);
                (0..(*count).min(most)).map(|number| (Value::Int(number), Value::Int(number))).collect()
            }
            Value::Absent | Value::Null => Vec::new(),
            other => return Err(failure(branch.pos, format!("range can't iterate over {}", other.kind()))),
        };
        if let (true, Some(list)) = (items.is_empty(), &branch.else_body) {
            self.list(list, dot)?;
        }
        let inner = self.variables.len();
        for (index, item) in items {
            self.step(branch.pos)?;
            match branch.pipe.decl.as_slice() {
                [] => {}
                [only] => self.set(branch, only, item.clone())?,
                [first, second, ..] => {
                    self.set(branch, first, index)?;
                    self.set(branch, second, item.clone())?;
                }
            }
            let flow = self.list(&branch.body, &item)?;
            self.variables.truncate(inner);
            if matches!(flow, Flow::Break) {
                break;
            }
        }
        self.variables.truncate(mark);
        Ok(())
    }

    fn set(&mut self, branch: &BranchNode, name: &str, value: Value) -> Outcome<()> {
        let variable = self.variables.iter_mut().rev().find(|(known, _)| *known == name);
        let (_, place) =
            variable.ok_or_else(|| failure(branch.pos, format!("undefined variable: {name}")))?;
        *place = value;
        Ok(())
    }

    fn template(&mut self, call: &'t TemplateNode, dot: &Value) -> Outcome<()> {
        self.step(call.pos)?;
        let defined = self.defined;
        let body = defined.get(call.name.as_str());
        let body = body.ok_or_else(|| failure(call.pos, format!("template {:?} not defined", call.name)))?;
        let dot = match &call.pipe {
            Some(pipe) => self.pipeline(pipe, dot)?,
            None => Value::Absent,
        };
        let outer = std::mem::replace(&mut self.variables, vec![("$", dot.clone())]);
        let outcome = self.list(body, &dot);
        self.variables = outer;
        outcome.map(drop)
    }

    fn pipeline(&mut self, pipe: &'t PipeNode, dot: &Value) -> Outcome<Value> {
        let value = self.deeper(pipe.pos, |this| {
            let mut value = None;
            for command in &pipe.commands {
                value = Some(this.command(command, dot, value)?.unwrapped());
            }
            Ok(value.unwrap_or(Value::Absent))
        })?;
        for name in &pipe.decl {
            if pipe.is_assign {
                let variable = self.variables.iter_mut().rev().find(|(known, _)| *known == name.as_str());
                match variable {
                    Some((_, place)) => *place = value.clone(),
                    None => return Err(failure(pipe.pos, format!("undefined variable: {name}"))),
                }
            } else {
                self.variables.push((name.as_str(), value.clone()));
            }
        }
        Ok(value)
    }

    fn command(&mut self, command: &'t CommandNode, dot: &Value, piped: Option<Value>) -> Outcome<Value> {
        self.step(command.pos)?;
        let Some((first, arguments)) = command.args.split_first() else {
            return Err(failure(command.pos, "empty command"));
        };
        match first {
            Expr::Identifier(_, name) => return self.call(command.pos, name, arguments, dot, piped),
            Expr::Chain(at, inner, fields) => {
                if let Expr::Identifier(_, name) = inner.as_ref() {
                    let value = self.call(*at, name, arguments, dot, piped)?.unwrapped();
                    return chained(*at, value, fields);
                }
            }
            Expr::Nil(at) => return Err(failure(*at, "nil is not a command")),
            _ => {}
        }
        if piped.is_some() || !arguments.is_empty() {
            return Err(failure(command.pos, "can't give argument to non-function"));
        }
        self.expression(first, dot)
    }

    fn call(
        &mut self,
        at: Pos,
        name: &str,
        arguments: &'t [Expr],
        dot: &Value,
        piped: Option<Value>,
    ) -> Outcome<Value> {
        self.step(at)?;
        if matches!(name, "and" | "or") {
            return self.and_or(at, name == "or", arguments, dot, piped);
        }
        let mut values = Vec::with_capacity(arguments.len().saturating_add(1));
        for argument in arguments {
            values.push(self.expression(argument, dot)?);
        }
        values.extend(piped);
        let result = match self.functions.knows(name) {
            true => self.functions.call(name, &values),
            false => builtins::call(name, &values),
        };
        let result = result.map_err(|why| failure(at, format!("error calling {name}: {why}")))?;
        match &result {
            Value::Text(text) if text.len() > LONGEST_TEXT => {
                Err(failure(at, format!("{name} gives more than {LONGEST_TEXT} bytes")))
            }
            _ => Ok(result),
        }
    }

    fn and_or(
        &mut self,
        at: Pos,
        is_or: bool,
        arguments: &'t [Expr],
        dot: &Value,
        piped: Option<Value>,
    ) -> Outcome<Value> {
        let mut last = None;
        for argument in arguments {
            let value = self.expression(argument, dot)?;
            if value.is_true() == is_or {
                return Ok(value);
            }
            last = Some(value);
        }
        piped.or(last).ok_or_else(|| failure(at, "wrong number of args for and/or"))
    }

    fn expression(&mut self, expression: &'t Expr, dot: &Value) -> Outcome<Value> {
        self.step(expression.pos())?;
        match expression {
            Expr::Dot(_) => Ok(dot.clone()),
            Expr::Field(at, fields) => chained(*at, dot.clone(), fields),
            Expr::Variable(at, name, fields) => {
                let variable = self.variables.iter().rev().find(|(known, _)| *known == name.as_str());
                let value = variable.map(|(_, value)| value.clone());
                let value = value.ok_or_else(|| failure(*at, format!("undefined variable: {name}")))?;
                chained(*at, value, fields)
            }
            Expr::String(_, text) => Ok(Value::Text(Arc::clone(text))),
            Expr::Number(_, Number::Int(number)) => Ok(Value::Int(*number)),
            Expr::Number(_, Number::Float(number)) => Ok(Value::Float(*number)),
            Expr::Number(at, Number::Uint(number)) => Err(failure(*at, format!("{number} overflows int"))),
            Expr::Bool(_, bool) => Ok(Value::Bool(*bool)),
            Expr::Nil(_) => Ok(Value::Absent),
            Expr::Pipe(_, pipe) => self.pipeline(pipe, dot),
            Expr::Identifier(at, name) => self.call(*at, name, &[], dot, None),
            Expr::Chain(at, inner, fields) => {
                let value = self.expression(inner, dot)?.unwrapped();
                chained(*at, value, fields)
            }
        }
    }
}

fn chained(at: Pos, value: Value, fields: &[gotmpl::parse::SmolStr]) -> Outcome<Value> {
    fields.iter().try_fold(value, |value, name| value.field(name)).map_err(|message| failure(at, message))
}
