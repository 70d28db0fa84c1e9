//! What starts a pipeline when its source in another account changes: event rules, their buses and roles, on both sides.

use std::collections::{BTreeMap, BTreeSet};

use crosspipe_core::arn::{self, Arn};
use crosspipe_core::pipeline::Pipeline;
use crosspipe_core::snapshot::{EventBusFacts, Fact, Snapshot};
use serde_json::Value;

use super::fact_reader::FactReader;
use super::{GatherOptions, SharedFacts, known_facts, roles};
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
    for bus in &buses {
        let name = bus.rsplit_once('/').map_or(DEFAULT_BUS, |(_, name)| name);
        let policy = reader.document(bus, options.tools.eventbridge().event_bus_policy(name)).await;
        snapshot.event_buses.insert(bus.clone(), Fact::Known(EventBusFacts { policy }));
    }
    add_roles(options.tools, rules.known(), &reader, snapshot).await;
    snapshot.event_rules = rules;
    for account in accounts {
        let Some(role) = options.diagnostics_role else { break };
        let role = arn::role(home.partition(), account, role);
        let aws = match reader.ask(&role, options.tools.assume_role(&role, options.session_name)).await {
            Ok(aws) => aws,
            Err(why) => {
                reader.note(&why);
                continue;
            }
        };
        let forwarding = read_forwarding(&aws, &buses, &reader).await;
        add_roles(&aws, forwarding.known(), &reader, snapshot).await;
        if !forwarding.is_unknown() {
            snapshot.forwarding_rules.insert(account.to_owned(), forwarding);
        }
    }
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
async fn add_roles(aws: &Aws, rules: Option<&Vec<Value>>, reader: &FactReader, snapshot: &mut Snapshot) {
    let targets = rules.into_iter().flatten().filter_map(|rule| rule.get("Targets")?.as_array()).flatten();
    let roles = targets.filter_map(|target| Arn::parse(target.get("RoleArn")?.as_str()?).ok());
    let roles: BTreeSet<Arn> = roles.filter(|role| !snapshot.roles.contains_key(role.as_str())).collect();
    let read = roles::read_roles(&aws.iam(), roles.iter(), reader, &SharedFacts::default()).await;
    let read: BTreeMap<_, _> = known_facts(read);
    snapshot.roles.extend(read);
}
