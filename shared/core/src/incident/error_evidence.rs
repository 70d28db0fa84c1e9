//! What was said about a failure: by CodePipeline first, then by the provider in the target account.

use super::evidence::Details;
use super::failure::Failure;
use super::message::{Denial, ErrorSignature, claim, denial};

/// What the messages on a failure claim.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErrorEvidence {
    /// What they claim, the execution's own message first, without what says nothing.
    pub claims: Vec<ErrorSignature>,
    /// The first denial that one of them tells of.
    pub denial: Option<Denial>,
}

impl ErrorEvidence {
    /// Reads the execution's message, and those of the provider.
    pub fn of(failure: &Failure, details: &Details) -> Self {
        let own = failure.message();
        let messages = || [own].into_iter().chain(details.messages.iter().map(String::as_str));
        let others = details.messages.iter().map(|message| claim(message)).filter(is_of_provider);
        let mut claims: Vec<ErrorSignature> = vec![];
        for claim in [claim(own)].into_iter().chain(others).filter(|claim| *claim != ErrorSignature::Nothing)
        {
            if !claims.contains(&claim) {
                claims.push(claim);
            }
        }
        // That instances failed is what the others amount to.
        if claims.iter().any(|claim| *claim != ErrorSignature::Instances) {
            claims.retain(|claim| *claim != ErrorSignature::Instances);
        }
        // A refusal without words.
        if claims.is_empty() && failure.error_code.as_deref() == Some("PermissionError") {
            claims.push(ErrorSignature::Refused);
        }
        ErrorEvidence { claims, denial: messages().find_map(denial) }
    }
}

/// Whether a claim of the provider's says whom it is about. What it says of a denial otherwise is about the roles
/// that work there, of stacks, tasks and builds, not about the action's.
fn is_of_provider(claim: &ErrorSignature) -> bool {
    match claim {
        ErrorSignature::Denied(denial) => denial.actor.is_some(),
        ErrorSignature::StackBucket
        | ErrorSignature::InstanceBucket
        | ErrorSignature::Instances
        | ErrorSignature::OwnWork
        | ErrorSignature::NoAcls
        | ErrorSignature::LambdaSilent
        | ErrorSignature::StackSetAdmin => true,
        _ => false,
    }
}
