//! What is read out of error messages: every text of the failure catalogue, AWS's documented forms and the
//! ways in which people see them wrapped, quoted, cut and redacted.

#![allow(clippy::panic, reason = "a test that panics has failed")]

use crosspipe_core::incident::message::{Denial, ErrorSignature, PolicyKind, claim, denial};
use proptest::prelude::*;

const ROLE: &str = "arn:aws:iam::222222222222:role/CrossAccount_Role";
const SESSION: &str = "arn:aws:sts::222222222222:assumed-role/CrossAccount_Role/1700000000000";
const KEY: &str = "arn:aws:kms:us-east-2:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab";

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

fn check(message: &str, side: Option<PolicyKind>, explicit: Option<bool>) -> Denial {
    let found = denial(message).unwrap_or_else(|| panic!("no denial in: {message}"));
    assert_eq!((found.side, found.explicit), (side, explicit), "{message}");
    found
}

#[test]
fn policy_kinds_are_distinguished() {
    use PolicyKind::*;
    let denied = format!("User: {SESSION} is not authorized to perform: kms:Decrypt on resource: {KEY}");
    let allows = "allows the kms:Decrypt action";
    for (kind, name) in [
        (IdentityBased, "identity-based policy"),
        (ResourceBased, "resource-based policy"),
        (ResourceBased, "role trust policy"),
        (PermissionsBoundary, "permissions boundary"),
        (Session, "session policy"),
        (ServiceControl, "service control policy"),
        (ResourceControl, "resource control policy"),
        (VpcEndpoint, "VPC endpoint policy"),
    ] {
        let implicit = check(&format!("{denied} because no {name} {allows}"), Some(kind), Some(false));
        assert_eq!((implicit.actor.as_deref(), implicit.action.as_str()), (Some(SESSION), "kms:Decrypt"));
        assert_eq!((implicit.resource.as_deref(), implicit.policy), (Some(KEY), None));
        for article in ["a", "an", "the"] {
            let explicit = format!("{denied} with an explicit deny in {article} {name}");
            check(&explicit, Some(kind), Some(true));
            check(&format!("{explicit} (Service: AmazonS3; Status Code: 403)"), Some(kind), Some(true));
        }
    }
    check(&denied, None, None);
    check(&format!("{denied} with an explicit deny"), None, Some(true));
}

#[test]
fn the_policy_that_denies_is_named() {
    let policy = "arn:aws:organizations::333333333333:policy/o-aaabbbccc/service_control_policy/p-0xn1knc2";
    let message = format!(
        "User: {SESSION} is not authorized to perform: kms:DisableKey on resource: {KEY} with an explicit deny in a service control policy: {policy}"
    );
    for end in
        ["", ".", " (Service: Kms, Status Code: 400)", ". Encoded authorization failure message: qM8QPrew-x"]
    {
        let found = check(&format!("{message}{end}"), Some(PolicyKind::ServiceControl), Some(true));
        assert_eq!(found.policy.as_deref(), Some(policy), "{end}");
    }
}

