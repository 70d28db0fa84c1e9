//! An approval by a person, of which a topic may be told.

use super::{
    ActionPlace, ArtifactHandler, ParameterValue, Permission, ProviderFacts, passes_none, permissions_on,
};

pub(super) const FACTS: ProviderFacts = ProviderFacts {
    categories: &["Approval"],
    name: "Manual",
    page: "https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-ManualApproval.html",
    artifacts: ArtifactHandler::Nobody,
    permissions: Some(permissions),
    evidence: None,
    passed_roles: passes_none,
    parameters: &[("ApprovalTopicArn", ParameterValue::Configuration("NotificationArn"))],
};

fn permissions(place: &ActionPlace<'_>) -> Vec<Permission> {
    let topic = place.value("NotificationArn").map(|topic| vec![topic.to_owned()]);
    topic.map(|topic| permissions_on(Some(topic), &["sns:Publish"])).unwrap_or_default()
}
