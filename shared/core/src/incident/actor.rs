//! Who was denied: which of the roles that have a part in an action.

use crate::arn::{self, Arn};
use crate::pipeline::Action;
use crate::providers::Provider;
use crate::snapshot::{Fact, Snapshot};

use super::failure::Failure;
use super::message::{Denial, services};

/// A principal that has a part in an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// Which part.
    pub kind: ActorKind,
    /// The ARN of its role, with the path where that is known; else as the message names it.
    pub arn: String,
}

/// The parts that principals have in an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ActorKind {
    /// The action declaration's `roleArn`.
    ActionRole,
    /// The pipeline's service role.
    ServiceRole,
    /// The service role of the build project.
    BuildRole,
    /// The role that CloudFormation works as, `configuration.RoleArn`.
    StackRole,
    /// The service role of the deployment group.
    DeploymentServiceRole,
    /// The role of what runs in a task.
    TaskRole,
    /// The role with which ECS starts a task: pulls its image, reads its secrets, writes its log.
    TaskExecutionRole,
    /// The role that a stack set works as in the administrator's account.
    StackSetAdministrationRole,
    /// The role that a stack set works as in each of its accounts.
    StackSetExecutionRole,
    /// The role of an instance that is deployed to.
    InstanceRole,
    /// The execution role of a Lambda function.
    FunctionRole,
    /// A role that belongs to a service, and is not limited by what a customer writes.
    ServiceLinkedRole,
    /// A service in its own name.
    Service,
    /// Somebody else whom the message names.
    Other,
}

impl ActorKind {
    /// As a sentence has it.
    pub fn label(self) -> &'static str {
        match self {
            ActorKind::ActionRole => "the action role",
            ActorKind::ServiceRole => "the pipeline's service role",
            ActorKind::BuildRole => "the build project's service role",
            ActorKind::StackRole => "the stack's role",
            ActorKind::DeploymentServiceRole => "the deployment group's service role",
            ActorKind::TaskRole => "the task role",
            ActorKind::TaskExecutionRole => "the task execution role",
            ActorKind::StackSetAdministrationRole => "the stack set's administration role",
            ActorKind::StackSetExecutionRole => "the stack set's execution role",
            ActorKind::InstanceRole => "the instance role",
            ActorKind::FunctionRole => "the function's execution role",
            ActorKind::ServiceLinkedRole => "the service-linked role",
            ActorKind::Service => "the service",
            ActorKind::Other => "another principal",
        }
    }

    /// The service that works as it, where that is always the same.
    pub fn assumed_by(self) -> Option<&'static str> {
        let service = match self {
            ActorKind::BuildRole => "codebuild",
            ActorKind::StackRole => "cloudformation",
            ActorKind::DeploymentServiceRole => "codedeploy",
            ActorKind::TaskRole | ActorKind::TaskExecutionRole => "ecs-tasks",
            ActorKind::FunctionRole => "lambda",
            _ => return None,
        };
        services::principal_of(service)
    }

    /// Whether it is one of the two roles that CodePipeline itself works as.
    pub fn is_of_pipeline(self) -> bool {
        matches!(self, ActorKind::ActionRole | ActorKind::ServiceRole)
    }
}

/// What an actor is looked up in.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// What failed.
    pub failure: &'a Failure,
    /// The action that failed.
    pub action: Action<'a>,
    /// The pipeline's service role.
    pub service_role: &'a str,
    /// What is known.
    pub snapshot: &'a Snapshot,
}

