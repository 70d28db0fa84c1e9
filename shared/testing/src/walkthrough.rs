//! AWS's cross-account walkthrough as a snapshot: pipeline in account A, CodeDeploy in account B.

use serde_json::{Value, json};

/// The pipeline's account.
pub const A: &str = "111111111111";
/// The target account.
pub const B: &str = "222222222222";
/// The pipeline's Region.
pub const REGION: &str = "us-east-2";
/// The artifact bucket.
pub const BUCKET: &str = "codepipeline-us-east-2-1234567890";
/// The artifact key.
pub const KEY: &str = "arn:aws:kms:us-east-2:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab";
/// The service role.
pub const SERVICE_ROLE: &str = "arn:aws:iam::111111111111:role/service-role/CodePipeline_Service_Role";
/// The role in account B.
pub const TARGET_ROLE: &str = "arn:aws:iam::222222222222:role/CrossAccount_Role";

/// The role of the instances in account B.
pub const INSTANCE_ROLE: &str = "arn:aws:iam::222222222222:role/CodeDeploy_Instance_Role";

/// The walkthrough done right: nothing is missing on either side.
pub fn corrected() -> Value {
    let key_actions =
        json!(["kms:DescribeKey", "kms:GenerateDataKey*", "kms:Encrypt", "kms:ReEncrypt*", "kms:Decrypt"]);
    let objects = format!("arn:aws:s3:::{BUCKET}/*");
    json!({
        "pipeline": {"pipeline": pipeline(), "metadata": {"pipelineArn": format!("arn:aws:codepipeline:{REGION}:{A}:MyFirstPipeline")}},
        "keys": {KEY: {
            "keyMetadata": key_metadata(KEY),
            "policy": policy(json!([
                {"Sid": "Enable IAM policies", "Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{A}:root")}, "Action": "kms:*", "Resource": "*"},
                {"Effect": "Allow", "Principal": {"AWS": [SERVICE_ROLE, format!("arn:aws:iam::{B}:root")]}, "Action": key_actions, "Resource": "*"}
            ])),
            "grants": []
        }},
        "buckets": {BUCKET: {
            "account": A, "region": REGION, "objectOwnership": "BucketOwnerEnforced",
            "encryption": {"SSEAlgorithm": "AES256"},
            "policy": policy(json!([
                {"Sid": "DenyUnEncryptedObjectUploads", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": objects, "Condition": {"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}}},
                {"Sid": "DenyInsecureConnections", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": [format!("arn:aws:s3:::{BUCKET}"), objects], "Condition": {"Bool": {"aws:SecureTransport": false}}},
                {"Sid": "", "Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{B}:root")}, "Action": ["s3:Get*", "s3:Put*"], "Resource": objects},
                {"Sid": "", "Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{B}:root")}, "Action": "s3:ListBucket", "Resource": format!("arn:aws:s3:::{BUCKET}")}
            ]))
        }},
        "roles": {
            SERVICE_ROLE: {
                "trustPolicy": policy(json!([{"Effect": "Allow", "Principal": {"Service": "codepipeline.amazonaws.com"}, "Action": "sts:AssumeRole"}])),
                "inlinePolicies": {
                    "assume": policy(json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": [TARGET_ROLE]})),
                    "artifacts": service_role_artifacts(KEY)
                },
                "attachedPolicies": {},
                "permissionsBoundary": null
            },
            TARGET_ROLE: {
                "trustPolicy": policy(json!([{"Effect": "Allow", "Principal": {"AWS": SERVICE_ROLE}, "Action": "sts:AssumeRole"}])),
                "inlinePolicies": {
                    "codedeploy": policy(json!([{"Effect": "Allow", "Action": ["codedeploy:CreateDeployment", "codedeploy:GetDeployment", "codedeploy:GetDeploymentConfig", "codedeploy:GetApplicationRevision", "codedeploy:RegisterApplicationRevision"], "Resource": "*"}])),
                    "artifacts": policy(json!([{"Effect": "Allow", "Action": ["s3:GetObject*", "s3:PutObject", "s3:PutObjectAcl"], "Resource": [objects]}])),
                    "key": policy(json!([{"Effect": "Allow", "Action": key_actions, "Resource": [KEY]}]))
                },
                "attachedPolicies": {},
                "permissionsBoundary": null
            },
            INSTANCE_ROLE: instance_role(KEY)
        },
        "instanceRoles": [INSTANCE_ROLE]
    })
}

