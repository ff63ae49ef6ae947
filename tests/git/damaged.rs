//! What is kept of the repository is damaged on disk: it is fetched anew, and the next commit comes in force.

use std::fs;
use std::path::{Path, PathBuf};

use meshgate::source::{Git, Reference};

use crate::fetched::source;
use crate::refusals::plain;
use crate::repository::Repository;
use crate::world::World;

/// The files below a folder whose names end so.
fn files(folder: &Path, end: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            found.extend(files(&entry.path(), end));
        } else if entry.file_name().to_string_lossy().ends_with(end) {
            found.push(entry.path());
        }
    }
    found
}

/// Changes a byte in the middle of each of these files.
fn flip(paths: &[PathBuf]) {
    for path in paths {
        let mut bytes = fs::read(path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x55;
        replace(path, &bytes);
    }
}

/// Another file under the name: who has mapped the former one goes on to see it.
fn replace(path: &Path, bytes: &[u8]) {
    let new = path.with_extension("new");
    fs::write(&new, bytes).unwrap();
    fs::rename(new, path).unwrap();
}

type Damage = fn(&Path);

const DAMAGES: [(&str, Damage); 8] = [
    ("packs are changed", |cache| flip(&files(cache, ".pack"))),
    ("packs are cut", |cache| {
        for path in files(cache, ".pack") {
            let bytes = fs::read(&path).unwrap();
            replace(&path, &bytes[..bytes.len() / 2]);
        }
    }),
    ("packs are gone", |cache| files(cache, ".pack").iter().for_each(|path| fs::remove_file(path).unwrap())),
    ("indexes are changed", |cache| flip(&files(cache, ".idx"))),
    ("indexes are gone", |cache| files(cache, ".idx").iter().for_each(|path| fs::remove_file(path).unwrap())),
    ("all objects are gone", |cache| fs::remove_dir_all(cache.join("sha1/objects")).unwrap()),
    ("references are spoiled", |cache| {
        for name in ["head", "floor"] {
            fs::write(cache.join("sha1/refs/meshgate").join(name), "nothing\n").unwrap();
        }
    }),
    ("HEAD is spoiled", |cache| fs::write(cache.join("sha1/HEAD"), "\0\n").unwrap()),
];

#[test]
fn a_damaged_copy_is_fetched_anew() {
    for (what, damage) in DAMAGES {
        for is_anew in [true, false] {
            let repository = Repository::new();
            let first = repository.commit(&[("a.rego", "1"), ("large.rego", &"x".repeat(5_000))], &[]);
            let second = repository.commit(&[("a.rego", "2")], &[]);
            let cache = repository.path("cache");
            let main = || source(&repository, Reference::Branch("main".to_owned()), "");
            let mut git = Git::new(main(), &cache);
            assert_eq!(git.update(None, Some(&first)).unwrap().as_deref(), Some(second.as_str()));
            git.snapshot(&second).unwrap();
            damage(&cache);
            if is_anew {
                git = Git::new(main(), &cache);
            }
            let third = repository.commit(&[("a.rego", "3")], &[]);
            let found = git.update(Some(&second), Some(&second));
            assert_eq!(found, Ok(Some(third.clone())), "{what}, anew: {is_anew}");
            let accepted = git.snapshot(&third).unwrap().accepted;
            assert_eq!(accepted.tree.iter().count(), 2, "{what}, anew: {is_anew}");
            assert_eq!(git.comes_after(&third, &second), Ok(true), "{what}, anew: {is_anew}");
            let id = repository.commit(&[("a.rego", "4")], &[]);
            assert_eq!(git.update(Some(&third), Some(&third)), Ok(Some(id)), "{what}, anew: {is_anew}");
        }
    }
}

#[test]
fn a_server_whose_copy_is_damaged_says_so_and_goes_on() {
    let (world, first) = World::new();
    let mut process = world.started(&first);
    process.until("kept", |_| !world.kept().is_empty());
    let second = world.push("second");
    process.until("the push", |process| process.active().as_deref() == Some(second.as_str()));
    let cache = world.repository.path("state/git");
    for (damage, n) in [(DAMAGES[0].1, 1), (DAMAGES[2].1, 2), (DAMAGES[5].1, 3)] {
        damage(&cache);
        let id = world.push(&format!("push {n}"));
        process.until("the push", |process| process.active().as_deref() == Some(id.as_str()));
        assert!(process.bundle()["refused"].is_null(), "{:#}", process.bundle());
    }
    let counted = "meshgate_bundle_rejected_total{stage=\"fetch\",reason=\"corrupt\"} ";
    assert!(process.admin("/metrics").1.contains(counted), "{}", process.admin("/metrics").1);
    let log = process.kill();
    let mut lines = log.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let is_it = |line: &serde_json::Value| {
        line["fields"]["message"].to_string().contains("was damaged; it is fetched anew")
    };
    // Of the last: what is noticed first of the others, chance decides.
    let why = lines.rfind(is_it).unwrap()["fields"]["why"].as_str().unwrap().to_owned();
    insta::assert_snapshot!("damaged", format!("fetch/corrupt\n{}\n", plain(&world, &why)));
}
