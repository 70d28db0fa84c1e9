//! Which findings the custom resources can remediate, and the request with which the reporter asks for it.
//!
//! A finding can be remediated where something that a custom resource wrote is missing. The failure reporter names
//! the [`Target`] in a [`ReapplyRequest`]. The access provider, which alone may write, applies again what its own
//! records say was applied to that target. So a request can't ask for anything that was not deployed.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::arn::Arn;
use crate::evaluation::Side;
use crate::pipeline::Pipeline;
use crate::rules::{Denied, Finding, Severity};
use crate::snapshot::{Fact, Snapshot};

pub use crate::rules::ResourceType;

/// Something that custom resources write to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Target {
    /// The type of the custom resources that write to it.
    pub kind: ResourceType,
    /// As in their physical ids: a key by ARN, a bucket, role or pipeline by name.
    pub name: String,
}

impl Target {
    /// What a custom resource writes there: "the statements in the policy of bucket `artifacts`".
    pub fn label(&self) -> String {
        let what = match self.kind {
            ResourceType::ArtifactKeyGrant => "the statements in the policy of key",
            ResourceType::ArtifactBucketGrant => "the statements in the policy of bucket",
            ResourceType::ServiceRoleGrant => "the inline policy of role",
            ResourceType::BuildProjectKey => "the encryption key of build project",
            ResourceType::PipelinePatch => "the patch of pipeline",
        };
        format!("{what} `{}`", self.name)
    }

    /// Whether the snapshot has the document that is written to. Where it has not, a finding that is gone proves
    /// nothing.
    pub fn is_readable_in(&self, snapshot: &Snapshot) -> bool {
        match self.kind {
            ResourceType::ArtifactKeyGrant => {
                let key = snapshot.keys.get(&self.name).map(|key| key.as_ref().part(|key| &key.policy));
                key.is_some_and(|policy| !policy.is_unknown())
            }
            ResourceType::ArtifactBucketGrant => {
                let bucket = snapshot.buckets.get(&self.name).map(|it| it.as_ref().part(|it| &it.policy));
                bucket.is_some_and(|policy| !policy.is_unknown())
            }
            ResourceType::ServiceRoleGrant => snapshot.roles.iter().any(|(arn, role)| {
                let named = Arn::parse(arn).is_ok_and(|arn| arn.role_name() == Some(self.name.as_str()));
                let role = role.as_ref();
                named
                    && !role.part(|role| &role.inline_policies).is_unknown()
                    && !role.part(|role| &role.attached_policies).is_unknown()
            }),
            ResourceType::BuildProjectKey => {
                let project = snapshot.build_projects.get(&self.name).map(Fact::as_ref);
                project.is_some_and(|it| !it.part(|it| &it.encryption_key).is_unknown())
            }
            ResourceType::PipelinePatch => !snapshot.pipeline.is_unknown(),
        }
    }
}

/// The targets where a custom resource can have written what the finding finds missing; empty where no custom
/// resource could resolve it.
pub fn targets(finding: &Finding, pipeline: &Pipeline) -> BTreeSet<Target> {
    let target = |kind: ResourceType, name: &str| Target { kind, name: name.to_owned() };
    // No grant overrules an explicit Deny.
    let denied = || finding.denied.iter().filter(|denied| !denied.explicit);
    if finding.severity != Severity::Error {
        return BTreeSet::new();
    }
    let written_by = finding.rule.rule().and_then(|rule| rule.in_diagnosis.remediated_by);
    match written_by {
        Some(kind @ ResourceType::ArtifactKeyGrant) => {
            let is_key = |it: &&Denied| Arn::parse(&it.resource).is_ok_and(|arn| arn.service() == "kms");
            denied().filter(is_key).map(|denied| target(kind, &denied.resource)).collect()
        }
        Some(kind @ ResourceType::ArtifactBucketGrant) => {
            let buckets = denied().filter_map(|denied| bucket_name(&denied.resource));
            buckets.map(|name| target(kind, &name)).collect()
        }
        Some(kind @ ResourceType::ServiceRoleGrant) => {
            // Custom resources write no permissions boundary.
            let roles = denied().filter(|denied| denied.side == Side::Identity);
            let roles = roles.filter_map(|denied| Arn::parse(&denied.principal).ok());
            let names = roles.filter_map(|role| role.role_name().map(str::to_owned));
            names.map(|name| target(kind, &name)).collect()
        }
        Some(kind @ ResourceType::PipelinePatch) => BTreeSet::from([target(kind, pipeline.name())]),
        // Which project is meant, no denied request says.
        Some(ResourceType::BuildProjectKey) | None => BTreeSet::new(),
    }
}

