//! A key on local AWS, and a stack that waits for a grant on it: what makes requests real.

use std::collections::BTreeMap;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use crosspipe_e2e::world::World;
use crosspipe_e2e::{CallError, LocalAws, SetupError, functions};
use serde_json::{Value, json};

use crate::host::Host;

const REGION: &str = "eu-west-1";
const LOCK_TABLE: &str = "locks";
const STACK: &str = "bench";
const LOGICAL_ID: &str = "Grant";
const PATIENCE: Duration = Duration::from_secs(60);
/// A function that never answers serves the grant, so that the stack is in progress for as long as the bench takes.
const TEMPLATE: &str = "Transform: AWS::Serverless-2016-10-31
Resources:
  Probe:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: .
      Runtime: provided.al2023
      Handler: bootstrap
  Grant:
    Type: Custom::ArtifactKeyGrant
    Properties: {ServiceToken: !GetAtt Probe.Arn, ServiceTimeout: 3600, Silent: true}
";

/// The tools account, with a stack in progress.
pub(crate) struct Scene<'aws> {
    world: World<'aws>,
    stack_id: String,
    /// How the key policy was.
    before: Value,
}

impl<'aws> Scene<'aws> {
    /// Makes it all.
    ///
    /// # Errors
    ///
    /// When local AWS refuses something.
    pub(crate) fn build(aws: &'aws LocalAws) -> Result<Self, SetupError> {
        let world = World::build(aws, REGION)?;
        let making = || SetupError::while_doing::<CallError>("making the bench's resources");
        let table = json!({
            "TableName": LOCK_TABLE, "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "LockKey", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "LockKey", "KeyType": "HASH"}],
        });
        world.tools.call("dynamodb", "create_table", table).map_err(making())?;
        let code = functions::build_probe()?;
        let path = code.join("bench.yaml");
        fs::write(&path, TEMPLATE).map_err(SetupError::while_doing(path.display()))?;
        let bucket = format!("bench-{}", world.tools.id());
        let template = world
            .tools
            .package_template(&path, &BTreeMap::from([("Probe".to_owned(), code)]), &bucket)
            .map_err(making())?;
        let stack = json!({
            "StackName": STACK, "TemplateBody": template,
            "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        });
        let created = world.tools.call("cloudformation", "create_stack", stack).map_err(making())?;
        let stack_id = created.get("StackId").and_then(Value::as_str).unwrap_or_default().to_owned();
        let scene = Self { before: key_policy(&world)?, world, stack_id };
        scene.wait_for_request()?;
        Ok(scene)
    }

    /// The ARN that the functions are invoked under.
    pub(crate) fn function_arn(&self) -> String {
        format!("arn:aws:lambda:{REGION}:{}:function:bench", self.world.tools.id())
    }

    /// The environment of every function, as Lambda sets it.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let (account, endpoint) = (self.world.tools.id().to_owned(), self.world.tools.aws().endpoint());
        vec![
            ("PATH", "/usr/local/bin:/usr/bin:/bin".to_owned()),
            ("AWS_REGION", REGION.to_owned()),
            ("AWS_DEFAULT_REGION", REGION.to_owned()),
            ("AWS_ENDPOINT_URL", endpoint),
            ("AWS_ACCESS_KEY_ID", account.clone()),
            ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
            ("AWS_LAMBDA_FUNCTION_NAME", "bench".to_owned()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128".to_owned()),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/bench".to_owned()),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "bench".to_owned()),
            ("AWS_LAMBDA_LOG_FORMAT", "JSON".to_owned()),
            ("LOCK_TABLE", LOCK_TABLE.to_owned()),
            ("ALLOWED_ACCOUNTS", self.world.target.id().to_owned()),
            // The reporter does not start without a destination.
            ("ALERT_TOPIC_ARN", format!("arn:aws:sns:{REGION}:{}:bench", self.world.tools.id())),
        ]
    }

    /// A request of CloudFormation for the stack's grant.
    pub(crate) fn request(&self, kind: &str, number: u32, host: &Host, physical_id: Option<String>) -> Value {
        let mut request = json!({
            "RequestType": kind,
            // Of a process and a number: no two requests are the same.
            "RequestId": format!("{kind}-{number}-{}", host.address()),
            "ResponseURL": host.answer_url(),
            "StackId": self.stack_id,
            "LogicalResourceId": LOGICAL_ID,
            "ResourceType": "Custom::ArtifactKeyGrant",
            "ResourceProperties": {
                "ServiceToken": self.function_arn(),
                "KeyArn": self.world.key_arn,
                "ServiceRoleArn": self.world.service_role_arn,
                "TargetAccounts": [self.world.target.id()],
            },
        });
        if let (Some(id), Value::Object(members)) = (physical_id, &mut request) {
            members.insert("PhysicalResourceId".to_owned(), Value::String(id));
        }
        request
    }

    /// Whether the grant is there: a function that does nothing is not measured.
    ///
    /// # Errors
    ///
    /// When it is there and should not, or the other way round.
    pub(crate) fn check_granted(&self, wanted: bool) -> Result<(), SetupError> {
        let policy = key_policy(&self.world)?;
        let granted = policy != self.before && policy.to_string().contains(self.world.target.id());
        if granted == wanted && (wanted || policy == self.before) {
            return Ok(());
        }
        Err(SetupError::new(format!("the key policy is not as it should be now: {policy}")))
    }

    /// Waits until CloudFormation waits for the grant.
    fn wait_for_request(&self) -> Result<(), SetupError> {
        let asked = json!({"StackName": self.stack_id, "LogicalResourceId": LOGICAL_ID});
        let start = Instant::now();
        loop {
            let answer = self.world.tools.call("cloudformation", "describe_stack_resource", asked.clone());
            match answer {
                Ok(answer)
                    if answer.pointer("/StackResourceDetail/ResourceStatus").and_then(Value::as_str)
                        == Some("CREATE_IN_PROGRESS") =>
                {
                    return Ok(());
                }
                other if start.elapsed() > PATIENCE => {
                    return Err(SetupError::new(format!(
                        "CloudFormation does not wait for the grant: {other:?}"
                    )));
                }
                _ => thread::sleep(Duration::from_millis(50)),
            }
        }
    }
}

fn key_policy(world: &World<'_>) -> Result<Value, SetupError> {
    let asked = json!({"KeyId": world.key_arn, "PolicyName": "default"});
    let answer = world
        .tools
        .call("kms", "get_key_policy", asked)
        .map_err(SetupError::while_doing("reading the key policy"))?;
    let text = answer.get("Policy").and_then(Value::as_str).unwrap_or_default();
    serde_json::from_str(text).map_err(SetupError::while_doing("reading the key policy"))
}
