//! Which finding explains the failure, and how surely.

use serde::Serialize;

use super::failure::Failure;
use super::message::{Claim, Denial, PolicyKind};
use crate::arn::Arn;
use crate::evaluation::Side;
use crate::rules::{Denied, Finding};

/// How surely a finding is the cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// The error message and the evaluation of the live policies agree.
    Confirmed,
    /// The message fits the fault, without naming it.
    Likely,
    /// A fault is there, and the message says nothing of it.
    Possible,
}

impl Confidence {
    /// As the JSON has it: `confirmed`, `likely` or `possible`.
    pub fn name(self) -> &'static str {
        match self {
            Confidence::Confirmed => "confirmed",
            Confidence::Likely => "likely",
            Confidence::Possible => "possible",
        }
    }
}

/// A finding and how surely it is the cause.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ranked {
    /// How surely it is the cause.
    pub confidence: Confidence,
    /// The finding.
    #[serde(flatten)]
    pub finding: Finding,
}

/// Orders findings by how surely they are the cause; among equals, what the action needs first comes first.
pub fn rank(findings: Vec<Finding>, claim: &Claim, failure: &Failure) -> Vec<Ranked> {
    let ranked = findings
        .into_iter()
        .map(|finding| Ranked { confidence: confidence(&finding, claim, failure), finding });
    let mut ranked: Vec<Ranked> = ranked.collect();
    ranked.sort_by_key(|ranked| {
        (ranked.confidence, std::cmp::Reverse(ranked.finding.severity), step(ranked.finding.rule))
    });
    ranked
}

/// The order in which an action runs into faults: assume the role, fetch from S3, decrypt.
fn step(rule: &str) -> u8 {
    match rule.get(..2) {
        Some("IA") if rule < "IA004" => 0,
        Some("PL") => 1,
        Some("S3") => 2,
        _ if rule == "IA005" => 3,
        Some("KM") => 4,
        _ => 5,
    }
}

fn confidence(finding: &Finding, claim: &Claim, failure: &Failure) -> Confidence {
    use Confidence::{Confirmed, Likely, Possible};
    let rule = finding.rule;
    let about_bucket = matches!(rule, "S3001" | "IA005");
    let about_key = matches!(rule, "KM001" | "IA004");
    let about_key_setting = matches!(rule, "PL001" | "PL002" | "PL003" | "PL004");
    // Such a rule speaks of the message itself; without a denial there is nothing to confirm it by.
    if rule.starts_with("EV") && finding.denied.is_empty() {
        return Likely;
    }
    let is_permission_error = failure.error_code.as_deref() == Some("PermissionError");
    match claim {
        Claim::Denied(denial) => {
            let mut named = finding.denied.iter().filter(|denied| is_of(denial, denied)).peekable();
            if named.peek().is_none() {
                Possible
            } else if named.any(|denied| is_side(denial, denied.side)) {
                Confirmed
            } else {
                // Across accounts AWS names one of the two sides, though both may be at fault.
                Likely
            }
        }
        Claim::AssumeRole { role } => match finding.denied.iter().any(|denied| denied.resource == *role) {
            true if matches!(rule, "IA001" | "IA002" | "IA008" | "IA009" | "IA012") => Confirmed,
            _ => Possible,
        },
        Claim::Refused if !finding.denied.is_empty() => Likely,
        Claim::Artifact if about_bucket || about_key => Confirmed,
        Claim::Artifact if about_key_setting => Likely,
        Claim::Bucket if about_bucket => Confirmed,
        // S3 answers for KMS, too, when it fetches an encrypted object.
        Claim::Bucket if about_key || about_key_setting => Likely,
        Claim::Key if about_key => Confirmed,
        Claim::NoSuchKey { .. } if matches!(rule, "PL002" | "PL003" | "PL004") => Confirmed,
        Claim::Key | Claim::NoSuchKey { .. } if about_key || about_key_setting => Likely,
        Claim::KeyNotUsable if rule == "KM003" => Confirmed,
        Claim::StackBucket if rule == "IA010" => Confirmed,
        Claim::InstanceBucket if rule == "IA007" => Confirmed,
        Claim::Instances if rule == "IA007" => Likely,
        Claim::NoAcls if rule == "S3005" => Confirmed,
        Claim::NoStoreInRegion if rule == "PL009" => Confirmed,
        Claim::Replication if about_bucket || matches!(rule, "PL004" | "S3004") => Likely,
        Claim::RolePermissions { service: Some(_) } if rule == "IA006" => Likely,
        Claim::RolePermissions { service: None } if is_permission_error => Likely,
        Claim::PassRoleAcross if rule == "PL008" => Confirmed,
        Claim::Nothing if is_permission_error => Likely,
        _ => Possible,
    }
}

/// Whether the message speaks of this request; what it leaves out speaks against none.
fn is_of(denial: &Denial, denied: &Denied) -> bool {
    denial.action.eq_ignore_ascii_case(&denied.action)
        && denial.actor.as_deref().is_none_or(|actor| is_role(actor, &denied.principal))
        && denial.resource.as_deref().is_none_or(|resource| same_resource(resource, &denied.resource))
}

/// Whether the message names this side, or none.
fn is_side(denial: &Denial, side: Side) -> bool {
    denial.side.is_none_or(|kind| match kind {
        PolicyKind::IdentityBased => side == Side::Identity,
        PolicyKind::ResourceBased => side == Side::Resource,
        PolicyKind::PermissionsBoundary => side == Side::PermissionsBoundary,
        PolicyKind::ServiceControl => side == Side::ServiceControl,
        // Nothing of these is in a snapshot.
        PolicyKind::Session | PolicyKind::ResourceControl | PolicyKind::VpcEndpoint => false,
    })
}

/// Whether an actor is this role or a session of it.
fn is_role(actor: &str, role_arn: &str) -> bool {
    let (Ok(actor), Ok(role)) = (Arn::parse(actor), Arn::parse(role_arn)) else { return false };
    let session_of = actor.resource().strip_prefix("assumed-role/").and_then(|rest| rest.split('/').next());
    actor == role
        || (actor.account() == role.account() && session_of.is_some() && session_of == role.role_name())
}

/// Objects of one bucket count as the same: the message names the real object, the evaluation a
/// representative one.
fn same_resource(a: &str, b: &str) -> bool {
    let bucket =
        |arn: &str| arn.contains(":s3:::").then(|| arn.split('/').next().unwrap_or_default().to_owned());
    a == b || bucket(a).is_some_and(|a| bucket(b) == Some(a))
}
