//! From a repository to the bundle in force, again and again: asked, fetched, verified, gated, tested in a process of its
//! own, put in force, and kept on disk for the next start. All of it off the way of requests, on one thread.
//!
//! Called by `cli`, which says how a tree is compiled. What is refused changes nothing: the bundle in force goes on.

mod archive;
mod board;
mod delivered;
mod notes;
mod recovery;
mod rounds;
mod state;
#[cfg(test)]
mod tests;
mod trial;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use tokio::runtime::Handle;

use crate::activation::{Activation, Condition, gives_way};
use crate::config::{self, Trials};
use crate::engine::Bundle;
use crate::events::Events;
use crate::metrics::Metrics;
use crate::policy::{Faults, Tree};
use crate::source::{Git, GitSource, Trust};
pub use archive::ARCHIVE;
pub use board::{Board, FLOOR, REPLICA, Shown, Told};
use delivered::{Delivered, Pending};
use notes::Notes;
pub use state::StateError;
use state::{Accepted, State};
pub use trial::{COMMAND, LOADED, Report};

/// Rego recurses as deep as policies nest.
const STACK_BYTES: usize = 16 * 1024 * 1024;

/// Makes a bundle of a tree, or says all that is wrong with it.
pub type Compile = Box<dyn Fn(&Tree) -> Result<Bundle, String> + Send>;

/// What is configured.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The repository.
    pub source: config::Source,
    /// Who has to sign.
    pub trust: config::Trust,
    /// The directory of what is kept.
    pub state: PathBuf,
    /// How tests are run.
    pub trials: Trials,
}

/// What the process has that is needed here.
pub struct Surroundings {
    /// Where candidates come in force.
    pub activation: Arc<Activation>,
    /// What is said of the source in `/readyz?verbose`.
    pub condition: Condition,
    /// Where what happens is counted.
    pub metrics: Metrics,
    /// Who is told of what operators are to know.
    pub events: Arc<dyn Events>,
    /// Where candidates are prepared.
    pub runtime: Handle,
    /// How a tree is compiled.
    pub compile: Compile,
    /// Where replicas tell each other. None: there is one alone.
    pub board: Option<Arc<dyn Board>>,
}

/// Why policies can't be delivered: what is faulty at the start.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// The files of trust.
    #[error("the files of trust can't be used\n{0}")]
    Trust(Faults),
    /// The directory of what is kept.
    #[error(transparent)]
    State(#[from] StateError),
    /// The source, as it is configured.
    #[error("{0}")]
    Source(String),
    /// There is no thread.
    #[error("can't start a thread")]
    Thread(#[source] std::io::Error),
}

/// What one thread knows.
pub struct Delivery {
    settings: Settings,
    around: Surroundings,
    trust: Trust,
    state: State,
    git: Git,
    notes: Notes,
    /// The commit that was judged last, whatever came of it.
    judged: Option<String>,
    /// The commit accepted last.
    accepted: Option<Accepted>,
    /// Why it is not known which one that is, although there is one.
    lost_floor: Option<String>,
    /// The commit that other replicas accepted last.
    elsewhere: Option<Accepted>,
    /// Why it is not known which one that is.
    unknown: Option<board::Unknown>,
    /// The commit of theirs that the one accepted last was seen to come after.
    came_after: Option<String>,
    /// Commits that others told of.
    heard_of: BTreeSet<String>,
    /// What is being put in force.
    pending: Option<Pending>,
    /// What is in force.
    active: Option<Arc<Delivered>>,
    /// Whether what is in force is kept.
    is_kept: bool,
    /// The commit that is too large to be kept for others.
    too_large: Option<String>,
    /// What candidates are loaded and tested with.
    program: PathBuf,
    tell: Sender<Message>,
    told: Receiver<Message>,
}

/// What the thread is told while it waits.
enum Message {
    /// A candidate is in force, whether or not it is still waited for.
    Activated(Arc<Delivered>),
    /// Other replicas have told something.
    Told,
}

impl Delivery {
    /// Reads what is configured, and takes the directory. Not within a runtime.
    ///
    /// # Errors
    /// What is faulty.
    pub fn open(settings: Settings, around: Surroundings) -> Result<Self, DeliveryError> {
        let trust = Trust::read(&settings.trust).map_err(DeliveryError::Trust)?;
        let source = GitSource::of(&settings.source).map_err(DeliveryError::Source)?;
        let state = State::open(&settings.state)?;
        let git = Git::new(source, &state.git());
        let (tell, told) = mpsc::channel();
        let notes = Notes::default();
        let (accepted, judged, pending, active) = (None, None, None, None);
        Ok(Self {
            settings,
            around,
            trust,
            state,
            git,
            notes,
            judged,
            accepted,
            lost_floor: None,
            elsewhere: None,
            unknown: None,
            came_after: None,
            heard_of: BTreeSet::new(),
            pending,
            active,
            is_kept: true,
            too_large: None,
            program: trial::program(),
            tell,
            told,
        })
    }

    /// Begins: what was kept first, then what the source has. Returns at once.
    ///
    /// # Errors
    /// [`DeliveryError::Thread`].
    pub fn start(mut self) -> Result<(), DeliveryError> {
        self.listen();
        let run = move || {
            gives_way();
            self.guarded(Self::recover);
            loop {
                let wait = self.guarded(Self::round).unwrap_or_else(|| self.fell());
                self.guarded(|this| this.wait(wait));
            }
        };
        let builder = thread::Builder::new().name("policies".to_owned()).stack_size(STACK_BYTES);
        builder.spawn(run).map(drop).map_err(DeliveryError::Thread)
    }

    /// Does something that may fail by a fault of our own. The thread goes on: there is no other one.
    fn guarded<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> Option<T> {
        catch_unwind(AssertUnwindSafe(|| work(self))).ok()
    }

    /// What tells this source from others.
    fn key(&self) -> String {
        let source = &self.settings.source;
        let (kind, name) = source.reference.parts();
        format!("git {} {kind}:{name} {}", source.url, source.path)
    }

    /// Does what was told meanwhile.
    fn hear(&mut self) {
        while let Ok(message) = self.told.try_recv() {
            if let Message::Activated(delivered) = message {
                self.activated(delivered);
            }
        }
    }

    /// Waits, and does what is told meanwhile; not longer than until others tell of a commit that is not known here.
    fn wait(&mut self, wait: Duration) {
        let until = std::time::Instant::now().checked_add(wait);
        while !self.is_told_of_another() {
            let left = until.and_then(|until| until.checked_duration_since(std::time::Instant::now()));
            match left.and_then(|left| self.told.recv_timeout(left).ok()) {
                Some(Message::Activated(delivered)) => self.activated(delivered),
                Some(Message::Told) => self.tell_floor(),
                None => return,
            }
        }
    }
}
