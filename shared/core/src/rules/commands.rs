//! AWS CLI commands that mend policies, ready to paste.

use crate::arn::Arn;

/// The command that changes a trust policy.
pub(super) fn update_trust(role_arn: &str) -> String {
    let arn = Arn::parse(role_arn);
    let name = arn.as_ref().ok().and_then(Arn::role_name).unwrap_or(role_arn);
    format!(
        "aws iam get-role --role-name {name} --query Role.AssumeRolePolicyDocument > trust.json\n\
         # change it, then:\n\
         aws iam update-assume-role-policy --role-name {name} --policy-document file://trust.json"
    )
}

/// The command that adds a statement to a role's own policies, as an inline policy beside the others.
pub(super) fn put_role_policy(role_arn: &str, policy_name: &str) -> String {
    let arn = Arn::parse(role_arn);
    let name = arn.as_ref().ok().and_then(Arn::role_name).unwrap_or(role_arn);
    format!(
        "# policy.json: {{\"Version\": \"2012-10-17\", \"Statement\": [what is above]}}\n\
         aws iam put-role-policy --role-name {name} --policy-name {policy_name} --policy-document file://policy.json"
    )
}

/// The commands that change a key policy.
pub(super) fn put_key_policy(key: &str) -> String {
    format!(
        "aws kms get-key-policy --key-id {key} --policy-name default --query Policy --output text > policy.json\n\
         # change it, then:\n\
         aws kms put-key-policy --key-id {key} --policy-name default --policy file://policy.json"
    )
}

/// The commands that change a bucket policy.
pub(super) fn put_bucket_policy(bucket: &str) -> String {
    format!(
        "aws s3api get-bucket-policy --bucket {bucket} --query Policy --output text > policy.json\n\
         # change it, then:\n\
         aws s3api put-bucket-policy --bucket {bucket} --policy file://policy.json"
    )
}