/// The JSON of [`corrected`] for accounts and a pipeline of this number: no two have a name in common but
/// those of policies.
pub fn numbered(number: u32) -> String {
    let names = [
        (A, format!("1{number:011}")),
        (B, format!("2{number:011}")),
        (BUCKET, format!("codepipeline-{REGION}-{number:010}")),
        ("MyFirstPipeline", format!("Pipeline{number}")),
    ];
    names.iter().fold(corrected().to_string(), |text, (from, to)| text.replace(from, to))
}

/// The walkthrough as AWS prints it, up to its step 15: the key that it names in us-east-1 for a bucket in
/// us-east-2, a denial of insecure transport that leaves out the bucket, a cross-account role without the
/// key, which still trusts the whole account, and a service role that may assume every role of account B.
pub fn to_the_letter() -> Value {
    let key = letter_key();
    let root = |account: &str| format!("arn:aws:iam::{account}:root");
    let (bucket, objects) = (format!("arn:aws:s3:::{BUCKET}"), format!("arn:aws:s3:::{BUCKET}/*"));
    let users = json!({"AWS": [SERVICE_ROLE, root(B)]});
    let pipeline = pipeline_with_key(&key);
    json!({
        "pipeline": {"pipeline": pipeline, "metadata": {"pipelineArn": format!("arn:aws:codepipeline:{REGION}:{A}:MyFirstPipeline")}},
        "keys": {&key: {
            "keyMetadata": key_metadata(&key),
            // What the console's wizard makes of the prerequisite.
            "policy": {"Version": "2012-10-17", "Id": "key-consolepolicy-3", "Statement": [
                {"Sid": "Enable IAM User Permissions", "Effect": "Allow", "Principal": {"AWS": root(A)}, "Action": "kms:*", "Resource": "*"},
                {"Sid": "Allow use of the key", "Effect": "Allow", "Principal": users, "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"], "Resource": "*"},
                {"Sid": "Allow attachment of persistent resources", "Effect": "Allow", "Principal": users, "Action": ["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"], "Resource": "*", "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}}}
            ]},
            "grants": []
        }},
        "buckets": {BUCKET: {
            "account": A, "region": REGION, "objectOwnership": "BucketOwnerEnforced",
            "encryption": {"SSEAlgorithm": "AES256"},
            "policy": {"Version": "2012-10-17", "Id": "SSEAndSSLPolicy", "Statement": [
                {"Sid": "DenyUnEncryptedObjectUploads", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": objects, "Condition": {"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}}},
                {"Sid": "DenyInsecureConnections", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": objects, "Condition": {"Bool": {"aws:SecureTransport": false}}},
                {"Sid": "", "Effect": "Allow", "Principal": {"AWS": root(B)}, "Action": ["s3:Get*", "s3:Put*"], "Resource": objects},
                {"Sid": "", "Effect": "Allow", "Principal": {"AWS": root(B)}, "Action": "s3:ListBucket", "Resource": bucket}
            ]}
        }},
        "roles": {
            SERVICE_ROLE: {
                "trustPolicy": policy(json!([{"Effect": "Allow", "Principal": {"Service": "codepipeline.amazonaws.com"}, "Action": "sts:AssumeRole"}])),
                "inlinePolicies": {
                    "assume": policy(json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": [format!("arn:aws:iam::{B}:role/*")]})),
                    "artifacts": service_role_artifacts(&key)
                },
                "attachedPolicies": {},
                "permissionsBoundary": null
            },
            TARGET_ROLE: {
                "trustPolicy": policy(json!([{"Effect": "Allow", "Principal": {"AWS": root(A)}, "Action": "sts:AssumeRole", "Condition": {}}])),
                "inlinePolicies": {
                    "codedeploy": policy(json!([{"Effect": "Allow", "Action": ["codedeploy:CreateDeployment", "codedeploy:GetDeployment", "codedeploy:GetDeploymentConfig", "codedeploy:GetApplicationRevision", "codedeploy:RegisterApplicationRevision"], "Resource": "*"}])),
                    "artifacts": policy(json!([{"Effect": "Allow", "Action": ["s3:GetObject*", "s3:PutObject", "s3:PutObjectAcl"], "Resource": [objects]}]))
                },
                "attachedPolicies": {},
                "permissionsBoundary": null
            },
            INSTANCE_ROLE: instance_role(&key)
        },
        "instanceRoles": [INSTANCE_ROLE]
    })
}

/// The key that the walkthrough's policies and its pipeline name.
pub fn letter_key() -> String {
    KEY.replace(REGION, "us-east-1")
}

fn key_metadata(arn: &str) -> Value {
    json!({"Arn": arn, "Enabled": true, "KeyState": "Enabled", "KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT"})
}

/// What the console gives a service role for its artifacts.
fn service_role_artifacts(key: &str) -> Value {
    policy(json!([
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:GetBucketVersioning"], "Resource": ["arn:aws:s3:::*"]},
        {"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey*", "kms:DescribeKey"], "Resource": [key]}
    ]))
}

/// The walkthrough's step in account B for the role of the instances.
fn instance_role(key: &str) -> Value {
    let bucket = format!("arn:aws:s3:::{BUCKET}");
    json!({
        "trustPolicy": policy(json!([{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}])),
        "inlinePolicies": {
            "artifacts": policy(json!([
                {"Effect": "Allow", "Action": ["s3:Get*"], "Resource": [format!("{bucket}/*")]},
                {"Effect": "Allow", "Action": ["s3:ListBucket"], "Resource": [bucket]}
            ])),
            "key": policy(json!([{"Effect": "Allow", "Action": ["kms:DescribeKey", "kms:GenerateDataKey*", "kms:Encrypt", "kms:ReEncrypt*", "kms:Decrypt"], "Resource": [key]}]))
        },
        "attachedPolicies": {},
        "permissionsBoundary": null
    })
}

/// The pipeline of the walkthrough.
pub fn pipeline() -> Value {
    pipeline_with_key(KEY)
}

fn pipeline_with_key(key: &str) -> Value {
    let action_type = |category: &str, provider: &str| json!({"category": category, "owner": "AWS", "version": "1", "provider": provider});
    json!({
        "name": "MyFirstPipeline",
        "roleArn": SERVICE_ROLE,
        "artifactStore": {"type": "S3", "location": BUCKET, "encryptionKey": {"id": key, "type": "KMS"}},
        "stages": [
            {"name": "Source", "actions": [{
                "name": "Source", "actionTypeId": action_type("Source", "S3"), "runOrder": 1,
                "configuration": {"S3Bucket": "source", "S3ObjectKey": "app.zip"},
                "inputArtifacts": [], "outputArtifacts": [{"name": "MyAppBuild"}]
            }]},
            {"name": "Staging", "actions": [{
                "name": "ExternalDeploy", "actionTypeId": action_type("Deploy", "CodeDeploy"), "runOrder": 1,
                "configuration": {"ApplicationName": "AccountBApplicationName", "DeploymentGroupName": "AccountBApplicationGroupName"},
                "inputArtifacts": [{"name": "MyAppBuild"}], "outputArtifacts": [],
                "roleArn": TARGET_ROLE
            }]}
        ],
        "version": 3
    })
}

fn policy(statements: Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}
