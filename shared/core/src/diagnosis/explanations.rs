//! Which faults explain what a message claims.

use crate::incident::message::ErrorSignature;
use crate::rules::RuleId;

type Rules = &'static [RuleId];

/// The service role may not assume the action role.
const TRUST: Rules = &[RuleId::Ia001, RuleId::Ia002, RuleId::Ia008, RuleId::Ia009, RuleId::Ia012];
/// The action role, or without one the service role, may not use the artifact bucket.
const BUCKET: Rules = &[RuleId::S3001, RuleId::S3002, RuleId::S3003, RuleId::Ia005, RuleId::Ia014];
/// The action role, or without one the service role, may not use the artifact key.
const KEY: Rules = &[RuleId::Km001, RuleId::Km004, RuleId::Ia004, RuleId::Ia014];
/// The pipeline names no key that others can use.
const KEY_SETTING: Rules = &[RuleId::Pl001, RuleId::Pl002, RuleId::Pl003, RuleId::Pl004];
/// The action role may not use the provider.
const PROVIDER: Rules = &[RuleId::Ia006, RuleId::Ia011];

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
            ErrorSignature::AssumeRole { .. } => (&[TRUST], &[&[RuleId::Ev001]]),
            ErrorSignature::Artifact { .. } => (
                &[BUCKET, KEY, &[RuleId::Pl001, RuleId::Cb001]],
                &[KEY_SETTING, &[RuleId::Pl006, RuleId::Km002, RuleId::Km003, RuleId::Ev001]],
            ),
            // S3 answers for KMS, too, when it fetches an encrypted object.
            ErrorSignature::Bucket { .. } => (
                &[BUCKET, &[RuleId::Ia006, RuleId::Ia013]],
                &[
                    KEY,
                    KEY_SETTING,
                    &[RuleId::S3008, RuleId::Pl006, RuleId::Cb001, RuleId::Km002, RuleId::Ev001],
                ],
            ),
            ErrorSignature::NoSuchBucket => (&[&[RuleId::S3004]], &[]),
            ErrorSignature::Key => {
                (&[KEY, &[RuleId::Cb001]], &[KEY_SETTING, &[RuleId::Km002, RuleId::Km003]])
            }
            ErrorSignature::NoSuchKey { .. } => (
                &[&[RuleId::Pl002, RuleId::Pl003, RuleId::Pl004, RuleId::Km003]],
                &[KEY, &[RuleId::Pl001, RuleId::Cb001]],
            ),
            ErrorSignature::KeyNotUsable { .. } => (&[&[RuleId::Km003]], &[]),
            // The service role copies.
            ErrorSignature::Replication => {
                const COPY: Rules = &[
                    RuleId::S3004,
                    RuleId::S3002,
                    RuleId::Pl004,
                    RuleId::Km002,
                    RuleId::Km003,
                    RuleId::Ia014,
                ];
                (&[], &[COPY])
            }
            ErrorSignature::RolePermissions { service: Some(_) } => {
                (&[&[RuleId::Ia006]], &[&[RuleId::Ia011, RuleId::Ev001]])
            }
            ErrorSignature::RolePermissions { service: None } => {
                (&[], &[&[RuleId::Km002, RuleId::Ev001], BUCKET, KEY, PROVIDER])
            }
            ErrorSignature::Refused => (
                &[],
                &[
                    BUCKET,
                    KEY,
                    KEY_SETTING,
                    PROVIDER,
                    &[RuleId::Km002, RuleId::S3008, RuleId::Ia013, RuleId::Pl006, RuleId::Ev001],
                ],
            ),
            ErrorSignature::RoleNotAssumable(_) => (&[&[RuleId::Or002]], &[]),
            ErrorSignature::StackBucket => (&[&[RuleId::Ia010]], &[]),
            // The build's role fetches; its project may name another key.
            ErrorSignature::BuildSource => (
                &[&[RuleId::Cb002]],
                &[
                    &[
                        RuleId::S3001,
                        RuleId::S3002,
                        RuleId::S3003,
                        RuleId::Km001,
                        RuleId::Km004,
                        RuleId::Cb001,
                    ],
                    KEY_SETTING,
                ],
            ),
            ErrorSignature::InstanceBucket => (&[&[RuleId::Ia007]], &[]),
            // The agent may be down as well, or a script at fault.
            ErrorSignature::Instances => (&[], &[&[RuleId::Ia007]]),
            ErrorSignature::NoAcls => (&[&[RuleId::S3005]], &[]),
            ErrorSignature::NoStoreInRegion => (&[&[RuleId::Pl009]], &[]),
            ErrorSignature::PassRoleAcross => (&[&[RuleId::Pl008]], &[]),
            ErrorSignature::InvalidPrincipal => (&[], &[&[RuleId::Km004, RuleId::S3003, RuleId::Ia012]]),
            ErrorSignature::Denied(_)
            | ErrorSignature::OwnWork
            | ErrorSignature::LambdaSilent
            | ErrorSignature::ClusterRefused
            | ErrorSignature::Connection
            | ErrorSignature::StackSetAdmin
            | ErrorSignature::NotPermission
            | ErrorSignature::Nothing => (&[], &[]),
        };
        Explanations { named, fitting }
    }

    /// Whether the message speaks of such a fault.
    pub(super) fn names(self, rule: RuleId) -> bool {
        self.named.iter().any(|rules| rules.contains(&rule))
    }

    /// Whether such a fault ends in this message.
    pub(super) fn fits(self, rule: RuleId) -> bool {
        self.fitting.iter().any(|rules| rules.contains(&rule))
    }
}

/// The rules that judge who may do this: where the message leaves the side open, each of them has a say.
pub(super) fn judges(action: &str) -> Rules {
    match action.split(':').next() {
        Some("kms") => &[RuleId::Km001, RuleId::Km002, RuleId::Ia004, RuleId::Ia014, RuleId::Cb002],
        Some("s3") => &[RuleId::S3001, RuleId::S3002, RuleId::Ia005, RuleId::Ia014, RuleId::Cb002],
        _ => PROVIDER,
    }
}
