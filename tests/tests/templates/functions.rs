//! Functions, custom resources, and what reaches them.

use std::collections::BTreeSet;

use crosspipe_core::watch::resource::WATCHED;
use regex::Regex;
use serde_json::{Value, json};

use crate::reading::{PIPELINE, TEMPLATES, TOOLS, items, keys, object, root, strings};

/// Type, properties the template must give, properties it may give.
const CUSTOM_RESOURCES: &[(&str, &[&str], &[&str])] = &[
    (
        "Custom::ArtifactKeyGrant",
        &["KeyArn", "ServiceRoleArn", "TargetAccounts"],
        &["OwnRoleArns", "TargetRoleArns", "OrganizationId", "OrganizationPaths", "TargetRoleNamePattern"],
    ),
    ("Custom::BuildProjectKey", &["ProjectNames", "KeyArn"], &[]),
    (
        "Custom::ArtifactBucketGrant",
        &["BucketName", "TargetAccounts"],
        &[
            "TargetRoleArns",
            "OrganizationId",
            "OrganizationPaths",
            "TargetRoleNamePattern",
            "AllowWrites",
            "ArtifactPrefixes",
            "DenyUnencryptedUploads",
            "DenyInsecureTransport",
        ],
    ),
    (
        "Custom::ServiceRoleGrant",
        &["RoleName", "TargetRoleArns"],
        &["TargetRoleNamePattern", "OrganizationId"],
    ),
    (
        "Custom::PipelinePatch",
        &["PipelineName", "EncryptionKeyArn", "Actions", "ActionRoles"],
        &["EncryptionKeyArns", "StartExecution"],
    ),
];

/// No stack may be left whose custom resources nobody serves: the installation stays while one uses it.
#[test]
fn pipelines_use_exports_of_the_installation() {
    let exported: BTreeSet<&str> = object(&TEMPLATES[TOOLS]["Outputs"])
        .values()
        .filter_map(|output| output["Export"]["Name"]["Fn::Sub"].as_str())
        .collect();
    // A role has nothing to import; the rule that uses it does.
    let resources = object(&TEMPLATES[PIPELINE]["Resources"]).iter();
    for (id, resource) in resources.filter(|(_, resource)| resource["Type"] != "AWS::IAM::Role") {
        let used = object(&resource["Properties"]).values().filter_map(|value| value.get("Fn::ImportValue"));
        let used: Vec<&str> = used.map(|name| name["Fn::Sub"].as_str().expect("a name")).collect();
        assert!(!used.is_empty(), "{id} uses no export");
        for name in used {
            let name = name.replace("${Installation}", "${AWS::StackName}");
            assert!(exported.contains(name.as_str()), "{id}: {name}");
        }
    }
    assert!(TEMPLATES[PIPELINE].get("Transform").is_none(), "pipeline.yaml has no code");
}

/// What may change anything is not there in an installation of the reporter alone.
#[test]
fn reporter_only_installation_cannot_write() {
    let resources = object(&TEMPLATES[TOOLS]["Resources"]);
    let provider = resources.iter().filter(|(id, _)| id.starts_with("AccessProvider"));
    let provider: Vec<_> = provider.map(|(id, resource)| (id.as_str(), &resource["Condition"])).collect();
    assert_eq!(provider.len(), 4);
    assert!(provider.iter().all(|(_, condition)| **condition == "HasAccessProvider"), "{provider:?}");
    let conditions = &TEMPLATES[TOOLS]["Conditions"];
    assert_eq!(conditions["HasAccessProvider"], json!({"Fn::Equals": [{"Ref": "Functions"}, "all"]}));
    assert!(conditions["AppliesRemedies"]["Fn::And"].to_string().contains("HasAccessProvider"));
}

