//! Stacks: resource types that ministack lacks, and custom resources answered by a native function.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crosspipe_e2e::{Account, LocalAws, StackError, functions};
use serde_json::{Value, json};

use crate::support::Scene;

const CAPABILITIES: &[&str] = &["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"];

/// A SAM template with the probe function; `resources` follow at the same indentation.
fn probe_template(account: &Account<'_>, resources: &str) -> String {
    let template = format!(
        "Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    Runtime: provided.al2023
Resources:
  Probe:
    Type: AWS::Serverless::Function
    Metadata: {{BuildMethod: rust-cargolambda}} # kept, comment and all
    Properties:
      CodeUri: .
      Handler: bootstrap
      Timeout: 20
{resources}"
    );
    let code = functions::lay_out_binary(Path::new(env!("CARGO_BIN_EXE_probe_function"))).unwrap();
    let path = code.join(format!("template-{}.yaml", account.id()));
    fs::write(&path, &template).unwrap();
    let code = BTreeMap::from([("Probe".to_owned(), PathBuf::from(&code))]);
    let packaged = account.package_template(&path, &code, &format!("code-{}", account.id())).unwrap();
    let (before, after) = template.split_once("CodeUri: .\n").unwrap();
    assert!(packaged.starts_with(before) && packaged.ends_with(after), "only `CodeUri` changes");
    packaged
}

fn custom(fail: &str) -> String {
    format!(
        "  Thing:\n    Type: Custom::Thing\n    Properties: {{ServiceToken: !GetAtt Probe.Arn, Fail: '{fail}'}}\nOutputs:\n  \
         Said: {{Value: !GetAtt Thing.Said}}\n"
    )
}

fn account() -> Account<'static> {
    let [id] = LocalAws::shared().new_accounts();
    LocalAws::shared().account(id)
}

#[test]
fn custom_resource_life_cycle() {
    let account = account();
    let template = probe_template(&account, &custom(""));
    let outputs = account.deploy_stack("probe", &template, &[], CAPABILITIES).unwrap();
    assert_eq!(outputs["Said"], "probe-Thing");
    let failing = template.replace("Fail: ''", "Fail: 'Update'");
    let StackError::Failed(failure) = account.update_stack("probe", &failing, &[], CAPABILITIES).unwrap_err()
    else {
        panic!("the update was refused");
    };
    assert_eq!(failure.reason("Thing"), Some("Update was to fail"));
    assert_eq!(failure.status, "UPDATE_ROLLBACK_COMPLETE");
    account.delete_stack("probe").unwrap();
    assert!(account.delete_stack("probe").is_err(), "it is gone");
}

#[test]
fn failed_create_is_deleted_by_id() {
    let account = account();
    let template = probe_template(&account, &custom("Create"));
    let StackError::Failed(failure) =
        account.deploy_stack("probe", &template, &[], CAPABILITIES).unwrap_err()
    else {
        panic!("the stack was refused");
    };
    assert_eq!(failure.status, "ROLLBACK_COMPLETE", "{failure}");
    assert_eq!(failure.reason("Thing"), Some("Create was to fail"));
    let deleted =
        failure.events.iter().find(|event| event.logical_id == "Thing" && event.status == "DELETE_COMPLETE");
    assert_eq!(deleted.map(|event| event.physical_id.as_str()), Some("probe-Thing"));
}

#[test]
fn failed_events_reach_dead_letter_queue() {
    let scene = Scene::with_grants();
    let rule = |permission: &str| {
        format!(
            "  Queue:
    Type: AWS::SQS::Queue
  Retries:
    Type: AWS::Lambda::EventInvokeConfig
    Properties:
      FunctionName: !Ref Probe
      Qualifier: $LATEST
      MaximumRetryAttempts: 0
      DestinationConfig: {{OnFailure: {{Destination: !GetAtt Queue.Arn}}}}
  Rule:
    Type: AWS::Events::Rule
    Properties:
      EventPattern: {{source: [aws.codepipeline], detail: {{state: [FAILED]}}}}
      Targets:
        - Id: probe
          Arn: !GetAtt Probe.Arn
          RetryPolicy: {{MaximumRetryAttempts: 2}}
          DeadLetterConfig: {{Arn: !GetAtt Queue.Arn}}
{permission}Outputs:
  Queue: {{Value: !Ref Queue}}
"
        )
    };
    let permission = "  Permission:
    Type: AWS::Lambda::Permission
    Properties: {Action: lambda:InvokeFunction, FunctionName: !Ref Probe, Principal: events.amazonaws.com, SourceArn: !GetAtt Rule.Arn}
";
    let template = probe_template(&scene.a, &rule(""));
    scene.a.deploy_stack("reporter", &template, &[], CAPABILITIES).unwrap();
    scene.create_pipeline("run");
    scene.a.call("s3", "delete_bucket_policy", json!({"Bucket": scene.bucket})).unwrap();
    scene.deploy("run");
    let log = fs::read_to_string(scene.a.aws().log_path()).unwrap();
    assert!(
        log.lines()
            .any(|line| line.contains("its resource policy does not allow") && line.contains(scene.a.id()))
    );

    let template = probe_template(&scene.a, &rule(permission));
    let outputs = scene.a.update_stack("reporter", &template, &[], CAPABILITIES).unwrap();
    scene.deploy("run");
    let request = json!({"QueueUrl": outputs["Queue"], "WaitTimeSeconds": 20});
    let message = scene.a.call("sqs", "receive_message", request).unwrap();
    let body: Value = serde_json::from_str(message["Messages"][0]["Body"].as_str().unwrap()).unwrap();
    assert!(body.to_string().contains("CodePipeline"), "{body}");
}

