//! What a message says went wrong.

use crosspipe_core::incident::message::{ErrorSignature, claim};

use crate::ROLE;

fn key_in_b() -> Option<String> {
    Some("arn:aws:kms:us-east-2:222222222222:key/1234abcd".into())
}

#[test]
fn catalogue_wordings_are_understood() {
    let role = |role: &str| ErrorSignature::AssumeRole { role: role.into() };
    let bucket = || Some("codepipeline-us-east-2-1234567890".to_owned());
    let permissions =
        |service: Option<&str>| ErrorSignature::RolePermissions { service: service.map(str::to_owned) };
    let cases: Vec<(&str, ErrorSignature)> = vec![
        (
            "Unable to access the artifact with Amazon S3 object key 'MyFirstPipeline/MyAppBuild/AbC12' located in the Amazon S3 artifact bucket 'codepipeline-us-east-2-1234567890'. The provided role does not have sufficient permissions.",
            ErrorSignature::Artifact { bucket: bucket() },
        ),
        (
            "Key 'arn:aws:kms:us-east-2:222222222222:key/1234abcd' does not exist (Service: AWSKMS; Status Code: 400; Error Code: NotFoundException; Request ID: 1)",
            ErrorSignature::NoSuchKey { key: key_in_b() },
        ),
        (
            "Key 'arn:aws:kms:us-east-2:222222222222:key/1234abcd' does not exist (Service: Amazon S3; Status Code: 400; Error Code: KMS.NotFoundException; Request ID: 1; S3 Extended Request ID: 2)",
            ErrorSignature::NoSuchKey { key: key_in_b() },
        ),
        (
            "Invalid keyId alias/x (Service: Amazon S3; Status Code: 400; Error Code: KMS.NotFoundException)",
            ErrorSignature::NoSuchKey { key: None },
        ),
        (
            "Failed replicating artifact from source to destination: Invalid Arn arn:aws:kms:us-east-1:111111111111:key/1 (Service: Amazon S3; Status Code: 400)",
            ErrorSignature::Replication,
        ),
        (
            "Replication of artifact 'SourceArtifact' failed: Failed replicating artifact from a to b. Check source and destination artifact buckets exist and pipeline role has permission to access it.",
            ErrorSignature::Replication,
        ),
        (
            "Cross-account pass role is not allowed (Service: AmazonCloudFormation; Status Code: 403; Error Code: AccessDenied; Request ID: 1)",
            ErrorSignature::PassRoleAcross,
        ),
        (
            "Your pipeline contains actions in more than one region. Use 'pipeline.artifactStores' to specify an artifact bucket for each region.",
            ErrorSignature::NoStoreInRegion,
        ),
        (
            "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access. (Service: AWSKMS; Status Code: 400; Error Code: AccessDeniedException; Request ID: 1)",
            ErrorSignature::Key,
        ),
        (
            "The provided role does not have permissions to perform this action. Underlying error: Access Denied",
            permissions(None),
        ),
        (
            "arn:aws:kms:us-east-2:222222222222:key/1234abcd is disabled. (Service: Amazon S3; Status Code: 400; Error Code: KMS.DisabledException; Request ID: 1)",
            ErrorSignature::KeyNotUsable { key: key_in_b() },
        ),
        (
            "key is pending deletion. (Service: Amazon S3; Status Code: 400; Error Code: KMS.KMSInvalidStateException)",
            ErrorSignature::KeyNotUsable { key: None },
        ),
        (
            "An error occurred (MalformedPolicyDocumentException) when calling the PutKeyPolicy operation: Policy contains a statement with one or more invalid principals.",
            ErrorSignature::InvalidPrincipal,
        ),
        (
            "An error occurred (MalformedPolicy) when calling the PutBucketPolicy operation: Invalid principal in policy",
            ErrorSignature::InvalidPrincipal,
        ),
        (
            "The service role or action role doesn\u{2019}t have the permissions required to access the Amazon S3 bucket named codepipeline-us-east-2-1234567890. Update the IAM role permissions, and then try again. Error: Amazon S3:AccessDenied:Access Denied (Service: Amazon S3; Status Code: 403; Error Code: AccessDenied; Request ID: 1)",
            ErrorSignature::Bucket { bucket: bucket() },
        ),
        (
            "Access Denied (Service: Amazon S3; Status Code: 403; Error Code: AccessDenied)",
            ErrorSignature::Bucket { bucket: None },
        ),
        ("Access Denied", ErrorSignature::Refused),
        (
            "The bucket does not allow ACLs (Service: Amazon S3; Status Code: 400; Error Code: AccessControlListNotSupported; Request ID: 1)",
            ErrorSignature::NoAcls,
        ),
        (
            "Upload to S3 failed with the following error: Access Denied",
            ErrorSignature::Bucket { bucket: None },
        ),
        (
            "arn:aws:iam::111111111111:role/service-role/CodePipeline_Service_Role is not authorized to perform AssumeRole on role arn:aws:iam::222222222222:role/CrossAccount_Role (Service: null; Status Code: 0; Error Code: InvalidStructureException; Request ID: null)",
            role(ROLE),
        ),
        (
            "CodePipeline is not authorized to perform AssumeRole on role arn:aws:iam::111111111111:role/AWSCodePipelineServiceRole",
            role("arn:aws:iam::111111111111:role/AWSCodePipelineServiceRole"),
        ),
        (
            "The provided role does not have sufficient permissions to access CodeDeploy",
            permissions(Some("CodeDeploy")),
        ),
        (
            "The provided role does not have sufficient permissions to access CodeDeploy.",
            permissions(Some("CodeDeploy")),
        ),
        (
            "InstanceAgent::Plugins::CodeDeployPlugin::CommandPoller: Error during perform: Aws::S3::Errors::AccessDenied - Access Denied; DownloadBundle; \"error_code\":5",
            ErrorSignature::InstanceBucket,
        ),
        ("The deployment failed because HEALTH_CONSTRAINTS", ErrorSignature::Instances),
        (
            "The overall deployment failed because too many individual instances failed deployment, too few healthy instances are available for deployment, or some instances in your deployment group are experiencing problems. (Error code: HEALTH_CONSTRAINTS)",
            ErrorSignature::Instances,
        ),
        (
            "Your access has been denied by S3, please make sure your request credentials have permission to GetObject for codepipeline-us-east-2-1234567890/app. S3 Error Code: AccessDenied. S3 Error Message: Access Denied",
            ErrorSignature::StackBucket,
        ),
        ("No bucket with the name my-site was found", ErrorSignature::NotPermission),
        (
            "Error calling startBuild: Project cannot be found: arn:aws:codebuild:us-east-2:111111111111:project/x (Service: AWSCodeBuild; Status Code: 400)",
            ErrorSignature::NotPermission,
        ),
        (
            "The AWS Lambda function f failed to return a result. Check the function to verify that it has permission to call the PutJobSuccessResult action and that it made a call to PutJobSuccessResult.",
            ErrorSignature::LambdaSilent,
        ),
        (
            "Unable to use Connection: arn:aws:codestar-connections:us-east-2:111111111111:connection/1. The provided role does not have sufficient permissions.",
            ErrorSignature::Connection,
        ),
        (
            "You must be the master or delegated admin account of an organization before operating a SERVICE_MANAGED stack set",
            ErrorSignature::StackSetAdmin,
        ),
        (
            "Alias arn:aws:kms:us-east-2:222222222222:alias/shop is not found. (Service: Amazon S3; Status Code: 400; Error Code: KMS.NotFoundException)",
            ErrorSignature::NoSuchKey { key: Some("arn:aws:kms:us-east-2:222222222222:alias/shop".into()) },
        ),
        (
            "The provided role does not have sufficient permissions to access Amazon ECS",
            permissions(Some("ECS")),
        ),
        (
            "The specified bucket does not exist (Service: Amazon S3; Status Code: 404; Error Code: NoSuchBucket)",
            ErrorSignature::NoSuchBucket,
        ),
        (
            "Build terminated with state: FAILED. Phase: DOWNLOAD_SOURCE, Code: CLIENT_ERROR, Message: AccessDenied: Access Denied status code: 403, request id: D18C, host id: q8= for primary source and source version arn:aws:s3:::shop/x",
            ErrorSignature::BuildSource,
        ),
        (
            "Build terminated with state: FAILED. Phase: BUILD, Code: COMMAND_EXECUTION_ERROR, Message: aws s3 cp: Access Denied",
            ErrorSignature::OwnWork,
        ),
        ("DownloadBundle: UnknownError: Access Denied", ErrorSignature::InstanceBucket),
        ("BeforeInstall: ScriptFailed: aws s3 cp: Access Denied", ErrorSignature::OwnWork),
        ("Deployment d-ABCDEF123 failed", ErrorSignature::Nothing),
        ("", ErrorSignature::Nothing),
    ];
    for (message, expected) in cases {
        assert_eq!(claim(message), expected, "{message}");
    }
}

