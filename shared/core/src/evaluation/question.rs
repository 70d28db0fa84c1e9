//! A request with its policies as one JSON object: what `crosspipe evaluate` reads, line by line.
//!
//! What the object can say, and how errors speak of it, is in `read`.

mod read;

use serde::Deserialize;
use serde_json::Value;

use super::context::Keys;
use super::decide::decide_with_guardrails;
use super::request::Asked;
use super::{Context, Evaluation, Guardrails, KeyGrant, Policies, PolicySet, Requester, ResourcePolicy};
use crate::policy::PolicyDocument;

/// Policies, each with its path in the question.
type Named = Vec<(String, PolicyDocument)>;

/// A request and every policy that has a say. What is left out is not there: no policy, no condition key.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Value")]
pub struct Question {
    requester: Requester,
    action: String,
    resource: String,
    resource_account: Option<String>,
    context: Context,
    identity: Named,
    resource_policy: Option<PolicyDocument>,
    permissions_boundary: Option<PolicyDocument>,
    session: Named,
    service_control_policies: Vec<Named>,
    resource_control_policies: Vec<Named>,
    key_grants: Vec<KeyGrant>,
}

impl Question {
    /// Answers the question.
    pub fn evaluate(&self) -> Evaluation<'_> {
        let request = Asked {
            requester: &self.requester,
            action: &self.action,
            resource: &self.resource,
            resource_account: self.resource_account.as_deref(),
            keys: Keys { context: &self.context, requester: &self.requester },
        };
        let boundary = self.permissions_boundary.as_ref();
        let policies = Policies {
            identity: policy_set(&self.identity),
            resource: self.resource_policy.as_ref().map_or(ResourcePolicy::Absent, ResourcePolicy::Known),
            permissions_boundary: boundary
                .map(|policy| PolicySet::Known(vec![("permissionsBoundary".into(), policy)])),
            service_control_policies: policy_sets(&self.service_control_policies),
            key_grants: self.key_grants.clone(),
        };
        let guardrails = Guardrails {
            // A session without policies of its own is not limited.
            session: Some(&self.session).filter(|policies| !policies.is_empty()).map(policy_set),
            resource_control_policies: policy_sets(&self.resource_control_policies),
        };
        decide_with_guardrails(&request, &policies, &guardrails)
    }
}

fn policy_set(policies: &Named) -> PolicySet<'_> {
    PolicySet::Known(policies.iter().map(|(name, document)| (name.as_str().into(), document)).collect())
}

fn policy_sets(levels: &[Named]) -> Vec<PolicySet<'_>> {
    levels.iter().map(policy_set).collect()
}
