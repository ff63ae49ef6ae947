//! A repository of many policies: how long each step of a push takes, what memory, and how reviews fare meanwhile. Numbers
//! are printed: the machine decides them.

use std::time::{Duration, Instant};

use serde_json::json;
use time::OffsetDateTime;

use crate::asked::{Said, tell, while_asked};
use crate::process::{Process, memory, pod};
use crate::repository::{Repository, short};
use crate::world::World;

/// How many policies there are: what CI has time for, or what is asked for. One in 25 is about Pods.
fn policies() -> usize {
    std::env::var("MESHGATE_GIT_POLICIES").map_or(25, |text| text.parse().unwrap())
}

/// What the steps are called in metrics, in their order.
const STEPS: [&str; 4] = ["fetch", "verify", "tests", "gate"];

/// Commits as many policies, each with its test and its binding; the words of all of them change with `number`.
fn commit(repository: &Repository, number: usize) -> String {
    let mut files = Vec::new();
    for n in 0..policies() {
        let resource = ["pods", "services"][usize::from(n % 25 != 0)];
        let rules = format!("[{{apiGroups: [\"\"], apiVersions: [v1], resources: [{resource}]}}]");
        let policy = format!(
            "# METADATA\n# title: t\n# description: d\n# custom:\n#   match: {{rules: {rules}}}\npackage policies.x.p{n}\n\nimport data.lib.shared\n\ndeny contains sprintf(\"push {number}, policy {n}: %s is privileged\", [container.name]) if {{\n\tsome container in shared.containers(input.request.object)\n\tcontainer.securityContext.privileged == true\n\tnot exempt(container)\n}}\n\nexempt(container) if {{\n\tsome prefix in {{\"registry.example.com/{n}/\", \"registry.example.com/system/\"}}\n\tstartswith(container.image, prefix)\n}}\n"
        );
        let object = "{\"spec\": {\"containers\": [{\"name\": \"c\", \"image\": \"i\", \"securityContext\": {\"privileged\": true}}]}}";
        let test = format!(
            "package policies.x.p{n}_test\n\nimport data.policies.x.p{n}\n\ntest_denied if {{\n\tp{n}.deny == {{\"push {number}, policy {n}: c is privileged\"}} with input as {{\"request\": {{\"object\": {object}}}}}\n}}\n"
        );
        let binding = format!(
            "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {{name: b{n}}}\nspec: {{policy: x/p{n}, enforcement: deny}}\n"
        );
        files.push((format!("policies/x/p{n}/p{n}.rego"), policy));
        files.push((format!("policies/x/p{n}/p{n}_test.rego"), test));
        files.push((format!("policies/bindings/b{n}.yaml"), binding));
    }
    let library = "package lib.shared\n\ncontainers(pod) := array.concat(object.get(pod.spec, \"initContainers\", []), pod.spec.containers)\n";
    files.push(("policies/lib/shared/shared.rego".to_owned(), library.to_owned()));
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    repository.commit_at(&files, &["-S"], OffsetDateTime::now_utc().unix_timestamp())
}

fn bodies() -> Vec<String> {
    let body = |privileged: bool| {
        let mut review = pod();
        review["request"]["object"]["spec"]["containers"][0]["securityContext"] =
            json!({ "privileged": privileged });
        review.to_string()
    };
    vec![body(false), body(false), body(false), body(true)]
}

/// What a metric says.
fn metric(process: &Process, name: &str) -> f64 {
    let text = process.admin("/metrics").1;
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.and_then(|value| value.parse().ok()).unwrap_or(0.0)
}

fn steps(process: &Process) -> [f64; 4] {
    STEPS.map(|step| metric(process, &format!("meshgate_bundle_stage_seconds{{stage=\"{step}\"}}")))
}

#[test]
fn a_push_of_many_policies_comes_in_force_while_reviews_are_answered() {
    let (world, _) = World::new();
    world.repository.git(&["rm", "-rq", "policies"]);
    let first = commit(&world.repository, 0);
    world.push_head();
    let process = world.started(&first);
    let pid = process.child.id();
    let second = commit(&world.repository, 1);
    let before = memory(pid, "VmRSS");
    let ((began, took, steps), said) = while_asked(&process, &bodies(), || {
        // As long as that without a push, to compare.
        std::thread::sleep(Duration::from_secs(3));
        world.push_head();
        let began = Instant::now();
        let took = process.until("the push", |process| process.active().as_deref() == Some(second.as_str()));
        let steps = steps(&process);
        // Then something is judged by it.
        std::thread::sleep(Duration::from_secs(1));
        (began, took, steps)
    });
    let failed = said.iter().filter(|said| said.response.is_err()).count();
    assert_eq!((failed, said.len() > 100), (0, true), "of {}", said.len());
    let words = "push 1, policy 0: c is privileged";
    let by_second = said.iter().filter(|said| said.commit() == Some(short(&second)));
    let message =
        |said: &Said| said.response.as_ref().unwrap()["status"]["message"].as_str().map(str::to_owned);
    let denials: Vec<String> = by_second.filter_map(message).collect();
    assert!(!denials.is_empty() && denials.iter().all(|message| message.contains(words)), "{denials:?}");
    let shown = |(step, seconds): (&str, f64)| format!("{step} {:.0} ms", seconds * 1000.0);
    let of_steps: Vec<String> = STEPS.into_iter().zip(steps).map(shown).collect();
    println!(
        "{} policies: in force {} ms after the push ({}), resident {} MiB before, {} after, {} at the most",
        policies(),
        took.as_millis(),
        of_steps.join(", "),
        before >> 10,
        memory(pid, "VmRSS") >> 10,
        memory(pid, "VmHWM") >> 10,
    );
    let is_during = |said: &Said| said.due >= began && said.due <= began + took;
    for (when, during) in [("before the push", false), ("until it is in force", true)] {
        tell(when, said.iter().filter(|said| is_during(said) == during && (during || said.due < began)));
    }
}
