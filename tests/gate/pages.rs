//! The pages of the codes.

use std::collections::BTreeSet;
use std::fs;

use meshgate::engine;

#[test]
fn every_code_has_a_page_and_every_page_is_a_code() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/codes");
    let files =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let pages: BTreeSet<String> =
        files.filter(|name| name != "README.md").map(|name| name.replace(".md", "")).collect();
    let codes: BTreeSet<String> = engine::codes().map(str::to_owned).collect();
    assert_eq!(pages, codes);
    let index = fs::read_to_string(format!("{directory}/README.md")).unwrap();
    for code in &codes {
        let page = engine::explain(&code.to_lowercase()).unwrap();
        let title = page.lines().next().unwrap().strip_prefix(&format!("# {code}: ")).unwrap();
        assert!(index.contains(&format!("| [{code}]({code}.md) | {title} |")), "{code} is not in README.md");
        assert!(page.contains("```"), "{code} has no example");
    }
    assert_eq!(engine::explain("MG999"), None);
}

#[test]
fn every_code_that_the_sources_name_has_a_page() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/src/engine");
    let mut folders = vec![std::path::PathBuf::from(root)];
    let mut named = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(path).unwrap();
            let parts = text.split("\"MG").skip(1).filter_map(|rest| rest.split_once('"'));
            named.extend(
                parts.filter(|(digits, _)| digits.len() == 3).map(|(digits, _)| format!("MG{digits}")),
            );
        }
    }
    let codes: BTreeSet<String> = engine::codes().map(str::to_owned).collect();
    assert_eq!(named, codes, "codes that are given, and codes with a page");
}

#[test]
fn the_table_of_facts_has_each_of_them() {
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/policies.md")).unwrap();
    let (_, table) = page.split_once("| `input.context.` | content |").unwrap();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let names = rows.flat_map(|row| row.split('|').nth(1).unwrap().split('`').skip(1).step_by(2));
    let named: BTreeSet<&str> = names.collect();
    let all: BTreeSet<&str> = meshgate::policy::FactName::ALL.into_iter().map(|fact| fact.as_str()).collect();
    assert_eq!(named, all);
}
