//! What all rows come to, for the ConfigMap itself and for who reads it.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use serde_json::{Map, Value};

use super::{NAME, Row};
use crate::cluster::Connection;
use crate::config::NAMESPACE;
use crate::delivery::{FLOOR, REPLICA};

/// The id that came in force last, wherever it did.
const ACTIVE: &str = "active";

/// The id that every replica has in force; empty where they differ.
const ACTIVE_EVERYWHERE: &str = "activeEverywhere";

/// What all rows come to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Everywhere {
    active: String,
    everywhere: String,
}

impl Everywhere {
    pub(super) fn of(rows: impl Iterator<Item = Row>) -> Self {
        let rows: Vec<Row> = rows.collect();
        let latest =
            rows.iter().filter(|row| row.id.is_some()).max_by_key(|row| (row.since.clone(), row.id.clone()));
        let Some(active) = latest.and_then(|row| row.id.clone()) else { return Self::default() };
        let is_everywhere = rows.iter().all(|row| row.id.as_ref() == Some(&active));
        Self { everywhere: if is_everywhere { active.clone() } else { String::new() }, active }
    }

    /// What of it the texts do not say.
    pub(super) fn missing(&self, texts: &BTreeMap<String, String>) -> Map<String, Value> {
        [(ACTIVE, &self.active), (ACTIVE_EVERYWHERE, &self.everywhere)]
            .into_iter()
            .filter(|(key, text)| texts.get(*key) != Some(*text))
            .map(|(key, text)| (key.to_owned(), Value::from(text.as_str())))
            .collect()
    }
}

/// What the replicas of an installation tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// By name.
    pub replicas: BTreeMap<String, Row>,
    /// The id that came in force last; empty: none did.
    pub active: String,
    /// The id that all have; empty where they differ.
    pub everywhere: String,
    /// The commits accepted last, a line a source: its key and the id.
    pub floors: Vec<(String, String)>,
}

/// Why it is not known.
#[derive(Debug, thiserror::Error)]
pub enum ToldError {
    /// The API server refuses, or can't be reached.
    #[error("the ConfigMap {NAMESPACE}/{NAME} can't be read; check the kubeconfig, and that you may get it")]
    Api(#[source] kube::Error),
    /// There is none.
    #[error(
        "there is no ConfigMap {NAMESPACE}/{NAME}: no replica has told anything; check that meshgate is installed there and runs"
    )]
    Absent,
}

impl Told {
    /// Reads it.
    ///
    /// # Errors
    /// [`ToldError`].
    pub async fn by(connection: &Connection) -> Result<Self, ToldError> {
        let maps: Api<ConfigMap> = Api::namespaced(connection.client(), NAMESPACE);
        let map = maps.get_opt(NAME).await.map_err(ToldError::Api)?.ok_or(ToldError::Absent)?;
        Ok(Self::of(&map.data.unwrap_or_default()))
    }

    fn of(texts: &BTreeMap<String, String>) -> Self {
        let row =
            |(key, text): (&String, &String)| Some((key.strip_prefix(REPLICA)?.to_owned(), Row::read(text)?));
        let text = |key: &str| texts.get(key).cloned().unwrap_or_default();
        let floors: Vec<Value> = serde_json::from_str(&text(FLOOR)).unwrap_or_default();
        let floor = |one: &Value| {
            let of = |member: &str| one.get(member).and_then(Value::as_str).unwrap_or_default().to_owned();
            (of("key"), of("id"))
        };
        let replicas: BTreeMap<String, Row> = texts.iter().filter_map(row).collect();
        // What is written of all may be older than the rows.
        let Everywhere { active, everywhere } = Everywhere::of(replicas.values().cloned());
        Self { replicas, active, everywhere, floors: floors.iter().map(floor).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str, since: &str) -> Row {
        Row { id: Some(id.to_owned()), since: Some(since.to_owned()), ..Row::default() }
    }

    #[test]
    fn what_came_last_is_everywhere_where_every_row_has_it() {
        let of = |rows: &[Row]| Everywhere::of(rows.iter().cloned());
        let both = |active: &str, everywhere: &str| Everywhere {
            active: active.to_owned(),
            everywhere: everywhere.to_owned(),
        };
        assert_eq!(of(&[]), both("", ""));
        assert_eq!(of(&[Row::default()]), both("", ""));
        assert_eq!(of(&[row("a", "1"), row("a", "2")]), both("a", "a"));
        assert_eq!(of(&[row("b", "3"), row("a", "2")]), both("b", ""));
        assert_eq!(of(&[row("a", "3"), Row::default()]), both("a", ""), "a replica has nothing yet");
        let texts = [("replica.a", row("a", "1").text()), ("activeEverywhere", "b".to_owned())];
        let told = Told::of(&texts.map(|(key, text)| (key.to_owned(), text)).into());
        assert_eq!((told.active.as_str(), told.everywhere.as_str()), ("a", "a"));
        let texts = BTreeMap::from([("active".to_owned(), "a".to_owned())]);
        let missing = both("a", "").missing(&texts);
        assert_eq!(Value::Object(missing), serde_json::json!({ "activeEverywhere": "" }));
        assert!(
            both("a", "")
                .missing(
                    &[("active", "a"), ("activeEverywhere", "")].map(|(a, b)| (a.into(), b.into())).into()
                )
                .is_empty()
        );
    }
}
