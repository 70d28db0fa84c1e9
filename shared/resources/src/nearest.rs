/// The candidate that the name was most likely meant to be, or none when all are far off.
pub(crate) fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    // No property has a longer name, and a comparison takes time by the square of it.
    if name.len() > LONGEST {
        return None;
    }
    let name = name.to_ascii_lowercase();
    candidates
        .map(|candidate| (strsim::levenshtein(&name, &candidate.to_ascii_lowercase()), candidate))
        // A third of the letters wrong: beyond that a suggestion misleads more than it helps.
        .filter(|(distance, candidate)| *distance <= (candidate.len() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

const LONGEST: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggestions() {
        let known = || ["KeyArn", "KeyArns", "TargetAccounts", "TargetRoleArns"].into_iter();
        assert_eq!(nearest("keyarns", known()), Some("KeyArns"));
        assert_eq!(nearest("KeyArm", known()), Some("KeyArn"));
        assert_eq!(nearest("TargetAcounts", known()), Some("TargetAccounts"));
        assert_eq!(nearest("targetrolearn", known()), Some("TargetRoleArns"));
        assert_eq!(nearest("BucketName", known()), None);
        assert_eq!(nearest(&"KeyArn".repeat(100_000), known()), None);
    }
}
