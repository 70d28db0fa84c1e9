//! # What it does
//! Looks at CodeCommit, ECR and S3 sources whose role is in another account: whether they poll, and whether the event
//! of a change gets from there to the pipeline: the rule that forwards it and that rule's role, the policy of the event
//! bus that takes it, and the rule that starts the pipeline and its role. A rule that starts it on a schedule is taken
//! to be meant so.
//!
//! # Why deploys fail
//! They do not: they do not begin. Events of the source stay in its own account unless they are forwarded, so a rule
//! that waits for them beside the pipeline matches nothing. A source that polls instead is asked about once a minute
//! or less often, and no longer once a pipeline has not run for 30 days.
//!
//! # How to fix
//! Forward the source's events: a rule in its account with the pipeline's event bus as its target, that account in the
//! bus's policy (`events:PutEvents`), and a rule on the bus that matches the source's account and starts the pipeline.
//! Then set `PollForSourceChanges` to `false`. Crosspipe's templates make each of these: `EventBusArn` of
//! `target-account.yaml`, `ReceiveEvents` of `template.yaml`, and `SourceProvider` with its companions of
//! `pipeline.yaml`.
//!
//! # Example
//! A CodeCommit source with a `roleArn` in 222222222222 and no `PollForSourceChanges`, which is `true` by default.

use serde_json::json;

use crate::evaluation::Side;
use crate::rules::access::{Access, OWN};
use crate::rules::access_result::AccessResult;
use crate::rules::commands::{in_region, option, show};
use crate::rules::diagnostics::{Fault, Fix};
use crate::rules::event_rule::{EventRule, EventSource};
use crate::rules::facts::role_location;
use crate::rules::resources::target_account;
use crate::rules::role_fixes;
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
                let starting: Vec<&EventRule<'_>> =
                    rules.iter().filter(|rule| rule.is_enabled() && rule.may_match(&source)).collect();
                if starting.is_empty() {
                    report_no_rule(&action, &source, &rules, cx);
                } else if facts.incident().is_none() {
                    check_ways(&action, &source, &starting, cx);
                }
            }
            Fact::Absent => report_no_rule(&action, &source, &[], cx),
            // What starts a pipeline says nothing about why one of its actions failed.
            Fact::Unknown if facts.incident().is_none() => cx.unknown("eventRules"),
            Fact::Unknown => {}
        }
    }
}

/// Whether the source is asked for changes. Where nothing is said, it is: the console writes `false` for sources that
/// it makes a rule for.
fn polls(action: &ActionFacts<'_>) -> bool {
    !action.action.configuration("PollForSourceChanges").is_some_and(|it| it.eq_ignore_ascii_case("false"))
}

/// What is known of the way of an event from its source to the pipeline.
enum Way {
    Whole,
    /// This part of the snapshot would have to be known.
    Unknown(String),
    Broken(Box<Fault>),
}

