//! # What it does
//! Evaluates whether any role of the pipeline's account may assume the action role.
//!
//! # Why deploys fail
//! They don't: but whoever may assume roles in the pipeline's account can then deploy into this one. The
//! console's wizard, and AWS's walkthrough before its step 16, leave the trust like that.
//!
//! # How to fix
//! Trust the pipeline's service role instead of the account.
//!
//! # Example
//! `"Principal": {"AWS": "arn:aws:iam::111111111111:root"}` without a condition.

use crate::arn::{self, Arn};
use crate::evaluation::{Requester, Ternary};
use crate::rules::assume::{trust_statement, trusts};
use crate::rules::diagnostics::{Fault, Fix};
use crate::rules::documents::Document;
use crate::rules::facts::role_location;
use crate::rules::resources::target_account;
use crate::rules::{Facts, InDiagnosis, Rule, RuleContext, RuleId, Severity, Subject, role_fixes};
use crate::snapshot::Fact;

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Ia003,
    name: "target-trusts-whole-account",
    severity: Severity::Warning,
    summary: "The action role trusts the whole account of the pipeline.",
    sources: &[
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/pipelines-create-cross-account.html",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_update-role-trust-policy.html",
    ],
    subject: Subject::Practice,
    in_diagnosis: InDiagnosis::NOTHING,
    check,
};

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    let Some(own) = facts.pipeline().account() else { return };
    let service_role = facts.pipeline().role_arn();
    // A role that nobody has reason to name.
    let Ok(any) = Arn::parse(&arn::role(facts.partition(), own, "any/other-role")) else {
        return;
    };
    for action in facts.groups_by_role().into_iter().map(|group| group.first) {
        let role = action.role_arn();
        let location = format!("{}.trustPolicy", role_location(role));
        let known = facts.role(role).part(|role| &role.trust_policy);
        let Fact::Known(policy) = known else {
            if known.is_unknown() {
                cx.unknown(location);
            }
            continue;
        };
        let context = facts.context(any.as_str()).without("sts:ExternalId");
        if trusts(policy, Requester::Role(any.clone()), role, context) != Ternary::Yes {
            continue;
        }
        let (root, statements) =
            (arn::account_root(facts.partition(), own), vec![trust_statement(service_role)]);
        cx.report(Fault {
            message: format!("{} can be assumed by every role of account {own} that is allowed to", action.role_label()),
            because: format!("its trust policy lets in {any}, a role that it does not name"),
            fix: Fix {
                summary: format!("trust only the service role: replace the account in the trust policy of {role} by this statement"),
                command: role_fixes::unless_shared(
                    role,
                    Document::trust_policy(role).narrow(&[own, &root], &statements),
                ),
                crosspipe: Some(target_account(action.account, &[("ServiceRoleArns", service_role)])),
                statements,
            },
            location,
            ..Fault::default()
        });
    }
}
