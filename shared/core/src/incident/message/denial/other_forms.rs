//! Denials in other sentences than AWS's grammar, of services that tell who was denied what all the same.
//!
//! ```text
//! API: ec2:RunInstances You are not authorized to perform this operation.
//! You do not have sufficient permissions to call s3.putObject for the deployment bucket, NAME
//! The IAM role ARN does not give you permission to perform operations in the following AWS service: AmazonAutoScaling
//! Service role ARN does not allow AWS CodeBuild to create Amazon CloudWatch Logs log streams
//! authorization failed for primary source and source version ARN
//! You do not have permission to perform the 's3:CreateBucket' action.
//! The provided execution role does not have permissions to call CreateNetworkInterface on EC2
//! 'ARN' is not authorized to create managed-rule
//! Unexpected EC2 error: UnauthorizedOperation
//! The provided role does not have sufficient permissions: Service:AmazonElasticLoadBalancing
//! User with accountId: ACCOUNT is not authorized to perform CreateLogGroup with Tags. An additional permission
//!     "logs:TagResource" is required.
//! NAME (AWS::S3::Bucket) is CREATE_FAILED: … a permissions error performing a tagging operation …
//! S3 error: Access Denied For more information check http://…
//! Lambda was unable to decrypt the environment variables because KMS access was denied
//! You are not authorized to perform this operation. Encoded authorization failure message: … (Service: AmazonEC2; …)
//! Not authorized to perform DescribeSecurityGroups (Service: AWSCodeBuild; …)
//! Setting (AWS::SSM::Parameter) is CREATE_FAILED: … "Access denied for operation 'PutParameter'."
//! Caller does not have permissions to create a Service Linked Role
//! ARN is not authorized to perform AssumeRole on role ARN with an explicit deny in a resource control policy
//! An API call to StepFunctions.describeExecution (RequestId: …) returned a AccessDeniedException error
//! operation error S3: PutObject, https response error StatusCode: 403, …, api error AccessDenied: Access Denied
//! failed to fetch secret … from secrets manager: AccessDeniedException: Access to KMS is not allowed
//! ARN does not have permission to perform ecs:UpdateService on resource ARN
//! Site (AWS::S3::BucketPolicy) is CREATE_FAILED: … "Access Denied (Service: S3, Status Code: 403, …)" …
//! CannotPullContainerError: … failed to resolve ref ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME:latest: … 403 Forbidden
//! ```

use super::{Denial, actor, after, bare, reason};
use crate::arn;
use crate::incident::message::error_code;
use crate::incident::message::services::{action_of, action_prefix};

/// In lower case.
const REFUSED: [&str; 3] = ["not authorized", "access denied", "accessdenied"];

pub(super) fn read(text: &str) -> Option<Denial> {
    let forms = [
        of_api,
        of_s3_deploy,
        of_service,
        of_named_service,
        of_additional,
        of_tagging,
        of_build,
        of_clone,
        of_action,
        of_call,
        of_managed_rule,
        of_unexpected,
        of_handler,
        of_service_linked_role,
        of_assumption,
        of_vpc,
        of_pull,
        of_template,
        of_environment,
        of_api_call,
        of_sdk_call,
        of_secret_key,
        of_named_action,
        of_resource,
    ];
    forms.into_iter().find_map(|read| read(text))
}

fn of_api(text: &str) -> Option<Denial> {
    let rest = after(text, "API: ").filter(|rest| is_refused(rest))?;
    let (service, operation) = bare(rest.split(' ').next()?).split_once(':')?;
    Some(denied(None, action_of(service, operation)))
}

fn of_s3_deploy(text: &str) -> Option<Denial> {
    let rest = after(text, "do not have sufficient permissions to call s3.")?;
    let (call, rest) = rest.split_once(" for the deployment bucket")?;
    let mut letters = call.trim().chars();
    let first = letters.next()?.to_ascii_uppercase();
    let bucket = rest.strip_prefix(", ").and_then(|rest| rest.split(' ').next()).map(bare);
    let resource = bucket.filter(|bucket| !bucket.is_empty()).map(|bucket| arn::object("aws", bucket, "*"));
    Some(Denial { resource, ..denied(None, format!("s3:{first}{}", letters.as_str())) })
}

