//! What each provider needs of the action role, on the resources that the action's configuration names.
//!
//! Only what an action can't do without: a list that asks for more than that would find fault with
//! pipelines that work. Passing roles is another matter (IA011).
//! See <https://docs.aws.amazon.com/codepipeline/latest/userguide/how-to-custom-role.html>.

use super::ActionFacts;
use serde_json::Value;

use super::access::{Access, OWN, allow};
use super::judgement::Refusal;
use super::verdicts::Denied;
use crate::evaluation::statement::covers_action;
use crate::evaluation::{PolicySet, Side, Tri};
use crate::policy::Effect;
use crate::snapshot::{Fact, RoleFacts};

/// One permission.
pub(super) struct Need {
    /// The action, `codedeploy:CreateDeployment`.
    pub action: &'static str,
    /// The resources on any of which it may be allowed; none where the configuration does not say. `*` stands
    /// for what AWS makes up, such as a stack's id.
    pub resources: Vec<String>,
}

/// What AWS may make up.
const SOME_ID: &str = "12345678-1234-1234-1234-123456789012";

/// The statements that allow these: what works on the same resources in one of them.
pub(super) fn statements(needs: &[Need]) -> Vec<Value> {
    let mut groups: Vec<(&[String], Vec<&str>)> = vec![];
    for need in needs {
        match groups.iter_mut().find(|(resources, _)| *resources == need.resources) {
            Some((_, actions)) => actions.push(need.action),
            None => groups.push((&need.resources, vec![need.action])),
        }
    }
    let any = ["*".to_owned()];
    let on = |resources: &'_ [String]| if resources.is_empty() { any.to_vec() } else { resources.to_vec() };
    groups.into_iter().map(|(resources, actions)| allow(None, &actions, &on(resources))).collect()
}

/// What the action's provider needs.
pub(super) fn needs(action: &ActionFacts<'_>) -> Vec<Need> {
    let it = action.action;
    match (it.category(), it.provider()) {
        ("Deploy", "CodeDeploy") => code_deploy(action, &[]),
        ("Deploy", "CodeDeployToECS") => code_deploy(action, &["ecs:RegisterTaskDefinition"]),
        ("Deploy", "ECS") => ecs(action),
        ("Deploy", "CloudFormation") => cloudformation(action),
        ("Deploy", "CloudFormationStackSet" | "CloudFormationStackInstances") => stack_set(action),
        ("Deploy", "S3") => {
            on(action.of("BucketName").map(|it| vec![action.s3(&format!("{it}/*"))]), &["s3:PutObject"])
        }
        ("Deploy", "ServiceCatalog") => on(
            None,
            &["servicecatalog:CreateProvisioningArtifact", "servicecatalog:ListProvisioningArtifacts"],
        ),
        ("Deploy", "AppConfig") => on(None, &["appconfig:StartDeployment", "appconfig:GetDeployment"]),
        ("Invoke", "Lambda") => on(function(action), &["lambda:InvokeFunction"]),
        ("Invoke", "StepFunctions") => on(
            action.of("StateMachineArn").map(|it| vec![it.to_owned()]),
            &["states:StartExecution", "states:DescribeStateMachine"],
        ),
        ("Build" | "Test", "CodeBuild") => code_build(action),
        ("Source", "S3") => s3_source(action),
        ("Source", "CodeCommit") => on(
            action.named("codecommit", "RepositoryName", ""),
            &[
                "codecommit:GetBranch",
                "codecommit:GetCommit",
                "codecommit:UploadArchive",
                "codecommit:GetUploadArchiveStatus",
            ],
        ),
        ("Source", "ECR") => {
            on(action.named("ecr", "RepositoryName", "repository/"), &["ecr:DescribeImages"])
        }
        _ => vec![],
    }
}

