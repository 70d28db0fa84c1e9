/// The candidate that the name was most likely meant to be, or none when all are far off.
pub(crate) fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str> + Clone) -> Option<&'a str> {
    if let Some(other_case) = candidates.clone().find(|candidate| candidate.eq_ignore_ascii_case(name)) {
        return Some(other_case);
    }
    let name: Vec<char> = name.chars().take(LONGEST + 1).map(|char| char.to_ascii_lowercase()).collect();
    if name.len() > LONGEST {
        return None;
    }
    candidates
        .map(|candidate| (distance(&name, &candidate.to_ascii_lowercase()), candidate))
        // A third of the letters wrong: beyond that a suggestion misleads more than it helps.
        .filter(|(distance, candidate)| *distance <= (candidate.len() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// No property has a longer name; without a bound the comparison is quadratic in what a template says.
const LONGEST: usize = 100;

/// The Levenshtein distance, one row of the table at a time.
fn distance(left: &[char], right: &str) -> usize {
    let mut row: Vec<usize> = (0..=left.len()).collect();
    for (i, r) in right.chars().enumerate() {
        let mut diagonal = i;
        let mut previous = i + 1;
        if let Some(first) = row.first_mut() {
            *first = previous;
        }
        for (cell, l) in row.iter_mut().skip(1).zip(left) {
            let substituted = diagonal + usize::from(*l != r);
            diagonal = *cell;
            *cell = substituted.min(previous + 1).min(diagonal + 1);
            previous = *cell;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (left, right, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("kitten", "sitting", 3),
            ("flaw", "lawn", 2),
            ("same", "same", 0),
        ] {
            assert_eq!(distance(&left.chars().collect::<Vec<_>>(), right), expected, "{left} {right}");
        }
    }

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
