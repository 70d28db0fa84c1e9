//! Scaffolds a rule: its file and that of its fixtures, which compile, and a test that says what is missing.

use std::fs;
use std::path::Path;

use crosspipe_core::rules::ALL;

use crate::Failure;
use crate::docs::registry::{self, FIXTURES, RULES};

const USAGE: &str = "cargo xtask new-rule IA014 name-of-the-fault";

/// Writes the two files of a new rule and lists them.
pub(crate) fn run(root: &Path, id: &str, name: &str) -> Result<(), Failure> {
    check(id, name)?;
    let file = format!("{}.rs", name.replace('-', "_"));
    let (rule, fixtures) = (root.join(RULES).join(&file), root.join(FIXTURES).join(&file));
    for (place, text) in [(&rule, rule_text(id, name)), (&fixtures, fixtures_text(name))] {
        if place.exists() {
            return Err(Failure::new(format!("{} exists already", place.display()), USAGE));
        }
        fs::write(place, text)
            .map_err(|error| Failure::new(format!("{}: {error}", place.display()), USAGE))?;
        println!("written: {}", place.strip_prefix(root).unwrap_or(place).display());
    }
    registry::update(root)?;
    println!(
        "next: write the rule, then\n  \
         cargo test -p crosspipe-core --test rules   says what it still lacks\n  \
         cargo xtask docs                            writes its page"
    );
    Ok(())
}

fn check(id: &str, name: &str) -> Result<(), Failure> {
    let fault = |fault: String| Err(Failure::new(fault, USAGE));
    let bytes = id.as_bytes();
    let (family, number) = bytes.split_at_checked(2).unwrap_or_default();
    let family_fits = family.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        && family.first().is_some_and(u8::is_ascii_uppercase);
    if !family_fits || number.len() != 3 || !number.iter().all(u8::is_ascii_digit) {
        return fault(format!("`{id}` is not the id of a rule: two capitals (or S3) and three digits"));
    }
    let words = || name.split('-');
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    if words().count() < 2 || !words().all(is_word) {
        return fault(format!("`{name}` is not the name of a fault: lower-case words with hyphens"));
    }
    match ALL.iter().find(|rule| rule.id.as_str() == id || rule.name == name) {
        Some(rule) => fault(format!("there is {} {} already", rule.id, rule.name)),
        None => Ok(()),
    }
}

fn rule_text(id: &str, name: &str) -> String {
    let (first, rest) = id.split_at(1);
    let variant = format!("{first}{}", rest.to_lowercase());
    format!(
        r#"//! # What it does
//! TODO
//!
//! # Why deploys fail
//! TODO
//!
//! # How to fix
//! TODO
//!
//! # Example
//! TODO

use crate::rules::{{Facts, InDiagnosis, Rule, RuleContext, RuleId, Severity, Subject}};

pub(in crate::rules) const RULE: Rule = Rule {{
    id: RuleId::{variant},
    name: "{name}",
    severity: Severity::Warning,
    summary: "TODO",
    sources: &[],
    // What it is about: see `Subject`.
    subject: Subject::Setting,
    // Which messages it explains, and what may have written what is missing: see `InDiagnosis`.
    in_diagnosis: InDiagnosis::NOTHING,
    check,
}};

fn check(_facts: &Facts<'_>, _cx: &mut RuleContext<'_>) {{}}
"#
    )
}

fn fixtures_text(name: &str) -> String {
    format!(
        r#"//! The fixtures of {name}.

use crate::check::{{Cases, nothing}};

pub(super) fn fixtures(cases: &mut Cases) {{
    cases.case("the corrected walkthrough", nothing, &[], &[]);
}}
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_names_are_checked() {
        assert!(check("IA099", "a-new-fault").is_ok());
        assert!(check("S3099", "a-new-fault").is_ok());
        for (id, name, told) in [
            ("ia099", "a-new-fault", "`ia099`"),
            ("IA99", "a-new-fault", "`IA99`"),
            ("IÄ99", "a-new-fault", "`IÄ99`"),
            ("IA099", "A new fault", "`A new fault`"),
            ("KM001", "a-new-fault", "there is KM001"),
            ("IA099", "key-policy-omits-target", "there is KM001"),
        ] {
            let failure = check(id, name).unwrap_err();
            assert!(failure.message.contains(told), "{}", failure.message);
        }
    }

    #[test]
    fn scaffold_has_every_section() {
        let text = rule_text("IA099", "a-new-fault");
        for section in ["What it does", "Why deploys fail", "How to fix", "Example"] {
            assert!(text.contains(&format!("//! # {section}\n//! TODO\n")), "{section}");
        }
    }
}
