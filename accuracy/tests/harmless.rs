//! Worlds in which nothing is wrong, written in other ways: no rule may find an error in any of them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests are tests")]

use std::collections::BTreeMap;

use crosspipe_accuracy::case::{Case, all};
use crosspipe_accuracy::judge::judge;
use crosspipe_accuracy::names::resolve;
use crosspipe_accuracy::world::{healthy, remove, set};
use crosspipe_core::rules::{Severity, lint};
use crosspipe_core::snapshot::Snapshot;
use serde_json::{Value, json};

/// A change that changes nothing about who may do what.
type Change = fn(&mut Value);

const USE: [&str; 5] =
    ["kms:DescribeKey", "kms:GenerateDataKey*", "kms:Encrypt", "kms:ReEncrypt*", "kms:Decrypt"];

/// Every policy document, wherever it is.
fn each_policy(value: &mut Value, change: &dyn Fn(&mut Value)) {
    if value.get("Statement").is_some() {
        change(value);
    } else if let Some(members) = value.as_object_mut() {
        members.values_mut().for_each(|member| each_policy(member, change));
    } else if let Some(elements) = value.as_array_mut() {
        elements.iter_mut().for_each(|element| each_policy(element, change));
    }
}

fn each_statement(world: &mut Value, change: &dyn Fn(&mut Value)) {
    each_policy(world, &|policy| match &mut policy["Statement"] {
        Value::Array(statements) => statements.iter_mut().for_each(change),
        statement => change(statement),
    });
}

/// Replaces a text wherever it stands as a whole.
fn replace(value: &mut Value, from: &str, to: &str) {
    match value {
        Value::String(text) if text == from => *text = to.to_owned(),
        Value::Array(elements) => elements.iter_mut().for_each(|element| replace(element, from, to)),
        Value::Object(members) => members.values_mut().for_each(|member| replace(member, from, to)),
        _ => {}
    }
}

fn put(world: &mut Value, path: &str, value: Value) {
    set(world, path, serde_json::from_str(&resolve(&value.to_string())).unwrap()).unwrap();
}

/// Lets the target in on key and bucket by other words than the name of its account.
fn grant(world: &mut Value, principal: &str, condition: Value) {
    let objects = "arn:aws:s3:::$BUCKET/*";
    let to = |action: Value, resource: &str| json!({"Effect": "Allow", "Principal": principal, "Action": action, "Resource": resource, "Condition": condition});
    put(world, "key policy > Target", to(json!(USE), "*"));
    put(world, "bucket policy > TargetObjects", to(json!(["s3:Get*", "s3:Put*"]), objects));
    put(world, "bucket policy > TargetBucket", to(json!("s3:ListBucket"), "arn:aws:s3:::$BUCKET"));
}

fn deny(world: &mut Value, action: Value, condition: Value) {
    put(
        world,
        "bucket policy > More",
        json!({"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": action, "Resource": ["arn:aws:s3:::$BUCKET", "arn:aws:s3:::$BUCKET/*"], "Condition": condition}),
    );
}

fn organization(world: &mut Value) {
    let member = json!({"paths": ["o-aaaa111122/r-ab12/ou-ab12-11111111/"]});
    put(world, "organization", json!({"id": "o-aaaa111122", "accounts": {"$A": member, "$B": member}}));
}

