//! `crosspipe explain`: what a rule looks for, why deploys fail and how to fix it.

mod pages;

use std::fmt::Write;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser};
use crosspipe_core::rules::{ALL, Rule};

use crate::output::{Answer, severity_name, severity_style};
use crate::text::{Style, Text};

const LIST: &str = "list";

/// Explains a rule: what it looks for, why deploys fail, how to fix it
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  crosspipe explain list\n  crosspipe explain KM001")]
pub(crate) struct Arguments {
    /// The rule's id or name, or `list` for all
    #[arg(value_name = "RULE", ignore_case = true, value_parser = explainable_rules())]
    rule: String,
}

/// Explains a rule, or lists all.
pub(crate) fn run(arguments: &Arguments) -> Answer {
    let named = |rule: &&&Rule| {
        rule.id.as_str().eq_ignore_ascii_case(&arguments.rule)
            || rule.name.eq_ignore_ascii_case(&arguments.rule)
    };
    Answer::of(ALL.iter().find(named).map_or_else(list_rules, |rule| with_styled_headings(&rule_page(rule))))
}

/// What can be explained. Rules go by their name, too.
fn explainable_rules() -> PossibleValuesParser {
    let rules =
        ALL.iter().map(|rule| PossibleValue::new(rule.id.as_str()).alias(rule.name).help(rule.summary));
    rules.chain([PossibleValue::new(LIST).help("All rules, one a line")]).into()
}

/// The page of a rule, in Markdown.
pub(crate) fn rule_page(rule: &Rule) -> String {
    let page = pages::PAGES.iter().find(|(id, _)| *id == rule.id.as_str());
    page.map_or_else(
        || format!("# {}: {}\n\n{}\n", rule.id, rule.name, rule.summary),
        |(_, page)| (*page).to_owned(),
    )
}

fn with_styled_headings(page: &str) -> Text {
    let mut text = Text::default();
    for line in page.split_inclusive('\n') {
        text.styled(if line.starts_with('#') { Style::Strong } else { Style::Plain }, line);
    }
    text
}

fn list_rules() -> Text {
    let mut text = Text::default();
    for rule in ALL.iter() {
        text.styled(Style::Strong, rule.id.as_str());
        text.push("  ");
        text.styled(severity_style(rule.severity), format!("{:7}", severity_name(rule.severity)));
        let _ = writeln!(text, "  {}: {}", rule.name, rule.summary);
    }
    text
}
