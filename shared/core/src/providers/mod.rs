//! Everything that is known of each action provider, one file per provider.
//!
//! [`Provider`] is closed: who adds one is led by the compiler to everything that has to be said of it, in
//! [`ProviderFacts`]. Action types of others, and those that nothing is known of, are [`Provider::Other`].

mod action_place;
mod app_config;
mod cloudformation;
mod code_build;
mod code_commit;
mod code_deploy;
mod code_deploy_to_ecs;
mod code_pipeline;
mod code_star_source_connection;
mod commands;
mod ec2;
mod ecr;
mod ecr_build_and_publish;
mod ecs;
mod eks;
mod elastic_beanstalk;
mod inspector_scan;
mod lambda;
mod lambda_deploy;
mod manual_approval;
mod s3_deploy;
mod s3_source;
mod service_catalog;
mod stack_instances;
mod stack_set;
mod step_functions;

use std::borrow::Cow;

pub use action_place::ActionPlace;

use crate::pipeline::Action;

/// A provider of actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Provider {
    /// AWS AppConfig.
    AppConfig,
    /// Stacks and change sets of CloudFormation.
    CloudFormation,
    /// CodeBuild.
    CodeBuild,
    /// CodeCommit.
    CodeCommit,
    /// CodeDeploy to instances.
    CodeDeploy,
    /// CodeDeploy to ECS, blue/green.
    CodeDeployToEcs,
    /// Another pipeline that is started.
    CodePipeline,
    /// A connection to a provider of repositories.
    CodeStarSourceConnection,
    /// Commands on managed compute.
    Commands,
    /// Deploys to EC2 instances by Systems Manager.
    Ec2,
    /// An image of ECR as a source.
    Ecr,
    /// Builds an image and pushes it to ECR.
    EcrBuildAndPublish,
    /// ECS, rolling.
    Ecs,
    /// EKS.
    Eks,
    /// Elastic Beanstalk.
    ElasticBeanstalk,
    /// Scans by Amazon Inspector.
    InspectorScan,
    /// A Lambda function that is invoked.
    Lambda,
    /// A Lambda function that is deployed.
    LambdaDeploy,
    /// An approval by a person.
    ManualApproval,
    /// Objects of S3 that are written.
    S3Deploy,
    /// An object of S3 as a source.
    S3Source,
    /// Service Catalog.
    ServiceCatalog,
    /// Instances of a stack set.
    StackInstances,
    /// A stack set.
    StackSet,
    /// A state machine of Step Functions.
    StepFunctions,
    /// A custom or third-party action, or one that nothing is known of.
    Other,
}

/// Who reads and writes the artifacts of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArtifactHandler {
    /// The action's role, without one the service role.
    ActionRole,
    /// The service role of the build project.
    ProjectRole,
    /// The action's role, and the instances with their own roles.
    ActionAndInstanceRoles,
    /// Nobody: the action has no artifacts.
    Nobody,
    /// It is not known who.
    Unknown,
}

impl ArtifactHandler {
    /// Whether the action's role, or without one the service role, reads and writes artifacts.
    pub fn is_action_role(self) -> bool {
        matches!(self, ArtifactHandler::ActionRole | ArtifactHandler::ActionAndInstanceRoles)
    }
}

/// What tells why an action of a provider failed, beside its error message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvidenceSource {
    /// The deployment of CodeDeploy, with its targets.
    Deployment,
    /// The stack, its change set and its events.
    StackEvents,
    /// The ECS service, its tasks and its task definition.
    Service,
    /// The bucket that objects are written to.
    Bucket,
    /// The build of CodeBuild and its log.
    Build,
    /// The Lambda function and its log.
    Function,
    /// The execution of the state machine.
    StateMachine,
    /// The operation of the stack set, by account and Region.
    StackSetOperation,
}

/// A permission that an action can't do without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Permission {
    /// The action, `codedeploy:CreateDeployment`.
    pub action: Cow<'static, str>,
    /// The resources on any of which it may be allowed; none where the configuration does not say. `*` stands
    /// for what AWS makes up, such as a stack's id.
    pub resources: Vec<String>,
}

/// A role that the action passes to a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PassedRole<'a> {
    /// This one, which the configuration names.
    Named {
        /// Its ARN.
        role: &'a str,
        /// The service that it is passed to.
        service: &'static str,
    },
    /// The task role and the execution role of the ECS service's task definition.
    OfTaskDefinition {
        /// `cluster/service`, where the configuration names it.
        service: Option<String>,
    },
}

/// The value of a parameter of target-account.yaml.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterValue {
    /// What the action's configuration has under this key.
    Configuration(&'static str),
    /// `yes`: the provider is switched on as a whole.
    Yes,
}

impl ParameterValue {
    /// The value for this action; None where its configuration does not have it.
    pub fn of<'a>(self, action: &Action<'a>) -> Option<&'a str> {
        match self {
            ParameterValue::Configuration(key) => action.configuration(key),
            ParameterValue::Yes => Some("yes"),
        }
    }
}

