//! # What it does
//! Reads the error message, and what the provider says, for a role that a service could not assume: of a stack, a
//! build project, a deployment group, a task, a stack set. Where the role was read it evaluates whether its trust
//! policy lets the service in, and is silent where it does.
//!
//! # Why deploys fail
//! The action role hands over to a service, which works as a role of its own: "Role … is invalid or cannot be
//! assumed", "CodeBuild is not authorized to perform: sts:AssumeRole on service role", "Account … should have '…'
//! role with trust relationship to Role '…'".
//!
//! # How to fix
//! Make the role, or let its trust policy name the service (for a stack set's execution role: the administration
//! role).
//!
//! # Example
//! A stack role that trusts `codedeploy.amazonaws.com`.

use serde_json::{Value, json};

use crate::arn::{self, Arn};
use crate::evaluation::{Context, Requester, Side, Ternary};
use crate::incident::Incident;
use crate::incident::message::{Assumption, ErrorSignature};
use crate::rules::assume::trusts;
use crate::rules::commands::{self, option, show};
use crate::rules::diagnostics::{Denied, Fault, Fix};
use crate::rules::documents::Document;
use crate::rules::facts::{role_label, role_location};
use crate::rules::{Facts, Fit, InDiagnosis, Rule, RuleContext, RuleId, Severity, Subject};
use crate::snapshot::{Fact, RoleFacts};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Or002,
    name: "other-role-not-assumable",
    severity: Severity::Error,
    summary: "A service could not assume the role that it was given.",
    sources: &[
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_terms-and-concepts.html",
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_roles.html",
    ],
    subject: Subject::DeniedRole,
    in_diagnosis: InDiagnosis {
        explains: |claim| match claim {
            ErrorSignature::RoleNotAssumable(_) => Fit::Names,
            _ => Fit::No,
        },
        ..InDiagnosis::NOTHING
    },
    check,
};

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    let Some(incident) = facts.incident() else { return };
    let told = incident.claims.iter().find_map(|claim| match claim {
        ErrorSignature::RoleNotAssumable(assumption) => Some(assumption),
        _ => None,
    });
    let Some(told) = told else { return };
    let role = role(facts, incident, told);
    let by = by(facts, incident, told, role.as_deref());
    let who = by.as_deref().unwrap_or("the service that works as it");
    let location = role.as_deref().map_or_else(|| incident.action.path(), role_location);
    let fact = role.as_deref().map_or(Fact::Unknown, |role| facts.role(role));
    // A role of which the trust policy was not read is not known in what matters here.
    let fact = if fact.part(|role| &role.trust_policy).is_unknown() { Fact::Unknown } else { fact };
    let trust = match (&fact, by.as_deref()) {
        (Fact::Known(known), Some(by)) => {
            let trust = known.trust_policy.known();
            trust.zip(role.as_deref()).map_or(Ternary::Unknown, |(trust, role)| {
                Requester::parse(by)
                    .map_or(Ternary::Unknown, |by| trusts(trust, by, role, Context::partial()))
            })
        }
        (Fact::Absent, _) => Ternary::No,
        _ => Ternary::Unknown,
    };
    let label = role.as_deref().map_or_else(|| "its role".to_owned(), role_label);
    let because = match (&fact, trust) {
        // It was fixed since, or the message means another role.
        (_, Ternary::Yes) => return,
        (Fact::Absent, _) => format!("there is no {label}"),
        (_, Ternary::No) => format!("no statement of the trust policy of {label} lets {who} assume it"),
        (_, Ternary::Unknown) => {
            cx.unknown(format!("{location}.trustPolicy"));
            format!("AWS says: {}", incident.reason)
        }
    };
    let denied = (trust == Ternary::No).then(|| Denied {
        principal: who.to_owned(),
        action: "sts:AssumeRole".to_owned(),
        resource: role.clone().unwrap_or_default(),
        side: Side::Resource,
        explicit: false,
    });
    cx.report(Fault {
        location,
        message: format!("{who} can't assume {label}, which {} needs", incident.label()),
        because,
        fix: fix(role.as_deref().zip(by.as_deref()), &fact),
        denied: denied.into_iter().collect(),
        ..Fault::default()
    });
}

/// The role that is named; else the one that the provider works as in this action.
fn role(facts: &Facts<'_>, incident: &Incident<'_>, told: &Assumption) -> Option<String> {
    let Some(named) = &told.role else {
        let worker = incident.surroundings(facts).worker()?;
        // A service that works for a resource of the stack works as a role of the template's.
        let is_its_own = |by: &str| worker.kind.assumed_by().is_none_or(|service| service == by);
        return told.by.as_deref().is_none_or(is_its_own).then_some(worker.arn);
    };
    Some(incident.surroundings(facts).attribute(named).arn)
}

/// Who was to assume it, as a trust policy names it.
fn by(facts: &Facts<'_>, incident: &Incident<'_>, told: &Assumption, role: Option<&str>) -> Option<String> {
    let named = match told.by.as_deref() {
        Some(by) if by.contains('.') || by.starts_with("arn:") => return Some(by.to_owned()),
        named => named?,
    };
    // The name of a role of the account that the action works in.
    let account = facts.account_of(&incident.action)?;
    let partition = role.and_then(|role| Arn::parse(role).ok()).map(|arn| arn.partition().to_owned());
    Some(arn::role(partition.unwrap_or_else(|| facts.partition()), account, named))
}

fn fix(named: Option<(&str, &str)>, fact: &Fact<&RoleFacts>) -> Fix {
    let Some((role, by)) = named else {
        return Fix {
            summary: "see that the role exists, and that its trust policy names the service that works as it"
                .into(),
            ..Fix::default()
        };
    };
    let kind = if by.starts_with("arn:") { "AWS" } else { "Service" };
    let statements: Vec<Value> =
        vec![json!({"Effect": "Allow", "Principal": {kind: by}, "Action": "sts:AssumeRole"})];
    let (summary, command) = match fact {
        Fact::Absent => {
            let label = role_label(role);
            (format!("make {label} with this statement in its trust policy, or name another role"), None)
        }
        Fact::Known(_) => {
            let add = Document::trust_policy(role).add(&statements);
            (format!("add this statement to the trust policy of {role}"), Some(add))
        }
        Fact::Unknown => {
            let (account, name) = commands::role(role);
            let look = format!("aws iam get-role {}", option("role-name", &name));
            let summary = format!("see that {role} exists, and that its trust policy has this statement");
            (summary, Some(show(account.as_deref(), &look)))
        }
    };
    Fix { summary, statements, command, ..Fix::default() }
}