/// Other ways to write the same policies down.
const WRITINGS: &[(&str, Change)] = &[
    ("statements in another order", |world| {
        each_policy(world, &|policy| {
            if let Some(statements) = policy["Statement"].as_array_mut() {
                statements.reverse();
            }
        });
    }),
    ("no Sids", |world| {
        each_statement(world, &|statement| drop(statement.as_object_mut().unwrap().shift_remove("Sid")));
    }),
    ("the same Sid everywhere", |world| each_statement(world, &|statement| statement["Sid"] = json!(""))),
    ("lists in place of texts", |world| {
        each_statement(world, &|statement| {
            for member in ["Action", "Resource"] {
                if statement.get(member).is_some_and(Value::is_string) {
                    statement[member] = json!([statement[member]]);
                }
            }
        });
    }),
    ("texts in place of lists of one, one statement in place of a list", |world| {
        each_policy(world, &|policy| {
            if let Some([single]) = policy["Statement"].as_array().map(Vec::as_slice) {
                policy["Statement"] = single.clone();
            }
        });
    }),
    ("actions in lower case", |world| {
        each_statement(world, &|statement| {
            for member in ["Action", "NotAction"] {
                if let Some(actions) = statement.get_mut(member) {
                    *actions = serde_json::from_str(&actions.to_string().to_lowercase()).unwrap();
                }
            }
        });
    }),
    ("no Version", |world| {
        each_policy(world, &|policy| drop(policy.as_object_mut().unwrap().shift_remove("Version")));
    }),
    ("the old Version", |world| each_policy(world, &|policy| policy["Version"] = json!("2008-10-17"))),
    ("bare account ids", |world| {
        for account in ["$A", "$B"].map(resolve) {
            replace(world, &format!("arn:aws:iam::{account}:root"), &account);
        }
    }),
];

/// Other policies to the same end, and less knowledge of them.
const MEANINGS: &[(&str, Change)] = &[
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
    ("a denial outside a VPC, which the rules can't know", |world| {
        deny(
            world,
            json!("s3:*"),
            json!({"StringNotEqualsIfExists": {"aws:SourceVpc": "vpc-1"}, "BoolIfExists": {"aws:ViaAWSService": "false"}}),
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

fn errors(world: Value) -> Vec<String> {
    let snapshot = Snapshot::from_value(world).unwrap();
    let findings = lint(&snapshot).unwrap().findings.into_iter();
    let errors = findings.filter(|finding| finding.severity == Severity::Error);
    errors
        .map(|finding| format!("{}: {}, because {}", finding.rule, finding.message, finding.because))
        .collect()
}

fn check(provider: &str, meaning: (&str, Change), writing: (&str, Change)) -> Vec<String> {
    let (mut world, _) = healthy(provider).unwrap();
    (meaning.1)(&mut world);
    (writing.1)(&mut world);
    let what = format!("{provider}, {}, {}", meaning.0, writing.0);
    errors(world).into_iter().map(|error| format!("{what}: {error}")).collect()
}

#[test]
fn other_policies_to_the_same_end_are_no_error_with_any_provider() {
    let providers: Value = serde_json::from_str(include_str!("../providers.json")).unwrap();
    let providers = providers.as_object().unwrap();
    let checks = providers.keys().flat_map(|provider| {
        MEANINGS.iter().flat_map(move |meaning| check(provider, *meaning, ("as is", |_| ())))
    });
    let alarms: Vec<String> = checks.collect();
    assert!(alarms.is_empty(), "{} false alarms:\n{}", alarms.len(), alarms.join("\n"));
}

#[test]
fn nor_are_they_in_any_other_writing() {
    let checks = MEANINGS
        .iter()
        .flat_map(|meaning| WRITINGS.iter().flat_map(move |writing| check("CodeDeploy", *meaning, *writing)));
    let alarms: Vec<String> = checks.collect();
    assert!(alarms.is_empty(), "{} false alarms:\n{}", alarms.len(), alarms.join("\n"));
}

/// What AWS said when something was wrong, of a world in which nothing is (any more).
#[test]
fn no_message_makes_an_error_of_what_is_right() {
    let mut alarms = vec![];
    for case in all().unwrap() {
        let mended = Case { fails: None, remove: vec![], set: BTreeMap::new(), ..case };
        let judged = judge(mended).unwrap();
        let errors = judged.findings.iter().filter(|found| {
            // These repeat what the message says.
            found.severity == Severity::Error && !found.rule.starts_with("EV")
        });
        alarms.extend(errors.map(|found| format!("{}: {}", judged.case.name, found.rule)));
    }
    assert!(alarms.is_empty(), "{} false alarms:\n{}", alarms.len(), alarms.join("\n"));
}
