//! Templates as JSON.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use crosspipe_e2e::Venv;
use serde_json::{Map, Value};

pub(crate) const TOOLS: &str = "template.yaml";
pub(crate) const PIPELINE: &str = "pipeline.yaml";
pub(crate) const TARGET: &str = "target-account.yaml";

pub(crate) static VENV: LazyLock<Venv> = LazyLock::new(|| Venv::ensure().expect("a Python environment"));
pub(crate) static TEMPLATES: LazyLock<BTreeMap<&str, Value>> =
    LazyLock::new(|| [TOOLS, PIPELINE, TARGET].into_iter().map(|name| (name, parse(name))).collect());

/// Every permission statement of the templates, with the logical id of the role or policy it is in.
pub(crate) fn statements() -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for (id, resource) in TEMPLATES.values().flat_map(|template| object(&template["Resources"])) {
        let properties = &resource["Properties"];
        let inline = items(&properties["Policies"]).map(|policy| {
            // A policy under a condition: the branch that has one.
            let policy = policy.get("Fn::If").map_or(policy, |branches| &branches[1]);
            &policy["PolicyDocument"]
        });
        let managed =
            (resource["Type"] == "AWS::IAM::ManagedPolicy").then_some(&properties["PolicyDocument"]);
        for document in inline.chain(managed) {
            assert_eq!(document["Version"], "2012-10-17", "{id}");
            for statement in items(&document["Statement"]) {
                // A statement under a condition: the branch that has one.
                let statement = statement.get("Fn::If").map_or(statement, |branches| &branches[1]);
                found.push((id.clone(), statement.clone()));
            }
        }
    }
    assert!(found.len() > 30, "statements are where they are looked for");
    found
}

/// The members of a list; a single value is a list of one, nothing an empty one.
pub(crate) fn items(value: &Value) -> impl Iterator<Item = &Value> {
    let list = match value {
        Value::Null => &[],
        Value::Array(list) => list.as_slice(),
        single => std::slice::from_ref(single),
    };
    list.iter()
}

pub(crate) fn strings(value: &Value) -> impl Iterator<Item = &str> {
    items(value).map(|item| item.as_str().expect("a string"))
}

pub(crate) fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().expect("an object")
}

pub(crate) fn keys(value: &Value) -> BTreeSet<&str> {
    object(value).keys().map(String::as_str).collect()
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_owned()
}

pub(crate) fn read(template: &str) -> String {
    std::fs::read_to_string(root().join(template)).expect("readable")
}

/// The template as JSON, short forms (`!Ref`) written out: cfn-lint's own reading of it.
pub(crate) fn parse(template: &str) -> Value {
    let script = "import json, sys\nfrom cfnlint.decode import cfn_yaml\nprint(json.dumps(cfn_yaml.load(sys.argv[1])))";
    let output = Command::new(VENV.python())
        .args(["-c", script])
        .arg(root().join(template))
        .output()
        .expect("python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// cfn-lint's findings in three Regions of different age, informational ones included.
pub(crate) fn cfn_lint(templates: &[PathBuf]) -> Output {
    Command::new(VENV.cfn_lint())
        .args(["--regions", "us-east-1", "eu-central-2", "ap-southeast-2", "--include-checks", "I", "--"])
        .args(templates)
        .output()
        .expect("cfn-lint runs")
}

/// What the `AWS::Serverless` transform makes of a template, functions packaged: as CloudFormation gets it.
pub(crate) fn translate(template: &str) -> Value {
    let script = r#"
import json, sys
import boto3
from cfnlint.decode import cfn_yaml
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

template = json.loads(json.dumps(cfn_yaml.load(sys.argv[1])))
for resource in template["Resources"].values():
    if resource["Type"] == "AWS::Serverless::Function":
        resource["Properties"]["CodeUri"] = "s3://packages/function.zip"
session = boto3.Session(region_name="eu-west-1")
translator = Translator({}, Parser(), boto_session=session)
print(json.dumps(translator.translate(template, parameter_values={})))
"#;
    let output = Command::new(VENV.python())
        .args(["-c", script])
        .arg(root().join(template))
        .output()
        .expect("python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}
