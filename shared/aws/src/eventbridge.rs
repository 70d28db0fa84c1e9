//! Event buses: where programs read alerts, and the rules that start pipelines.

use aws_sdk_eventbridge::{Client, types::PutEventsRequestEntry};
use serde_json::Value;

use crate::error::{AwsError, ErrorKind};
use crate::raw_json::CaptureBody;

const SERVICE: &str = "events";
const OPERATION: &str = "PutEvents";

/// The event buses of one account and Region.
#[derive(Debug, Clone)]
pub struct EventBridge {
    client: Client,
}

impl EventBridge {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Puts one event on a bus (name or ARN) and returns its id. `source` can't start with `aws.`;
    /// the whole entry is limited to 256 KB. A retry after a lost answer can put it twice.
    ///
    /// # Errors
    /// Also if the call went through but the entry was refused, with the entry's own code.
    /// See <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html>.
    pub async fn put_event(
        &self,
        bus: &str,
        source: &str,
        detail_type: &str,
        detail: &Value,
        resources: &[String],
    ) -> Result<String, AwsError> {
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(bus)
            .source(source)
            .detail_type(detail_type)
            .detail(detail.to_string())
            .set_resources(Some(resources.to_vec()))
            .build();
        let answer = self.client.put_events().entries(entry).send().await;
        let answer = answer.map_err(AwsError::from_sdk(SERVICE, OPERATION))?;
        let refused = answer.failed_entry_count > 0;
        match answer.entries.unwrap_or_default().into_iter().next() {
            Some(entry) if refused || entry.error_code.is_some() => Err(AwsError {
                service: SERVICE,
                operation: OPERATION,
                kind: ErrorKind::classify(entry.error_code.as_deref(), None),
                code: entry.error_code,
                message: entry.error_message.unwrap_or_default(),
                request_id: None,
            }),
            Some(entry) => entry
                .event_id
                .ok_or_else(|| AwsError::unexpected(SERVICE, OPERATION, "the answer has no event id")),
            None => Err(AwsError::unexpected(SERVICE, OPERATION, "the answer has no entry")),
        }
    }

    /// `DescribeRule` of each rule, on any event bus, that has this ARN as a target, with these `Targets`.
    ///
    /// # Errors
    /// If the buses or the rules of one of them can't be listed, or a rule or its targets can't be read. One that is gone
    /// by then is left out.
    /// See <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListRuleNamesByTarget.html>.
    pub async fn describe_rules_of_target(&self, target_arn: &str) -> Result<Vec<Value>, AwsError> {
        let mut rules = vec![];
        for bus in self.list_event_buses().await? {
            rules.extend(self.describe_rules_of_bus(&bus, target_arn).await?);
        }
        Ok(rules)
    }

    /// The same of one event bus.
    ///
    /// # Errors
    /// As [`Self::describe_rules_of_target`].
    pub async fn describe_rules_of_bus(&self, bus: &str, target_arn: &str) -> Result<Vec<Value>, AwsError> {
        let mut rules = vec![];
        for name in self.list_rule_names(bus, target_arn).await? {
            let Some(mut rule) = self.describe_rule(bus, &name).await? else { continue };
            let targets = self.list_targets(bus, &name).await?.into_iter();
            if let Some(rule) = rule.as_object_mut() {
                let own = targets.filter(|it| it.get("Arn").is_some_and(|it| it == target_arn));
                rule.insert("Targets".to_owned(), own.collect());
            }
            rules.push(rule);
        }
        Ok(rules)
    }

    /// The policy of an event bus, which is the one of the calls here that says who may put events; none if it has
    /// none.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] if there is no such bus.
    /// See <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DescribeEventBus.html>.
    pub async fn event_bus_policy(&self, bus: &str) -> Result<Option<String>, AwsError> {
        let answer = self.client.describe_event_bus().name(bus).send().await;
        Ok(answer.map_err(AwsError::from_sdk(SERVICE, "DescribeEventBus"))?.policy)
    }

    /// The names of the event buses.
    async fn list_event_buses(&self) -> Result<Vec<String>, AwsError> {
        let (mut names, mut token) = (vec![], None);
        loop {
            let page = self.client.list_event_buses().set_next_token(token).send().await;
            let page = page.map_err(AwsError::from_sdk(SERVICE, "ListEventBuses"))?;
            names.extend(page.event_buses.unwrap_or_default().into_iter().filter_map(|bus| bus.name));
            token = page.next_token;
            if token.is_none() {
                return Ok(names);
            }
        }
    }

    /// The names of the rules of one bus that have this ARN as a target.
    async fn list_rule_names(&self, bus: &str, target_arn: &str) -> Result<Vec<String>, AwsError> {
        let request = self.client.list_rule_names_by_target().event_bus_name(bus).target_arn(target_arn);
        let (mut names, mut token) = (vec![], None);
        loop {
            let page = request.clone().set_next_token(token).send().await;
            let page = page.map_err(AwsError::from_sdk(SERVICE, "ListRuleNamesByTarget"))?;
            names.extend(page.rule_names.unwrap_or_default());
            token = page.next_token;
            if token.is_none() {
                return Ok(names);
            }
        }
    }

    /// The targets of a rule as AWS answers them. A rule has at most five, which are one page.
    async fn list_targets(&self, bus: &str, rule: &str) -> Result<Vec<Value>, AwsError> {
        const OPERATION: &str = "ListTargetsByRule";
        let body = CaptureBody::default();
        let request = self.client.list_targets_by_rule().event_bus_name(bus).rule(rule);
        let answer = request.customize().interceptor(body.clone()).send().await;
        answer.map_err(AwsError::from_sdk(SERVICE, OPERATION))?;
        body.list(SERVICE, OPERATION, "Targets")
    }

    /// One rule as AWS answers it; None if it is gone.
    async fn describe_rule(&self, bus: &str, name: &str) -> Result<Option<Value>, AwsError> {
        const OPERATION: &str = "DescribeRule";
        let body = CaptureBody::default();
        let request = self.client.describe_rule().event_bus_name(bus).name(name);
        let answer = request.customize().interceptor(body.clone()).send().await;
        match answer.map_err(AwsError::from_sdk(SERVICE, OPERATION)) {
            Ok(_) => body.json(SERVICE, OPERATION).map(Some),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}
