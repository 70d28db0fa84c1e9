//! What the builds of a pipeline's own account lack once the artifacts are under the customer managed key.

use std::collections::BTreeMap;

use crosspipe_aws::{Aws, AwsError};
use crosspipe_core::arn::Arn;
use crosspipe_core::evaluation::{
    Context, Decision, Policies, PolicySet, Request, Requester, ResourcePolicy, evaluate,
};
use crosspipe_core::grants::key;
use crosspipe_core::pipeline::{Action, Pipeline};
use crosspipe_core::policy::{PolicyDocument, PolicyError};
use crosspipe_core::providers::Provider;
use futures_util::future::{join, join_all};
use serde_json::{Value, json};

/// The build projects of a pipeline and the policies of its artifact keys, as far as they can be read.
#[derive(Debug, Default)]
pub(crate) struct LiveBuilds {
    /// `BatchGetProjects`' answer by name.
    projects: BTreeMap<String, Result<Value, Unread>>,
    /// Key policies by the ARN of the key.
    keys: BTreeMap<String, Result<PolicyDocument, Unread>>,
}

/// Why something could not be read.
#[derive(Debug, thiserror::Error)]
enum Unread {
    #[error("there is no project of that name")]
    Missing,
    #[error(transparent)]
    Aws(#[from] AwsError),
    #[error(transparent)]
    Policy(#[from] PolicyError),
}

/// The key that a project shows which was given none.
pub(crate) const AWS_MANAGED: &str = ":alias/aws/";

/// The builds of the pipeline's own account.
fn own_builds(pipeline: &Pipeline) -> impl Iterator<Item = (Action<'_>, &str)> {
    let own = pipeline.actions().filter(|it| pipeline.target_account(it).is_none());
    let builds = own.filter(|it| Provider::of(it) == Provider::CodeBuild);
    builds.filter_map(|it| Some((it, it.configuration("ProjectName")?)))
}

/// Reads the projects that the pipeline builds with, and the policies of these keys.
pub(crate) async fn read_builds(aws: &Aws, pipeline: &Pipeline, keys: &[&str]) -> LiveBuilds {
    let mut named: BTreeMap<&str, Option<&str>> = BTreeMap::new();
    named.extend(own_builds(pipeline).map(|(action, project)| (project, action.region())));
    if named.is_empty() {
        return LiveBuilds::default();
    }
    let projects = named.into_iter().map(async |(name, region)| {
        let aws = region.map_or_else(|| aws.clone(), |region| aws.in_region(region));
        let project = aws.codebuild().project(name).await.map_err(Unread::from);
        (name.to_owned(), project.and_then(|project| project.ok_or(Unread::Missing)))
    });
    let keys = keys.iter().filter_map(|arn| Arn::parse(arn).ok()).map(async |arn| {
        let policy = aws.in_region(arn.region()).kms().key_policy(arn.as_str()).await;
        let policy = policy.map_err(Unread::from).and_then(|text| Ok(PolicyDocument::parse(&text)?));
        (arn.to_string(), policy)
    });
    let (projects, keys) = join(join_all(projects), join_all(keys)).await;
    LiveBuilds { projects: projects.into_iter().collect(), keys: keys.into_iter().collect() }
}

impl LiveBuilds {
    /// What is missing, one sentence for each project and fault.
    pub(crate) fn notices(&self, pipeline: &Pipeline) -> Vec<String> {
        let mut notices = Vec::new();
        for (action, name) in own_builds(pipeline) {
            let key = pipeline.store_for(action.region()).and_then(|store| Arn::parse(store.key_id()?).ok());
            let (Some(key), Some(project)) = (key, self.projects.get(name)) else { continue };
            let label = format!("Build project `{name}` ({}/{})", action.stage().name(), action.name());
            let project = match project {
                Ok(project) => project,
                Err(error) => {
                    notices.push(format!("{label} could not be checked: {error}."));
                    continue;
                }
            };
            let text = |field: &str| project.get(field).and_then(Value::as_str).filter(|it| !it.is_empty());
            let own_key = text("encryptionKey").filter(|it| !it.contains(AWS_MANAGED));
            if action.output_artifacts().next().is_some() && own_key.is_none() {
                notices.push(format!(
                    "{label} has no encryption key, so its output is under aws/s3, which no other account can decrypt: give it `{key}` with Custom::BuildProjectKey."
                ));
            }
            let role = text("serviceRole").and_then(|role| Arn::parse(role).ok());
            notices.extend(role.and_then(|role| self.lacking_role(&label, &action, &key, role)));
        }
        notices.sort();
        notices.dedup();
        notices
    }

    fn lacking_role(&self, label: &str, action: &Action<'_>, key: &Arn, role: Arn) -> Option<String> {
        let policy = match self.keys.get(key.as_str())? {
            Ok(policy) => policy,
            Err(error) => {
                return Some(format!("{label}: the policy of its key could not be checked: {error}."));
            }
        };
        let needed = [
            action.input_artifacts().next().map(|_| "kms:Decrypt"),
            action.output_artifacts().next().map(|_| "kms:GenerateDataKey"),
        ];
        let needed: Vec<&str> = needed.into_iter().flatten().collect();
        let decide = |own: PolicySet<'_>| {
            let decisions =
                needed.iter().map(|action| decide_together(action, key, policy, &role, own.clone()));
            decisions.max_by_key(|decision| severity_of(*decision))
        };
        // By the key policy alone, and then if the role's own policies, which are not read here, said what is missing.
        let verb = match (decide(PolicySet::Known(vec![]))?, decide(PolicySet::unknown())?) {
            (Decision::Allowed, _) => return None,
            (Decision::ExplicitlyDenied, _) => "is denied by the key policy to use",
            (_, Decision::Unknown) => "must be allowed by its own policies, if not by the key policy, to use",
            _ => "is not allowed to use",
        };
        let statement = json!({"Effect": "Allow", "Principal": {"AWS": role.as_str()}, "Action": key::ACTIONS, "Resource": "*"});
        Some(format!(
            "{label}: its service role {verb} `{key}`. Name it in `OwnRoleArns` of Custom::ArtifactKeyGrant, or add to the key policy: {statement}."
        ))
    }
}

fn severity_of(decision: Decision) -> u8 {
    match decision {
        Decision::Allowed => 0,
        Decision::Unknown => 1,
        Decision::ImplicitlyDenied => 2,
        Decision::ExplicitlyDenied => 3,
    }
}

/// What the key policy says together with these policies of the role.
fn decide_together(
    action: &str,
    key: &Arn,
    policy: &PolicyDocument,
    role: &Arn,
    own: PolicySet<'_>,
) -> Decision {
    let request = Request {
        requester: Requester::Role(role.clone()),
        action,
        resource: key.as_str(),
        resource_account: Some(key.account()),
        context: Context::partial(),
    };
    let policies = Policies {
        identity: own,
        resource: ResourcePolicy::Known(policy),
        permissions_boundary: None,
        service_control_policies: vec![],
        key_grants: vec![],
    };
    evaluate(&request, &policies).decision
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "arn:aws:kms:eu-west-1:111111111111:key/1";
    const ROLE: &str = "arn:aws:iam::111111111111:role/build";

    fn notices(encryption_key: Option<&str>, statement: Value) -> Vec<String> {
        let build = json!({"name": "Package", "configuration": {"ProjectName": "p"},
            "actionTypeId": {"category": "Build", "owner": "AWS", "provider": "CodeBuild", "version": "1"},
            "inputArtifacts": [{"name": "In"}], "outputArtifacts": [{"name": "Out"}]});
        let store = json!({"type": "S3", "location": "b", "encryptionKey": {"id": KEY, "type": "KMS"}});
        let pipeline = json!({"name": "site", "roleArn": "arn:aws:iam::111111111111:role/service",
            "artifactStore": store, "stages": [{"name": "Build", "actions": [build]}]});
        let pipeline = Pipeline::parse(json!({ "pipeline": pipeline })).unwrap();
        let project = json!({"serviceRole": ROLE, "encryptionKey": encryption_key});
        let policy = json!({"Version": "2012-10-17", "Statement": [statement]});
        let builds = LiveBuilds {
            projects: BTreeMap::from([("p".to_owned(), Ok(project))]),
            keys: BTreeMap::from([(KEY.to_owned(), Ok(PolicyDocument::from_value(policy).unwrap()))]),
        };
        builds.notices(&pipeline)
    }

    fn allow(principal: &str) -> Value {
        json!({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "kms:*", "Resource": "*"})
    }

    #[test]
    fn nothing_missing_says_nothing() {
        assert_eq!(notices(Some(KEY), allow(ROLE)), [""; 0]);
    }

    #[test]
    fn missing_key_and_role_are_named() {
        for default in [None, Some("arn:aws:kms:eu-west-1:111111111111:alias/aws/s3")] {
            let found = notices(default, allow(ROLE));
            assert!(
                matches!(found.as_slice(), [one] if one.contains("Custom::BuildProjectKey")),
                "{found:?}"
            );
        }
        let other = "arn:aws:iam::111111111111:role/other";
        for (principal, verb) in [(other, "is not allowed"), ("111111111111", "by its own policies")] {
            let found = notices(Some(KEY), allow(principal));
            let [notice] = found.as_slice() else { panic!("{found:?}") };
            let parts = [verb, ROLE, "`OwnRoleArns`", "\"kms:Decrypt\""];
            assert!(parts.iter().all(|part| notice.contains(part)), "{notice}");
        }
    }
}
