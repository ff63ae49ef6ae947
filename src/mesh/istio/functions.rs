//! The functions that templates of Istio call: Istio's own, and those of sprig. Where both have a name, it is Istio's
//! (`contains`, `indent`, `omit`, `env`).

mod arguments;
mod istio;
mod sprig;

use std::collections::BTreeMap;

use super::version::Version;
use crate::mesh::template::{Functions, Value};

/// The field of `.MeshConfig` in which `otelResourceAttributes` finds whether there is anything to say; no template can
/// write it.
pub(super) const ENRICHES: &str = "\0enriches";

/// The pack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Pack {
    /// The environment of istiod, as far as it is known (`env`, up to 1.26).
    pub(super) environment: BTreeMap<String, String>,
    pub(super) version: Version,
}

/// Since 1.23 a network is found by its namespace, too.
const NETWORK: &str = "appendMultusNetwork";

type Function = fn(&[Value]) -> Result<Value, String>;

impl Functions for Pack {
    fn knows(&self, name: &str) -> bool {
        matches!(name, "env" | NETWORK) || found(name).is_some()
    }

    fn call(&self, name: &str, arguments: &[Value]) -> Result<Value, String> {
        if name == "env" {
            let [variable, default] = arguments::texts(arguments)?;
            let told = self.environment.get(&*variable).filter(|told| !told.is_empty());
            return Ok(told.map_or(Value::Text(default), Value::text));
        }
        if name == NETWORK {
            let [existing, network] = arguments::texts(arguments)?;
            return Ok(Value::text(istio::append_network(&existing, &network, self.version.since(23))));
        }
        found(name).ok_or_else(|| format!("function {name:?} not defined"))?(arguments)
    }
}

fn found(name: &str) -> Option<Function> {
    istio::found(name).or_else(|| sprig::found(name))
}