#[test]
fn services_deny_in_sentences_of_their_own() {
    let cases = [
        (
            "The provided role does not have sufficient permissions: Service:AmazonElasticLoadBalancing",
            "elasticloadbalancing:*",
        ),
        (
            "User with accountId: 222222222222 is not authorized to perform CreateLogGroup with Tags. An additional permission \"logs:TagResource\" is required. (Service: CloudWatchLogs, Status Code: 400)",
            "logs:TagResource",
        ),
        (
            "Assets (AWS::S3::Bucket) is CREATE_FAILED: Encountered a permissions error performing a tagging operation, please add required tag permissions.",
            "s3:PutBucketTagging",
        ),
        (
            "Worker (AWS::IAM::Role) is CREATE_FAILED: Encountered a permissions error performing a tagging operation, please add required tag permissions.",
            "iam:TagRole",
        ),
        (
            "Calm (AWS::CloudWatch::CompositeAlarm) is CREATE_FAILED: Encountered a permissions error performing a tagging operation, please add required tag permissions.",
            "cloudwatch:TagResource",
        ),
        (
            "authorization failed for primary source and source version arn:aws:codecommit:us-east-2:111111111111:shop",
            "codecommit:GitPull",
        ),
    ];
    for (message, action) in cases {
        assert_eq!(denial(message).map(|it| it.action), Some(action.to_owned()), "{message}");
    }
    // Without the resource's type nobody knows what was to be tagged.
    assert_eq!(denial("Encountered a permissions error performing a tagging operation"), None);
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
fn wrapped_messages_are_understood() {
    let object = "arn:aws:s3:::codepipeline-us-east-2-1234567890/MyFirstPipeline/My App/x.zip";
    let expected = Denial {
        actor: Some(SESSION.into()),
        action: "s3:GetObject".into(),
        resource: Some(object.into()),
        side: Some(PolicyKind::IdentityBased),
        explicit: Some(false),
        policy: None,
    };
    let why = "because no identity-based policy allows the s3:GetObject action";
    for message in [
        format!("User: {SESSION} is not authorized to perform: s3:GetObject on resource: {object} {why}"),
        format!("User: {SESSION} is not authorized to perform: s3:GetObject on resource: \"{object}\" {why}"),
        format!(
            "User: {SESSION} is not authorized to perform:\n  s3:GetObject\n  on resource \"{object}\"\n  {why}"
        ),
        format!("{SESSION} is not authorized to perform: s3:GetObject on resource: `{object}` {why}"),
        format!(
            "AccessDenied: User {SESSION} is not authorized to perform: 's3:GetObject' on resource: '{object}' {why} (Service: S3, Status Code: 403, Request ID: 1)"
        ),
        format!(
            "You are not authorized to perform this operation. User: {SESSION} is not authorized to perform: s3:GetObject on resource: {object} {why}. Encoded authorization failure message: mR08NOyRPjVf"
        ),
        format!(
            "User: {SESSION} is not authorized to perform: s3:GetObject on resource: {object} {why}. Go to https://us-east-1.console.aws.amazon.com/iam/home?region=us-east-1#/authorization-details/1"
        ),
    ] {
        assert_eq!(denial(&message).as_ref(), Some(&expected), "{message}");
    }
}

#[test]
fn omitted_parts_stay_unknown() {
    let redacted = "User: ****/us-east-2-cstore-role/x is not authorized to perform: kms:Decrypt on the resource associated with this ciphertext because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access";
    let found = check(redacted, Some(PolicyKind::ResourceBased), None);
    assert_eq!((found.actor, found.action.as_str(), found.resource), (None, "kms:Decrypt", None));
    let found = check("User: x is not authorized to perform: ecs:RegisterTaskDefinition", None, None);
    assert_eq!((found.actor, found.resource), (None, None));
    assert_eq!(denial("User: x is not authorized to perform this operation"), None);
    assert_eq!(claim("You are not authorized to perform this operation."), ErrorSignature::Refused);
    let cut = format!("{ROLE} is not authorized to perform AssumeRole on role");
    assert_eq!(claim(&cut), ErrorSignature::AssumeRole { role: String::new() });
}

#[test]
fn denials_in_words_of_services_are_read() {
    let cases = [
        (
            "You are not authorized to perform this operation. Encoded authorization failure message: kq3V0dL9 (Service: AmazonEC2; Status Code: 403; Error Code: UnauthorizedOperation; Request ID: 1; Proxy: null)",
            "ec2:*",
        ),
        (
            "Setting (AWS::SSM::Parameter) is CREATE_FAILED: Resource handler returned message: \"Access denied for operation 'PutParameter'.\" (RequestToken: 1, HandlerErrorCode: AccessDenied)",
            "ssm:PutParameter",
        ),
        ("Access denied for operation 'AWS::ElasticLoadBalancingV2::Listener'.", "elasticloadbalancing:*"),
        (
            "Caller does not have permissions to create a Service Linked Role (Service: AmazonApiGateway; Status Code: 403; Error Code: AccessDeniedException)",
            "iam:CreateServiceLinkedRole",
        ),
    ];
    for (message, action) in cases {
        let found = check(message, None, None);
        assert_eq!((found.action.as_str(), found.actor, found.resource), (action, None, None), "{message}");
    }
    // Neither says which service the operation is of.
    assert_eq!(denial("Access denied for operation 'PutParameter'."), None);
    assert_eq!(denial("Access denied (Service: AmazonEC2; Status Code: 403)"), None);
}

#[test]
fn assumption_by_a_named_side_is_a_denial() {
    let service_role = "arn:aws:iam::111111111111:role/CodePipeline_Service_Role";
    let message = format!(
        "{service_role} is not authorized to perform AssumeRole on role {ROLE} with an explicit deny in a resource control policy"
    );
    let found = check(&message, Some(PolicyKind::ResourceControl), Some(true));
    assert_eq!((found.actor.as_deref(), found.resource.as_deref()), (Some(service_role), Some(ROLE)));
    assert_eq!(claim(&message), ErrorSignature::AssumeRole { role: ROLE.into() });
    assert_eq!(
        denial(&format!("{service_role} is not authorized to perform AssumeRole on role {ROLE}")),
        None
    );
}

#[test]
fn first_denial_is_read() {
    let two = format!(
        "User: {SESSION} is not authorized to perform: ecs:TagResource on resource: *. User: {ROLE} is not authorized to perform: kms:Decrypt on resource: {KEY} with an explicit deny in a session policy"
    );
    let found = check(&two, None, None);
    assert_eq!((found.action.as_str(), found.resource.as_deref()), ("ecs:TagResource", Some("*")));
}

#[test]
fn assume_role_names_the_role() {
    let message = format!(
        "User: arn:aws:sts::111111111111:assumed-role/CodePipeline_Service_Role/x is not authorized to perform: sts:AssumeRole on resource: {ROLE}"
    );
    assert_eq!(claim(&message), ErrorSignature::AssumeRole { role: ROLE.into() });
}

proptest! {
    #[test]
    fn any_text_is_survived(text in any::<String>()) {
        let _ = claim(&text);
    }

    #[test]
    fn arbitrary_messages_do_not_panic(words in proptest::collection::vec(prop_oneof![
        Just("User: "), Just("is not authorized to perform"), Just(": "), Just("kms:Decrypt"), Just(" on resource: "),
        Just("\""), Just("'"), Just(" because no "), Just(" with an explicit deny in a"), Just("n "), Just("permissions boundary"),
        Just("é"), Just("\u{130}"), Just("Key 'arn:"), Just("does not exist"), Just("perform AssumeRole on role"), Just(" "), Just("\n"),
        Just("permissions to access"), Just("The provided role does not have"),
    ], 0..24)) {
        let _ = claim(&words.concat());
    }

    #[test]
    fn what_is_written_is_read(
        account in "[0-9]{12}", name in "[A-Za-z0-9+=,.@_-]{1,20}[A-Za-z0-9]", action in "[A-Z][A-Za-z]{1,20}", key in "[A-Za-z0-9]([A-Za-z0-9/_.-]{0,30}[A-Za-z0-9])?",
        quoted in any::<bool>(), explicit in any::<bool>(), prefix in "[a-z ]{0,20}",
    ) {
        let actor = format!("arn:aws:iam::{account}:role/{name}");
        let (action, resource) = (format!("s3:{action}"), format!("arn:aws:s3:::bucket/{key}"));
        let shown = if quoted { format!("\"{resource}\"") } else { resource.clone() };
        let why = if explicit { "with an explicit deny in a resource-based policy".into() } else { format!("because no resource-based policy allows the {action} action") };
        let found = denial(&format!("{prefix}: {actor} is not authorized to perform: {action} on resource: {shown} {why}"));
        prop_assert_eq!(found, Some(Denial {
            actor: Some(actor), action, resource: Some(resource),
            side: Some(PolicyKind::ResourceBased), explicit: Some(explicit), policy: None,
        }));
    }
}
