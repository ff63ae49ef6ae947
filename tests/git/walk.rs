//! All that can go wrong with policies from Git, and the test that has it: by its fault, with its message, beside one that
//! passes, while the last good policies go on. Here it is asked that each is such a test, is run and asserts something, and
//! that its snapshots name the steps of its row; what it shows it shows itself. What the documentation says of it is held
//! against the program.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use meshgate::activation::Step;

/// What goes wrong, where it is told, and which test has it. Without a step: the server does not start.
const WALK: &[(&str, &[Step], &str, &str)] = &[
    // Sources.
    (
        "a source, or a way to it, that is not built",
        &[],
        SETTINGS,
        "what_is_not_built_and_what_does_not_go_together_is_named",
    ),
    (
        "a URL with a user, plain HTTP, an interval, a path that can't be meant",
        &[],
        SETTINGS,
        "what_can_not_be_meant_of_a_repository_is_named",
    ),
    (
        "a directory that is half written",
        &[],
        "src/source/whole.rs",
        "a_tree_is_whole_behind_a_link_by_its_marker_or_where_it_comes_to_rest",
    ),
    ("TLS", &[Step::Fetch], TRANSPORT, "a_server_that_shows_another_certificate"),
    (
        "401, 403, 404, 429, 5xx, redirects, cut, closed, endless",
        &[Step::Fetch],
        TRANSPORT,
        "a_repository_that_does_not_answer_as_one",
    ),
    (
        "no such branch, a pack over 64 MiB, a fetch over 60 s",
        &[Step::Fetch],
        TRANSPORT,
        "a_repository_that_does_not_give_what_it_names",
    ),
    (
        "a copy of the repository that is damaged",
        &[Step::CopyDamaged],
        "tests/git/damaged.rs",
        "a_server_whose_copy_is_damaged_says_so_and_goes_on",
    ),
    // Trust.
    (
        "unsigned, unknown key, out of time, changed, signed twice, from the future",
        SIGNED,
        REFUSALS,
        "what_is_not_signed_as_it_has_to_be",
    ),
    (
        "another kind of signature, key, use, wrapping or place; revoked; not the committer",
        &[Step::Untrusted, Step::Tampered, Step::Ambiguous],
        "tests/git/refused_signers.rs",
        "what_is_signed_in_another_way_than_is_taken",
    ),
    (
        "a line of the files of trust",
        &[],
        "tests/git/stricter.rs",
        "what_is_not_taken_in_the_files_of_trust_is_named_with_its_line",
    ),
    (
        "files of trust that go bad",
        &[Step::Trust],
        STATE,
        "files_of_trust_that_go_bad_and_a_state_that_is_taken",
    ),
    // What comes after what.
    ("no descendant, a history made anew, backdated", &[Step::Rollback], REFUSALS, HISTORY_AND_FILES),
    ("a tag that was moved", &[Step::Rollback], HISTORY, "a_tag_that_is_moved"),
    (
        "not after trust.floor; nothing valid at the first start",
        &[Step::Rollback],
        HISTORY,
        "a_first_commit_that_does_not_come_after_the_one_that_is_configured",
    ),
    ("the commit accepted last is gone", &[Step::Rollback], HISTORY, "a_history_that_is_gone"),
    ("more than 2,000 commits", &[Step::Rollback], HISTORY, "a_commit_that_is_too_far_from_the_last"),
    // Files.
    ("names, kinds and sizes", &[Step::Files], "tests/git/refused_files.rs", "what_is_no_tree_of_policies"),
    ("a link, LFS, no folder; no Rego", &[Step::Files, Step::Gate], REFUSALS, HISTORY_AND_FILES),
    (
        "archives that other programs would read otherwise",
        &[],
        "src/source/archive/entries.rs",
        "what_other_programs_would_read_otherwise_is_refused",
    ),
    (
        "archives that are cut, changed, too large",
        &[],
        "src/source/archive.rs",
        "an_archive_that_is_cut_or_changed_is_refused",
    ),
    ("layers and digests of OCI", &[], "src/source/layers.rs", "other_layers_are_refused_by_name"),
    // Activation.
    (
        "tests that fail, none, endless, memory; loading that takes memory",
        &[Step::Tests, Step::Gate],
        "tests/git/trials.rs",
        "tests_that_fail_never_end_or_eat_memory",
    ),
    ("a machine that has no time", &[Step::Busy], STATE, "a_machine_that_has_no_time"),
    (
        "what the policies need is not there",
        &[Step::Prepare],
        "src/activation.rs",
        "a_candidate_is_in_force_when_all_is_prepared_and_else_the_last_good_one_stays",
    ),
    (
        "the ConfigMap is out of reach, or can't be read",
        &[Step::Coordination],
        "src/delivery/tests/board.rs",
        "nothing_is_accepted_while_it_is_not_known_what_others_accepted",
    ),
    (
        "the same where something is in force",
        &[Step::Coordination],
        "src/delivery/tests/board.rs",
        "who_has_something_in_force_goes_on_while_others_can_not_be_heard",
    ),
    (
        "what is in force is too large for other replicas",
        &[Step::Share],
        ARCHIVE,
        "what_is_too_large_for_it_is_said_and_not_kept",
    ),
    (
        "what others kept is damaged or of another commit",
        &[Step::Recover],
        ARCHIVE,
        "what_others_kept_has_to_be_whole_and_the_commit_accepted_last",
    ),
    ("a disk that is full or read-only", &[Step::Keep], STATE, "a_disk_that_is_full_or_takes_nothing"),
    ("what is kept on disk is damaged", &[Step::Recover], STATE, "what_is_kept_is_damaged"),
    (
        "the floor can't be read",
        &[Step::FloorDamaged],
        "src/delivery/tests.rs",
        "a_floor_that_can_not_be_read_is_not_none",
    ),
    ("the state of another process", &[], STATE, "files_of_trust_that_go_bad_and_a_state_that_is_taken"),
    (
        "a first start without the repository",
        &[Step::Fetch],
        "tests/git/served.rs",
        "a_first_start_without_the_repository_is_not_ready_and_a_later_one_has_the_last_good_policies",
    ),
];

