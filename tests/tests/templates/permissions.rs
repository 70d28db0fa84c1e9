//! What their roles may do, and who may be them.

use std::collections::{BTreeMap, BTreeSet};

use crosspipe_testing::authorization;
use serde_json::{Value, json};

use crate::reading::{PIPELINE, TARGET, TEMPLATES, TOOLS, items, statements, strings};

/// Statements on every resource: exactly these actions, each because its service knows no resource for them
/// (Service Authorization Reference), `ListTasks` when asked for a service.
const ON_EVERY_RESOURCE: &[(&str, &str, &[&str])] = &[
    ("AccessProviderRole", "SendTraces", &["xray:PutTelemetryRecords", "xray:PutTraceSegments"]),
    ("FailureReporterRole", "ListPipelines", &["codepipeline:ListPipelines"]),
    ("FailureReporterRole", "SendTraces", &["xray:PutTelemetryRecords", "xray:PutTraceSegments"]),
    ("TargetRole", "ReadTaskDefinitions", &["ecs:DescribeTaskDefinition"]),
    ("TargetRole", "ListTasks", &["ecs:ListTasks"]),
    ("TargetRole", "ValidateTemplates", &["cloudformation:ValidateTemplate"]),
    ("TargetRole", "ValidateProducts", &["cloudformation:ValidateTemplate"]),
    ("RunAccess", "ListFunctions", &["lambda:ListFunctions"]),
    ("TargetRole", "CreateStackSets", &["cloudformation:CreateStackSet"]),
    (
        "TargetRole",
        "FindInstances",
        &[
            "ec2:DescribeInstances",
            "elasticloadbalancing:DescribeTargetGroupAttributes",
            "elasticloadbalancing:DescribeTargetGroups",
            "elasticloadbalancing:DescribeTargetHealth",
            "ssm:CancelCommand",
            "ssm:DescribeInstanceInformation",
            "ssm:ListCommandInvocations",
        ],
    ),
    ("TargetRole", "GetRegistryToken", &["ecr:GetAuthorizationToken"]),
    ("TargetRole", "ScanImages", &["inspector-scan:ScanSbom"]),
    (
        "DiagnosticsRole",
        "ReadDeploymentTargets",
        &["codedeploy:BatchGetDeploymentTargets", "codedeploy:ListDeploymentTargets"],
    ),
    ("DiagnosticsRole", "ListTasks", &["ecs:DescribeTaskDefinition", "ecs:ListTasks"]),
    ("DiagnosticsRole", "FindEventRules", &["events:ListRuleNamesByTarget"]),
];

#[test]
fn no_statement_is_too_wide() {
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
            let equal = &statement["Condition"]["StringEquals"];
            let narrowed = equal["aws:ResourceAccount"].is_object() || equal["aws:ResourceOrgID"].is_object();
            let any_account = resource.contains("iam::*:") || resource.contains(":*:*:");
            assert!(!any_account || narrowed, "{role} {sid}: {resource}");
        }
    }
    let expected = ON_EVERY_RESOURCE.iter().map(|(role, sid, actions)| {
        (role.to_string(), sid.to_string(), actions.iter().map(ToString::to_string).collect())
    });
    assert_eq!(on_every_resource, expected.collect());
}

/// The text of a value, with the text of `Fn::Sub` in its place.
fn resolved(value: &Value) -> Value {
    match value {
        Value::Object(members) => match members.get("Fn::Sub") {
            Some(Value::String(text)) => json!(text),
            _ => members.iter().map(|(name, value)| (name.clone(), resolved(value))).collect(),
        },
        Value::Array(items) => items.iter().map(resolved).collect(),
        other => other.clone(),
    }
}

