//! The ARNs and accounts that cases and worlds call by name.

/// Names and what they stand for, a name before any that it begins with.
const NAMES: [(&str, &str); 13] = [
    ("$SERVICE_ROLE", "arn:aws:iam::111111111111:role/service-role/PipelineServiceRole"),
    ("$SERVICE_SESSION", "arn:aws:sts::111111111111:assumed-role/PipelineServiceRole/1700000000000"),
    ("$TARGET_ROLE", "arn:aws:iam::222222222222:role/DeployRole"),
    ("$TARGET_SESSION", "arn:aws:sts::222222222222:assumed-role/DeployRole/1700000000000"),
    ("$INSTANCE_ROLE", "arn:aws:iam::222222222222:role/InstanceRole"),
    ("$STACK_ROLE", "arn:aws:iam::222222222222:role/StackRole"),
    ("$PIPELINE", "arn:aws:codepipeline:us-east-2:111111111111:shop"),
    ("$BUCKET", "shop-artifacts"),
    ("$KEY_ID", "1234abcd-12ab-34cd-56ef-1234567890ab"),
    ("$KEY", "arn:aws:kms:us-east-2:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab"),
    ("$A", "111111111111"),
    ("$B", "222222222222"),
    ("$C", "333333333333"),
];

/// Puts what they stand for in place of names.
pub fn resolve(text: &str) -> String {
    NAMES.iter().fold(text.to_owned(), |text, (name, meaning)| text.replace(name, meaning))
}
