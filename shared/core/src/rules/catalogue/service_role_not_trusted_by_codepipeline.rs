//! # What it does
//! Evaluates whether the pipeline's service role trusts CodePipeline for this pipeline.
//!
//! # Why deploys fail
//! "CodePipeline is not authorized to perform AssumeRole on role …". A trust with `aws:SourceArn` or
//! `aws:SourceAccount` may name another pipeline than this one.
//!
//! # How to fix
//! Trust `codepipeline.amazonaws.com` in the service role.
//!
//! # Example
//! A service role that trusts `codebuild.amazonaws.com`.

use serde_json::json;

use crate::evaluation::{Context, Requester, Side, Ternary};
use crate::incident::message::ErrorSignature;
use crate::rules::assume::trusts;
use crate::rules::diagnostics::{Denied, Fault, Fix};
use crate::rules::documents::Document;
use crate::rules::facts::role_location;
use crate::rules::{Facts, Fit, InDiagnosis, Rule, RuleContext, RuleId, Severity, Subject};
use crate::snapshot::Fact;

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Ia009,
    name: "service-role-not-trusted-by-codepipeline",
    severity: Severity::Error,
    summary: "The service role does not trust CodePipeline for this pipeline.",
    sources: &[
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/how-to-custom-role.html",
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/cross-service-confused-deputy-prevention.html",
    ],
    subject: Subject::Trust,
    in_diagnosis: InDiagnosis {
        explains: |claim| match claim {
            ErrorSignature::AssumeRole { .. } => Fit::Names,
            _ => Fit::No,
        },
        ..InDiagnosis::NOTHING
    },
    check,
};

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    const SERVICE: &str = "codepipeline.amazonaws.com";
    let role = facts.pipeline().role_arn();
    // Of no concern to a pipeline that stays at home.
    if facts.cross_account_actions().next().is_none() {
        return;
    }
    let location = format!("{}.trustPolicy", role_location(role));
    let because = match facts.role(role).part(|role| &role.trust_policy) {
        Fact::Unknown => return cx.unknown(location),
        Fact::Absent => format!("there is no role {role}"),
        Fact::Known(policy) => {
            let context = Context::partial().without("sts:ExternalId").with("aws:SecureTransport", "true");
            let context =
                facts.pipeline().arn().into_iter().fold(context, |it, arn| it.with("aws:SourceArn", arn));
            let account = facts.pipeline().account().into_iter();
            let context = account.fold(context, |it, account| it.with("aws:SourceAccount", account));
            match trusts(policy, Requester::Service(SERVICE.into()), role, context) {
                Ternary::Yes => return,
                Ternary::Unknown => return cx.unknown(location),
                Ternary::No => {
                    format!("no statement of its trust policy lets {SERVICE} assume it for this pipeline")
                }
            }
        }
    };
    let statements =
        vec![json!({"Effect": "Allow", "Principal": {"Service": SERVICE}, "Action": "sts:AssumeRole"})];
    cx.report(Fault {
        message: "CodePipeline can't assume the pipeline's service role".into(),
        because,
        fix: Fix {
            summary: format!("add this statement to the trust policy of {role}"),
            command: Some(Document::trust_policy(role).add(&statements)),
            statements,
            crosspipe: None,
        },
        denied: vec![Denied {
            principal: SERVICE.into(),
            action: "sts:AssumeRole".into(),
            resource: role.into(),
            side: Side::Resource,
            explicit: false,
        }],
        location,
        ..Fault::default()
    });
}
