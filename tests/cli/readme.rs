//! The README, word for word: its files are written, its commands run, what they print is what it says.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::program::folder;

/// A fenced block: its language, its lines, and the text before it.
pub(crate) struct Block {
    pub(crate) language: String,
    pub(crate) lines: Vec<String>,
    pub(crate) before: String,
}

pub(crate) fn blocks(text: &str) -> Vec<Block> {
    let (mut blocks, mut before, mut open) = (Vec::new(), String::new(), None::<Block>);
    for line in text.lines() {
        match (line.strip_prefix("```"), open.as_mut()) {
            (Some(language), None) => {
                let before = std::mem::take(&mut before);
                open = Some(Block { language: language.to_owned(), lines: Vec::new(), before });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some(block)) => block.lines.push(line.to_owned()),
            (None, None) => before = format!("{before}\n{line}"),
        }
    }
    blocks
}

/// Commands with what they print.
pub(crate) fn commands(block: &Block) -> Vec<(String, String)> {
    let mut commands: Vec<(String, String)> = Vec::new();
    for line in &block.lines {
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (Some(command), _) => commands.push((command.to_owned(), String::new())),
            (None, Some((_, output))) => output.push_str(&format!("{line}\n")),
            (None, None) => panic!("output without a command: {line}"),
        }
    }
    commands
}

/// The path between the last backticks before a block.
pub(crate) fn named(before: &str) -> &str {
    before.rsplit('`').nth(1).unwrap_or_else(|| panic!("no file is named before a block:{before}"))
}

/// What a shell prints in `directory`, both streams.
pub(crate) fn shell(directory: &Path, command: &str) -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_meshgate"));
    let path = format!("{}:{}", binary.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let output = Command::new("bash")
        .args(["-c", &format!("exec 2>&1; {command}")])
        .current_dir(directory)
        .env("PATH", path)
        .output();
    String::from_utf8(output.unwrap().stdout).unwrap()
}

/// The text with every revision shortened as the README has it.
fn without_revisions(text: &str) -> String {
    ["starter@", "tree="].iter().fold(text.to_owned(), |text, before| {
        let mut parts = text.split(before);
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |shown, part| match part.split_at_checked(12) {
            Some((digits, rest)) if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                format!("{shown}{before}…{rest}")
            }
            _ => format!("{shown}{before}{part}"),
        })
    })
}

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// Starts the server of a command on a free port; gives what it says, up to its last line, and the port.
fn serve(command: &str, lines: usize) -> (Server, String, String) {
    let arguments = command.strip_prefix("meshgate ").unwrap().split(' ').chain(["--listen", "127.0.0.1:0"]);
    let mut program = Command::new(env!("CARGO_BIN_EXE_meshgate"));
    let mut server = Server(program.args(arguments).stderr(Stdio::piped()).spawn().unwrap());
    let said: Vec<String> =
        BufReader::new(server.0.stderr.take().unwrap()).lines().take(lines).map(Result::unwrap).collect();
    let port = said[0].split("127.0.0.1:").nth(1).unwrap().split(',').next().unwrap().to_owned();
    (server, format!("{}\n", said.join("\n")), port)
}

#[test]
fn every_file_is_written_and_every_command_prints_what_is_said() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("README.md")).unwrap();
    let folder = folder(&[]);
    let (mut server, mut run) = (None, Vec::new());
    for block in blocks(&text) {
        match block.language.as_str() {
            "rego" | "yaml" => {
                let path = folder.path().join(named(&block.before));
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, format!("{}\n", block.lines.join("\n"))).unwrap();
            }
            "console" => {
                for (command, output) in commands(&block) {
                    run.push(command.split(' ').take(2).collect::<Vec<_>>().join(" "));
                    if command == "cargo test" {
                        assert_eq!(output, "", "what runs this test");
                    } else if command.contains(" serve ") {
                        let (started, said, port) = serve(&command, output.lines().count());
                        assert_eq!(without_revisions(&said).replace(&port, "8443"), output, "{command}");
                        server = Some((started, port));
                    } else if command.starts_with("curl ") {
                        let (_, port) = server.as_ref().unwrap();
                        let said = shell(root, &command.replace("8443", port));
                        assert_eq!(format!("{}\n", without_revisions(&said)), output, "{command}");
                    } else if let Some(rest) = command.strip_prefix("cargo run -q --") {
                        assert_eq!(shell(root, &format!("meshgate{rest}")), output, "{command}");
                    } else {
                        assert_eq!(shell(folder.path(), &command), output, "{command}");
                    }
                }
            }
            "" => {}
            language => panic!("a block of {language}, which no test reads"),
        }
    }
    let expected = [
        "cargo run",
        "cargo test",
        "meshgate check",
        "sed -i",
        "meshgate check",
        "meshgate test",
        "sed -i",
        "meshgate check",
        "sed -i",
        "sed -i",
        "meshgate lint",
        "meshgate serve",
        "curl -sk",
        "meshgate install",
    ];
    assert_eq!(run, expected);
}
