use std::process::Command;

use crosspipe_testing::walkthrough::{KEY, corrected, pipeline};
use serde_json::json;

use crate::{Ran, json_file, run, without_bucket_grant, without_key_grant};

#[test]
fn a_snapshot_without_faults_is_accepted() {
    let snapshot = json_file(&corrected());
    let ran = run(&["lint", snapshot.path()]);
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (Some(0), "1 file: 0 errors, 0 warnings, 0 parts not known\n"),
        "{}",
        ran.err
    );
    let ran = run(&["lint", snapshot.path(), "--format", "json"]);
    assert_eq!((ran.code, ran.json()), (Some(0), json!({"findings": [], "unknown": []})));
}

#[test]
fn statements_are_shown_as_terraform() {
    let snapshot = json_file(&without_key_grant());
    let ran = run(&["lint", snapshot.path(), "--statements", "terraform", "--show-fixes"]);
    let block = "    statement {\n      principals {\n        type        = \"AWS\"\n";
    assert!(ran.out.contains(block), "{}", ran.out);
    let (advice, script) = ran.out.split_once("# in account").unwrap();
    assert!(!advice.contains("\"Principal\""), "not in both forms: {advice}");
    assert!(script.contains("\"Principal\""), "AWS takes its own JSON: {script}");
    let json = run(&["lint", snapshot.path(), "--statements", "terraform", "--format", "json"]).json();
    assert!(json["findings"][0]["fix"].as_str().unwrap().contains("statement {"), "{json}");
}

#[test]
fn finding_has_location_reason_and_fix() {
    let snapshot = json_file(&without_key_grant());
    let ran = run(&["lint", snapshot.path()]);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    let text = std::fs::read_to_string(snapshot.path()).unwrap();
    let line = text.lines().position(|line| line.trim_start().starts_with("\"policy\"")).unwrap() + 1;
    for part in [
        "error[KM001]: key-policy-omits-target",
        &format!("at {}:{line}:", snapshot.path()),
        &format!("keys[\"{KEY}\"].policy"),
        "does not let",
        "\n  because ",
        "  fix:\n    add this statement to the policy of",
        "\"kms:Decrypt\"",
        "1 file: 1 error, 0 warnings, 0 parts not known",
        "next: apply the fixes and lint again; `crosspipe explain KM001`",
    ] {
        assert!(ran.out.contains(part), "`{part}` is not in:\n{}", ran.out);
    }
}

#[test]
fn json_matches_contract() {
    let snapshot = json_file(&without_key_grant());
    let ran = run(&["lint", "--format", "json", snapshot.path()]);
    assert_eq!(ran.code, Some(1));
    let findings = ran.json()["findings"].as_array().unwrap().clone();
    let members: Vec<&str> = findings[0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["rule", "name", "severity", "location", "message", "because", "fix", "docs"]);
    assert_eq!((&findings[0]["rule"], &findings[0]["severity"]), (&json!("KM001"), &json!("error")));
}

#[test]
fn bare_pipeline_gets_structure_rules() {
    let mut structure = pipeline();
    structure["artifactStore"]["encryptionKey"]["id"] = json!("alias/pipeline");
    for bare in [structure.clone(), json!({"pipeline": structure})] {
        let bare = json_file(&bare);
        let ran = run(&["lint", "--format", "json", bare.path()]);
        assert_eq!(ran.code, Some(1), "{}", ran.err);
        let found = ran.json();
        let rules: Vec<&str> =
            found["findings"].as_array().unwrap().iter().map(|it| it["rule"].as_str().unwrap()).collect();
        assert_eq!(rules, ["PL003"]);
        let unknown = &found["unknown"][0];
        assert!(
            unknown["rule"].is_string() && unknown["missing"].as_str().unwrap().starts_with("roles["),
            "{unknown}"
        );
        let ran = run(&["lint", bare.path()]);
        assert!(ran.out.contains("not judged") && ran.out.contains(".trustPolicy (IA002"), "{}", ran.out);
    }
}

#[test]
fn unknown_parts_alone_are_no_fault() {
    let bare = json_file(&pipeline());
    let ran = run(&["lint", bare.path()]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.out.contains("next: lint a snapshot that has these parts, too"), "{}", ran.out);
}

#[test]
fn entries_name_their_file() {
    let (good, key, bucket) =
        (json_file(&corrected()), json_file(&without_key_grant()), json_file(&without_bucket_grant()));
    let ran = run(&["lint", "--format=json", good.path(), key.path(), bucket.path()]);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    let found = ran.json();
    let of: Vec<_> =
        found["findings"].as_array().unwrap().iter().map(|it| (&it["rule"], &it["file"])).collect();
    assert_eq!(of, [(&json!("KM001"), &json!(key.path())), (&json!("S3001"), &json!(bucket.path()))]);
}

