//! What a rule says to the diagnosis of a failure: which messages it explains, whose permissions it judges, and which
//! custom resource may have written what it finds missing.

use super::ResourceType;
use crate::incident::message::ErrorSignature;

/// What a rule says to the diagnosis of a failure.
#[derive(Debug, Clone, Copy)]
pub struct InDiagnosis {
    /// How such a fault fits what a message claims. A denial is compared with what the policies deny instead.
    pub explains: fn(&ErrorSignature) -> Fit,
    /// Prefixes of the actions that it judges who may do, `kms`; `*` for those that no other rule judges. Where a
    /// message leaves the side open, each such rule has a say.
    pub judges: &'static [&'static str],
    /// The type of custom resource that may have written what is missing.
    pub remediated_by: Option<ResourceType>,
}

/// How a fault fits what a message claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    /// The message speaks of such a fault.
    Names,
    /// The message may speak of such a fault; that it was not judged leaves nothing open about the others.
    NamesAtMost,
    /// Such a fault ends in this message, too.
    Fits,
    /// It has nothing to do with it.
    No,
}

/// How a key fits what a message claims that is not found, or not meant, where the action works.
pub(super) fn fits_key_not_found(claim: &ErrorSignature) -> Fit {
    match claim {
        ErrorSignature::NoSuchKey { .. } => Fit::Names,
        ErrorSignature::Artifact { .. }
        | ErrorSignature::Bucket { .. }
        | ErrorSignature::Key
        | ErrorSignature::Refused
        | ErrorSignature::BuildSource => Fit::Fits,
        _ => Fit::No,
    }
}

impl InDiagnosis {
    /// It explains no message, and no custom resource has a part in it.
    pub(super) const NOTHING: InDiagnosis =
        InDiagnosis { explains: |_| Fit::No, judges: &[], remediated_by: None };

    /// Whether the message speaks of such a fault.
    pub fn names(&self, claim: &ErrorSignature) -> bool {
        matches!((self.explains)(claim), Fit::Names | Fit::NamesAtMost)
    }

    /// Whether it judges who may do this.
    pub fn judges_action(&self, action: &str) -> bool {
        let service = action.split(':').next().unwrap_or_default();
        let by_others = ["kms", "s3"].contains(&service);
        self.judges.iter().any(|it| *it == service || *it == "*" && !by_others)
    }
}
