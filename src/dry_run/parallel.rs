//! Work on all cores, with results in the order of what was to be done.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Rego recurses as deep as its data.
const STACK_BYTES: usize = 16 * 1024 * 1024;

/// What `work` makes of each item. It must not panic.
pub fn each<T: Send, R: Send>(items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    // One item is done here: a thread would cost more.
    if items.len() < 2 {
        return items.into_iter().map(work).collect();
    }
    let items: Vec<Mutex<Option<T>>> = items.into_iter().map(|item| Mutex::new(Some(item))).collect();
    let next = AtomicUsize::new(0);
    let take = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { return done };
            let item = item.lock().unwrap_or_else(PoisonError::into_inner).take();
            done.extend(item.map(|item| (index, work(item))));
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from).min(items.len());
    let mut done = thread::scope(|scope| {
        let started =
            (0..threads).map(|_| thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, take));
        let started: Vec<_> = started.collect();
        // A thread that panics all the same must not take its results away in silence.
        let ended = started
            .into_iter()
            .flatten()
            .map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        let mut done: Vec<(usize, R)> = ended.flatten().collect();
        // Where no thread can be started the work is done here.
        done.extend(take());
        done
    });
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_it_in_order() {
        let items: Vec<usize> = (0..1_000).collect();
        let expected = items.iter().map(|item| item * 2).collect::<Vec<_>>();
        assert_eq!(each(items, |item| item * 2), expected);
        assert_eq!(each(Vec::new(), |item: usize| item), Vec::<usize>::new());
    }

    #[test]
    #[should_panic(expected = "lost")]
    fn a_panic_is_not_a_shorter_list() {
        each(vec![1, 2, 3, 4], |item| assert_ne!(item, 1, "lost"));
    }
}