/// CodeDeploy's IAM_ROLE_PERMISSIONS: which of the service's actions is not said.
fn of_service(text: &str) -> Option<Denial> {
    let (before, rest) = text.split_once(" permission to perform operations in the following AWS service")?;
    let service = bare(rest.trim_start_matches([':', ' ']).split(' ').next()?);
    let prefix = action_prefix(service);
    (!prefix.is_empty()).then(|| denied(role_in(before), format!("{prefix}:*")))
}

/// Beanstalk's words on the role of the action: which of the service's actions is not said.
fn of_named_service(text: &str) -> Option<Denial> {
    let service = after(text, "sufficient permissions: Service:")?;
    let prefix = action_prefix(service.split([' ', ',']).next()?);
    (!prefix.is_empty()).then(|| denied(None, format!("{prefix}:*")))
}

/// A service's words on what a call with tags needs beside its own permission.
fn of_additional(text: &str) -> Option<Denial> {
    let action = bare(after(text, "An additional permission ")?.split(' ').next()?);
    action.contains(':').then(|| denied(None, action.to_owned()))
}

/// CloudFormation's words on tags that a resource may not be given: only the resource's type says what was asked for.
fn of_tagging(text: &str) -> Option<Denial> {
    let (before, _) = text.split_once("permissions error performing a tagging operation")?;
    let kind = before.split(['(', ')']).find(|word| word.starts_with("AWS::"))?;
    let mut names = kind.split("::").skip(1);
    let (service, resource) = (names.next()?.to_ascii_lowercase(), names.next()?);
    let call = match service.as_str() {
        "s3" => format!("Put{resource}Tagging"),
        "iam" => format!("Tag{resource}"),
        "ec2" => "CreateTags".to_owned(),
        _ => "TagResource".to_owned(),
    };
    Some(denied(None, format!("{service}:{call}")))
}

fn of_build(text: &str) -> Option<Denial> {
    let (before, rest) = text.split_once("does not allow AWS CodeBuild to ")?;
    const CALLS: [(&str, &str); 3] = [
        ("create Amazon CloudWatch Logs log streams", "logs:CreateLogStream"),
        ("create Amazon CloudWatch Logs log group", "logs:CreateLogGroup"),
        ("write to Amazon CloudWatch Logs", "logs:PutLogEvents"),
    ];
    let (_, action) = CALLS.iter().find(|(call, _)| rest.starts_with(call))?;
    Some(denied(role_in(before), (*action).to_owned()))
}

/// CodeBuild's words on a repository of CodeCommit that it clones as the project's role.
fn of_clone(text: &str) -> Option<Denial> {
    let failed = ["authorization failed for ", "authentication required for "];
    let rest = failed.iter().find_map(|words| after(text, words))?;
    let repository =
        rest.split(' ').map(bare).find(|word| word.starts_with("arn:") && word.contains(":codecommit:"))?;
    Some(Denial { resource: Some(repository.to_owned()), ..denied(None, "codecommit:GitPull".to_owned()) })
}

fn of_action(text: &str) -> Option<Denial> {
    let rest = after(text, "not have permission to perform the ")?;
    let action = bare(rest.split(' ').next()?);
    action.contains(':').then(|| denied(None, action.to_owned()))
}

/// Lambda's words on the execution role of a function that it makes.
fn of_call(text: &str) -> Option<Denial> {
    let (before, rest) = text.split_once("does not have permissions to call ")?;
    let mut words = rest.split(' ');
    let (call, on, service) = (bare(words.next()?), words.next()?, bare(words.next()?));
    (on == "on").then(|| denied(role_in(before), format!("{}:{call}", action_prefix(service))))
}

/// Step Functions' words on the role of a state machine that waits for what it starts.
fn of_managed_rule(text: &str) -> Option<Denial> {
    let (before, _) = text.split_once(" is not authorized to create managed-rule")?;
    Some(denied(role_in(before), "events:PutRule".to_owned()))
}

