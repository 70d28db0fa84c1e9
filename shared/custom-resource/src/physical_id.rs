use sha2::{Digest, Sha256};

use crate::response::{MAX_PHYSICAL_ID_BYTES, encoded_len};

const NOT_CREATED: &str = "crosspipe-not-created-";
const UNFINISHED: &str = "crosspipe-unfinished-";

/// Whether this is the physical id with which a failed Create was answered that had made nothing.
///
/// CloudFormation sends a Delete for it, often with the very properties that made the Create fail:
/// answer it with success at once, before reading them. A Create that panicked or ran out of time gets an id of
/// another form, since it may have made something: its Delete has to clean up by the properties.
pub fn is_placeholder_id(physical_id: &str) -> bool {
    physical_id.starts_with(NOT_CREATED)
}

/// The id for a Create that failed before it made anything.
pub(crate) fn not_created(stack_id: &str, logical_id: &str) -> String {
    format!("{NOT_CREATED}{}", digest_of_owner(stack_id, logical_id))
}

/// The id for a Create of which nobody knows how far it came.
pub(crate) fn placeholder_id(stack_id: &str, logical_id: &str) -> String {
    format!("{UNFINISHED}{}", digest_of_owner(stack_id, logical_id))
}

/// Whether CloudFormation takes this physical id. One that JSON escapes would blow up is refused too: it
/// would leave no room for a reason.
pub(crate) fn is_usable(physical_id: &str) -> bool {
    !physical_id.trim().is_empty()
        && physical_id.len() <= MAX_PHYSICAL_ID_BYTES
        && encoded_len(physical_id) <= 2 * MAX_PHYSICAL_ID_BYTES
}

/// The same for each retry of the same Create, different for every other resource.
fn digest_of_owner(stack_id: &str, logical_id: &str) -> String {
    let mut hash = Sha256::new();
    // The length keeps ("ab", "c") apart from ("a", "bc").
    hash.update((stack_id.len() as u64).to_be_bytes());
    hash.update(stack_id);
    hash.update(logical_id);
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_deterministic_and_distinct() {
        assert_eq!(not_created("stack", "Key"), not_created("stack", "Key"));
        assert_ne!(not_created("stack", "Key"), not_created("stack", "Bucket"));
        assert_ne!(not_created("ab", "c"), not_created("a", "bc"));
        assert!(is_placeholder_id(&not_created("stack", "Key")));
        assert!(!is_placeholder_id(&placeholder_id("stack", "Key")));
        assert!(is_usable(&not_created("stack", "Key")) && is_usable(&placeholder_id("stack", "Key")));
    }

    #[test]
    fn unusable_ids() {
        assert!(!is_usable("") && !is_usable(" "));
        assert!(is_usable(&"x".repeat(1024)) && !is_usable(&"x".repeat(1025)));
        assert!(!is_usable(&"\u{1}".repeat(1000)));
    }
}