const SETTINGS: &str = "src/config/source.rs";
const TRANSPORT: &str = "tests/git/refused_transport.rs";
const REFUSALS: &str = "tests/git/refusals.rs";
const HISTORY_AND_FILES: &str = "what_does_not_come_after_the_last_commit_and_what_is_no_tree_of_policies";
const HISTORY: &str = "tests/git/refused_history.rs";
const STATE: &str = "tests/git/refused_state.rs";
const ARCHIVE: &str = "src/delivery/tests/archive.rs";
const SIGNED: &[Step] = &[Step::Unsigned, Step::Untrusted, Step::Expired, Step::Tampered, Step::Ambiguous];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The tests of a file that are run, by their names, with their bodies.
fn run(file: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let (text, mut head) = (text(file), Vec::new());
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let trimmed = line.trim_start();
        let signature = trimmed.strip_prefix("async ").unwrap_or(trimmed);
        if let Some(name) = signature.strip_prefix("fn ").and_then(|rest| rest.split('(').next()) {
            let has = |begin: &str| head.iter().any(|line: &&str| line.starts_with(begin));
            let is_test = has("#[test]") || has("#[tokio::test");
            if is_test && !has("#[ignore") && !has("#[should_panic") && !has("#[cfg") {
                let end = format!("{}}}", line.strip_suffix(trimmed).unwrap());
                let body = lines.by_ref().take_while(|line| *line != end);
                found.insert(name.to_owned(), body.collect::<Vec<_>>().join("\n"));
            }
            head.clear();
        } else if trimmed.is_empty() {
            head.clear();
        } else {
            head.push(trimmed);
        }
    }
    found
}

/// The names of the snapshots that a test is held against.
fn asserted(body: &str) -> Vec<String> {
    let name = regex::Regex::new(r#"assert_snapshot!\(\s*"([a-z_]+)""#).unwrap();
    name.captures_iter(body).map(|found| found[1].to_owned()).collect()
}

/// The lines of a snapshot of a file below `tests/git`.
fn snapshot(file: &str, name: &str) -> String {
    let module = Path::new(file).file_stem().unwrap().to_str().unwrap();
    text(format!("tests/git/snapshots/git__{module}__{name}.snap"))
}

fn line(step: Step) -> String {
    format!("\n{}/{}\n", step.stage(), step.reason())
}

#[test]
fn each_step_that_can_fail_has_a_row_with_a_test_that_is_run() {
    for (what, steps, file, test) in WALK {
        let tests = run(file);
        let body = tests.get(*test).unwrap_or_else(|| panic!("{what}: no {test} is run in {file}"));
        assert!(
            ["assert", "refused("].iter().any(|word| body.contains(word)),
            "{what}: {test} in {file} asserts nothing"
        );
        let said: String = asserted(body).iter().map(|name| snapshot(file, name)).collect();
        for step in steps.iter().filter(|_| !said.is_empty()) {
            assert!(said.contains(&line(*step)), "{what}: no snapshot of {test} has {step:?}");
        }
    }
    let shown: BTreeSet<Step> = WALK.iter().flat_map(|(_, steps, ..)| steps.iter().copied()).collect();
    let without: Vec<&Step> = Step::ALL.iter().filter(|step| !shown.contains(step)).collect();
    assert!(without.is_empty(), "no row has {without:?}");
}

/// Rows of the table begin with the two words in code.
#[test]
fn the_documentation_has_a_row_for_each_step_and_no_other() {
    let page = text("docs/git.md");
    let (_, table) = page.split_once("\n## What is refused, and what to do\n").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let row = regex::Regex::new(r"(?m)^\| `([a-z]+)` `([a-z]+)`").unwrap();
    let told: BTreeSet<String> =
        row.captures_iter(table).map(|row| format!("{}/{}", &row[1], &row[2])).collect();
    let known: BTreeSet<String> =
        Step::ALL.iter().map(|step| format!("{}/{}", step.stage(), step.reason())).collect();
    assert_eq!(told, known);
}

/// A message of each step that a server alone can come to is written down, and no snapshot is left that no test is held
/// against.
#[test]
fn each_step_has_its_message_in_a_snapshot_of_a_test_that_is_run() {
    let (mut used, mut all) = (BTreeSet::new(), String::new());
    for entry in fs::read_dir(root().join("tests/git")).unwrap().flatten().map(|entry| entry.file_name()) {
        let file = format!("tests/git/{}", entry.to_str().unwrap());
        let bodies = if file.ends_with(".rs") { run(&file) } else { BTreeMap::new() };
        for name in bodies.values().flat_map(|body| asserted(body)) {
            all.push_str(&snapshot(&file, &name));
            let module = file.trim_start_matches("tests/git/").trim_end_matches(".rs");
            used.insert(format!("git__{module}__{name}.snap"));
        }
    }
    let there = fs::read_dir(root().join("tests/git/snapshots")).unwrap().flatten();
    let there: BTreeSet<String> = there.map(|entry| entry.file_name().into_string().unwrap()).collect();
    assert_eq!(there, used);
    let is_of_a_cluster = |step: Step| matches!(step, Step::Coordination | Step::Share | Step::Prepare);
    for step in Step::ALL.iter().copied().filter(|step| !is_of_a_cluster(*step)) {
        assert!(all.contains(&line(step)), "{step:?}");
    }
}