/// CodeBuild's words on what its project's role may not do in a VPC; and EC2's own, which name neither actor nor
/// action outside what is encoded.
fn of_unexpected(text: &str) -> Option<Denial> {
    let is_code =
        text.contains("error: UnauthorizedOperation") || text.contains("Code: UnauthorizedOperation");
    let by_ec2 = text.contains("EC2 error") || text.contains("EC2") && text.contains("UnauthorizedOperation");
    (is_code && by_ec2).then(|| denied(None, "ec2:*".to_owned()))
}

/// The words of CloudFormation's resource handlers: the operation, or the type that was to be made. The service is
/// that of the resource's type.
fn of_handler(text: &str) -> Option<Denial> {
    let (before, rest) = text.split_once("ccess denied for operation '")?;
    let (operation, _) = rest.split_once('\'')?;
    let of_type = operation.strip_prefix("AWS::").or_else(|| after(before, "AWS::"))?;
    let service = action_prefix(of_type.split("::").next()?);
    let call = if operation.contains(':') { "*" } else { operation };
    Some(denied(None, format!("{}:{call}", service.trim_end_matches("v2"))))
}

/// A service that works through a role of its own, and may not make that for who asks.
fn of_service_linked_role(text: &str) -> Option<Denial> {
    let lower = text.to_ascii_lowercase();
    let (before, _) = lower.split_once("to create a service linked role")?;
    before.ends_with("permissions ").then(|| denied(None, "iam:CreateServiceLinkedRole".to_owned()))
}

/// CodePipeline's own words on a role that could not be assumed, where they name the side that refused.
fn of_assumption(text: &str) -> Option<Denial> {
    let (before, rest) = text.split_once("not authorized to perform AssumeRole on ")?;
    let (side, explicit, policy) = reason(rest);
    let resource = rest.split(' ').map(bare).find(|word| word.contains(":role/"))?.to_owned();
    let action = "sts:AssumeRole".to_owned();
    side.is_some().then(|| Denial {
        actor: actor(before),
        action,
        resource: Some(resource),
        side,
        explicit,
        policy,
    })
}

/// CodeBuild's words on what the role of a project that is made may not look up for its VPC.
fn of_vpc(text: &str) -> Option<Denial> {
    let call = bare(after(text, "Not authorized to perform ")?.split(' ').next()?);
    let of_network = ["Subnets", "SecurityGroups", "NetworkInterface", "Vpcs", "DhcpOptions"];
    of_network.iter().any(|it| call.contains(it)).then(|| denied(None, format!("ec2:{call}")))
}

/// CloudFormation's words on a template of a nested stack that it may not fetch as the stack's role.
fn of_template(text: &str) -> Option<Denial> {
    text.contains("S3 error: Access Denied").then(|| denied(None, "s3:GetObject".to_owned()))
}

/// Lambda's words on the key of a function's environment, where it does not pass KMS's own on.
fn of_environment(text: &str) -> Option<Denial> {
    let is_it = text.contains("unable to decrypt the environment variables because KMS access was denied");
    is_it.then(|| denied(None, "kms:Decrypt".to_owned()))
}

/// CodePipeline's words on a call that it made.
fn of_api_call(text: &str) -> Option<Denial> {
    let (call, rest) = after(text, "An API call to ")?.split_once(' ')?;
    let (service, operation) = bare(call).split_once('.')?;
    (rest.contains("returned a") && is_refused(text)).then(|| denied(None, action_of(service, operation)))
}

/// The words of Go's SDK, of Terraform and of AWS's agents. Which role could not be assumed is not said.
fn of_sdk_call(text: &str) -> Option<Denial> {
    let (service, rest) = after(text, "operation error ")?.split_once(": ")?;
    let operation = bare(rest.split(' ').next()?);
    let is_call = service != "STS" && operation.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (is_call && is_refused(text)).then(|| denied(None, action_of(service, operation)))
}

/// Secrets Manager's words on the key of a secret.
fn of_secret_key(text: &str) -> Option<Denial> {
    text.contains("Access to KMS is not allowed").then(|| denied(None, "kms:Decrypt".to_owned()))
}

