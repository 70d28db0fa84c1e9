//! How CodePipeline, CodeDeploy, CloudFormation, S3 and KMS put it: fixed wordings, the most telling first.

use super::denial::bare;
use super::{ErrorSignature, error_code, other_reasons, speaks_of_access};

/// Every text of a row has to be in the message, whatever its case.
const WORDINGS: [(&[&str], ErrorSignature); 46] = [
    (&["scriptfailed"], ErrorSignature::OwnWork),
    (&["download_source", "access denied"], ErrorSignature::BuildSource),
    (&["command_execution_error"], ErrorSignature::OwnWork),
    (&["cross-account pass role is not allowed"], ErrorSignature::PassRoleAcross),
    (&["actions in more than one region", "artifactstores"], ErrorSignature::NoStoreInRegion),
    (&["accesscontrollistnotsupported"], ErrorSignature::NoAcls),
    (&["the bucket does not allow acls"], ErrorSignature::NoAcls),
    (&["blockpublicacls"], ErrorSignature::NoAcls),
    (&["denied by s3", "getobject"], ErrorSignature::StackBucket),
    (&["aws::s3::errors::accessdenied"], ErrorSignature::InstanceBucket),
    (&["downloadbundle", "access denied"], ErrorSignature::InstanceBucket),
    (&["kms.disabledexception"], ErrorSignature::KeyNotUsable { key: None }),
    (&["kmsinvalidstateexception"], ErrorSignature::KeyNotUsable { key: None }),
    (&["kms.invalidstateexception"], ErrorSignature::KeyNotUsable { key: None }),
    (&["malformedpolicydocument", "invalid principal"], ErrorSignature::InvalidPrincipal),
    (&["invalid principal in policy"], ErrorSignature::InvalidPrincipal),
    (&["failed replicating"], ErrorSignature::Replication),
    (&["replication of artifact", "failed"], ErrorSignature::Replication),
    (&["the ciphertext refers to a customer master key"], ErrorSignature::Key),
    (&["unable to access the artifact"], ErrorSignature::Artifact { bucket: None }),
    (&["process to upload the contents of", "failed"], ErrorSignature::Artifact { bucket: None }),
    (&["permissions required to access the amazon s3 bucket"], ErrorSignature::Bucket { bucket: None }),
    (&["access denied for the s3 bucket"], ErrorSignature::Bucket { bucket: None }),
    (&["upload to s3 failed"], ErrorSignature::Bucket { bucket: None }),
    (&["error code: nosuchbucket"], ErrorSignature::NoSuchBucket),
    (&["no bucket with the name", "was found"], ErrorSignature::NotPermission),
    (&["error calling startbuild", "project cannot be found"], ErrorSignature::NotPermission),
    (&["exception while trying to read", "artifact file from"], ErrorSignature::NotPermission),
    (&["larger than 3 mb"], ErrorSignature::NotPermission),
    (&["action configuration is missing"], ErrorSignature::NotPermission),
    (&["invalid action configuration"], ErrorSignature::NotPermission),
    (&["failed to return a result", "putjobsuccessresult"], ErrorSignature::LambdaSilent),
    (&["unable to use connection"], ErrorSignature::Connection),
    (&["useconnection"], ErrorSignature::Connection),
    (&["must be the master or delegated admin account"], ErrorSignature::StackSetAdmin),
    (&["must be the management account or delegated admin"], ErrorSignature::StackSetAdmin),
    (&["is not a delegated admin"], ErrorSignature::StackSetAdmin),
    (&["health_constraints"], ErrorSignature::Instances),
    (&["too many individual instances failed deployment"], ErrorSignature::Instances),
    (&["must be logged in to the server"], ErrorSignature::ClusterRefused),
    (&["asked for the client to provide credentials"], ErrorSignature::ClusterRefused),
    (&["cannot", "resource", "in api group"], ErrorSignature::ClusterRefused),
    (&["is not mapped", "cluster"], ErrorSignature::ClusterRefused),
    (&["access entry", "cluster"], ErrorSignature::ClusterRefused),
    (&["access to kubernetes objects"], ErrorSignature::ClusterRefused),
    (&["exit status"], ErrorSignature::OwnWork),
];

/// Wordings that a code of another reason outweighs.
const WEAK: [(&[&str], ErrorSignature); 3] = [
    (&["kms.", "access"], ErrorSignature::Key),
    (&["failed to download artifact", "403"], ErrorSignature::InstanceBucket),
    (&["access denied", "s3"], ErrorSignature::Bucket { bucket: None }),
];

/// Plain refusals: read last, since other wordings end in one of them.
const REFUSALS: [&str; 10] = [
    "access denied",
    "accessdenied",
    "not authorized",
    "unauthorized",
    "403 forbidden",
    "permission denied",
    "insufficient permission",
    "not have permission",
    "don't have permission",
    "not have the required",
];

