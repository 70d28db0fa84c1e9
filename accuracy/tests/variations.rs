//! The public failures, told in other words: AWS's other wordings of the same denial, other partitions, roles with paths,
//! messages that are cut or redacted, snapshots with parts missing. The cause stays the same, or none is named; none is
//! ever confirmed that is not the cause.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use crosspipe_accuracy::public::{FIRST, FailureReport, SECOND, find_root_cause};
use crosspipe_core::diagnosis::Confidence;
use serde_json::Value;

/// A change of a report; none where it does not apply.
type Variation = fn(&FailureReport) -> Option<FailureReport>;

/// What came of the reports under one variation.
#[derive(Debug, Default)]
struct Tally {
    right: Vec<String>,
    silent: Vec<String>,
    wrong: Vec<String>,
    wrongly_confirmed: Vec<String>,
}

impl Tally {
    fn of(variation: Variation) -> Self {
        let mut tally = Tally::default();
        let reports = [FIRST, SECOND].into_iter().flat_map(|set| set.failures().unwrap());
        for varied in reports.filter_map(|report| variation(&report)) {
            let cause = find_root_cause(&varied.event, varied.snapshot);
            let cause = cause.unwrap_or_else(|error| Some((error, Confidence::Possible)));
            let rule = cause.as_ref().map(|(rule, _)| rule.clone());
            let line = format!("{}: {}", varied.name, rule.as_deref().unwrap_or("no cause"));
            let list = if varied.expected.accept.contains(&rule) {
                &mut tally.right
            } else if rule.is_none() {
                &mut tally.silent
            } else {
                if cause.is_some_and(|(_, confidence)| confidence == Confidence::Confirmed) {
                    tally.wrongly_confirmed.push(line.clone());
                }
                &mut tally.wrong
            };
            list.push(line);
        }
        tally
    }

    /// At most so many reports may be silent, and so many wrong: what is left out is needed for the others. None may be
    /// wrongly confirmed.
    #[track_caller]
    fn assert_at_most(&self, silent: usize, wrong: usize) {
        let summary =
            format!("right: {}\nsilent: {:#?}\nwrong: {:#?}", self.right.len(), self.silent, self.wrong);
        assert!(self.wrongly_confirmed.is_empty(), "{:#?}\n{summary}", self.wrongly_confirmed);
        assert!(self.silent.len() <= silent && self.wrong.len() <= wrong, "{summary}");
    }
}

/// Every text of a value, changed.
fn map_texts(value: &Value, change: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(change(text)),
        Value::Array(items) => items.iter().map(|item| map_texts(item, change)).collect(),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| (change(name), map_texts(value, change));
            Value::Object(members.iter().map(member).collect())
        }
        other => other.clone(),
    }
}

fn everywhere(report: &FailureReport, change: &dyn Fn(&str) -> String) -> Option<FailureReport> {
    let varied = FailureReport {
        event: map_texts(&report.event, change),
        snapshot: map_texts(&report.snapshot, change),
        ..report.clone()
    };
    (varied.event != report.event || varied.snapshot != report.snapshot).then_some(varied)
}

/// Changes the sentences that tell of a denial.
fn in_denials(report: &FailureReport, change: &dyn Fn(&str) -> String) -> Option<FailureReport> {
    everywhere(report, &|text| {
        if text.contains("not authorized to perform") { change(text) } else { text.to_owned() }
    })
}

/// Services of before 2021 do not say which side denied.
fn without_side(report: &FailureReport) -> Option<FailureReport> {
    in_denials(report, &|text| {
        let Some(start) = text.find(" because no ").or_else(|| text.find(" with an explicit deny in")) else {
            return text.to_owned();
        };
        let rest = text.get(start..).unwrap_or_default();
        let end = rest.find(" (Service").or_else(|| rest.find(" action").map(|at| at + " action".len()));
        let end = end.unwrap_or(rest.len());
        format!("{}{}", text.get(..start).unwrap_or_default(), rest.get(end..).unwrap_or_default())
    })
}

fn without_user(report: &FailureReport) -> Option<FailureReport> {
    in_denials(report, &|text| text.replace("User: arn:", "arn:"))
}

fn in_lines(report: &FailureReport) -> Option<FailureReport> {
    in_denials(report, &|text| {
        text.replace(" on resource:", "\n    on resource:").replace(" is not ", " is\nnot ")
    })
}

fn with_action_in_quotes(report: &FailureReport) -> Option<FailureReport> {
    in_denials(report, &|text| {
        text.replace("on resource: arn:", "on resource: \"arn:").replace(" because no", "\" because no")
    })
}

