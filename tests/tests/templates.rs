//! What `template.yaml` and `target-account.yaml` promise, whatever deploys them: they lint, their roles may do
//! what they need and no more, are trusted by nobody else, and speak the custom resources' own language.
#![allow(clippy::expect_used, reason = "a test that can't read a template has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use crosspipe_core::watch::resource::WATCHED;
use crosspipe_e2e::Venv;
use serde_json::{Map, Value, json};

const TOOLS: &str = "template.yaml";
const TARGET: &str = "target-account.yaml";

static VENV: LazyLock<Venv> = LazyLock::new(|| Venv::ensure().expect("a Python environment"));
static TEMPLATES: LazyLock<BTreeMap<&str, Value>> =
    LazyLock::new(|| [TOOLS, TARGET].into_iter().map(|name| (name, parse(name))).collect());

// ---- Form ----------------------------------------------------------------------------------------------------------

#[test]
fn cfn_lint_has_nothing_to_say() {
    let output = cfn_lint(&[root().join(TOOLS), root().join(TARGET)]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));

    // The same call does find something where there is something to find.
    let broken = Path::new(env!("CARGO_TARGET_TMPDIR")).join("broken.yaml");
    std::fs::write(&broken, read(TARGET).replace("!Ref ArtifactKeyArn", "!Ref ArtifactKey"))
        .expect("written");
    let output = cfn_lint(&[broken]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("ArtifactKey"), "{output:?}");
}

#[test]
fn every_parameter_is_described_constrained_and_grouped_once() {
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
fn names_that_both_templates_use_have_the_same_default() {
    for parameter in ["DiagnosticsRoleName", "ReporterRoleName"] {
        let default = |name: &str| TEMPLATES[name]["Parameters"][parameter]["Default"].clone();
        assert!(default(TOOLS).is_string(), "{parameter}");
        assert_eq!(default(TOOLS), default(TARGET), "{parameter}");
    }
}

#[test]
fn the_target_account_gets_roles_and_policies_only() {
    let template = &TEMPLATES[TARGET];
    assert_eq!(template["Transform"], Value::Null, "StackSets take no SAM");
    for (id, resource) in object(&template["Resources"]) {
        let kind = resource["Type"].as_str().unwrap_or_default();
        assert!(["AWS::IAM::Role", "AWS::IAM::ManagedPolicy"].contains(&kind), "{id}: {kind}");
    }
}

// ---- Permissions ---------------------------------------------------------------------------------------------------

/// Statements on every resource: exactly these actions, each because its service knows no resource for them
/// (Service Authorization Reference), `ListTasks` when asked for a service.
const ON_EVERY_RESOURCE: &[(&str, &str, &[&str])] = &[
    ("AccessProviderRole", "SendTraces", &["xray:PutTelemetryRecords", "xray:PutTraceSegments"]),
    ("FailureReporterRole", "SendTraces", &["xray:PutTelemetryRecords", "xray:PutTraceSegments"]),
    ("TargetRole", "ReadTaskDefinitions", &["ecs:DescribeTaskDefinition"]),
    ("TargetRole", "ListTasks", &["ecs:ListTasks"]),
    ("TargetRole", "ValidateTemplates", &["cloudformation:ValidateTemplate"]),
    ("TargetRole", "ListFunctions", &["lambda:ListFunctions"]),
    (
        "DiagnosticsRole",
        "ReadDeploymentTargets",
        &["codedeploy:BatchGetDeploymentTargets", "codedeploy:ListDeploymentTargets"],
    ),
    ("DiagnosticsRole", "ListTasks", &["ecs:DescribeTaskDefinition", "ecs:ListTasks"]),
];

#[test]
fn no_statement_is_wider_than_its_action_needs() {
    let mut on_every_resource = BTreeSet::new();
    for (role, statement) in statements() {
        let sid = statement["Sid"].as_str().expect("a Sid").to_owned();
        assert_eq!(statement["Effect"], "Allow", "{role} {sid}");
        for forbidden in ["NotAction", "NotResource"] {
            assert_eq!(statement[forbidden], Value::Null, "{role} {sid}: {forbidden}");
        }
        for action in strings(&statement["Action"]) {
            let family = ["kms:GenerateDataKey*", "kms:ReEncrypt*"].contains(&action);
            assert!(family || !action.contains('*'), "{role} {sid}: {action}");
        }
        for resource in items(&statement["Resource"]).map(Value::to_string) {
            if resource == r#""*""# {
                let actions = strings(&statement["Action"]).map(str::to_owned).collect::<BTreeSet<_>>();
                on_every_resource.insert((role.clone(), sid.clone(), actions));
            }
            let narrowed = statement["Condition"]["StringEquals"]["aws:ResourceAccount"].is_object();
            let any_account = resource.contains("iam::*:") || resource.contains(":*:*:");
            assert!(!any_account || narrowed, "{role} {sid}: {resource}");
        }
    }
    let expected = ON_EVERY_RESOURCE.iter().map(|(role, sid, actions)| {
        (role.to_string(), sid.to_string(), actions.iter().map(ToString::to_string).collect())
    });
    assert_eq!(on_every_resource, expected.collect());
}

