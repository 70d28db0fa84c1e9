//! What CodePipeline's pages list for each provider, on the resources that the action's configuration names.
//!
//! See <https://docs.aws.amazon.com/codepipeline/latest/userguide/how-to-custom-role.html>.

use super::Need;
use crate::rules::ActionFacts;

/// What the pages list for the action's provider.
pub(super) fn of(action: &ActionFacts<'_>) -> Vec<Need> {
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

fn on(resources: Option<Vec<String>>, actions: &[&'static str]) -> Vec<Need> {
    let resources = resources.unwrap_or_default();
    actions.iter().map(|action| Need { action: (*action).into(), resources: resources.clone() }).collect()
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
