//! Grants on KMS keys.
//!
//! See <https://docs.aws.amazon.com/kms/latest/developerguide/grants.html>.

use super::Ternary;
use super::principal::{self, PrincipalMatch};
use super::request::Asked;

/// A grant on a KMS key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyGrant {
    /// The ARN of the principal that may use it.
    pub grantee_principal: String,
    /// The operations, `Decrypt`.
    pub operations: Vec<String>,
}

impl KeyGrant {
    /// Whether the grant gives what is asked for, and how it names the requester.
    pub(super) fn covers(&self, request: &Asked<'_>) -> (Ternary, PrincipalMatch) {
        let granted = |operation: &str| self.operations.iter().any(|one| one.eq_ignore_ascii_case(operation));
        let covered = match request.action.split_once(':') {
            Some((service, _)) if !service.eq_ignore_ascii_case("kms") => false,
            // One call, authorized as two: on the key it reads with and on the key it writes with.
            Some((_, operation)) if operation.eq_ignore_ascii_case("ReEncrypt") => {
                granted("ReEncryptFrom") && granted("ReEncryptTo")
            }
            // Every other operation has the name of its action; none implies another.
            Some((_, operation)) => granted(operation),
            None => false,
        };
        if !covered {
            return (Ternary::No, PrincipalMatch::Account);
        }
        match principal::match_aws_principal(&self.grantee_principal, request.requester) {
            // What a grant to an account gives to its roles and users is not documented.
            (Ternary::Yes, PrincipalMatch::Account) => (Ternary::Unknown, PrincipalMatch::Direct),
            named => named,
        }
    }
}