#[test]
fn what_changes_anything_is_listed_here() {
    let reads = ["Get", "List", "Describe", "BatchGet"];
    let mut writes = BTreeMap::<String, BTreeSet<String>>::new();
    for (role, statement) in statements() {
        for action in strings(&statement["Action"]) {
            let verb = action.split_once(':').expect("service:Action").1;
            if !reads.iter().any(|read| verb.starts_with(read)) {
                writes.entry(role.clone()).or_default().insert(action.to_owned());
            }
        }
    }
    let expect = |role: &str, actions: &[&str]| {
        let expected: BTreeSet<String> = actions.iter().map(ToString::to_string).collect();
        assert_eq!(writes.get(role).cloned().unwrap_or_default(), expected, "{role}");
    };
    expect("DiagnosticsRole", &[]);
    expect("InstanceArtifactAccess", &["kms:Decrypt"]);
    expect(
        "FailureReporterRole",
        &[
            "codepipeline:RetryStageExecution",
            "dynamodb:UpdateItem",
            "events:PutEvents",
            "lambda:InvokeFunction",
            "logs:CreateLogStream",
            "logs:PutLogEvents",
            "sns:Publish",
            "sqs:SendMessage",
            "sts:AssumeRole",
            "xray:PutTelemetryRecords",
            "xray:PutTraceSegments",
        ],
    );
    expect(
        "AccessProviderRole",
        &[
            "codeconnections:PassConnection",
            "codepipeline:StartPipelineExecution",
            "codepipeline:TagResource",
            "codepipeline:UntagResource",
            "codepipeline:UpdatePipeline",
            "codestar-connections:PassConnection",
            "dynamodb:UpdateItem",
            "iam:DeleteRolePolicy",
            "iam:PassRole",
            "iam:PutRolePolicy",
            "kms:PutKeyPolicy",
            "logs:CreateLogStream",
            "logs:PutLogEvents",
            "s3:DeleteBucketPolicy",
            "s3:PutBucketPolicy",
            "xray:PutTelemetryRecords",
            "xray:PutTraceSegments",
        ],
    );
}

#[test]
fn a_role_is_passed_only_to_the_service_meant() {
    let mut seen = 0;
    for (role, statement) in statements() {
        if strings(&statement["Action"]).any(|action| action == "iam:PassRole") {
            seen += 1;
            let services = &statement["Condition"]["StringEquals"]["iam:PassedToService"];
            assert!(services.is_string() || services.is_array(), "{role}: {statement}");
            assert_eq!(strings(&statement["Action"]).count(), 1, "{role}: {statement}");
        }
    }
    assert_eq!(seen, 3, "service role, stack roles, task roles");
}