/// The bucket of an ARN of it or of its objects.
fn bucket_name(arn: &str) -> Option<String> {
    let arn = Arn::parse(arn).ok().filter(|arn| arn.service() == "s3")?;
    arn.resource().split('/').next().map(str::to_owned)
}

/// Asks the access provider to apply again what it has applied to a target. As JSON
/// `{"crosspipe": "reapply", "target": {"kind": "ArtifactBucketGrant", "name": "…"}, "deadline": 1700000000000}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReapplyRequest {
    crosspipe: Verb,
    /// What to apply again.
    pub target: Target,
    /// When the reporter stops waiting, in milliseconds since the epoch.
    pub deadline: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Verb {
    Reapply,
}

/// What the access provider did about a [`ReapplyRequest`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReapplyResponse {
    /// The outcome of each custom resource that owns something there; empty where none does.
    pub resources: Vec<Reapplied>,
    /// Why nothing could be done at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// One custom resource, applied again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reapplied {
    /// The ARN of its stack.
    pub stack_id: String,
    /// Its logical id there.
    pub logical_id: String,
    /// Whether something was missing, and was written.
    pub changed: bool,
    /// Why it could not be applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl ReapplyRequest {
    /// A request that is waited for until `deadline`, in milliseconds since the epoch.
    pub fn new(target: Target, deadline: u64) -> Self {
        ReapplyRequest { crosspipe: Verb::Reapply, target, deadline }
    }

    /// Reads the request in a function's event. None where the event is something else, such as a request of
    /// CloudFormation (which always has a `ResponseURL`).
    ///
    /// # Errors
    /// When the request can't be read.
    pub fn from_event(event: &Value) -> Option<Result<Self, serde_json::Error>> {
        let is_reapply = event.get("crosspipe").is_some() && event.get("ResponseURL").is_none();
        is_reapply.then(|| ReapplyRequest::deserialize(event))
    }
}

