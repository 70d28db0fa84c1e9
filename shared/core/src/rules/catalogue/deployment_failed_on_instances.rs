//! # What it does
//! Reads what CodeDeploy says of a deployment that failed on its instances: which instance, in which
//! lifecycle event, and the end of its script's log.
//!
//! # Why deploys fail
//! "The overall deployment failed because too many individual instances failed deployment …"
//! (`HEALTH_CONSTRAINTS`): the agent is down, a script failed, or the instance could not download the
//! revision. Only the last of these is a matter of permissions (IA007).
//!
//! # How to fix
//! See to the lifecycle event that failed first.
//!
//! # Example
//! `"lifecycleEvents": [{"lifecycleEventName": "DownloadBundle", "status": "Failed", …}]`

use crate::incident::evidence::hide_secrets;
use crate::incident::message::ErrorSignature;
use crate::providers::Provider;
use crate::rules::commands::{in_region, option, show};
use crate::rules::diagnostics::{Fault, Fix};
use crate::rules::facts::text;
use crate::rules::{Facts, InDiagnosis, Rule, RuleContext, RuleId, Severity, Subject};
use crate::snapshot::{DeploymentFacts, Fact};
use serde_json::Value;

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Ev005,
    name: "deployment-failed-on-instances",
    severity: Severity::Error,
    summary: "A CodeDeploy deployment failed on its instances.",
    sources: &[
        "https://docs.aws.amazon.com/codedeploy/latest/userguide/troubleshooting-deployments.html",
        "https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_LifecycleEvent.html",
    ],
    subject: Subject::Message,
    in_diagnosis: InDiagnosis::NOTHING,
    check,
};

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    let Some(event) = facts.incident().filter(|it| Provider::of(&it.action) == Provider::CodeDeploy) else {
        return;
    };
    let Some(id) = event.failure.deployment_id() else { return };
    // A message that tells of something else is not about the instances.
    let of_instances = [ErrorSignature::Instances, ErrorSignature::InstanceBucket, ErrorSignature::OwnWork];
    if !event.claims.iter().all(|claim| of_instances.contains(claim)) {
        return;
    }
    let known = facts.snapshot().deployments.get(id).map_or(Fact::Unknown, Fact::as_ref);
    let failed = known.known().and_then(|deployment| first_failed(deployment));
    if failed.is_none() && known.is_unknown() {
        cx.unknown(format!("deployments[\"{id}\"]"));
    }
    if failed.is_none() && event.claims.is_empty() {
        return;
    }
    let error = known
        .known()
        .and_then(|it| it.deployment_info.known())
        .and_then(|it| text(it, "/errorInformation/message"));
    let because =
        failed.unwrap_or_else(|| format!("CodeDeploy says: {}", error.unwrap_or(event.failure.message())));
    let deployment = format!("{} {}", in_region(facts.region_of(&event.action)), option("deployment-id", id));
    let command = format!(
        "aws deploy batch-get-deployment-targets{deployment} --target-ids \\\n\
         $(aws deploy list-deployment-targets{deployment} --query targetIds --output text)"
    );
    cx.report(Fault {
        location: format!("deployments[\"{id}\"]"),
        message: format!("deployment {id} of {} failed on its instances", event.label()),
        because,
        fix: Fix {
            summary: "check the lifecycle event that failed; where it is DownloadBundle, check the instance role (IA007); where there is none, check that the agent runs".into(),
            command: Some(show(facts.account_of(&event.action), &command)),
            ..Fix::default()
        },
        ..Fault::default()
    });
}

/// Target, lifecycle event and log of the first failure.
fn first_failed(deployment: &DeploymentFacts) -> Option<String> {
    let targets = deployment.targets.known()?.iter();
    // `instanceTarget`, `ecsTarget`, …: the kind is the member.
    let kinds = targets.flat_map(|target| target.as_object().into_iter().flatten());
    kinds.filter(|(_, target)| target.is_object()).find_map(|(_, target)| {
        let events = target.get("lifecycleEvents").and_then(Value::as_array).into_iter().flatten();
        let failed = events.into_iter().find(|event| text(event, "/status") == Some("Failed"))?;
        let name = text(failed, "/lifecycleEventName").unwrap_or("a lifecycle event");
        let id = text(target, "/targetId").unwrap_or("an instance");
        let why = ["errorCode", "scriptName", "message", "logTail"]
            .into_iter()
            .filter_map(|member| text(failed, &format!("/diagnostics/{member}")));
        let why = hide_secrets(&why.map(str::trim).collect::<Vec<_>>().join(": "));
        Some(format!("{name} failed on {id}: {}", if why.is_empty() { "it says no more" } else { &why }))
    })
}
