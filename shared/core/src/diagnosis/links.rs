//! Console pages to look at.
//!
//! Pages of the target account open only for somebody signed in there; [`switch_role`] leads there. Everything
//! that goes into an address is encoded, and nothing but `https` is passed on.

use std::fmt::Write;

use serde_json::{Map, Value};

use crate::arn::Arn;
use crate::incident::Failure;
use crate::pipeline::Action;
use crate::providers::Provider;

/// The pages of a failed action: `execution`, and where they are known `provider` and `logs`.
pub(super) fn pages_of(failure: &Failure, action: &Action<'_>, target_account: &str) -> Map<String, Value> {
    let given = || failure.external_execution_url.clone().filter(|url| url.starts_with("https://"));
    let pages = [
        ("execution", Some(execution_page(failure))),
        ("provider", provider_page(failure, action, target_account).or_else(given)),
        ("logs", log_page(failure, action)),
    ];
    pages.into_iter().filter_map(|(name, url)| Some((name.to_owned(), Value::String(url?)))).collect()
}

/// The one page of what failed without an action.
pub(super) fn page_of_execution(failure: &Failure) -> Map<String, Value> {
    Map::from_iter([("execution".to_owned(), Value::String(execution_page(failure)))])
}

/// The pipeline execution, in the pipeline's account.
pub fn execution_page(failure: &Failure) -> String {
    let region = &failure.pipeline_region;
    format!(
        "{}/codesuite/codepipeline/pipelines/{}/executions/{}/timeline?region={}",
        console_of(region),
        percent_encode(&failure.pipeline),
        percent_encode(&failure.execution_id),
        percent_encode(region)
    )
}

/// A pipeline, in its account.
pub fn pipeline_page(name: &str, region: &str) -> String {
    let (console, name, region) = (console_of(region), percent_encode(name), percent_encode(region));
    format!("{console}/codesuite/codepipeline/pipelines/{name}/view?region={region}")
}

/// The page on which the console takes on a role in another account. A role with a path is named with it.
///
/// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-console.html>.
pub fn switch_role(account: &str, role_name: &str, region: &str) -> String {
    let domain = match partition_of(region) {
        Partition::China => "signin.amazonaws.cn",
        Partition::GovCloud => "signin.amazonaws-us-gov.com",
        Partition::Commercial => "signin.aws.amazon.com",
    };
    // The console takes a display name of up to 64 characters.
    let shown: String = format!("{role_name} @ {account}").chars().take(64).collect();
    format!(
        "https://{domain}/switchrole?account={}&roleName={}&displayName={}",
        percent_encode(account),
        percent_encode(role_name),
        percent_encode(&shown)
    )
}

