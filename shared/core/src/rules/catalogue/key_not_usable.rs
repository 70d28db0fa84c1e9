//! # What it does
//! Looks at the state and kind of each artifact key.
//!
//! # Why deploys fail
//! A disabled key, one that waits for its deletion, and one for signing can't encrypt artifacts:
//! "KMS.DisabledException", "KMS.KMSInvalidStateException".
//!
//! # How to fix
//! Enable the key, cancel its deletion, or use a symmetric encryption key.
//!
//! # Example
//! `"KeyState": "PendingDeletion"`

use crate::incident::message::ErrorSignature;
use crate::rules::commands::{in_region, option, script};
use crate::rules::diagnostics::{Fault, Fix};
use crate::rules::facts::text;
use crate::rules::resources::{key_of, target_of};
use crate::rules::{Facts, Fit, InDiagnosis, Rule, RuleContext, RuleId, Severity, Subject};
use crate::snapshot::Fact;

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Km003,
    name: "key-not-usable",
    severity: Severity::Error,
    summary: "The artifact key does not exist, is not enabled, or is not for symmetric encryption.",
    sources: &["https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html"],
    subject: Subject::Store,
    in_diagnosis: InDiagnosis {
        explains: |claim| match claim {
            ErrorSignature::NoSuchKey { .. } | ErrorSignature::KeyNotUsable { .. } => Fit::Names,
            ErrorSignature::Artifact { .. } | ErrorSignature::Key | ErrorSignature::Replication => Fit::Fits,
            _ => Fit::No,
        },
        ..InDiagnosis::NOTHING
    },
    check,
};

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    for (store, key) in facts.keys() {
        let location = format!("keys[\"{key}\"].keyMetadata");
        let known = facts.key(key.as_str());
        let metadata = match known.part(|key| &key.key_metadata) {
            Fact::Known(metadata) => metadata.get("KeyMetadata").unwrap_or(metadata),
            Fact::Absent if matches!(known, Fact::Absent) => {
                cx.report(Fault {
                    location: format!("keys[\"{key}\"]"),
                    message: format!("the key of artifact store `{}` does not exist", store.bucket()),
                    because: format!("account {} has no `{key}` in {}", key.account(), key.region()),
                    fix: Fix {
                        summary: "create a symmetric customer managed key and set its ARN on the store"
                            .into(),
                        crosspipe: target_of(facts, &store).map(|it| key_of(facts, &store, None, it)),
                        ..Fix::default()
                    },
                    ..Fault::default()
                });
                continue;
            }
            Fact::Absent | Fact::Unknown => {
                cx.unknown(location);
                continue;
            }
        };
        let spec = text(metadata, "/KeySpec").or_else(|| text(metadata, "/CustomerMasterKeySpec"));
        let command = |verbs: &[&str]| {
            let key_id = format!("{} {}", in_region(Some(key.region())), option("key-id", key.as_str()));
            let steps: Vec<_> =
                verbs.iter().map(|verb| format!("aws kms {verb}{key_id} > /dev/null")).collect();
            Some(script(Some(key.account()), &steps))
        };
        let (because, summary, command) =
            match (text(metadata, "/KeyState"), spec, text(metadata, "/KeyUsage")) {
                (Some("Disabled"), ..) => {
                    ("its state is Disabled".into(), "enable the key", command(&["enable-key"]))
                }
                (Some("PendingDeletion"), ..) => (
                    "its state is PendingDeletion".into(),
                    "cancel the deletion, then enable the key",
                    command(&["cancel-key-deletion", "enable-key"]),
                ),
                (Some(state), ..) if state != "Enabled" => {
                    (format!("its state is {state}"), "wait until the key is enabled, or use another", None)
                }
                (_, Some(spec), _) if spec != "SYMMETRIC_DEFAULT" => {
                    (format!("its spec is {spec}"), "use a key of spec SYMMETRIC_DEFAULT", None)
                }
                (.., Some(usage)) if usage != "ENCRYPT_DECRYPT" => {
                    (format!("its usage is {usage}"), "use a key for ENCRYPT_DECRYPT", None)
                }
                _ => continue,
            };
        cx.report(Fault {
            message: format!(
                "the key of artifact store `{}` can't encrypt or decrypt artifacts",
                store.bucket()
            ),
            because,
            fix: Fix { summary: summary.into(), command, ..Fix::default() },
            location,
            ..Fault::default()
        });
    }
}
