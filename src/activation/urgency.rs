//! How urgent it is to make a bundle: requests come first, and yet a push has to come in force on a machine that is full.

use rustix::process::setpriority_process;

/// What a thread that makes bundles has as its nice value: by the scheduler's weights (sched(7)) it counts a third against one
/// that answers. With 19 it would be a seventieth, and nearly nothing on a machine that is full; with 0 requests would wait for
/// it as for each other. Chosen from the weights: what was measured on a busy machine did not tell them apart.
const NICE: i32 = 5;

/// Lets the calling thread, and the processes that it starts, give way to what answers requests. Where the system does not
/// allow that, they are as urgent as before.
pub fn gives_way() {
    setpriority_process(None, NICE).unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use rustix::process::getpriority_process;

    use super::*;

    #[test]
    fn it_is_the_calling_thread_alone() {
        let nice = || getpriority_process(None).unwrap();
        let before = nice();
        let other = std::thread::spawn(move || {
            gives_way();
            nice()
        });
        assert_eq!((other.join().unwrap(), nice()), (NICE.max(before), before));
    }
}
