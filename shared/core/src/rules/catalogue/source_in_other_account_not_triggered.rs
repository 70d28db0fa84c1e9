//! # What it does
//! Looks at CodeCommit, ECR and S3 sources whose role is in another account: whether they poll, and whether an
//! EventBridge rule of the pipeline's account and Region starts the pipeline when they change. A rule that starts it
//! on a schedule is taken to be meant so.
//!
//! # Why deploys fail
//! They do not: they do not begin. Events of the source stay in its own account unless they are forwarded, so a rule
//! that waits for them beside the pipeline matches nothing. A source that polls instead is asked about once a minute
//! or less often, and no longer once a pipeline has not run for 30 days.
//!
//! # How to fix
//! Forward the source's events: a rule in its account with the pipeline's event bus as its target, that account in the
//! bus's policy (`events:PutEvents`), and a rule on the bus that matches the source's account and starts the pipeline.
//! Then set `PollForSourceChanges` to `false`.
//!
//! # Example
//! A CodeCommit source with a `roleArn` in 222222222222 and no `PollForSourceChanges`, which is `true` by default.

use serde_json::Value;

use crate::arn::account_of;
use crate::providers::Provider;
use crate::rules::commands::{in_region, option, show};
use crate::rules::diagnostics::{Fault, Fix};
use crate::rules::{ActionFacts, Facts, InDiagnosis, Rule, RuleContext, RuleId, Severity, Subject};
use crate::snapshot::Fact;

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Pl012,
    name: "source-in-other-account-not-triggered",
    severity: Severity::Warning,
    summary: "A source in another account polls, or no event rule starts the pipeline when it changes.",
    sources: &[
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/PollForSourceChanges-defaults.html",
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/update-change-detection.html",
        "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-cross-account.html",
    ],
    subject: Subject::Practice,
    in_diagnosis: InDiagnosis::NOTHING,
    check,
};

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    for action in facts.cross_account_actions() {
        let Some(source) = EventSource::of(&action) else { continue };
        if source.can_poll && polls(&action) {
            report_polling(&action, cx);
            continue;
        }
        match &facts.snapshot().event_rules {
            Fact::Known(rules) => {
                let rules: Vec<EventRule<'_>> = rules.iter().map(EventRule).collect();
                if !rules.iter().any(|rule| rule.is_enabled() && rule.may_match(&source)) {
                    report_no_rule(&action, &source, &rules, cx);
                }
            }
            Fact::Absent => report_no_rule(&action, &source, &[], cx),
            // What starts a pipeline says nothing about why one of its actions failed.
            Fact::Unknown if facts.incident().is_none() => cx.unknown("eventRules"),
            Fact::Unknown => {}
        }
    }
}

/// What sends an event when the source changes.
struct EventSource<'a> {
    /// `source` of its events.
    name: &'static str,
    /// The account that they are of.
    account: &'a str,
    /// Whether CodePipeline can ask the source for changes instead.
    can_poll: bool,
}

impl<'a> EventSource<'a> {
    fn of(action: &ActionFacts<'a>) -> Option<Self> {
        let (name, can_poll) = match action.provider() {
            Provider::CodeCommit => ("aws.codecommit", true),
            Provider::S3Source => ("aws.s3", true),
            Provider::Ecr => ("aws.ecr", false),
            _ => return None,
        };
        Some(EventSource { name, account: action.account, can_poll })
    }
}

/// Whether the source is asked for changes. Where nothing is said, it is: the console writes `false` for sources that
/// it makes a rule for.
fn polls(action: &ActionFacts<'_>) -> bool {
    !action.action.configuration("PollForSourceChanges").is_some_and(|it| it.eq_ignore_ascii_case("false"))
}

/// `DescribeRule` of a rule whose target is the pipeline.
struct EventRule<'a>(&'a Value);

impl EventRule<'_> {
    fn name(&self) -> &str {
        self.0.get("Name").and_then(Value::as_str).unwrap_or("without a name")
    }

    fn is_enabled(&self) -> bool {
        self.0.get("State").and_then(Value::as_str) != Some("DISABLED")
    }

    /// Whether an event of the source may match the rule: no field that the pattern lists plainly leaves it out. A
    /// rule without a pattern has a schedule.
    fn may_match(&self, source: &EventSource<'_>) -> bool {
        let Some(pattern) = self.pattern() else { return true };
        // What a program in the source's account sends on has a name of its own.
        let is_source = |value: &str| value == source.name || !value.starts_with("aws.");
        let is_of_account = |value: &str| account_of(value).is_none_or(|it| it == source.account);
        may_have(&pattern, "source", is_source)
            && may_have(&pattern, "account", |value| value == source.account)
            && may_have(&pattern, "resources", is_of_account)
    }

    fn pattern(&self) -> Option<Value> {
        let pattern = self.0.get("EventPattern")?;
        pattern.as_str().map_or(Some(pattern.clone()), |text| serde_json::from_str(text).ok())
    }
}

/// Whether a field of a pattern allows a value that fits. Only plain texts are judged; a matcher such as
/// `{"prefix": …}` may match anything.
fn may_have(pattern: &Value, field: &str, fits: impl Fn(&str) -> bool) -> bool {
    let Some(values) = pattern.get(field).and_then(Value::as_array) else { return true };
    values.iter().any(|value| value.as_str().is_none_or(&fits))
}

fn report_polling(action: &ActionFacts<'_>, cx: &mut RuleContext<'_>) {
    let given = action.action.configuration("PollForSourceChanges");
    cx.report(Fault {
        location: format!("{}.configuration", action.action.path()),
        message: format!("{} polls its source in account {}", action.label(), action.account),
        because: match given {
            Some(value) => format!("`PollForSourceChanges` is `{value}`"),
            None => "`PollForSourceChanges` is not given, and is `true` by default".to_owned(),
        },
        fix: fix(action, "then set `PollForSourceChanges` of the action to `false`"),
        ..Fault::default()
    });
}

fn report_no_rule(
    action: &ActionFacts<'_>,
    source: &EventSource<'_>,
    rules: &[EventRule<'_>],
    cx: &mut RuleContext<'_>,
) {
    let others: Vec<String> = rules
        .iter()
        .map(|rule| {
            let why = if rule.is_enabled() { "does not match it" } else { "is disabled" };
            format!("`{}` {why}", rule.name())
        })
        .collect();
    let because = match others.is_empty() {
        true => "no event rule of the pipeline's account has the pipeline as its target".to_owned(),
        false => format!("of the event rules whose target is the pipeline, {}", others.join(", ")),
    };
    cx.report(Fault {
        location: action.action.path(),
        message: format!(
            "no event rule starts the pipeline when the source of {} in account {} changes",
            action.label(),
            action.account
        ),
        because,
        fix: fix(action, &format!("with `{}` as its `source`", source.name)),
        ..Fault::default()
    });
}

fn fix(action: &ActionFacts<'_>, last: &str) -> Fix {
    let facts = action.facts();
    let pipeline = facts.pipeline();
    let list = |arn: &str| {
        let region = in_region(pipeline.region());
        show(
            pipeline.account(),
            &format!("aws events list-rule-names-by-target{region} {}", option("target-arn", arn)),
        )
    };
    Fix {
        summary: format!(
            "forward the source's events from account {} to the event bus of the pipeline's account, and start the \
             pipeline by a rule there that matches that account, {last}",
            action.account
        ),
        command: pipeline.arn().map(list),
        ..Fix::default()
    }
}
