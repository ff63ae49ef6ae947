//! From a repository to files.

use std::time::Duration;

use meshgate::config::{GitReference, Source};
use meshgate::source::{Floor, Git, GitSource, ObjectHash, Past, Reason, Reference, Refusal, Trust, verify};
use time::OffsetDateTime;

use crate::repository::Repository;

pub(crate) fn source(repository: &Repository, reference: Reference, folder: &str) -> GitSource {
    GitSource { url: repository.url(), reference, folder: folder.to_owned(), client: None, credentials: None }
}

fn main() -> Reference {
    Reference::Branch("main".to_owned())
}

/// What a repository on this machine says: git ends without it where the pipe to it is closed first, which chance decides.
fn heard<T>(mut ask: impl FnMut() -> Result<T, Refusal>) -> Result<T, Refusal> {
    let mut said = ask();
    for _ in 0..50 {
        if !said.as_ref().is_err_and(|refusal| refusal.message.contains("Broken pipe")) {
            break;
        }
        said = ask();
    }
    said
}

fn names(git: &mut Git, id: &str) -> Vec<String> {
    git.snapshot(id).unwrap().accepted.tree.iter().map(|(path, _)| path.to_owned()).collect()
}

#[test]
fn a_branch_is_followed_and_its_history_is_known_from_the_floor_on() {
    for hash in [ObjectHash::Sha1, ObjectHash::Sha256] {
        let repository = Repository::of(hash);
        repository.commit(&[("README.md", "x")], &[]);
        let first = repository.commit(&[("policies/a.rego", "1"), ("policies/x/README.md", "x")], &[]);
        let cache = repository.path("cache");
        let mut git = Git::new(source(&repository, main(), "policies"), &cache);
        assert_eq!(git.update(None, None).unwrap().as_deref(), Some(first.as_str()));
        assert_eq!(names(&mut git, &first), ["a.rego"]);
        assert_eq!(git.snapshot(&first).unwrap().accepted.skipped, 1);
        assert_eq!(git.update(Some(&first), Some(&first)).unwrap(), None);
        for n in 2..5 {
            repository.commit(&[("policies/b.rego", &n.to_string())], &[]);
        }
        let head = repository.head();
        assert_eq!(git.update(Some(&first), Some(&first)).unwrap().as_deref(), Some(head.as_str()));
        assert_eq!(names(&mut git, &head), ["a.rego", "b.rego"]);
        assert!(git.descends(&head, &first).unwrap() && !git.descends(&first, &head).unwrap());

        // Another process, and one that has nothing of it any more.
        std::fs::remove_dir_all(&cache).unwrap();
        let mut anew = Git::new(source(&repository, main(), "policies"), &cache);
        assert_eq!(anew.update(None, Some(&first)).unwrap().as_deref(), Some(head.as_str()));
        assert!(anew.descends(&head, &first).unwrap());
        let mut again = Git::new(source(&repository, main(), "policies"), &cache);
        assert_eq!(again.update(Some(&first), Some(&first)).unwrap().as_deref(), Some(head.as_str()));
        assert!(again.descends(&head, &first).unwrap());
    }
}

#[test]
fn a_history_made_anew_does_not_descend() {
    let repository = Repository::new();
    let first = repository.commit(&[("a.rego", "1")], &[]);
    let second = repository.commit(&[("a.rego", "2")], &[]);
    let mut git = Git::new(source(&repository, main(), ""), &repository.path("cache"));
    git.update(None, None).unwrap();
    repository.git(&["reset", "-q", "--hard", &first]);
    assert_eq!(git.update(Some(&second), Some(&second)).unwrap().as_deref(), Some(first.as_str()));
    assert!(!git.descends(&first, &second).unwrap());
    let other = repository.commit(&[("a.rego", "3")], &[]);
    git.update(Some(&first), Some(&second)).unwrap();
    assert!(!git.descends(&other, &second).unwrap());
}

#[test]
fn tags_and_commits_are_named_too() {
    let repository = Repository::new();
    let first = repository.commit(&[("a.rego", "1")], &[]);
    repository.git(&["tag", "light"]);
    repository.git(&["tag", "-a", "-m", "x", "heavy"]);
    repository.commit(&[("a.rego", "2")], &[]);
    for reference in
        [Reference::Tag("light".into()), Reference::Tag("heavy".into()), Reference::Commit(first.clone())]
    {
        let folder = tempfile::tempdir().unwrap();
        let mut git = Git::new(source(&repository, reference.clone(), ""), folder.path());
        assert_eq!(git.update(None, None).unwrap().as_deref(), Some(first.as_str()), "{reference:?}");
        assert_eq!(names(&mut git, &first), ["a.rego"]);
    }
    let folder = tempfile::tempdir().unwrap();
    let mut git = Git::new(source(&repository, Reference::Branch("other".into()), ""), folder.path());
    let refusal = git.update(None, None).unwrap_err();
    assert_eq!(refusal.reason, Reason::Fetch);
    assert!(
        refusal.message.ends_with("there is no refs/heads/other; check source.git.branch and source.git.tag"),
        "{refusal}"
    );
}