#[test]
fn role_policy_comes_and_goes() {
    let scene = Scene::without_grants();
    let template = |action: &str| {
        format!(
            "Parameters: {{Role: {{Type: String}}}}
Resources:
  Inline:
    Type: AWS::IAM::RolePolicy
    Properties:
      RoleName: !Ref Role
      PolicyName: inline
      PolicyDocument: {{Version: '2012-10-17', Statement: [{{Effect: Allow, Action: '{action}', Resource: '*'}}]}}
  Managed:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      Roles: [!Ref Role]
      PolicyDocument: {{Version: '2012-10-17', Statement: [{{Effect: Allow, Action: 's3:GetObject', Resource: '*'}}]}}
"
        )
    };
    let parameters = &[("Role", "XR")];
    scene.b.deploy_stack("target", &template("kms:Decrypt"), parameters, CAPABILITIES).unwrap();
    let document =
        || scene.b.call("iam", "get_role_policy", json!({"RoleName": "XR", "PolicyName": "inline"}));
    assert!(document().unwrap().to_string().contains("kms:Decrypt"));
    scene.b.update_stack("target", &template("kms:Encrypt"), parameters, CAPABILITIES).unwrap();
    assert!(document().unwrap().to_string().contains("kms:Encrypt"));
    let attached = || scene.b.call("iam", "list_attached_role_policies", json!({"RoleName": "XR"})).unwrap();
    assert_eq!(attached()["AttachedPolicies"].as_array().map(Vec::len), Some(1));
    scene.b.delete_stack("target").unwrap();
    assert_eq!(document().unwrap_err().code, "NoSuchEntity");
    assert_eq!(attached()["AttachedPolicies"], json!([]));
}

#[test]
fn stack_resources_carry_its_tags() {
    let scene = Scene::with_grants();
    let template = format!(
        "Resources:
  Key:
    Type: AWS::KMS::Key
    Properties:
      KeyPolicy: {{Version: '2012-10-17', Statement: [{{Effect: Allow, Principal: {{AWS: !Ref AWS::AccountId}}, Action: 'kms:*', Resource: '*'}}]}}
  Bucket:
    Type: AWS::S3::Bucket
  Pipeline:
    Type: AWS::CodePipeline::Pipeline
    Properties:
      Name: stacked
      PipelineType: V2
      RoleArn: {role}
      ArtifactStores:
        - Region: !Ref AWS::Region
          ArtifactStore: {{Type: S3, Location: !Ref Bucket, EncryptionKey: {{Id: !GetAtt Key.Arn, Type: KMS}}}}
      Stages:
        - Name: Source
          Actions:
            - Name: Fetch
              ActionTypeId: {{Category: Source, Owner: AWS, Provider: S3, Version: '1'}}
              Configuration: {{S3Bucket: !Ref Bucket, PollForSourceChanges: false}}
              OutputArtifacts: [{{Name: App}}]
              RunOrder: '1'
        - Name: Approve
          Actions:
            - {{Name: Ask, ActionTypeId: {{Category: Approval, Owner: AWS, Provider: Manual, Version: '1'}}}}
Outputs:
  Version: {{Value: !GetAtt Pipeline.Version}}
  Bucket: {{Value: !Ref Bucket}}
  Key: {{Value: !Ref Key}}
",
        role = scene.service_role
    );
    let outputs = scene.a.deploy_stack("tools", &template, &[], CAPABILITIES).unwrap();
    assert_eq!(outputs["Version"], "1");
    let got = scene.a.call("codepipeline", "get_pipeline", json!({"name": "stacked"})).unwrap();
    assert_eq!(got["pipeline"]["artifactStores"]["eu-west-1"]["location"], outputs["Bucket"].as_str());
    assert_eq!(
        got["pipeline"]["stages"][0]["actions"][0]["configuration"]["S3Bucket"],
        outputs["Bucket"].as_str()
    );
    let tagged = |tags: Value| tags.to_string().contains("aws:cloudformation:stack-name");
    let arn = &got["metadata"]["pipelineArn"];
    assert!(tagged(
        scene.a.call("codepipeline", "list_tags_for_resource", json!({"resourceArn": arn})).unwrap()
    ));
    assert!(tagged(scene.a.call("s3", "get_bucket_tagging", json!({"Bucket": outputs["Bucket"]})).unwrap()));
    assert!(tagged(scene.a.call("kms", "list_resource_tags", json!({"KeyId": outputs["Key"]})).unwrap()));

    let broken = template.replace("RunOrder: '1'", "InputArtifacts: [{Name: Missing}]");
    let StackError::Failed(failure) = scene.a.update_stack("tools", &broken, &[], CAPABILITIES).unwrap_err()
    else {
        panic!("the update was refused");
    };
    assert!(failure.reason("Pipeline").unwrap().contains("InvalidStructureException"), "{failure}");
    scene.a.delete_stack("tools").unwrap();
    let gone = scene.a.call("codepipeline", "get_pipeline", json!({"name": "stacked"}));
    assert_eq!(gone.unwrap_err().code, "PipelineNotFoundException");
}

#[test]
fn role_without_trust_fails_stack() {
    let scene = Scene::without_grants();
    let template = format!(
        "Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {{Version: '2012-10-17', Statement: [{{Effect: Allow, Principal: {{AWS: 'arn:aws:iam::{}:role/Later'}}, Action: 'sts:AssumeRole'}}]}}
",
        scene.a.id()
    );
    let StackError::Failed(failure) =
        scene.b.deploy_stack("early", &template, &[], CAPABILITIES).unwrap_err()
    else {
        panic!("the stack was refused");
    };
    assert!(failure.reason("Role").unwrap().starts_with("Invalid principal in policy"), "{failure}");
}
