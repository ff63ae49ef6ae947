//! From our tree to the text that the interpreter reads: the syntax of OPA 1.0, each thing in the line in which the
//! author wrote it or below, so that messages and coverage name the author's lines.

use super::tree::{Body, Kind, Module, Node, Rule, Shape, Statement, Term};

/// The text of a module.
pub(super) fn module(module: &Module) -> String {
    let mut printer = Printer { text: String::new(), line: 1 };
    printer.module(module);
    printer.text
}

struct Printer {
    text: String,
    line: u32,
}

impl Printer {
    fn put(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Goes down to a line; a line that is passed already is not gone back to.
    fn to(&mut self, line: u32) {
        while self.line < line {
            self.text.push('\n');
            self.line = self.line.saturating_add(1);
        }
    }

    /// Without imports: what they name goes by its path, and the interpreter looks among them at every call, if there are
    /// any.
    fn module(&mut self, module: &Module) {
        self.put("package ");
        self.path(&module.package);
        for rule in &module.rules {
            self.put(" ");
            self.to(rule.line);
            self.rule(rule);
        }
        self.put("\n");
    }

    fn path(&mut self, path: &[String]) {
        for (index, part) in path.iter().enumerate() {
            if index == 0 {
                self.put(part);
            } else {
                self.put(&format!("[{}]", serde_json::Value::from(part.as_str())));
            }
        }
    }

    fn rule(&mut self, rule: &Rule) {
        if rule.default {
            self.put("default ");
        }
        self.term(&rule.reference);
        if let Some(arguments) = &rule.arguments {
            self.listed("(", arguments, ")");
        }
        if let Some(key) = &rule.key {
            self.put(" contains ");
            self.term(key);
        }
        self.value(rule.value.as_ref());
        self.condition(rule.body.as_ref());
        for branch in &rule.otherwise {
            self.put(" ");
            self.to(branch.line);
            self.put("else");
            self.value(branch.value.as_ref());
            self.condition(branch.body.as_ref());
        }
    }

    fn value(&mut self, value: Option<&Term>) {
        if let Some(value) = value {
            self.put(" := ");
            self.term(value);
        }
    }

    fn condition(&mut self, body: Option<&Body>) {
        if let Some(body) = body {
            self.put(" if { ");
            self.body(body);
            self.put(" }");
        }
    }

    fn body(&mut self, body: &Body) {
        for (index, statement) in body.iter().enumerate() {
            if index > 0 {
                self.put("; ");
            }
            self.to(statement.line);
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &Statement) {
        self.kind(&statement.kind);
        for (target, value) in &statement.with {
            self.put(" with ");
            self.term(target);
            self.put(" as ");
            self.term(value);
        }
    }

    fn kind(&mut self, kind: &Kind) {
        match kind {
            Kind::Some(names) => {
                self.put("some ");
                self.put(&names.join(", "));
            }
            Kind::SomeIn(key, value, collection) => {
                self.put("some ");
                if let Some(key) = key {
                    self.term(key);
                    self.put(", ");
                }
                self.term(value);
                self.put(" in ");
                self.operand(collection, IN);
            }
            Kind::Term(term) => self.term(term),
            Kind::Assign(left, right) => self.pair(left, " := ", right),
            Kind::Unify(left, right) => self.pair(left, " = ", right),
            Kind::Not(negated) => {
                self.put("not ");
                self.kind(negated);
            }
            Kind::Every(key, value, domain, body) => {
                self.put("every ");
                if let Some(key) = key {
                    self.put(key);
                    self.put(", ");
                }
                self.put(value);
                self.put(" in ");
                self.operand(domain, IN);
                self.put(" { ");
                self.body(body);
                self.put(" }");
            }
        }
    }

    fn pair(&mut self, left: &Term, between: &str, right: &Term) {
        // `(1 == 1) = x` is read to its end only with them.
        self.operand(left, MUL);
        self.put(between);
        self.term(right);
    }

    fn listed(&mut self, open: &str, terms: &[Term], close: &str) {
        self.put(open);
        for (index, term) in terms.iter().enumerate() {
            if index > 0 {
                self.put(", ");
            }
            self.element(term);
        }
        self.put(close);
    }

    /// A term among others, between commas: `k, v in c` needs parentheses there.
    fn element(&mut self, term: &Term) {
        self.operand(term, IN.saturating_sub(u8::from(!matches!(term.node, Node::In(Some(_), ..)))));
    }

    /// A term that binds less tightly than `level` or as tightly goes into parentheses.
    fn operand(&mut self, term: &Term, level: u8) {
        if binding(term) > level {
            return self.term(term);
        }
        self.put("(");
        self.term(term);
        self.put(")");
    }

    fn term(&mut self, term: &Term) {
        match &term.node {
            // A bare name has no line of its own: where it is alone, its statement has.
            Node::Constant(text) | Node::Variable(text) => self.put(text),
            _ => {
                self.to(term.line);
                self.compound(&term.node);
            }
        }
    }

    fn compound(&mut self, node: &Node) {
        match node {
            Node::Constant(text) | Node::Name(text) | Node::Variable(text) => self.put(text),
            Node::Array(items) => self.listed("[", items, "]"),
            Node::Set(items) if items.is_empty() => self.put("set()"),
            Node::Set(items) => self.listed("{", items, "}"),
            Node::Object(members) => self.object(members),
            Node::Comprehension(shape, heads, body) => self.comprehension(*shape, heads, body),
            Node::Call(function, arguments) => {
                self.term(function);
                self.listed("(", arguments, ")");
            }
            Node::Reference(base, steps) => {
                self.operand(base, MUL);
                for step in steps {
                    if let Node::Name(name) = &step.node {
                        self.put(&format!(".{name}"));
                    } else {
                        self.put("[");
                        self.element(step);
                        self.put("]");
                    }
                }
            }
            Node::Infix(operator, left, right) => {
                let level = level(operator);
                // Operators of one level group to the left.
                self.operand(left, level.saturating_sub(1));
                self.put(&format!(" {operator} "));
                self.operand(right, level);
            }
            Node::In(key, value, collection) => {
                if let Some(key) = key {
                    self.operand(key, IN);
                    self.put(", ");
                }
                self.operand(value, IN);
                self.put(" in ");
                self.operand(collection, IN);
            }
        }
    }

    fn object(&mut self, members: &[(Term, Term)]) {
        self.put("{");
        for (index, (key, value)) in members.iter().enumerate() {
            if index > 0 {
                self.put(", ");
            }
            self.element(key);
            self.put(": ");
            self.element(value);
        }
        self.put("}");
    }

    fn comprehension(&mut self, shape: Shape, heads: &[Term], body: &Body) {
        self.put(if shape == Shape::Array { "[" } else { "{" });
        for (index, head) in heads.iter().enumerate() {
            if index > 0 {
                self.put(": ");
            }
            // A union would be read as the bar before the body.
            self.operand(head, MUL);
        }
        self.put(" | ");
        self.body(body);
        self.put(if shape == Shape::Array { "]" } else { "}" });
    }
}

const IN: u8 = 1;
const MUL: u8 = 6;

/// How tightly an operator binds.
fn level(operator: &str) -> u8 {
    match operator {
        "|" => 3,
        "&" => 4,
        "+" | "-" => 5,
        "*" | "/" | "%" => MUL,
        _ => 2,
    }
}

fn binding(term: &Term) -> u8 {
    match &term.node {
        Node::Infix(operator, ..) => level(operator),
        Node::In(..) => IN,
        _ => 7,
    }
}