#[test]
fn builds_give_reasons_or_do_their_own_work() {
    let build = |rest: &str| claim(&format!("Build terminated with state: {rest}"));
    let failed = "FAILED. Phase: UPLOAD_ARTIFACTS, Code: CLIENT_ERROR, Message:";
    assert_eq!(build(&format!("{failed} no matching artifact paths found")), ErrorSignature::NotPermission);
    let image = "FAILED. Phase: PROVISIONING, Code: BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE, Message: toomanyrequests: pull rate limit reached";
    assert_eq!(build(image), ErrorSignature::NotPermission);
    assert_eq!(build("TIMED_OUT"), ErrorSignature::NotPermission);
    assert_eq!(build("FAILED"), ErrorSignature::OwnWork);
    let command = "FAILED. Phase: BUILD, Code: COMMAND_EXECUTION_ERROR, Message: Error while executing command: make. Reason: exit status 2";
    assert_eq!(build(command), ErrorSignature::OwnWork);
}

#[test]
fn what_can_not_be_reached_is_no_matter_of_permissions() {
    for message in [
        "Kubernetes cluster unreachable: Get \"https://1.gr7.us-east-2.eks.amazonaws.com/version\": dial tcp 10.0.0.1:443: i/o timeout",
        "(service shop) was unable to place a task because no container instance met all of its requirements.",
        "Received FAILURE signal with UniqueId i-0f3a9c8d7e6b54321",
    ] {
        assert_eq!(claim(message), ErrorSignature::NotPermission, "{message}");
    }
}

#[test]
fn the_bucket_that_refuses_the_service_role_is_named() {
    let message = "CodePipeline service role arn:aws:iam::111111111111:role/Pipeline is getting S3 access denied for the S3 bucket shop-artifacts";
    assert_eq!(claim(message), ErrorSignature::Bucket { bucket: Some("shop-artifacts".into()) });
}

#[test]
fn assume_role_names_the_role() {
    let message = format!(
        "User: arn:aws:sts::111111111111:assumed-role/CodePipeline_Service_Role/x is not authorized to perform: sts:AssumeRole on resource: {ROLE}"
    );
    assert_eq!(claim(&message), ErrorSignature::AssumeRole { role: ROLE.into() });
}
