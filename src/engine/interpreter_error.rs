//! The interpreter's errors are texts of several lines: `--> file:line:column`, an excerpt, `error: message`.

use crate::policy::Fault;

/// What the interpreter says, with the times, where its timer has stopped it.
const TOO_LONG: &str = "execution exceeded time limit";

/// An error of loading, as a fault of `file` unless it names another place.
pub(super) fn fault(file: &str, error: &anyhow::Error) -> Fault {
    let text = error.to_string();
    let place = text.lines().find_map(|line| line.trim().strip_prefix("--> "));
    let mut numbers = place.unwrap_or_default().rsplit(':').map_while(|part| part.parse::<usize>().ok());
    let (column, line) = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    Fault::new(file, (line, column), message(&text))
}

/// An error of evaluating, in one line: `file:line: message`. The interpreter's columns are those of what the normaliser
/// printed, which keeps lines and nothing more.
pub(super) fn one_line(error: &anyhow::Error) -> String {
    let text = error.to_string();
    let place = text.lines().find_map(|line| line.trim().strip_prefix("--> "));
    let line = place.and_then(|place| Some(place.rsplit_once(':')?.0));
    line.map_or_else(String::new, |line| format!("{line}: ")) + message(&text)
}

fn message(text: &str) -> &str {
    let message = text.rsplit_once("error: ").map_or(text.trim(), |(_, message)| message.trim());
    // How much longer differs from run to run (R46).
    if message.contains(TOO_LONG) { "it takes longer than it may" } else { message }
}
