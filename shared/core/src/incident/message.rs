//! What an error message claims: the one place where message text is read.
//!
//! # Layout
//! - this file: what a message can claim
//! - [`mod@denial`]: AWS's own grammar, `User: ARN is not authorized to perform: ACTION on resource: ARN …`
//! - [`mod@assumption`]: a role that a service could not assume
//! - [`mod@error_code`]: the error code, whichever way a service puts it
//! - `wordings`: how CodePipeline, CodeDeploy, CloudFormation, S3 and KMS put the rest
//! - `other_reasons`: what has nothing to do with permissions, where no code says so
//! - `summaries`: messages that sum up a failure without a reason
//! - [`services`]: how messages name services
//!
//! Any text is read, however it was cut, quoted, redacted or wrapped; what says nothing claims
//! [`ErrorSignature::Nothing`].

pub mod assumption;
pub mod denial;
pub mod error_code;
mod other_reasons;
pub mod services;
mod summaries;
mod wordings;

pub use assumption::{Assumption, assumption};
pub use denial::{Denial, PolicyKind, denial};
pub use error_code::{ErrorCode, error_code};
pub(super) use summaries::gives_other_reason;

/// What a message claims to have happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorSignature {
    /// Somebody was denied an action, and the message says which.
    Denied(Denial),
    /// Somebody was not allowed to assume this role; empty where the message was cut before it.
    AssumeRole {
        /// The role that was to be assumed.
        role: String,
    },
    /// A service, or a role that works for one, could not assume the role that it was given.
    RoleNotAssumable(Assumption),
    /// Access was denied, and the message says neither who asked nor for what.
    Refused,
    /// The action role lacks permissions; the service that is named may be the wrong one.
    RolePermissions {
        /// The service it is said to lack access to, `CodeDeploy`.
        service: Option<String>,
    },
    /// The action role could not get at an artifact; which of bucket and key refused is not said.
    Artifact {
        /// The bucket that the artifact is in.
        bucket: Option<String>,
    },
    /// A bucket refused.
    Bucket {
        /// Its name.
        bucket: Option<String>,
    },
    /// There is no such bucket.
    NoSuchBucket,
    /// CloudFormation could not read a bucket as the stack's role.
    StackBucket,
    /// An instance could not download the revision as its own role.
    InstanceBucket,
    /// The bucket takes no ACLs.
    NoAcls,
    /// The artifact could not be copied to another Region's bucket.
    Replication,
    /// The artifact key refused.
    Key,
    /// No such key in the account that is named, if one is.
    NoSuchKey {
        /// The key's ARN as KMS looked for it: its account tells where.
        key: Option<String>,
    },
    /// The key is disabled, deleted or otherwise not usable.
    KeyNotUsable {
        /// The key's ARN.
        key: Option<String>,
    },
    /// A policy names a principal that does not exist (any more).
    InvalidPrincipal,
    /// A role was passed across accounts.
    PassRoleAcross,
    /// An action is in a Region without an artifact store.
    NoStoreInRegion,
    /// The deployment failed on its instances; why is in their logs.
    Instances,
    /// A build could not fetch its source, as the build's own role.
    BuildSource,
    /// What runs in the target account failed at its own work: a script of a deployment, a command of a build.
    OwnWork,
    /// The Lambda function never reported its result.
    LambdaSilent,
    /// A Kubernetes cluster does not let the caller in.
    ClusterRefused,
    /// The connection to the source provider can't be used.
    Connection,
    /// The stack set needs the organization's management or delegated administrator account.
    StackSetAdmin,
    /// Something is wrong that permissions have nothing to do with.
    NotPermission,
    /// The message gives a reason that is not read, and it has no word of access in it.
    OtherMatter,
    /// The message says nothing that can be told apart.
    Nothing,
}

/// Reads a message: as a sentence first, then as one of the fixed wordings, then by its error code.
pub fn claim(message: &str) -> ErrorSignature {
    let message = &on_one_line(message);
    if let Some(assumption) = assumption(message) {
        return ErrorSignature::RoleNotAssumable(assumption);
    }
    match denial(message) {
        Some(denial) if denial.action.eq_ignore_ascii_case("sts:AssumeRole") => {
            ErrorSignature::AssumeRole { role: denial.resource.unwrap_or_default() }
        }
        Some(denial) => ErrorSignature::Denied(denial),
        None => wordings::read(message),
    }
}

/// Whether a text may be about who may do what. What a resource of a stack failed for without such a word is another
/// reason, whatever it is.
pub(super) fn speaks_of_access(text: &str) -> bool {
    const WORDS: [&str; 13] = [
        "denied",
        "authoriz",
        "permission",
        "access",
        "forbidden",
        "403",
        "assume",
        "trust",
        "credential",
        "kms",
        "crypt",
        "privilege",
        "no more",
    ];
    let lower = text.to_ascii_lowercase();
    WORDS.iter().any(|word| lower.contains(word))
}

/// A message without the line breaks of who logged it, and without the escapes of the JSON or HTML that it was in.
fn on_one_line(message: &str) -> String {
    const ESCAPES: [(&str, &str); 6] =
        [("\\n", " "), ("\\r", " "), ("\\t", " "), ("\\\"", "\""), ("&quot;", "\""), ("&#39;", "'")];
    let escaped = ESCAPES.iter().any(|(escape, _)| message.contains(escape));
    let plain = escaped.then(|| {
        ESCAPES.iter().fold(message.to_owned(), |text, (escape, meant)| text.replace(escape, meant))
    });
    let text = plain.as_deref().unwrap_or(message);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
