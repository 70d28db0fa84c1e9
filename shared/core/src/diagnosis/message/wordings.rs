//! How CodePipeline, CodeDeploy, CloudFormation, S3 and KMS put it: fixed wordings, the most telling first.

use super::Claim;
use super::denial::bare;

/// Every text of a row has to be in the message, whatever its case.
const WORDINGS: [(&[&str], Claim); 37] = [
    (&["scriptfailed"], Claim::OwnWork),
    (&["phase: download_source", "access denied"], Claim::BuildSource),
    (&["build terminated with state"], Claim::OwnWork),
    (&["cross-account pass role is not allowed"], Claim::PassRoleAcross),
    (&["actions in more than one region", "artifactstores"], Claim::NoStoreInRegion),
    (&["accesscontrollistnotsupported"], Claim::NoAcls),
    (&["the bucket does not allow acls"], Claim::NoAcls),
    (&["denied by s3", "getobject"], Claim::StackBucket),
    (&["aws::s3::errors::accessdenied"], Claim::InstanceBucket),
    (&["downloadbundle", "access denied"], Claim::InstanceBucket),
    (&["kms.disabledexception"], Claim::KeyNotUsable { key: None }),
    (&["kms.kmsinvalidstateexception"], Claim::KeyNotUsable { key: None }),
    (&["kms.invalidstateexception"], Claim::KeyNotUsable { key: None }),
    (&["malformedpolicydocument", "invalid principal"], Claim::InvalidPrincipal),
    (&["invalid principal in policy"], Claim::InvalidPrincipal),
    (&["failed replicating"], Claim::Replication),
    (&["replication of artifact", "failed"], Claim::Replication),
    (&["the ciphertext refers to a customer master key"], Claim::Key),
    (&["unable to access the artifact"], Claim::Artifact { bucket: None }),
    (&["permissions required to access the amazon s3 bucket"], Claim::Bucket { bucket: None }),
    (&["upload to s3 failed"], Claim::Bucket { bucket: None }),
    (&["error code: nosuchbucket"], Claim::NoSuchBucket),
    (&["no bucket with the name", "was found"], Claim::NotPermission),
    (&["error calling startbuild", "project cannot be found"], Claim::NotPermission),
    (&["exception while trying to read", "artifact file from"], Claim::NotPermission),
    (&["larger than 3 mb"], Claim::NotPermission),
    (&["action configuration is missing"], Claim::NotPermission),
    (&["invalid action configuration"], Claim::NotPermission),
    (&["failed to return a result", "putjobsuccessresult"], Claim::LambdaSilent),
    (&["unable to use connection"], Claim::Connection),
    (&["useconnection"], Claim::Connection),
    (&["must be the master or delegated admin account"], Claim::StackSetAdmin),
    (&["must be the management account or delegated admin"], Claim::StackSetAdmin),
    (&["health_constraints"], Claim::Instances),
    (&["too many individual instances failed deployment"], Claim::Instances),
    (&["kms."], Claim::Key),
    (&["access denied", "s3"], Claim::Bucket { bucket: None }),
];

/// Plain refusals: read last, since other wordings end in one of them.
const REFUSALS: [&str; 3] =
    ["access denied", "accessdenied", "you are not authorized to perform this operation"];

/// Reads a message that AWS's own grammar has nothing to say about.
pub fn read(message: &str) -> Claim {
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
    if REFUSALS.iter().any(|text| lower.contains(text)) { Claim::Refused } else { Claim::Nothing }
}

/// The claim with the bucket or the key that the message names.
fn named(claim: Claim, message: &str, lower: &str) -> Claim {
    let after = |marker: &str| word_after(message, lower, marker).map(str::to_owned);
    match claim {
        Claim::Artifact { .. } => Claim::Artifact { bucket: after("artifact bucket '") },
        Claim::Bucket { .. } => Claim::Bucket { bucket: after("s3 bucket named ") },
        Claim::KeyNotUsable { .. } => {
            let key = message.split_whitespace().map(bare).find(|word| word.contains(":key/"));
            Claim::KeyNotUsable { key: key.map(str::to_owned) }
        }
        claim => claim,
    }
}

/// CodePipeline's own words for an `sts:AssumeRole` that was denied, to the service role or to itself.
fn role(message: &str, lower: &str) -> Option<Claim> {
    let role = word_after(message, lower, "is not authorized to perform assumerole on role")?;
    Some(Claim::AssumeRole { role: role.to_owned() })
}

/// `Key 'arn:…' does not exist`: KMS looks for a key that is given by its id in the account of the caller.
fn no_such_key(message: &str, lower: &str) -> Option<Claim> {
    if !(lower.contains("kms.notfoundexception")
        || lower.contains("key 'arn:") && lower.contains("does not exist"))
    {
        return None;
    }
    let key = ["key '", "alias "].into_iter().find_map(|marker| word_after(message, lower, marker));
    let key = key.filter(|key| key.starts_with("arn:"));
    Some(Claim::NoSuchKey { key: key.map(str::to_owned) })
}

fn permissions(message: &str, lower: &str) -> Option<Claim> {
    if !lower.contains("the provided role does not have") {
        return None;
    }
    let access = ["permissions to access amazon ", "permissions to access aws ", "permissions to access "];
    let service = access.into_iter().find_map(|marker| word_after(message, lower, marker));
    let service = service.filter(|word| !word.is_empty());
    Some(Claim::RolePermissions { service: service.map(str::to_owned) })
}

/// The word after a marker; empty where the message ends with it.
fn word_after<'a>(message: &'a str, lower: &str, marker: &str) -> Option<&'a str> {
    // Lower case in ASCII keeps every byte in its place.
    let end = lower.find(marker)? + marker.len();
    Some(bare(message.get(end..)?.split_whitespace().next().unwrap_or_default()))
}