impl<'a> Surroundings<'a> {
    /// Says which part an actor has that a message names by ARN or as a service.
    pub fn attribute(&self, actor: &str) -> Actor {
        let known = self.roles().into_iter().find(|(_, role)| is_role(actor, role));
        if let Some((kind, arn)) = known {
            return Actor { kind, arn: arn.to_owned() };
        }
        let arn = self.role_of(actor);
        let session = actor.rsplit('/').next().unwrap_or_default();
        let name = arn.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        let kind = if !arn.starts_with("arn:") {
            ActorKind::Service
        } else if arn.contains("/aws-service-role/") || name.starts_with("awsservicerolefor") {
            ActorKind::ServiceLinkedRole
        } else if name.contains("stacksetexecution") || name.starts_with("stacksets-exec-") {
            ActorKind::StackSetExecutionRole
        } else if name.contains("stacksetadministration") {
            ActorKind::StackSetAdministrationRole
        } else if session.starts_with("AWSCodeBuild-") {
            ActorKind::BuildRole
        } else if session == "AWSCloudFormation" {
            ActorKind::StackRole
        } else if session.starts_with("i-") && actor.contains(":assumed-role/") {
            ActorKind::InstanceRole
        } else {
            ActorKind::Other
        };
        Actor { kind, arn }
    }

    /// Who was denied where the message does not say: the role of the function that is being made, the role that
    /// the provider works as where the provider speaks, else the role that CodePipeline gave to the action.
    pub(super) fn unnamed(&self, denied: &Denial, text: &str, in_own_message: bool) -> Option<Actor> {
        let of_function = denied.action.eq_ignore_ascii_case("ec2:CreateNetworkInterface");
        if of_function && self.provider() == Provider::CloudFormation {
            let arn = "the function's execution role".to_owned();
            return Some(Actor { kind: ActorKind::FunctionRole, arn });
        }
        let of_project = denied.action.starts_with("ec2:Describe") && denied.resource.is_none();
        if of_project && self.provider() == Provider::CloudFormation && !in_own_message {
            let arn = "the build project's service role".to_owned();
            return Some(Actor { kind: ActorKind::BuildRole, arn });
        }
        // CodePipeline's own calls, and those of providers that work as nobody else.
        let is_of_action = self.failure.error_code.as_deref() == Some("PermissionError")
            || text.contains("An API call to ")
            || self.works_as_action_role();
        if in_own_message && is_of_action {
            let own = self.action.role_arn().map(|role| (ActorKind::ActionRole, role));
            let (kind, arn) = own.unwrap_or((ActorKind::ServiceRole, self.service_role));
            return Some(Actor { kind, arn: arn.to_owned() });
        }
        self.worker()
    }

    /// Whether all that the provider does it does as the action's role.
    fn works_as_action_role(&self) -> bool {
        matches!(
            self.provider(),
            Provider::S3Deploy
                | Provider::S3Source
                | Provider::CodeCommit
                | Provider::Ecr
                | Provider::Eks
                | Provider::ServiceCatalog
                | Provider::AppConfig
        )
    }

    /// The role that the provider itself works as in this action, where a message does not say who was denied.
    pub fn worker(&self) -> Option<Actor> {
        let kind = match self.provider() {
            Provider::CloudFormation => ActorKind::StackRole,
            Provider::CodeBuild => ActorKind::BuildRole,
            Provider::CodeDeploy | Provider::CodeDeployToEcs => ActorKind::DeploymentServiceRole,
            Provider::Ecs => ActorKind::TaskExecutionRole,
            Provider::Lambda => ActorKind::FunctionRole,
            _ => return None,
        };
        let (kind, arn) = self.roles().into_iter().find(|(it, _)| *it == kind)?;
        Some(Actor { kind, arn: arn.to_owned() })
    }

    fn provider(&self) -> Provider {
        Provider::of(&self.action)
    }

