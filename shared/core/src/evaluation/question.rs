//! A request with its policies as one JSON object: what `crosspipe evaluate` reads, line by line.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::requester::RequesterError;
use super::{
    Context, Evaluation, Guardrails, KeyGrant, Policies, PolicySet, Request, Requester, ResourcePolicy,
    evaluate_within,
};
use crate::policy::PolicyDocument;

/// A request and every policy that has a say. What is left out is not there: no policy, no condition key.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Question {
    principal: String,
    action: String,
    resource: String,
    resource_account: Option<String>,
    #[serde(default)]
    context: Map<String, Value>,
    #[serde(default)]
    identity_policies: Vec<PolicyDocument>,
    resource_policy: Option<PolicyDocument>,
    permissions_boundary: Option<PolicyDocument>,
    session_policies: Option<Vec<PolicyDocument>>,
    #[serde(default)]
    service_control_policies: Vec<Vec<PolicyDocument>>,
    #[serde(default)]
    resource_control_policies: Vec<Vec<PolicyDocument>>,
    #[serde(default)]
    key_grants: Vec<GrantEntry>,
}

/// A grant as `aws kms list-grants` prints it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GrantEntry {
    grantee_principal: String,
    operations: Vec<String>,
}

impl Question {
    /// Answers the question.
    ///
    /// # Errors
    /// When the principal is none, or a condition key's value is neither a scalar nor a list of them.
    pub fn evaluate(&self) -> Result<Evaluation, QuestionError> {
        let request = Request {
            requester: Requester::parse(&self.principal).map_err(QuestionError::Principal)?,
            action: &self.action,
            resource: &self.resource,
            resource_account: self.resource_account.as_deref(),
            context: self.context()?,
        };
        let policies = Policies {
            identity: set("identityPolicies", &self.identity_policies),
            resource: self.resource_policy.as_ref().map_or(ResourcePolicy::Absent, ResourcePolicy::Known),
            permissions_boundary: self
                .permissions_boundary
                .as_ref()
                .map(|policy| PolicySet::Known(vec![("permissionsBoundary".to_owned(), policy)])),
            service_control_policies: levels("serviceControlPolicies", &self.service_control_policies),
            key_grants: self.key_grants.iter().map(GrantEntry::grant).collect(),
        };
        let guardrails = Guardrails {
            session: self.session_policies.as_ref().map(|policies| set("sessionPolicies", policies)),
            resource_control_policies: levels("resourceControlPolicies", &self.resource_control_policies),
        };
        Ok(evaluate_within(&request, &policies, &guardrails))
    }

    fn context(&self) -> Result<Context, QuestionError> {
        let mut context = Context::complete();
        for (key, value) in &self.context {
            let values: Option<Vec<String>> = match value {
                Value::Array(values) => values.iter().map(scalar).collect(),
                value => scalar(value).map(|text| vec![text]),
            };
            context = context.with_values(key, values.ok_or_else(|| QuestionError::Context(key.clone()))?);
        }
        Ok(context)
    }
}

impl GrantEntry {
    fn grant(&self) -> KeyGrant {
        KeyGrant { grantee_principal: self.grantee_principal.clone(), operations: self.operations.clone() }
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    }
}

fn set<'a>(name: &str, documents: &'a [PolicyDocument]) -> PolicySet<'a> {
    let named = documents.iter().enumerate().map(|(index, document)| (format!("{name}[{index}]"), document));
    PolicySet::Known(named.collect())
}

fn levels<'a>(name: &str, levels: &'a [Vec<PolicyDocument>]) -> Vec<PolicySet<'a>> {
    let levels = levels.iter().enumerate();
    levels.map(|(level, documents)| set(&format!("{name}[{level}]"), documents)).collect()
}

/// Why a question can't be answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuestionError {
    /// `principal` is none.
    #[error("`principal`: {0}")]
    Principal(RequesterError),
    /// A condition key has a value that no request carries.
    #[error("`context`: the value of `{0}` is neither a string, a number, a boolean nor a list of them")]
    Context(String),
}
