//! The alert of a diagnosed failure.

use serde_json::{Map, Value};

use super::{Alert, Cause, Done, Evidence, Kind, Link};
use crate::diagnosis::Report;
use crate::diagnosis::rank::Ranked;
use crate::rules::Unknown;

impl From<&Report> for Alert {
    fn from(report: &Report) -> Self {
        Alert {
            id: report.action_execution_id.clone(),
            thread: report.execution_id.clone(),
            kind: Kind::ActionFailed,
            subject: format!("{}: {} failed in {}", report.pipeline, report.action, report.target_account),
            headline: report.headline.clone(),
            cause: report.cause().map(Cause::from),
            further: report.further().map(Cause::from).collect(),
            done: remediation_done(report),
            links: links_of(report),
            evidence: evidence_of(report),
            resources: vec![report.pipeline_arn.clone()],
            attributes: message_attributes(&report.pipeline, &report.target_account),
        }
    }
}

impl From<&Ranked> for Cause {
    fn from(ranked: &Ranked) -> Self {
        let finding = &ranked.finding;
        Cause {
            rule: finding.rule.to_string(),
            confidence: Some(ranked.confidence),
            message: finding.message.clone(),
            because: finding.because.clone(),
            fix: finding.short_fix(),
            script: finding.script(),
        }
    }
}

/// For filter policies of subscriptions, which take no empty value.
pub(super) fn message_attributes(pipeline: &str, target_account: &str) -> Vec<(&'static str, String)> {
    let all = [("pipeline", pipeline), ("targetAccount", target_account)];
    all.into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name, value.to_owned()))
        .collect()
}

/// What Crosspipe did. Changes that are only proposed are with their findings already.
fn remediation_done(report: &Report) -> Option<Done> {
    let steps: Vec<String> = report.remediation_steps().into_iter().map(str::to_owned).collect();
    (!steps.is_empty()).then(|| Done { outcome: report.remediation.outcome.word().to_owned(), steps })
}

fn links_of(report: &Report) -> Vec<Link> {
    let name = |key: &str| match key {
        "execution" => "Pipeline execution".to_owned(),
        "switchRole" => format!("Switch to account {}", report.target_account),
        "provider" if report.links.contains_key("switchRole") => report.provider.clone(),
        "provider" => format!("{} (sign in to account {})", report.provider, report.target_account),
        "logs" => "Logs".to_owned(),
        other => other.to_owned(),
    };
    let link = |(key, url): (&String, &Value)| Some(Link { name: name(key), url: url.as_str()?.to_owned() });
    report.links.iter().filter_map(link).collect()
}

fn evidence_of(report: &Report) -> Vec<Evidence> {
    let mut evidence = vec![
        Evidence::new("pipeline", format!("{} in account {}", report.pipeline, report.pipeline_account)),
        Evidence::new(
            "action",
            format!(
                "{} in stage {}, {} in account {}, {}",
                report.action, report.stage, report.provider, report.target_account, report.region
            ),
        ),
    ];
    let deployment = serde_json::to_value(&report.deployment).unwrap_or(Value::Null);
    push_details("", &deployment, &mut evidence);
    evidence.push(Evidence::new("execution", &report.execution_id));
    evidence.push(Evidence::new("action execution", &report.action_execution_id));
    evidence.extend(not_known(&report.unknown));
    evidence
}

/// What is missing, each with the rules that need it.
fn not_known(unknown: &[Unknown]) -> Vec<Evidence> {
    let line = |(missing, rules): (&str, Vec<&str>)| {
        Evidence::new("not known", format!("{missing} (so not judged: {})", rules.join(", ")))
    };
    Unknown::by_missing_part(unknown).into_iter().map(line).collect()
}

/// The provider's details, whatever they are: every text and number under its own name. What belongs to one of
/// several, such as a target, is one line, and its texts of several lines, such as a log, are below it.
fn push_details(name: &str, value: &Value, into: &mut Vec<Evidence>) {
    let under = |inner: &str| if name.is_empty() { inner.to_owned() } else { format!("{name}, {inner}") };
    match value {
        Value::Null => {}
        Value::Object(members) => {
            for (key, member) in members {
                push_details(&under(&split_camel_case(key)), member, into);
            }
        }
        Value::Array(items) => {
            for item in items {
                match item {
                    Value::Object(members) => one_of(name, members, into),
                    other => push_details(name, other, into),
                }
            }
        }
        Value::String(text) => into.push(Evidence::new(name, text)),
        other => into.push(Evidence::new(name, other.to_string())),
    }
}

fn one_of(name: &str, members: &Map<String, Value>, into: &mut Vec<Evidence>) {
    let is_short = |value: &Value| match value {
        Value::String(text) => !text.trim_end().contains('\n'),
        value => value.is_number() || value.is_boolean(),
    };
    let short = members.iter().filter(|(_, value)| is_short(value)).map(|(key, value)| match value {
        Value::String(text) => format!("{} {text}", split_camel_case(key)),
        other => format!("{} {other}", split_camel_case(key)),
    });
    into.push(Evidence::new(name, short.collect::<Vec<_>>().join(", ")));
    for (key, value) in members.iter().filter(|(_, value)| !is_short(value)) {
        push_details(&format!("{name}, {}", split_camel_case(key)), value, into);
    }
}

/// `externalExecutionId` is `external execution id`.
fn split_camel_case(key: &str) -> String {
    let mut words = String::new();
    for c in key.chars() {
        if c.is_uppercase() {
            words.push(' ');
        }
        words.extend(c.to_lowercase());
    }
    words.trim_start().to_owned()
}
