//! What the replicas of a running installation say that they have in force: by the ConfigMap in which all tell it, or by
//! the admin port of one.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use clap::Args;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::cluster::{Connection, Row, Told};
use crate::outbound::{Blocking, Request, Settings, Url};

/// How long an admin port may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// More than any `/bundle`.
const ANSWER_BYTES: u64 = 4 << 20;

/// Who is asked.
#[derive(Debug, Args)]
pub(super) struct Asked {
    /// How the API server is reached [default: as kubectl does, else as the Pod that this is]
    #[arg(long, value_name = "FILE", conflicts_with = "admin")]
    kubeconfig: Option<PathBuf>,
    /// The admin port of one server on this machine instead, as http://127.0.0.1:8444
    #[arg(long, value_name = "URL")]
    admin: Option<String>,
}

/// Who tells.
pub(super) enum Replicas {
    Cluster(Runtime, Connection),
    Admin(Box<(Blocking, Url)>),
}

impl Asked {
    pub(super) fn open(&self) -> anyhow::Result<Replicas> {
        if let Some(admin) = &self.admin {
            let url = Url::parse(&format!("{}/bundle", admin.trim_end_matches('/')))
                .with_context(|| format!("--admin {admin}: write http://127.0.0.1:8444"))?;
            let client = Blocking::new(&Settings::default()).context("can't start")?;
            return Ok(Replicas::Admin(Box::new((client, url))));
        }
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().context("can't start")?;
        let connection = runtime.block_on(async {
            match &self.kubeconfig {
                Some(path) => Connection::by_kubeconfig(path).await,
                None => Connection::as_kubectl().await,
            }
        })?;
        Ok(Replicas::Cluster(runtime, connection))
    }
}

impl Replicas {
    /// What they say now.
    pub(super) fn told(&self) -> anyhow::Result<Told> {
        match self {
            Self::Cluster(runtime, connection) => Ok(runtime.block_on(Told::by(connection))?),
            Self::Admin(asked) => {
                let (client, url) = asked.as_ref();
                bundle(client, url).map(|bundle| alone(&url.origin().to_string(), &bundle))
            }
        }
    }
}

fn bundle(client: &Blocking, url: &Url) -> anyhow::Result<Value> {
    let until = Instant::now().checked_add(PATIENCE).unwrap_or_else(Instant::now);
    let what = || format!("{url}: can't be asked; check that a server runs there with --listen-admin");
    let mut answer = client.send(Request::get(url, until), ANSWER_BYTES).with_context(what)?;
    if answer.status() != 200 {
        bail!("{url}: answers {}; name the admin port of a server", answer.status());
    }
    let mut text = String::new();
    answer.read_to_string(&mut text).with_context(what)?;
    serde_json::from_str(&text)
        .with_context(|| format!("{url}: answers no /bundle; name the admin port of a server"))
}

/// One server alone.
fn alone(name: &str, bundle: &Value) -> Told {
    let text = |pointer: &str| bundle.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let refused = bundle.get("refused").filter(|refused| refused.is_object()).map(|refused| {
        let of = |member: &str| text(&format!("/refused/{member}")).unwrap_or_default();
        let why = refused.get("why").and_then(Value::as_array).into_iter().flatten();
        let why: Vec<&str> = why.filter_map(Value::as_str).collect();
        (text("/refused/revision"), format!("{}/{}", of("stage"), of("reason")), why.join("; "))
    });
    let row = Row {
        revision: text("/revision"),
        id: text("/active/id"),
        tree: text("/active/tree"),
        since: text("/lastGood/since"),
        candidate: text("/candidate"),
        head: text("/source/head"),
        refused,
    };
    let active = row.id.clone().unwrap_or_default();
    let floor = text("/floor").map(|floor| (text("/source/name").unwrap_or_default(), floor));
    Told {
        replicas: BTreeMap::from([(name.to_owned(), row)]),
        everywhere: active.clone(),
        active,
        floors: floor.into_iter().collect(),
    }
}

/// For programs.
pub(super) fn json(told: &Told) -> Value {
    let rows = told.replicas.iter().map(|(name, row)| {
        let refused = row
            .refused
            .as_ref()
            .map(|(revision, stage, why)| json!({ "revision": revision, "stage": stage, "why": why }));
        json!({
            "name": name, "state": row.state(), "revision": row.revision, "id": row.id, "tree": row.tree,
            "since": row.since, "candidate": row.candidate, "head": row.head, "refused": refused,
        })
    });
    let floors = told.floors.iter().map(|(source, id)| json!({ "source": source, "id": id }));
    json!({
        "apiVersion": "meshgate.io/v1alpha1", "kind": "BundleStatus",
        "active": told.active, "activeEverywhere": told.everywhere,
        "replicas": rows.collect::<Vec<_>>(), "floors": floors.collect::<Vec<_>>(),
    })
}
