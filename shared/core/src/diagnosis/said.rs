//! What was said about a failure: by CodePipeline first, then by the provider in the target account.

use super::failure::Failure;
use super::message::{Claim, Denial, claim, denial};
use super::provider::Details;

/// What the messages on a failure claim.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// What they claim, the execution's own message first, without what says nothing.
    pub claims: Vec<Claim>,
    /// The first denial that one of them tells of.
    pub denial: Option<Denial>,
}

impl Said {
    /// Reads the execution's message, and those of the provider.
    pub fn of(failure: &Failure, details: &Details) -> Self {
        let own = failure.message();
        let messages = || [own].into_iter().chain(details.messages.iter().map(String::as_str));
        let others = details.messages.iter().map(|message| claim(message)).filter(is_of_provider);
        let mut claims: Vec<Claim> = vec![];
        for claim in [claim(own)].into_iter().chain(others).filter(|claim| *claim != Claim::Nothing) {
            if !claims.contains(&claim) {
                claims.push(claim);
            }
        }
        // That instances failed is what the others amount to.
        if claims.iter().any(|claim| *claim != Claim::Instances) {
            claims.retain(|claim| *claim != Claim::Instances);
        }
        // A refusal without words.
        if claims.is_empty() && failure.error_code.as_deref() == Some("PermissionError") {
            claims.push(Claim::Refused);
        }
        Said { claims, denial: messages().find_map(denial) }
    }
}

/// Whether a claim of the provider's says whom it is about. What it says of a denial otherwise is about the roles
/// that work there, of stacks, tasks and builds, not about the action's.
fn is_of_provider(claim: &Claim) -> bool {
    match claim {
        Claim::Denied(denial) => denial.actor.is_some(),
        Claim::StackBucket
        | Claim::InstanceBucket
        | Claim::Instances
        | Claim::OwnWork
        | Claim::NoAcls
        | Claim::LambdaSilent
        | Claim::StackSetAdmin => true,
        _ => false,
    }
}
