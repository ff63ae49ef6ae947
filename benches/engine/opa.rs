//! OPA beside us: the same policies, libraries, parameters and input, as one query that is prepared once. Each binding is
//! a package of its own, as for our interpreter, or OPA would read one binding's parameters in another.

#![expect(clippy::indexing_slicing, reason = "an answer of another shape ends the benchmark")]

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use meshgate::admission::Request;
use meshgate::engine::{Bound, Bundle};
use meshgate::kubernetes::containers;
use meshgate::kubernetes::pod_template::{self, PodTemplates};
use meshgate::policy::Tree;
use serde_json::{Map, Value, json};

/// `opa-batch` answers no line that takes longer than two seconds.
const MOST: u64 = 25;

/// The program of `tests/reference`, running.
pub(crate) struct Opa {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    question: Value,
}

impl Opa {
    /// Asks the bindings at `places` about a request. None where there is no `opa-batch`.
    pub(crate) fn start(tree: &Tree, bundle: &Bundle, places: &[usize], request: &Request) -> Option<Self> {
        let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
        let path = variable("MESHGATE_OPA_BATCH")
            .or_else(|| variable("MESHGATE_REFERENCE_TOOLS").map(|directory| directory.join("opa-batch")))?;
        let mut command = Command::new(path);
        // One core, its collector of garbage on it, as a worker of ours has one.
        command.env("GOMAXPROCS", "1").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("opa-batch starts");
        let stdin = child.stdin.take().expect("a pipe");
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        Some(Self { child, stdin, stdout, question: question(tree, bundle, places, request) })
    }

    /// How many findings there are.
    pub(crate) fn judged(&mut self) -> usize {
        self.ask(1)["result"].as_array().map_or(0, Vec::len)
    }

    /// How long so many evaluations take.
    pub(crate) fn time(&mut self, times: u64) -> Duration {
        let (whole, rest) = (times / MOST, times % MOST);
        let pieces = (0..whole).map(|_| MOST).chain((rest > 0).then_some(rest));
        pieces.map(|piece| self.ask(piece)).fold(Duration::ZERO, |sum, answer| {
            sum.saturating_add(Duration::from_nanos(answer["nanoseconds"].as_u64().expect("a time")))
        })
    }

    fn ask(&mut self, times: u64) -> Value {
        self.question["repeat"] = json!(times);
        writeln!(self.stdin, "{}", self.question).expect("opa-batch reads");
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("opa-batch answers");
        let answer: Value = serde_json::from_str(&line).expect("JSON");
        assert!(answer["result"].is_array(), "{line}");
        answer
    }
}

impl Drop for Opa {
    fn drop(&mut self) {
        // It may just have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn question(tree: &Tree, bundle: &Bundle, places: &[usize], request: &Request) -> Value {
    let bound: Vec<&Bound> = bundle.bound.iter().filter(|one| places.contains(&one.place())).collect();
    let mut modules: Map<String, Value> = tree
        .below("lib")
        .filter(|(path, _)| path.ends_with(".rego") && !path.ends_with("_test.rego"))
        .map(|(path, content)| (path.to_owned(), json!(String::from_utf8_lossy(content))))
        .collect();
    let mut all = "package all\n".to_owned();
    for one in &bound {
        let name = format!("b{}", one.place());
        modules.insert(name.clone(), json!(packaged(one, &name)));
        all.push_str(&format!("judge contains [\"{name}\", value] if some value in data.{name}.deny\n"));
    }
    modules.insert("all".to_owned(), json!(all));
    let parameters: Map<String, Value> =
        bound.iter().map(|one| (format!("b{}", one.place()), one.binding.parameters.clone())).collect();
    let (kind, object) = (request.kind(), request.object().expect("an object"));
    let own = PodTemplates::default();
    let input = json!({
        "request": request.value(),
        "parameters_of": parameters,
        "context": {
            "containers": containers::fact(&own, &kind.group, &kind.kind, object).expect("a Pod"),
            "pod": pod_template::fact(&own, &kind.group, &kind.kind, object).expect("a Pod"),
        },
        "exempt": {},
    });
    json!({ "modules": modules, "query": "data.all.judge", "input": input, "strict": true })
}

/// A policy as the package of a binding.
fn packaged(bound: &Bound, name: &str) -> String {
    let text = bound.policy.module.text.replace("input.parameters", &format!("input.parameters_of.{name}"));
    let package =
        |line: &str| if line.starts_with("package ") { format!("package {name}") } else { line.to_owned() };
    text.lines().map(package).collect::<Vec<_>>().join("\n")
}
