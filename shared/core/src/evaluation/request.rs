//! Who asks for what, in which context.

use super::context::Context;
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
