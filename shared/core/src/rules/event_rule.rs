//! EventBridge's rules, as far as a plain pattern tells which events they match.
//!
//! See <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html>.

use serde_json::Value;

use super::{ActionFacts, Facts};
use crate::arn::{self, account_of};
use crate::providers::Provider;

/// What sends an event when the source changes.
pub(super) struct EventSource<'a> {
    /// `source` of its events.
    pub(super) name: &'static str,
    /// Their `detail-type`.
    pub(super) detail_type: &'static str,
    /// The account that they are of.
    pub(super) account: &'a str,
    /// Whether CodePipeline can ask the source for changes instead.
    pub(super) can_poll: bool,
}

impl<'a> EventSource<'a> {
    pub(super) fn of(action: &ActionFacts<'a>) -> Option<Self> {
        let (name, detail_type) = match action.provider() {
            Provider::CodeCommit => ("aws.codecommit", "CodeCommit Repository State Change"),
            Provider::S3Source => ("aws.s3", "Object Created"),
            Provider::Ecr => ("aws.ecr", "ECR Image Action"),
            _ => return None,
        };
        Some(EventSource { name, detail_type, account: action.account, can_poll: name != "aws.ecr" })
    }
}

/// `DescribeRule` of a rule whose target is the pipeline, or an event bus of its account.
pub(super) struct EventRule<'a>(pub(super) &'a Value);

impl EventRule<'_> {
    pub(super) fn name(&self) -> &str {
        self.0.get("Name").and_then(Value::as_str).unwrap_or("without a name")
    }

    pub(super) fn is_enabled(&self) -> bool {
        self.0.get("State").and_then(Value::as_str) != Some("DISABLED")
    }

    /// Whether an event of the source may match the rule: no field that the pattern lists plainly leaves it out. A
    /// rule without a pattern has a schedule.
    pub(super) fn may_match(&self, source: &EventSource<'_>) -> bool {
        let Some(pattern) = self.pattern() else { return true };
        // What a program in the source's account sends on has a name of its own.
        let is_source = |value: &str| value == source.name || !value.starts_with("aws.");
        let is_of_account = |value: &str| account_of(value).is_none_or(|it| it == source.account);
        may_have(&pattern, "source", is_source)
            && may_have(&pattern, "account", |value| value == source.account)
            && may_have(&pattern, "resources", is_of_account)
    }

    /// Whether it waits for an event of AWS's own from the source's service. What a program sends, or a schedule, comes
    /// another way than by what is checked here.
    pub(super) fn waits_for(&self, source: &EventSource<'_>) -> bool {
        let pattern = self.pattern();
        let sources = pattern.as_ref().and_then(|it| it.get("source")).and_then(Value::as_array);
        sources.is_some_and(|sources| sources.iter().any(|it| it == source.name))
    }

    /// The ARN of its event bus.
    pub(super) fn bus(&self, facts: &Facts<'_>) -> Option<String> {
        let bus = self.0.get("EventBusName").and_then(Value::as_str).unwrap_or("default");
        if bus.starts_with("arn:") {
            return Some(bus.to_owned());
        }
        let (account, region) = (facts.pipeline().account()?, facts.pipeline().region()?);
        Some(arn::build(facts.partition(), "events", region, account, format_args!("event-bus/{bus}")))
    }

    /// The role of its target with this ARN. None where it has none, or the targets are not known.
    pub(super) fn role_of_target(&self, arn: &str) -> Option<&str> {
        let targets = self.0.get("Targets")?.as_array()?;
        targets.iter().find(|it| it.get("Arn").is_some_and(|it| it == arn))?.get("RoleArn")?.as_str()
    }

    /// Whether it can have a target with this ARN: where the targets are not known, it was found by one.
    pub(super) fn may_have_target(&self, arn: &str) -> bool {
        let targets = self.0.get("Targets").and_then(Value::as_array);
        targets.is_none_or(|targets| targets.iter().any(|it| it.get("Arn").is_some_and(|it| it == arn)))
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