#[test]
fn what_is_kept_is_what_the_id_names() {
    let repository = Repository::new();
    let id = repository.commit(&[("p/a.rego", "1"), ("p/b/c.rego", "2"), ("other.rego", "3")], &[]);
    let mut git = Git::new(source(&repository, main(), "p"), &repository.path("cache"));
    git.update(None, None).unwrap();
    let snapshot = git.snapshot(&id).unwrap();
    let (proof, tree) = (&snapshot.proof, &snapshot.accepted.tree);
    assert_eq!(proof.verify(&id, "p", tree).unwrap(), snapshot);
    assert_eq!(proof.trees.len(), 3, "nothing beside the folder: {:?}", proof.trees.keys());
    let mut other = tree.clone();
    other.insert("a.rego", "changed");
    assert_eq!(proof.verify(&id, "p", &other).unwrap_err().reason, Reason::Tampered);
    let mut more = tree.clone();
    more.insert("more.rego", "x");
    assert_eq!(proof.verify(&id, "p", &more).unwrap_err().reason, Reason::Tampered);
    let mut changed = proof.clone();
    changed.commit[20] ^= 1;
    assert_eq!(changed.verify(&id, "p", tree).unwrap_err().reason, Reason::Tampered);
    // Its message leads nowhere, and is of the commit all the same.
    let mut changed = proof.clone();
    *changed.commit.last_mut().unwrap() ^= 1;
    assert_eq!(changed.verify(&id, "p", tree).unwrap_err().reason, Reason::Tampered);
    for (id_of_tree, bytes) in &proof.trees {
        let mut changed = proof.clone();
        let mut bytes = bytes.clone();
        *bytes.last_mut().unwrap() ^= 1;
        changed.trees.insert(id_of_tree.clone(), bytes);
        assert_eq!(changed.verify(&id, "p", tree).unwrap_err().reason, Reason::Tampered);
    }
}

#[test]
fn what_is_no_file_of_policies_is_refused() {
    let repository = Repository::new();
    let inner = repository.commit(&[("a.rego", "1")], &[]);
    for (mode, name, what) in [
        ("120000", "link.rego", "link.rego: a link; "),
        ("160000", "sub", "sub: a submodule; "),
        ("100644", "A.REGO", "can't be told from "),
    ] {
        repository.git(&["checkout", "-q", "-B", "main", &inner]);
        let blob = repository.run(&["hash-object", "-w", "--stdin"], b"a.rego", 0);
        let blob = String::from_utf8(blob.stdout).unwrap();
        let object = if mode == "160000" { inner.as_str() } else { blob.trim() };
        repository.git(&["update-index", "--add", "--cacheinfo", &format!("{mode},{object},{name}")]);
        repository.git(&["commit", "-q", "-m", "x"]);
        let folder = tempfile::tempdir().unwrap();
        let mut git = Git::new(source(&repository, main(), ""), folder.path());
        let id = git.update(None, None).unwrap().unwrap();
        let refusal = git.snapshot(&id).unwrap_err();
        assert_eq!(refusal.reason, Reason::Files);
        assert!(refusal.message.contains(what), "{refusal}");
    }
    let mut git = Git::new(source(&repository, main(), "none"), &repository.path("cache"));
    let id = git.update(None, None).unwrap().unwrap();
    let refusal = git.snapshot(&id).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "files: source.git.path `none`: the commit has no folder `none` there; correct the path"
    );
}

#[test]
fn only_the_repository_itself_says_that_the_floor_is_gone() {
    let repository = Repository::new();
    let head = repository.commit(&[("a.rego", "1")], &[]);
    let gone = "1".repeat(40);
    let mut git = Git::new(source(&repository, main(), ""), &repository.path("cache"));
    let refusal = heard(|| git.update(None, Some(&gone))).unwrap_err();
    assert_eq!(refusal.reason, Reason::Rollback, "{refusal}");
    assert!(
        refusal.message.starts_with(&format!("the commit accepted last, {gone}, is not there any more ("))
    );

    let url = format!("file://{}", repository.path("none").display());
    let away = GitSource { url, ..source(&repository, Reference::Commit(head), "") };
    let refusal = Git::new(away, &repository.path("other")).update(None, Some(&gone)).unwrap_err();
    assert_eq!(refusal.reason, Reason::Fetch, "{refusal}");
    assert!(!refusal.message.contains("rollback:"), "{refusal}");
}

#[test]
fn the_configured_floor_counts_until_a_commit_is_accepted() {
    let repository = Repository::new();
    let first = repository.commit(&[("a.rego", "1")], &[]);
    let head = repository.commit(&[("a.rego", "2")], &[]);
    let mut git = Git::new(source(&repository, main(), ""), &repository.path("cache"));
    git.update(None, Some(&first)).unwrap();
    let source = Source {
        name: "p".to_owned(),
        url: repository.url(),
        reference: GitReference::Branch("main".to_owned()),
        path: String::new(),
        plaintext: false,
        interval: Duration::ZERO,
        credentials: None,
        ca: None,
        proxy: None,
        rollback: None,
    };
    let other = Some("1".repeat(40));
    let mut judged = |past: &Past| {
        let verified = heard(|| {
            git.update(None, None).unwrap();
            verify(&mut git, &source, &Trust::None, past, &head, OffsetDateTime::now_utc())
        });
        verified.map(drop).map_err(|refusal| refusal.reason)
    };
    let past = Past { preset: other, ..Past::default() };
    assert_eq!(judged(&past), Err(Reason::Rollback));
    let floor = Some(Floor { id: first, time: 0 });
    assert_eq!(judged(&Past { floor, ..past }), Ok(()));
}
