//! They lint, and what they ask for is described.

use std::path::Path;

use regex::Regex;
use serde_json::Value;

use crate::reading::{
    PIPELINE, TARGET, TEMPLATES, TOOLS, cfn_lint, items, object, read, root, strings, translate,
};

#[test]
fn cfn_lint_has_nothing_to_say() {
    let output = cfn_lint(&[TOOLS, PIPELINE, TARGET].map(|name| root().join(name)));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));

    // The same call does find something where there is something to find.
    let broken = Path::new(env!("CARGO_TARGET_TMPDIR")).join("broken.yaml");
    std::fs::write(&broken, read(TARGET).replace("!Ref ArtifactKeyArns", "!Ref ArtifactKeys"))
        .expect("written");
    let output = cfn_lint(&[broken]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("ArtifactKeys"), "{output:?}");
}

/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>.
#[test]
fn templates_fit_cloudformation_limits() {
    for (name, template) in TEMPLATES.iter() {
        let (bytes, parameters) = (read(name).len(), object(&template["Parameters"]).len());
        assert!(bytes <= 51_200, "{name} has {bytes} bytes; only 51,200 can be sent without a bucket");
        assert!(parameters <= 200, "{name} has {parameters} parameters");
    }
}

#[test]
fn sam_translates_the_template() {
    let translated = translate(TOOLS);
    let kinds = |template: &Value| -> Vec<String> {
        let resources = object(&template["Resources"]).values();
        resources.map(|resource| resource["Type"].as_str().unwrap().to_owned()).collect()
    };
    let serverless = |kinds: &[String]| kinds.iter().filter(|it| it.starts_with("AWS::Serverless::")).count();
    assert_eq!(serverless(&kinds(&TEMPLATES[TOOLS])), 2, "there is something to translate");
    assert_eq!(serverless(&kinds(&translated)), 0);
    let functions = kinds(&translated).iter().filter(|it| *it == "AWS::Lambda::Function").count();
    assert_eq!(functions, 2);
    let own = object(&TEMPLATES[TOOLS]["Resources"]).keys();
    let lost: Vec<&String> = own.filter(|id| translated["Resources"].get(id.as_str()).is_none()).collect();
    assert!(lost.is_empty(), "{lost:?}");
}

#[test]
fn every_parameter_is_described_and_grouped() {
    for (name, template) in TEMPLATES.iter() {
        let groups = &template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"];
        let mut shown: Vec<&str> = items(groups).flat_map(|group| strings(&group["Parameters"])).collect();
        shown.sort_unstable();
        let parameters = object(&template["Parameters"]);
        let mut declared: Vec<&str> = parameters.keys().map(String::as_str).collect();
        declared.sort_unstable();
        assert_eq!(shown, declared, "{name}: parameter groups");

        for (parameter, definition) in parameters {
            assert!(definition["Description"].is_string(), "{name}: {parameter} has no description");
            let patterned =
                definition["AllowedPattern"].is_string() && definition["ConstraintDescription"].is_string();
            assert!(
                patterned || definition["AllowedValues"].is_array(),
                "{name}: {parameter} takes anything"
            );
        }
    }
}

#[test]
fn shared_parameter_defaults_agree() {
    for parameter in ["DiagnosticsRoleName", "ReporterRoleName"] {
        let default = |name: &str| TEMPLATES[name]["Parameters"][parameter]["Default"].clone();
        assert!(default(TOOLS).is_string(), "{parameter}");
        assert_eq!(default(TOOLS), default(TARGET), "{parameter}");
    }
    let role = |name: &str| TEMPLATES[name]["Parameters"]["TargetRoleName"]["Default"].clone();
    assert!(role(PIPELINE).is_string());
    assert_eq!(role(PIPELINE), role(TARGET));
}

#[test]
fn target_template_has_no_code() {
    let template = &TEMPLATES[TARGET];
    assert_eq!(template["Transform"], Value::Null, "StackSets take no SAM");
    for (id, resource) in object(&template["Resources"]) {
        let kind = resource["Type"].as_str().unwrap_or_default();
        let known = ["AWS::IAM::Role", "AWS::IAM::ManagedPolicy", "AWS::Events::Rule"];
        assert!(known.contains(&kind), "{id}: {kind}");
    }
}

/// What a pattern of the tools account's resources must not be: it would match everything.
#[test]
fn patterns_begin_literally() {
    let account = "111111111111";
    let all = [
        (TOOLS, "PipelineArns", format!("arn:aws:codepipeline:eu-west-1:{account}:")),
        (TOOLS, "ServiceRoleArns", format!("arn:aws:iam::{account}:role/")),
        (TOOLS, "ArtifactBucketArns", "arn:aws:s3:::".to_owned()),
        (TOOLS, "ArtifactKeyArns", format!("arn:aws:kms:eu-west-1:{account}:key/")),
        (TOOLS, "BuildProjectArns", format!("arn:aws:codebuild:eu-west-1:{account}:project/")),
        (TOOLS, "BuildRoleArns", format!("arn:aws:iam::{account}:role/")),
        (TOOLS, "AllowedRoleArns", "arn:aws:iam::*:role/".to_owned()),
        (TARGET, "ServiceRoleArns", format!("arn:aws:iam::{account}:role/")),
        (TARGET, "ArtifactBucketArns", "arn:aws:s3:::".to_owned()),
        (TARGET, "ArtifactKeyArns", format!("arn:aws:kms:eu-west-1:{account}:key/")),
        (PIPELINE, "TargetRoleName", String::new()),
    ];
    for (template, parameter, prefix) in all {
        let pattern = TEMPLATES[template]["Parameters"][parameter]["AllowedPattern"].as_str().unwrap();
        let pattern = Regex::new(&format!("^(?:{pattern})$")).unwrap();
        for (name, fits) in [("orders", true), ("orders-*", true), ("*", false), ("*orders", false)] {
            assert_eq!(pattern.is_match(&format!("{prefix}{name}")), fits, "{template}: {parameter}: {name}");
        }
        assert!(!pattern.is_match("*"), "{template}: {parameter}");
    }
}
