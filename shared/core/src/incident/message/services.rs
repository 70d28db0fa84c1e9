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

/// The prefix of actions of a service that is named so in a message: `AmazonAutoScaling` -> `autoscaling`.
pub(super) fn action_prefix(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let plain = lower.trim_start_matches("amazon").trim_start_matches("aws");
    plain.chars().filter(|c| c.is_ascii_alphanumeric()).collect()
}
