//! What large questions cost (R07): each in two sizes, of which the larger should cost as many times more as it is larger.

#![expect(
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a question that can't be made is nothing to measure"
)]

use criterion::{BenchmarkId, Criterion, Throughput};
use meshgate::engine;
use meshgate::policy::{Draft, Tree};
use meshgate::review::Phase;
use meshgate::source;
use serde_json::{Value, json};

use crate::{Question, starter};

/// Of the bindings so many mean the Pod.
const MEANT: usize = 5;

/// A Pod of about so many bytes: an annotation, an environment and a command that nobody reads.
fn bytes(size: usize) -> Value {
    let part = size / 3;
    let env: Vec<Value> =
        (0..part / 40).map(|n| json!({ "name": format!("NAME_{n:05}"), "value": "0123456789" })).collect();
    let mut container = container("app", "registry.example/app:1");
    container["env"] = env.into();
    container["command"] = (0..part / 12).map(|n| format!("word{n:05}")).collect();
    let mut pod = pod(vec![container]);
    pod["metadata"]["annotations"] = json!({ "example.org/text": "x".repeat(part) });
    pod
}

/// A Pod of so many containers. Every hundredth has no tag and is privileged.
fn containers(count: usize) -> Value {
    let one = |n: usize| match n % 100 {
        0 => {
            let mut container = container(&format!("c{n}"), "docker.io/nginx");
            container["securityContext"] = json!({ "privileged": true });
            container
        }
        _ => container(&format!("c{n}"), "docker.io/nginx:1.29"),
    };
    pod((0..count).map(one).collect())
}

fn container(name: &str, image: &str) -> Value {
    let resources = json!({ "requests": { "cpu": "1", "memory": "1Gi" }, "limits": { "memory": "1Gi" } });
    json!({ "name": name, "image": image, "resources": resources })
}

fn pod(containers: Vec<Value>) -> Value {
    let labels = json!({ "owner": "shop", "app.kubernetes.io/name": "web", "team": "t7" });
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "web", "namespace": "shop", "labels": labels },
        "spec": { "containers": containers },
    })
}

/// So many bindings of one policy, each for the Pods of a team.
fn bindings(count: usize) -> Tree {
    let embedded = source::profile("starter").expect("an embedded profile");
    let mut tree = Tree::default();
    for (path, content) in embedded.iter().filter(|(path, _)| !path.ends_with(".yaml")) {
        tree.insert(path, content);
    }
    let one = |n: usize| {
        let team = n % (count / MEANT);
        format!(
            "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {{name: b{n:05}}}\nspec: {{policy: \
             workloads/required_label, enforcement: deny, parameters: {{label: l{n}}}, match: {{objectSelector: \
             {{matchLabels: {{team: t{team}}}}}}}}}\n---\n"
        )
    };
    tree.insert("bindings.yaml", (0..count).map(one).collect::<String>());
    tree
}

pub(crate) fn measure(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("large");
    group.sample_size(10);
    let mut show = |name: &str, size: usize, question: &Question| {
        group.throughput(Throughput::Elements(u64::try_from(size).expect("a size")));
        for (phase, word) in [(Phase::Mutate, "mutate"), (Phase::Validate, "validate")] {
            let id = BenchmarkId::new(format!("{name}: {word}"), size);
            group.bench_function(id, |b| b.iter(|| question.answer(phase)));
        }
    };
    for size in [300_000, 3_000_000] {
        show("bytes", size, &Question::about(&bytes(size), starter()));
    }
    for count in [1_000, 10_000] {
        let question = Question::about(&containers(count), starter());
        let found = question.decision(&question.request(), Phase::Validate).findings;
        // Without optimisation the larger one may take longer than policies may: an error then, and said.
        let is_late = found.iter().any(|finding| finding.is_error);
        assert!(is_late || found.len() == 2 * count / 100, "{}: {:?}", found.len(), found.first());
        show("containers", count, &question);
    }
    for count in [1_000, 10_000] {
        let draft = Draft::read(&bindings(count), &Tree::default());
        let bundle = engine::compile(draft).expect("the policies compile");
        let question = Question::about(&pod(vec![container("app", "docker.io/nginx:1.29")]), bundle);
        let found = question.decision(&question.request(), Phase::Validate).findings;
        assert_eq!(found.len(), MEANT, "{found:?}");
        show("bindings", count, &question);
    }
    group.finish();
}
