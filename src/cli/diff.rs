//! What changed between two texts, as `diff -u` writes it.

/// Unchanged lines around a change.
const CONTEXT: usize = 3;

/// How many pairs of lines are compared: beyond that all of the middle is taken to be changed.
const PAIRS: usize = 16_000_000;

/// A line, and what became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line<'a> {
    Same(&'a str),
    Gone(&'a str),
    New(&'a str),
}

/// The unified diff of a file; empty where nothing changed.
pub(super) fn unified(name: &str, before: &str, after: &str) -> String {
    let lines = lines(&Vec::from_iter(before.lines()), &Vec::from_iter(after.lines()));
    let hunks = hunks(&lines);
    if hunks.is_empty() {
        return String::new();
    }
    let mut text = format!("--- {name}\n+++ {name}\n");
    for (start, end) in hunks {
        let (earlier, own) =
            (lines.get(..start).unwrap_or_default(), lines.get(start..end).unwrap_or_default());
        let range = |skips: fn(&Line<'_>) -> bool| {
            let count = |lines: &[Line<'_>]| lines.iter().filter(|line| !skips(line)).count();
            let (first, length) = (count(earlier), count(own));
            let first = if length == 0 { first } else { first.saturating_add(1) };
            format!("{first},{length}")
        };
        let old = range(|line| matches!(line, Line::New(_)));
        let new = range(|line| matches!(line, Line::Gone(_)));
        text.push_str(&format!("@@ -{old} +{new} @@\n"));
        for line in own {
            let (sign, line) = match line {
                Line::Same(line) => (' ', line),
                Line::Gone(line) => ('-', line),
                Line::New(line) => ('+', line),
            };
            text.push(sign);
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

/// The stretches of changes with what is around them: from, to.
fn hunks(lines: &[Line<'_>]) -> Vec<(usize, usize)> {
    let mut hunks: Vec<(usize, usize)> = Vec::new();
    let changed = lines.iter().enumerate().filter(|(_, line)| !matches!(line, Line::Same(_)));
    for (at, _) in changed {
        let (start, end) = (at.saturating_sub(CONTEXT), at.saturating_add(CONTEXT + 1).min(lines.len()));
        match hunks.last_mut() {
            Some((_, last)) if *last >= start => *last = end,
            _ => hunks.push((start, end)),
        }
    }
    hunks
}

/// All lines of both, what both have once.
fn lines<'a>(before: &[&'a str], after: &[&'a str]) -> Vec<Line<'a>> {
    let head = before.iter().zip(after).take_while(|(one, other)| one == other).count();
    let rest = |all: &[&'a str]| Vec::from(all.get(head..).unwrap_or_default());
    let (old, new) = (rest(before), rest(after));
    let tail = old.iter().rev().zip(new.iter().rev()).take_while(|(one, other)| one == other).count();
    let middle = |all: &[&'a str]| Vec::from(all.get(..all.len().saturating_sub(tail)).unwrap_or_default());
    let mut lines: Vec<Line<'a>> = before.iter().take(head).map(|line| Line::Same(line)).collect();
    lines.extend(changed(&middle(&old), &middle(&new)));
    lines.extend(old.iter().skip(old.len().saturating_sub(tail)).map(|line| Line::Same(line)));
    lines
}

/// The lines of two texts that begin and end differently, by their longest common subsequence.
fn changed<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Line<'a>> {
    if old.len().saturating_mul(new.len()) > PAIRS {
        return old
            .iter()
            .map(|line| Line::Gone(line))
            .chain(new.iter().map(|line| Line::New(line)))
            .collect();
    }
    // How long the subsequence is from each pair of places on.
    let mut longest = vec![vec![0_u32; new.len().saturating_add(1)]];
    for line in old.iter().rev() {
        let below = longest.last().cloned().unwrap_or_default();
        let mut row = vec![0_u32];
        for (at, other) in new.iter().enumerate().rev() {
            let of = |row: &[u32], at: usize| row.get(at).copied().unwrap_or_default();
            let right = row.last().copied().unwrap_or_default();
            let length = if line == other {
                of(&below, at.saturating_add(1)).saturating_add(1)
            } else {
                of(&below, at).max(right)
            };
            row.push(length);
        }
        row.reverse();
        longest.push(row);
    }
    longest.reverse();
    let length = |i: usize, j: usize| longest.get(i).and_then(|row| row.get(j)).copied().unwrap_or_default();
    let (mut i, mut j, mut lines) = (0_usize, 0_usize, Vec::new());
    loop {
        match (old.get(i), new.get(j)) {
            (Some(one), Some(other)) if one == other => {
                lines.push(Line::Same(one));
                (i, j) = (i.saturating_add(1), j.saturating_add(1));
            }
            (Some(one), other)
                if other.is_none() || length(i.saturating_add(1), j) >= length(i, j.saturating_add(1)) =>
            {
                lines.push(Line::Gone(one));
                i = i.saturating_add(1);
            }
            (_, Some(other)) => {
                lines.push(Line::New(other));
                j = j.saturating_add(1);
            }
            (_, None) => return lines,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_changed_is_nothing() {
        assert_eq!(unified("a", "x\ny\n", "x\ny\n"), "");
    }

    /// As `diff -u` writes it.
    #[test]
    fn changes_are_shown_with_what_is_around_them() {
        let before = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl\n";
        let after = "a\nb\nc\nd\nX\nf\ng\nh\ni\nj\nk\nl\nm\n";
        let expected = "--- f\n+++ f\n@@ -2,7 +2,7 @@\n b\n c\n d\n-e\n+X\n f\n g\n h\n@@ -10,3 +10,4 @@\n j\n k\n l\n+m\n";
        assert_eq!(unified("f", before, after), expected);
        assert_eq!(unified("f", "", "a\n"), "--- f\n+++ f\n@@ -0,0 +1,1 @@\n+a\n");
    }

    #[test]
    fn both_sides_can_be_read_off() {
        let texts = ["", "a", "b\na", "a\nb\na\nc", "c\na\nb", "x\ny\nz\na\nb"];
        for before in texts {
            for after in texts {
                let lines = lines(&Vec::from_iter(before.lines()), &Vec::from_iter(after.lines()));
                let side = |skipped: fn(&Line<'_>) -> bool| -> Vec<&str> {
                    let kept = lines.iter().filter(|line| !skipped(line));
                    kept.map(|line| match line {
                        Line::Same(line) | Line::Gone(line) | Line::New(line) => *line,
                    })
                    .collect()
                };
                assert_eq!(side(|line| matches!(line, Line::New(_))).join("\n"), before);
                assert_eq!(side(|line| matches!(line, Line::Gone(_))).join("\n"), after);
            }
        }
    }
}
