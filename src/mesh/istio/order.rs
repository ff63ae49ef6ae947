//! The order of containers after an injection.

use serde_json::Value;

use super::pod::{self, INIT, PROXY, VALIDATION};

const CORE_DUMP: &str = "enable-core-dump";

/// Puts the mesh's containers where they belong. `hold`: the application waits for the proxy.
pub(super) fn arrange(merged: &mut Value, hold: bool) {
    place(merged, "containers", PROXY, hold);
    if pod::find(merged, "initContainers", PROXY).is_some() {
        for name in [CORE_DUMP, PROXY, VALIDATION, INIT] {
            place(merged, "initContainers", name, true);
        }
        return;
    }
    place(merged, "initContainers", VALIDATION, true);
    place(merged, "initContainers", INIT, false);
    place(merged, "initContainers", CORE_DUMP, false);
}

fn place(merged: &mut Value, list: &str, name: &str, first: bool) {
    let containers = merged.get_mut("spec").and_then(|spec| spec.get_mut(list)).and_then(Value::as_array_mut);
    let Some(containers) = containers else { return };
    let (mut moved, others): (Vec<Value>, Vec<Value>) =
        containers.drain(..).partition(|container| pod::name(container) == name);
    if first {
        moved.extend(others);
        *containers = moved;
    } else {
        *containers = others;
        containers.extend(moved);
    }
}
