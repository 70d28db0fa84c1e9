//! Who owns what Crosspipe writes: names derived from the custom resource that asked for it.

use sha2::{Digest, Sha256};

/// What every Sid of a statement that Crosspipe owns begins with.
pub const SID_PREFIX: &str = "Crosspipe";

/// The custom resource on whose behalf something is written.
///
/// Everything Crosspipe leaves in a policy, a role or a pipeline carries a name derived from its
/// owner, so that the owner, and nobody else, finds it again to change or to remove it. The names
/// are deterministic: a repeated request finds what the first one wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    stack_id: String,
    logical_id: String,
}

impl Owner {
    /// The owner with this `StackId` and `LogicalResourceId`.
    pub fn new(stack_id: impl Into<String>, logical_id: impl Into<String>) -> Self {
        Owner { stack_id: stack_id.into(), logical_id: logical_id.into() }
    }

    /// The ARN of the stack.
    pub fn stack_id(&self) -> &str {
        &self.stack_id
    }

    /// The name of the resource in the stack's template.
    pub fn logical_id(&self) -> &str {
        &self.logical_id
    }

    /// The Sid of the statement that this owner keeps for one purpose: `Crosspipe` and 24 hex
    /// digits, alphanumeric because IAM accepts nothing else.
    pub fn sid(&self, purpose: &str) -> String {
        format!("{SID_PREFIX}{}", self.digest(purpose, 24))
    }

    /// The name of the inline policy that this owner keeps in a role.
    pub fn policy_name(&self) -> String {
        format!("Crosspipe-{}", self.digest("inline-policy", 24))
    }

    /// A short name for tag keys and physical ids: 12 hex digits.
    pub fn short(&self) -> String {
        self.digest("owner", 12)
    }

    fn digest(&self, purpose: &str, hex_digits: usize) -> String {
        let mut hash = Sha256::new();
        for part in [self.stack_id.as_str(), self.logical_id.as_str(), purpose] {
            // The length in front keeps ("ab", "c") and ("a", "bc") apart.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        to_hex(&hash.finalize(), hex_digits)
    }
}

/// The first `digits` hex digits of these bytes.
fn to_hex(bytes: &[u8], digits: usize) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .take(digits)
        .filter_map(|n| char::from_digit(n.into(), 16))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_deterministic_and_distinct() {
        let owner = Owner::new("stack", "Key");
        assert_eq!(owner.sid("targets"), Owner::new("stack", "Key").sid("targets"));
        assert_ne!(owner.sid("targets"), owner.sid("service-role"));
        assert_ne!(owner.sid("targets"), Owner::new("stac", "kKey").sid("targets"));
        assert!(owner.sid("targets").bytes().all(|b| b.is_ascii_alphanumeric()));
        assert_eq!(owner.short().len(), 12);
    }
}