/// What is known of one provider.
#[derive(Debug)]
pub struct ProviderFacts {
    /// The categories of its actions, `Deploy`.
    pub categories: &'static [&'static str],
    /// `actionTypeId.provider`.
    pub name: &'static str,
    /// Where AWS says what it needs.
    pub page: &'static str,
    /// Who reads and writes its artifacts.
    pub artifacts: ArtifactHandler,
    /// What an action can't do without, by its configuration. None: that is not known.
    pub permissions: Option<fn(&ActionPlace<'_>) -> Vec<Permission>>,
    /// What tells why its actions failed. None: only the error message does.
    pub evidence: Option<EvidenceSource>,
    /// The roles that it passes to other services, by its configuration.
    pub passed_roles: for<'a> fn(&ActionPlace<'a>) -> Vec<PassedRole<'a>>,
    /// The parameters of target-account.yaml that let the role there run such actions, and what to give to each.
    pub parameters: &'static [(&'static str, ParameterValue)],
}

impl Provider {
    /// Every provider that something is known of.
    pub const KNOWN: [Provider; 25] = [
        Provider::AppConfig,
        Provider::CloudFormation,
        Provider::CodeBuild,
        Provider::CodeCommit,
        Provider::CodeDeploy,
        Provider::CodeDeployToEcs,
        Provider::CodePipeline,
        Provider::CodeStarSourceConnection,
        Provider::Commands,
        Provider::Ec2,
        Provider::Ecr,
        Provider::EcrBuildAndPublish,
        Provider::Ecs,
        Provider::Eks,
        Provider::ElasticBeanstalk,
        Provider::InspectorScan,
        Provider::Lambda,
        Provider::LambdaDeploy,
        Provider::ManualApproval,
        Provider::S3Deploy,
        Provider::S3Source,
        Provider::ServiceCatalog,
        Provider::StackInstances,
        Provider::StackSet,
        Provider::StepFunctions,
    ];

    /// The provider of an action.
    pub fn of(action: &Action<'_>) -> Self {
        if action.owner() != "AWS" {
            return Provider::Other;
        }
        let is_it = |provider: &Provider| {
            provider.facts().is_some_and(|facts| {
                facts.name == action.provider() && facts.categories.contains(&action.category())
            })
        };
        Provider::KNOWN.into_iter().find(is_it).unwrap_or(Provider::Other)
    }

    /// What is known of it; None for [`Provider::Other`].
    pub fn facts(self) -> Option<&'static ProviderFacts> {
        Some(match self {
            Provider::AppConfig => &app_config::FACTS,
            Provider::CloudFormation => &cloudformation::FACTS,
            Provider::CodeBuild => &code_build::FACTS,
            Provider::CodeCommit => &code_commit::FACTS,
            Provider::CodeDeploy => &code_deploy::FACTS,
            Provider::CodeDeployToEcs => &code_deploy_to_ecs::FACTS,
            Provider::CodePipeline => &code_pipeline::FACTS,
            Provider::CodeStarSourceConnection => &code_star_source_connection::FACTS,
            Provider::Commands => &commands::FACTS,
            Provider::Ec2 => &ec2::FACTS,
            Provider::Ecr => &ecr::FACTS,
            Provider::EcrBuildAndPublish => &ecr_build_and_publish::FACTS,
            Provider::Ecs => &ecs::FACTS,
            Provider::Eks => &eks::FACTS,
            Provider::ElasticBeanstalk => &elastic_beanstalk::FACTS,
            Provider::InspectorScan => &inspector_scan::FACTS,
            Provider::Lambda => &lambda::FACTS,
            Provider::LambdaDeploy => &lambda_deploy::FACTS,
            Provider::ManualApproval => &manual_approval::FACTS,
            Provider::S3Deploy => &s3_deploy::FACTS,
            Provider::S3Source => &s3_source::FACTS,
            Provider::ServiceCatalog => &service_catalog::FACTS,
            Provider::StackInstances => &stack_instances::FACTS,
            Provider::StackSet => &stack_set::FACTS,
            Provider::StepFunctions => &step_functions::FACTS,
            Provider::Other => return None,
        })
    }

    /// Who reads and writes the artifacts of its actions.
    pub fn artifacts(self) -> ArtifactHandler {
        self.facts().map_or(ArtifactHandler::Unknown, |facts| facts.artifacts)
    }

    /// What tells why an action of it failed, beside its error message.
    pub fn evidence(self) -> Option<EvidenceSource> {
        self.facts()?.evidence
    }

    /// Whether it works on stacks of CloudFormation or sets of them.
    pub fn is_of_stacks(self) -> bool {
        matches!(self, Provider::CloudFormation | Provider::StackSet | Provider::StackInstances)
    }

    /// What an action of it can't do without; None where that is not known.
    pub fn permissions(self, place: &ActionPlace<'_>) -> Option<Vec<Permission>> {
        self.facts()?.permissions.map(|permissions| permissions(place))
    }

    /// The roles that an action of it passes to other services.
    pub fn passed_roles<'a>(self, place: &ActionPlace<'a>) -> Vec<PassedRole<'a>> {
        self.facts().map(|facts| (facts.passed_roles)(place)).unwrap_or_default()
    }
}

/// These permissions, each on any of these resources.
fn permissions_on(resources: Option<Vec<String>>, actions: &[&'static str]) -> Vec<Permission> {
    let resources = resources.unwrap_or_default();
    let permission =
        |action: &&'static str| Permission { action: (*action).into(), resources: resources.clone() };
    actions.iter().map(permission).collect()
}

/// What every action on managed compute writes its log with.
const LOGS: [&str; 2] = ["logs:CreateLogStream", "logs:PutLogEvents"];

/// It passes no role.
fn passes_none<'a>(_: &ActionPlace<'a>) -> Vec<PassedRole<'a>> {
    vec![]
}

#[cfg(test)]
mod tests;
