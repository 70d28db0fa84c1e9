//! Who asks for what, in which context.

use super::context::{Context, Keys};
use super::requester::Requester;

/// A request as AWS authorizes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Request<'a> {
    /// Who asks.
    pub requester: Requester,
    /// The action, `s3:GetObject`.
    pub action: &'a str,
    /// The resource's ARN.
    pub resource: &'a str,
    /// The account that owns the resource. S3's ARNs do not say, so it is told apart.
    pub resource_account: Option<&'a str>,
    /// Condition keys.
    pub context: Context,
}

/// The same, with every condition key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub requester: &'a Requester,
    pub action: &'a str,
    pub resource: &'a str,
    pub resource_account: Option<&'a str>,
    pub keys: Keys<'a>,
}

impl<'a> From<&'a Request<'_>> for Asked<'a> {
    fn from(request: &'a Request<'_>) -> Self {
        Asked {
            requester: &request.requester,
            action: request.action,
            resource: request.resource,
            resource_account: request.resource_account,
            keys: Keys { context: &request.context, requester: &request.requester },
        }
    }
}
