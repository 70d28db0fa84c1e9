//! What the organization's service control policies, where they were read, do not let the pipeline's service role and
//! the roles of cross-account actions do, whatever a message says.

use std::collections::BTreeMap;

use super::access::Access;
use super::access_result::{AccessResult, Refusal};
use super::action_facts::labels;
use super::assume::assume_role;
use super::commands::option;
use super::diagnostics::{Fault, Fix, RuleContext};
use super::facts::{Facts, role_label, role_location};
use super::provider_permissions::{access, needs};
use crate::arn::Arn;
use crate::evaluation::{Side, Ternary};

const SIDE: [Side; 1] = [Side::ServiceControl];

/// States what they refuse, one fault for each role.
pub(super) fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    service_role(facts, cx);
    let mut refused: BTreeMap<&str, AccessResult> = BTreeMap::new();
    let groups = facts.groups_by_role_and_store();
    for group in &groups {
        let role = group.first.role_arn();
        if facts.service_control(role).is_empty() {
            continue;
        }
        let of_role = refused.entry(role).or_default();
        for access in [Access::to_bucket(group), Access::to_key(group)].into_iter().flatten() {
            of_role.refused.extend(access.judge(&SIDE).refused);
        }
        for action in &group.actions {
            for need in needs(action).unwrap_or_default() {
                let resource = need.resources.first().map_or("*", String::as_str);
                let request = (need.action.into_owned(), resource.to_owned());
                of_role.refused.extend(access(action, request).judge(&SIDE).refused);
            }
        }
    }
    for group in facts.groups_by_role() {
        let role = group.first.role_arn();
        let Some(judgement) = refused.remove(role).filter(|judgement| !judgement.is_clear()) else {
            continue;
        };
        cx.report(fault(role, &group.label(), &judgement));
    }
}

/// The service role assumes the roles of cross-account actions.
fn service_role(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    let role = facts.pipeline().role_arn();
    if facts.service_control(role).is_empty() {
        return;
    }
    let (mut result, mut actions) = (AccessResult::default(), vec![]);
    for group in facts.groups_by_role() {
        let Some(evaluation) = assume_role(facts, &group.first) else { continue };
        if evaluation.permits(Side::ServiceControl) == Ternary::No {
            let request = ("sts:AssumeRole".to_owned(), group.first.role_arn().to_owned());
            let denying = evaluation.denied_by(Side::ServiceControl);
            result.refused.push(Refusal::new(role, request, Side::ServiceControl, denying));
            actions.extend(group.actions.iter().map(|action| action.label()));
        }
    }
    if !result.is_clear() {
        cx.report(fault(role, &labels(actions), &result));
    }
}

fn fault(role: &str, label: &str, judgement: &AccessResult) -> Fault {
    let actions = judgement.actions();
    let account = Arn::parse(role).map(|arn| arn.account().to_owned()).unwrap_or_default();
    let listed = format!(
        "aws organizations list-policies-for-target {} --filter SERVICE_CONTROL_POLICY",
        option("target-id", &account)
    );
    Fault {
        location: role_location(role),
        message: format!(
            "service control policies of the organization do not let {} do {actions}, which {label} needs",
            role_label(role)
        ),
        because: judgement.because("the service control policies", &format!("to {role}")),
        fix: Fix {
            summary: format!(
                "no policy of account {account} can allow it: ask the organization's administrators to change the service control policies over account {account}"
            ),
            command: Some(format!("# in the organization's management account\n{listed}")),
            ..Fix::default()
        },
        denied: judgement.denied(),
        ..Fault::default()
    }
}
