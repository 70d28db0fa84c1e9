//! Two accounts with a pipeline that deploys from one into the other.

use crosspipe_e2e::{Account, CallError, LocalAws};
use serde_json::{Value, json};

/// The tools account `a` with key, bucket and service role, the target account `b` with its role.
pub(crate) struct Scene {
    pub a: Account<'static>,
    pub b: Account<'static>,
    pub key_arn: String,
    pub bucket: String,
    pub service_role: String,
    pub target_role: String,
}

impl Scene {
    /// Everything is there but no grant: neither role may do anything.
    pub(crate) fn without_grants() -> Self {
        let aws = LocalAws::shared();
        let [a, b] = aws.new_accounts().map(|id| aws.account(id));
        let bucket = format!("artifacts-{}", a.id());
        let service_role = create_role(&a, "SR", &json!({"Service": "codepipeline.amazonaws.com"}));
        let target_role = create_role(&b, "XR", &json!({"AWS": service_role}));
        let location = json!({"LocationConstraint": a.region()});
        a.call("s3", "create_bucket", json!({"Bucket": bucket, "CreateBucketConfiguration": location}))
            .unwrap();
        let key = a.call("kms", "create_key", json!({})).unwrap();
        let key_arn = key.pointer("/KeyMetadata/Arn").and_then(Value::as_str).unwrap().to_owned();
        Self { a, b, key_arn, bucket, service_role, target_role }
    }

    /// Both sides grant what a CodeDeploy action needs.
    pub(crate) fn with_grants() -> Self {
        let scene = Self::without_grants();
        scene.let_service_role_assume();
        scene.put_bucket_policy(&scene.bucket_grant()).unwrap();
        scene.put_key_policy(&scene.key_grant()).unwrap();
        let objects = format!("arn:aws:s3:::{}/*", scene.bucket);
        put_role_policy(&scene.b, "XR", "artifacts", &allow("s3:GetObject", &objects)).unwrap();
        put_role_policy(&scene.b, "XR", "key", &allow("kms:Decrypt", &scene.key_arn)).unwrap();
        put_role_policy(&scene.b, "XR", "deploy", &allow("codedeploy:*", "*")).unwrap();
        scene
    }

    pub(crate) fn let_service_role_assume(&self) {
        put_role_policy(&self.a, "SR", "assume", &allow("sts:AssumeRole", &self.target_role)).unwrap();
    }

    pub(crate) fn bucket_grant(&self) -> Value {
        json!({
            "Effect": "Allow", "Principal": {"AWS": self.b.id()}, "Action": ["s3:GetObject"],
            "Resource": format!("arn:aws:s3:::{}/*", self.bucket),
        })
    }

    pub(crate) fn key_grant(&self) -> Value {
        json!({"Effect": "Allow", "Principal": {"AWS": self.target_role}, "Action": "kms:Decrypt", "Resource": "*"})
    }

    pub(crate) fn put_bucket_policy(&self, statement: &Value) -> Result<Value, CallError> {
        let policy = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
        self.a.call("s3", "put_bucket_policy", json!({"Bucket": self.bucket, "Policy": policy}))
    }

    /// Puts the statement beside the one that keeps the account in control of its key.
    pub(crate) fn put_key_policy(&self, statement: &Value) -> Result<Value, CallError> {
        let own = json!({"Effect": "Allow", "Principal": {"AWS": [self.a.id()]}, "Action": "kms:*", "Resource": "*"});
        let policy = json!({"Version": "2012-10-17", "Statement": [own, statement]}).to_string();
        self.a.call(
            "kms",
            "put_key_policy",
            json!({"KeyId": self.key_arn, "PolicyName": "default", "Policy": policy}),
        )
    }

    /// A pipeline with a source in A and a deployment in B.
    pub(crate) fn pipeline(&self, name: &str) -> Value {
        json!({
            "name": name,
            "roleArn": self.service_role,
            "artifactStore": {
                "type": "S3", "location": self.bucket, "encryptionKey": {"id": self.key_arn, "type": "KMS"},
            },
            "stages": [
                {"name": "Source", "actions": [
                    {"name": "Fetch", "actionTypeId": action_type("Source", "S3"), "outputArtifacts": [{"name": "App"}]},
                ]},
                {"name": "Staging", "actions": [
                    {
                        "name": "Deploy", "actionTypeId": action_type("Deploy", "CodeDeploy"),
                        "configuration": {"ApplicationName": "app", "DeploymentGroupName": "group"},
                        "inputArtifacts": [{"name": "App"}], "roleArn": self.target_role, "namespace": "DeployVariables",
                    },
                ]},
            ],
        })
    }

    pub(crate) fn create_pipeline(&self, name: &str) {
        self.a.call("codepipeline", "create_pipeline", json!({"pipeline": self.pipeline(name)})).unwrap();
    }

    /// Runs the pipeline and answers what became of its deployment: status and, if it failed, code and message.
    pub(crate) fn deploy(&self, name: &str) -> (String, String, String) {
        let started = self.a.call("codepipeline", "start_pipeline_execution", json!({"name": name})).unwrap();
        let filter = json!({"pipelineExecutionId": started["pipelineExecutionId"]});
        let request = json!({"pipelineName": name, "filter": filter});
        let listed = self.a.call("codepipeline", "list_action_executions", request).unwrap();
        let deployment = &listed["actionExecutionDetails"][0];
        assert_eq!(deployment["actionName"], "Deploy", "the newest action comes first: {listed}");
        let error = &deployment["output"]["executionResult"]["errorDetails"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (text(&deployment["status"]), text(&error["code"]), text(&error["message"]))
    }
}

pub(crate) fn action_type(category: &str, provider: &str) -> Value {
    json!({"category": category, "owner": "AWS", "provider": provider, "version": "1"})
}

pub(crate) fn create_role(account: &Account<'_>, name: &str, principal: &Value) -> String {
    let trust = json!({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}],
    });
    let request = json!({"RoleName": name, "AssumeRolePolicyDocument": trust.to_string()});
    let created = account.call("iam", "create_role", request).unwrap();
    created.pointer("/Role/Arn").and_then(Value::as_str).unwrap().to_owned()
}

pub(crate) fn allow(action: &str, resource: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource}]})
}

pub(crate) fn put_role_policy(
    account: &Account<'_>,
    role: &str,
    name: &str,
    policy: &Value,
) -> Result<Value, CallError> {
    let request = json!({"RoleName": role, "PolicyName": name, "PolicyDocument": policy.to_string()});
    account.call("iam", "put_role_policy", request)
}
