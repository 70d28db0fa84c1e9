//! A role that a service, or another role, could not assume, as AWS's services put it.
//!
//! ```text
//! Role ARN is invalid or cannot be assumed
//! CodeBuild is not authorized to perform: sts:AssumeRole on service role
//! Account 333333333333 should have 'NAME' role with trust relationship to Role 'NAME'
//! ECS was unable to assume the role 'ARN' that was provided for this task
//! The role defined for the function cannot be assumed by Lambda
//! Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume the provided role
//! AWS CodeDeploy does not have the permissions required to assume the role ARN
//! ```

use super::denial::bare;
use super::services;
use crate::arn;

/// A role that could not be assumed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Assumption {
    /// The role's ARN, where it is named.
    pub role: Option<String>,
    /// Who was to assume it: a service's principal, `codebuild.amazonaws.com`, or the name of a role.
    pub by: Option<String>,
}

/// What services say of a role that they could not assume; each needs one of [`FAILED`] beside it.
const ASSUME: [&str; 4] = ["assume", "assumed", "assumerole", "trust relationship"];
const FAILED: [&str; 12] = [
    "cannot",
    "can't",
    "can not",
    "could not",
    "unable",
    "not authorized",
    "isn't authorized",
    "does not have",
    "doesn't have",
    "invalid",
    "failed",
    "neither",
];

/// Finds the role that a message says could not be assumed by somebody else than the pipeline.
pub fn assumption(message: &str) -> Option<Assumption> {
    of_stack_set(message).or_else(|| of_service(message))
}

/// `Account N should have 'X' role with trust relationship to Role 'Y'.`
fn of_stack_set(message: &str) -> Option<Assumption> {
    let (before, after) = message.split_once(" role with trust relationship to ")?;
    let account = before.split_once("ccount ")?.1.split(' ').next()?;
    let role = bare(before.rsplit(' ').next()?);
    let by = after.split_whitespace().map(bare).find(|word| *word != "Role" && *word != "role")?;
    let arn = if role.starts_with("arn:") { role.to_owned() } else { arn::role("aws", account, role) };
    Some(Assumption { role: Some(arn), by: Some(by.to_owned()) })
}

fn of_service(message: &str) -> Option<Assumption> {
    let lower = message.to_ascii_lowercase();
    let words: Vec<&str> = lower.split_whitespace().map(bare).collect();
    let assumes = words.iter().any(|word| ASSUME.contains(word) || word.ends_with(":assumerole"));
    if !assumes || !FAILED.iter().any(|failed| lower.contains(failed)) {
        return None;
    }
    let role =
        message.split_whitespace().map(bare).find(|word| word.contains(":iam::") && word.contains(":role/"));
    // A role's own request to assume another is a denial like any other.
    let is_of_role =
        role.is_some_and(|role| message.contains(&format!("{role} is not authorized to perform")));
    if is_of_role || message.contains(":assumed-role/") || (lower.contains("arn:") && role.is_none()) {
        return None;
    }
    let by = services::principal_in(message);
    // CodePipeline's own words are about the roles of the pipeline.
    if by == Some("codepipeline.amazonaws.com") || lower.contains("perform assumerole on") {
        return None;
    }
    if role.is_none() && by.is_none() && !lower.contains("role defined for the function") {
        return None;
    }
    Some(Assumption { role: role.map(str::to_owned), by: by.map(str::to_owned) })
}
