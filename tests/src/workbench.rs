//! The access provider outside of a stack: function processes that are sent CloudFormation's requests by hand, and things
//! to change in an account without Crosspipe.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::answers::Answers;
use crate::function_process::FunctionProcess;
use crate::functions::{self, Functions};
use crate::world::World;
use crate::{CallError, LocalAws, SetupError, target_dir};

/// Accounts that may be given access, beside those of [`writer_accounts`].
pub const ALLOWED_ACCOUNTS: [&str; 2] = ["555555555555", "666666666666"];
/// The most writers that [`writer_accounts`] has accounts for.
pub const MOST_WRITERS: usize = 60;
/// The Region of it all.
const REGION: &str = "eu-west-1";
const LOCK_TABLE: &str = "locks";
const PATIENCE: Duration = Duration::from_secs(120);

/// An account with a lock table, and the functions.
#[derive(Debug)]
pub struct Workbench {
    /// The account as it is before Crosspipe comes.
    pub world: World<'static>,
    /// The functions, built.
    pub functions: Functions,
    /// Where answers go.
    pub answers: Answers,
    log: PathBuf,
}

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

/// A type of custom resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `Custom::ArtifactKeyGrant`
    Key,
    /// `Custom::ArtifactBucketGrant`
    Bucket,
    /// `Custom::ServiceRoleGrant`
    Role,
    /// `Custom::BuildProjectKey`
    Project,
    /// `Custom::PipelinePatch`
    Pipeline,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Key, Self::Bucket, Self::Role, Self::Project, Self::Pipeline];

    /// The name after `Custom::`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Key => "ArtifactKeyGrant",
            Self::Bucket => "ArtifactBucketGrant",
            Self::Role => "ServiceRoleGrant",
            Self::Project => "BuildProjectKey",
            Self::Pipeline => "PipelinePatch",
        }
    }
}

/// A custom resource of a stack.
#[derive(Clone, Debug)]
pub struct Owner {
    /// The stack, which is in progress.
    pub stack_id: String,
    /// The resource in it.
    pub logical_id: String,
    /// Its type.
    pub kind: Kind,
}

impl Owner {
    /// CloudFormation's request.
    #[must_use]
    pub fn request(
        &self,
        request_type: &str,
        request_id: &str,
        properties: &Value,
        answers: &Answers,
    ) -> Value {
        json!({
            "RequestType": request_type, "RequestId": request_id, "StackId": self.stack_id,
            "LogicalResourceId": self.logical_id, "ResourceType": format!("Custom::{}", self.kind.name()),
            "ResourceProperties": properties, "ResponseURL": answers.url(request_id),
        })
    }
}

impl Workbench {
    /// A new account on the server that all share.
    ///
    /// # Errors
    ///
    /// When something can't be made.
    pub fn build() -> Result<Self, SetupError> {
        let functions = functions::build()?;
        let world = World::build(LocalAws::shared(), REGION)?;
        let table = json!({
            "TableName": LOCK_TABLE, "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "LockKey", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "LockKey", "KeyType": "HASH"}],
        });
        world
            .tools
            .call("dynamodb", "create_table", table)
            .map_err(SetupError::while_doing("making the lock table"))?;
        let log = target_dir()?.join("local-aws").join(format!("functions-{}.log", world.tools.id()));
        Ok(Self { world, functions, answers: Answers::start()?, log })
    }

    /// A process of the access provider that calls AWS at this endpoint.
    ///
    /// # Errors
    ///
    /// When it can't be started.
    pub fn start_provider(&self, endpoint: &str) -> Result<FunctionProcess, SetupError> {
        let of_writers = (0..MOST_WRITERS).flat_map(writer_accounts);
        let accounts: Vec<String> =
            ALLOWED_ACCOUNTS.map(str::to_owned).into_iter().chain(of_writers).collect();
        let more = [
            ("ALLOWED_ACCOUNTS", accounts.join(",")),
            ("ALLOWED_ROLE_ARNS", ALLOWED_ACCOUNTS.map(|id| format!("arn:aws:iam::{id}:role/*")).join(",")),
        ];
        self.start("access-provider", &self.functions.access_provider, endpoint, &more)
    }

    /// A process of the failure reporter, with these variables beside the common ones.
    ///
    /// # Errors
    ///
    /// When it can't be started.
    pub fn start_reporter(
        &self,
        endpoint: &str,
        variables: &[(&str, String)],
    ) -> Result<FunctionProcess, SetupError> {
        self.start("failure-reporter", &self.functions.failure_reporter, endpoint, variables)
    }

