//! How messages name AWS's services, and the principals by which policies know them.

/// Names as messages have them, without `AWS` and `Amazon`, the more telling first; and the principal.
const SERVICES: [(&str, &str); 16] = [
    ("codebuild", "codebuild.amazonaws.com"),
    ("codedeploy", "codedeploy.amazonaws.com"),
    ("codepipeline", "codepipeline.amazonaws.com"),
    ("cloudformation", "cloudformation.amazonaws.com"),
    ("lambda", "lambda.amazonaws.com"),
    ("ecs-tasks", "ecs-tasks.amazonaws.com"),
    ("ecs", "ecs-tasks.amazonaws.com"),
    ("states", "states.amazonaws.com"),
    ("step functions", "states.amazonaws.com"),
    ("eks", "eks.amazonaws.com"),
    ("ec2", "ec2.amazonaws.com"),
    ("service catalog", "servicecatalog.amazonaws.com"),
    ("servicecatalog", "servicecatalog.amazonaws.com"),
    ("elastic beanstalk", "elasticbeanstalk.amazonaws.com"),
    ("events", "events.amazonaws.com"),
    ("apigateway", "apigateway.amazonaws.com"),
];

/// The principal of a service that is named so: `AWS CodeBuild`, `AmazonCloudFormation`, `codedeploy.amazonaws.com`.
pub fn principal_of(name: &str) -> Option<&'static str> {
    let lower = name.trim().to_ascii_lowercase();
    let plain = lower.trim_start_matches("aws").trim_start_matches("amazon").trim();
    let plain = plain.split('.').next().unwrap_or(plain);
    SERVICES.iter().find(|(service, _)| *service == plain).map(|(_, principal)| *principal)
}

/// The principal of the service that a message speaks of as the one that acts: a principal's name, else a service
/// named outside ARNs, else the service that answered.
pub(super) fn principal_in(message: &str) -> Option<&'static str> {
    let words = || message.split_whitespace().map(super::denial::bare);
    let by_principal = words().filter(|word| word.contains(".amazonaws.com")).find_map(principal_of);
    let before = message.split("(Service:").next().unwrap_or(message);
    let named = || before.split_whitespace().map(super::denial::bare).filter(|word| !word.contains(':'));
    let by_name = || named().filter(|word| word.len() > 2).find_map(principal_of);
    let answered = || super::error_code(message)?.service.as_deref().and_then(principal_of);
    by_principal.or_else(by_name).or_else(answered)
}

/// Prefixes of actions that are not what SDKs, messages and types of resources call the service.
const PREFIXES: [(&str, &str); 26] = [
    ("apigatewayv2", "apigateway"),
    ("applicationautoscaling", "application-autoscaling"),
    ("certificatemanager", "acm"),
    ("cloudwatchevents", "events"),
    ("cloudwatchlogs", "logs"),
    ("codestarconnections", "codestar-connections"),
    ("cognito", "cognito-idp"),
    ("cognitoidentityprovider", "cognito-idp"),
    ("configservice", "config"),
    ("efs", "elasticfilesystem"),
    ("elasticloadbalancingv2", "elasticloadbalancing"),
    ("elasticsearch", "es"),
    ("eventbridge", "events"),
    ("eventschemas", "schemas"),
    ("inspectorscan", "inspector-scan"),
    ("kinesisfirehose", "firehose"),
    ("lambdainternal", "lambda"),
    ("msk", "kafka"),
    ("opensearchservice", "es"),
    ("resourcegroups", "resource-groups"),
    ("sfn", "states"),
    ("simplenotificationservice", "sns"),
    ("simplequeueservice", "sqs"),
    ("simplesystemsmanagement", "ssm"),
    ("stepfunctions", "states"),
    ("systemsmanager", "ssm"),
];

/// The prefix of actions of a service that is named so in a message: `AmazonAutoScaling` -> `autoscaling`.
pub(super) fn action_prefix(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let plain = lower.trim_start_matches("amazon").trim_start_matches("aws");
    let plain: String = plain.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    let known = PREFIXES.iter().find(|(name, _)| *name == plain).map(|(_, prefix)| (*prefix).to_owned());
    known.unwrap_or(plain)
}

/// Operations that another action than that of their own name permits, all of S3.
const OTHER_ACTIONS: [(&str, &str); 15] = [
    ("CompleteMultipartUpload", "PutObject"),
    ("CopyObject", "PutObject"),
    ("CreateMultipartUpload", "PutObject"),
    ("DeleteObjects", "DeleteObject"),
    ("GetBucketEncryption", "GetEncryptionConfiguration"),
    ("HeadBucket", "ListBucket"),
    ("HeadObject", "GetObject"),
    ("ListObjects", "ListBucket"),
    ("ListObjectsV2", "ListBucket"),
    ("PutBucketEncryption", "PutEncryptionConfiguration"),
    ("PutBucketLifecycleConfiguration", "PutLifecycleConfiguration"),
    ("PutBucketNotificationConfiguration", "PutBucketNotification"),
    ("PutBucketReplication", "PutReplicationConfiguration"),
    ("PutPublicAccessBlock", "PutBucketPublicAccessBlock"),
    ("UploadPart", "PutObject"),
];

/// The action that permits an operation of a service: `StepFunctions`, `describeExecution` -> `states:DescribeExecution`.
pub(super) fn action_of(service: &str, operation: &str) -> String {
    let prefix = action_prefix(service);
    let mut letters = operation.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    let name: String = first.into_iter().chain(letters).collect();
    let other = OTHER_ACTIONS.iter().find(|(it, _)| prefix == "s3" && *it == name);
    format!("{prefix}:{}", other.map_or(name.as_str(), |(_, action)| action))
}
