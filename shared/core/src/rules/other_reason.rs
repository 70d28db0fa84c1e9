//! What is behind a reason that has nothing to do with permissions, and what to do about it.

/// Parts of a message or of its error code, in lower case; what that means; what to do.
const EXPLAINED: [(&[&str], &str, &str); 25] = [
    (
        &["cross-account pass role"],
        "the template gives a resource a role of another account, which nobody can pass",
        "name a role of the account that the stack is in",
    ),
    (
        &["rollback_complete", "non-updatable", "rollback_failed", "create_failed state"],
        "the stack is in a state in which it can't be updated, since an earlier operation failed",
        "see in the stack's events why that failed; a stack in ROLLBACK_COMPLETE has to be deleted, then release the change again",
    ),
    (
        &["capabilities"],
        "the template makes IAM resources or expands macros, and the action does not acknowledge it",
        "add the capability that is named to `Capabilities` of the action's configuration",
    ),
    (
        &["yaml_file_error", "buildspec"],
        "the source has no buildspec where the project looks for it, or it is no valid YAML",
        "add the buildspec to the source, or correct its path in the project",
    ),
    (
        &["hook_execution_failure", "lifecycle event validation functions"],
        "the function of a lifecycle hook failed, or never reported its result to CodeDeploy",
        "see in the function's log why; its role needs codedeploy:PutLifecycleEventHookExecutionStatus to report",
    ),
    (
        &["no_instances", "no instances were found"],
        "no instance bears the tags of the deployment group, or belongs to its Auto Scaling groups",
        "correct the tags of the deployment group, or start instances that bear them",
    ),
    (
        &["code_deploy deployment controller"],
        "the service is deployed by CodeDeploy",
        "use the provider CodeDeployToECS for this action",
    ),
    (
        &[
            "imagenotfound",
            "image with imageid",
            "manifest unknown",
            "cannotpullcontainererror",
            "repositorynotfound",
        ],
        "there is no such image",
        "push the image with that tag or digest, or correct the name in the action or the task definition",
    ),
    (
        &["does not exist in artifact", "artifact file from", "no such file or directory"],
        "the artifact has no such file",
        "make the action that produces the artifact put the file there, or correct its path",
    ),
    (
        &["unable to place a task", "no container instance"],
        "the cluster has no room for the task",
        "add instances to the cluster, or let the task ask for less CPU and memory",
    ),
    (
        &["throttl", "rate exceeded", "toomanyrequests", "too many requests"],
        "AWS throttled the request",
        "retry the stage; where it happens often, spread the executions or raise the quota",
    ),
    (
        &[
            "limitexceeded",
            "limit exceeded",
            "quota",
            "cannot have more than",
            "over_max",
            "insufficient capacity",
        ],
        "a quota of the account is used up",
        "raise the quota in Service Quotas, or free what uses it up",
    ),
    (
        &["already exists", "alreadyexists", "alreadyexist", "alreadyowned"],
        "something of that name exists already",
        "give it another name, delete the other one, or import it",
    ),
    (
        &["as it is in use"],
        "another stack imports what is to be changed or deleted",
        "change the stack that imports it first, then retry the stage",
    ),
    (
        &["in progress", "inprogress", "conflict", "resourceinuse"],
        "something else is at work on it at the same time",
        "wait until that is done, then retry the stage",
    ),
    (
        &[
            "template format",
            "template error",
            "template validation",
            "unresolved resource",
            "circular",
            "must have values",
        ],
        "CloudFormation can't use the template as it is",
        "correct the template or its parameters; `aws cloudformation validate-template` and `cfn-lint` show where",
    ),
    (
        &["no updates are to be performed", "didn't contain changes"],
        "nothing is to be changed",
        "nothing has to be done; CHANGE_SET modes of the action pass over this",
    ),
    (
        &[
            "connect timeout",
            "timed out",
            "timeout",
            "deadline exceeded",
            "unreachable",
            "connection refused",
            "no such host",
        ],
        "something did not answer in time",
        "see whether what was called can be reached from where the action runs: a subnet without NAT needs a VPC endpoint of the service",
    ),
    (
        &["larger than", "exceeds ", "exceeded the maximum"],
        "something is too large",
        "make what the message names smaller",
    ),
    (
        &[
            "notfound",
            "not found",
            "nosuch",
            "does not exist",
            "doesn't exist",
            "do not exist",
            "cannot be found",
            "could not be found",
            "_missing",
            "couldn't find",
            "could not find",
        ],
        "what the message names does not exist in the account and Region of the action",
        "make it, or correct its name in the action's configuration",
    ),
    (
        &["deployment controller"],
        "the service has another deployment controller",
        "use the provider that fits the service's deployment controller",
    ),
    (
        &["malformed", "unable to parse"],
        "something can't be read as what it should be",
        "correct what the message names",
    ),
    (
        &[
            "invalidparameter",
            "invalid parameter",
            "validationerror",
            "validationexception",
            "invalidinput",
            "invalidrequest",
            "invalid",
            "not valid",
            "not a valid",
        ],
        "the service does not accept what it was given",
        "correct what the message names in the action's configuration or input",
    ),
    (
        &["circuit breaker", "stabilize"],
        "what was deployed did not come up",
        "see in the service's events, and in the log of its tasks, why they stopped",
    ),
    (&["unsupported"], "the service does not support what it was asked for", "change what the message names"),
];

/// What a message means and what to do; none where its own words have to do.
pub(super) fn explain(message: &str) -> Option<(&'static str, &'static str)> {
    let lower = message.to_ascii_lowercase();
    let says = |parts: &[&str]| parts.iter().any(|part| lower.contains(part));
    EXPLAINED.iter().find(|(parts, ..)| says(parts)).map(|(_, what, fix)| (*what, *fix))
}
