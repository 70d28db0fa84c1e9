//! What an error message claims: the one place where message text is read.
//!
//! AWS's own grammar is `User: ARN is not authorized to perform: ACTION on resource: ARN …`; the other
//! forms are the wordings of CodePipeline, S3, KMS and CloudFormation around it.
//! See <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>.

/// What a message claims to have happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// This actor was denied this action on this resource.
    Denied {
        /// The ARN of who asked: a role, or a session of one.
        actor: String,
        /// The action, `kms:Decrypt`.
        action: String,
        /// The resource's ARN, where the message has one.
        resource: Option<String>,
    },
    /// The service role was not allowed to assume this role.
    AssumeRole {
        /// The role that was to be assumed.
        role: String,
    },
    /// The action role could not get at an artifact; which of bucket and key refused is not said.
    Artifact,
    /// The artifact bucket refused.
    Bucket,
    /// The artifact key refused.
    Key,
    /// No such key in the account that is named, if one is.
    NoSuchKey,
    /// A role was passed across accounts.
    PassRoleAcross,
    /// The message says nothing that can be told apart.
    Nothing,
}

/// Reads a message.
pub fn claim(message: &str) -> Claim {
    if let Some(claim) = denied(message) {
        return claim;
    }
    let says = |text: &str| message.contains(text);
    if says("is not authorized to perform AssumeRole on role") {
        let role = after(message, "perform AssumeRole on role").map(word);
        Claim::AssumeRole { role: role.unwrap_or_default() }
    } else if says("Cross-account pass role is not allowed") {
        Claim::PassRoleAcross
    } else if says("KMS.NotFoundException") || (says("Key 'arn:") && says("does not exist")) {
        Claim::NoSuchKey
    } else if says("The ciphertext refers to a customer master key") || says("KMS.") {
        Claim::Key
    } else if says("Unable to access the artifact") {
        Claim::Artifact
    } else if says("permissions required to access the Amazon S3 bucket") || says("Upload to S3 failed") {
        Claim::Bucket
    } else {
        Claim::Nothing
    }
}

fn denied(message: &str) -> Option<Claim> {
    let (actor, rest) = message.split_once(" is not authorized to perform: ")?;
    let actor = actor.rsplit(char::is_whitespace).next().unwrap_or_default();
    let action = word(rest);
    let resource = after(rest, "on resource:").map(word);
    Some(if action.eq_ignore_ascii_case("sts:AssumeRole") {
        Claim::AssumeRole { role: resource.unwrap_or_default() }
    } else {
        Claim::Denied { actor: actor.to_owned(), action, resource }
    })
}

fn after<'a>(text: &'a str, marker: &str) -> Option<&'a str> {
    text.split_once(marker).map(|(_, rest)| rest)
}

/// The first word, without the punctuation around it.
fn word(text: &str) -> String {
    let word = text.split_whitespace().next().unwrap_or_default();
    word.trim_matches(|c: char| "'\"`()[],;.".contains(c)).to_owned()
}
