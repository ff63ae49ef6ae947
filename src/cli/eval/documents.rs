//! Modules and data as OPA lays them out: a data file belongs to the path that its folders below the named directory
//! make; all data is merged.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde_json::{Map, Value};

use crate::cli::paths::entries;
use crate::engine::Document;
use crate::policy::Module;
use crate::yaml;

/// Reads what `-d` names.
pub(super) fn read(paths: &[String]) -> anyhow::Result<(Vec<Module>, Value)> {
    let mut found = Found::default();
    for path in paths {
        let root = Path::new(path);
        let mut files = Vec::new();
        below(root, true, &mut files)?;
        for file in files {
            found.add(root, &file)?;
        }
    }
    Ok((found.modules, Value::Object(found.data)))
}

/// Reads the input; that of JSON with all digits of its numbers.
pub(super) fn input(path: &str) -> anyhow::Result<Document> {
    let mut bytes = Vec::new();
    if path == "-" {
        std::io::stdin().lock().read_to_end(&mut bytes).context("can't read standard input")?;
    } else {
        bytes = fs::read(path).with_context(|| format!("can't read {path}"))?;
    }
    let value = document(&bytes).with_context(|| path.to_owned())?;
    // JSON in UTF-8, or YAML.
    let text = String::from_utf8_lossy(&bytes);
    match serde_json::from_slice::<serde::de::IgnoredAny>(&bytes) {
        Ok(_) => Document::read(&text).map_err(anyhow::Error::msg).with_context(|| path.to_owned()),
        Err(_) => Ok(Document::from(&value)),
    }
}

#[derive(Default)]
struct Found {
    modules: Vec<Module>,
    data: Map<String, Value>,
}

impl Found {
    fn add(&mut self, root: &Path, file: &Path) -> anyhow::Result<()> {
        let name = file.display().to_string();
        let bytes = fs::read(file).with_context(|| format!("can't read {name}"))?;
        if extension(file) == "rego" {
            let text = String::from_utf8(bytes).with_context(|| format!("{name} is not UTF-8"))?;
            self.modules.push(Module { path: name, text });
            return Ok(());
        }
        let mut value = document(&bytes).with_context(|| name.clone())?;
        let folders = file.strip_prefix(root).ok().and_then(Path::parent).into_iter().flat_map(Path::iter);
        let folders: Vec<String> = folders.map(|folder| folder.to_string_lossy().into_owned()).collect();
        for folder in folders.into_iter().rev() {
            value = Value::Object(Map::from_iter([(folder, value)]));
        }
        let Value::Object(members) = value else { bail!("{name}: data is an object, at the top") };
        merge(&mut self.data, members).with_context(|| name)
    }
}

fn merge(into: &mut Map<String, Value>, members: Map<String, Value>) -> anyhow::Result<()> {
    for (key, value) in members {
        match (into.get_mut(&key), value) {
            (None, value) => {
                into.insert(key, value);
            }
            (Some(Value::Object(into)), Value::Object(members)) => merge(into, members)?,
            (Some(_), _) => bail!("`{key}` is in another file already"),
        }
    }
    Ok(())
}

fn document(bytes: &[u8]) -> anyhow::Result<Value> {
    // Plain JSON keeps its numbers and may be any value; what is not, is YAML.
    if let Ok(value) = serde_json::from_slice(bytes) {
        return Ok(value);
    }
    let mut documents = yaml::read(bytes);
    match (documents.pop(), documents.is_empty()) {
        (Some(Ok(document)), true) => Ok(document.value),
        (Some(Err(fault)), _) => bail!("{}:{}: {fault}", fault.position.line, fault.position.column),
        (None, _) => Ok(Value::Null),
        (Some(Ok(_)), false) => bail!("more than one document"),
    }
}

fn below(path: &Path, named: bool, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    if let Some(entries) = entries(path)? {
        return entries.iter().try_for_each(|entry| below(entry, false, files));
    }
    if named || ["rego", "json", "yaml", "yml"].contains(&extension(path)) {
        files.push(path.to_owned());
    }
    Ok(())
}

fn extension(path: &Path) -> &str {
    path.extension().and_then(|extension| extension.to_str()).unwrap_or_default()
}