/// Each statement can apply: its actions exist, and know the ARNs and condition keys.
#[test]
fn statements_fit_the_authorization_reference() {
    let problems = statements().into_iter().flat_map(|(role, statement)| {
        let sid = statement["Sid"].to_string();
        let found = authorization::problems(&resolved(&statement));
        found.into_iter().map(move |problem| format!("{role} {sid}: {problem}"))
    });
    let problems: Vec<String> = problems.collect();
    assert!(problems.is_empty(), "{}", problems.join("\n"));
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
    expect("EventRole", &["events:PutEvents"]);
    expect("StartRole", &["codepipeline:StartPipelineExecution"]);
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
            "codebuild:UpdateProject",
            "codeconnections:PassConnection",
            "codepipeline:StartPipelineExecution",
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
fn pass_role_names_its_service() {
    let mut seen = 0;
    for (role, statement) in statements() {
        if strings(&statement["Action"]).any(|action| action == "iam:PassRole") {
            seen += 1;
            let services = &statement["Condition"]["StringEquals"]["iam:PassedToService"];
            assert!(services.is_string() || services.is_array(), "{role}: {statement}");
            assert_eq!(strings(&statement["Action"]).count(), 1, "{role}: {statement}");
        }
    }
    assert_eq!(seen, 2, "service role; stack roles and task roles");
}

#[test]
fn connections_pass_to_codepipeline_only() {
    let mut passed = vec![];
    for (role, statement) in statements() {
        for action in strings(&statement["Action"]).filter(|action| action.ends_with(":PassConnection")) {
            let (service, _) = action.split_once(':').unwrap();
            let to = &statement["Condition"]["StringEquals"][format!("{service}:PassedToService")];
            assert_eq!(to, "codepipeline.amazonaws.com", "{role}: {statement}");
            passed.push(action.to_owned());
        }
    }
    assert_eq!(passed, ["codeconnections:PassConnection", "codestar-connections:PassConnection"]);
}

#[test]
fn each_role_trusts_one_principal() {
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
    for (template, role) in [(TARGET, "EventRole"), (PIPELINE, "StartRole")] {
        assert_eq!(
            trust(template, role),
            (json!({"Service": "events.amazonaws.com"}), Value::Null),
            "{role}"
        );
    }
    let first_role = json!({"Fn::Select": [0, {"Ref": "ServiceRoleArns"}]});
    let tools_account = json!({"ToolsAccountId": {"Fn::Select": [4, {"Fn::Split": [":", first_role]}]}});
    let of_tools_account = |arn: &str| json!({"Fn::Sub": [arn, tools_account]});
    assert_eq!(
        trust(TARGET, "TargetRole"),
        (
            json!({"AWS": of_tools_account("arn:${AWS::Partition}:iam::${ToolsAccountId}:root")}),
            json!({"ArnLike": {"aws:PrincipalArn": {"Ref": "ServiceRoleArns"}}}),
        )
    );
    assert_eq!(
        trust(TARGET, "DiagnosticsRole"),
        (
            json!({"AWS": of_tools_account("arn:${AWS::Partition}:iam::${ToolsAccountId}:root")}),
            json!({"ArnEquals": {"aws:PrincipalArn":
                of_tools_account("arn:${AWS::Partition}:iam::${ToolsAccountId}:role/${ReporterRoleName}")}}),
        )
    );
}

/// A role that EventBridge takes on can do one thing to one resource.
#[test]
fn event_roles_reach_one_resource() {
    for (role, resource) in [
        ("EventRole", json!({"Ref": "EventBusArn"})),
        (
            "StartRole",
            json!({"Fn::Sub": "arn:${AWS::Partition}:codepipeline:${AWS::Region}:${AWS::AccountId}:${PipelineName}"}),
        ),
    ] {
        let own: Vec<Value> =
            statements().into_iter().filter(|(id, _)| id == role).map(|(_, statement)| statement).collect();
        assert_eq!(own.len(), 1, "{role}");
        assert_eq!(own[0]["Resource"], resource, "{role}");
    }
}

/// The event bus takes what rules of the allowed accounts forward, of the sources that something here waits for.
#[test]
fn event_bus_takes_forwarded_events_only() {
    let resources = &TEMPLATES[TOOLS]["Resources"];
    let statement = |id: &str| resources[id]["Properties"]["Statement"].clone();
    let (accounts, organization) = (statement("EventsOfAccounts"), statement("EventsOfOrganization"));
    assert_eq!(accounts["Principal"], json!({"AWS": {"Fn::Split": [",", {"Ref": "AllowedAccounts"}]}}));
    assert_eq!(organization["Principal"], "*");
    let of_organization = &organization["Condition"]["StringEquals"]["aws:PrincipalOrgID"];
    assert_eq!(*of_organization, json!({"Ref": "AllowedOrganizationId"}));
    let mut awaited = BTreeSet::new();
    let mut wait_for = |pattern: &Value| {
        let texts = |field: &str| strings(&pattern[field]).map(str::to_owned).collect::<Vec<_>>();
        awaited.insert((texts("source").concat(), texts("detail-type").concat()));
    };
    for rule in ["CommitEvents", "ImageEvents", "ObjectEvents", "RoleEvents"] {
        wait_for(&TEMPLATES[TARGET]["Resources"][rule]["Properties"]["EventPattern"]);
    }
    for statement in [&accounts, &organization] {
        let condition = &statement["Condition"];
        assert_eq!(condition["Bool"], json!({"events:eventBusInvocation": "true"}));
        let event = &condition["ForAllValues:StringEquals"];
        let sources: BTreeSet<&str> = strings(&event["events:source"]).collect();
        let kinds: BTreeSet<&str> = strings(&event["events:detail-type"]).collect();
        assert_eq!(sources, awaited.iter().map(|(source, _)| source.as_str()).collect());
        assert_eq!(kinds, awaited.iter().map(|(_, kind)| kind.as_str()).collect());
        let problems = authorization::problems(&resolved(statement));
        assert!(problems.is_empty(), "{problems:?}");
    }
    // pipeline.yaml waits for the same.
    let patterns = &TEMPLATES[PIPELINE]["Resources"]["SourceRule"]["Properties"]["EventPattern"]["Fn::If"];
    let of_others = &patterns[2]["Fn::If"];
    for pattern in [&patterns[1], &of_others[1], &of_others[2]] {
        let pair = (
            strings(&pattern["source"]).collect::<String>(),
            strings(&pattern["detail-type"]).collect::<String>(),
        );
        assert!(awaited.contains(&pair), "{pair:?}");
        assert_eq!(pattern["account"], json!([{"Ref": "SourceAccountId"}]));
    }
}
