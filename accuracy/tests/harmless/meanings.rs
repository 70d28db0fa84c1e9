//! Other policies to the same end, and less knowledge of them.

use crosspipe_accuracy::world::remove;
use serde_json::json;

use crate::change::*;

/// Other policies to the same end, and less knowledge of them.
pub(crate) const MEANINGS: &[(&str, Change)] = &[
    ("nothing", |_| ()),
    ("the roles by name", |world| {
        let roles = json!({"AWS": ["$TARGET_ROLE", "$INSTANCE_ROLE", "$STACK_ROLE"]});
        for statement in
            ["key policy > Target", "bucket policy > TargetObjects", "bucket policy > TargetBucket"]
        {
            put(world, &format!("{statement} > Principal"), roles.clone());
        }
    }),
    ("everybody of the account, by condition", |world| {
        grant(world, "*", json!({"StringEquals": {"aws:PrincipalAccount": "$B"}}));
    }),
    ("everybody of some accounts, by condition", |world| {
        grant(world, "*", json!({"StringEquals": {"AWS:principalaccount": ["$C", "$B"]}}));
    }),
    ("roles by pattern", |world| {
        grant(world, "*", json!({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::$B:role/*"}}));
    }),
    ("the organization, known", |world| {
        organization(world);
        grant(world, "*", json!({"StringEquals": {"aws:PrincipalOrgID": "o-aaaa111122"}}));
    }),
    ("the organization, not known", |world| {
        grant(world, "*", json!({"StringEquals": {"aws:PrincipalOrgID": "o-aaaa111122"}}));
    }),
    ("its unit, known", |world| {
        organization(world);
        grant(
            world,
            "*",
            json!({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-aaaa111122/r-ab12/*"}}),
        );
    }),
    ("its unit, not known", |world| {
        grant(
            world,
            "*",
            json!({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-aaaa111122/r-ab12/*"}}),
        );
    }),
    ("only what comes through S3, which the rules can't know", |world| {
        let service = json!({"StringEquals": {"kms:ViaService": "s3.us-east-2.amazonaws.com"}});
        put(world, "key policy > Target > Condition", service);
    }),
    ("grants on the key", |world| {
        remove(world, "key policy > Target").unwrap();
        let operations =
            json!(["Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo"]);
        let to = |role: &str| json!({"GranteePrincipal": role, "Operations": operations});
        put(world, "key > grants", json!([to("$TARGET_ROLE"), to("$INSTANCE_ROLE"), to("$STACK_ROLE")]));
    }),
    ("grants that were not read", |world| {
        remove(world, "key policy > Target").unwrap();
        remove(world, "key > grants").unwrap();
    }),
    ("the service role by delegation alone", |world| {
        remove(world, "key policy > Service").unwrap();
        put(
            world,
            "service policies > Key",
            json!({"Statement": {"Effect": "Allow", "Action": USE, "Resource": "arn:aws:kms:us-east-2:$A:key/*"}}),
        );
    }),
    ("an administrator", |world| {
        put(world, "target policies", json!({}));
        put(
            world,
            "target role > attachedPolicies",
            json!({"arn:aws:iam::aws:policy/AdministratorAccess": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}}),
        );
    }),
    ("all but something else, by NotAction", |world| {
        put(
            world,
            "target policies",
            json!({"All": {"Statement": [{"Effect": "Allow", "NotAction": ["organizations:*", "account:*"], "Resource": "*"}]}}),
        );
    }),
    ("everything but something else, by NotResource", |world| {
        put(
            world,
            "target policies",
            json!({"All": {"Statement": [{"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::secrets/*"}]}}),
        );
    }),
    ("a denial of something else", |world| {
        put(
            world,
            "target policies > Deny",
            json!({"Statement": [{"Effect": "Deny", "Action": ["s3:Delete*", "kms:ScheduleKeyDeletion"], "Resource": "*"}, {"Effect": "Deny", "Action": "s3:*", "NotResource": ["arn:aws:s3:::$BUCKET", "arn:aws:s3:::$BUCKET/*", "arn:aws:s3:::shop-site", "arn:aws:s3:::shop-site/*"]}]}),
        );
    }),
    ("a boundary that leaves all in", |world| {
        put(
            world,
            "target role > permissionsBoundary",
            json!({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}),
        );
    }),
    ("service control policies that leave all in", |world| {
        let full = json!([{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}]);
        let leaving = json!([{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}, {"Statement": [{"Effect": "Deny", "Action": "organizations:LeaveOrganization", "Resource": "*"}]}]);
        let region = json!([{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "NotAction": ["iam:*", "sts:*"], "Resource": "*", "Condition": {"StringNotEquals": {"aws:RequestedRegion": "us-east-2"}}}]}]);
        put(
            world,
            "organization",
            json!({"id": "o-aaaa111122", "accounts": {"$B": {"paths": [], "serviceControlPolicies": [full, leaving, region]}}}),
        );
    }),
    ("the walkthrough's denials with a text for false", |world| {
        put(
            world,
            "bucket policy > DenyInsecureConnections > Condition",
            json!({"Bool": {"aws:SecureTransport": ["false"]}}),
        );
    }),
    ("the walkthrough's denials with IfExists", |world| {
        let condition = json!({"StringNotEqualsIfExists": {"s3:x-amz-server-side-encryption": "aws:kms"}});
        put(world, "bucket policy > DenyUnEncryptedObjectUploads > Condition", condition);
        let condition = json!({"BoolIfExists": {"aws:SecureTransport": "false"}});
        put(world, "bucket policy > DenyInsecureConnections > Condition", condition);
    }),
    ("the walkthrough's denials for another reading of S3's header", |world| {
        let condition = json!({"StringNotLike": {"S3:X-Amz-Server-Side-Encryption": "aws:kms*"}});
        put(world, "bucket policy > DenyUnEncryptedObjectUploads > Condition", condition);
    }),
    ("a denial of uploads without the header", |world| {
        deny(world, json!("s3:PutObject"), json!({"Null": {"s3:x-amz-server-side-encryption": true}}));
    }),
    ("a denial of uploads under another key", |world| {
        deny(
            world,
            json!("s3:PutObject"),
            json!({"StringNotEquals": {"s3:x-amz-server-side-encryption-aws-kms-key-id": "$KEY"}}),
        );
    }),
    ("a denial of old TLS", |world| {
        deny(world, json!("s3:*"), json!({"NumericLessThan": {"s3:TlsVersion": "1.2"}}))
    }),
    ("a denial of everybody else", |world| {
        let roles = json!(["$SERVICE_ROLE", "$TARGET_ROLE", "$INSTANCE_ROLE", "$STACK_ROLE"]);
        deny(world, json!("s3:*"), json!({"ArnNotLike": {"aws:PrincipalArn": roles}}));
    }),
    ("a denial of other accounts", |world| {
        deny(
            world,
            json!("s3:*"),
            json!({"StringNotEquals": {"aws:PrincipalAccount": ["$A", "$B"]}, "Bool": {"aws:PrincipalIsAWSService": "false"}}),
        );
    }),
    ("a denial of other organizations, not known", |world| {
        deny(world, json!("s3:*"), json!({"StringNotEquals": {"aws:PrincipalOrgID": "o-aaaa111122"}}));
    }),
    ("a denial of other organizations, known", |world| {
        organization(world);
        deny(world, json!("s3:*"), json!({"StringNotEquals": {"aws:PrincipalOrgID": "o-aaaa111122"}}));
    }),
    ("a denial inside somebody's VPC, through which CodePipeline never comes", |world| {
        deny(world, json!("s3:*"), json!({"StringEquals": {"aws:SourceVpc": "vpc-1"}}));
    }),
    ("a denial of other addresses, which the rules can't know", |world| {
        deny(
            world,
            json!("s3:*"),
            json!({"NotIpAddressIfExists": {"aws:SourceIp": "192.0.2.0/24"}, "BoolIfExists": {"aws:ViaAWSService": "false"}}),
        );
    }),
    ("a denial of what nobody here does", |world| {
        put(
            world,
            "bucket policy > More",
            json!({"Effect": "Deny", "Principal": "*", "NotAction": ["s3:Get*", "s3:Put*", "s3:List*"], "Resource": "arn:aws:s3:::$BUCKET/*"}),
        );
    }),
    ("a trust by account and condition", |world| {
        put(
            world,
            "target trust > Service",
            json!({"Effect": "Allow", "Principal": {"AWS": "$A"}, "Action": "sts:AssumeRole", "Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::$A:role/service-role/Pipeline*"}}}),
        );
    }),
    ("a trust of the organization", |world| {
        organization(world);
        put(
            world,
            "target trust > Service",
            json!({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["sts:AssumeRole", "sts:TagSession"], "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-aaaa111122"}}}),
        );
    }),
    ("a trust of the organization, not known", |world| {
        put(
            world,
            "target trust > Service",
            json!({"Effect": "Allow", "Principal": "*", "Action": "sts:*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-aaaa111122"}}}),
        );
    }),
    ("a trust that no service may pass on", |world| {
        put(world, "target trust > Service > Condition", json!({"Bool": {"aws:ViaAWSService": "false"}}));
    }),
    ("a service role for this pipeline alone", |world| {
        put(
            world,
            "roles > $SERVICE_ROLE > trustPolicy > Statement > CodePipeline > Condition",
            json!({"StringEquals": {"aws:SourceAccount": "$A"}, "ArnLike": {"aws:SourceArn": "arn:aws:codepipeline:*:$A:shop"}}),
        );
    }),
    ("a service role that may assume by pattern", |world| {
        put(
            world,
            "service policies > Assume",
            json!({"Statement": [{"Effect": "Allow", "Action": "sts:Assume*", "Resource": "arn:aws:iam::*:role/Deploy*"}]}),
        );
    }),
    ("the bucket encrypts by itself", |world| {
        put(
            world,
            "bucket > encryption",
            json!({"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "$KEY", "BucketKeyEnabled": true}),
        );
    }),
    ("the key as DescribeKey prints it", |world| {
        put(
            world,
            "key > keyMetadata",
            json!({"KeyMetadata": {"Arn": "$KEY", "Enabled": true, "KeyState": "Enabled", "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT"}}),
        );
    }),
    ("nothing is known of account B", |world| {
        for role in ["target role", "instance role"] {
            remove(world, role).unwrap();
        }
    }),
    ("nothing is known of the key", |world| remove(world, "key").unwrap()),
    ("nothing is known of the bucket", |world| remove(world, "bucket").unwrap()),
];
