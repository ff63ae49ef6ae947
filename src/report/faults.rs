//! Faults as rustc prints them: what is wrong, where, the line with what it is about underlined, and what to do.

use super::paint::Paint;
use crate::policy::Fault;

/// Columns of a tab.
const TAB: &str = "    ";

/// How bad they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// It keeps a tree from being loaded.
    Error,
    /// It may be a mistake.
    Warning,
}

impl Level {
    fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// Writes faults, parted by empty lines. `text_of` gives a file's text, for the excerpt.
pub fn faults<'a>(
    faults: &[Fault],
    level: Level,
    paint: Paint,
    text_of: impl Fn(&str) -> Option<&'a str>,
) -> String {
    faults.iter().map(|fault| one(fault, level, paint, text_of(&fault.file))).collect()
}

fn one(fault: &Fault, level: Level, paint: Paint, text: Option<&str>) -> String {
    let (problem, remedy) = fault.parts();
    let code = fault.code.map(|code| format!("[{code}]")).unwrap_or_default();
    let head = format!("{}{code}", level.word());
    let head = match level {
        Level::Error => paint.red(head),
        Level::Warning => paint.yellow(head),
    };
    let mut written = format!("{head}: {}\n", paint.bold(problem));
    let line = fault.line.checked_sub(1).and_then(|index| text?.lines().nth(index));
    let number = if fault.line > 0 { fault.line.to_string() } else { String::new() };
    let margin = " ".repeat(number.len());
    let (arrow, bar, equals) = (paint.blue("-->"), paint.blue('|'), paint.blue('='));
    written.push_str(&format!("{margin}{arrow} {}\n", place(fault)));
    if let Some(line) = line {
        let (before, under) = underline(line, fault);
        let line = line.replace('\t', TAB);
        let (number, under) = (paint.blue(number), paint.red(under));
        written.push_str(&format!("{margin} {bar}\n{number} {bar} {line}\n{margin} {bar} {before}{under}\n"));
    }
    if let Some(remedy) = remedy {
        written.push_str(&format!("{margin} {equals} {remedy}\n"));
    }
    written.push('\n');
    written
}

fn place(fault: &Fault) -> String {
    let numbers = [fault.line, fault.column].into_iter().take_while(|number| *number > 0);
    std::iter::once(fault.file.clone())
        .chain(numbers.map(|number| number.to_string()))
        .collect::<Vec<_>>()
        .join(":")
}

/// The spaces before what a fault is about, and the carets under it.
fn underline(line: &str, fault: &Fault) -> (String, String) {
    let skip = fault.column.saturating_sub(1);
    let spaces = |c: char| if c == '\t' { TAB } else { " " };
    let before = line.chars().take(skip).map(spaces).collect();
    let about: String = line.chars().skip(skip).take(fault.length.max(1)).map(spaces).collect();
    let width = if fault.column == 0 { line.trim_end().chars().count() } else { about.chars().count() };
    (before, "^".repeat(width.max(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(line: usize, column: usize, length: usize) -> Fault {
        let message = "`ü` is wrong; correct it";
        Fault { code: Some("MG111"), length, ..Fault::new("a/b.rego", (line, column), message) }
    }

    #[test]
    fn what_it_is_about_is_underlined() {
        let text = "package a\n\tp if { x == \"ü\" }\r\n";
        let written = faults(&[fault(2, 9, 1)], Level::Error, Paint::default(), |_| Some(text));
        let expected = "\
error[MG111]: `ü` is wrong
 --> a/b.rego:2:9
  |
2 |     p if { x == \"ü\" }
  |            ^
  = correct it

";
        assert_eq!(written, expected);
    }

    #[test]
    fn a_fault_without_a_place_has_no_excerpt() {
        let written =
            faults(&[Fault::of_file("a.rego", "no tests")], Level::Warning, Paint::default(), |_| None);
        assert_eq!(written, "warning: no tests\n--> a.rego\n\n");
    }

    #[test]
    fn a_place_beyond_the_text_is_no_panic() {
        for (line, column, length) in [(9, 1, 1), (1, 99, 99), (1, 0, 0), (0, 5, 5)] {
            assert!(
                faults(&[fault(line, column, length)], Level::Error, Paint::default(), |_| Some("x\n"))
                    .contains("is wrong")
            );
        }
    }
}
