//! Crosspipe deployed for a pipeline as teams have them, and stacks of custom resources beside it.

use std::collections::BTreeMap;

use crosspipe_e2e::world::{Live, PIPELINE_STACK, Parameters, World};
use crosspipe_e2e::{LocalAws, StackError, functions};
use serde_json::{Value, json};

pub(crate) const REGION: &str = "eu-west-1";

/// Accounts that these tests give access, beside the target account.
pub(crate) const ALLOWED_ACCOUNTS: [&str; 4] =
    ["222222222222", "555555555555", "666666666666", "777777777777"];

/// The build projects of these tests, by name or pattern.
const BUILD_PROJECTS: [&str; 5] = ["orders-*", "one", "two", "missing", "permissions"];

/// Two accounts with all three templates deployed.
pub(crate) struct Scene {
    pub world: World<'static>,
    /// Everything as it was before Crosspipe came.
    pub before: Live,
    /// Of the installation and of the pipeline's stack.
    pub outputs: BTreeMap<String, String>,
}

impl Scene {
    /// All three templates, the installation's with these parameters changed.
    pub(crate) fn deployed_with(change: impl FnOnce(&World<'_>, &mut Parameters)) -> Self {
        let functions = functions::build().unwrap();
        let world = World::build(LocalAws::shared(), REGION).unwrap();
        let before = world.live().unwrap();
        world.deploy_target().unwrap();
        let packaged = world.package_tools(&functions).unwrap();
        let mut parameters = world.tools_parameters();
        let allowed = format!("{},{}", world.target.id(), ALLOWED_ACCOUNTS.join(","));
        parameters.insert("AllowedAccounts", allowed);
        // A pattern of the installation begins literally.
        let projects = BUILD_PROJECTS
            .map(|name| format!("arn:aws:codebuild:{REGION}:{}:project/{name}", world.tools.id()));
        parameters.insert("BuildProjectArns", projects.join(","));
        change(&world, &mut parameters);
        let mut outputs = world.install(&packaged, &parameters).unwrap_or_else(|error| panic!("{error}"));
        let opened = world.open_pipeline(PIPELINE_STACK, &world.pipeline_parameters());
        outputs.extend(opened.unwrap_or_else(|error| panic!("{error}")));
        Self { world, before, outputs }
    }

    pub(crate) fn deployed() -> Self {
        Self::deployed_with(|_, _| ())
    }

    /// A stack of one custom resource `Resource`, served by the deployed function.
    pub(crate) fn template(&self, kind: &str, mut properties: Value) -> String {
        properties["ServiceToken"] = json!(self.outputs["AccessProviderArn"]);
        properties["ServiceTimeout"] = json!(120);
        json!({"Resources": {"Resource": {"Type": format!("Custom::{kind}"), "Properties": properties}}})
            .to_string()
    }

    /// Creates such a stack.
    pub(crate) fn create(&self, stack: &str, kind: &str, properties: Value) -> Result<(), StackError> {
        self.world.tools.deploy_stack(stack, &self.template(kind, properties), &[], &[]).map(drop)
    }

    /// Updates such a stack.
    pub(crate) fn update(&self, stack: &str, kind: &str, properties: Value) -> Result<(), StackError> {
        self.world.tools.update_stack(stack, &self.template(kind, properties), &[], &[]).map(drop)
    }

    /// What the walkthrough asks of the target account's operator, on the key and bucket of this scene.
    pub(crate) fn key_grant(&self, accounts: &[&str]) -> Value {
        let world = &self.world;
        json!({"KeyArn": world.key_arn, "ServiceRoleArn": world.service_role_arn, "TargetAccounts": accounts})
    }

    pub(crate) fn bucket_grant(&self, accounts: &[&str]) -> Value {
        json!({"BucketName": self.world.bucket, "TargetAccounts": accounts})
    }

    /// Replaces an inline policy of one of the stack's roles by what `change` makes of it.
    pub(crate) fn change_role(&self, role: &str, policy: &str, change: impl FnOnce(&mut Value)) {
        let tools = &self.world.tools;
        let name = json!({"RoleName": role, "PolicyName": policy});
        let mut document = tools.call("iam", "get_role_policy", name).unwrap()["PolicyDocument"].take();
        change(&mut document);
        let request = json!({"RoleName": role, "PolicyName": policy, "PolicyDocument": document.to_string()});
        tools.call("iam", "put_role_policy", request).unwrap();
    }

    /// Makes a build project as teams have it, without an encryption key.
    pub(crate) fn make_build_project(&self, name: &str, role_arn: &str) {
        let request = json!({
            "name": name, "serviceRole": role_arn, "source": {"type": "CODEPIPELINE"}, "artifacts": {"type": "CODEPIPELINE"},
            "environment": {"type": "LINUX_CONTAINER", "image": "aws/codebuild/standard:7.0", "computeType": "BUILD_GENERAL1_SMALL"},
        });
        self.world.tools.call("codebuild", "create_project", request).unwrap();
    }

    /// The key that a build project encrypts its output under.
    pub(crate) fn project_key(&self, name: &str) -> String {
        let answer =
            self.world.tools.call("codebuild", "batch_get_projects", json!({"names": [name]})).unwrap();
        answer["projects"][0]["encryptionKey"].as_str().unwrap().to_owned()
    }

    /// The name of a resource of the installation.
    pub(crate) fn role_name(&self, logical_id: &str) -> String {
        let request = json!({"StackName": crosspipe_e2e::world::STACK, "LogicalResourceId": logical_id});
        let answer = self.world.tools.call("cloudformation", "describe_stack_resource", request).unwrap();
        answer["StackResourceDetail"]["PhysicalResourceId"].as_str().unwrap().to_owned()
    }

    pub(crate) fn delete(&self, stack: &str) {
        self.world.tools.delete_stack(stack).unwrap_or_else(|error| panic!("{error}"));
    }

    /// The reason that such a stack can't be created for; nothing may have changed then.
    pub(crate) fn refused(&self, kind: &str, properties: Value) -> String {
        let live = self.live();
        let Err(StackError::Failed(failure)) = self.create("refused", kind, properties.clone()) else {
            panic!("{kind} was created with {properties}")
        };
        assert_eq!(failure.status, "ROLLBACK_COMPLETE", "{failure}");
        self.assert_unchanged(&live);
        self.delete("refused");
        failure.reason("Resource").unwrap_or_default().to_owned()
    }

    pub(crate) fn live(&self) -> Live {
        self.world.live().unwrap()
    }

    /// All documents mean what they meant then.
    pub(crate) fn assert_unchanged(&self, since: &Live) {
        for comparison in self.live().compare(since) {
            assert!(
                comparison.differences.is_empty(),
                "{}: {:?}",
                comparison.document,
                comparison.differences
            );
        }
    }

    /// Deletes both stacks, after which everything has to be as before Crosspipe came.
    pub(crate) fn remove(self) {
        self.world.remove_tools().unwrap_or_else(|error| panic!("{error}"));
        self.world.remove_target().unwrap_or_else(|error| panic!("{error}"));
        self.assert_unchanged(&self.before);
    }
}