fn in_china(report: &FailureReport) -> Option<FailureReport> {
    let regions = [
        "eu-west-1",
        "eu-central-1",
        "us-east-1",
        "us-east-2",
        "us-west-2",
        "eu-west-2",
        "eu-west-3",
        "ap-northeast-1",
    ];
    everywhere(report, &|text| {
        let text = text.replace("arn:aws:", "arn:aws-cn:");
        regions.iter().fold(text, |text, region| {
            let other =
                if matches!(*region, "eu-west-3" | "us-east-1") { "cn-northwest-1" } else { "cn-north-1" };
            text.replace(region, other)
        })
    })
}

fn with_role_paths(report: &FailureReport) -> Option<FailureReport> {
    everywhere(report, &|text| text.replace(":role/", ":role/delivery/"))
}

fn cut_before_resource(report: &FailureReport) -> Option<FailureReport> {
    in_denials(report, &|text| text.split(" on resource").next().unwrap_or_default().to_owned())
}

fn cut_in_the_middle(report: &FailureReport) -> Option<FailureReport> {
    in_denials(report, &|text| text.chars().take(text.chars().count() * 7 / 10).collect::<String>() + "...")
}

fn redacted(report: &FailureReport) -> Option<FailureReport> {
    in_denials(report, &|text| {
        let digits = |word: &str| {
            word.split(':')
                .map(|part| {
                    if part.len() == 12 && part.bytes().all(|b| b.is_ascii_digit()) {
                        "************"
                    } else {
                        part
                    }
                })
                .collect::<Vec<_>>()
                .join(":")
        };
        text.split(' ').map(digits).collect::<Vec<_>>().join(" ")
    })
}

fn without_details(report: &FailureReport) -> Option<FailureReport> {
    let mut varied = report.clone();
    varied.snapshot.as_object_mut()?.remove("actionExecutions")?;
    Some(varied)
}

fn without_part(report: &FailureReport, part: &str) -> Option<FailureReport> {
    let mut varied = report.clone();
    varied.snapshot.as_object_mut()?.remove(part)?;
    Some(varied)
}

fn without_keys(report: &FailureReport) -> Option<FailureReport> {
    without_part(report, "keys")
}

fn without_buckets(report: &FailureReport) -> Option<FailureReport> {
    without_part(report, "buckets")
}

fn without_roles(report: &FailureReport) -> Option<FailureReport> {
    without_part(report, "roles")
}

fn policies_as_texts(report: &FailureReport) -> Option<FailureReport> {
    fn as_texts(value: &Value) -> Value {
        match value {
            Value::Object(members) if members.contains_key("Statement") => Value::String(value.to_string()),
            Value::Object(members) => {
                Value::Object(members.iter().map(|(name, value)| (name.clone(), as_texts(value))).collect())
            }
            Value::Array(items) => items.iter().map(as_texts).collect(),
            other => other.clone(),
        }
    }
    let mut varied = report.clone();
    for part in ["keys", "buckets", "roles"] {
        if let Some(value) = varied.snapshot.get_mut(part) {
            *value = as_texts(value);
        }
    }
    Some(varied)
}

#[test]
fn side_left_out() {
    Tally::of(without_side).assert_at_most(1, 2);
}

#[test]
fn user_left_out() {
    Tally::of(without_user).assert_at_most(0, 0);
}

#[test]
fn sentence_over_lines() {
    Tally::of(in_lines).assert_at_most(0, 0);
}

#[test]
fn resource_in_quotes() {
    Tally::of(with_action_in_quotes).assert_at_most(0, 0);
}

#[test]
fn other_partition() {
    Tally::of(in_china).assert_at_most(0, 0);
}

#[test]
fn roles_with_paths() {
    Tally::of(with_role_paths).assert_at_most(0, 0);
}

#[test]
fn resource_cut_off() {
    Tally::of(cut_before_resource).assert_at_most(1, 4);
}

#[test]
fn message_cut() {
    Tally::of(cut_in_the_middle).assert_at_most(3, 2);
}

#[test]
fn accounts_redacted() {
    Tally::of(redacted).assert_at_most(1, 0);
}

#[test]
fn only_the_event() {
    Tally::of(without_details).assert_at_most(0, 0);
}

#[test]
fn keys_not_read() {
    Tally::of(without_keys).assert_at_most(6, 0);
}

#[test]
fn buckets_not_read() {
    Tally::of(without_buckets).assert_at_most(4, 0);
}

#[test]
fn roles_not_read() {
    Tally::of(without_roles).assert_at_most(14, 1);
}

#[test]
fn policies_printed_as_texts() {
    Tally::of(policies_as_texts).assert_at_most(0, 0);
}
