//! # What it does
//! Looks for actions whose Region has no artifact store, and for pipelines that give both or none of
//! `artifactStore` and `artifactStores`.
//!
//! # Why deploys fail
//! "Your pipeline contains actions in more than one region. Use 'pipeline.artifactStores'…": CodePipeline
//! copies the input artifacts to the action's Region, and needs a bucket there.
//!
//! # How to fix
//! Give `artifactStores` with one entry for each Region, the pipeline's own among them.
//!
//! # Example
//! A pipeline in us-east-2 with `artifactStore` and an action with `"region": "eu-west-1"`

use crate::incident::message::ErrorSignature;
use crate::rules::diagnostics::{Fault, Fix};
use crate::rules::{Facts, Fit, InDiagnosis, Rule, RuleContext, RuleId, Severity, Subject};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Pl009,
    name: "region-without-artifact-store",
    severity: Severity::Error,
    summary: "An action's Region has no artifact store, or the pipeline gives both kinds of store or none.",
    sources: &[
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/actions-create-cross-region.html",
        "https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PipelineDeclaration.html",
    ],
    subject: Subject::Store,
    in_diagnosis: InDiagnosis {
        explains: |claim| match claim {
            ErrorSignature::NoStoreInRegion => Fit::Names,
            _ => Fit::No,
        },
        ..InDiagnosis::NOTHING
    },
    check,
};

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    let stores: Vec<Option<&str>> = facts.pipeline().stores().map(|store| store.region()).collect();
    let (single, regional) = (stores.contains(&None), stores.iter().any(Option::is_some));
    if single == regional {
        let given = if single { "both" } else { "neither" };
        cx.report(Fault {
            location: "artifactStore".into(),
            message: format!("the pipeline has {given} of `artifactStore` and `artifactStores`"),
            because: "exactly one of them has to be given".into(),
            fix: Fix {
                summary: "give `artifactStores` where actions are in several Regions, else `artifactStore`"
                    .into(),
                ..Fix::default()
            },
            ..Fault::default()
        });
        return;
    }
    for action in facts.actions() {
        let Some(region) = facts.region_of(&action) else { continue };
        let Some(own) = facts.pipeline().region() else {
            if single && action.region().is_some() {
                cx.unknown("metadata.pipelineArn");
            }
            continue;
        };
        if (single && region == own) || stores.contains(&Some(region)) {
            continue;
        }
        let there: Vec<&str> = stores.iter().copied().map(|region| region.unwrap_or(own)).collect();
        let at_home = action.region().is_none();
        cx.report(Fault {
            location: if at_home { "artifactStores".into() } else { format!("{}.region", action.path()) },
            message: if at_home {
                format!("the pipeline has no artifact store in its own Region {region}")
            } else {
                let (stage, name) = (action.stage().name(), action.name());
                format!("{stage}/{name} is in {region}, where the pipeline has no artifact store")
            },
            because: format!("the pipeline's artifact stores are in {}", there.join(", ")),
            fix: Fix {
                summary: format!(
                    "add a store in {region} (a bucket, and a customer managed key of that Region) to `artifactStores`, which replaces `artifactStore`"
                ),
                ..Fix::default()
            },
            ..Fault::default()
        });
    }
}
