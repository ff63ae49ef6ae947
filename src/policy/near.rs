//! "did you mean": the known word that a mistyped one is nearest to.

/// The nearest of `known` that is at most two slips away (letters added, lost, changed or swapped), and fewer than the
/// word has letters.
pub fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let slips = |one: &&'a str| strsim::osa_distance(&lower, &one.to_lowercase());
    known.min_by_key(slips).filter(|one| slips(one) <= 2 && slips(one) < word.chars().count())
}

/// The remedy: the nearest word, or all that there are.
pub fn remedy<'a>(word: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    match nearest(word, known.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            let all: Vec<&str> = known.collect();
            if all.is_empty() { "there is none".to_owned() } else { format!("there is {}", all.join(", ")) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_near_and_another_word_is_not() {
        let known = ["mtls", "images", "pod_security"];
        for (word, expected) in [
            ("mlts", Some("mtls")),
            ("Images", Some("images")),
            ("podsecurity", Some("pod_security")),
            ("imgs", Some("images")),
            ("defaults", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known.into_iter()), expected, "{word}");
        }
        assert_eq!(remedy("mlts", known.into_iter()), "did you mean `mtls`?");
        assert_eq!(remedy("defaults", known.into_iter()), "there is mtls, images, pod_security");
        assert_eq!(remedy("defaults", [].into_iter()), "there is none");
    }
}
