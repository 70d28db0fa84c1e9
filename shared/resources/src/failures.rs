//! Errors become answers: what failed, and what to do next.

use std::collections::BTreeMap;

use crosspipe_aws::lease::LeaseError;
use crosspipe_aws::{AwsError, ErrorKind};
use crosspipe_core::field_error::FieldError;
use crosspipe_core::grants::PutError;
use crosspipe_core::pipeline::patch::PatchError;
use crosspipe_core::policy::PolicyError;
use crosspipe_core::remediation::ResourceType;
use crosspipe_custom_resource::Failure;

/// A failed AWS call.
pub fn of_aws(error: AwsError) -> Failure {
    let next_step = match error.kind {
        _ if is_unknown_principal(&error) => {
            "one of the roles or accounts that the policy would name does not exist: deploy target-account.yaml in the target account first, check the ARNs, and deploy again".to_owned()
        }
        ErrorKind::AccessDenied => format!(
            "allow {}:{} to the access provider's role (template.yaml does), and check that no service control policy and no permissions boundary denies it",
            error.service,
            error.operation,
        ),
        ErrorKind::NotFound => "check that the name or ARN is right and that it exists in this account and Region, and deploy again".to_owned(),
        ErrorKind::Throttled | ErrorKind::Unavailable | ErrorKind::Conflict => "deploy again in a few minutes".to_owned(),
        ErrorKind::Invalid | ErrorKind::Other => "correct what the message names, and deploy again".to_owned(),
    };
    Failure::new(error.to_string(), next_step)
}

/// Whether AWS refused a policy because it does not know a principal in it. KMS and S3 have a code for any
/// malformed policy, and Crosspipe's statements are well-formed.
pub fn is_unknown_principal(error: &AwsError) -> bool {
    matches!(error.code.as_deref(), Some("MalformedPolicyDocumentException" | "MalformedPolicy"))
}

/// A field that can't be used.
pub fn of_field(error: FieldError) -> Failure {
    Failure::new(error.to_string(), error.help)
}

/// A document that AWS would refuse.
pub fn of_put(error: &PutError) -> Failure {
    Failure::new(error.to_string(), error.next_step())
}

/// A patch that does not fit the pipeline.
pub fn of_patch(error: &PatchError) -> Failure {
    Failure::new(error.to_string(), "correct the property and deploy again; the pipeline was not changed")
}

/// No lease on the target.
pub fn of_lease(error: LeaseError) -> Failure {
    match error {
        LeaseError::Aws(error) => of_aws(error),
        LeaseError::Held(held) => {
            Failure::new(LeaseError::Held(held).to_string(), "deploy again when it is done")
        }
    }
}

/// A resource type that is not one of ours.
pub fn unknown_type(resource_type: &str) -> Failure {
    let known = ResourceType::ALL.map(|known| format!("Custom::{}", known.name())).join(", ");
    Failure::new(
        format!("resource type `{resource_type}` is not one that Crosspipe serves"),
        format!("use one of {known}"),
    )
}

/// A live policy that can't be read.
pub fn unreadable_policy(arn: &str, error: &PolicyError) -> Failure {
    Failure::new(
        format!("the existing policy of `{arn}` can't be read: {error}"),
        "look at the policy in the console, save it once in a form that AWS accepts, and deploy again",
    )
}

/// What to know where another CloudFormation stack owns the target: that stack's next update can undo what
/// was done. None where no stack does.
pub fn owner_notice(what: &str, tags: &BTreeMap<String, String>) -> Option<String> {
    let stack = tags.get("aws:cloudformation:stack-name")?;
    Some(format!(
        "CloudFormation stack `{stack}` owns this {what}: its next update of it can undo this change. Put the same change into that stack's template, or update this stack after it."
    ))
}

/// The start of a text, of at most this many bytes.
pub fn cut_to_bytes(text: &str, longest: usize) -> String {
    if text.len() <= longest {
        return text.to_owned();
    }
    let mut end = longest.saturating_sub("…".len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", text.get(..end).unwrap_or_default())
}
