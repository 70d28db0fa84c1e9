//! Everything of `fixtures/`, made in two fresh accounts.

use serde_json::{Value, json};

use super::World;
use crate::fixtures::{self, Role};
use crate::{Account, CallError, LocalAws, SetupError};

/// The pipeline's build projects.
pub const BUILD_PROJECTS: [&str; 2] = ["orders-build", "orders-integration-tests"];

type Values<'a> = Vec<(&'static str, &'a str)>;

impl<'aws> World<'aws> {
    /// Makes key, bucket with an artifact, service role and pipeline in a new tools account, and an instance role in a
    /// new target account.
    ///
    /// # Errors
    ///
    /// When AWS refuses something: with what was being made.
    pub fn build(aws: &'aws LocalAws, region: &str) -> Result<Self, SetupError> {
        let [tools, target] = aws.new_accounts().map(|id| aws.account(id).in_region(region));
        let bucket = format!("codepipeline-{region}-{}", tools.id());
        let values: Values = vec![
            ("ToolsAccount", tools.id()),
            ("TargetAccount", target.id()),
            ("AuditAccount", fixtures::AUDIT_ACCOUNT),
            ("Region", region),
            ("Bucket", &bucket),
        ];
        role(&tools, fixtures::KEY_ADMINISTRATOR, &values)?;
        let (service_role, service_role_arn) = role(&tools, fixtures::SERVICE_ROLE, &values)?;
        let (instance_role, _) = role(&target, fixtures::INSTANCE_ROLE, &values)?;
        let key_arn = key(&tools, &values)?;
        let artifact = "orders/BuildOutpu/h7Xk2Qa".to_owned();
        artifact_bucket(&tools, &bucket, &key_arn, &artifact, &values)?;
        let (_, build_role_arn) = role(&tools, fixtures::BUILD_ROLE, &values)?;
        for project in BUILD_PROJECTS {
            build_project(&tools, project, &build_role_arn)?;
        }
        let pipeline = pipeline(&tools, &service_role_arn, values.clone())?;
        Ok(Self {
            tools: tools.clone(),
            target: target.clone(),
            pipeline,
            bucket: bucket.clone(),
            key_arn,
            service_role_arn,
            service_role,
            build_role_arn,
            instance_role,
            artifact,
        })
    }
}

/// Makes the role and answers its name and ARN.
fn role(account: &Account<'_>, fixture: &str, values: &Values<'_>) -> Result<(String, String), SetupError> {
    let Role { path, name, trust, inline_policies, attached_policies } = fixtures::fill(fixture, values)?;
    let making = || SetupError::while_doing::<CallError>(format!("making the role `{name}`"));
    let request = json!({"RoleName": name, "Path": path, "AssumeRolePolicyDocument": trust.to_string()});
    let created = account.call("iam", "create_role", request).map_err(making())?;
    for (policy, document) in &inline_policies {
        let request = json!({"RoleName": name, "PolicyName": policy, "PolicyDocument": document.to_string()});
        account.call("iam", "put_role_policy", request).map_err(making())?;
    }
    for (policy, document) in &attached_policies {
        let (path, policy) = policy.rsplit_once('/').unwrap_or(("", policy));
        let request =
            json!({"PolicyName": policy, "Path": format!("{path}/"), "PolicyDocument": document.to_string()});
        let policy = account.call("iam", "create_policy", request).map_err(making())?;
        let request = json!({"RoleName": name, "PolicyArn": text(&policy, "/Policy/Arn")});
        account.call("iam", "attach_role_policy", request).map_err(making())?;
    }
    Ok((name.clone(), text(&created, "/Role/Arn")))
}

fn key(tools: &Account<'_>, values: &Values<'_>) -> Result<String, SetupError> {
    let making = || SetupError::while_doing::<CallError>("making the artifact key");
    let request =
        json!({"Description": "orders artifacts", "Tags": [{"TagKey": "team", "TagValue": "orders"}]});
    let arn = text(&tools.call("kms", "create_key", request).map_err(making())?, "/KeyMetadata/Arn");
    let policy: Value = fixtures::fill(fixtures::KEY_POLICY, values)?;
    let request = json!({"KeyId": arn, "PolicyName": "default", "Policy": policy.to_string()});
    tools.call("kms", "put_key_policy", request).map_err(making())?;
    let alias = json!({"AliasName": "alias/orders-artifacts", "TargetKeyId": arn});
    tools.call("kms", "create_alias", alias).map_err(making())?;
    Ok(arn)
}

fn artifact_bucket(
    tools: &Account<'_>,
    bucket: &str,
    key_arn: &str,
    artifact: &str,
    values: &Values<'_>,
) -> Result<(), SetupError> {
    let policy: Value = fixtures::fill(fixtures::BUCKET_POLICY, values)?;
    let mut create = json!({"Bucket": bucket, "ObjectOwnership": "BucketOwnerEnforced"});
    // The one Region that must not be named.
    if tools.region() != "us-east-1" {
        merge(&mut create, json!({"CreateBucketConfiguration": {"LocationConstraint": tools.region()}}));
    }
    let requests = [
        ("create_bucket", create),
        (
            "put_bucket_versioning",
            json!({"Bucket": bucket, "VersioningConfiguration": {"Status": "Enabled"}}),
        ),
        (
            "put_object",
            json!({
                "Bucket": bucket, "Key": artifact, "Body": "orders 1.4.2",
                "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key_arn,
            }),
        ),
        ("put_bucket_policy", json!({"Bucket": bucket, "Policy": policy.to_string()})),
    ];
    for (operation, request) in requests {
        let making = SetupError::while_doing::<CallError>(format!("making the bucket: {operation}"));
        tools.call("s3", operation, request).map_err(making)?;
    }
    Ok(())
}

/// A project as teams have it: without an encryption key, so that it encrypts under aws/s3.
fn build_project(tools: &Account<'_>, name: &str, role_arn: &str) -> Result<(), SetupError> {
    let request = json!({
        "name": name, "serviceRole": role_arn,
        "source": {"type": "CODEPIPELINE"}, "artifacts": {"type": "CODEPIPELINE"},
        "environment": {
            "type": "LINUX_CONTAINER", "image": "aws/codebuild/amazonlinux-x86_64-standard:5.0",
            "computeType": "BUILD_GENERAL1_SMALL",
        },
    });
    let making = SetupError::while_doing::<CallError>(format!("making the build project `{name}`"));
    tools.call("codebuild", "create_project", request).map_err(making).map(drop)
}

fn pipeline<'a>(
    tools: &Account<'_>,
    service_role_arn: &'a str,
    mut values: Values<'a>,
) -> Result<String, SetupError> {
    values.push(("ServiceRoleArn", service_role_arn));
    let pipeline: Value = fixtures::fill(fixtures::PIPELINE, &values)?;
    let tags: Value = fixtures::fill(fixtures::PIPELINE_TAGS, &values)?;
    let name = text(&pipeline, "/name");
    let making = SetupError::while_doing::<CallError>(format!("making the pipeline `{name}`"));
    tools
        .call("codepipeline", "create_pipeline", json!({"pipeline": pipeline, "tags": tags}))
        .map_err(making)?;
    Ok(name)
}

fn merge(into: &mut Value, other: Value) {
    if let (Value::Object(into), Value::Object(other)) = (into, other) {
        into.extend(other);
    }
}

fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}
