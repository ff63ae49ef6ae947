//! The pages of all commands and flags and of all file kinds are what the program knows of them.

use std::path::Path;

/// Compares a page with what is written, or writes it.
fn is_kept(page: &str, written: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(page);
    if std::env::var_os("MESHGATE_WRITE_DOCS").is_some() {
        std::fs::write(&path, written).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let how = "MESHGATE_WRITE_DOCS=1 cargo test --test cli reference writes it";
    assert!(kept == written, "docs/{page} is another; {how}");
}

#[test]
fn the_page_of_commands_is_written_from_the_program() {
    let written = meshgate::cli::reference();
    for command in ["check", "explain", "policies docs", "images verify", "bundle diff", "completions"] {
        assert!(written.contains(&format!("\n## meshgate {command}\n")), "{command}");
    }
    assert!(!written.contains("run-tests"), "what is hidden is nobody's");
    is_kept("reference.md", &written);
}

#[test]
fn the_page_of_file_kinds_is_written_from_the_program() {
    let written = meshgate::cli::kinds();
    for member in ["spec.enforcement", "spec.containers[].image", "spec.tenants[].path", "subjects.users[]"] {
        assert!(written.contains(&format!("| `{member}` |")), "{member}");
    }
    is_kept("kinds.md", &written);
}
