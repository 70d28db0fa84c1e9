use serde_json::json;

use super::*;
use crate::pipeline::Pipeline;

/// The pages of an action of this provider and configuration.
fn pages(provider: &str, configuration: &Value, change: impl FnOnce(&mut Failure)) -> Map<String, Value> {
    let known = Provider::KNOWN.into_iter().filter_map(Provider::facts).find(|facts| facts.name == provider);
    let category = known.map_or("Deploy", |facts| facts.categories[0]);
    let pipeline = Pipeline::parse(json!({
        "name": "p", "roleArn": "arn:aws:iam::111111111111:role/r", "version": 1,
        "artifactStore": {"type": "S3", "location": "b"},
        "stages": [{"name": "Staging", "actions": [{
            "name": "Deploy", "configuration": configuration,
            "actionTypeId": {"category": category, "owner": "AWS", "provider": provider, "version": "1"}
        }]}]
    }))
    .unwrap();
    let mut failure = Failure {
        pipeline: "p".into(),
        execution_id: "e-1".into(),
        pipeline_region: "eu-west-1".into(),
        region: "us-east-2".into(),
        ..Failure::default()
    };
    change(&mut failure);
    pages_of(&failure, &pipeline.actions().next().unwrap(), "222222222222")
}

fn check(provider: &str, configuration: &Value, id: &str, expected: &str) {
    let pages = pages(provider, configuration, |failure| {
        failure.external_execution_id = Some(id.to_owned()).filter(|id| !id.is_empty());
    });
    assert_eq!(pages["provider"], expected, "{provider}");
}

#[test]
fn each_provider_has_its_page() {
    const HOST: &str = "https://us-east-2.console.aws.amazon.com";
    for provider in ["CodeDeploy", "CodeDeployToECS"] {
        let page = format!("{HOST}/codesuite/codedeploy/deployments/d-1AB2CD3EF?region=us-east-2");
        check(provider, &json!({}), "d-1AB2CD3EF", &page);
    }
    let stack = "arn:aws:cloudformation:us-east-2:222222222222:stack/app/0a1b";
    let events = format!(
        "{HOST}/cloudformation/home?region=us-east-2#/stacks/events?stackId=arn%3Aaws%3Acloudformation%3Aus-east-2%3A222222222222%3Astack%2Fapp%2F0a1b"
    );
    check("CloudFormation", &json!({"StackName": "app"}), stack, &events);
    let found = format!("{HOST}/cloudformation/home?region=us-east-2#/stacks?filteringText=app");
    check("CloudFormation", &json!({"StackName": "app"}), "", &found);
    let service = format!("{HOST}/ecs/v2/clusters/c/services/s/deployments?region=us-east-2");
    check("ECS", &json!({"ClusterName": "c", "ServiceName": "s"}), "", &service);
    let project = format!("{HOST}/codesuite/codebuild/222222222222/projects/b");
    let log = format!("{project}/build/b%3A0a1b/log?region=us-east-2");
    check("CodeBuild", &json!({"ProjectName": "b"}), "b:0a1b", &log);
    check("CodeBuild", &json!({"ProjectName": "b"}), "", &format!("{project}/history?region=us-east-2"));
    let execution = "arn:aws:states:us-east-2:222222222222:execution:m:x";
    let details = format!(
        "{HOST}/states/home?region=us-east-2#/v2/executions/details/arn%3Aaws%3Astates%3Aus-east-2%3A222222222222%3Aexecution%3Am%3Ax"
    );
    check("StepFunctions", &json!({}), execution, &details);
    let function = format!("{HOST}/lambda/home?region=us-east-2#/functions/f");
    check("Lambda", &json!({"FunctionName": "f"}), "", &function);
    check("S3", &json!({"BucketName": "b"}), "", &format!("{HOST}/s3/buckets/b?region=us-east-2"));
}

#[test]
fn other_providers_link_given_page() {
    let given = |url: &str| {
        let url = Some(url.to_owned());
        pages("Elsewhere", &json!({}), |failure| failure.external_execution_url = url)
            .get("provider")
            .cloned()
    };
    assert_eq!(given("https://example.com/1"), Some(json!("https://example.com/1")));
    assert_eq!(given("javascript:alert(1)"), None);
}

#[test]
fn logs_link_from_evidence() {
    let logs = |provider: &str, stream: Option<&str>| {
        let stream = stream.map(str::to_owned);
        let pages = pages(provider, &json!({"FunctionName": "f"}), |failure| failure.log_stream_arn = stream);
        pages.get("logs").cloned()
    };
    let stream = "arn:aws:logs:eu-west-1:222222222222:log-group:/aws/codepipeline/p:log-stream:a/b";
    let page = "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/$252Faws$252Fcodepipeline$252Fp/log-events/a$252Fb";
    assert_eq!(logs("Commands", Some(stream)), Some(json!(page)));
    let group = "https://us-east-2.console.aws.amazon.com/cloudwatch/home?region=us-east-2#logsV2:log-groups/log-group/$252Faws$252Flambda$252Ff";
    assert_eq!(logs("Lambda", None), Some(json!(group)));
    assert_eq!(logs("CodeDeploy", None), None);
    assert_eq!(logs("CodeDeploy", Some("arn:aws:logs:eu-west-1:2:log-group:/aws/x")), None);
}

#[test]
fn each_partition_has_its_consoles() {
    for (region, console, sign_in) in [
        ("eu-west-1", "https://eu-west-1.console.aws.amazon.com/", "https://signin.aws.amazon.com/"),
        ("cn-north-1", "https://cn-north-1.console.amazonaws.cn/", "https://signin.amazonaws.cn/"),
        (
            "us-gov-west-1",
            "https://us-gov-west-1.console.amazonaws-us-gov.com/",
            "https://signin.amazonaws-us-gov.com/",
        ),
    ] {
        let failure = Failure { pipeline_region: region.into(), ..Failure::default() };
        assert!(execution_page(&failure).starts_with(console), "{}", execution_page(&failure));
        let page = switch_role("222222222222", "ReadOnly", region);
        let query =
            "switchrole?account=222222222222&roleName=ReadOnly&displayName=ReadOnly%20%40%20222222222222";
        assert_eq!(page, format!("{sign_in}{query}"));
    }
}

#[test]
fn link_parts_are_encoded() {
    let hostile = "a/../b?c#d&e=%\"<\n@evil.example";
    let failure = Failure {
        pipeline: hostile.into(),
        execution_id: hostile.into(),
        pipeline_region: "evil.example/".into(),
        ..Failure::default()
    };
    let page = execution_page(&failure);
    assert!(page.starts_with("https://evilexample.console.aws.amazon.com/codesuite/"), "{page}");
    assert!(
        page.contains("/pipelines/a%2F..%2Fb%3Fc%23d%26e%3D%25%22%3C%0A%40evil.example/executions/"),
        "{page}"
    );
}
