//! How long one decision takes, for a handful of requests that pipelines make.
//!
//! `cargo bench -p crosspipe-core --bench evaluation`. Policies are parsed beforehand; what is timed is what
//! `crosspipe evaluate` does for each of its lines after parsing it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "a bench is no interface")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use crosspipe_core::evaluation::{Decision, Question};
use serde_json::{Value, json};

const SERVICE_ROLE: &str = "arn:aws:iam::111111111111:role/service-role/Pipeline";
const TARGET_ROLE: &str = "arn:aws:iam::222222222222:role/CrosspipeTargetRole";
const KEY: &str = "arn:aws:kms:eu-west-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab";

fn same_account_identity() -> Value {
    json!({
        "principal": SERVICE_ROLE,
        "action": "codedeploy:CreateDeployment",
        "resource": "arn:aws:codedeploy:eu-west-1:111111111111:deploymentgroup:app/group",
        "identityPolicies": [policy(json!([
            {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::artifacts/*"},
            {"Effect": "Allow", "Action": ["codedeploy:CreateDeployment", "codedeploy:GetDeployment*"], "Resource": "*"},
        ]))],
    })
}

fn cross_account_bucket() -> Value {
    json!({
        "principal": TARGET_ROLE,
        "action": "s3:GetObject",
        "resource": "arn:aws:s3:::artifacts/pipeline/SourceArti/AbCdEf1",
        "resourceAccount": "111111111111",
        "context": {"aws:SecureTransport": true},
        "identityPolicies": [policy(json!([
            {"Effect": "Allow", "Action": ["s3:GetObject*", "s3:PutObject"], "Resource": "arn:aws:s3:::artifacts/*"},
        ]))],
        "resourcePolicy": policy(json!([
            {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::artifacts/*",
                "Condition": {"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}}},
            {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": ["arn:aws:s3:::artifacts", "arn:aws:s3:::artifacts/*"],
                "Condition": {"Bool": {"aws:SecureTransport": false}}},
            {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::222222222222:root"}, "Action": ["s3:Get*", "s3:Put*"],
                "Resource": "arn:aws:s3:::artifacts/*"},
        ])),
    })
}

fn key_delegation() -> Value {
    json!({
        "principal": SERVICE_ROLE,
        "action": "kms:GenerateDataKey",
        "resource": KEY,
        "identityPolicies": [policy(json!([{"Effect": "Allow", "Action": ["kms:Decrypt", "kms:GenerateDataKey*"], "Resource": KEY}]))],
        "resourcePolicy": policy(json!([
            {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111111111111:root"}, "Action": "kms:*", "Resource": "*"},
            {"Effect": "Allow", "Principal": {"AWS": TARGET_ROLE}, "Action": ["kms:Decrypt", "kms:DescribeKey"], "Resource": "*"},
        ])),
    })
}

fn trust() -> Value {
    json!({
        "principal": SERVICE_ROLE,
        "action": "sts:AssumeRole",
        "resource": TARGET_ROLE,
        "identityPolicies": [policy(json!([{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": [TARGET_ROLE]}]))],
        "resourcePolicy": policy(json!([{"Effect": "Allow", "Principal": {"AWS": SERVICE_ROLE}, "Action": "sts:AssumeRole"}])),
    })
}

fn conditions_and_variables() -> Value {
    json!({
        "principal": "arn:aws:sts::222222222222:assumed-role/CrosspipeTargetRole/build",
        "action": "s3:PutObject",
        "resource": "arn:aws:s3:::artifacts/teams/blue/build/app.zip",
        "resourceAccount": "111111111111",
        "context": {
            "aws:SecureTransport": true, "aws:SourceIp": "203.0.113.7", "aws:CurrentTime": "2026-03-01T12:00:00Z",
            "aws:PrincipalArn": TARGET_ROLE,
            "aws:PrincipalTag/team": "blue", "aws:PrincipalOrgID": "o-a1b2c3d4e5", "aws:TagKeys": ["stage", "team"],
            "aws:PrincipalOrgPaths": ["o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/"],
            "s3:x-amz-server-side-encryption": "aws:kms", "s3:x-amz-server-side-encryption-aws-kms-key-id": KEY,
        },
        "identityPolicies": [policy(json!([
            {"Effect": "Allow", "Action": "s3:*Object", "Resource": "arn:aws:s3:::artifacts/teams/${aws:PrincipalTag/team, 'none'}/*",
                "Condition": {
                    "IpAddress": {"aws:SourceIp": ["198.51.100.0/24", "203.0.113.0/24"]},
                    "DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"},
                    "ForAllValues:StringEquals": {"aws:TagKeys": ["team", "stage", "owner"]},
                }},
        ]))],
        "resourcePolicy": policy(json!([
            {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::artifacts/*",
                "Condition": {"ArnNotEqualsIfExists": {"s3:x-amz-server-side-encryption-aws-kms-key-id": KEY}}},
            {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
            {"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::artifacts/*",
                "Condition": {
                    "StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5", "s3:x-amz-server-side-encryption": "aws:kms"},
                    "ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-a1b2c3d4e5/r-ab12/*"},
                    "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/Crosspipe*"},
                    "Null": {"aws:PrincipalTag/team": "false"},
                }},
        ])),
    })
}

fn policy(statements: Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn evaluation(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("evaluation");
    for (name, question) in [
        ("same-account identity policy", same_account_identity()),
        ("cross-account bucket", cross_account_bucket()),
        ("key that delegates to IAM", key_delegation()),
        ("trust across accounts", trust()),
        ("conditions and variables", conditions_and_variables()),
    ] {
        let question: Question = serde_json::from_value(question).unwrap();
        // A request that falls at the first statement would be measured for nothing.
        assert_eq!(question.evaluate().decision, Decision::Allowed, "{name}");
        group.bench_function(name, |bencher| bencher.iter(|| black_box(&question).evaluate()));
    }
    let recorded = recorded();
    group.throughput(Throughput::Elements(recorded.len() as u64)).sample_size(20);
    group.bench_function("all recorded questions", |bencher| {
        let evaluate = |question: &Question| question.evaluate().decision == Decision::Allowed;
        bencher.iter(|| black_box(&recorded).iter().filter(|question| evaluate(question)).count());
    });
    group.finish();
}

/// The questions that an independent evaluator answered: some two policies each, and every edge case.
fn recorded() -> Vec<Question> {
    let lines = crosspipe_testing::EVALUATIONS.lines();
    let question = |line| serde_json::from_str::<Value>(line).unwrap().get_mut("question").unwrap().take();
    lines.map(|line| serde_json::from_value(question(line)).unwrap()).collect()
}

criterion_group!(benches, evaluation);
criterion_main!(benches);
