//! Elastic Beanstalk makes a version of the application and updates the environment.

use super::{
    ActionPlace, ArtifactHandler, ParameterValue, Permission, ProviderFacts, passes_none, permissions_on,
};

pub(super) const FACTS: ProviderFacts = ProviderFacts {
    categories: &["Deploy"],
    name: "ElasticBeanstalk",
    page: "https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-Beanstalk.html",
    artifacts: ArtifactHandler::ActionRole,
    permissions: Some(permissions),
    evidence: None,
    passed_roles: passes_none,
    parameters: &[("ElasticBeanstalkApplicationName", ParameterValue::Configuration("ApplicationName"))],
};

fn permissions(_: &ActionPlace<'_>) -> Vec<Permission> {
    permissions_on(
        None,
        &[
            "elasticbeanstalk:CreateApplicationVersion",
            "elasticbeanstalk:DescribeEnvironments",
            "elasticbeanstalk:UpdateEnvironment",
        ],
    )
}
