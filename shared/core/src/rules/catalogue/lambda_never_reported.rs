//! # What it does
//! Reads the error message for a Lambda function that never told CodePipeline how it went.
//!
//! # Why deploys fail
//! CodePipeline waits until the function calls `PutJobSuccessResult` or `PutJobFailureResult`. A function
//! whose role may not, or that ends before, lets the action time out: "The AWS Lambda function … failed to
//! return a result".
//!
//! # How to fix
//! Allow both calls to the function's own role, and make one of them on every path.
//!
//! # Example
//! A function with `AWSLambdaBasicExecutionRole` only.

use crate::incident::message::ErrorSignature;
use crate::rules::commands::{in_region, quoted, show};
use crate::rules::diagnostics::{Fault, Fix};
use crate::rules::fix_statements::allow;
use crate::rules::{Facts, InDiagnosis, Rule, RuleContext, RuleId, Severity, Subject};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Ev006,
    name: "lambda-never-reported",
    severity: Severity::Error,
    summary: "A Lambda function did not report its result to CodePipeline.",
    sources: &[
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-invoke-lambda-function.html",
    ],
    subject: Subject::Message,
    in_diagnosis: InDiagnosis::NOTHING,
    check,
};

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    let Some(event) = facts.incident() else { return };
    // A function that was not allowed to report says so in its log.
    let told = event.told_by_function.as_ref().or(event.denial.as_ref());
    let denied = told.is_some_and(|it| it.action.starts_with("codepipeline:PutJob"));
    if !event.claims(&ErrorSignature::LambdaSilent) && !denied {
        return;
    }
    let function = event.action.configuration("FunctionName").unwrap_or("the function");
    let log = format!("/aws/lambda/{}", function.rsplit(':').next().unwrap_or(function));
    let command = format!("aws logs tail{} {}", in_region(facts.region_of(&event.action)), quoted(&log));
    cx.report(Fault {
        location: event.action.path(),
        message: format!("function `{function}` of {} never reported its result", event.label()),
        because: format!("the error message is: {}", event.failure.message()),
        fix: Fix {
            summary: format!(
                "let the execution role of `{function}` report (these actions have no resources), and see in its log that it does so on every path"
            ),
            statements: vec![allow(
                None,
                &["codepipeline:PutJobSuccessResult", "codepipeline:PutJobFailureResult"],
                &["*".to_owned()],
            )],
            command: Some(show(facts.account_of(&event.action), &command)),
            ..Fix::default()
        },
        ..Fault::default()
    });
}