/// Whether the role lacks a permission for sure, that is, on each resource that may be meant; and what refuses
/// it on the first of them.
pub(super) fn lacks(action: &ActionFacts<'_>, need: &Need) -> (Tri, Refusal) {
    let role = action.role_arn();
    let real = |resource: &String| resource.replace('*', SOME_ID);
    let resource = need.resources.first().map_or_else(|| "*".into(), real);
    let side = Side::Identity;
    let denied = Denied { principal: role.into(), action: need.action.into(), resource, side };
    let mut refusal = Refusal { denied, by: None };
    if need.resources.is_empty() {
        return (lacks_anywhere(&action.facts().role(role), need.action), refusal);
    }
    let mut answers = vec![];
    for resource in need.resources.iter().rev() {
        let request = (need.action.to_owned(), real(resource));
        let judgement = Access::new(action.facts(), role, vec![request]).judge(&OWN);
        answers.push(if judgement.unsettled { Tri::Unknown } else { (!judgement.is_clear()).into() });
        refusal = judgement.refused.into_iter().next().unwrap_or(refusal);
    }
    (Tri::all(answers), refusal)
}

/// Whether no statement of the role allows an action on anything at all.
pub(super) fn lacks_anywhere(role: &Fact<&RoleFacts>, action: &str) -> Tri {
    let Fact::Known(role) = role else {
        return if role.is_unknown() { Tri::Unknown } else { Tri::No };
    };
    let (documents, complete) = match role.identity() {
        PolicySet::Known(documents) => (documents, true),
        PolicySet::Incomplete(documents) => (documents, false),
    };
    let mut statements = documents.iter().flat_map(|(_, document)| document.statements());
    let covered = statements
        .any(|statement| statement.effect() == Some(Effect::Allow) && covers_action(statement, action));
    match (covered, complete) {
        (true, _) => Tri::No,
        (false, true) => Tri::Yes,
        (false, false) => Tri::Unknown,
    }
}

fn on(resources: Option<Vec<String>>, actions: &[&'static str]) -> Vec<Need> {
    let resources = resources.unwrap_or_default();
    actions.iter().map(|action| Need { action, resources: resources.clone() }).collect()
}

fn code_deploy(action: &ActionFacts<'_>, more: &[&'static str]) -> Vec<Need> {
    let resources = || {
        let (application, group) = (action.of("ApplicationName")?, action.of("DeploymentGroupName")?);
        let group = action.arn("codedeploy", &format!("deploymentgroup:{application}/{group}"))?;
        Some(vec![group, action.arn("codedeploy", &format!("application:{application}"))?])
    };
    let mut needs = on(
        resources(),
        &[
            "codedeploy:CreateDeployment",
            "codedeploy:GetDeployment",
            "codedeploy:GetApplicationRevision",
            "codedeploy:RegisterApplicationRevision",
        ],
    );
    needs.extend(on(None, &["codedeploy:GetDeploymentConfig"]));
    needs.extend(on(None, more));
    needs
}

fn ecs(action: &ActionFacts<'_>) -> Vec<Need> {
    let service = || {
        let (cluster, service) = (action.of("ClusterName")?, action.of("ServiceName")?);
        // Services have two forms of ARN, with and without their cluster.
        let long = action.arn("ecs", &format!("service/{cluster}/{service}"))?;
        Some(vec![long, action.arn("ecs", &format!("service/{service}"))?])
    };
    let mut needs = on(service(), &["ecs:DescribeServices", "ecs:UpdateService"]);
    needs.extend(on(
        None,
        &["ecs:DescribeTaskDefinition", "ecs:DescribeTasks", "ecs:ListTasks", "ecs:RegisterTaskDefinition"],
    ));
    needs
}

