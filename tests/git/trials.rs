//! Candidates whose tests fail, never end or eat memory, and one that eats memory when it is loaded: the child ends, every
//! request is answered by the last good policies meanwhile, and the server itself takes no more memory.

use crate::asked::while_asked;
use crate::process::{Process, memory, pod};
use crate::refusals::{good, now, refused};
use crate::world::World;

/// A fault by its name, and the file that has it.
type Fault = (&'static str, Vec<(String, String)>);

fn test(body: &str) -> Vec<(String, String)> {
    let text = format!("package policies.x.a_test\n\nimport data.policies.x.a\n\n{body}\n");
    vec![("policies/x/a/a_test.rego".to_owned(), text)]
}

fn faults() -> Vec<Fault> {
    let fails = "test_fails if {\n\ta.deny == {\"other\"} with input as {\"request\": {\"uid\": \"1\"}}\n}";
    let eats = "test_large if {\n\tx := [[i, j, [i, j]] | some i in numbers.range(1, 30000); some j in numbers.range(1, 30000)]\n\tcount(x) > 0\n}";
    vec![
        ("a test that fails", test(fails)),
        (
            "no tests",
            vec![("policies/lib/none/none.rego".to_owned(), "# none\npackage lib.none\n".to_owned())],
        ),
        // Each is ended by itself in time, and they are too many for the time of all, however full the machine is.
        ("tests that never end", test(&(0..40).map(endless).collect::<Vec<_>>().join("\n\n"))),
        ("a test that eats memory", test(eats)),
        ("policies that eat memory when they are loaded", large()),
    ]
}

fn endless(name: usize) -> String {
    let over = |name: &str| format!("every {name} in numbers.range(1, 20000)");
    format!(
        "test_endless_{name} if {{\n\t{} {{\n\t\t{} {{\n\t\t\ti + j > 0\n\t\t}}\n\t}}\n}}",
        over("i"),
        over("j")
    )
}

/// Each module is within its limits; what is made of them is many times as large.
fn large() -> Vec<(String, String)> {
    let zeros = "0, ".repeat(280);
    let rules: Vec<String> = (0..500).map(|n| format!("r{n} := [{zeros}]")).collect();
    let module = |n: usize| format!("package lib.large{n}\n\n{}\n", rules.join("\n"));
    (0..10).map(|n| (format!("policies/lib/large{n}/large{n}.rego"), module(n))).collect()
}

#[test]
fn tests_that_fail_never_end_or_eat_memory() {
    let (world, first) = World::new();
    let rollout = "rollout: {tests: {timeout: 10s, memory: 160Mi}}\n";
    let configuration = format!("{}{rollout}", world.configuration(""));
    let process = Process::start(world.repository.folder.path(), &configuration);
    process.until("the first commit", |process| process.active().as_deref() == Some(first.as_str()));
    let sizes = || ["VmRSS", "VmHWM"].map(|of| memory(process.child.id(), of) >> 10);
    let before = sizes();
    let (told, said) = while_asked(&process, &[pod().to_string()], || {
        let (mut active, mut told) = (first.clone(), String::new());
        for (what, files) in faults() {
            if what == "no tests" {
                world.repository.git(&["rm", "-q", "policies/x/a/a_test.rego"]);
            }
            let files: Vec<(&str, &str)> =
                files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
            world.repository.commit_at(&files, &["-S"], now());
            told.push_str(&format!("{what}\n{}\n", refused(&world, &process, &active)));
            active = good(&world, &process, &active, what);
        }
        told
    });
    insta::assert_snapshot!("tests", told);
    let wrong =
        said.iter().filter(|said| !said.response.as_ref().is_ok_and(|answer| answer["allowed"] == false));
    assert_eq!(wrong.count(), 0, "of {}", said.len());
    let after = sizes();
    println!(
        "{} reviews, 0 failed; the server has and had at the most {after:?} MiB, before {before:?}",
        said.len()
    );
    // What loads good policies takes some for a while; what ate memory had more than 160 MiB.
    let is_flat = |(before, after): (&u64, &u64), more| *after < before.saturating_add(more);
    assert!(
        is_flat((&before[0], &after[0]), 32) && is_flat((&before[1], &after[1]), 64),
        "{before:?}, {after:?}"
    );
}
