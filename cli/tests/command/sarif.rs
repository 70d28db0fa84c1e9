use crosspipe_core::rules::ALL;
use crosspipe_testing::walkthrough::{corrected, pipeline};
use serde_json::{Value, json};

use crate::schema::faults;
use crate::{json_file, run, without_bucket_grant, without_key_grant};

fn schema() -> Value {
    serde_json::from_str(include_str!("../data/sarif-schema-2.1.0.json")).unwrap()
}

fn sarif(files: &[&str]) -> Value {
    run(&[&["lint", "--format", "sarif"], files].concat()).json()
}

#[test]
fn sarif_matches_standard_schema() {
    let (good, key, bucket, bare) = (
        json_file(&corrected()),
        json_file(&without_key_grant()),
        json_file(&without_bucket_grant()),
        json_file(&pipeline()),
    );
    for files in [
        &[good.path()][..],
        &[bare.path()],
        &[key.path(), bucket.path(), bare.path()],
        &["does-not-exist.json", key.path()],
    ] {
        let log = sarif(files);
        assert_eq!(faults(&schema(), &log), Vec::<String>::new());
    }
}

#[test]
fn the_schema_is_looked_at() {
    let mut log = sarif(&[json_file(&without_key_grant()).path()]);
    log["runs"][0]["results"][0]["level"] = json!("fatal");
    log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = json!(0);
    log["runs"][0]["tool"]["driver"].as_object_mut().unwrap().remove("name");
    log["runs"][0]["more"] = json!(1);
    let faults = faults(&schema(), &log);
    for (fault, what) in faults.iter().zip(["name", "fatal", "minimum", "no such member"]) {
        assert!(fault.contains(what), "{faults:#?}");
    }
    assert_eq!(faults.len(), 4, "{faults:#?}");
}

#[test]
fn sarif_result_fits_code_scanning() {
    let file = json_file(&without_key_grant());
    let log = sarif(&[file.path()]);
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), ALL.len());
    for rule in rules {
        assert!(rule["help"]["markdown"].as_str().unwrap().contains("## How to fix"), "{rule}");
        assert!(rule["helpUri"].as_str().unwrap().starts_with("https://docs.aws.amazon.com/"), "{rule}");
    }
    let result = &run["results"][0];
    assert_eq!((&result["ruleId"], &result["level"]), (&json!("KM001"), &json!("error")));
    let index = result["ruleIndex"].as_u64().unwrap() as usize;
    assert_eq!(rules[index]["id"], "KM001");
    assert!(result["message"]["text"].as_str().unwrap().contains("kms:Decrypt"));
    let place = &result["locations"][0]["physicalLocation"];
    let uri = place["artifactLocation"]["uri"].as_str().unwrap();
    assert!(file.path().ends_with(uri.trim_start_matches("file://")), "{uri}");
    let text = std::fs::read_to_string(file.path()).unwrap();
    let line = text.lines().nth(place["region"]["startLine"].as_u64().unwrap() as usize - 1).unwrap();
    let column = place["region"]["startColumn"].as_u64().unwrap() as usize;
    assert!(line.trim_start().starts_with("\"policy\"") && line[column - 1..].starts_with('{'), "{line}");
}

#[test]
fn sarif_notes_name_unknowns() {
    let bare = json_file(&pipeline());
    let log = sarif(&["does-not-exist.json", bare.path()]);
    let invocation = &log["runs"][0]["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    let told = invocation["toolExecutionNotifications"].as_array().unwrap();
    assert!(
        told[0]["message"]["text"].as_str().unwrap().starts_with("does-not-exist.json: it can't be read")
    );
    assert!(told.iter().skip(1).all(|told| told["level"] == "note"), "{told:#?}");
    assert!(told[1]["message"]["text"].as_str().unwrap().ends_with("is not known"), "{told:#?}");
}
