//! CloudFormation creates, changes and deletes stacks, and passes the stack its role.

use super::{
    ActionPlace, ArtifactHandler, EvidenceSource, ParameterValue, PassedRole, Permission, ProviderFacts,
    permissions_on,
};

pub(super) const FACTS: ProviderFacts = ProviderFacts {
    categories: &["Deploy"],
    name: "CloudFormation",
    page: "https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html",
    artifacts: ArtifactHandler::ActionRole,
    permissions: Some(permissions),
    evidence: Some(EvidenceSource::StackEvents),
    passed_roles,
    parameters: &[("CloudFormationStackName", ParameterValue::Configuration("StackName"))],
};

fn permissions(place: &ActionPlace<'_>) -> Vec<Permission> {
    let stack = || {
        let stack = place.value("StackName")?;
        Some(vec![place.arn("cloudformation", &format!("stack/{stack}/*"))?])
    };
    let mode: &[&str] = match place.value("ActionMode") {
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
    let mut permissions = permissions_on(stack(), &["cloudformation:DescribeStacks"]);
    permissions.extend(permissions_on(stack(), mode));
    permissions
}

/// A change set that is executed has its role already.
fn passed_roles<'a>(place: &ActionPlace<'a>) -> Vec<PassedRole<'a>> {
    if place.value("ActionMode") == Some("CHANGE_SET_EXECUTE") {
        return vec![];
    }
    let role = place.value("RoleArn").into_iter();
    role.map(|role| PassedRole::Named { role, service: "cloudformation.amazonaws.com" }).collect()
}
