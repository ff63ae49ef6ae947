//! The book (`docs/`): every link leads to a file, the summary has the whole catalogue, what pages say to type prints what
//! they say, and the messages that are explained are the program's.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use meshgate::policy::FactName;

use crate::program::folder;
use crate::readme::{blocks, commands, named, shell};

/// Pages with files to write and commands to run, from an empty directory.
const FOLLOWED: [(&str, usize); 4] =
    [("first-policy.md", 12), ("traps.md", 8), ("from-gatekeeper-and-conftest.md", 1), ("bundles.md", 9)];

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")
}

/// All files below a folder that end so.
fn below(root: &Path, end: &str) -> Vec<PathBuf> {
    let (mut all, mut folders) = (Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        let paths = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        for path in paths {
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(end) {
                all.push(path);
            }
        }
    }
    all
}

/// The targets of links, but for those in blocks of code and those that lead out of the project.
fn links(page: &Path) -> Vec<String> {
    let text = fs::read_to_string(page).unwrap();
    let (mut found, mut is_code) = (Vec::new(), false);
    for line in text.lines() {
        is_code ^= line.starts_with("```");
        let targets = line.split("](").skip(1).filter_map(|rest| rest.split(')').next()).filter(|_| !is_code);
        let own = targets.filter(|target| !target.contains("://") && !target.starts_with('#'));
        found.extend(own.map(|target| target.split('#').next().unwrap_or_default().to_owned()));
    }
    found
}

#[test]
fn every_link_leads_to_a_file_and_the_summary_has_the_catalogue() {
    let root = docs();
    let pages = below(&root, ".md");
    let mut broken = Vec::new();
    for page in &pages {
        let folder = page.parent().unwrap();
        let lost = links(page).into_iter().filter(|link| !folder.join(link).exists());
        broken.extend(lost.map(|link| format!("{}: {link}", page.display())));
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));

    let listed = links(&root.join("SUMMARY.md"));
    let once: BTreeSet<String> = listed.iter().cloned().collect();
    assert_eq!(once.len(), listed.len(), "a page that is listed twice");
    let name = |page: &PathBuf| page.strip_prefix(&root).unwrap().display().to_string();
    let lacking: Vec<String> =
        below(&root.join("catalogue"), ".md").iter().map(name).filter(|name| !once.contains(name)).collect();
    assert!(lacking.is_empty(), "docs/SUMMARY.md lacks {lacking:?}");
}

#[test]
fn what_the_pages_say_to_type_prints_what_they_say() {
    for (page, count) in FOLLOWED {
        let text = fs::read_to_string(docs().join(page)).unwrap();
        let (folder, mut run) = (folder(&[]), 0_usize);
        for block in blocks(&text) {
            match block.language.as_str() {
                "rego" | "yaml" => {
                    let path = folder.path().join(named(&block.before));
                    fs::create_dir_all(path.parent().unwrap()).unwrap();
                    fs::write(path, format!("{}\n", block.lines.join("\n"))).unwrap();
                }
                "console" => {
                    for (command, output) in commands(&block) {
                        assert_eq!(shell(folder.path(), &command), output, "{page}: {command}");
                        run = run.saturating_add(1);
                    }
                }
                "" => {}
                language => panic!("{page}: a block of {language}, which no test reads"),
            }
        }
        assert_eq!(run, count, "{page}: commands that were run");
    }
}

#[test]
fn every_message_that_is_explained_is_one_of_the_programs() {
    let text = fs::read_to_string(docs().join("troubleshooting.md")).unwrap();
    let sources: String = below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), ".rs")
        .iter()
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let messages: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`')).collect();
    assert!(messages.len() > 10, "{messages:?}");
    for message in messages {
        // Between the words that stand for others.
        for part in message.split(['<', '>']).step_by(2) {
            assert!(sources.contains(part), "nothing says `{part}`");
        }
    }
}

#[test]
fn every_fact_is_described() {
    let text = fs::read_to_string(docs().join("policies.md")).unwrap();
    let (_, facts) = text.split_once("\n## Facts\n").unwrap();
    for fact in FactName::ALL {
        let name = format!("`{}`", fact.as_str());
        assert!(facts.lines().any(|line| line.starts_with('|') && line.contains(&name)), "{name}");
    }
}