/// Reads a message that AWS's own grammar has nothing to say about.
pub(super) fn read(message: &str) -> ErrorSignature {
    let lower = message.to_ascii_lowercase();
    if let Some(claim) = role(message, &lower).or_else(|| no_such_key(message, &lower)) {
        return claim;
    }
    let says_all = |texts: &[&str]| texts.iter().all(|text| lower.contains(text));
    if let Some((_, claim)) = WORDINGS.iter().find(|(texts, _)| says_all(texts)) {
        return named(claim.clone(), message, &lower);
    }
    if let Some(claim) = permissions(message, &lower) {
        return claim;
    }
    let code = error_code(message);
    // A service may wrap another one's refusal into a code of its own.
    let wraps_refusal = REFUSALS.iter().any(|text| lower.contains(text));
    if !wraps_refusal && code.as_ref().is_some_and(|code| code.is_other_reason()) {
        return ErrorSignature::NotPermission;
    }
    if let Some((_, claim)) = WEAK.iter().find(|(texts, _)| says_all(texts)) {
        return named(claim.clone(), message, &lower);
    }
    let refused = code.is_some_and(|code| code.is_refusal()) || wraps_refusal;
    if !refused && other_reasons::says_one(&lower) {
        return ErrorSignature::NotPermission;
    }
    if refused {
        return ErrorSignature::Refused;
    }
    // What a build says beside that is its own work, unless CodeBuild itself gives a reason.
    if lower.contains("build terminated with state") {
        let by_service = message.split_once(", Message: ").map(|(_, reason)| reason);
        if by_service.is_some_and(|reason| !speaks_of_access(reason)) || lower.contains("timed_out") {
            return ErrorSignature::NotPermission;
        }
        ErrorSignature::OwnWork
    } else {
        ErrorSignature::Nothing
    }
}

/// The claim with the bucket or the key that the message names.
fn named(claim: ErrorSignature, message: &str, lower: &str) -> ErrorSignature {
    let after = |marker: &str| word_after(message, lower, marker).map(str::to_owned);
    match claim {
        ErrorSignature::Artifact { .. } => ErrorSignature::Artifact { bucket: after("artifact bucket '") },
        ErrorSignature::Bucket { .. } => {
            let bucket = after("s3 bucket named ").or_else(|| after("access denied for the s3 bucket "));
            ErrorSignature::Bucket { bucket }
        }
        ErrorSignature::KeyNotUsable { .. } => {
            let key = message.split_whitespace().map(bare).find(|word| word.contains(":key/"));
            ErrorSignature::KeyNotUsable { key: key.map(str::to_owned) }
        }
        claim => claim,
    }
}

/// CodePipeline's own words for an `sts:AssumeRole` that was denied, to the service role or to itself.
fn role(message: &str, lower: &str) -> Option<ErrorSignature> {
    const BY_PIPELINE: [&str; 4] = [
        "not authorized to perform assumerole on ",
        "codepipeline could not assume ",
        "codepipeline cannot assume ",
        "codepipeline was unable to assume ",
    ];
    let rest = BY_PIPELINE.iter().find_map(|words| text_after(message, lower, words))?;
    // `on role ARN`, `on action role ARN`; empty where the message was cut before it.
    let role = rest.split_whitespace().map(bare).find(|word| word.contains(":role/"));
    Some(ErrorSignature::AssumeRole { role: role.unwrap_or_default().to_owned() })
}

/// `Key 'arn:…' does not exist`: KMS looks for a key that is given by its id in the account of the caller.
fn no_such_key(message: &str, lower: &str) -> Option<ErrorSignature> {
    if !(lower.contains("kms.notfoundexception")
        || lower.contains("key 'arn:") && lower.contains("does not exist"))
    {
        return None;
    }
    let key = ["key '", "alias "].into_iter().find_map(|marker| word_after(message, lower, marker));
    let key = key.filter(|key| key.starts_with("arn:"));
    Some(ErrorSignature::NoSuchKey { key: key.map(str::to_owned) })
}

fn permissions(message: &str, lower: &str) -> Option<ErrorSignature> {
    if !lower.contains("the provided role does not have") {
        return None;
    }
    let access = ["permissions to access amazon ", "permissions to access aws ", "permissions to access "];
    let service = access.into_iter().find_map(|marker| word_after(message, lower, marker));
    let service = service.filter(|word| !word.is_empty());
    Some(ErrorSignature::RolePermissions { service: service.map(str::to_owned) })
}

/// The word after a marker; empty where the message ends with it.
fn word_after<'a>(message: &'a str, lower: &str, marker: &str) -> Option<&'a str> {
    Some(bare(text_after(message, lower, marker)?.split_whitespace().next().unwrap_or_default()))
}

/// The text after a marker.
fn text_after<'a>(message: &'a str, lower: &str, marker: &str) -> Option<&'a str> {
    // Lower case in ASCII keeps every byte in its place.
    message.get(lower.find(marker)? + marker.len()..)
}
