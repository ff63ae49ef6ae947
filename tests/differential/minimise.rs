//! Smaller snippets that still show a difference.

use crate::answer::Answer;
use crate::snippet::Snippet;
use crate::tally::reason;
use crate::{Programs, Shown};

/// A round asks for every snippet that is one step smaller than the last; more than this are not needed.
const ROUNDS: usize = 60;

/// The smallest snippet that is found whose answers differ as those of this one do.
pub(crate) fn minimise(programs: &Programs, shown: Shown) -> Shown {
    let mut smallest = shown;
    for _ in 0..ROUNDS {
        match smaller(programs, &smallest) {
            Some(smaller) => smallest = smaller,
            None => break,
        }
    }
    smallest
}

fn smaller(programs: &Programs, shown: &Shown) -> Option<Shown> {
    let mut all: Vec<Snippet> = shown.snippet.smaller();
    all.sort_by_cached_key(|snippet| snippet.line().len());
    let limit = shown.snippet.line().len();
    // The rule that is asked for stays: a name that nothing has is another question.
    let name = shown.snippet.query.rsplit('.').next().unwrap_or_default().to_owned();
    all.retain(|snippet| snippet.modules.iter().any(|module| module.text.to_string().contains(&name)));
    // A constant may be longer than what it stands for: only what is shorter comes to an end.
    all.retain(|snippet| snippet.line().len() < limit);
    all.chunks(64)
        .find_map(|some| programs.compare(some).into_iter().find(|smaller| is_same_kind(shown, smaller)))
}

/// Whether both differ in the same way: a smaller snippet that OPA refuses must not be one that lost a variable.
fn is_same_kind(shown: &Shown, smaller: &Shown) -> bool {
    let code = |answer: &Answer| match answer {
        Answer::Refused(why) => {
            why.split_whitespace().find(|word| word.starts_with("rego_")).map(str::to_owned)
        }
        _ => None,
    };
    let reason = |answer: &Answer| match answer {
        Answer::Refused(why) => Some(reason(why)),
        _ => None,
    };
    shown.verdict == smaller.verdict
        && code(&shown.theirs) == code(&smaller.theirs)
        && reason(&shown.ours) == reason(&smaller.ours)
}
