//! Which faults explain what a message claims.

use crate::incident::message::ErrorSignature;

type Rules = &'static [&'static str];

/// The service role may not assume the action role.
const TRUST: Rules = &["IA001", "IA002", "IA008", "IA009", "IA012"];
/// The action role may not use the artifact bucket.
const BUCKET: Rules = &["S3001", "S3002", "S3003", "IA005"];
/// The action role may not use the artifact key.
const KEY: Rules = &["KM001", "KM004", "IA004"];
/// The pipeline names no key that others can use.
const KEY_SETTING: Rules = &["PL001", "PL002", "PL003", "PL004"];
/// The action role may not use the provider.
const PROVIDER: Rules = &["IA006", "IA011"];

/// The faults that explain a claim.
#[derive(Debug, Clone, Copy)]
pub(super) struct Explanations {
    /// Those that the message speaks of.
    pub named: &'static [Rules],
    /// Those that end in such a message, too.
    pub fitting: &'static [Rules],
}

impl Explanations {
    /// What explains a claim. A denial is compared with what the policies deny, and is not in the table.
    pub(super) fn of(claim: &ErrorSignature) -> Self {
        let (named, fitting): (&[Rules], &[Rules]) = match claim {
            ErrorSignature::AssumeRole { .. } => (&[TRUST], &[]),
            ErrorSignature::Artifact { .. } => {
                (&[BUCKET, KEY, &["PL001", "CB001"]], &[KEY_SETTING, &["PL006", "KM003"]])
            }
            // S3 answers for KMS, too, when it fetches an encrypted object.
            ErrorSignature::Bucket { .. } => {
                (&[BUCKET, &["IA006", "IA013"]], &[KEY, KEY_SETTING, &["S3008", "PL006", "CB001"]])
            }
            ErrorSignature::NoSuchBucket => (&[&["S3004"]], &[]),
            ErrorSignature::Key => (&[KEY, &["CB001"]], &[KEY_SETTING, &["KM002", "KM003"]]),
            ErrorSignature::NoSuchKey { .. } => {
                (&[&["PL002", "PL003", "PL004", "KM003"]], &[KEY, &["PL001", "CB001"]])
            }
            ErrorSignature::KeyNotUsable { .. } => (&[&["KM003"]], &[]),
            // The service role copies.
            ErrorSignature::Replication => (&[], &[&["S3004", "S3002", "PL004", "KM002", "KM003"]]),
            ErrorSignature::RolePermissions { service: Some(_) } => (&[&["IA006"]], &[&["IA011"]]),
            ErrorSignature::RolePermissions { service: None } => (&[], &[&["KM002"], BUCKET, KEY, PROVIDER]),
            ErrorSignature::Refused => {
                (&[], &[BUCKET, KEY, KEY_SETTING, PROVIDER, &["KM002", "S3008", "IA013", "PL006"]])
            }
            ErrorSignature::StackBucket => (&[&["IA010"]], &[]),
            // The build's role may be at fault as well, of which nothing is known.
            ErrorSignature::BuildSource => {
                (&[], &[&["S3001", "S3002", "S3003", "KM001", "KM004", "CB001"], KEY_SETTING])
            }
            ErrorSignature::InstanceBucket => (&[&["IA007"]], &[]),
            // The agent may be down as well, or a script at fault.
            ErrorSignature::Instances => (&[], &[&["IA007"]]),
            ErrorSignature::NoAcls => (&[&["S3005"]], &[]),
            ErrorSignature::NoStoreInRegion => (&[&["PL009"]], &[]),
            ErrorSignature::PassRoleAcross => (&[&["PL008"]], &[]),
            ErrorSignature::InvalidPrincipal => (&[], &[&["KM004", "S3003", "IA012"]]),
            ErrorSignature::Denied(_)
            | ErrorSignature::OwnWork
            | ErrorSignature::LambdaSilent
            | ErrorSignature::Connection
            | ErrorSignature::StackSetAdmin
            | ErrorSignature::NotPermission
            | ErrorSignature::Nothing => (&[], &[]),
        };
        Explanations { named, fitting }
    }

    /// Whether the message speaks of such a fault.
    pub(super) fn names(self, rule: &str) -> bool {
        self.named.iter().any(|rules| rules.contains(&rule))
    }

    /// Whether such a fault ends in this message.
    pub(super) fn fits(self, rule: &str) -> bool {
        self.fitting.iter().any(|rules| rules.contains(&rule))
    }
}

/// The rules that judge who may do this: where the message leaves the side open, each of them has a say.
pub(super) fn judges(action: &str) -> Rules {
    match action.split(':').next() {
        Some("kms") => &["KM001", "IA004"],
        Some("s3") => &["S3001", "S3002", "IA005"],
        _ => PROVIDER,
    }
}

/// Whether the rule is about who may do what. Where a failure is no matter of permissions, these are no help.
pub(super) fn is_about_permissions(rule: &str) -> bool {
    const SETTINGS: Rules = &["KM003", "S3004", "S3005"];
    ["KM", "S3", "IA"].iter().any(|prefix| rule.starts_with(prefix)) && !SETTINGS.contains(&rule)
}