#[test]
fn each_role_is_trusted_by_exactly_one() {
    let trust = |template: &str, role: &str| {
        let document = &TEMPLATES[template]["Resources"][role]["Properties"]["AssumeRolePolicyDocument"];
        let statements: Vec<&Value> = items(&document["Statement"]).collect();
        assert_eq!(statements.len(), 1, "{role}");
        assert_eq!(statements[0]["Action"], "sts:AssumeRole", "{role}");
        (statements[0]["Principal"].clone(), statements[0]["Condition"].clone())
    };
    for role in ["AccessProviderRole", "FailureReporterRole"] {
        assert_eq!(trust(TOOLS, role), (json!({"Service": "lambda.amazonaws.com"}), Value::Null), "{role}");
    }
    assert_eq!(trust(TARGET, "TargetRole"), (json!({"AWS": {"Ref": "ServiceRoleArn"}}), Value::Null));

    let tools_account =
        json!({"ToolsAccountId": {"Fn::Select": [4, {"Fn::Split": [":", {"Ref": "ServiceRoleArn"}]}]}});
    let of_tools_account = |arn: &str| json!({"Fn::Sub": [arn, tools_account]});
    assert_eq!(
        trust(TARGET, "DiagnosticsRole"),
        (
            json!({"AWS": of_tools_account("arn:${AWS::Partition}:iam::${ToolsAccountId}:root")}),
            json!({"ArnEquals": {"aws:PrincipalArn":
                of_tools_account("arn:${AWS::Partition}:iam::${ToolsAccountId}:role/${ReporterRoleName}")}}),
        )
    );
}

// ---- Functions and custom resources --------------------------------------------------------------------------------

