//! # What it does
//! Compares the key of each build project in the pipeline's account with the artifact key of the Region that it
//! builds in, where an action of a target account uses what it builds.
//!
//! # Why deploys fail
//! A project without a key of its own encrypts its output under `aws/s3`, which no other account can use:
//! the build succeeds, and the deploy can't decrypt what it made.
//!
//! # How to fix
//! Set the artifact key's ARN as the project's encryption key.
//!
//! # Example
//! A CodeBuild project without `encryptionKey` whose output a CodeDeploy action of another account deploys.

use std::collections::BTreeMap;

use crate::incident::message::ErrorSignature;
use crate::pipeline::Action;
use crate::providers::Provider;
use crate::rules::action_facts::labels;
use crate::rules::commands::{in_region, option, script};
use crate::rules::diagnostics::{Fault, Fix};
use crate::rules::{ActionFacts, Facts, Fit, InDiagnosis, Rule, RuleContext, RuleId, Severity, Subject};
use crate::snapshot::Fact;

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Cb001,
    name: "build-output-under-other-key",
    severity: Severity::Error,
    summary: "A build encrypts what a target account uses under another key than the artifact key.",
    sources: &[
        "https://docs.aws.amazon.com/codebuild/latest/APIReference/API_Project.html",
        "https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CodeBuild.html",
    ],
    subject: Subject::Store,
    in_diagnosis: InDiagnosis {
        explains: |claim| match claim {
            ErrorSignature::Artifact { .. } | ErrorSignature::Key => Fit::NamesAtMost,
            ErrorSignature::Bucket { .. }
            | ErrorSignature::NoSuchKey { .. }
            | ErrorSignature::BuildSource => Fit::Fits,
            _ => Fit::No,
        },
        ..InDiagnosis::NOTHING
    },
    check,
};

fn check(facts: &Facts<'_>, cx: &mut RuleContext<'_>) {
    let mut consumers: BTreeMap<&str, Vec<ActionFacts<'_>>> = BTreeMap::new();
    for action in facts.cross_account_actions() {
        for artifact in action.action.input_artifacts() {
            consumers.entry(artifact).or_default().push(action);
        }
    }
    let own = facts.pipeline().actions().filter(|it| facts.pipeline().target_account(it).is_none());
    for build in own.filter(|it| Provider::of(it) == Provider::CodeBuild) {
        // CodePipeline itself copies to the stores of other Regions.
        let Some(store) = facts.pipeline().store_for(build.region()) else { continue };
        let consumers = build.output_artifacts().filter_map(|it| consumers.get(it)).flatten();
        let consumers: Vec<&ActionFacts<'_>> = consumers.collect();
        let (Some(project), Some(first)) = (build.configuration("ProjectName"), consumers.first()) else {
            continue;
        };
        let location = format!("buildProjects[\"{project}\"].encryptionKey");
        let Some(key) = facts.key_of(&store) else {
            if facts.unresolved_alias(&store).is_some() {
                cx.unknown(location);
            }
            continue;
        };
        let known = facts.snapshot().build_projects.get(project).map_or(Fact::Unknown, Fact::as_ref);
        let because = match known.part(|project| &project.encryption_key) {
            _ if matches!(known, Fact::Absent) => continue,
            Fact::Absent => "the project has no encryption key, so it uses aws/s3".to_owned(),
            Fact::Known(it) if it == key.as_str() || key.resource() == format!("key/{it}") => continue,
            Fact::Known(it) if Some(it.as_str()) == store.key_id() => continue,
            Fact::Known(it) if it.ends_with("alias/aws/s3") => {
                "the project's encryption key is aws/s3".into()
            }
            // An alias may well stand for the artifact key.
            Fact::Known(it) if it.contains("alias/") => {
                cx.unknown(location);
                continue;
            }
            Fact::Known(it) => format!("the project's encryption key is `{it}`"),
            Fact::Unknown => {
                cx.unknown(location);
                continue;
            }
        };
        cx.report(Fault {
            message: format!(
                "{}/{} builds what {} uses in account {}, under another key than the artifact key",
                build.stage().name(),
                build.name(),
                labels(consumers.iter().map(|it| it.label()).collect()),
                first.account
            ),
            because,
            fix: Fix {
                summary: format!("set `{key}` as the encryption key of project `{project}`"),
                command: Some(command(facts, &build, project, key.as_str())),
                ..Fix::default()
            },
            location,
            ..Fault::default()
        });
    }
}

/// Other members than those that are given stay as they are.
fn command(facts: &Facts<'_>, build: &Action<'_>, project: &str, key: &str) -> String {
    let region = in_region(facts.region_of(build));
    let (name, key) = (option("name", project), option("encryption-key", key));
    let step = format!("aws codebuild update-project{region} {name} {key} > /dev/null");
    script(facts.pipeline().account(), &[step])
}