/// What failed, as its provider shows it in the target account.
fn provider_page(failure: &Failure, action: &Action<'_>, target_account: &str) -> Option<String> {
    let console = console_of(&failure.region);
    let region = percent_encode(&failure.region);
    let id = failure.external_execution_id.as_deref();
    let of = |key: &str| Failure::configuration(Some(failure), action, key).map(percent_encode);
    Some(match Provider::of(action) {
        Provider::CodeDeploy | Provider::CodeDeployToEcs => {
            format!(
                "{console}/codesuite/codedeploy/deployments/{}?region={region}",
                percent_encode(failure.deployment_id()?)
            )
        }
        Provider::CloudFormation => match id.filter(|id| id.contains(":stack/")) {
            Some(id) => {
                format!(
                    "{console}/cloudformation/home?region={region}#/stacks/events?stackId={}",
                    percent_encode(id)
                )
            }
            None => format!(
                "{console}/cloudformation/home?region={region}#/stacks?filteringText={}",
                of("StackName")?
            ),
        },
        Provider::Ecs => format!(
            "{console}/ecs/v2/clusters/{}/services/{}/deployments?region={region}",
            of("ClusterName")?,
            of("ServiceName")?
        ),
        Provider::CodeBuild => {
            let project = of("ProjectName")?;
            let build = match id.filter(|id| id.contains(':')) {
                Some(id) => format!("build/{}/log", percent_encode(id)),
                None => "history".to_owned(),
            };
            format!(
                "{console}/codesuite/codebuild/{}/projects/{project}/{build}?region={region}",
                percent_encode(target_account)
            )
        }
        Provider::StepFunctions => {
            match id.filter(|id| id.contains(":execution:") || id.contains(":express:")) {
                Some(id) => {
                    format!(
                        "{console}/states/home?region={region}#/v2/executions/details/{}",
                        percent_encode(id)
                    )
                }
                None => format!(
                    "{console}/states/home?region={region}#/statemachines/view/{}",
                    of("StateMachineArn")?
                ),
            }
        }
        Provider::Lambda => {
            format!("{console}/lambda/home?region={region}#/functions/{}", of("FunctionName")?)
        }
        Provider::S3Deploy => format!("{console}/s3/buckets/{}?region={region}", of("BucketName")?),
        Provider::S3Source => format!("{console}/s3/buckets/{}?region={region}", of("S3Bucket")?),
        // CodePipeline says where to look, where there is such a page.
        Provider::AppConfig
        | Provider::CodeCommit
        | Provider::CodePipeline
        | Provider::CodeStarSourceConnection
        | Provider::Commands
        | Provider::Ec2
        | Provider::Ecr
        | Provider::EcrBuildAndPublish
        | Provider::Eks
        | Provider::ElasticBeanstalk
        | Provider::InspectorScan
        | Provider::LambdaDeploy
        | Provider::ManualApproval
        | Provider::ServiceCatalog
        | Provider::StackInstances
        | Provider::StackSet
        | Provider::Other => return None,
    })
}

/// The action's log in CloudWatch Logs, where the execution's details name one or the provider always has one.
fn log_page(failure: &Failure, action: &Action<'_>) -> Option<String> {
    if let Some(stream) = failure.log_stream_arn.as_deref() {
        let arn = Arn::parse(stream).ok()?;
        let (group, stream) = arn.resource().strip_prefix("log-group:")?.split_once(":log-stream:")?;
        return Some(format!("{}/log-events/{}", log_group(arn.region(), group), encode_twice(stream)));
    }
    let function = (Provider::of(action) == Provider::Lambda)
        .then(|| Failure::configuration(Some(failure), action, "FunctionName"))??;
    Some(log_group(&failure.region, &format!("/aws/lambda/{function}")))
}

fn log_group(region: &str, name: &str) -> String {
    format!(
        "{}/cloudwatch/home?region={}#logsV2:log-groups/log-group/{}",
        console_of(region),
        percent_encode(region),
        encode_twice(name)
    )
}

enum Partition {
    Commercial,
    China,
    GovCloud,
}

fn partition_of(region: &str) -> Partition {
    match region {
        region if region.starts_with("cn-") => Partition::China,
        region if region.starts_with("us-gov-") => Partition::GovCloud,
        _ => Partition::Commercial,
    }
}

/// The console of a Region.
fn console_of(region: &str) -> String {
    let domain = match partition_of(region) {
        Partition::China => "console.amazonaws.cn",
        Partition::GovCloud => "console.amazonaws-us-gov.com",
        Partition::Commercial => "console.aws.amazon.com",
    };
    // A host name: what does not belong in one would lead to another host.
    let host: String = region.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    match host.as_str() {
        "" => format!("https://{domain}"),
        host => format!("https://{host}.{domain}"),
    }
}

/// Percent-encodes everything but RFC 3986's unreserved characters.
fn percent_encode(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => encoded.push(byte.into()),
            byte => drop(write!(encoded, "%{byte:02X}")),
        }
    }
    encoded
}

/// Names behind the `#` of the CloudWatch console: encoded twice, with `$` for the second `%`.
fn encode_twice(text: &str) -> String {
    percent_encode(text).replace('%', "$25")
}

#[cfg(test)]
mod tests;
