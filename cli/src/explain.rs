//! `crosspipe explain`: what a rule looks for, why deploys fail and how to mend it.

mod pages;

use std::fmt::Write;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser};
use crosspipe_core::rules::{ALL, Rule};

use crate::output::{Answer, severity};

const LIST: &str = "list";

/// Explains a rule: what it looks for, why deploys fail, how to mend it
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  crosspipe explain list\n  crosspipe explain KM001")]
pub struct Arguments {
    /// The rule's id or name, or `list` for all
    #[arg(value_name = "RULE", ignore_case = true, value_parser = rules())]
    rule: String,
}

/// Explains a rule, or lists all.
pub fn run(arguments: &Arguments) -> Answer {
    let named = |rule: &&Rule| {
        rule.id.eq_ignore_ascii_case(&arguments.rule) || rule.name.eq_ignore_ascii_case(&arguments.rule)
    };
    Answer::of(ALL.into_iter().find(named).map_or_else(list, page))
}

/// What can be explained. Rules go by their name, too.
fn rules() -> PossibleValuesParser {
    let rules = ALL.into_iter().map(|rule| PossibleValue::new(rule.id).alias(rule.name).help(rule.summary));
    rules.chain([PossibleValue::new(LIST).help("All rules, one a line")]).into()
}

fn page(rule: &Rule) -> String {
    let page = pages::PAGES.iter().find(|(id, _)| *id == rule.id);
    page.map_or_else(|| line(rule), |(_, page)| (*page).to_owned())
}

fn list() -> String {
    ALL.into_iter().map(line).collect()
}

fn line(rule: &Rule) -> String {
    let mut line = String::new();
    let _ = writeln!(line, "{}  {:7}  {}: {}", rule.id, severity(rule.severity), rule.name, rule.summary);
    line
}