    fn start(
        &self,
        name: &str,
        folder: &std::path::Path,
        endpoint: &str,
        variables: &[(&str, String)],
    ) -> Result<FunctionProcess, SetupError> {
        let tools = &self.world.tools;
        let common = [
            ("AWS_ENDPOINT_URL", endpoint.to_owned()),
            ("AWS_REGION", tools.region().to_owned()),
            // Twelve digits: the root user of this account.
            ("AWS_ACCESS_KEY_ID", tools.id().to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
            ("LOCK_TABLE", LOCK_TABLE.to_owned()),
            ("RUST_LOG", "warn,access_provider=info,failure_reporter=info,crosspipe=info".to_owned()),
        ];
        let all = common.iter().chain(variables).map(|(name, value)| ((*name).to_owned(), value.clone()));
        let environment: Vec<(String, String)> = all.collect();
        let arn = format!("arn:aws:lambda:{}:{}:function:{name}", tools.region(), tools.id());
        FunctionProcess::start(folder, &arn, &environment, &self.log)
    }

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

    /// The row of the lock table; null where there is none.
    ///
    /// # Errors
    ///
    /// When AWS does not answer.
    pub fn lock_row(&self, key: &str) -> Result<Value, CallError> {
        let request =
            json!({"TableName": LOCK_TABLE, "Key": {"LockKey": {"S": key}}, "ConsistentRead": true});
        let mut answer = self.world.tools.call("dynamodb", "get_item", request)?;
        Ok(answer.get_mut("Item").map(Value::take).unwrap_or_default())
    }

    /// Forgets what is on record of a target.
    ///
    /// # Errors
    ///
    /// When AWS does not answer.
    pub fn delete_lock_row(&self, key: &str) -> Result<(), CallError> {
        let request = json!({"TableName": LOCK_TABLE, "Key": {"LockKey": {"S": key}}});
        self.world.tools.call("dynamodb", "delete_item", request).map(drop)
    }

    /// Custom resources of a stack that stays in progress: requests in their name are real.
    ///
    /// # Errors
    ///
    /// When the stack does not come so far.
    pub fn open_stack(&self, name: &str, resources: &[(String, Kind)]) -> Result<Vec<Owner>, SetupError> {
        let doing = || SetupError::while_doing::<CallError>(format!("opening the stack `{name}`"));
        let tools = &self.world.tools;
        let packaged = self.package_stack(name, resources)?;
        let request = json!({"StackName": name, "TemplateBody": packaged, "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]});
        let created = tools.call("cloudformation", "create_stack", request).map_err(doing())?;
        let stack_id = text(&created, "/StackId");
        let started = Instant::now();
        loop {
            let events = tools.stack_events(&stack_id).map_err(doing())?;
            if events.iter().any(|event| event.logical_id == "Wait") {
                break;
            }
            if started.elapsed() > PATIENCE || events.iter().any(|event| event.status.ends_with("FAILED")) {
                let last = events
                    .iter()
                    .map(|event| format!("{} {} {}", event.logical_id, event.status, event.reason));
                return Err(SetupError::new(format!(
                    "the stack `{name}` does not wait: {}",
                    last.collect::<Vec<_>>().join(", ")
                )));
            }
            thread::sleep(Duration::from_millis(100));
        }
        let owner = |(logical_id, kind): &(String, Kind)| Owner {
            stack_id: stack_id.clone(),
            logical_id: logical_id.clone(),
            kind: *kind,
        };
        Ok(resources.iter().map(owner).collect())
    }

    /// A template whose custom resources are made by the probe function, and which then waits.
    fn package_stack(&self, name: &str, resources: &[(String, Kind)]) -> Result<String, SetupError> {
        let mut custom = String::new();
        for (logical_id, kind) in resources {
            custom += &format!(
                "  {logical_id}:\n    Type: Custom::{}\n    Properties: {{ServiceToken: !GetAtt Probe.Arn}}\n",
                kind.name()
            );
        }
        let names: Vec<&str> = resources.iter().map(|(logical_id, _)| logical_id.as_str()).collect();
        let template = format!(
            "Transform: AWS::Serverless-2016-10-31\nGlobals:\n  Function:\n    Runtime: provided.al2023\nResources:\n  Probe:\n    \
             Type: AWS::Serverless::Function\n    Properties:\n      CodeUri: .\n      Handler: bootstrap\n      Timeout: 20\n{custom}  \
             Handle:\n    Type: AWS::CloudFormation::WaitConditionHandle\n  Wait:\n    Type: AWS::CloudFormation::WaitCondition\n    \
             DependsOn: [{}]\n    Properties: {{Handle: !Ref Handle, Timeout: '43200'}}\n",
            names.join(", ")
        );
        let code = functions::build_probe()?;
        let (tools, path) = (&self.world.tools, code.join(format!("{name}-{}.yaml", self.world.tools.id())));
        fs::write(&path, &template)
            .map_err(SetupError::while_doing(format!("writing `{}`", path.display())))?;
        let code = BTreeMap::from([("Probe".to_owned(), code)]);
        let packaged = tools.package_template(&path, &code, &format!("code-{}", tools.id()));
        packaged.map_err(SetupError::while_doing("uploading the probe function"))
    }
}

/// The accounts that one writer of many gives access to: at first the one, after an update both.
#[must_use]
pub fn writer_accounts(writer: usize) -> [String; 2] {
    [format!("7{writer:011}"), format!("8{writer:011}")]
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

fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}
