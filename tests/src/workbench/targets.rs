//! What a workbench's custom resources change, one thing of each kind: made, described and read.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{ALLOWED_ACCOUNTS, Kind, Workbench, text};
use crate::CallError;
use crate::world::World;

/// One thing of each kind that Crosspipe changes, and a second key.
#[derive(Clone, Debug)]
pub struct Targets {
    /// ARNs of two keys.
    pub keys: [String; 2],
    /// Name of a bucket.
    pub bucket: String,
    /// Name of a service role.
    pub role: String,
    /// Name of a build project.
    pub project: String,
    /// Name of a pipeline.
    pub pipeline: String,
}

impl Workbench {
    /// New targets, as the world's own are.
    ///
    /// # Errors
    ///
    /// When one can't be made.
    pub fn make_targets(&self, name: &str) -> Result<Targets, CallError> {
        let world = &self.world;
        let call = |service, operation, request| world.tools.call(service, operation, request);
        let key_policy =
            call("kms", "get_key_policy", json!({"KeyId": world.key_arn, "PolicyName": "default"}))?;
        let make_key = || {
            let request = json!({"Policy": key_policy.get("Policy")});
            call("kms", "create_key", request).map(|key| text(&key, "/KeyMetadata/Arn"))
        };
        let keys = [make_key()?, make_key()?];
        let bucket = format!("{name}-{}", world.tools.id());
        let location = json!({"LocationConstraint": world.tools.region()});
        call(
            "s3",
            "create_bucket",
            json!({"Bucket": bucket, "CreateBucketConfiguration": location, "ObjectOwnership": "BucketOwnerEnforced"}),
        )?;
        let policy = text(&call("s3", "get_bucket_policy", json!({"Bucket": world.bucket}))?, "/Policy");
        let policy = policy.replace(&world.bucket, &bucket);
        call("s3", "put_bucket_policy", json!({"Bucket": bucket, "Policy": policy}))?;
        let role = format!("{name}-service-role");
        let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "codepipeline.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
        call("iam", "create_role", json!({"RoleName": role, "AssumeRolePolicyDocument": trust.to_string()}))?;
        put_foreign_role_policy(world, &role, "foreign")?;
        let project = format!("{name}-build");
        let environment = json!({"type": "LINUX_CONTAINER", "image": "aws/codebuild/standard:7.0", "computeType": "BUILD_GENERAL1_SMALL"});
        call(
            "codebuild",
            "create_project",
            json!({"name": project, "serviceRole": world.build_role_arn,
            "source": {"type": "CODEPIPELINE"}, "artifacts": {"type": "CODEPIPELINE"}, "environment": environment}),
        )?;
        let pipeline = format!("{name}-pipeline");
        let mut structure = call("codepipeline", "get_pipeline", json!({"name": world.pipeline}))?
            .get_mut("pipeline")
            .map(Value::take)
            .unwrap_or_default();
        if let Value::Object(structure) = &mut structure {
            structure.insert("name".to_owned(), json!(pipeline));
            structure.remove("version");
        }
        call("codepipeline", "create_pipeline", json!({"pipeline": structure}))?;
        Ok(Targets { keys, bucket, role, project, pipeline })
    }

    /// What a custom resource is given: first, and after an update.
    #[must_use]
    pub fn properties(&self, kind: Kind, targets: &Targets) -> [Value; 2] {
        let roles = ALLOWED_ACCOUNTS.map(|id| format!("arn:aws:iam::{id}:role/Deploy"));
        let [key, other_key] = &targets.keys;
        let first = ALLOWED_ACCOUNTS.get(..1).unwrap_or_default();
        let of_accounts = |accounts: &[&str]| match kind {
            Kind::Key => {
                json!({"KeyArn": key, "ServiceRoleArn": self.world.service_role_arn, "TargetAccounts": accounts})
            }
            _ => json!({"BucketName": targets.bucket, "TargetAccounts": accounts}),
        };
        match kind {
            Kind::Key | Kind::Bucket => [of_accounts(first), of_accounts(&ALLOWED_ACCOUNTS)],
            Kind::Role => [roles.get(..1).unwrap_or_default(), &roles]
                .map(|roles| json!({"RoleName": targets.role, "TargetRoleArns": roles})),
            Kind::Project => {
                [key, other_key].map(|key| json!({"ProjectNames": [targets.project], "KeyArn": key}))
            }
            Kind::Pipeline => {
                [key, other_key].map(|key| json!({"PipelineName": targets.pipeline, "EncryptionKeyArn": key}))
            }
        }
    }

