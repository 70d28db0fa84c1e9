//! What starts a pipeline when its source in another account changes: event rules, their buses and roles, on both sides.

use std::collections::BTreeSet;

use crosspipe_core::arn::{self, Arn};
use crosspipe_core::pipeline::Pipeline;
use crosspipe_core::snapshot::{EventBusFacts, Fact, RoleFacts, Snapshot};
use futures_util::future::{join_all, join3};
use serde_json::Value;

use super::fact_reader::FactReader;
use super::{GatherOptions, SharedFacts, roles, session_in};
use crate::Aws;

/// The event bus that gets the events of AWS's own services.
const DEFAULT_BUS: &str = "default";

/// Adds to a snapshot what starts the pipeline, where it has a source in another account; answers why parts are
/// unknown, a line each.
pub async fn read_triggers(
    options: GatherOptions<'_>,
    pipeline: &Pipeline,
    snapshot: &mut Snapshot,
) -> Vec<String> {
    let sources = pipeline.cross_account_actions().filter(|(action, _)| action.category() == "Source");
    let accounts: BTreeSet<&str> = sources.map(|(_, account)| account).collect();
    let Some(pipeline_arn) = pipeline.arn().filter(|_| !accounts.is_empty()) else { return vec![] };
    let Ok(home) = Arn::parse(pipeline_arn) else { return vec![] };
    let reader = FactReader::new(options.until);
    let rules = options.tools.eventbridge();
    let rules = reader.known("the event rules", rules.describe_rules_of_target(pipeline_arn)).await;
    let mut buses = BTreeSet::new();
    for rule in rules.known().into_iter().flatten() {
        let bus = rule.get("EventBusName").and_then(Value::as_str).unwrap_or(DEFAULT_BUS);
        let name = bus.rsplit_once(":event-bus/").map_or(bus, |(_, name)| name);
        buses.insert(arn::build(
            home.partition(),
            "events",
            home.region(),
            home.account(),
            format_args!("event-bus/{name}"),
        ));
    }
    let own = SharedFacts::default();
    let shared = options.shared.unwrap_or(&own);
    let policies = buses.iter().map(async |bus| {
        let name = bus.rsplit_once('/').map_or(DEFAULT_BUS, |(_, name)| name);
        let policy = reader.document(bus, options.tools.eventbridge().event_bus_policy(name)).await;
        (bus.clone(), Fact::Known(EventBusFacts { policy }))
    });
    let forwarding = accounts.into_iter().map(async |account| {
        let aws = session_in(options, home.partition(), account, &reader, shared).await?;
        let rules = read_forwarding(&aws, &buses, &reader).await;
        let roles = read_target_roles(&aws, rules.known(), &reader, shared).await;
        Some((account.to_owned(), rules, roles))
    });
    let (policies, roles, forwarding) = join3(
        join_all(policies),
        read_target_roles(options.tools, rules.known(), &reader, shared),
        join_all(forwarding),
    )
    .await;
    snapshot.event_buses.extend(policies);
    add_roles(snapshot, roles);
    for (account, rules, roles) in forwarding.into_iter().flatten() {
        add_roles(snapshot, roles);
        if !rules.is_unknown() {
            snapshot.forwarding_rules.insert(account, rules);
        }
    }
    snapshot.event_rules = rules;
    reader.into_lines()
}

/// The rules of an account that forward to these buses.
async fn read_forwarding(aws: &Aws, buses: &BTreeSet<String>, reader: &FactReader) -> Fact<Vec<Value>> {
    let mut found = vec![];
    for bus in buses {
        let rules = aws.eventbridge();
        match reader.known("the event rules", rules.describe_rules_of_bus(DEFAULT_BUS, bus)).await {
            Fact::Known(rules) => found.extend(rules),
            Fact::Absent => {}
            Fact::Unknown => return Fact::Unknown,
        }
    }
    Fact::Known(found)
}

/// The roles of the rules' targets.
async fn read_target_roles(
    aws: &Aws,
    rules: Option<&Vec<Value>>,
    reader: &FactReader,
    shared: &SharedFacts,
) -> Vec<(String, Fact<RoleFacts>)> {
    let targets = rules.into_iter().flatten().filter_map(|rule| rule.get("Targets")?.as_array()).flatten();
    let roles = targets.filter_map(|target| Arn::parse(target.get("RoleArn")?.as_str()?).ok());
    let roles: BTreeSet<Arn> = roles.collect();
    roles::read_roles(&aws.iam(), roles.iter(), reader, shared).await
}

/// Adds what is known of roles; one that the pipeline uses itself is there already.
fn add_roles(snapshot: &mut Snapshot, roles: Vec<(String, Fact<RoleFacts>)>) {
    for (arn, facts) in roles.into_iter().filter(|(_, facts)| !facts.is_unknown()) {
        snapshot.roles.entry(arn).or_insert(facts);
    }
}
