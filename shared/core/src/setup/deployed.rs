use std::collections::{BTreeMap, BTreeSet};

use super::opened::Opened;
use super::{Parameters, Targets, Wishes, given, list};
use crate::arn::Arn;
use crate::pipeline::Action;
use crate::providers::{ActionPlace, PassedRole, Provider};

/// The parameter that is not off by default.
const CODE_DEPLOY: &str = "CodeDeployApplicationName";

/// The parameters of target-account.yaml that let its role do what the pipelines' actions do there, and what of it is
/// not known.
///
/// Where no action is known to run in a target account, it is taken to be what the pipelines deploy at home.
pub(super) fn parameters(opened: &[Opened<'_>], wishes: &Wishes) -> (Parameters, Vec<String>) {
    let mut unknown = vec![];
    let mut places: Vec<ActionPlace<'_>> = opened
        .iter()
        .flat_map(|it| it.target_actions().map(|(action, account)| place(it, action, Some(account))))
        .collect();
    let is_guess = places.is_empty();
    if is_guess {
        let deploys = opened.iter().flat_map(|it| {
            it.pipeline
                .actions()
                .filter(|action| action.category() == "Deploy")
                .map(|action| place(it, action, None))
        });
        places = deploys.collect();
        unknown.push(
            "which actions are to run in a target account: give each as `--action STAGE/ACTION=ACCOUNT`, or add a new \
             one with DeployStage and its companions of pipeline.yaml"
                .into(),
        );
    }
    let values = values(&places, is_guess, &mut unknown);
    let mut parameters: Parameters = vec![];
    if places.is_empty() {
        unknown
            .push("what is deployed into target accounts: see the parameters of target-account.yaml".into());
    } else if !values.contains_key(CODE_DEPLOY) {
        parameters.push((CODE_DEPLOY, String::new()));
    }
    for (name, values) in values {
        parameters.push((name, covering(name, &values, &mut unknown)));
    }
    let passed = if is_guess { String::new() } else { passed_roles(&places, &mut unknown) };
    parameters.extend(given("PassRoleArns", passed));
    parameters.extend(given("InstanceRoleNames", instance_roles(opened, &places, wishes, &mut unknown)));
    (parameters, unknown)
}

fn place<'a>(opened: &Opened<'a>, action: Action<'a>, account: Option<&'a str>) -> ActionPlace<'a> {
    let region = action.region().or_else(|| opened.pipeline.region());
    ActionPlace { action, account, region, partition: opened.partition.clone() }
}

/// What each parameter has to let through.
fn values<'a>(
    places: &[ActionPlace<'a>],
    is_guess: bool,
    unknown: &mut Vec<String>,
) -> BTreeMap<&'static str, BTreeSet<&'a str>> {
    let mut values: BTreeMap<&'static str, BTreeSet<&str>> = BTreeMap::new();
    for place in places {
        let action = format!("action `{}/{}`", place.action.stage().name(), place.action.name());
        let Some(facts) = Provider::of(&place.action).facts() else {
            let provider = place.action.provider();
            unknown.push(format!("{action}: what its provider {provider} needs goes into ManagedPolicyArns"));
            continue;
        };
        for (name, value) in facts.parameters {
            match value.of(&place.action) {
                // The ARN is of the pipeline's own account.
                Some(value) if is_guess && value.starts_with("arn:") => {}
                Some(value) if value.contains("#{") => {
                    unknown.push(format!("{action}: {name}, whose value is a variable: give a pattern"));
                }
                Some(value) => drop(values.entry(*name).or_default().insert(value)),
                None => unknown.push(format!("{action}: {name}, which its configuration does not have")),
            }
        }
    }
    values
}

/// One value that lets all of these through.
fn covering(name: &str, values: &BTreeSet<&str>, unknown: &mut Vec<String>) -> String {
    let Some(first) = values.first() else { return String::new() };
    if values.len() == 1 {
        return (*first).to_owned();
    }
    let all = values.iter().copied().collect::<Vec<_>>().join(", ");
    if first.starts_with("arn:") {
        unknown.push(format!("{name} takes one of {all}: let the others through with ManagedPolicyArns"));
        return (*first).to_owned();
    }
    let shared = values.iter().skip(1).fold(first.len(), |length, other| {
        let same = first.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count();
        length.min(same)
    });
    let start = first.get(..shared).unwrap_or_default();
    unknown.push(format!("{name} is the pattern `{start}*`, which lets more than {all} through"));
    format!("{start}*")
}

/// Roles that actions pass to services of a target account.
fn passed_roles(places: &[ActionPlace<'_>], unknown: &mut Vec<String>) -> String {
    let mut roles = BTreeSet::new();
    for place in places {
        let action = format!("action `{}/{}`", place.action.stage().name(), place.action.name());
        for passed in Provider::of(&place.action).passed_roles(place) {
            match passed {
                PassedRole::Named { role, .. } if !role.contains("#{") => drop(roles.insert(role.to_owned())),
                PassedRole::Named { .. } => {
                    unknown.push(format!(
                        "{action}: the role that it passes is a variable: add it to PassRoleArns"
                    ));
                }
                PassedRole::OfTaskDefinition { .. } => unknown.push(format!(
                    "{action}: task role and execution role of its service: add their ARNs to PassRoleArns"
                )),
            }
        }
    }
    list(roles.into_iter())
}

/// Names of the roles of the instances that CodeDeploy deploys to.
fn instance_roles(
    opened: &[Opened<'_>],
    places: &[ActionPlace<'_>],
    wishes: &Wishes,
    unknown: &mut Vec<String>,
) -> String {
    if !places.iter().any(|place| Provider::of(&place.action) == Provider::CodeDeploy) {
        return String::new();
    }
    let known = opened.iter().filter_map(|it| it.snapshot.instance_roles.known()).flatten();
    let known = known.filter_map(|role| Arn::parse(role).ok());
    let names = list(known.filter_map(|role| role.role_name().map(str::to_owned)));
    if names.is_empty() {
        let more = match &wishes.targets {
            Targets::Accounts(_) => "",
            Targets::Organization { .. } => {
                ", and their accounts to AllowedAccounts of template.yaml and TargetAccountIds of pipeline.yaml"
            }
        };
        unknown.push(format!(
            "the roles of the EC2 instances that CodeDeploy deploys to: add their names to InstanceRoleNames of \
             target-account.yaml{more}"
        ));
    }
    names
}