/// The alerts of a pipeline's own recipients are those with its name, in its account and Region.
#[test]
fn recipients_of_a_pipeline_get_its_alerts() {
    let resources = &TEMPLATES[PIPELINE]["Resources"];
    let subscription = &resources["AlertEmailSubscription"]["Properties"];
    assert_eq!(subscription["FilterPolicy"], json!({"pipeline": [{"Ref": "PipelineName"}]}));
    assert_eq!(subscription.get("FilterPolicyScope"), None, "the attributes of a message, not its text");
    let pattern = &resources["ReportTopicRule"]["Properties"]["EventPattern"];
    assert_eq!(pattern["source"], json!(["crosspipe"]));
    let arn = pattern["resources"][0]["Fn::Sub"].as_str().unwrap();
    assert!(arn.ends_with(":${AWS::Region}:${AWS::AccountId}:${PipelineName}"), "{arn}");
}

#[test]
fn schedules_are_those_of_eventbridge() {
    let pattern = TEMPLATES[TOOLS]["Parameters"]["WatchSchedule"]["AllowedPattern"].as_str().unwrap();
    let pattern = Regex::new(&format!("^(?:{pattern})$")).unwrap();
    for valid in ["", "rate(1 hour)", "rate(6 hours)", "rate(10 minutes)", "rate(1 day)", "cron(0 6 * * ? *)"]
    {
        assert!(pattern.is_match(valid), "{valid}");
    }
    for refused in ["rate(1 hours)", "rate(6 hour)", "rate(0 hours)", "rate(6", "6 hours", "rate(6 weeks)"] {
        assert!(!pattern.is_match(refused), "{refused}");
    }
}

#[test]
fn custom_resource_properties_are_known() {
    let installation = object(&TEMPLATES[TOOLS]["Resources"]);
    let resources = object(&TEMPLATES[PIPELINE]["Resources"]);
    let provider = &installation["AccessProvider"]["Properties"];
    let latest_start = &installation["AccessProviderInvokeConfig"]["Properties"]["MaximumEventAgeInSeconds"];
    let timeout = provider["Timeout"].as_u64().zip(latest_start.as_u64()).map(|(run, start)| run + start);
    let custom =
        |resource: &&Value| resource["Type"].as_str().is_some_and(|kind| kind.starts_with("Custom::"));
    let kinds: BTreeSet<&str> =
        resources.values().filter(custom).filter_map(|resource| resource["Type"].as_str()).collect();
    assert_eq!(kinds, CUSTOM_RESOURCES.iter().map(|(kind, ..)| *kind).collect());

    for resource in resources.values().filter(custom) {
        let (kind, required, optional) =
            CUSTOM_RESOURCES.iter().find(|(kind, ..)| resource["Type"] == *kind).expect("a known type");
        let properties = object(&resource["Properties"]);
        for property in *required {
            assert!(properties.contains_key(*property), "{kind} lacks {property}");
        }
        let own = ["ServiceToken", "ServiceTimeout"];
        for property in properties.keys().map(String::as_str) {
            let known = [&own[..], required, optional].concat().contains(&property);
            assert!(known, "{kind} does not know {property}");
        }
        // No attempt may still be running when CloudFormation has given up on the request.
        assert_eq!(properties["ServiceTimeout"].as_u64(), timeout, "{kind}");
    }

    let patch = &resources["PipelinePatch"];
    let after: BTreeSet<&str> = strings(&patch["DependsOn"]).collect();
    let grants = ["ArtifactKeyGrant", "ArtifactBucketGrant", "ServiceRoleGrant"];
    assert_eq!(after, BTreeSet::from(grants));
    let added = &patch["Properties"]["Actions"]["Fn::If"][1][0];
    assert_eq!(keys(added), BTreeSet::from(["Stage", "AfterStage", "Action"]));
    assert_eq!(
        keys(&added["Action"]),
        BTreeSet::from(["Name", "ActionTypeId", "Configuration", "InputArtifacts", "RoleArn", "RunOrder"])
    );
    for moved in items(&patch["Properties"]["ActionRoles"]["Fn::If"][1]) {
        assert_eq!(keys(&moved["Fn::If"][1]), BTreeSet::from(["Stage", "Action", "RoleArn"]));
    }
}

