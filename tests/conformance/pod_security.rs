//! Pod Security: the policy `pod_security/standard` against what the reference implementation computed.
#![expect(clippy::arithmetic_side_effects, reason = "an overflow fails the test")]

mod checks;
mod cross;
mod differential;
mod fixtures;
mod generate;
mod labels;
mod opa;
#[path = "../differential/random.rs"]
pub(crate) mod random;

use std::{path::PathBuf, thread};

use meshgate::engine::{Program, ProgramSettings};
use meshgate::kubernetes::containers;
use meshgate::kubernetes::pod_template::{self, PodTemplates};
use meshgate::policy::Module;
use meshgate::source;
use serde_json::{Value, json};

/// Stack of the threads that evaluate, as the program's own workers have.
const STACK_BYTES: usize = 16 * 1024 * 1024;

/// The newest version of the standards that there is data for.
const NEWEST: u32 = 37;

const POLICY: &str = "pod_security/standard/standard.rego";

/// A check that a Pod violates.
#[derive(Clone, Debug, PartialEq)]
struct Violation {
    check: String,
    reason: String,
    detail: String,
}

/// The policy with its libraries, to be asked with the facts of a Pod.
struct Standard(Program);

impl Standard {
    fn load() -> Self {
        let settings = ProgramSettings { strict_builtin_errors: true, ..ProgramSettings::default() };
        Self(Program::load(&modules(), &settings).unwrap_or_else(|faults| panic!("{faults}")))
    }

    /// The violations in their order and the message, or why a fact is not known.
    fn judge(&self, level: &str, version: &str, pod: &Value) -> Result<(Vec<Violation>, String), String> {
        let input = input(level, version, pod)?;
        let answer = self.0.evaluate("data.policies.pod_security.standard.deny", Some(&input));
        let answer = answer.map_err(|error| format!("error: {error}"))?.unwrap();
        match answer.as_array().unwrap().as_slice() {
            [] => Ok((Vec::new(), String::new())),
            [denial] => {
                let violations = denial["details"]["violations"].as_array().unwrap();
                let violations = violations.iter().map(Violation::read).collect();
                Ok((violations, text(denial, "msg").to_owned()))
            }
            several => panic!("more than one element: {several:?}"),
        }
    }
}

impl Violation {
    fn read(value: &Value) -> Self {
        let [check, reason, detail] =
            ["check", "reason", "detail"].map(|name| value[name].as_str().unwrap_or_default().to_owned());
        Self { check, reason, detail }
    }
}

/// What the policy reads of a Pod.
fn input(level: &str, version: &str, pod: &Value) -> Result<Value, String> {
    let parameters = json!({ "level": level, "version": version, "ceiling": format!("v1.{NEWEST}") });
    let own = PodTemplates::default();
    let context = json!({ "containers": containers::fact(&own, "", "Pod", pod)?, "pod": pod_template::fact(&own, "", "Pod", pod)? });
    Ok(json!({ "request": {}, "parameters": parameters, "context": context, "exempt": {} }))
}

/// The policy and all libraries, as they are embedded.
fn modules() -> Vec<Module> {
    let catalogue = source::catalogue();
    let is_loaded = |path: &str| path == POLICY || path.starts_with("lib/") && !path.ends_with("_test.rego");
    let files = catalogue.iter().filter(|(path, _)| is_loaded(path));
    let module = |(path, text): (&str, &[u8])| Module {
        path: path.to_owned(),
        text: String::from_utf8(text.to_vec()).unwrap(),
    };
    files.map(module).collect()
}

/// The lines of a file of the data, as JSON; none without the data.
fn lines(name: &str) -> Option<Vec<Value>> {
    let text = std::fs::read_to_string(super::corpus("pss")?.join(name)).unwrap();
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap_or_else(|| panic!("no text {member} in {value}"))
}

/// The minor version: 22 of `v1.22`.
fn minor(version: &str) -> u32 {
    version.strip_prefix("v1.").unwrap().parse().unwrap()
}

/// What `ask` makes of each, in order, on all cores.
pub(crate) fn spread<T: Sync, R: Send>(items: &[T], ask: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let cores = thread::available_parallelism().map_or(1, Into::into);
    let ask = &ask;
    thread::scope(|scope| {
        let part = |part| move || <[T]>::iter(part).map(ask).collect::<Vec<R>>();
        let start =
            |items| thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, part(items)).unwrap();
        let parts: Vec<_> = items.chunks(items.len().div_ceil(cores).max(1)).map(start).collect();
        parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
    })
}

/// A reference tool; none where there is none, which is said, and which CI does not accept.
pub(crate) fn tool(name: &str) -> Option<PathBuf> {
    let found =
        std::env::var_os("MESHGATE_REFERENCE_TOOLS").map(|directory| PathBuf::from(directory).join(name));
    if found.is_none() {
        println!("left out: no {name}; set MESHGATE_REFERENCE_TOOLS (tests/reference/build.sh builds it)");
        assert!(std::env::var_os("CI").is_none(), "CI needs {name}");
    }
    found
}