/// Sixty files of four megabytes, in a process that may take 250 in all.
#[test]
#[cfg(target_os = "linux")]
fn memory_holds_one_file() {
    let mut snapshot = without_key_grant();
    snapshot["notes"] = json!("x".repeat(4 << 20));
    let large = json_file(&snapshot);
    for format in ["text", "json", "sarif"] {
        let limited = "ulimit -v 256000; command=$1; file=$2; shift 2; exec \"$command\" lint --format \"$@\" \
                       $(yes \"$file\" | head -n 60)";
        let mut shell = Command::new("sh");
        shell.args(["-c", limited, "sh", env!("CARGO_BIN_EXE_crosspipe"), large.path(), format]);
        let ran = Ran::from(shell.output().unwrap());
        assert_eq!(ran.code, Some(1), "{format}: {}", ran.err);
        assert!(ran.out.matches("KM001").count() >= 60, "{format}: {}", ran.out);
    }
}

#[test]
fn unusable_file_hides_no_findings() {
    let key = json_file(&without_key_grant());
    let ran = run(&["lint", "does-not-exist.json", key.path()]);
    ran.unusable(&["does-not-exist.json: it can't be read", "expected: a snapshot"]);
    assert!(ran.out.contains("error[KM001]"), "{}", ran.out);
}

#[test]
fn control_characters_are_escaped() {
    let mut snapshot = without_key_grant();
    snapshot["pipeline"]["pipeline"]["stages"][1]["actions"][0]["name"] = json!("evil\u{1b}[2J");
    let snapshot = json_file(&snapshot);
    let ran = run(&["lint", snapshot.path()]);
    assert!(ran.out.contains("evil") && !ran.out.contains('\u{1b}'), "{}", ran.out);
}

#[test]
fn excerpt_marks_the_value() {
    let mut structure = pipeline();
    structure["artifactStore"]["encryptionKey"]["id"] = json!("alias/pipeline");
    let ran = run(&["lint", json_file(&structure).path()]);
    let lines: Vec<&str> = ran.out.lines().collect();
    let at =
        lines.iter().position(|line| line.contains("| ") && line.contains("\"alias/pipeline\"")).unwrap();
    let column = lines[at].find("\"alias").unwrap();
    assert_eq!(lines[at + 1].find('^'), Some(column), "{}", ran.out);
    assert!(lines[at + 1].ends_with(&" ^^^^^^^^^^^^^^^^"[1..]), "{}", ran.out);
}

#[test]
fn json_escapes_control_characters() {
    let mut snapshot = without_key_grant();
    snapshot["pipeline"]["pipeline"]["stages"][1]["actions"][0]["name"] = json!("evil\u{9b}\u{202e}\u{7f}");
    let snapshot = json_file(&snapshot);
    for format in ["json", "sarif"] {
        let ran = run(&["lint", "--format", format, snapshot.path()]);
        assert!(!ran.out.contains(['\u{9b}', '\u{202e}', '\u{7f}']), "{}", ran.out);
        assert!(ran.json().to_string().contains("evil\u{9b}\u{202e}"), "{}", ran.out);
    }
}

#[test]
fn one_cause_lists_its_actions() {
    let mut snapshot = without_key_grant();
    let actions = snapshot["pipeline"]["pipeline"]["stages"][1]["actions"].as_array_mut().unwrap();
    let mut another = actions[0].clone();
    another["name"] = json!("Another");
    actions.push(another);
    let snapshot = json_file(&snapshot);
    let ran = run(&["lint", snapshot.path()]);
    assert_eq!(ran.out.matches("error[KM001]").count(), 1, "{}", ran.out);
    assert!(ran.out.starts_with("1 file: 1 error"), "{}", ran.out);
    assert!(ran.out.contains("ExternalDeploy") && ran.out.contains("Another"), "{}", ran.out);
    let findings = run(&["lint", "--format", "json", snapshot.path()]).json();
    let findings = findings["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1);
    let message = findings[0]["message"].as_str().unwrap();
    assert!(message.contains("ExternalDeploy") && message.contains("Another"), "{message}");
}

#[test]
fn scripts_are_printed_when_asked_for() {
    let snapshot = json_file(&without_key_grant());
    let short = run(&["lint", snapshot.path()]);
    assert!(!short.out.contains("aws kms put-key-policy"), "{}", short.out);
    assert!(short.out.contains("`--show-fixes` prints the script"), "{}", short.out);
    let long = run(&["lint", "--show-fixes", snapshot.path()]);
    assert!(long.out.contains("aws kms put-key-policy"), "{}", long.out);
}
