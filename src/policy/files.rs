//! Typed reading of YAML with places: one function for METADATA and for every file kind.

use serde::de::DeserializeOwned;
use serde_json::Value;

/// A member that does not fit: its JSON pointer and what is wrong with it.
#[derive(Debug)]
pub(super) struct Misfit {
    pub(super) pointer: String,
    pub(super) message: String,
}

/// Reads `value`, which stands at `root`, as a `T`; what does not fit is named by its place.
pub(super) fn typed<T: DeserializeOwned>(value: &Value, root: &str) -> Result<T, Misfit> {
    serde_path_to_error::deserialize(value.clone()).map_err(|error| {
        let pointer = pointer(error.path());
        Misfit { message: format!("{}: {}", field(root, &pointer), error.into_inner()), pointer }
    })
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
            Segment::Enum { variant } => format!("/{variant}"),
            Segment::Unknown => String::new(),
        })
        .collect()
}

/// A pointer below `root` as people write a path.
pub(super) fn field(root: &str, pointer: &str) -> String {
    format!("{root}{}", pointer.replace('/', ".").replace("~1", "/").replace("~0", "~"))
}
