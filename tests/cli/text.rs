//! What people read: excerpts, groups, colours, the width of a terminal.

use std::path::Path;
use std::process::Command;

use crate::everything::{CHECK, everything};
use crate::program::{folder, meshgate, run, with_input};

/// Standard output of a run with those variables.
fn with_variables(directory: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshgate"));
    command.args(arguments).current_dir(directory).env_remove("NO_COLOR").env_remove("COLUMNS");
    String::from_utf8(command.envs(variables.iter().copied()).output().unwrap().stdout).unwrap()
}

#[test]
fn everything_is_told_plainly_and_in_colour_within_80_columns() {
    let folder = everything();
    let plain = with_variables(folder.path(), &CHECK, &[("COLUMNS", "80")]);
    insta::assert_snapshot!("everything_plain", plain);
    let long: Vec<&str> = plain.lines().filter(|line| line.chars().count() > 80).collect();
    assert_eq!(long, Vec::<&str>::new());
    let arguments = [&CHECK[..], &["--color", "always"]].concat();
    let coloured = with_variables(folder.path(), &arguments, &[("COLUMNS", "80"), ("NO_COLOR", "1")]);
    insta::assert_snapshot!("everything_coloured", coloured.replace('\u{1b}', "␛"));
    let bare = regex::Regex::new("\u{1b}\\[[0-9;]*m").unwrap().replace_all(&coloured, "").into_owned();
    assert_eq!(bare, plain, "colours change nothing else");
}

/// Plain within 80 columns, and in colour, which changes nothing else. A line that is a place may be longer.
fn plainly_and_in_colour(directory: &Path, arguments: &[&str], name: &str) {
    let columns = [("COLUMNS", "80")];
    let plain = with_variables(directory, arguments, &columns);
    insta::assert_snapshot!(format!("{name}_plain"), plain);
    // A place begins its line, and is one word; so is what an editor finds behind it.
    let is_place = |line: &&str| line.trim_start().starts_with("p/");
    let long: Vec<&str> = plain.lines().filter(|line| line.chars().count() > 80 && !is_place(line)).collect();
    assert_eq!(long, Vec::<&str>::new());
    let coloured = with_variables(directory, &[arguments, &["--color", "always"]].concat(), &columns);
    insta::assert_snapshot!(format!("{name}_coloured"), coloured.replace('\u{1b}', "␛"));
    let bare = regex::Regex::new("\u{1b}\\[[0-9;]*m").unwrap().replace_all(&coloured, "").into_owned();
    assert_eq!(bare, plain, "colours change nothing else");
    let piped = with_variables(directory, arguments, &[("TERM", "xterm-256color")]);
    assert!(!piped.contains('\u{1b}'), "no terminal, no colours: {piped}");
}

#[test]
fn explanations_are_plain_and_in_colour_within_80_columns() {
    let folder = everything();
    plainly_and_in_colour(folder.path(), &[&["explain"], &CHECK[1..]].concat(), "explained");
}

#[test]
fn results_of_tests_are_plain_and_in_colour_within_80_columns() {
    let tree = crate::test_command::failing();
    plainly_and_in_colour(tree.path(), &["test", "p", "-v"], "tests");
}

#[test]
fn no_colours_and_no_wrapping_where_there_is_no_terminal() {
    let folder = everything();
    for variables in [&[][..], &[("TERM", "xterm-256color")], &[("NO_COLOR", "1")]] {
        for more in [&[][..], &["--color", "auto"], &["--color", "never"]] {
            let text = with_variables(folder.path(), &[&CHECK[..], more].concat(), variables);
            assert!(!text.contains('\u{1b}'), "{text}");
            assert!(
                text.contains("found unexpected end of stream while scanning a quoted scalar; correct"),
                "{text}"
            );
        }
    }
    let typo = meshgate(&["check", "x", "--color", "sometimes"]);
    assert!(typo.code == 2 && typo.err.contains("[possible values: auto, always, never]"), "{}", typo.err);
}

/// The part of a text that begins with a line with these words, up to the next empty line.
fn block<'a>(text: &'a str, words: &str) -> &'a str {
    let found =
        text.split("\n\n").find(|block| block.lines().next().is_some_and(|line| line.contains(words)));
    found.unwrap_or_else(|| panic!("no block `{words}` in\n{text}"))
}

#[test]
fn the_same_finding_is_shown_once_with_all_its_places() {
    let pod = |name: usize| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: p{name}, labels: {{app.kubernetes.io/name: a, owner: b}}}}\nspec: {{containers: [{{name: a, image: nginx}}]}}\n"
        )
    };
    let pods = (1..=13).map(pod).collect::<Vec<_>>().join("---\n");
    let ran = with_input(&["check", "-", "--mode", "deny"], &pods);
    let block = block(&ran.out, "[images/no_latest]");
    let also: Vec<&str> = block.lines().filter(|line| line.contains("= also: ")).collect();
    assert_eq!(block.matches("[images/no_latest]").count(), 1);
    assert_eq!(also.len(), 11, "{block}");
    assert!(also[0].ends_with("also: -:9:31: Pod/default/p2"), "{block}");
    assert!(also[10].ends_with("also: 2 more; --format json lists all"), "{block}");
    assert_eq!(ran.out.matches("[images/no_latest]").count(), 1, "{}", ran.out);
}

#[test]
fn what_mutation_has_set_is_told_where_the_line_does_not_show_it() {
    let policy = "# METADATA\n# title: t\n# description: d\n# custom:\n#   match:\n#     rules: [{apiGroups: [\"\"], apiVersions: [v1], resources: [pods, secrets]}]\npackage policies.a.b\n\npatch := [{\"op\": \"add\", \"path\": \"/spec/hostname\", \"value\": \"low\"}] if {\n\tinput.request.object.kind == \"Pod\"\n\tnot input.request.object.spec.hostname\n}\n\ndeny contains {\"msg\": \"is not high\", \"field\": \"spec.hostname\"} if input.request.object.spec.hostname == \"low\"\n\ndeny contains {\"msg\": \"is short\", \"field\": \"stringData.a\"} if input.request.object.stringData.a\n";
    let binding = "apiVersion: meshgate.io/v1alpha1\nkind: PolicyBinding\nmetadata: {name: b}\nspec: {policy: a/b, enforcement: deny}\n";
    let manifests = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: []}\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\nspec: {}\nstringData: {a: hunter2}\n";
    let folder = folder(&[("p/a/b/b.rego", policy), ("p/b.yaml", binding)]);
    let ran = run(folder.path(), &["check", "-p", "p", "-"], manifests);
    let pod = block(&ran.out, "is not high");
    assert!(pod.contains("= found: \"low\"") && pod.contains("= rule: p/a/b/b.rego:14"), "{pod}");
    // A log is read by more people than a Secret.
    let secret = block(&ran.out, "is short");
    assert!(secret.contains("--> -:10:14: Secret/default/s") && secret.contains("b.rego:16"), "{secret}");
    for format in ["text", "table", "json", "yaml", "sarif", "junit", "github", "markdown"] {
        let ran = run(folder.path(), &["check", "-p", "p", "-", "-o", format], manifests);
        assert!(ran.code == 1 && !ran.out.contains("hunter2"), "{format}: {}", ran.out);
    }
}

#[test]
fn the_order_is_the_same_whatever_thread_is_first() {
    let folder = everything();
    let first = run(folder.path(), &[&CHECK[..], &["-o", "json"]].concat(), "").out;
    for _ in 0..5 {
        assert_eq!(run(folder.path(), &[&CHECK[..], &["-o", "json"]].concat(), "").out, first);
    }
}
