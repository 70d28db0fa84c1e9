//! The walkthrough as a whole: to the letter, after its step 16, and corrected.

use crosspipe_core::rules::{Diagnostics, lint};
use crosspipe_core::snapshot::Snapshot;
use crosspipe_testing::walkthrough::{KEY, SERVICE_ROLE, TARGET_ROLE, corrected, letter_key, to_the_letter};
use serde_json::{Value, json};

use crate::check::trust;

fn run(snapshot: Value) -> Diagnostics {
    lint(&Snapshot::from_value(snapshot).unwrap()).unwrap()
}

fn found(diagnostics: &Diagnostics) -> Vec<(&str, &str)> {
    diagnostics.findings.iter().map(|finding| (finding.rule.as_str(), finding.location.as_str())).collect()
}

#[test]
fn literal_walkthrough_has_known_findings() {
    let diagnostics = run(to_the_letter());
    let role = format!("roles[\"{TARGET_ROLE}\"]");
    let trust = format!("{role}.trustPolicy");
    let expected = [
        // Step 3 trusts account A as a whole.
        ("IA003", trust.as_str()),
        // The role reads artifacts, and nothing lets it use the key.
        ("IA004", role.as_str()),
        // The bucket is in us-east-2.
        ("PL004", "artifactStore.encryptionKey.id"),
        // The denial of insecure connections covers objects only.
        ("S3006", "buckets[\"codepipeline-us-east-2-1234567890\"].policy"),
    ];
    assert_eq!(found(&diagnostics), expected, "{:#?}", diagnostics.findings);
    assert!(diagnostics.unknown.is_empty(), "{:?}", diagnostics.unknown);
    let key = letter_key();
    assert!(diagnostics.findings[1].fix.contains(&key), "{}", diagnostics.findings[1].fix);
    assert!(
        diagnostics.findings[2].message.contains("us-east-2")
            && diagnostics.findings[2].message.contains("us-east-1")
    );
}

#[test]
fn step_16_narrows_the_trust() {
    let mut snapshot = to_the_letter();
    trust(
        TARGET_ROLE,
        json!([{"Effect": "Allow", "Principal": {"AWS": SERVICE_ROLE}, "Action": "sts:AssumeRole", "Condition": {}}]),
    )(&mut snapshot);
    let rules: Vec<&str> = run(snapshot).findings.iter().map(|finding| finding.rule.as_str()).collect();
    assert_eq!(rules, ["IA004", "PL004", "S3006"]);
}

#[test]
fn pasting_each_fix_leaves_no_fault() {
    let mut snapshot = to_the_letter();
    let diagnostics = run(snapshot.clone());
    let of = |rule: &str| {
        let finding = diagnostics.findings.iter().find(|finding| finding.rule.as_str() == rule).unwrap();
        finding.statements.clone()
    };
    snapshot["roles"][TARGET_ROLE]["trustPolicy"]["Statement"] = json!(of("IA003"));
    snapshot["roles"][TARGET_ROLE]["inlinePolicies"]["key"] =
        json!({"Version": "2012-10-17", "Statement": of("IA004")});
    let bucket = &mut snapshot["buckets"]["codepipeline-us-east-2-1234567890"]["policy"]["Statement"];
    bucket.as_array_mut().unwrap().extend(of("S3006"));
    // PL004: a key of the store's Region, with the policies that name it.
    let moved = snapshot.to_string().replace(&letter_key(), KEY);
    let diagnostics = run(serde_json::from_str(&moved).unwrap());
    assert!(diagnostics.findings.is_empty(), "{:#?}", diagnostics.findings);
}

#[test]
fn corrected_it_is_accepted() {
    let diagnostics = run(corrected());
    assert!(diagnostics.findings.is_empty(), "{:#?}", diagnostics.findings);
    assert!(diagnostics.unknown.is_empty(), "{:?}", diagnostics.unknown);
}

#[test]
fn bare_pipeline_gives_structure_rules() {
    let diagnostics = run(corrected()["pipeline"].clone());
    assert!(diagnostics.findings.is_empty(), "{:#?}", diagnostics.findings);
    assert!(
        diagnostics.unknown.iter().all(|unknown| !unknown.rule.as_str().starts_with("PL")),
        "{:?}",
        diagnostics.unknown
    );
    for rule in ["IA001", "IA002", "IA004", "IA005", "KM001", "S3001"] {
        assert!(diagnostics.unknown.iter().any(|unknown| unknown.rule.as_str() == rule), "{rule}");
    }
}

/// Where a policy was read, what is open is the condition and not the policy.
#[test]
fn open_condition_is_named() {
    let mut snapshot = corrected();
    let conditional = json!({"Sid": "Team", "Effect": "Allow", "Action": "kms:*", "Resource": "*",
        "Condition": {"StringEquals": {"aws:RequestTag/team": "shop"}}});
    let policies = &mut snapshot["roles"][TARGET_ROLE]["inlinePolicies"];
    *policies = json!({"own": {"Statement": [conditional,
        {"Effect": "Allow", "Action": ["s3:*", "codedeploy:*"], "Resource": "*"}]}});
    let diagnostics = run(snapshot);
    let missing: Vec<&str> = diagnostics.unknown.iter().map(|it| it.missing.as_str()).collect();
    let said = missing
        .iter()
        .any(|it| it.ends_with("it depends on the condition aws:RequestTag/team of statement `Team`"));
    assert!(said, "{missing:?}");
}
