//! A request with its policies as one JSON object: what `cargo differential` asks both evaluators.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::context::Keys;
use super::decide::decide;
use super::request::Asked;
use super::requester::RequesterError;
use super::{Context, Evaluation, Guardrails, KeyGrant, Policies, PolicySet, Requester, ResourcePolicy};
use crate::policy::PolicyDocument;

/// A request and every policy that has a say. What is left out is not there: no policy, no condition key.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Members")]
pub struct Question {
    requester: Requester,
    action: String,
    resource: String,
    resource_account: Option<String>,
    context: Context,
    identity: Set,
    resource_policy: Option<PolicyDocument>,
    boundary: Option<Set>,
    session: Option<Set>,
    service_control: Vec<Set>,
    resource_control: Vec<Set>,
    key_grants: Vec<KeyGrant>,
}

/// The object as it stands.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Members {
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
    #[serde(default)]
    session_policies: Vec<PolicyDocument>,
    #[serde(default)]
    service_control_policies: Vec<Vec<PolicyDocument>>,
    #[serde(default)]
    resource_control_policies: Vec<Vec<PolicyDocument>>,
    #[serde(default)]
    key_grants: Vec<GrantEntry>,
}

/// A grant as `aws kms list-grants` prints it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GrantEntry {
    grantee_principal: String,
    operations: Vec<String>,
}

/// Policies with the names by which to speak of them.
#[derive(Debug, Clone)]
struct Set(Vec<(String, PolicyDocument)>);

impl Question {
    /// Answers the question.
    pub fn evaluate(&self) -> Evaluation {
        let request = Asked {
            requester: &self.requester,
            action: &self.action,
            resource: &self.resource,
            resource_account: self.resource_account.as_deref(),
            keys: Keys { context: &self.context, requester: &self.requester },
        };
        let policies = Policies {
            identity: self.identity.known(),
            resource: self.resource_policy.as_ref().map_or(ResourcePolicy::Absent, ResourcePolicy::Known),
            permissions_boundary: self.boundary.as_ref().map(Set::known),
            service_control_policies: self.service_control.iter().map(Set::known).collect(),
            key_grants: self.key_grants.clone(),
        };
        let guardrails = Guardrails {
            session: self.session.as_ref().map(Set::known),
            resource_control_policies: self.resource_control.iter().map(Set::known).collect(),
        };
        decide(&request, &policies, &guardrails)
    }
}

impl TryFrom<Members> for Question {
    type Error = QuestionError;

    fn try_from(members: Members) -> Result<Self, QuestionError> {
        let grant = |entry: GrantEntry| KeyGrant {
            grantee_principal: entry.grantee_principal,
            operations: entry.operations,
        };
        let boundary = |policy| Set(vec![("permissionsBoundary".to_owned(), policy)]);
        let session = Some(members.session_policies).filter(|policies| !policies.is_empty());
        Ok(Question {
            requester: Requester::parse(&members.principal).map_err(QuestionError::Principal)?,
            action: members.action,
            resource: members.resource,
            resource_account: members.resource_account,
            context: context(&members.context)?,
            identity: Set::of("identityPolicies", members.identity_policies),
            resource_policy: members.resource_policy,
            boundary: members.permissions_boundary.map(boundary),
            session: session.map(|policies| Set::of("sessionPolicies", policies)),
            service_control: levels("serviceControlPolicies", members.service_control_policies),
            resource_control: levels("resourceControlPolicies", members.resource_control_policies),
            key_grants: members.key_grants.into_iter().map(grant).collect(),
        })
    }
}

fn context(keys: &Map<String, Value>) -> Result<Context, QuestionError> {
    let mut context = Context::complete();
    for (key, value) in keys {
        let values: Option<Vec<String>> = match value {
            Value::Array(values) => values.iter().map(scalar).collect(),
            value => scalar(value).map(|text| vec![text]),
        };
        context = context.with_values(key, values.ok_or_else(|| QuestionError::Context(key.clone()))?);
    }
    Ok(context)
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    }
}

fn levels(name: &str, levels: Vec<Vec<PolicyDocument>>) -> Vec<Set> {
    let levels = levels.into_iter().enumerate();
    levels.map(|(level, documents)| Set::of(&format!("{name}[{level}]"), documents)).collect()
}

impl Set {
    fn of(name: &str, documents: Vec<PolicyDocument>) -> Self {
        let named = documents.into_iter().enumerate();
        Set(named.map(|(index, document)| (format!("{name}[{index}]"), document)).collect())
    }

    fn known(&self) -> PolicySet<'_> {
        PolicySet::Known(self.0.iter().map(|(name, document)| (name.as_str().into(), document)).collect())
    }
}

/// Why a JSON object is no question.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuestionError {
    /// `principal` is none.
    #[error("`principal`: {0}")]
    Principal(RequesterError),
    /// A condition key has a value that no request carries.
    #[error("`context`: the value of `{0}` is neither a string, a number, a boolean nor a list of them")]
    Context(String),
}
