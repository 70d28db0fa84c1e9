//! Why a decision fell as it did.

use std::borrow::Cow;

use serde::Serialize;

use crate::policy::Statement;

/// Why a decision fell as it did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DecisionReasons {
    /// The statements that deny.
    pub denied_by: Vec<StatementRef>,
    /// The statements that allow.
    pub allowed_by: Vec<StatementRef>,
    /// The sides without a statement that allows.
    pub not_allowed_by: Vec<Side>,
    /// The sides that are not fully known.
    pub not_settled_by: Vec<Side>,
    /// The policies that AWS would not have saved: what they say counts for nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refused_policies: Vec<RefusedPolicy>,
}

/// A policy that AWS would not have saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RefusedPolicy {
    /// The policy's name.
    pub policy: String,
    /// What is wrong with it.
    pub fault: String,
}

/// A side that has a say in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Side {
    /// The requester's identity policies.
    Identity,
    /// The resource's policy.
    Resource,
    /// The requester's permissions boundary.
    PermissionsBoundary,
    /// The requester's session policies.
    Session,
    /// The organization's service control policies.
    ServiceControl,
    /// The resource control policies of the resource's organization.
    ResourceControl,
}

/// One statement of one policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StatementRef {
    /// The policy's name.
    pub policy: String,
    /// The statement's Sid or place.
    pub statement: String,
}

/// What decided, before anybody asks: most evaluations are never asked, and names cost more than deciding.
#[derive(Debug, Clone)]
pub(super) enum DecidingStatement<'a> {
    Statement { policy: Cow<'a, str>, statement: Statement<'a> },
    Grant { grantee: String },
}

impl DecidingStatement<'_> {
    pub(super) fn reference(&self) -> StatementRef {
        match self {
            DecidingStatement::Statement { policy, statement } => {
                StatementRef { policy: policy.to_string(), statement: statement.label() }
            }
            DecidingStatement::Grant { grantee } => {
                StatementRef { policy: "key grants".to_owned(), statement: format!("grant to `{grantee}`") }
            }
        }
    }
}