    /// The target of a custom resource of this kind as it is now, without what changes with every write. Statements of
    /// Crosspipe come after the others, by name: their place is nobody's.
    ///
    /// # Errors
    ///
    /// When AWS does not answer.
    pub fn read(&self, kind: Kind, targets: &Targets) -> Result<Value, CallError> {
        let call = |service, operation, request| self.world.tools.call(service, operation, request);
        let [key, _] = &targets.keys;
        Ok(match kind {
            Kind::Key => {
                sorted(&call("kms", "get_key_policy", json!({"KeyId": key, "PolicyName": "default"}))?)
            }
            Kind::Bucket => sorted(&call("s3", "get_bucket_policy", json!({"Bucket": targets.bucket}))?),
            Kind::Role => {
                let listed = call("iam", "list_role_policies", json!({"RoleName": targets.role}))?;
                let names = listed.get("PolicyNames").and_then(Value::as_array).cloned().unwrap_or_default();
                let mut policies = BTreeMap::new();
                for name in names.iter().filter_map(Value::as_str) {
                    let request = json!({"RoleName": targets.role, "PolicyName": name});
                    let policy = call("iam", "get_role_policy", request)?;
                    policies.insert(name.to_owned(), policy.get("PolicyDocument").cloned());
                }
                json!(policies)
            }
            Kind::Project => {
                let answer = call("codebuild", "batch_get_projects", json!({"names": [targets.project]}))?;
                let mut project = answer.pointer("/projects/0").cloned().unwrap_or_default();
                if let Value::Object(project) = &mut project {
                    project.remove("lastModified");
                    // The default is shown, or not.
                    project.retain(|name, value| {
                        name != "encryptionKey" || !value.to_string().contains("alias/aws/s3")
                    });
                }
                project
            }
            Kind::Pipeline => {
                let mut answer = call("codepipeline", "get_pipeline", json!({"name": targets.pipeline}))?;
                let mut pipeline = answer.get_mut("pipeline").map(Value::take).unwrap_or_default();
                if let Value::Object(pipeline) = &mut pipeline {
                    pipeline.remove("version");
                }
                pipeline
            }
        })
    }

    /// The ARN that the lock table has a target under.
    #[must_use]
    pub fn lock_key(&self, kind: Kind, targets: &Targets) -> String {
        let (id, region) = (self.world.tools.id(), self.world.tools.region());
        let [key, _] = &targets.keys;
        match kind {
            Kind::Key => key.clone(),
            Kind::Bucket => format!("arn:aws:s3:::{}", targets.bucket),
            Kind::Role => format!("arn:aws:iam::{id}:role/{}", targets.role),
            Kind::Project => format!("arn:aws:codebuild:{region}:{id}:project/{}", targets.project),
            Kind::Pipeline => format!("arn:aws:codepipeline:{region}:{id}:{}", targets.pipeline),
        }
    }
}

/// A policy that is not Crosspipe's.
///
/// # Errors
///
/// When IAM refuses it.
pub fn put_foreign_role_policy(world: &World<'_>, role: &str, name: &str) -> Result<(), CallError> {
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"}]});
    let request = json!({"RoleName": role, "PolicyName": name, "PolicyDocument": policy.to_string()});
    world.tools.call("iam", "put_role_policy", request).map(drop)
}

/// Whether a statement is one of Crosspipe's.
#[must_use]
pub fn is_own_statement(statement: &Value) -> bool {
    statement.get("Sid").and_then(Value::as_str).is_some_and(|sid| sid.starts_with("Crosspipe"))
}

/// The policy in an answer, Crosspipe's statements after the others and by name.
fn sorted(answer: &Value) -> Value {
    let mut policy: Value = serde_json::from_str(&text(answer, "/Policy")).unwrap_or_default();
    if let Some(statements) = policy.get_mut("Statement").and_then(Value::as_array_mut) {
        let (mut own, others): (Vec<Value>, Vec<Value>) =
            std::mem::take(statements).into_iter().partition(is_own_statement);
        own.sort_by_key(Value::to_string);
        *statements = [others, own].concat();
    }
    policy
}