#[test]
fn functions_get_their_environment() {
    let resources = &TEMPLATES[TOOLS]["Resources"];
    let globals = &TEMPLATES[TOOLS]["Globals"]["Function"];
    assert_eq!(globals["Runtime"], "provided.al2023");
    assert_eq!(globals["Architectures"], json!([{"Ref": "Architecture"}]));
    assert_eq!(TEMPLATES[TOOLS]["Parameters"]["Architecture"]["Default"], "arm64");

    for (function, binary, environment) in [
        (
            "AccessProvider",
            "access-provider",
            &["ALLOWED_ACCOUNTS", "ALLOWED_ORGANIZATION_ID", "ALLOWED_ROLE_ARNS", "LOCK_TABLE", "RUST_LOG"][..],
        ),
        (
            "FailureReporter",
            "failure-reporter",
            &[
                "ACCESS_PROVIDER_NAME",
                "ALERT_TOPIC_ARN",
                "CHAT_TOPIC_ARN",
                "CONSOLE_ROLE_NAME",
                "DEAD_LETTER_QUEUE_URL",
                "DIAGNOSTICS_ROLE_NAME",
                "EVENT_BUS_NAME",
                "LOCK_TABLE",
                "REMEDIATION_MODE",
                "RUST_LOG",
                "SAME_ACCOUNT_FAILURES",
                "LOG_TAILS",
                "WEBHOOK_SECRET_ARN",
            ],
        ),
    ] {
        let metadata = &resources[function]["Metadata"];
        assert_eq!(metadata["BuildMethod"], "rust-cargolambda", "{function}");
        assert_eq!(metadata["BuildProperties"]["Binary"], binary, "{function}");
        assert!(root().join("functions").join(binary).join("src/main.rs").exists(), "{function}");

        let properties = &resources[function]["Properties"];
        assert_eq!(properties["CodeUri"], ".", "{function}");
        assert_eq!(keys(&properties["Environment"]["Variables"]), environment.iter().copied().collect());
        assert_eq!(properties["LoggingConfig"]["LogFormat"], "JSON", "{function}");
        let group =
            properties["LoggingConfig"]["LogGroup"]["Ref"].as_str().expect("a log group of the template");
        assert!(resources[group]["Properties"]["RetentionInDays"].is_object(), "{group} keeps logs for ever");
        // An account starts with ten concurrent executions, and none of them can be set aside.
        assert_eq!(properties["ReservedConcurrentExecutions"], Value::Null, "{function}");
    }
}

/// Nothing is changed that nobody asked to have changed.
#[test]
fn only_apply_mode_may_write() {
    let template = &TEMPLATES[TOOLS];
    assert_eq!(template["Parameters"]["RemediationMode"]["Default"], "propose");
    let applies = &template["Conditions"]["AppliesRemedies"]["Fn::And"][1];
    assert_eq!(*applies, json!({"Fn::Equals": [{"Ref": "RemediationMode"}, "apply"]}));
    let resources = &template["Resources"];
    let variables = &resources["FailureReporter"]["Properties"]["Environment"]["Variables"];
    assert_eq!(variables["REMEDIATION_MODE"], json!({"Ref": "RemediationMode"}));
    let if_applied = |then: Value| json!({"Fn::If": ["AppliesRemedies", then, {"Ref": "AWS::NoValue"}]});
    assert_eq!(variables["ACCESS_PROVIDER_NAME"], if_applied(json!({"Ref": "AccessProvider"})));
    let policies = items(&resources["FailureReporterRole"]["Properties"]["Policies"]);
    let (applied, always): (Vec<&Value>, Vec<&Value>) =
        policies.partition(|policy| policy["Fn::If"][0] == "AppliesRemedies");
    assert_eq!(applied.len(), 1);
    assert_eq!(*applied[0], if_applied(applied[0]["Fn::If"][1].clone()));
    for write in ["codepipeline:RetryStageExecution", "lambda:InvokeFunction"] {
        assert!(!always.iter().any(|policy| policy.to_string().contains(write)), "{write}");
    }
}

