//! Who was denied what, on what, by which side.

use crosspipe_core::incident::message::{Denial, ErrorSignature, PolicyKind, claim, denial};

use crate::{KEY, ROLE, SESSION};

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
fn words_of_sdks_name_operation() {
    let cases = [
        (
            "An API call to StepFunctions.describeExecution (RequestId: 1) returned a AccessDeniedException error",
            "states:DescribeExecution",
        ),
        (
            "Error in UPLOAD_ARTIFACTS phase: operation error S3: PutObject, https response error StatusCode: 403, RequestID: 1, HostID: 2, api error AccessDenied: Access Denied",
            "s3:PutObject",
        ),
        (
            "Error: reading bucket: operation error S3: HeadObject, https response error StatusCode: 403, RequestID: 1, api error Forbidden: Forbidden",
            "s3:GetObject",
        ),
        ("API: s3:PutPublicAccessBlock Access Denied", "s3:PutBucketPublicAccessBlock"),
        (
            "failed to fetch secret arn:aws:secretsmanager:us-east-2:222222222222:secret:a from secrets manager: AccessDeniedException: Access to KMS is not allowed status code: 400",
            "kms:Decrypt",
        ),
        (
            "Site (AWS::S3::BucketPolicy) is CREATE_FAILED: Resource handler returned message: \"Access Denied (Service: S3, Status Code: 403, Request ID: 1)\" (RequestToken: 2, HandlerErrorCode: AccessDenied)",
            "s3:PutBucketPolicy",
        ),
        (
            "Flow (AWS::StepFunctions::StateMachine) is UPDATE_FAILED: Resource handler returned message: \"null\" (RequestToken: 2, HandlerErrorCode: AccessDenied)",
            "states:*",
        ),
    ];
    for (message, action) in cases {
        let found = check(message, None, None);
        assert_eq!((found.action.as_str(), found.actor, found.resource), (action, None, None), "{message}");
    }
    for other in [
        "operation error S3: PutObject, https response error StatusCode: 404, api error NoSuchBucket: none",
        "operation error STS: AssumeRole, https response error StatusCode: 403, api error AccessDenied: no",
        "An API call to CloudFormation.CreateStackSet returned a ValidationError error: no",
        "Queue (AWS::SQS::Queue) is CREATE_FAILED: the queue is there already",
    ] {
        assert_eq!(denial(other), None, "{other}");
    }
}

#[test]
fn any_sentence_may_name_action() {
    let role = "arn:aws:iam::222222222222:role/ship";
    let service = "arn:aws:ecs:us-east-2:222222222222:service/main/web";
    for (message, actor, action, resource) in [
        (
            format!("{role} does not have permission to perform ecs:UpdateService on resource {service}"),
            Some(role),
            "ecs:UpdateService",
            Some(service),
        ),
        (format!("Access denied: {role} cannot perform s3:PutObject."), Some(role), "s3:PutObject", None),
        ("Missing required permission 'ecs:TagResource'".to_owned(), None, "ecs:TagResource", None),
        (
            "You do not have permission to call cloudformation:CreateChangeSet".to_owned(),
            None,
            "cloudformation:CreateChangeSet",
            None,
        ),
    ] {
        let found = check(&message, None, None);
        assert_eq!((found.actor.as_deref(), found.action.as_str()), (actor, action), "{message}");
        assert_eq!(found.resource.as_deref(), resource, "{message}");
    }
    for other in [
        "Missing required permission: the condition aws:SourceArn is not met",
        "Access denied at https://example.com:Port",
        "The alias ecs:UpdateService exists already",
    ] {
        assert_eq!(denial(other), None, "{other}");
    }
}

#[test]
fn reason_is_known_by_its_beginning() {
    use PolicyKind::*;
    let denied = format!("User: {SESSION} is not authorized to perform: kms:Decrypt on resource: {KEY}");
    for (end, side, explicit) in [
        (" because no identity-based policy allows the kms:Decry", Some(IdentityBased), Some(false)),
        (" because no identi", Some(IdentityBased), Some(false)),
        (" because no permiss...", Some(PermissionsBoundary), Some(false)),
        (" because no res", Some(Other), Some(false)),
        (" because", None, None),
        (" because no unheard-of policy allows it", Some(Other), Some(false)),
    ] {
        check(&format!("{denied}{end}"), side, explicit);
    }
    let cut = "arn:aws:kms:us-east-2:111111111111:key/1234abcd-12ab";
    let told = |end: &str| {
        denial(&format!("User: {SESSION} is not authorized to perform: kms:Decrypt on resource: {cut}{end}"))
    };
    assert_eq!(told("").unwrap().resource, None, "the id is longer");
    assert_eq!(told(" because no identity-based policy allows it").unwrap().resource.as_deref(), Some(cut));
}

#[test]
fn escapes_are_undone() {
    let object = "arn:aws:s3:::site/index.html";
    for text in [
        format!(
            "{{\"errorMessage\":\"User: {SESSION} is not authorized to perform: s3:PutObject on resource: \\\"{object}\\\" because no identity-based policy allows the s3:PutObject action\\n    at run (/var/task/index.js:1:1)\"}}"
        ),
        format!(
            "User: {SESSION} is not authorized to perform: s3:PutObject on resource: &quot;{object}&quot; because no identity-based policy allows the s3:PutObject action"
        ),
    ] {
        let found = check(&text, Some(PolicyKind::IdentityBased), Some(false));
        assert_eq!(
            (found.actor.as_deref(), found.resource.as_deref()),
            (Some(SESSION), Some(object)),
            "{text}"
        );
    }
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
