//! Each permission of the failure reporter's role, taken away in turn: the report still goes out with what
//! is left, or the event is kept with the reason.

use serde_json::{Value, json};

use crate::alerts::Listening;
use crate::permissions::{actions, remove};

const POLICIES: [&str; 2] = ["FailureReporter", "TargetAccounts"];

/// Not asked for by the local AWS, or only on behalf of the function, or only of stages with conditions.
const NOT_ENFORCED_HERE: [&str; 4] =
    ["logs:CreateLogStream", "logs:PutLogEvents", "sqs:SendMessage", "codepipeline:ListRuleExecutions"];

/// Without these there is nothing to report, or nobody may be told twice.
const NEEDED: [&str; 3] =
    ["dynamodb:UpdateItem", "codepipeline:GetPipeline", "codepipeline:ListActionExecutions"];

#[test]
fn each_permission_taken_away_is_named() {
    let listening = Listening::start();
    listening.clean_up_bucket_policy();
    let scene = &listening.scene;
    // One event for each run, so that it is clear what became of it.
    let pattern = json!({
        "source": ["aws.codepipeline"], "detail-type": ["CodePipeline Action Execution State Change"],
        "detail": {"state": ["FAILED"]},
    });
    let rule = json!({"Name": scene.role_name("FailedActions"), "EventPattern": pattern.to_string()});
    scene.world.tools.call("events", "put_rule", rule).unwrap();
    let dead_letters = &scene.outputs["ReporterDeadLettersUrl"];
    let role = scene.role_name("FailureReporterRole");
    let read = |policy: &str| {
        let name = json!({"RoleName": role, "PolicyName": policy});
        scene.world.tools.call("iam", "get_role_policy", name).unwrap()["PolicyDocument"].clone()
    };
    let each = POLICIES.map(|name| (name, read(name)));
    let each =
        each.iter().flat_map(|(name, whole)| actions(whole).into_iter().map(move |it| (*name, whole, it)));
    let mut tried = 0;
    for (policy_name, whole, action) in each.filter(|(_, _, it)| !NOT_ENFORCED_HERE.contains(&it.as_str())) {
        let action = &action;
        scene.change_role(&role, policy_name, |policy| remove(policy, action));
        listening.run_pipeline();
        let kept_with_reason = || {
            let record =
                listening.message(dead_letters).unwrap_or_else(|| panic!("nothing is kept without {action}"));
            assert!(record.to_string().contains(action), "without {action}: {record}");
        };
        match action.as_str() {
            needed if NEEDED.contains(&needed) => kept_with_reason(),
            "sns:Publish" => {
                listening.report().expect("a report without an alert");
                kept_with_reason();
            }
            "events:PutEvents" => {
                listening.alert().expect("an alert without a report");
                kept_with_reason();
            }
            _ => {
                listening.alert().unwrap_or_else(|| panic!("no alert without {action}"));
                let report = listening.report().unwrap_or_else(|| panic!("no report without {action}"));
                judged_from_what_is_left(action, &report);
            }
        }
        scene.change_role(&role, policy_name, |policy| *policy = whole.clone());
        tried += 1;
    }
    assert_eq!(tried, 20, "a new permission is tried, too");
}

fn judged_from_what_is_left(action: &str, report: &Value) {
    let unknown = report["unknown"].to_string();
    match action {
        "s3:GetBucketPolicy" => assert!(unknown.contains("S3001"), "without {action}: {report}"),
        "kms:GetKeyPolicy" => assert!(unknown.contains("KM001"), "without {action}: {report}"),
        "codebuild:BatchGetProjects" => assert!(unknown.contains("CB001"), "without {action}: {report}"),
        "sts:AssumeRole" => assert!(unknown.contains("IA002"), "without {action}: {report}"),
        action
            if action.starts_with("iam:")
                && action != "iam:GetPolicy"
                && action != "iam:GetPolicyVersion" =>
        {
            assert!(unknown.contains("IA001"), "without {action}: {report}");
        }
        _ => {}
    }
    if action != "s3:GetBucketPolicy" {
        assert_eq!(report["rootCause"]["rule"], "S3001", "without {action}: {report}");
    }
}
