//! A world, and the controllers that nobody wrote down: what a workload's Pods are owned by.

use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::OnceLock;

use serde_json::Value;

use super::facts::{Fact, FactKey};
use super::source::ContextSource;
use super::world::World;

/// What is known while the Pods of one workload are judged. The world itself stays as it is, so that several can be
/// judged at once.
#[derive(Debug)]
pub struct Beside<'a> {
    world: &'a World,
    given: Vec<(String, Value)>,
    /// Made of what is given when somebody asks: most policies don't.
    controllers: OnceLock<World>,
}

impl<'a> Beside<'a> {
    /// Nothing beside the world yet.
    pub fn new(world: &'a World) -> Self {
        Self { world, given: Vec::new(), controllers: OnceLock::new() }
    }

    /// Adds a controller: owners are found through it, and nothing else is known of it.
    pub fn insert(&mut self, namespace: &str, controller: Value) {
        self.given.push((namespace.to_owned(), controller));
        self.controllers = OnceLock::new();
    }

    fn controllers(&self) -> &World {
        self.controllers.get_or_init(|| {
            let mut world = World::new(super::Others::Unknown);
            self.given.iter().for_each(|(namespace, one)| world.insert(Some(namespace), one));
            world
        })
    }
}

impl ContextSource for Beside<'_> {
    fn fetch<'a>(&'a self, key: &'a FactKey) -> Pin<Box<dyn Future<Output = Fact> + Send + 'a>> {
        match key {
            FactKey::Owner { namespace, controller } => {
                Box::pin(ready(self.world.owner(namespace, controller, Some(self.controllers()))))
            }
            _ => self.world.fetch(key),
        }
    }
}