/// Type, properties the template must give, properties it may give.
const CUSTOM_RESOURCES: &[(&str, &[&str], &[&str])] = &[
    (
        "Custom::ArtifactKeyGrant",
        &["KeyArn", "ServiceRoleArn", "TargetAccounts"],
        &["TargetRoleArns", "OrganizationId", "OrganizationPaths", "TargetRoleNamePattern"],
    ),
    (
        "Custom::ArtifactBucketGrant",
        &["BucketName", "TargetAccounts"],
        &[
            "TargetRoleArns",
            "OrganizationId",
            "OrganizationPaths",
            "TargetRoleNamePattern",
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

#[test]
fn custom_resources_have_the_properties_that_the_provider_knows() {
    let resources = object(&TEMPLATES[TOOLS]["Resources"]);
    let provider = &resources["AccessProvider"]["Properties"];
    let latest_start = &provider["EventInvokeConfig"]["MaximumEventAgeInSeconds"];
    let timeout = provider["Timeout"].as_u64().zip(latest_start.as_u64()).map(|(run, start)| run + start);
    let custom =
        |resource: &&Value| resource["Type"].as_str().is_some_and(|kind| kind.starts_with("Custom::"));
    assert_eq!(resources.values().filter(custom).count(), CUSTOM_RESOURCES.len());

    for (kind, required, optional) in CUSTOM_RESOURCES {
        let resource = resources.values().find(|resource| resource["Type"] == *kind).expect(kind);
        let properties = object(&resource["Properties"]);
        for property in *required {
            assert!(properties.contains_key(*property), "{kind} lacks {property}");
        }
        let own = ["ServiceToken", "ServiceTimeout"];
        for property in properties.keys().map(String::as_str) {
            let known = [&own[..], required, optional].concat().contains(&property);
            assert!(known, "{kind} does not know {property}");
        }
        assert_eq!(properties["ServiceToken"], json!({"Fn::GetAtt": ["AccessProvider", "Arn"]}), "{kind}");
        // No attempt may still be running when CloudFormation has given up on the request.
        assert_eq!(properties["ServiceTimeout"].as_u64(), timeout, "{kind}");
    }

    let patch = &resources["PipelinePatch"];
    let after: BTreeSet<&str> = strings(&patch["DependsOn"]).collect();
    assert_eq!(after, BTreeSet::from(["ArtifactKeyGrant", "ArtifactBucketGrant", "ServiceRoleGrant"]));
    let added = &patch["Properties"]["Actions"]["Fn::If"][1][0];
    assert_eq!(keys(added), BTreeSet::from(["Stage", "AfterStage", "Action"]));
    assert_eq!(
        keys(&added["Action"]),
        BTreeSet::from(["Name", "ActionTypeId", "Configuration", "InputArtifacts", "RoleArn", "RunOrder"])
    );
    let moved = &patch["Properties"]["ActionRoles"]["Fn::If"][1][0];
    assert_eq!(keys(moved), BTreeSet::from(["Stage", "Action", "RoleArn"]));
}

#[test]
fn functions_are_built_from_this_workspace_and_get_their_environment() {
    let resources = &TEMPLATES[TOOLS]["Resources"];
    let globals = &TEMPLATES[TOOLS]["Globals"]["Function"];
    assert_eq!(globals["Runtime"], "provided.al2023");
    assert_eq!(globals["Architectures"], json!([{"Ref": "Architecture"}]));
    assert_eq!(TEMPLATES[TOOLS]["Parameters"]["Architecture"]["Default"], "arm64");

    for (function, binary, environment) in [
        ("AccessProvider", "access-provider", &["LOCK_TABLE", "RUST_LOG"][..]),
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
                "WATCHED_PIPELINE",
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
fn only_remediation_that_is_asked_for_may_write() {
    let template = &TEMPLATES[TOOLS];
    assert_eq!(template["Parameters"]["RemediationMode"]["Default"], "propose");
    assert_eq!(
        template["Conditions"]["AppliesRemedies"],
        json!({"Fn::Equals": [{"Ref": "RemediationMode"}, "apply"]})
    );
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
fn failed_actions_reach_the_reporter_or_the_queue() {
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
fn the_calls_that_are_watched_are_those_that_the_reporter_knows() {
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
fn what_is_watched_for_is_optional_and_reaches_the_reporter_or_the_queue() {
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

// ---- Reading templates ---------------------------------------------------------------------------------------------

/// Every permission statement of both templates, with the logical id of the role or policy it is in.
fn statements() -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for (id, resource) in TEMPLATES.values().flat_map(|template| object(&template["Resources"])) {
        let properties = &resource["Properties"];
        let inline = items(&properties["Policies"]).map(|policy| {
            // A policy under a condition: the branch that has one.
            let policy = policy.get("Fn::If").map_or(policy, |branches| &branches[1]);
            &policy["PolicyDocument"]
        });
        let managed =
            (resource["Type"] == "AWS::IAM::ManagedPolicy").then_some(&properties["PolicyDocument"]);
        for document in inline.chain(managed) {
            assert_eq!(document["Version"], "2012-10-17", "{id}");
            found.extend(items(&document["Statement"]).map(|statement| (id.clone(), statement.clone())));
        }
    }
    assert!(found.len() > 30, "statements are where they are looked for");
    found
}

/// The members of a list; a single value is a list of one, nothing an empty one.
fn items(value: &Value) -> impl Iterator<Item = &Value> {
    let list = match value {
        Value::Null => &[],
        Value::Array(list) => list.as_slice(),
        single => std::slice::from_ref(single),
    };
    list.iter()
}

fn strings(value: &Value) -> impl Iterator<Item = &str> {
    items(value).map(|item| item.as_str().expect("a string"))
}

fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().expect("an object")
}

fn keys(value: &Value) -> BTreeSet<&str> {
    object(value).keys().map(String::as_str).collect()
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

fn read(template: &str) -> String {
    std::fs::read_to_string(root().join(template)).expect("readable")
}

/// The template as JSON, short forms (`!Ref`) written out: cfn-lint's own reading of it.
fn parse(template: &str) -> Value {
    let script = "import json, sys\nfrom cfnlint.decode import cfn_yaml\nprint(json.dumps(cfn_yaml.load(sys.argv[1])))";
    let output = Command::new(VENV.python())
        .args(["-c", script])
        .arg(root().join(template))
        .output()
        .expect("python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// Informational findings included.
fn cfn_lint(templates: &[PathBuf]) -> Output {
    Command::new(VENV.cfn_lint())
        .args(["--include-checks", "I", "--"])
        .args(templates)
        .output()
        .expect("cfn-lint runs")
}
