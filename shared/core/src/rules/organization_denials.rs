//! What the organization's service control policies, where they were read, do not let the roles of cross-account
//! actions do, whatever a message says.

use std::collections::BTreeMap;

use super::access::Access;
use super::access_result::AccessResult;
use super::commands::option;
use super::diagnostics::{Diagnostics, Fault, Fix};
use super::facts::{ActionGroup, Facts, role_label, role_location};
use super::provider_permissions::{access, needs};
use crate::arn::Arn;
use crate::evaluation::Side;

const SIDE: [Side; 1] = [Side::ServiceControl];

/// States what they refuse, one fault for each role.
pub(super) fn check(facts: &Facts<'_>, verdicts: &mut Diagnostics) {
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
        verdicts.fail(fault(role, &group, &judgement));
    }
}

fn fault(role: &str, group: &ActionGroup<'_>, judgement: &AccessResult) -> Fault {
    let actions = judgement.actions();
    let account = Arn::parse(role).map(|arn| arn.account().to_owned()).unwrap_or_default();
    let listed = format!(
        "aws organizations list-policies-for-target {} --filter SERVICE_CONTROL_POLICY",
        option("target-id", &account)
    );
    Fault {
        location: role_location(role),
        message: format!(
            "service control policies of the organization do not let {} do {actions}, which {} needs",
            role_label(role),
            group.label()
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
        severity: None,
    }
}
