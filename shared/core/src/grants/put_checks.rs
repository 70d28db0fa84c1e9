//! What must hold before a document is put: AWS refuses the whole document otherwise, often with a
//! text that does not say why.

use crate::evaluation::statement::covers_action;
use crate::policy::principal;
use crate::policy::{Effect, PolicyDocument};

/// A size quota of one kind of policy.
/// See <https://docs.aws.amazon.com/general/latest/gr/kms.html>,
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html> and
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quota {
    /// 32,768 bytes.
    KeyPolicy,
    /// 20 KB, taken as 20,480 bytes.
    BucketPolicy,
    /// 10,240 characters over all inline policies of a role, white space not counted.
    RoleInlinePolicies,
}

impl Quota {
    /// The quota in its [unit](Quota::unit).
    pub fn limit(self) -> usize {
        match self {
            Quota::KeyPolicy => 32_768,
            Quota::BucketPolicy => 20_480,
            Quota::RoleInlinePolicies => 10_240,
        }
    }

    /// What the quota counts: bytes, or the characters that are not white space.
    pub fn unit(self) -> &'static str {
        match self {
            Quota::KeyPolicy | Quota::BucketPolicy => "bytes",
            Quota::RoleInlinePolicies => "characters",
        }
    }

    /// What these documents together count against the quota.
    pub fn used<'a>(self, documents: impl IntoIterator<Item = &'a PolicyDocument>) -> usize {
        let texts = documents.into_iter().map(PolicyDocument::to_json);
        match self {
            Quota::KeyPolicy | Quota::BucketPolicy => texts.map(|text| text.len()).sum(),
            Quota::RoleInlinePolicies => {
                texts.map(|text| text.chars().filter(|c| !c.is_whitespace()).count()).sum()
            }
        }
    }

    /// Refuses what AWS would refuse for its size.
    ///
    /// # Errors
    /// [`PutError::OverQuota`].
    pub fn check(self, used: usize) -> Result<(), PutError> {
        if used <= self.limit() { Ok(()) } else { Err(PutError::OverQuota { quota: self, used }) }
    }

    fn name(self) -> &'static str {
        match self {
            Quota::KeyPolicy => "key policy",
            Quota::BucketPolicy => "bucket policy",
            Quota::RoleInlinePolicies => "role's inline policies",
        }
    }
}

/// Refuses a document that names a deleted principal anywhere: AWS would refuse all of it.
///
/// # Errors
/// [`PutError::DeletedPrincipal`] for the first one.
pub fn refuse_deleted_principals(document: &PolicyDocument) -> Result<(), PutError> {
    for statement in document.statements() {
        if let Some(id) = principal::deleted_principals(statement).into_iter().next() {
            return Err(PutError::DeletedPrincipal { statement: statement.label(), id });
        }
    }
    Ok(())
}

/// Refuses a key policy under which nobody may change the key policy any more. KMS has such a check
/// of its own, which Crosspipe never asks it to bypass.
///
/// # Errors
/// [`PutError::Lockout`].
pub fn refuse_lockout(document: &PolicyDocument) -> Result<(), PutError> {
    let grants_it = document.statements().any(|statement| {
        statement.effect() == Some(Effect::Allow) && covers_action(statement, "kms:PutKeyPolicy")
    });
    if grants_it { Ok(()) } else { Err(PutError::Lockout) }
}

/// Why a document must not be put.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PutError {
    /// The policy would be larger than AWS allows.
    #[error("the {} would take {used} of {} {} allowed", .quota.name(), .quota.limit(), .quota.unit())]
    OverQuota {
        /// The quota.
        quota: Quota,
        /// What would be used of it, in its unit.
        used: usize,
    },
    /// The document names a principal that no longer exists.
    #[error(
        "{statement} of the existing policy names the deleted principal `{id}`, and AWS refuses to save any policy that does"
    )]
    DeletedPrincipal {
        /// Which statement.
        statement: String,
        /// The unique id it names.
        id: String,
    },
    /// Nobody could change the key policy any more.
    #[error(
        "no statement of the key policy allows kms:PutKeyPolicy: saving it would lock everyone out of the key"
    )]
    Lockout,
}

impl PutError {
    /// What to do about it.
    pub fn next_step(&self) -> &'static str {
        match self {
            PutError::OverQuota { .. } => {
                "remove statements that are no longer needed, or grant by `OrganizationId` and `TargetRoleNamePattern` instead of one principal per account"
            }
            PutError::DeletedPrincipal { .. } => {
                "replace that id by the ARN of the role that now exists, or remove it, and save the policy once; then try again"
            }
            PutError::Lockout => {
                "add a statement that lets the account's root administer the key, then try again"
            }
        }
    }
}