    /// The roles that are known to have a part in the action.
    fn roles(&self) -> Vec<(ActorKind, &'a str)> {
        let configured = |key| Failure::configuration(Some(self.failure), &self.action, key);
        let mut roles: Vec<(ActorKind, &str)> = vec![];
        roles.extend(self.action.role_arn().map(|role| (ActorKind::ActionRole, role)));
        roles.push((ActorKind::ServiceRole, self.service_role));
        match self.provider() {
            Provider::CodeBuild => {
                let project =
                    configured("ProjectName").and_then(|name| self.snapshot.build_projects.get(name));
                let role = project.and_then(Fact::known).and_then(|project| project.service_role.known());
                roles.extend(role.map(|role| (ActorKind::BuildRole, role.as_str())));
            }
            Provider::CloudFormation => {
                roles.extend(configured("RoleArn").map(|role| (ActorKind::StackRole, role)))
            }
            Provider::StackSet | Provider::StackInstances => {
                let administration = configured("AdministrationRoleArn");
                roles.extend(administration.map(|role| (ActorKind::StackSetAdministrationRole, role)));
            }
            Provider::CodeDeploy | Provider::CodeDeployToEcs => {
                let name = configured("ApplicationName").zip(configured("DeploymentGroupName"));
                let group = name.and_then(|(application, group)| {
                    self.snapshot.deployment_groups.get(&format!("{application}/{group}"))?.known()
                });
                let role = group.and_then(|group| group.get("serviceRoleArn")?.as_str());
                roles.extend(role.map(|role| (ActorKind::DeploymentServiceRole, role)));
            }
            Provider::Ecs => {
                let name = configured("ClusterName").zip(configured("ServiceName"));
                let service = name.and_then(|(cluster, service)| {
                    self.snapshot.services.get(&format!("{cluster}/{service}"))?.known()
                });
                let task = service.and_then(|service| service.task_definition.known());
                let role = |member: &str| task.and_then(|task| task.get(member)?.as_str());
                roles.extend(role("executionRoleArn").map(|role| (ActorKind::TaskExecutionRole, role)));
                roles.extend(role("taskRoleArn").map(|role| (ActorKind::TaskRole, role)));
            }
            Provider::Lambda => {
                let function = configured("FunctionName").and_then(|name| self.snapshot.functions.get(name));
                let role = function.and_then(Fact::known).and_then(|it| it.get("Role")?.as_str());
                roles.extend(role.map(|role| (ActorKind::FunctionRole, role)));
            }
            _ => {}
        }
        let instances = self.snapshot.instance_roles.known().into_iter().flatten();
        roles.extend(instances.map(|role| (ActorKind::InstanceRole, role.as_str())));
        roles
    }

    /// The role of a session: as the snapshot has it, since sessions leave out the role's path; else without one.
    fn role_of(&self, actor: &str) -> String {
        if let Some(role) = self.snapshot.roles.keys().find(|role| is_role(actor, role)) {
            return role.clone();
        }
        let Ok(arn) = Arn::parse(actor) else { return actor.to_owned() };
        let name = arn.resource().strip_prefix("assumed-role/").and_then(|rest| rest.split('/').next());
        match name {
            Some(name) => arn::role(arn.partition(), arn.account(), name),
            None => actor.to_owned(),
        }
    }
}

/// Whether an actor is this role or a session of it. Sessions are named without the role's path.
pub fn is_role(actor: &str, role_arn: &str) -> bool {
    let (Ok(actor), Ok(role)) = (Arn::parse(actor), Arn::parse(role_arn)) else { return false };
    let session_of = actor.resource().strip_prefix("assumed-role/").and_then(|rest| rest.split('/').next());
    let same_account = actor.account() == role.account() || is_redacted(actor.account());
    let same_name = session_of.is_some() && session_of == role.role_name();
    actor == role || same_account && (same_name || actor.resource() == role.resource())
}

/// Whether an account is hidden in a text that was shared: `************`, `xxxxxxxxxxxx`, `<account>`.
pub fn is_redacted(account: &str) -> bool {
    !account.is_empty() && account != "aws" && !account.bytes().any(|byte| byte.is_ascii_digit())
}

/// A resource of which the account is hidden, as a pattern.
pub fn without_redaction(resource: &str) -> String {
    match Arn::parts(resource) {
        Some([partition, service, region, account, rest]) if is_redacted(account) => {
            arn::build(partition, service, region, "*", rest)
        }
        _ => resource.to_owned(),
    }
}