/// Reports what is broken of the ways by these rules, unless one is whole.
fn check_ways(
    action: &ActionFacts<'_>,
    source: &EventSource<'_>,
    starting: &[&EventRule<'_>],
    cx: &mut RuleContext<'_>,
) {
    if !starting.iter().all(|rule| rule.waits_for(source)) {
        return;
    }
    let (mut broken, mut unknown) = (vec![], None);
    for rule in starting {
        match check_way(action, source, rule) {
            Way::Whole => return,
            Way::Unknown(missing) => unknown = Some(missing),
            Way::Broken(fault) => broken.push(*fault),
        }
    }
    match unknown {
        Some(missing) => cx.unknown(missing),
        None => broken.into_iter().for_each(|fault| cx.report(fault)),
    }
}

/// From the source to the pipeline: the rules of its account that forward to the bus, then the rule that starts the
/// pipeline.
fn check_way(action: &ActionFacts<'_>, source: &EventSource<'_>, rule: &EventRule<'_>) -> Way {
    let facts = action.facts();
    let (Some(bus), Some(pipeline)) = (rule.bus(facts), facts.pipeline().arn()) else {
        return Way::Unknown("pipeline.metadata".to_owned());
    };
    let forwarding = match facts.snapshot().forwarding_rules.get(source.account) {
        Some(Fact::Known(rules)) => rules.as_slice(),
        Some(Fact::Absent) => &[],
        Some(Fact::Unknown) | None => {
            return Way::Unknown(format!("forwardingRules[\"{}\"]", source.account));
        }
    };
    let mut forwarding = forwarding.iter().map(EventRule);
    let fits = |it: &EventRule<'_>| it.is_enabled() && it.may_have_target(&bus) && it.may_match(source);
    let Some(forwarding) = forwarding.find(fits) else {
        return Way::Broken(Box::new(not_forwarded(action, source, &bus)));
    };
    match check_forwarding(action, source, &forwarding, &bus) {
        Way::Whole => check_start(action, rule, pipeline),
        other => other,
    }
}

/// The role of the rule that forwards, and the policy of the bus.
fn check_forwarding(
    action: &ActionFacts<'_>,
    source: &EventSource<'_>,
    forwarding: &EventRule<'_>,
    bus: &str,
) -> Way {
    let facts = action.facts();
    let Some(role) = forwarding.role_of_target(bus) else {
        return Way::Unknown(format!("forwardingRules[\"{}\"]", source.account));
    };
    let access = Access::event_bus(facts, role, bus, (source.name, source.detail_type));
    let own = access.judge(&OWN);
    let label = format!("event rule `{}` of account {}", forwarding.name(), source.account);
    if !own.refused.is_empty() {
        let crosspipe = Some(target_account(source.account, &[("EventBusArn", bus)]));
        let message = format!("{label} may not put its events on `{bus}`");
        return Way::Broken(Box::new(role_fault(&own, role, message, ("events:PutEvents", bus), crosspipe)));
    }
    let taken = access.judge(&[Side::Resource]);
    if !taken.refused.is_empty() {
        return Way::Broken(Box::new(not_taken(action, source, &taken, role, bus)));
    }
    if own.unsettled {
        return Way::Unknown(own.missing(&role_location(role)));
    }
    if taken.unsettled {
        return Way::Unknown(taken.missing(&bus_location(bus)));
    }
    Way::Whole
}

/// The role of the rule that starts the pipeline.
fn check_start(action: &ActionFacts<'_>, rule: &EventRule<'_>, pipeline: &str) -> Way {
    let Some(role) = rule.role_of_target(pipeline) else { return Way::Unknown("eventRules".to_owned()) };
    let own = Access::start_of_pipeline(action.facts(), role, pipeline).judge(&OWN);
    if own.refused.is_empty() {
        return if own.unsettled { Way::Unknown(own.missing(&role_location(role))) } else { Way::Whole };
    }
    let message = format!("event rule `{}` may not start the pipeline", rule.name());
    let request = ("codepipeline:StartPipelineExecution", pipeline);
    Way::Broken(Box::new(role_fault(&own, role, message, request, None)))
}

fn bus_location(bus: &str) -> String {
    format!("eventBuses[\"{bus}\"].policy")
}

fn not_forwarded(action: &ActionFacts<'_>, source: &EventSource<'_>, bus: &str) -> Fault {
    let account = source.account;
    let crosspipe = Some(target_account(account, &[("EventBusArn", bus)]));
    Fault {
        location: format!("forwardingRules[\"{account}\"]"),
        message: format!(
            "no event rule of account {account} forwards changes of the source of {}",
            action.label()
        ),
        because: format!("none that is enabled and matches `{}` has `{bus}` as its target", source.name),
        fix: Fix {
            summary: format!(
                "make a rule for events of `{}` in account {account} whose target is `{bus}`, with a role that may put \
                 events there",
                source.name
            ),
            crosspipe,
            ..Fix::default()
        },
        ..Fault::default()
    }
}

fn not_taken(
    action: &ActionFacts<'_>,
    source: &EventSource<'_>,
    judgement: &AccessResult,
    role: &str,
    bus: &str,
) -> Fault {
    let account = source.account;
    Fault {
        location: bus_location(bus),
        message: format!(
            "event bus `{bus}` does not take changes of the source of {} from account {account}",
            action.label()
        ),
        because: judgement.because("the policy of the event bus", &format!("by {role}")),
        fix: Fix {
            summary: format!(
                "let account {account} put events of `{}` on the event bus: ReceiveEvents of template.yaml, with the \
                 account in AllowedAccounts or AllowedOrganizationId, does that",
                source.name
            ),
            ..Fix::default()
        },
        denied: judgement.denied(),
        ..Fault::default()
    }
}

/// What a role of EventBridge is not allowed.
fn role_fault(
    judgement: &AccessResult,
    role: &str,
    message: String,
    (action, resource): (&str, &str),
    crosspipe: Option<String>,
) -> Fault {
    let statement = json!({"Effect": "Allow", "Action": action, "Resource": resource});
    Fault {
        location: role_location(role),
        message,
        because: judgement.because_of_role(role, &format!("on `{resource}`")),
        fix: role_fixes::own(judgement, role, "Events", vec![statement], crosspipe),
        denied: judgement.denied(),
        ..Fault::default()
    }
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
