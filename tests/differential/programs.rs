//! The two programs that answer, each asked many questions at once.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::answer::Answer;

/// Both bound the time of a question themselves; whatever takes longer is stuck.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Program {
    path: PathBuf,
    arguments: Vec<String>,
}

impl Program {
    /// The command that is tested.
    pub(crate) fn meshgate() -> Self {
        let arguments = ["eval", "--batch"].map(str::to_owned).to_vec();
        Self { path: PathBuf::from(env!("CARGO_BIN_EXE_meshgate")), arguments }
    }

    /// OPA; None where there is none, which a CI run must not accept.
    pub(crate) fn opa() -> Option<Self> {
        let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
        let path = variable("MESHGATE_OPA_BATCH")
            .or_else(|| variable("MESHGATE_REFERENCE_TOOLS").map(|directory| directory.join("opa-batch")));
        if path.is_none() {
            assert!(std::env::var_os("CI").is_none(), "no opa-batch; set MESHGATE_OPA_BATCH");
            println!("left out: no opa-batch; set MESHGATE_OPA_BATCH or MESHGATE_REFERENCE_TOOLS");
        }
        path.map(|path| Self { path, arguments: Vec::new() })
    }

    /// The answers to all questions, in order. A program that ends or is stuck is started again after the question that
    /// it failed at.
    pub(crate) fn ask(&self, questions: &[String]) -> Vec<Answer> {
        let mut answers = Vec::new();
        while answers.len() < questions.len() {
            let rest = &questions[answers.len()..];
            let running = Running::start(self, rest);
            let end = loop {
                match running.answers.recv_timeout(PATIENCE) {
                    Ok(line) => answers.push(Answer::read(&line)),
                    Err(RecvTimeoutError::Timeout) => break "stuck; ".to_owned(),
                    Err(RecvTimeoutError::Disconnected) => break String::new(),
                }
                if answers.len() == questions.len() {
                    break String::new();
                }
            };
            let said = running.stop(answers.len() == questions.len() || !end.is_empty());
            if answers.len() < questions.len() {
                answers.push(Answer::Died(format!("{end}{said}")));
            }
        }
        answers
    }
}

struct Running {
    child: Child,
    answers: Receiver<String>,
    /// The last line on standard error.
    said: JoinHandle<String>,
}

impl Running {
    fn start(program: &Program, questions: &[String]) -> Self {
        let mut command = Command::new(&program.path);
        command.args(program.arguments.iter().map(OsStr::new));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let mut text = questions.join("\n");
        text.push('\n');
        // What is written after the program has ended is lost, and asked again.
        std::thread::spawn(move || stdin.write_all(text.as_bytes()));
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let (sender, answers) = mpsc::channel();
        std::thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let errors = BufReader::new(child.stderr.take().unwrap()).lines();
        let said = std::thread::spawn(move || errors.map_while(Result::ok).last().unwrap_or_default());
        Self { child, answers, said }
    }

    /// Tells how the program ended and the last that it said; ends it if it has no reason to end by itself.
    fn stop(mut self, must_be_ended: bool) -> String {
        if must_be_ended {
            // It may just have ended by itself.
            let _ = self.child.kill();
        }
        let status = self.child.wait().unwrap();
        format!("{status}: {}", self.said.join().unwrap())
    }
}

#[test]
fn a_program_that_ends_is_started_again() {
    let script = r#"while read line; do
        case $line in end) exit 3;; crash) echo why >&2; kill -9 $$;; esac
        echo '{"error":"'$line'"}'
    done"#;
    let program = Program { path: PathBuf::from("sh"), arguments: vec!["-c".to_owned(), script.to_owned()] };
    let questions = ["a", "end", "b", "crash", "c"].map(str::to_owned);
    let expected = [
        Answer::Error("a".to_owned()),
        Answer::Died("exit status: 3: ".to_owned()),
        Answer::Error("b".to_owned()),
        Answer::Died("signal: 9 (SIGKILL): why".to_owned()),
        Answer::Error("c".to_owned()),
    ];
    assert_eq!(program.ask(&questions), expected);
}