fn cloudformation(action: &ActionFacts<'_>) -> Vec<Need> {
    let stack = || {
        let stack = action.of("StackName")?;
        let id = action.arn("cloudformation", &format!("stack/{stack}/*"))?;
        Some(vec![id, action.arn("cloudformation", &format!("stack/{stack}"))?])
    };
    let mode: &[&str] = match action.of("ActionMode") {
        Some("CREATE_UPDATE") => &["cloudformation:CreateStack", "cloudformation:UpdateStack"],
        Some("REPLACE_ON_FAILURE") => {
            &["cloudformation:CreateStack", "cloudformation:UpdateStack", "cloudformation:DeleteStack"]
        }
        Some("DELETE_ONLY") => &["cloudformation:DeleteStack"],
        Some("CHANGE_SET_REPLACE") => &[
            "cloudformation:CreateChangeSet",
            "cloudformation:DescribeChangeSet",
            "cloudformation:DeleteChangeSet",
        ],
        Some("CHANGE_SET_EXECUTE") => {
            &["cloudformation:ExecuteChangeSet", "cloudformation:DescribeChangeSet"]
        }
        _ => &[],
    };
    let mut needs = on(stack(), &["cloudformation:DescribeStacks"]);
    needs.extend(on(stack(), mode));
    needs
}

fn stack_set(action: &ActionFacts<'_>) -> Vec<Need> {
    let set = || {
        let name = action.of("StackSetName")?;
        let id = action.arn("cloudformation", &format!("stackset/{name}:*"))?;
        Some(vec![id, action.arn("cloudformation", &format!("stackset/{name}"))?])
    };
    let mut needs =
        on(set(), &["cloudformation:CreateStackInstances", "cloudformation:DescribeStackSetOperation"]);
    if action.action.provider() == "CloudFormationStackSet" {
        needs.extend(on(
            set(),
            &[
                "cloudformation:CreateStackSet",
                "cloudformation:UpdateStackSet",
                "cloudformation:DescribeStackSet",
            ],
        ));
    }
    needs
}

fn function(action: &ActionFacts<'_>) -> Option<Vec<String>> {
    let name = action.of("FunctionName")?;
    let arn = if name.starts_with("arn:") {
        name.to_owned()
    } else {
        action.arn("lambda", &format!("function:{name}"))?
    };
    Some(vec![arn])
}

fn code_build(action: &ActionFacts<'_>) -> Vec<Need> {
    let batch = action.of("BatchEnabled").is_some_and(|it| it.eq_ignore_ascii_case("true"));
    let needs: [&str; 2] = if batch {
        ["codebuild:StartBuildBatch", "codebuild:BatchGetBuildBatches"]
    } else {
        ["codebuild:StartBuild", "codebuild:BatchGetBuilds"]
    };
    on(action.named("codebuild", "ProjectName", "project/"), &needs)
}

fn s3_source(action: &ActionFacts<'_>) -> Vec<Need> {
    let bucket = action.of("S3Bucket");
    let object =
        bucket.zip(action.of("S3ObjectKey")).map(|(bucket, key)| vec![action.s3(&format!("{bucket}/{key}"))]);
    let mut needs = on(object, &["s3:GetObject", "s3:GetObjectVersion"]);
    needs.extend(on(bucket.map(|bucket| vec![action.s3(bucket)]), &["s3:GetBucketVersioning"]));
    needs
}

impl<'a> ActionFacts<'a> {
    /// A configuration value that is no variable, so that it is what will be used.
    fn of(&self, key: &str) -> Option<&'a str> {
        self.action.configuration(key).filter(|value| !value.contains("#{") && !value.is_empty())
    }

    /// An ARN of the action's account and Region.
    fn arn(&self, service: &str, resource: &str) -> Option<String> {
        let partition = self.facts().partition();
        Some(format!("arn:{partition}:{service}:{}:{}:{resource}", self.region()?, self.account))
    }

    fn named(&self, service: &str, key: &str, prefix: &str) -> Option<Vec<String>> {
        Some(vec![self.arn(service, &format!("{prefix}{}", self.of(key)?))?])
    }

    fn s3(&self, resource: &str) -> String {
        format!("arn:{}:s3:::{resource}", self.facts().partition())
    }
}
