//! # What it does
//! Reads the error message for a stack set action in an account that may not manage stack sets of the
//! organization.
//!
//! # Why deploys fail
//! With service-managed permissions only the organization's management account and its delegated
//! administrators may: "You must be the master or delegated admin account …".
//!
//! # How to fix
//! Register the account as a delegated administrator and set `CallAs` to `DELEGATED_ADMIN`, or run the action
//! in the management account.
//!
//! # Example
//! A `CloudFormationStackSet` action with `"PermissionModel": "SERVICE_MANAGED"` in a tools account.

use crate::incident::message::ErrorSignature;
use crate::rules::commands::option;
use crate::rules::diagnostics::{Fault, Fix};
use crate::rules::{Facts, InDiagnosis, Rule, RuleContext, RuleId, Severity, Subject};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Ev008,
    name: "stack-set-needs-delegated-admin",
    severity: Severity::Error,
    summary: "The account of a stack set action is neither management nor delegated administrator account.",
    sources: &[
        "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stacksets-orgs-delegated-admin.html",
    ],
    subject: Subject::Message,
    in_diagnosis: InDiagnosis::NOTHING,
    check,
};

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    let Some(event) = facts.incident().filter(|it| it.claims(&ErrorSignature::StackSetAdmin)) else { return };
    let account = facts.account_of(&event.action).unwrap_or("the account");
    let calls_as = event.action.configuration("CallAs").unwrap_or("SELF");
    cx.report(Fault {
        location: event.action.path(),
        message: format!("{} needs an account that administers stack sets, and {account} does not", event.label()),
        because: format!("`CallAs` is {calls_as}, and the error message is: {}", event.failure.message()),
        fix: Fix {
            summary: format!(
                "register account {account} from the management account, and set `CallAs` of `{}.configuration` to DELEGATED_ADMIN",
                event.action.path()
            ),
            command: Some(format!(
                "# in the organization's management account\naws organizations register-delegated-administrator --service-principal member.org.stacksets.cloudformation.amazonaws.com {}",
                option("account-id", account)
            )),
            ..Fix::default()
        },
        ..Fault::default()
    });
}