#[test]
fn failed_actions_reach_the_reporter() {
    let resources = &TEMPLATES[TOOLS]["Resources"];
    let rule = &resources["FailedActions"]["Properties"];
    assert_eq!(rule["EventPattern"]["source"], json!(["aws.codepipeline"]));
    let kinds = ["Action", "Stage", "Pipeline"].map(|it| format!("CodePipeline {it} Execution State Change"));
    assert_eq!(rule["EventPattern"]["detail-type"], json!(kinds));
    assert_eq!(rule["EventPattern"]["detail"]["state"], json!(["FAILED"]));

    let queue = json!({"Fn::GetAtt": ["ReporterDeadLetters", "Arn"]});
    let target = &rule["Targets"][0];
    assert_eq!(target["Arn"], json!({"Fn::GetAtt": ["FailureReporter", "Arn"]}));
    assert_eq!(target["DeadLetterConfig"]["Arn"], queue);
    let on_failure =
        &resources["FailureReporter"]["Properties"]["EventInvokeConfig"]["DestinationConfig"]["OnFailure"];
    assert_eq!(on_failure["Destination"], queue);

    let this_rule = json!({"Fn::GetAtt": ["FailedActions", "Arn"]});
    assert_eq!(resources["FailedActionsInvokeReporter"]["Properties"]["SourceArn"], this_rule);
    let policy = &resources["ReporterDeadLettersPolicy"]["Properties"]["PolicyDocument"]["Statement"][0];
    assert_eq!(policy["Condition"]["ArnEquals"]["aws:SourceArn"][0], this_rule);
}

#[test]
fn watched_calls_match_the_reporter() {
    let pattern = &TEMPLATES[TOOLS]["Resources"]["Changes"]["Properties"]["EventPattern"];
    let known: BTreeSet<&str> = WATCHED.iter().flat_map(|(_, calls)| calls.iter().copied()).collect();
    assert_eq!(strings(&pattern["detail"]["eventName"]).collect::<BTreeSet<_>>(), known);
    let sources: BTreeSet<String> = WATCHED
        .iter()
        .map(|(source, _)| format!("aws.{}", source.trim_end_matches(".amazonaws.com")))
        .collect();
    assert_eq!(strings(&pattern["source"]).map(str::to_owned).collect::<BTreeSet<_>>(), sources);
}

#[test]
fn watch_events_reach_the_reporter() {
    let resources = &TEMPLATES[TOOLS]["Resources"];
    let policy = &resources["ReporterDeadLettersPolicy"]["Properties"]["PolicyDocument"]["Statement"][0];
    let queue = json!({"Fn::GetAtt": ["ReporterDeadLetters", "Arn"]});
    for (rule, permission, condition) in [
        ("Changes", "ChangesInvokeReporter", "WatchesChanges"),
        ("Schedule", "ScheduleInvokesReporter", "WatchesOnSchedule"),
    ] {
        let arn = json!({"Fn::GetAtt": [rule, "Arn"]});
        assert_eq!(resources[rule]["Condition"], condition);
        assert_eq!(resources[permission]["Condition"], condition);
        assert_eq!(resources[permission]["Properties"]["SourceArn"], arn);
        let target = &resources[rule]["Properties"]["Targets"][0];
        assert_eq!(target["Arn"], json!({"Fn::GetAtt": ["FailureReporter", "Arn"]}));
        assert_eq!(target["DeadLetterConfig"]["Arn"], queue);
        let mut senders = items(&policy["Condition"]["ArnEquals"]["aws:SourceArn"]);
        assert!(senders.any(|sender| sender["Fn::If"] == json!([condition, arn, {"Ref": "AWS::NoValue"}])));
    }
    for (parameter, off) in [("WatchChanges", "false"), ("WatchSchedule", "")] {
        assert_eq!(TEMPLATES[TOOLS]["Parameters"][parameter]["Default"], off);
    }
}
