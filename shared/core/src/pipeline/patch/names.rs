/// What a message says about names that do exist: the likely one first, then all of them.
pub(super) fn describe_known<'a>(
    what: &str,
    wanted: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    if names.is_empty() {
        return format!("it has no {what} at all");
    }
    let all = names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    // A slip in case is the likeliest of all.
    let lower = wanted.to_lowercase();
    let distance = |name: &str| strsim::levenshtein(&lower, &name.to_lowercase());
    let nearest = names.iter().map(|name| (distance(name), name)).min();
    match nearest.filter(|(distance, name)| distance * 2 <= name.chars().count()) {
        Some((_, name)) => format!("did you mean `{name}`? its {what}: {all}"),
        None => format!("its {what}: {all}"),
    }
}

#[cfg(test)]
mod tests {
    use super::describe_known;

    #[test]
    fn the_nearest_name_comes_first() {
        let names = ["Source", "Build", "DeployProd"];
        assert_eq!(
            describe_known("stages", "deploy-prod", names),
            "did you mean `DeployProd`? its stages: `Source`, `Build`, `DeployProd`"
        );
        assert_eq!(describe_known("stages", "Zzz", names), "its stages: `Source`, `Build`, `DeployProd`");
        assert_eq!(describe_known("stages", "Zzz", []), "it has no stages at all");
    }
}
