use crosspipe_testing::walkthrough::{KEY, corrected};
use serde_json::{Value, json};

use crate::diagnose::event;
use crate::{Ran, file, json_file, run};

/// Gives these bytes to every subcommand that reads a file, in each place; all have to refuse them.
fn each(bytes: &[u8]) -> [Ran; 4] {
    let (bad, event, snapshot) = (file(bytes), json_file(&event()), json_file(&corrected()));
    [
        run(&["lint", bad.path()]),
        run(&["evaluate", bad.path()]),
        run(&["diagnose", "--event", bad.path(), "--snapshot", snapshot.path()]),
        run(&["diagnose", "--event", event.path(), "--snapshot", bad.path()]),
    ]
}

#[test]
fn arbitrary_bytes_are_refused_with_position() {
    let deep = "[".repeat(100_000);
    let cut = format!("{:#}", corrected());
    let cut = &cut.as_bytes()[..cut.len() / 2];
    let cases: [&[u8]; 12] = [
        b"",
        b" ",
        b"\0\xff\xfe\x80",
        b"\xff\xfe{\0}\0",
        b"\x1f\x8b\x08",
        b"nonsense",
        b"null",
        b"[]",
        b"{}",
        b"\"\xed\xa0\x80\"",
        deep.as_bytes(),
        cut,
    ];
    for bytes in cases {
        for ran in each(bytes) {
            ran.unusable(&[".json:1:", "expected: "][usize::from(bytes == cut)..]);
        }
    }
    let [lint, evaluate, event, snapshot] = each(b"{\n  \"a\": 1,\n  oops\n}");
    // Its requests are lines.
    evaluate.unusable(&["4 of 4 lines", ".json:1:1: it is not JSON"]);
    for ran in [lint, event, snapshot] {
        ran.unusable(&[".json:3:3: it is not JSON: key must be a string"]);
    }
}

#[test]
fn truncated_snapshot_is_refused() {
    let whole = format!("{:#}", corrected());
    let step = whole.len() / 40;
    for end in (0..whole.len() - 2).step_by(step) {
        let cut = file(&whole[..end]);
        run(&["lint", cut.path()]).unusable(&["it is not JSON", "expected: a snapshot"]);
    }
}

#[test]
fn wrong_type_names_its_line() {
    let changed = |pointer: &str, value: Value| {
        let mut snapshot = corrected();
        *snapshot.pointer_mut(pointer).unwrap() = value;
        let text = format!("{snapshot:#}");
        let line = text.lines().position(|line| line.contains("4711")).unwrap() + 1;
        (run(&["lint", file(text).path()]), format!(".json:{line}:"))
    };
    let (ran, line) = changed("/pipeline/pipeline/stages/1/actions/0/roleArn", json!(4711));
    ran.unusable(&[&line, "`stages[1].actions[0].roleArn`", "string"]);
    let (ran, line) = changed("/pipeline/pipeline/artifactStore/location", json!([4711]));
    // The list begins on the line before.
    assert_ne!(ran.code, Some(0), "{line}");
    ran.unusable(&["`artifactStore.location`"]);
    let (ran, line) = changed("/roles", json!(4711));
    ran.unusable(&[&line, "shape"]);
    let key = KEY.replace('/', "~1");
    let (ran, line) = changed(&format!("/keys/{key}/grants"), json!(4711));
    ran.unusable(&[&line, "shape"]);
}

#[test]
fn byte_order_mark_is_accepted() {
    let snapshot = file(format!("\u{feff}{}", corrected()));
    assert_eq!(run(&["lint", snapshot.path()]).code, Some(0));
}

#[test]
fn unusable_arguments_are_exit_code_2() {
    for arguments in
        [&[][..], &["lint"], &["lint", "--format", "xml", "x"], &["diagnose", "--event", "x"], &["mend"]]
    {
        run(arguments).unusable(&["--help"]);
    }
    run(&["evaluate", "does-not-exist.jsonl"])
        .unusable(&["does-not-exist.jsonl: it can't be read", "expected: "]);
    let directory = env!("CARGO_TARGET_TMPDIR");
    run(&["lint", directory]).unusable(&[directory, "can't be read", "expected: "]);
}

#[test]
fn yaml_is_named_as_such() {
    for yaml in ["version: 1\nstages:\n  - a\n", "# a\n---\na: 1\n", "- a\n- b\n"] {
        run(&["lint", file(yaml).path()]).unusable(&["it is YAML", "`--output json`"]);
    }
    run(&["lint", file("nonsense").path()]).unusable(&["it is not JSON"]);
}

#[test]
fn plan_reads_templates_in_yaml() {
    let template = file(
        "Resources:\n  Grant:\n    Type: Custom::ArtifactKeyGrant\n    Properties:\n      ServiceToken: !ImportValue t\n      \
         KeyArn: !Ref Key\n  Bucket: {Type: AWS::S3::Bucket}\n",
    );
    run(&["plan", template.path()]).unusable(&["it is a template", "`--resource`: Grant\n"]);
    run(&["plan", template.path(), "--resource", "Other"]).unusable(&["no resource `Other`"]);
    run(&["plan", template.path(), "--resource", "Grant"])
        .unusable(&["property `KeyArn` is `Ref`", "write the value"]);
    run(&["plan", file("a: b: c").path()]).unusable(&["it is not YAML"]);
}