impl Reapplied {
    /// "`Grant` of stack `crosspipe`".
    pub fn label(&self) -> String {
        // arn:aws:cloudformation:<Region>:<account>:stack/<name>/<id>
        let stack = self.stack_id.split('/').nth(1).unwrap_or(&self.stack_id);
        format!("`{}` of stack `{stack}`", self.logical_id)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rules::{Denied, RuleId, StatementForm};

    fn finding(rule: RuleId, denied: &[(&str, &str, Side)]) -> Finding {
        let denied = denied.iter().map(|(principal, resource, side)| Denied {
            principal: (*principal).to_owned(),
            action: "any".to_owned(),
            resource: (*resource).to_owned(),
            side: *side,
            explicit: false,
        });
        Finding {
            rule,
            name: "",
            subject: crate::rules::find(rule.as_str()).unwrap().subject,
            severity: Severity::Error,
            location: String::new(),
            message: String::new(),
            because: String::new(),
            fix: String::new(),
            statements: vec![],
            statement_form: StatementForm::Json,
            summary: String::new(),
            command: None,
            crosspipe: None,
            docs: "",
            denied: denied.collect(),
            is_told: false,
        }
    }

    fn found(finding: &Finding) -> Vec<(ResourceType, String)> {
        let pipeline = json!({"name": "orders", "roleArn": "arn:aws:iam::111111111111:role/sr",
            "artifactStore": {"type": "S3", "location": "artifacts"}, "stages": []});
        let pipeline = Pipeline::parse(json!({ "pipeline": pipeline })).unwrap();
        targets(finding, &pipeline).into_iter().map(|target| (target.kind, target.name)).collect()
    }

    const TARGET: &str = "arn:aws:iam::222222222222:role/target";
    const SERVICE: &str = "arn:aws:iam::111111111111:role/service-role/sr";
    const KEY: &str = "arn:aws:kms:eu-west-1:111111111111:key/1";

    #[test]
    fn remediable_findings_have_targets() {
        let key = finding(RuleId::Km001, &[(TARGET, KEY, Side::Resource), (TARGET, KEY, Side::Resource)]);
        assert_eq!(found(&key), [(ResourceType::ArtifactKeyGrant, KEY.to_owned())]);
        let object = "arn:aws:s3:::artifacts/orders/Build/x";
        let bucket = finding(
            RuleId::S3001,
            &[(TARGET, object, Side::Resource), (TARGET, "arn:aws:s3:::artifacts", Side::Resource)],
        );
        assert_eq!(found(&bucket), [(ResourceType::ArtifactBucketGrant, "artifacts".to_owned())]);
        let role = finding(RuleId::Ia001, &[(SERVICE, TARGET, Side::Identity)]);
        assert_eq!(found(&role), [(ResourceType::ServiceRoleGrant, "sr".to_owned())]);
        assert_eq!(found(&finding(RuleId::Pl002, &[])), [(ResourceType::PipelinePatch, "orders".to_owned())]);
    }

    #[test]
    fn other_findings_have_no_target() {
        assert_eq!(found(&finding(RuleId::Ia001, &[(SERVICE, TARGET, Side::PermissionsBoundary)])), []);
        assert_eq!(found(&finding(RuleId::Ia004, &[(TARGET, KEY, Side::Identity)])), []);
        assert_eq!(found(&finding(RuleId::S3002, &[(TARGET, "arn:aws:s3:::artifacts", Side::Resource)])), []);
        let mut explicit = finding(RuleId::Km001, &[(TARGET, KEY, Side::Resource)]);
        explicit.denied[0].explicit = true;
        assert_eq!(found(&explicit), []);
        let warning = Finding { severity: Severity::Warning, ..finding(RuleId::Pl002, &[]) };
        assert_eq!(found(&warning), []);
    }

    #[test]
    fn unread_target_is_not_shown() {
        let target = |kind: ResourceType, name: &str| Target { kind, name: name.to_owned() };
        let all = [
            target(ResourceType::ArtifactKeyGrant, KEY),
            target(ResourceType::ArtifactBucketGrant, "artifacts"),
            target(ResourceType::ServiceRoleGrant, "sr"),
            target(ResourceType::PipelinePatch, "orders"),
        ];
        let policy = json!({"Version": "2012-10-17", "Statement": []});
        let whole = json!({
            "pipeline": {}, "keys": {KEY: {"policy": policy}}, "buckets": {"artifacts": {"policy": null}},
            "roles": {SERVICE: {"inlinePolicies": {}, "attachedPolicies": {}}},
        });
        let shown = |snapshot: &Value| {
            let snapshot: Snapshot = serde_json::from_value(snapshot.clone()).unwrap();
            all.iter().map(|target| target.is_readable_in(&snapshot)).collect::<Vec<_>>()
        };
        assert_eq!(shown(&whole), [true; 4]);
        for (hidden, pointer) in [
            (0, format!("/keys/{}", KEY.replace('/', "~1"))),
            (1, "/buckets/artifacts".into()),
            (2, format!("/roles/{}", SERVICE.replace('/', "~1"))),
        ] {
            let mut snapshot = whole.clone();
            *snapshot.pointer_mut(&pointer).unwrap() = json!({});
            let expected: Vec<bool> = (0..4).map(|index| index != hidden).collect();
            assert_eq!(shown(&snapshot), expected, "{pointer}");
        }
        assert_eq!(shown(&json!({})), [false; 4]);
    }

    #[test]
    fn reapply_request_is_recognized() {
        let target = Target { kind: ResourceType::ArtifactBucketGrant, name: "artifacts".to_owned() };
        let request = ReapplyRequest::new(target, 7);
        let mut event = serde_json::to_value(&request).unwrap();
        assert_eq!(
            event,
            json!({"crosspipe": "reapply", "target": {"kind": "ArtifactBucketGrant", "name": "artifacts"}, "deadline": 7})
        );
        assert_eq!(ReapplyRequest::from_event(&event).unwrap().unwrap(), request);
        event["crosspipe"] = json!("grant");
        assert!(ReapplyRequest::from_event(&event).unwrap().is_err(), "there is one kind of request only");
        event["ResponseURL"] = json!("https://example.com");
        assert!(ReapplyRequest::from_event(&event).is_none(), "whoever waits there has to be answered there");
        assert!(ReapplyRequest::from_event(&json!([])).is_none());
    }
}
