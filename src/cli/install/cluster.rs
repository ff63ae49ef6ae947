//! `meshgate install --apply` and `--remove`: an installation in a cluster, with a line for each object.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;

use super::Removal;
use crate::cli::output;
use crate::cluster::{Connection, Installation, Outcome};
use crate::context::Subjects;
use crate::install;

/// How long the controller of the Deployment may take to look at it. It does so at once, where there is one.
const OBSERVED: Duration = Duration::from_secs(30);

/// When what a changed admission policy says is in force: ten times what an idle API server takes.
const SETTLED: Duration = Duration::from_secs(1);

/// Applies the objects in their order, and waits until the Deployment is seen.
pub(super) fn apply(objects: &[Value], subjects: &Subjects, kubeconfig: Option<&Path>) -> anyhow::Result<()> {
    in_runtime(async {
        let installation = connected(kubeconfig).await?;
        may_change(&installation, subjects).await?;
        for object in objects {
            let outcome = installation.apply(object).await.with_context(|| {
                format!("{}: not applied; mend it and apply again: what is done stays as it is", name(object))
            })?;
            report(object, outcome)?;
        }
        installation.restore().await.context("can't say that the registration is wanted again")?;
        for deployment in objects.iter().filter(|object| kind(object) == "Deployment") {
            let wanted = deployment.pointer("/spec/replicas").and_then(Value::as_u64).unwrap_or_default();
            match installation.observed(deployment, OBSERVED).await.context("the Deployment")? {
                Some(ready) => {
                    output::print(&format!("{}: {ready} of {wanted} Pods ready\n", name(deployment)))?
                }
                None => bail!(
                    "{}: its controller has not looked at it for {} s; is kube-controller-manager running?",
                    name(deployment),
                    OBSERVED.as_secs()
                ),
            }
        }
        Ok(())
    })
}

/// Deletes the webhook configurations, so that nothing is asked of who goes, and then, where all is meant, the rest.
pub(super) fn remove(what: Removal, kubeconfig: Option<&Path>) -> anyhow::Result<()> {
    in_runtime(async {
        let installation = connected(kubeconfig).await?;
        // A leader would write them again.
        installation.withdraw().await.context("can't say that the registration is taken back")?;
        delete(&installation, &install::registered()).await?;
        if what == Removal::Registration {
            return Ok(());
        }
        let (policies, others): (Vec<_>, Vec<_>) = install::removed()
            .into_iter()
            .partition(|object| kind(object).starts_with("ValidatingAdmissionPolicy"));
        // Whoever may delete these may delete the rest.
        delete(&installation, &policies).await?;
        tokio::time::sleep(SETTLED).await;
        delete(&installation, &others).await
    })
}

async fn delete(installation: &Installation, objects: &[Value]) -> anyhow::Result<()> {
    for object in objects {
        let outcome = installation.delete(object).await.with_context(|| {
            format!("{}: not deleted; mend it and remove again: what is gone stays gone", name(object))
        })?;
        report(object, outcome)?;
    }
    Ok(())
}

/// The last of the objects keep everybody but the subjects from changing the others: who installs has to be one.
async fn may_change(installation: &Installation, subjects: &Subjects) -> anyhow::Result<()> {
    let user = installation.who().await.context("can't ask the API server who you are")?;
    if subjects.include(&user) {
        return Ok(());
    }
    let texts = |member: &str| user.get(member).map(Value::to_string).unwrap_or_default();
    bail!(
        "you are {} of the groups {}, and none of the subjects of the configuration: you could not change afterwards what \
         you install; name yourself in `subjects` of --config",
        texts("username"),
        texts("groups")
    )
}

async fn connected(kubeconfig: Option<&Path>) -> anyhow::Result<Installation> {
    let connection = match kubeconfig {
        Some(path) => Connection::by_kubeconfig(path).await?,
        None => Connection::as_kubectl().await?,
    };
    Ok(Installation::over(&connection))
}

fn in_runtime(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().context("can't start")?;
    runtime.block_on(work)
}

fn report(object: &Value, outcome: Outcome) -> anyhow::Result<()> {
    let word = match outcome {
        Outcome::Created => "created",
        Outcome::Configured => "configured",
        Outcome::Unchanged => "unchanged",
        Outcome::Deleted => "deleted",
        Outcome::Absent => "was not there",
    };
    output::print(&format!("{} {word}\n", name(object)))
}

fn kind(object: &Value) -> &str {
    object.get("kind").and_then(Value::as_str).unwrap_or_default()
}

/// As kubectl names it.
fn name(object: &Value) -> String {
    let name = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    format!("{}/{name}", kind(object).to_lowercase())
}
