//! The three templates, as they are shipped, put into the accounts of a [`World`] and taken out again.

use std::collections::BTreeMap;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{BUILD_PROJECTS, World};
use crate::functions::Functions;
use crate::{Account, CallError, StackError};

/// Name of the installation's stack (`template.yaml`).
pub const STACK: &str = "crosspipe";
/// Name of the pipeline's stack (`pipeline.yaml`).
pub const PIPELINE_STACK: &str = "crosspipe-orders";

const STACK_SET: &str = "crosspipe-target";
const TOOLS_TEMPLATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../template.yaml");
const PIPELINE_TEMPLATE: &str = include_str!("../../../pipeline.yaml");
const TARGET_TEMPLATE: &str = include_str!("../../../target-account.yaml");
const CAPABILITIES: [&str; 2] = ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"];
const PIPELINE_CAPABILITIES: [&str; 1] = ["CAPABILITY_IAM"];
/// Hundreds of accounts take their time.
const PATIENCE: Duration = Duration::from_secs(600);

/// Template parameters by name.
pub type Parameters = BTreeMap<&'static str, String>;

impl World<'_> {
    /// Parameters of `template.yaml`: this pipeline and what it uses may be changed, for the target account.
    #[must_use]
    pub fn tools_parameters(&self) -> Parameters {
        let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
        let project =
            |name| format!("arn:aws:codebuild:{}:{}:project/{name}", self.tools.region(), self.tools.id());
        let given = [
            ("PipelineArns", self.pipeline_arn()),
            ("ServiceRoleArns", self.service_role_arn.clone()),
            ("ArtifactBucketArns", format!("arn:aws:s3:::{}", self.bucket)),
            ("ArtifactKeyArns", self.key_arn.clone()),
            ("BuildProjectArns", BUILD_PROJECTS.map(project).join(",")),
            ("BuildRoleArns", self.build_role_arn.clone()),
            ("AllowedAccounts", self.target.id().to_owned()),
            ("Architecture", architecture.to_owned()),
        ];
        given.into()
    }

    /// Parameters of `pipeline.yaml`: the pipeline gets a stage `Production` that deploys into the target account,
    /// and its build projects the artifact key.
    #[must_use]
    pub fn pipeline_parameters(&self) -> Parameters {
        let given = [
            ("PipelineName", self.pipeline.as_str()),
            ("ServiceRoleName", &self.service_role),
            ("ArtifactBucketName", &self.bucket),
            ("ArtifactKeyArn", &self.key_arn),
            ("TargetAccountIds", self.target.id()),
            ("TargetRoleArns", &self.target_role_arn()),
            ("BuildProjectNames", &BUILD_PROJECTS.join(",")),
            ("BuildRoleArns", &self.build_role_arn),
            ("DeployStage", "Production"),
            ("DeployAfterStage", "Staging"),
            ("DeployInputArtifact", "BuildOutput"),
            ("DeployRoleArn", &self.target_role_arn()),
            ("CodeDeployApplicationName", "orders"),
            ("CodeDeployDeploymentGroupName", "orders-production"),
        ];
        given.map(|(name, value)| (name, value.to_owned())).into()
    }

    /// Parameters of `target-account.yaml`.
    #[must_use]
    pub fn target_parameters(&self) -> Parameters {
        let given = [
            ("ServiceRoleArns", self.service_role_arn.clone()),
            ("ArtifactBucketArns", format!("arn:aws:s3:::{}", self.bucket)),
            ("ArtifactKeyArns", self.key_arn.clone()),
            ("CodeDeployApplicationName", "orders".to_owned()),
            ("InstanceRoleNames", self.instance_role.clone()),
        ];
        given.into()
    }

    /// `target-account.yaml` into the target account, as a StackSet of the tools account.
    ///
    /// # Errors
    ///
    /// When CloudFormation refuses, or the instance is not current in the end: with its reason.
    pub fn deploy_target(&self) -> Result<(), CallError> {
        self.deploy_targets(&self.target_parameters(), &[&self.target])
    }

    /// `target-account.yaml` into these accounts, as a StackSet of the tools account.
    ///
    /// # Errors
    ///
    /// As [`Self::deploy_target`].
    pub fn deploy_targets(
        &self,
        parameters: &Parameters,
        accounts: &[&Account<'_>],
    ) -> Result<(), CallError> {
        let request = json!({
            "StackSetName": STACK_SET, "TemplateBody": TARGET_TEMPLATE, "Capabilities": [CAPABILITIES[0]],
            "Parameters": parameters.iter()
                .map(|(name, value)| json!({"ParameterKey": name, "ParameterValue": value})).collect::<Vec<_>>(),
        });
        self.tools.call("cloudformation", "create_stack_set", request)?;
        self.reach_targets(accounts)
    }

    /// The StackSet reaches further accounts.
    ///
    /// # Errors
    ///
    /// As [`Self::deploy_target`].
    pub fn reach_targets(&self, accounts: &[&Account<'_>]) -> Result<(), CallError> {
        self.reach_targets_in(self.target.region(), accounts)
    }

    /// The StackSet reaches accounts in a further Region.
    ///
    /// # Errors
    ///
    /// As [`Self::deploy_target`].
    pub fn reach_targets_in(&self, region: &str, accounts: &[&Account<'_>]) -> Result<(), CallError> {
        self.change_instances("create_stack_instances", accounts, json!({"Regions": [region]}))
    }

    /// The StackSet leaves accounts.
    ///
    /// # Errors
    ///
    /// As [`Self::deploy_target`].
    pub fn leave_targets(&self, accounts: &[&Account<'_>]) -> Result<(), CallError> {
        self.change_instances("delete_stack_instances", accounts, json!({"RetainStacks": false}))
    }

    /// Changes the StackSet's template in all its accounts.
    ///
    /// # Errors
    ///
    /// As [`Self::deploy_target`].
    pub fn update_targets(&self, change: impl FnOnce(&str) -> String) -> Result<(), CallError> {
        let described =
            self.tools.call("cloudformation", "describe_stack_set", json!({"StackSetName": STACK_SET}))?;
        let request = json!({
            "StackSetName": STACK_SET, "TemplateBody": change(TARGET_TEMPLATE), "Capabilities": [CAPABILITIES[0]],
            "Parameters": described.pointer("/StackSet/Parameters"),
        });
        let started = self.tools.call("cloudformation", "update_stack_set", request)?;
        self.wait_for_operation(&started)
    }

    /// Takes `target-account.yaml` out of the target account.
    ///
    /// # Errors
    ///
    /// As [`Self::deploy_target`].
    pub fn remove_target(&self) -> Result<(), CallError> {
        self.leave_targets(&[&self.target])?;
        self.tools.call("cloudformation", "delete_stack_set", json!({"StackSetName": STACK_SET})).map(drop)
    }

    /// `template.yaml` with these functions' code, as `sam build` and `sam package` leave it.
    ///
    /// # Errors
    ///
    /// When the template can't be read or the code not be uploaded.
    pub fn package_tools(&self, functions: &Functions) -> Result<String, CallError> {
        let code = BTreeMap::from([
            ("AccessProvider".to_owned(), functions.access_provider.clone()),
            ("FailureReporter".to_owned(), functions.failure_reporter.clone()),
        ]);
        let bucket = format!("sam-{}-{}", self.tools.region(), self.tools.id());
        self.tools.package_template(Path::new(TOOLS_TEMPLATE), &code, &bucket)
    }

    /// The packaged `template.yaml` into the tools account; answers the stack's outputs.
    ///
    /// # Errors
    ///
    /// When the stack is refused or not created.
    pub fn install(
        &self,
        packaged: &str,
        parameters: &Parameters,
    ) -> Result<BTreeMap<String, String>, StackError> {
        self.tools.deploy_stack(STACK, packaged, &pairs(parameters), &CAPABILITIES)
    }

    /// Updates the installation.
    ///
    /// # Errors
    ///
    /// When the update is refused or rolled back.
    pub fn update_installation(&self, packaged: &str, parameters: &Parameters) -> Result<(), StackError> {
        self.tools.update_stack(STACK, packaged, &pairs(parameters), &CAPABILITIES).map(drop)
    }

    /// `pipeline.yaml` into the tools account, as this stack; answers its outputs.
    ///
    /// # Errors
    ///
    /// When the stack is refused or not created.
    pub fn open_pipeline(
        &self,
        stack: &str,
        parameters: &Parameters,
    ) -> Result<BTreeMap<String, String>, StackError> {
        self.tools.deploy_stack(stack, PIPELINE_TEMPLATE, &pairs(parameters), &PIPELINE_CAPABILITIES)
    }

    /// Updates a pipeline's stack.
    ///
    /// # Errors
    ///
    /// When the update is refused or rolled back.
    pub fn update_pipeline(&self, stack: &str, parameters: &Parameters) -> Result<(), StackError> {
        let capabilities = &PIPELINE_CAPABILITIES;
        self.tools.update_stack(stack, PIPELINE_TEMPLATE, &pairs(parameters), capabilities).map(drop)
    }

    /// Deletes the pipeline's stack, then the installation.
    ///
    /// # Errors
    ///
    /// When one can't be deleted.
    pub fn remove_tools(&self) -> Result<(), StackError> {
        self.tools.delete_stack(PIPELINE_STACK)?;
        self.tools.delete_stack(STACK)
    }

    fn change_instances(
        &self,
        operation: &str,
        accounts: &[&Account<'_>],
        more: Value,
    ) -> Result<(), CallError> {
        let mut request = json!({"StackSetName": STACK_SET, "Accounts": accounts.iter().map(|account| account.id()).collect::<Vec<_>>(), "Regions": [self.target.region()]});
        if let (Value::Object(request), Value::Object(more)) = (&mut request, more) {
            request.extend(more);
        }
        let started = self.tools.call("cloudformation", operation, request)?;
        self.wait_for_operation(&started)
    }

    fn wait_for_operation(&self, started: &Value) -> Result<(), CallError> {
        let operation = json!({"StackSetName": STACK_SET, "OperationId": started.get("OperationId")});
        let start = Instant::now();
        loop {
            let described =
                self.tools.call("cloudformation", "describe_stack_set_operation", operation.clone())?;
            match described.pointer("/StackSetOperation/Status").and_then(Value::as_str).unwrap_or_default() {
                "SUCCEEDED" => return Ok(()),
                "RUNNING" if start.elapsed() < PATIENCE => thread::sleep(Duration::from_millis(40)),
                status => return Err(self.instance_failure(status)),
            }
        }
    }

    fn instance_failure(&self, status: &str) -> CallError {
        let listed =
            self.tools.call("cloudformation", "list_stack_instances", json!({"StackSetName": STACK_SET}));
        let reason = listed.ok().and_then(|listed| {
            listed.pointer("/Summaries/0/StatusReason").and_then(Value::as_str).map(str::to_owned)
        });
        let message = format!("the stack set's operation is {status}: {}", reason.unwrap_or_default());
        CallError { code: "StackSetOperation".to_owned(), message, status: 0 }
    }
}

fn pairs(parameters: &Parameters) -> Vec<(&str, &str)> {
    parameters.iter().map(|(name, value)| (*name, value.as_str())).collect()
}
