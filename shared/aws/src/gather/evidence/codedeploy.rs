//! CodeDeploy: the deployment and those of its targets that failed.

use std::collections::BTreeSet;

use crosspipe_core::arn::{self, Arn};
use crosspipe_core::incident::message::denial;
use crosspipe_core::snapshot::{DeploymentFacts, Fact, Snapshot};
use futures_util::future::{join, join_all};
use serde_json::Value;

use super::{ActionQuery, Evidence};
use crate::AwsError;
use crate::codedeploy::CodeDeploy;

pub(super) async fn read(query: ActionQuery<'_>) -> Evidence {
    let codedeploy = query.aws.codedeploy();
    match query.failure.and_then(|failure| failure.deployment_id()) {
        Some(id) => read_deployment(query, &codedeploy, id).await,
        None => read_group(query, &codedeploy).await,
    }
}

async fn read_deployment(query: ActionQuery<'_>, codedeploy: &CodeDeploy, id: &str) -> Evidence {
    let about = format!("deployment {id}");
    let (info, targets) = join(
        query.reader.known(&about, codedeploy.deployment(id)),
        query.reader.known(&about, failed_targets(codedeploy, id)),
    )
    .await;
    let platform = info.known().and_then(|info| info.get("computePlatform")?.as_str());
    let named = targets.known().map(|targets| instance_roles(targets, query.account().as_deref()));
    let named = join_all(named.unwrap_or_default().into_iter().map(|role| with_path(query, role))).await;
    let named: BTreeSet<Arn> = named.into_iter().collect();
    let instance_roles = of_platform(platform, &named);
    let facts = match (info, targets) {
        (Fact::Absent, _) => Fact::Absent,
        (Fact::Unknown, Fact::Unknown) => Fact::Unknown,
        (deployment_info, targets) => Fact::Known(DeploymentFacts { deployment_info, targets }),
    };
    let deployments = crate::gather::known_facts([(id.to_owned(), facts)]);
    Evidence {
        parts: Snapshot { deployments, ..Snapshot::default() },
        roles: named,
        instance_roles: Some(instance_roles),
    }
}

/// Before there is a deployment, the group says what kind it would be.
async fn read_group(query: ActionQuery<'_>, codedeploy: &CodeDeploy) -> Evidence {
    let (application, group) = (query.of("ApplicationName"), query.of("DeploymentGroupName"));
    let (Some(application), Some(group)) = (application, group) else {
        return Evidence { instance_roles: Some(Fact::Unknown), ..Evidence::default() };
    };
    let name = format!("{application}/{group}");
    let about = format!("deployment group {name}");
    let facts = query.reader.known(&about, codedeploy.deployment_group(application, group)).await;
    let platform = facts.known().and_then(|info| info.get("computePlatform")?.as_str());
    let instance_roles = of_platform(platform, &BTreeSet::new());
    let deployment_groups = crate::gather::known_facts([(name, facts)]);
    Evidence {
        parts: Snapshot { deployment_groups, ..Snapshot::default() },
        roles: BTreeSet::new(),
        instance_roles: Some(instance_roles),
    }
}

/// Only where it deploys to servers there are instances. CodeDeploy does not say which roles they have, but an
/// instance that was denied something says so itself.
fn of_platform(platform: Option<&str>, named: &BTreeSet<Arn>) -> Fact<Vec<String>> {
    match platform {
        Some("Server") | None if named.is_empty() => Fact::Unknown,
        Some("Server") | None => Fact::Known(named.iter().map(Arn::to_string).collect()),
        Some(_) => Fact::Absent,
    }
}

/// Those that failed; where none did (stopped, timed out before it began), whatever there is.
async fn failed_targets(codedeploy: &CodeDeploy, id: &str) -> Result<Vec<Value>, AwsError> {
    let mut ids = codedeploy.target_ids(id, Some("Failed")).await?;
    if ids.is_empty() {
        ids = codedeploy.target_ids(id, None).await?;
    }
    codedeploy.targets(id, &ids).await
}

/// The roles of instances that say that they were denied something: the session of an instance has its id for
/// a name.
fn instance_roles(targets: &[Value], account: Option<&str>) -> BTreeSet<Arn> {
    let events = targets.iter().filter_map(|target| target.pointer("/instanceTarget/lifecycleEvents"));
    let diagnostics =
        events.filter_map(Value::as_array).flatten().filter_map(|event| event.get("diagnostics"));
    let texts = diagnostics.flat_map(|it| [it.get("message"), it.get("logTail")]).flatten();
    let denials = texts.filter_map(Value::as_str).filter_map(denial);
    let actors = denials.filter_map(|denial| Arn::parse(&denial.actor?).ok());
    let actors = actors.filter(|actor| Some(actor.account()) == account);
    actors.filter_map(|actor| role_of_instance(&actor)).collect()
}

/// The name of a session leaves out the path of its role.
async fn with_path(query: ActionQuery<'_>, role: Arn) -> Arn {
    let Some(name) = role.role_name() else { return role };
    let iam = query.aws.iam();
    let found = query.reader.ask(name, iam.role(name)).await.ok();
    found.and_then(|found| Arn::parse(&found.arn).ok()).unwrap_or(role)
}

fn role_of_instance(actor: &Arn) -> Option<Arn> {
    let (role, session) = actor.resource().strip_prefix("assumed-role/")?.split_once('/')?;
    if !session.starts_with("i-") {
        return None;
    }
    Arn::parse(&arn::role(actor.partition(), actor.account(), role)).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn denied_instance_names_its_role() {
        let tail = |actor: &str| {
            json!([{"deploymentTargetType": "InstanceTarget", "instanceTarget": {"lifecycleEvents": [
                {"lifecycleEventName": "DownloadBundle", "status": "Failed", "diagnostics": {"errorCode": "UnknownError", "message": format!(
                    "User: {actor} is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:us-east-2:111111111111:key/k because no resource-based policy allows the kms:Decrypt action"
                )}}
            ]}}])
        };
        let roles = |actor: &str| instance_roles(tail(actor).as_array().unwrap(), Some("222222222222"));
        let found = roles("arn:aws:sts::222222222222:assumed-role/Web/i-0abc");
        assert_eq!(found, BTreeSet::from([Arn::parse("arn:aws:iam::222222222222:role/Web").unwrap()]));
        assert!(roles("arn:aws:sts::222222222222:assumed-role/Web/somebody").is_empty(), "no instance");
        assert!(roles("arn:aws:sts::333333333333:assumed-role/Web/i-0abc").is_empty(), "another account");
    }

    #[test]
    fn only_servers_have_instances() {
        assert_eq!(of_platform(Some("ECS"), &BTreeSet::new()), Fact::Absent);
        assert_eq!(of_platform(Some("Lambda"), &BTreeSet::new()), Fact::Absent);
        assert_eq!(of_platform(Some("Server"), &BTreeSet::new()), Fact::Unknown);
        assert_eq!(of_platform(None, &BTreeSet::new()), Fact::Unknown);
    }
}
