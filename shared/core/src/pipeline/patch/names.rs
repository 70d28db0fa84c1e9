/// What a message says about names that do exist: the likely one first, then all of them.
pub(super) fn known<'a>(what: &str, wanted: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    if names.is_empty() {
        return format!("it has no {what} at all");
    }
    let all = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let nearest = names.iter().map(|name| (distance(wanted, name), name)).min();
    match nearest.filter(|(distance, name)| distance * 2 <= name.chars().count()) {
        Some((_, name)) => format!("did you mean `{name}`? its {what}: {all}"),
        None => format!("its {what}: {all}"),
    }
}

// Levenshtein's distance, case ignored: a slip in case is the likeliest of all.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, ours) in left.to_lowercase().chars().enumerate() {
        let mut last = index + 1;
        let mut next = vec![last];
        for ((theirs, diagonal), above) in right.iter().zip(&row).zip(row.iter().skip(1)) {
            last = (diagonal + usize::from(ours != *theirs)).min(above + 1).min(last + 1);
            next.push(last);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::known;

    #[test]
    fn the_nearest_name_comes_first() {
        let names = ["Source", "Build", "DeployProd"];
        assert_eq!(
            known("stages", "deploy-prod", names),
            "did you mean `DeployProd`? its stages: `Source`, `Build`, `DeployProd`"
        );
        assert_eq!(known("stages", "Zzz", names), "its stages: `Source`, `Build`, `DeployProd`");
        assert_eq!(known("stages", "Zzz", []), "it has no stages at all");
    }
}