/// Any sentence that speaks of a permission, or of none, and names the action as policies do: who is named before it, and
/// on what after it.
fn of_named_action(text: &str) -> Option<Denial> {
    const SPEAKS: [&str; 4] = ["permission", "not allowed", "cannot perform", "can't perform"];
    let lower = text.to_ascii_lowercase();
    if !is_refused(text) && !SPEAKS.iter().any(|words| lower.contains(words)) {
        return None;
    }
    let words: Vec<&str> = text.split(' ').map(bare).collect();
    let at = words.iter().position(|word| is_action(word))?;
    let (before, after) = (words.get(..at)?, words.get(at + 1..)?);
    let is_role = |word: &&&str| word.starts_with("arn:") && word.contains("role/");
    let actor = before.iter().rfind(is_role).map(|word| (*word).to_owned());
    let resource = after.iter().find(|word| word.starts_with("arn:")).map(|word| (*word).to_owned());
    Some(Denial { actor, resource, ..denied(None, (*words.get(at)?).to_owned()) })
}

/// Whether a word is an action as policies have it, `ecs:UpdateService`. Condition keys of AWS's look the same.
fn is_action(word: &str) -> bool {
    let Some((service, name)) = word.split_once(':') else { return false };
    let of_service = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_service =
        service.starts_with(|first: char| first.is_ascii_lowercase()) && service.bytes().all(of_service);
    let mut letters = name.chars();
    is_service
        && !["aws", "sts"].contains(&service)
        && letters.next().is_some_and(|letter| letter.is_ascii_uppercase())
        && letters.next().is_some_and(|letter| letter.is_ascii_lowercase())
        && letters.all(|letter| letter.is_ascii_alphanumeric())
}

/// A resource of a stack that was refused something: only its type says by which service. Code that can't be read, and
/// roles that can't be assumed, are matters of their own.
fn of_resource(text: &str) -> Option<Denial> {
    let (before, rest) = text.split_once("_FAILED: ")?;
    let kind = before.rsplit(['(', ')']).find(|word| word.starts_with("AWS::"))?;
    let of_others =
        ["denied by S3", "assume", "from custom resource"].iter().any(|words| rest.contains(words));
    let action = match kind {
        "AWS::S3::BucketPolicy" => "s3:PutBucketPolicy".to_owned(),
        _ => format!("{}:*", action_prefix(kind.split("::").nth(1)?)),
    };
    (!of_others && is_refused(rest)).then(|| denied(None, action))
}

fn is_refused(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    REFUSED.iter().any(|words| lower.contains(words))
        || error_code(text).is_some_and(|code| code.is_refusal())
}

/// A registry of ECR that refuses a pull, and does not say more. Its `not found` is another matter.
fn of_pull(text: &str) -> Option<Denial> {
    after(text, "CannotPullContainerError")?;
    let lower = text.to_ascii_lowercase();
    if !["403 forbidden", "denied", "unauthorized"].iter().any(|word| lower.contains(word))
        || lower.contains("not found")
    {
        return None;
    }
    let image = text.split([' ', '"', '\'']).find(|word| word.contains(".dkr.ecr."))?;
    let (host, name) = image.trim_start_matches("https://").split_once('/')?;
    let mut labels = host.split('.');
    let (account, region) = (labels.next()?, labels.nth(2)?);
    let name = name.split([':', '@']).next()?;
    let partition = if region.starts_with("cn-") {
        "aws-cn"
    } else if region.starts_with("us-gov-") {
        "aws-us-gov"
    } else {
        "aws"
    };
    let resource = Some(arn::build(partition, "ecr", region, account, format_args!("repository/{name}")));
    Some(Denial { resource, ..denied(None, "ecr:BatchGetImage".to_owned()) })
}

fn role_in(text: &str) -> Option<String> {
    let arn = |word: &&str| word.starts_with("arn:") && word.contains(":role/");
    text.split(' ').map(bare).rfind(arn).map(str::to_owned)
}

fn denied(actor: Option<String>, action: String) -> Denial {
    Denial { actor, action, resource: None, side: None, explicit: None, policy: None }
}
