//! What the grants share: statements in one policy document.

use std::collections::BTreeMap;

use crosspipe_core::grants::{PutError, Quota};
use crosspipe_core::policy::{Change, OwnedStatements, PolicyDocument};
use crosspipe_custom_resource::{Failure, Success};
use serde_json::Value;

use crate::failures;
use crate::reference::Attribute;
use crate::resource::{Memories, Plan, Preview, Resource};

/// A policy and the tags of what it belongs to.
#[derive(Debug)]
pub struct LivePolicy {
    /// The policy; none where there is none.
    pub document: Option<PolicyDocument>,
    /// The tags.
    pub tags: BTreeMap<String, String>,
}

/// Reads the policy of what this ARN names from its text.
pub(crate) fn parse(text: Option<&str>, arn: &str) -> Result<Option<PolicyDocument>, Failure> {
    let document = text.map(PolicyDocument::parse).transpose();
    document.map_err(|error| failures::unreadable_policy(arn, &error))
}

/// The plan of a planned change of one document, or why that may not be put.
pub(crate) fn plan_of<R>(change: Result<Change, PutError>, memories: &Memories<R>) -> Result<Plan<R>, Failure>
where
    R: Resource<Change = Change, Memory = ()>,
{
    let change = change.map_err(|error| failures::of_put(&error))?;
    Ok(Plan::without_memory(Some(change).filter(|change| *change != Change::None), memories))
}

/// The document as the change makes it.
fn apply_change(before: Option<&PolicyDocument>, change: Option<&Change>) -> Option<PolicyDocument> {
    match change {
        None | Some(Change::None) => before.cloned(),
        Some(Change::Put(document)) => Some(document.clone()),
        Some(Change::Delete) => None,
    }
}

/// One document, as it is and as it would be. `others` count against the same quota.
pub(crate) fn preview_of(
    what: String,
    before: Option<&PolicyDocument>,
    change: Option<&Change>,
    others: &[&PolicyDocument],
    quota: Quota,
) -> Preview {
    let after = apply_change(before, change);
    let size = Some((quota.used(others.iter().copied().chain(&after)), quota.limit()));
    let value = |document: Option<&PolicyDocument>| document.map_or(Value::Null, PolicyDocument::to_value);
    Preview { what, before: value(before), after: value(after.as_ref()), size }
}

/// What is said of the attributes of a grant.
pub(crate) const ATTRIBUTES: [Attribute; 3] = [
    Attribute {
        name: "StatementIds",
        meaning: "Sids of the statements that this resource owns, separated by commas",
    },
    Attribute {
        name: "PolicyBytes",
        meaning: "size of the policy now; of a role, the characters of all its inline policies",
    },
    Attribute { name: "PolicyBytesLimit", meaning: "what AWS allows" },
];

/// The attributes of a grant.
pub(crate) fn grant_attributes(statements: &OwnedStatements, quota: Quota, bytes: usize) -> Success {
    Success::default()
        .with("StatementIds", statements.desired_sids().join(","))
        .with("PolicyBytes", bytes.to_string())
        .with("PolicyBytesLimit", quota.limit().to_string())
}
